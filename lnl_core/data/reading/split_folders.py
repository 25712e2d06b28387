"""Folders called like splits: a list's rows of a split have their images in its folder.

`train/0.png` and `test/0.png` are two images: the 0.png of test.csv is the second one.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from lnl_core.data.files import hidden
from lnl_core.data.reading import finding
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.data.tables import visible

_DEEP = 3
_FOLDERS = 2_000
"""Folders that are looked into for such folders."""

_MOST = 64
"""Files of one name that are told apart by their folders."""

_SAME = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}


class SplitFolders:
    """Finds what rows name in the folders of their splits.

    A split counts where its folder has at least half of the names that are found anywhere, and
    none does where no name lies elsewhere, too.

    Args:
        home: the folder that paths start from.
        images_in: the folder that a person said has the images; "" or `none`.
    """

    def __init__(self, home: Path, images_in: str = "") -> None:
        self._home = home
        said = finding.inside(home, images_in)
        self._images_in = "" if said in ("none", ".") else said
        self._finder = finding.Finder(home, ())
        self._folders = _folders_of(home)
        self._own: dict[str, str] = {}

    def decide(self, rows: Iterable[tuple[str, str]]) -> None:
        """Say which splits have a folder of their own.

        Args:
            rows: (split, cell that names the image) of every row.
        """
        if len(self._folders) < 2:
            return
        own, elsewhere, contested = Counter[str](), Counter[str](), False
        for split, cell in rows:
            key = _key(split)
            if key not in self._folders or not self._is_bare(cell):
                continue
            here, there = self._places(key, cell)
            own[key] += bool(here)
            elsewhere[key] += bool(there) and not here
            contested = contested or bool(there)
        if contested:
            self._own = {key: self._folders[key][0] for key in own if own[key] >= elsewhere[key]}

    def of(self, split: str, cell: str) -> str:
        """Return the path of what a row names, where its split has a folder; else the cell."""
        key = _key(split)
        if key not in self._own or not self._is_bare(cell):
            return cell
        here, there = self._places(key, cell)
        if len(here) == 1:
            return here[0]
        return f"{self._own[key]}/{cell}" if there and not here else cell

    def notes(self) -> list[str]:
        """Say where the images of splits are looked for."""
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in self._own.values())
        if not shown:
            return []
        return [f"Images of splits are those in the folders called so: {shown}."]

    def _is_bare(self, cell: str) -> bool:
        """Tell whether a cell is a path below some folder, and not one from the root."""
        parts = finding.components(cell)
        absolute = not parts or parts[0] == "/" or ":" in parts[0] or ".." in parts
        return not absolute and not os.path.isfile(self._home / cell)

    def _places(self, key: str, cell: str) -> tuple[list[str], list[str]]:
        """Return the files of a name in the folders of a split, and those elsewhere."""
        other: list[str] = []
        for places in self._finder.called(cell):
            if len(places) > _MOST:
                return [], []
            said = [p for p in places if p.startswith(f"{self._images_in}/")]
            places = said if self._images_in and said else places
            here = [p for p in places if key in map(_key, p.split("/")[:-1])]
            if here:
                return here, [p for p in places if p not in here]
            other = other or places
        return [], other


def _key(name: str) -> str:
    """Return the split that a folder or list is called like; "" where it is none."""
    found = split_in(name) if is_split(name, lists=True) else ""
    return _SAME.get(found, found)


def _folders_of(home: Path) -> dict[str, Sequence[str]]:
    """Return split -> the folders called so, those further up first."""
    found = defaultdict[str, list[str]](list)
    level, looked = [""], 0
    for _ in range(_DEEP):
        below: list[str] = []
        for folder in level:
            looked += 1
            if looked > _FOLDERS:
                return dict(found)
            try:
                with os.scandir(home / folder) as listing:
                    names = [e.name for e in listing if not hidden(e.name) and e.is_dir()]
            except OSError:
                continue
            for name in sorted(names):
                path = f"{folder}/{name}" if folder else name
                if is_split(name):
                    found[_key(name)].append(path)
                below.append(path)
        level = below
    return dict(found)
