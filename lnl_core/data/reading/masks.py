"""Masks beside their images: `a_mask.png` beside `a.png`, as sets for segmentation have them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from lnl_core.data.images import MASK, SUFFIXES
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many

LEFT_OUT = BadRow(MASK, "Nothing to do, unless it is an image: then import with --masks keep.")
_MASK = r"(masks?|segmentation|segmented|seg|gt|ground_?truth|labels?|overlay|annotation|trimap)"
_CALLED = (
    re.compile(rf"(?P<image>.+?)[ _.-]+{_MASK}([ _-]?\d+)?", re.IGNORECASE),
    re.compile(r"(?P<image>.+?)masks?", re.IGNORECASE),
    re.compile(rf"{_MASK}[ _.-]+(?P<image>.+)", re.IGNORECASE),
)
_FOLDERS = re.compile(rf"{_MASK}(es|s)?", re.IGNORECASE)
_OF_IMAGES = ("images", "image", "imgs", "img")
_ENDINGS = (*sorted(SUFFIXES), *map(str.upper, sorted(SUFFIXES)))


def is_mask(file: Path) -> bool:
    """Tell whether a file is called like the mask of an image beside it.

    That is `a_mask.png`, `mask_a.png` beside `a.png`, or `masks/a.png` beside `images/a.png` or
    `a.png`; `masks/a_mask.png` as well.
    """
    if file.suffix.lower() not in SUFFIXES:  # `GT-00000.csv`
        return False
    called = [form.fullmatch(file.stem) for form in _CALLED]
    stems = [each["image"] for each in called if each is not None]
    if any(_is_there(file.parent, stem, file.suffix) for stem in stems):
        return True
    if _FOLDERS.fullmatch(file.parent.name) is None:
        return False
    above = file.parent.parent
    around = (above / each for name in _OF_IMAGES for each in (name, name.title()))
    return any(
        _is_there(folder, stem, file.suffix)
        for folder in (above, *(each for each in around if each.is_dir()))
        for stem in (file.stem, *stems)
    )


def _is_there(folder: Path, stem: str, ending: str) -> bool:
    """Tell whether an image of a name lies in a folder, with this ending or another."""
    return any(os.path.exists(folder / f"{stem}{each}") for each in (ending, *_ENDINGS))


def question(found: Sequence[str], answers: Answers) -> Question | None:
    """Ask whether masks are images of the class; None where there are none.

    Args:
        found: the paths of masks.
        answers: what a person said already.
    """
    if not found:
        return None
    one = "file is called like a mask of an image beside it"
    named = many(len(found), one, "files are called like masks of images beside them")
    return Question(
        "masks",
        f"{named}, first “{visible(found[0])[:60]}”. Would they be images of the class?",
        (Choice("skip", "no, leave them out"), Choice("keep", "yes, each is an image")),
        answer=answers.masks,
        stops=True,
    )
