"""Lists that name images and of which no column is known to have the labels.

`patients/P000/0.png` and a list with a column `finding`, or with a column of 0 and 1 per class: the
folders may be no classes, though nothing else is called like labels.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from pathlib import Path

from lnl_core.data import folders, tables
from lnl_core.data.list_rows import Listing
from lnl_core.data.reading import columns, one_hot, places, surveying
from lnl_core.data.reading.column_names import COLUMNS, Columns
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.spellings import plain
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

_MOST = 20_000
"""Rows that are compared with the folders of their images."""

_DATE = re.compile(r"(19|20)\d\d[-_. ]?[01]\d([-_. ]?[0-3]\d)?")
_SIZES = frozenset(
    {"width", "height", "size", "channels", "depth", "bytes", "fold", "page", "index"}
)


def asks_for_labels(file: Path) -> str:
    """Return the question by which a table that names images has labels; "" where it has none.

    That is `one_hot`, or `label_column` where it has more columns and none is known as labels.
    """
    return _asked_of(_decided([file]))


def may_have_labels(file: Path, decided: Columns) -> bool:
    """Tell whether a column of a table that nothing is read from has values again and again."""
    names = [name for name in decided.unused if plain(name) not in _SIZES]
    counts = surveying.counts([file], names, decided.has_header)
    return any(1 < len(each) <= max(2, each.total() // 2) for each in counts.values())


def others(file: Path) -> str:
    """Name the first columns of a table that are neither images nor known to be anything else."""
    decided = _decided([file])
    names = [] if decided is None else [visible(name)[:40] for name in decided.unused]
    return ", ".join(f"“{name}”" for name in names[:4]) + (" and more" if len(names) > 4 else "")


def have_one_column(files: Sequence[Path]) -> bool:
    """Tell whether one column of all of several tables may have their labels."""
    decided = [_decided([file]) for file in files]
    return bool(set.intersection(*(set(each.unused) if each else set() for each in decided)))


def _decided(files: Sequence[Path]) -> Columns | None:
    """Say which columns of tables of one header are what; None where the first is no table."""
    first, *more = files
    try:
        return columns.decide(first, first.parent, Answers(), more)
    except LnlError:
        return None


def _asked_of(decided: Columns | None) -> str:
    if decided is None or "image" not in decided.used:
        return ""
    keys = {each.key for each in decided.questions}
    return next((key for key in ("one_hot", "label_column") if key in keys), "")


def likely(files: Sequence[Path], classes: Collection[str]) -> list[str]:
    """Return the columns that may have the labels of images which lie in folders; mostly none.

    Those are columns of 0 and 1 that are not called like the folders; or the only one whose values
    come again and are not called so, or any such where the folders are called like parts.

    Args:
        files: tables of one header.
        classes: names of the folders.
    """
    decided = _decided(files)
    asked = _asked_of(decided)
    if decided is None or not asked:
        return []
    taken = set(decided.used.values())
    names = [name for name in decided.unused if name not in taken]
    counts = surveying.counts(files, names, decided.has_header)
    called = {plain(each) for each in classes}
    if asked == "one_hot":
        hot = one_hot.meant_by(counts)
        return [] if 2 * sum(plain(each) in called for each in hot) >= len(called) else hot
    again = [
        name
        for name, values in counts.items()
        if 1 < len(values) <= max(2, values.total() // 2)
        and plain(name) not in _SIZES
        and 2 * sum(plain(value) in called for value in values) < len(values)
    ]
    return again if len(again) == 1 or are_parts(classes) else []


def of_folders(files: Sequence[Path], around: Sequence[str]) -> dict[Path, str]:
    """Return tables in folders that may have their labels -> the column, "" where that is open.

    Args:
        files: tables; those of one header are looked at together, where most folders have one.
        around: names of the folders.
    """
    groups = defaultdict[tuple[str, ...], list[Path]](list)
    for file in files:
        if asks_for_labels(file):
            groups[tuple(tables.names(file, COLUMNS))].append(file)
    found: dict[Path, str] = {}
    for group in groups.values():
        if 2 * len({file.parent for file in group}) >= len(around):
            names = likely(group, around)
            column = names[0] if len(names) == 1 else ""
            found |= dict.fromkeys(group, column) if names else {}
    return found


def are_parts(names: Collection[str]) -> bool:
    """Tell whether folders are called alike but for a number, or by dates: parts, no classes."""
    if names and all(map(_DATE.fullmatch, names)):
        return True
    stems = {re.sub(r"\d+", "", name) for name in names}
    return len(stems) == 1 and bool(re.sub(r"[\W_]", "", stems.pop()))


def over_folders(
    listings: Sequence[Listing], root: Path | None, top: Path, answers: Answers
) -> Question | None:
    """Ask whether folders are classes, where lists name most of their images and may have labels.

    Args:
        listings: that ask for their column of labels.
        root: the folder that their paths start from; None: their own.
        top: the folder around the folders.
        answers: what a person said already.
    """
    tree = folders.survey(top)
    where = places.decide(tree, answers)
    images = dict(where.classes(tree))
    classes = [name for name, count in images.items() if count]
    named, equal = Counter[str](), Counter[str]()
    for each in listings:
        found = likely([each.file], classes)
        if not found:
            continue
        for folder, cells in _rows_in(each.file, found, root or each.file.parent, top, where):
            named[each.file.name] += 1
            equal.update(name for name in found if plain(cells[name]) == plain(folder))
    count = named.total()
    if count < min(_MOST, sum(images.values()) / 2) or (equal and 2 * max(equal.values()) >= count):
        return None
    shown = ", ".join(f"“{visible(name)[:40]}”" for name in list(named)[:4])
    has = "names" if len(named) == 1 else "name"
    there = f"{shown} {has} {many(count, 'image')} of {many(len(classes), 'folder')}, and no column"
    return question(f"{there} is known to have the labels.", len(named), top, answers)


def question(said: str, lists: int, top: Path, answers: Answers) -> Question:
    """Ask whether lists have the labels, or the folders of their images are the classes."""
    return Question(
        "labels_in",
        f"{said} Are the labels there, or are the folders of {visible(top.name)[:40]} the classes?",
        (
            Choice("folders", "the class folders"),
            Choice("list", "the list" if lists == 1 else "the lists"),
        ),
        answer=answers.labels_in,
        stops=True,
    )


def _rows_in(
    file: Path, names: Sequence[str], root: Path, top: Path, where: places.Places
) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (class folder, cells of some columns) of the first rows whose image lies in one."""
    decided = _decided([file])
    if decided is None:
        return
    read = {**decided.accepted, **{name: (name.lower(),) for name in names}}
    there = tables.rows(file, file.name, read, ("image",), has_header=decided.has_header)
    rows = [dict(cells) for _, cells in islice(there, _MOST) if not isinstance(cells, BadRow)]
    rows = [cells for cells in rows if cells["image"]]
    sample = [cells["image"] for cells in rows[:: 1 + len(rows) // 256]]
    finder = Finder(root.resolve(), sample)
    for cells in rows:
        place = finder.find(cells["image"])
        if isinstance(place, BadRow) or not place[0].is_relative_to(top):
            continue
        found = where.of(place[0].relative_to(top).parts)
        if not isinstance(found, BadRow):
            yield found[1], cells
