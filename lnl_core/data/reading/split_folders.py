"""Folders called like splits: a list's rows of a split have their images in its folder.

`train/0.png` and `test/0.png` are two images: the 0.png of test.csv is the second one.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lnl_core.data.files import NO_FILE, hidden, inside_path
from lnl_core.data.reading import addresses, finding, path_parts
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

_DEEP = 8
_FOLDERS = 2_000
"""Folders that are looked into for such folders."""

_MOST = 64
"""Files of one name that are told apart by their folders."""

_SAME = {"training": "train", "valid": "val", "validation": "val", "testing": "test"}
_ADD = "Add the images of its split, or write the path from the root into the list."

Rows = Callable[[], Iterable[tuple[str, str]]]
"""Goes over (split, cell that names the image) of every row, as often as it is called."""


class SplitFolders:
    """Finds what rows name in the folders of their splits.

    A split counts where its folder has at least half of the names that are found anywhere, and
    none does where no name lies elsewhere, too. A file that a row names in the folder of its own
    split, or by its path, is that row's: no row of another split gets it. What no row names in
    another split's folder a row gets where that split has rows, none of them of a name of its own.

    Args:
        home: the folder that paths start from.
        images_in: the folder that a person said has the images, from there or from the folders of
            splits; "" or `none`.
        sure: rows say their split; else their list is called so, and its folder has to have all.

    Attributes:
        unsettled: path as `of` returned it -> the files among which it is, or why there is none.

    Raises:
        LnlError: `images_in` is no such folder.
    """

    def __init__(self, home: Path, images_in: str = "", *, sure: bool = True) -> None:
        self._home, self._sure, self._answer = home, sure, images_in
        self._folders = _folders_of(home)
        self._beside = frozenset(_beside(self._folders))
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
        self._is_contested = False
        self._named = defaultdict[str, set[str]](set)
        self._shares: set[tuple[str, str]] = set()
        self._lent: dict[tuple[str, str], None] = {}
        self._doubtful: dict[str, str] = {}
        self._lacking: dict[str, None] = {}
        self.unsettled: dict[str, finding.Among] = {}

    @property
    def takes_answer(self) -> bool:
        """Tell whether the folder that a person said is one of the splits' alone."""
        return bool(self._own) and self._below and not self._images_in

    def decide(self, rows: Rows) -> None:
        """Say which splits have a folder of their own, and whose row names which file."""
        if not self._folders or not any(self._contests(*row) for row in rows()):
            return
        self._is_contested = True
        for split, cell in rows():
            key = _split(split)
            self._named[key].update(self._names(key, addresses.stored(cell)))
        own, elsewhere = Counter[str](), Counter[str]()
        for split, cell in rows():
            key, places = _split(split), self._places(split, addresses.stored(cell))
            if places is None:
                continue
            here, there = places
            free = self._free(key, there)
            self._shares.update((key, self._split_of(path)) for path in there if path not in free)
            if key in self._folders:
                own[key] += bool(here)
                elsewhere[key] += bool(free) and not here
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
        if not self._is_contested:
            return cell
        plain = addresses.stored(cell)
        path = self._of(split, plain)
        return cell if path == plain else path

    def _of(self, split: str, cell: str) -> str:
        if self._is_bare(cell) and self._says_split(cell):
            return self._only_one(cell)
        places = self._places(split, cell)
        if places is None:
            return cell
        key = _split(split)
        find = self._inside if key in self._own else self._around
        return find(key, cell, *places)

    def _only_one(self, cell: str) -> str:
        """Return the only file of a path that names the folder of a split itself."""
        places = next(self._finder.called(cell), []) if self._own else []
        if len(places) > 1:
            self.unsettled[cell] = finding.Among(places)
        return places[0] if len(places) == 1 and not self._images_in else cell

    def _inside(self, key: str, cell: str, here: Sequence[str], there: Sequence[str]) -> str:
        """Return the file of a name in the folder of its split."""
        own = self._own[key]
        here = [p for p in here if _is_in(p, own)] or list(here)
        meant = [p for p in here if self._is_said(p, own)]
        meant = meant or [p for p in here if _folder(p) in {_folder(f"{o}/{cell}") for o in own}]
        meant = meant or here
        if len(meant) == 1:
            return meant[0]
        if meant:
            around = own[0] if len(own) == 1 else ""
            return self._stands(f"{own[0]}/{cell}", finding.Among(meant, around))
        if there and self._free(key, there):
            return self._lacks(own[0], cell, finding.not_in(", ".join(own[:3]), there))
        return self._lacks(own[0], cell, _taken(there), is_known=bool(there))

    def _around(self, key: str, cell: str, here: Sequence[str], there: Sequence[str]) -> str:
        """Return the file of a name that a split without a folder of its own has."""
        free = [*here, *self._free(key, there)]
        if not free:
            return self._lacks(key, cell, _taken(there), is_known=bool(there))
        other = self._split_of(free[0]) if len(free) == 1 else ""
        is_foreign = bool(other) and other != key
        if self._images_in and "/" not in cell and len(free) == 1:
            if path_parts.lies_in(free[0], self._images_in):
                return free[0]
            return self._lacks(key, cell, finding.not_in(self._images_in, free))
        if is_foreign and self._is_doubtful(key, other) and not self._images_in:
            shown = path_parts.where_shown(free)
            why = BadRow(f"Another split may have the only such file, {shown}.", finding.ONE_NAME)
            lost = self._lacks(key, cell, why)
            self._doubtful[lost] = free[0]
            if not self._sure:
                self._lacking |= dict.fromkeys(_furthest_up(self._folders.get(key, [])))
            return lost
        if not self._sure and len(free) == len(here) + len(there):
            return cell
        if len(free) > 1:
            return self._among(key, cell, finding.Among(free))
        if is_foreign:
            self._lent[key, other] = None
        return free[0]

    def _is_doubtful(self, key: str, other: str) -> bool:
        """Tell whether what no row names in the folder of another split may be that one's still.

        It has no row, so that nobody knows, or rows of both have names that are the same.
        """
        return (bool(_key(key)) and other not in self._named) or (key, other) in self._shares

    def _lacks(self, folder: str, cell: str, why: BadRow, *, is_known: bool = True) -> str:
        """Return what stands for a file that is not there; a path may yet be found otherwise."""
        if not is_known and "/" in cell:
            return cell
        return self._stands(self._stand_in(folder, cell), finding.Among((), why=why))

    def _stand_in(self, folder: str, cell: str) -> str:
        """Return a path by which the rows of two splits are two, though none has a file."""
        path = f"{folder}/{cell}" if folder else cell
        return cell if os.path.isfile(self._home / path) else path

    def _among(self, key: str, cell: str, among: finding.Among) -> str:
        """Return what stands for files of which it is not settled which one is meant.

        Of folds and other splits that no folder is called like, the name itself.
        """
        if not _key(key) and self.unsettled.get(cell, among) == among:
            return self._stands(cell, among)
        return self._stands(self._stand_in(key, cell), among)

    def _stands(self, path: str, among: finding.Among) -> str:
        """Keep what a path stands for, and return it."""
        self.unsettled[path] = among
        return path

    def notes(self) -> list[str]:
        """Say where the images of splits are looked for."""
        found = [folder for own in self._own.values() for folder in own]
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in found[:6])
        lent = [
            f"Images of “{visible(key)[:40]}” are looked for in the folder of “{other}”, too: no "
            f"row of “{other}” names them."
            for key, other in self._lent
        ]
        return (
            [f"Images of splits are those in the folders called so: {shown}."] * bool(shown)
        ) + lent

    def question(self, usable: int) -> Question | None:
        """Ask whether files in other splits' folders are meant; None where there are none such.

        Args:
            usable: rows with image and label; where most are concerned, or a list that is called
                like a split whose folder lacks some, nothing goes on unasked.
        """
        if not self._doubtful:
            return None
        first, path = next(iter(self._doubtful.items()))
        others = dict.fromkeys(self._split_folder(each) for each in self._doubtful.values())
        folders = self._lacking | others
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in [*others][:6])
        stops = bool(self._lacking) or 2 * len(self._doubtful) > usable
        found = many(len(self._doubtful), "image is", "images are")
        return Question(
            "images_in",
            f"{found} found in another split's folder alone, first “{visible(first)[:60]}” as "
            f"“{visible(path)[:60]}”: {shown}. That may be another image of the name. Which folder "
            "has the images? Names that it lacks are left out.",
            (
                *(Choice(each, visible(each)[:60]) for each in [*folders][:12]),
                Choice("none", "none of them: those are left out"),
            ),
            default="" if stops else "none",
            answer=self._answer,
            stops=stops,
        )

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
        """Tell whether a cell names the folder of a split itself, and not a class below one."""
        if not any(_key(part) in self._folders for part in finding.components(cell)[:-1]):
            return False
        tops = (top for found in self._folders.values() for top in _furthest_up(found))
        return not any(os.path.isfile(self._home / top / cell) for top in tops)

    def _split_of(self, path: str) -> str:
        """Return the split in whose folder a file lies; "" where it is in none."""
        return _key(self._split_folder(path).rpartition("/")[2])

    def _split_folder(self, path: str) -> str:
        """Return the folder of a split around a file; "" where it is in none.

        The outermost that lies beside another split's, else the innermost that is called like one:
        a class, too, may be called train.
        """
        return _split_folder(_folder(path), self._beside)

    def _contests(self, split: str, cell: str) -> bool:
        """Tell whether what a row names lies in another folder than its split's."""
        places = self._places(split, addresses.stored(cell))
        if places is None or not places[1]:
            return False
        return _split(split) in self._folders or any(map(self._split_of, places[1]))

    def _names(self, key: str, cell: str) -> Sequence[str]:
        """Return the files that are a row's by its path, or in the folder of its split."""
        if not self._is_bare(cell):
            found = os.path.isfile(self._home / cell)
            path = inside_path(self._home, os.path.normpath(self._home / cell)) if found else None
            return [path] if path else []
        if not self._says_split(cell):
            return (self._places(key, cell) or ([], []))[0]
        places = next(self._finder.called(cell), [])
        return places if len(places) == 1 else []

    def _free(self, key: str, paths: Sequence[str]) -> list[str]:
        """Return the files that no row of another split names."""
        others = [own for split, own in self._named.items() if split != key]
        return [path for path in paths if not any(path in own for own in others)]

    def _places(self, split: str, cell: str) -> tuple[list[str], list[str]] | None:
        """Return the files of a name in the folders of a split, and those elsewhere.

        None of a cell that is a path of its own, or whose name too many have.
        """
        if not self._is_bare(cell) or self._says_split(cell):
            return None
        key, other = _split(split), list[str]()
        for places in self._finder.called(cell):
            if len(places) > _MOST:
                return None
            here = [path for path in places if key and self._split_of(path) == key]
            if here:
                return here, [path for path in places if path not in here]
            other = other or places
        return [], other


def _taken(there: Sequence[str]) -> BadRow:
    """Return why a name is left out that no file has, or those alone that are other rows'."""
    if not there:
        return NO_FILE
    shown = path_parts.where_shown(there)
    return BadRow(f"There is no such file but {shown}: another split's row has it.", _ADD)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _is_in(path: str, folders: Sequence[str]) -> bool:
    return any(path.startswith(f"{folder}/") for folder in folders)


def _furthest_up(found: Sequence[str]) -> Sequence[str]:
    """Return the folders that lie as far up as the first."""
    return [each for each in found if each.count("/") == found[0].count("/")]


@lru_cache(maxsize=4096)
def _key(name: str) -> str:
    """Return the split that a folder or list is called like; "" where it is none."""
    found = split_in(name) if is_split(name, lists=True) else ""
    return _SAME.get(found, found)


def _split(name: str) -> str:
    """Return a split by the name that its folders are known by; any other as it is."""
    return _key(name) or name.strip().casefold()


@lru_cache(maxsize=4096)
def _split_folder(folder: str, beside: frozenset[str]) -> str:
    parts = folder.split("/") if folder else []
    around = ["/".join(parts[: at + 1]) for at, part in enumerate(parts) if _key(part)]
    outer = (each for each in around if _folder(each) in beside)
    return next(outer, around[-1] if around else "")


def _beside(folders: Mapping[str, Sequence[str]]) -> set[str]:
    """Return the folders in which several splits have one."""
    inside = defaultdict[str, set[str]](set)
    for key, paths in folders.items():
        for path in paths:
            inside[_folder(path)].add(key)
    return {around for around, keys in inside.items() if len(keys) > 1}


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
