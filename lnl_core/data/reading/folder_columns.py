"""Lists whose rows name an image by two cells: its folder (a camera, a patient), and its name.

`cam1,frame_0001.jpg` is `cam1/frame_0001.jpg` where folders are called so. By the name alone a row
would mean several files, or the one of another camera.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.reading import indexing
from lnl_core.data.reading.column_names import COLUMNS, Columns
from lnl_core.data.reading.finding import Finder
from lnl_core.data.tables import BadRow, Cells, visible

_MOST = 20_000
"""Rows that are looked at."""


def with_folder(file: Path, decided: Columns, root: Path) -> Columns:
    """Return a list's columns, the one with the folder of every row's image among them.

    That is one by whose values at least half of the rows whose name is there find their image.

    Args:
        file: the list.
        decided: its columns.
        root: the folder around its images.
    """
    if not decided.complete or not decided.unused:
        return decided
    every = [name.lower() for name in tables.names(file, COLUMNS, has_header=decided.has_header)]
    once = [name for name in decided.unused if name and every.count(name.lower()) == 1]
    rows = _rows(file, decided, once)
    if not rows or any(set(cells["image"]) & {"/", "\\"} for cells in rows):
        return decided
    around = _folders(root)
    names = [name for name in once if _may_be_folders(rows, name, around)]
    if not names:
        return decided
    finder = Finder(root, ())
    there = [cells for cells in rows if _is_there(finder, cells["image"])]
    found = {
        name: sum(_is_there(finder, joined(cells.get(name, ""), cells["image"])) for cells in there)
        for name in names
    }
    name = max(names, key=found.__getitem__)
    if not found[name] or 2 * found[name] < len(there):
        return decided
    return replace(
        decided,
        accepted={**decided.accepted, "folder": (name.lower(),)},
        used={**decided.used, "folder": name},
        unused=tuple(each for each in decided.unused if each != name),
        notes=[*decided.notes, f"Column “{visible(name)[:40]}” is the folder of a row's image."],
    )


def joined(folder: str, image: str) -> str:
    """Return the path that two cells make."""
    plain = folder.replace("\\", "/").strip().strip("/")
    return f"{plain}/{image}" if plain else image


def _rows(file: Path, decided: Columns, names: Sequence[str]) -> list[Cells]:
    read = {**decided.accepted, **{name: (name.lower(),) for name in names}}
    there = tables.rows(file, file.name, read, ("image",), has_header=decided.has_header)
    rows = [cells for _, cells in islice(there, _MOST) if not isinstance(cells, BadRow)]
    return [cells for cells in rows if cells["image"]]


def _folders(root: Path) -> set[str]:
    """Return the names of the folders that files lie in."""
    places = indexing.of(root).names.values()
    return {folder for paths in places for path in paths for folder in path.split("/")[:-1]}


def _may_be_folders(rows: Sequence[Cells], name: str, around: set[str]) -> bool:
    """Tell whether a tenth of the values of a column are called like folders."""
    values = Counter(joined(cells.get(name, ""), "").rstrip("/") for cells in rows)
    values.pop("", None)
    return 0 < len(values) <= 10 * sum(each.rsplit("/", 1)[-1] in around for each in values)


def _is_there(finder: Finder, cell: str) -> bool:
    return any(finder.called(cell))
