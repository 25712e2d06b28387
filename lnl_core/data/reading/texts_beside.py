"""Texts that name images and are read by nobody: named, so that none is lost unsaid."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.tables import visible

_LOOK = 4096
_ENDING = re.compile(
    rf"({'|'.join(map(re.escape, sorted(SUFFIXES, key=len, reverse=True)))})\b", re.IGNORECASE
)
_LABELLED = re.compile(rf"[,;|\t]|({_ENDING.pattern})\s+\S", re.IGNORECASE)


def first_lines(file: Path) -> list[str]:
    """Return the first lines of a text that say something; none of what is no text."""
    try:
        with file.open("rb") as stream:
            text = stream.read(_LOOK).decode("utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError):
        return []
    lines = [line.strip() for line in text.splitlines()]
    return [] if "\0" in text else [line for line in lines[:-1] or lines if line]


def names_images(file: Path) -> bool:
    """Tell whether most of the first lines of a text name an image by its ending."""
    lines = first_lines(file)
    return bool(lines) and 2 * sum(bool(_ENDING.search(line)) for line in lines) > len(lines)


def of_splits(files: Iterable[Path], home: Path) -> list[str]:
    """Say which texts list the images of a split, a path in each line.

    Args:
        files: texts that are not read.
        home: the folder that they are named from.
    """
    found = [
        os.path.relpath(file, home)
        for file in files
        if is_split(file.stem, lists=True)
        and (lines := first_lines(file))
        and all(_ENDING.search(line) or "/" in line for line in lines)
        and not any(_LABELLED.search(line) for line in lines)
    ]
    if not found:
        return []
    shown = ", ".join(f"“{visible(each)[:60]}”" for each in found[:6])
    return [
        f"{shown}: a list of a split, a path in each line, that is not read. To keep the splits, "
        "put the images into folders called so, or write a list with image, label and split."
    ]
