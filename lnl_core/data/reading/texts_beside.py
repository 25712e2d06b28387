"""Texts beside images: those that name images and are read by nobody, and lists of splits."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.split_names import is_split

FOLDERS = ("meta", "splits", "lists", "annotations", "imagesets")
"""Folders of texts beside class folders."""

TEXTS = (".txt", ".lst", ".list")
LINES = (*TEXTS, ".csv", ".tsv")
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


def names_image(line: str) -> bool:
    """Tell whether a line has the name of an image, by its ending."""
    return bool(_ENDING.search(line))


def lists_a_split(file: Path) -> bool:
    """Tell whether a text is called like a split and has nothing but a path in each line."""
    lines = first_lines(file) if is_split(file.stem, lists=True) else []
    return (
        bool(lines)
        and all(_ENDING.search(line) or "/" in line for line in lines)
        and not any(_LABELLED.search(line) for line in lines)
    )


def is_folder_of_texts(folder: str) -> bool:
    """Tell whether a folder is called like those of lists and holds some, and no image or folder.

    It is no class then, though one be called so.
    """
    if os.path.basename(folder).lower() not in FOLDERS:
        return False
    try:
        with os.scandir(folder) as listing:
            endings = {
                "/" if each.is_dir() else os.path.splitext(each.name)[1].lower() for each in listing
            }
    except OSError:
        return False
    return not endings.isdisjoint(LINES) and endings.isdisjoint(("/", *SUFFIXES))
