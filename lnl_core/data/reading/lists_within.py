"""Lists that lie in the folders of their images: north/labels.csv, south/labels.csv.

The folders may be sites, cameras or folds, and the lists have the labels; or they are the classes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lnl_core.data import folders, tables
from lnl_core.data.files import hidden
from lnl_core.data.list_rows import Listing
from lnl_core.data.reading import columns, lists_that_ask, surveying
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Question
from lnl_core.said import many
from lnl_core.types import LnlError

_SUFFIXES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl")
_PEEK = 64
FOLDERS_HAVE = "The folders around the lists have the labels."
_UNKNOWN = ("one", "in each row")
"""Stands for labels that are not counted."""

_MOST = 8
"""Tables in one folder, above which they are of its images and no lists."""


@dataclass(frozen=True, slots=True)
class Within:
    """Lists in the folders of their images.

    Attributes:
        listings: those that are read, where a person said that they have the labels.
        asked: whether they or the folders have the labels; empty where there is no such list.
        unused: what they are called, where the folders have the labels.
    """

    listings: tuple[Listing, ...] = ()
    asked: tuple[Question, ...] = ()
    unused: tuple[str, ...] = ()


def find(
    folder: Path,
    inner: Sequence[os.DirEntry[str]],
    answers: Answers,
    is_list: Callable[[Path, Answers], bool],
) -> Within:
    """Look for lists in folders, or in those of splits, and ask whether they have the labels.

    Nothing is asked where each list has one label, and each of a split another one: then the
    folders say it.

    Args:
        folder: the folder around them.
        inner: its folders.
        answers: what a person said already.
        is_list: tells whether a table has image and label.
    """
    found: list[Listing] = []
    labels: list[tuple[str, str]] = []
    there = {(split, name): _tables(folder / name) for split, name in _around(inner)}
    whole = {file for files in there.values() for file in files if is_list(file, answers)}
    asking: dict[Path, str] = {}
    if not whole:
        files_there = [file for files in there.values() for file in files]
        names_there = [name.rpartition("/")[2] for _, name in there]
        asking = lists_that_ask.of_folders(files_there, names_there)
    for (around, name), files in there.items():
        parts = sum(is_split(file.stem, lists=True) for file in files) > 1
        for file in files:
            if file not in whole and file not in asking:
                continue
            own, below = _labels(file, answers, asking.get(file, ""))
            if own:
                split = file.stem if parts and is_split(file.stem, lists=True) else around
                called = f"{name}/{file.name}"
                found.append(Listing(file, split, f"{name}{below}", called))
                labels += [(around, each) for each in own]
    often = Counter(labels)
    if not found or (len(labels) == len(found) and max(often.values()) == 1):
        return Within()
    names = tuple(each.name for each in found)
    count = len({label for _, label in labels})
    what = f"with image and label: {many(count, 'label')}."
    if any(each.file in asking for each in found):
        what = "and no column is known to have the labels."
    said = f"{many(len(found), 'list lies', 'lists lie')} in folders of images, first"
    question = lists_that_ask.question(
        f"{said} “{visible(names[0])[:60]}”, {what}", len(found), folder, answers
    )
    if answers.labels_in == "list":
        return Within(tuple(found), (question,))
    return Within((), (question,), names)


def _around(inner: Sequence[os.DirEntry[str]]) -> list[tuple[str, str]]:
    """Return (split, path) of the folders, and of those in splits instead of these."""
    found: list[tuple[str, str]] = []
    for each in inner:
        if not is_split(each.name):
            found.append(("", each.name))
            continue
        below = [one for one in folders.entries(Path(each.path)) if one.is_dir()]
        found += [(each.name, f"{each.name}/{one.name}") for one in below]
    return found


def _tables(folder: Path) -> list[Path]:
    """Return the tables that lie in a folder, where they are few."""
    try:
        with os.scandir(folder) as listing:
            names = [e.name for e in listing if e.name.lower().endswith(_SUFFIXES)]
    except OSError:
        return []
    found = [folder / name for name in sorted(names) if not hidden(name)]
    return [each for each in found if each.is_file()] if len(found) <= _MOST else []


def _labels(file: Path, answers: Answers, column: str) -> tuple[set[str], str]:
    """Return the labels of a list, none where most of its first images do not lie beside it.

    And the folder in which they lie there: "" or /images.

    Args:
        file: the list.
        answers: what a person said already.
        column: that may have the labels, where none is known; "" where that is open.
    """
    try:
        decided = columns.decide(file, file.parent, replace(answers, images_in=""))
        if "image" not in decided.accepted:
            return set(), ""
        required = tuple(decided.accepted)
        rows = tables.rows(
            file, file.name, decided.accepted, required, has_header=decided.has_header
        )
        first = [cells["image"] for _, cells in islice(rows, _PEEK) if isinstance(cells, dict)]
        cells = [cell for cell in first if cell]
        finder = Finder(file.parent.resolve(), cells)
        places = {cell: finder.find(cell) for cell in cells}
        there = {cell: each[1] for cell, each in places.items() if not isinstance(each, BadRow)}
        if 2 * len(there) < max(len(places), 1):
            return set(), ""
        if decided.one_hot:
            return set(decided.one_hot), ""
        name = decided.used.get("label", column)
        values = surveying.counts((file,), [name] if name else [], decided.has_header)
    except LnlError:
        return set(), ""
    below = {path.removesuffix(cell).rstrip("/") for cell, path in there.items()}
    around = next(iter(below)) if len(below) == 1 else ""
    labels = {visible(value) for value in values.get(name, ()) if value}
    return labels or set(_UNKNOWN), f"/{around}" if around else ""
