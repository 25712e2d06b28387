"""Texts beside images: those that name images and are read by nobody, and lists of splits."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.reading.tree import OF_NOTES

FOLDERS = ("meta", "splits", "lists", "annotations", "imagesets")
"""Folders of texts beside class folders."""

TEXTS = (".txt", ".lst", ".list")
LINES = (*TEXTS, ".csv", ".tsv")
_MIRRORED = 8
"""Folders of annotations into which it is looked."""
_LOOK = 4096
_ENDING = re.compile(
    rf"({'|'.join(map(re.escape, sorted(SUFFIXES, key=len, reverse=True)))})\b", re.IGNORECASE
)
_NAMED = re.compile(rb"<name>\s*([^<]+?)\s*</name>")
_IMAGES = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II", b"MM", b"RIFF")
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


def annotates_classes(folder: str, images: str) -> bool:
    """Tell whether a folder has annotations of the images in another one, class by class.

    `annotations/Annotation/CLASS/` beside `images/Images/CLASS/`, as Stanford Dogs and Caltech-101
    have them: called so, without an image, and with folders that are there, too. What they say of
    boxes names the folders' classes, or none.
    """
    if os.path.basename(folder).lower() not in OF_NOTES:
        return False
    notes, classes = _innermost(folder), _innermost(images)
    same = [name for name in notes if name in classes and not is_split(name)]
    if not same or 2 * len(same) < len(notes) or len(classes) < 2:
        return False
    said = [_says_of_boxes(notes[name], name) for name in same[:_MIRRORED]]
    return "image" not in said and ("same" in said or "other" not in said)


def _innermost(folder: str) -> dict[str, str]:
    """Return name -> path of the folders in one, or in the lone ones inside it."""
    for _ in range(4):
        try:
            with os.scandir(folder) as listing:
                inner = {each.name: each.path for each in listing if each.is_dir()}
        except OSError:
            return {}
        if len(inner) != 1:
            return inner
        folder = next(iter(inner.values()))
    return {}


def _says_of_boxes(folder: str, class_name: str) -> str:
    """Return what the first file of a folder says of its boxes: the `same` class, or an `other`.

    `image` where the folder holds one, "" where the file names none.
    """
    try:
        with os.scandir(folder) as listing:
            files = sorted(each.path for each in listing if each.is_file())
        if any(os.path.splitext(each)[1].lower() in SUFFIXES for each in files):
            return "image"
        with open(files[0], "rb") as stream:
            head = stream.read(_LOOK)
    except (OSError, IndexError):
        return ""
    if head.startswith(_IMAGES) or head[128:132] == b"DICM":
        return "image"
    named = [plain(each.decode("utf-8", "replace")) for each in _NAMED.findall(head)]
    if not named:
        return ""
    return "same" if any(each in plain(class_name) for each in named) else "other"
