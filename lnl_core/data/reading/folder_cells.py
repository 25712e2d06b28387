"""Folders that the cells of a list name: `vid00`, `P001`, `train/study0`, `clip_3.avi`."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lnl_core.data.reading import indexing
from lnl_core.data.reading.finding import components
from lnl_core.data.reading.indexing import composed, number
from lnl_core.data.reading.split_names import are_apart, is_split
from lnl_core.data.reading.tree import like_image

_WHOLE = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".nii"})
_WHOLE |= {".zip", ".tar", ".gz"}
"""Endings of files of which a folder may hold the single images."""


class Folders:
    """Folders below a root that hold images at any depth; those called like splits are none.

    Where no file is called like an image, those without an ending are the images.
    """

    def __init__(self, root: Path) -> None:
        names = indexing.of(root.resolve()).names.values()
        paths = [path for group in names for path in group]
        found = [path for path in paths if like_image(path)]
        found = found or [path for path in paths if not os.path.splitext(path)[1]]
        self.count = len(found)
        self._images = defaultdict[str, list[str]](list)
        for path in sorted(found):
            for folder in _around(path):
                self._images[folder].append(path)
        self._called = defaultdict[str, list[str]](list)
        for folder in self._images:
            name = folder.rpartition("/")[2]
            for key in _keys(name) if not is_split(name) else ():
                self._called[key].append(folder)
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}

    def named(self, cell: str, split: str = "") -> tuple[str, ...]:
        """Return the folders that a cell names, of several those of a split; mostly one or none."""
        if (cell, split) not in self._known:
            self._known[cell, split] = tuple(self._named(cell, split))
        return self._known[cell, split]

    def images(self, cell: str, split: str = "") -> list[str]:
        """Return the paths from the root of the images in the folders that a cell names."""
        return [path for folder in self.named(cell, split) for path in self._images[folder]]

    def inside(self, folder: str) -> list[str]:
        """Return the paths from the root of the images in a folder."""
        return self._images.get(folder, [])

    def outer(self) -> list[str]:
        """Return the folders that hold images and lie beside each other, the outermost such."""
        below = ""
        while True:
            start = f"{below}/" if below else ""
            there = [f for f in self._images if f.startswith(start) and "/" not in f[len(start) :]]
            if len(there) != 1:
                return there
            below = there[0]

    def _named(self, cell: str, split: str) -> list[str]:
        parts = [part for part in components(cell) if part != "/"]
        there: list[str] = []
        for name in _bare(parts[-1]) if parts else ():
            keys = (key for key in _keys(name) if key in self._called)
            there = there or self._called.get(next(keys, ""), [])
        ends = {folder: _same_end(folder.split("/")[:-1], parts[:-1]) for folder in there}
        there = [folder for folder in there if ends[folder] == max(ends.values())]
        there = [f for f in there if not any(f.startswith(f"{other}/") for other in there)]
        if len(there) > 1 and split:
            own = [f for f in there if not any(are_apart(part, split) for part in f.split("/"))]
            there = own or there
        return there


@dataclass(frozen=True, slots=True)
class FolderCells:
    """A column of a list that names folders, and these.

    Attributes:
        column: its header.
        folders: those below the folder that all paths of the list start from.
    """

    column: str
    folders: Folders


def _around(path: str) -> Iterator[str]:
    at = path.rfind("/")
    while at > 0:
        yield path[:at]
        at = path.rfind("/", 0, at)


def _keys(name: str) -> list[str]:
    """Return what a name is looked up by, the strictest first: sign for sign, by case, by number.

    A name has no slash: none of the keys of one kind is one of another.
    """
    name = composed(name)
    value = number(name)
    return [name, f"case/{name.casefold()}", *([f"number/{value}"] if value else [])]


def _bare(name: str) -> list[str]:
    """Return a name, and the same without the ending of a file that a folder may stand for."""
    found = [name]
    stem, ending = os.path.splitext(name)
    while stem and ending.lower() in _WHOLE:
        found.append(stem)
        stem, ending = os.path.splitext(stem)
    return found


def _same_end(one: list[str], other: list[str]) -> int:
    """Return how many parts at the ends of two paths are the same."""
    count = 0
    for mine, its in zip(reversed(one), reversed(other), strict=False):
        if composed(mine) != composed(its):
            break
        count += 1
    return count
