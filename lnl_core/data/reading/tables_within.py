"""Tables in folders, and the images in these that their rows name."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.files import hidden
from lnl_core.data.reading import columns
from lnl_core.data.reading.column_names import Columns
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.tree import like_image
from lnl_core.data.tables import BadRow
from lnl_core.readings import Answers
from lnl_core.types import LnlError

_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl")
_PEEK = 64
_COMPARED = 50_000
"""Rows that are compared with the folders of their images."""

_MOST = 8
"""Tables in one folder, above which those called like its images are of these, and no lists."""

_LISTS = 64
"""Tables in one folder that are looked into."""

_READ = 20_000
"""Rows among which some are chosen to be looked for."""


def tables_in(folder: Path) -> list[Path]:
    """Return the tables that lie in a folder or in a folder of tables there, where they are few."""
    own, inner, images = _listed(folder)
    for each in inner:
        own += _listed(each)[0] if not _has_images_or_folders(each) else []
    notes = [file for file in own if file.suffix.lower() == ".json"]
    others = [file for file in own if file.suffix.lower() != ".json"]
    if len(others) > _MOST:
        others = [file for file in others if file.stem not in images]
    return [*(others if len(others) <= _LISTS else ()), *(notes if len(notes) <= _MOST else ())]


def _listed(folder: Path) -> tuple[list[Path], list[Path], set[str]]:
    """Return (tables, folders, names of images without their ending) of a folder."""
    found: list[Path] = []
    inner: list[Path] = []
    images: set[str] = set()
    try:
        with os.scandir(folder) as listing:
            for each in listing:
                if hidden(each.name):
                    continue
                if each.is_dir(follow_symlinks=False):
                    inner.append(folder / each.name)
                elif each.name.lower().endswith((*_SUFFIXES, ".json")) and each.is_file():
                    found.append(folder / each.name)
                elif like_image(each.name):
                    images.add(os.path.splitext(each.name)[0])
    except OSError:
        return [], [], set()
    return sorted(found), sorted(inner), images


def _has_images_or_folders(folder: Path) -> bool:
    try:
        with os.scandir(folder) as listing:
            return any(each.is_dir() or like_image(each.name) for each in listing)
    except OSError:
        return True


@dataclass(frozen=True, slots=True)
class Named:
    """A table whose rows name images in a folder.

    Attributes:
        file: the table.
        columns: which of its columns are what.
        root: the folder, resolved.
        below: where in it the images lie, "" or `/images`.
    """

    file: Path
    columns: Columns
    root: Path
    below: str

    def rows(self) -> Iterator[dict[str, str]]:
        """Yield the cells of the rows that name an image."""
        yield from _rows(self.file, self.columns)

    def says_folders(self) -> str:
        """Return how the labels are those of the folders of images; "" where they are others.

        `called so`: each is labelled as one of its folders is called. `one to one`: every folder
        at some depth has one label, and no other folder has that.
        """
        rows = list(islice(self.rows(), _COMPARED))
        finder = Finder(self.root, [cells["image"] for cells in rows[:: 1 + len(rows) // 256]])
        labels_of: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        differ = count = 0
        for cells in rows:
            place = finder.find(cells["image"])
            if isinstance(place, BadRow) or not (label := plain(self.columns.label_of(cells))):
                continue
            around = [plain(part) for part in place[1].split("/")[:-1]]
            count += 1
            differ += label not in around
            for depth, part in enumerate(around):
                labels_of[depth][part].add(label)
        if count and not differ:
            return "called so"
        return "one to one" if any(map(_one_to_one, labels_of.values())) else ""


def _one_to_one(labels_of: dict[str, set[str]]) -> bool:
    every = [label for labels in labels_of.values() for label in labels]
    others = labels_of.keys().isdisjoint(every)
    return others and len(every) == len(labels_of) == len(set(every)) > 1


def named(file: Path, folder: Path, answers: Answers) -> Named | None:
    """Return a table, None where most of its images do not lie in a folder.

    Where it has a column of labels, one that does is enough: the others may be gone.

    Args:
        file: the table.
        folder: the one that its paths start from.
        answers: what a person said already.
    """
    try:
        decided = columns.decide(file, folder, replace(answers, images_in=""))
        if "image" not in decided.accepted:
            return None
        rows = [each["image"] for each in islice(_rows(file, decided), _READ)]
        cells = rows[:: 1 + len(rows) // _PEEK]
        finder = Finder(folder.resolve(), cells)
        places = {cell: finder.find(cell) for cell in cells}
    except LnlError:
        return None
    there = {cell: each[1] for cell, each in places.items() if not isinstance(each, BadRow)}
    few = 1 if decided.complete else max(len(places), 1) / 2
    if len(there) < few:
        return None
    below = {_above(path, cell) for cell, path in there.items()}
    around = next(iter(below)) if len(below) == 1 else ""
    return Named(file, decided, folder.resolve(), f"/{around}" if around else "")


def _rows(file: Path, decided: Columns) -> Iterator[dict[str, str]]:
    required = tuple(decided.accepted)
    rows = tables.rows(file, file.name, decided.accepted, required, has_header=decided.has_header)
    return (dict(cells) for _, cells in rows if not isinstance(cells, BadRow) and cells["image"])


def _above(path: str, cell: str) -> str:
    """Return the folder that a cell misses before it; "" where its path is written otherwise."""
    for each in (path, os.path.splitext(path)[0]):
        if each == cell or each.endswith(f"/{cell}"):
            return each.removesuffix(cell).rstrip("/")
    return ""
