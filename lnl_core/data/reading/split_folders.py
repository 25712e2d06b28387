"""Folders called like splits: a list's rows of a split have their images in its folder.

`train/0.png` and `test/0.png` are two images: the 0.png of test.csv is the second one.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from lnl_core.data.files import hidden
from lnl_core.data.reading import finding, path_parts
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.data.tables import visible
from lnl_core.types import LnlError

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
        images_in: the folder that a person said has the images, from there or from the folders of
            splits; "" or `none`.
        sure: rows say their split; else their list is called so, and its folder has to have all.

    Attributes:
        unsettled: path as `of` returned it -> the files among which it is, or that are elsewhere.

    Raises:
        LnlError: `images_in` is no such folder.
    """

    def __init__(self, home: Path, images_in: str = "", *, sure: bool = True) -> None:
        self._home, self._sure = home, sure
        self._folders = _folders_of(home)
        self._said = "" if images_in in ("none", ".") else images_in.strip("/")
        self._below = any(
            self._said and (home / folder / self._said).is_dir()
            for found in self._folders.values()
            for folder in found
        )
        try:
            self._images_in = path_parts.inside(home, self._said)
        except LnlError:
            if not self._below:
                raise
            self._images_in = ""
        self._finder = finding.Finder(home, ())
        self._own: dict[str, Sequence[str]] = {}
        self.unsettled: dict[str, finding.Among] = {}

    @property
    def takes_answer(self) -> bool:
        """Tell whether the folder that a person said is one of the splits' alone."""
        return bool(self._own) and self._below and not self._images_in

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
            if key not in self._folders or not self._is_bare(cell) or self._says_split(cell):
                continue
            here, there = self._places(key, cell)
            own[key] += bool(here)
            elsewhere[key] += bool(there) and not here
            contested = contested or bool(there)
        if contested:
            self._own = {
                key: _furthest_up(self._folders[key])
                for key in own
                if own[key] >= elsewhere[key] and (self._sure or not elsewhere[key])
            }

    def of(self, split: str, cell: str) -> str:
        """Return the path of what a row names, where that is settled; else what stands for it.

        What names the folder of a split itself, or is of a split without one, is the only file of
        that name.
        """
        if not self._own or not self._is_bare(cell):
            return cell
        key = _key(split)
        here, there = self._places(key, cell)
        own = () if self._says_split(cell) else self._own.get(key, ())
        if not own:
            places = [*here, *there]
            if len(places) > 1:
                self.unsettled[cell] = finding.Among(places)
            return places[0] if len(places) == 1 and not self._images_in else cell
        here = [p for p in here if _is_in(p, own)] or here
        meant = [p for p in here if self._is_said(p, own)]
        meant = meant or [p for p in here if _folder(p) in {_folder(f"{o}/{cell}") for o in own}]
        meant = meant or here
        if len(meant) == 1:
            return meant[0]
        if not meant and not there:
            return cell
        around = own[0] if len(own) == 1 else ""
        self.unsettled[f"{own[0]}/{cell}"] = finding.Among(
            meant or there, around, lacks="" if meant else ", ".join(own[:3])
        )
        return f"{own[0]}/{cell}"

    def notes(self) -> list[str]:
        """Say where the images of splits are looked for."""
        found = [folder for own in self._own.values() for folder in own]
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in found[:6])
        if not shown:
            return []
        return [f"Images of splits are those in the folders called so: {shown}."]

    def _is_said(self, path: str, own: Sequence[str]) -> bool:
        """Tell whether a file lies in the folder that a person said."""
        if self._images_in and _is_in(path, [self._images_in]):
            return True
        return self._below and _is_in(path, [f"{each}/{self._said}" for each in own])

    def _is_bare(self, cell: str) -> bool:
        """Tell whether a cell is a path below some folder, and not one from the root."""
        parts = finding.components(cell)
        absolute = not parts or parts[0] == "/" or ":" in parts[0] or ".." in parts
        return not absolute and not os.path.isfile(self._home / cell)

    def _says_split(self, cell: str) -> bool:
        """Tell whether a cell names the folder of a split itself."""
        return any(_key(part) in self._folders for part in finding.components(cell)[:-1])

    def _places(self, key: str, cell: str) -> tuple[list[str], list[str]]:
        """Return the files of a name in the folders of a split, and those elsewhere."""
        other: list[str] = []
        for places in self._finder.called(cell):
            if len(places) > _MOST:
                return [], []
            here = [p for p in places if key in map(_key, p.split("/")[:-1])]
            if here:
                return here, [p for p in places if p not in here]
            other = other or places
        return [], other


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _furthest_up(found: Sequence[str]) -> Sequence[str]:
    """Return the folders that lie as far up as the first."""
    return [each for each in found if each.count("/") == found[0].count("/")]


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
