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
_CALLED = re.compile(
    r"(?P<image>.+?)[ _.-]+(masks?|segmentation|segmented|seg|gt|ground_?truth)([ _-]?\d+)?",
    re.IGNORECASE,
)


def is_mask(file: Path) -> bool:
    """Tell whether a file is called like the mask of an image that lies beside it."""
    called = _CALLED.fullmatch(file.stem)
    if called is None:
        return False
    endings = dict.fromkeys((file.suffix, *sorted(SUFFIXES), *map(str.upper, sorted(SUFFIXES))))
    return any(os.path.exists(file.with_name(called["image"] + each)) for each in endings)


def question(found: Sequence[str], answers: Answers) -> Question | None:
    """Ask whether masks are images of the class; None where there are none.

    Args:
        found: the paths of masks.
        answers: what a person said already.
    """
    if not found:
        return None
    named = many(len(found), "file is called like a mask", "files are called like masks")
    return Question(
        "masks",
        f"{named} of another image in its folder, first “{visible(found[0])[:60]}”. Would they be "
        "images of the class?",
        (Choice("skip", "no, leave them out"), Choice("keep", "yes, each is an image")),
        answer=answers.masks,
        stops=True,
    )
