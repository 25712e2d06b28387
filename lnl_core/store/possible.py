"""Which stored rows can be true, and how a set's folder says how large it is.

A row can be true where every value is of its column's type, its words are known, its JSON is what
that column holds, and its image and classes are such as the set has. A flipped bit in a database
leaves rows that are none of this, and that no program can read.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Boolean, Float, Integer, String, Table

from lnl_core.records import Action, Damaged, JobState
from lnl_core.said import many
from lnl_core.store import datasets, goals, schema
from lnl_core.store.files import read_json

TABLES = [each for each in schema.metadata.sorted_tables if each is not schema.leases]
"""All but leases, which nobody takes over; sets come before what belongs to them."""

OF_SETS = [each for each in TABLES if "dataset_id" in each.columns]

WHY = "a set, an image or a class that is not there, or no value that was ever written there"

Size = tuple[int, int]
"""How many images and how many classes a set has."""

ROLES = ("reviewer", "adjudicator", "owner")

GOALS = (goals.LEFT, goals.RECALL, goals.REVIEWS, goals.SECONDS)

_PYTHON = ((String, (str,)), (Boolean, (int,)), (Integer, (int,)), (Float, (float, int)))
_COLUMNS = {
    table.name: [
        (
            column.name,
            next(types for kind, types in _PYTHON if isinstance(column.type, kind)),
            column.nullable,
            column.nullable or column.server_default is not None,
        )
        for column in table.columns
    ]
    for table in TABLES
}
"""Table -> its columns: name, types of its values, whether None is one, whether it may lack."""


def meta_of(folder: Path) -> dict[str, Any] | None:
    """Return what the folder of a set says of it: the file or its copy; None: neither says it.

    Where both can be read, the one that says more images or classes: a set only grows.
    """
    said = []
    for name in (datasets.META, datasets.META_COPY):
        with suppress(Damaged, KeyError, TypeError, ValueError):
            meta: dict[str, Any] = read_json(folder / name)
            if meta["n"] >= 0 and size_of(meta):
                said.append(meta)
    return max(said, key=size_of, default=None)


def size_of(meta: Mapping[str, Any]) -> Size:
    """Return how many images and classes a set has."""
    return int(meta["n"]), len(meta["class_names"])


def sizes(query: Callable[[str], Iterable[Any]], sets: Path) -> dict[Any, Size]:
    """Return number -> size of the listed sets whose folders are there.

    Each is the largest that list and folder say: no answer goes for a number that is damaged.

    Args:
        query: gives the rows of a statement.
        sets: the folder with the sets' folders.
    """
    found = {}
    for number, folder, *listed in list(query("select id, folder, n, class_count from datasets")):
        meta = meta_of(sets / folder) if isinstance(folder, str) and _FOLDER(folder) else None
        if meta is not None:
            both = zip(size_of(meta), listed, strict=True)
            n, k = (max(one, other) if isinstance(other, int) else one for one, other in both)
            found[number] = (n, k)
    return found


def can_be(table: Table, values: Mapping[str, Any], size: Size | None) -> bool:
    """Tell whether a row can be true; without its set's size, whether it can be of any set."""
    for name, types, none, may_lack in _COLUMNS[table.name]:
        value = values.get(name)
        if value is None:
            if not (none if name in values else may_lack):
                return False
        elif not isinstance(value, types):
            return False
    try:
        for name, test in _TESTS.items():
            if name in values and not test(values[name]):
                return False
        return _fits(table, values, size)
    except (ValueError, TypeError, KeyError):
        return False


def _numbers(text: str) -> bool:
    return text == "[]" or all(type(each) is int for each in _list(text))


def _list(text: str) -> list[Any]:
    found = json.loads(text)
    if not isinstance(found, list):
        raise TypeError(text)
    return found


def _entries(text: str) -> bool:
    return text == "{}" or isinstance(json.loads(text), dict)


def _part(value: Any) -> bool:
    if isinstance(value, str):  # of a part; a goal's is a number
        json.loads(value)
    return True


_FOLDER = re.compile(r"\d+-[^/\\\0]+").fullmatch

_TESTS: dict[str, Callable[[Any], Any]] = {
    "action": Action,
    "state": JobState,
    "name": len,
    "role": lambda role: role is None or role in ROLES,
    "folder": _FOLDER,
    "value": _part,
    **dict.fromkeys(("decided_at", "drawn_at"), datetime.fromisoformat),
    **dict.fromkeys(("run_ids", "labels", "rows", "checks"), _numbers),
    **dict.fromkeys(("config", "metrics", "cost", "engine_options", "splits", "facts"), _entries),
}
"""Column -> what is true of its values; what one of them raises says that it is not."""


def _fits(table: Table, values: Mapping[str, Any], size: Size | None) -> bool:
    """Tell whether an answer says what its action needs, and of an image that there is."""
    rows = [values["row"]] if "row" in values else []
    labels = [values["label"]] if values.get("label") is not None else []
    if not labels and values.get("action") in (Action.RELABEL, Action.AUTO):
        return False
    if values.get("labels", "[]") != "[]":
        labels += _list(values["labels"])
    if table is schema.goals and values["kind"] not in GOALS:
        return False
    if table is schema.plans:
        rows += [*_list(values["rows"]), *_list(values["checks"])]
    n, k = size or (2**63, 2**63)
    return (
        all(0 <= row < n for row in rows)
        and all(0 <= label < k for label in labels)
        and all(_can_be_shown(values.get(name), k) for name in _SHOWN)
    )


def _can_be_shown(label: Any, k: int) -> bool:
    return label is None or (isinstance(label, int) and -1 <= label < k)


_SHOWN = ("given_label", "suggested_label")
"""What a person was shown with an answer; -1 is no class."""


def mended(table: Table, values: dict[str, Any], size: Size | None) -> dict[str, Any] | None:
    """Return a row as it can be true, None where it cannot.

    An answer stands without what its person was shown, where that alone cannot be true.
    """
    if can_be(table, values, size):
        return values
    k = 2**63 if size is None else size[1]
    odd = [name for name in _SHOWN if not _can_be_shown(values.get(name), k)]
    without = values | dict.fromkeys(odd)
    return without if can_be(table, without, size) else None


_MANY, _JSON = 200, (3, 38)
"""Sets that a condition holds at most, and the version of SQLite from which it knows JSON."""


def _fine(known: Mapping[Any, Size]) -> str:
    """Return a condition of SQL that no answer fulfils but one that `can_be`: most of them, fast.

    Args:
        known: number -> size of the sets.
    """
    if not 0 < len(known) <= _MANY or sqlite3.sqlite_version_info < _JSON:
        return "0"
    n, k = (
        " ".join(
            ["case dataset_id", *(f"when {of} then {size[i]}" for of, size in known.items()), "end"]
        )
        for i in (0, 1)
    )
    actions = ", ".join(f"'{each}'" for each in Action)
    parts = [
        *(f"typeof({each}) = 'integer'" for each in ("dataset_id", "row", "revealed")),
        *(f"typeof({each}) = 'text'" for each in ("reviewer", "cid", "mode", "route")),
        f"row >= 0 and row < {n}",
        f"action in ({actions})",
        f"(label is null and action not in ('{Action.RELABEL}', '{Action.AUTO}')"
        f" or typeof(label) = 'integer' and label >= 0 and label < {k})",
        "labels = '[]'",
        "decided_at = strftime('%Y-%m-%dT%H:%M:%fZ', decided_at, '+0 days')",
        "(run_ids = '[]' or json_valid(run_ids) and run_ids not glob '*[^][0-9, ]*'"
        " and run_ids glob '[[]*' and run_ids not glob '?*[[]*')",
        *(f"typeof({each}) in ('null', 'integer', 'real')" for each in ("seconds", "p_wrong")),
        "typeof(position) in ('null', 'integer')",
        *(f"({each} is null or typeof({each}) = 'integer' and {each} >= -1 and {each} < {k})"
          for each in _SHOWN),
    ]  # fmt: skip
    return " and ".join(parts)


def untrue(
    query: Callable[[str], Iterable[Any]], sets: Path, *, strays: bool = True
) -> Iterator[tuple[str, int, dict[str, Any] | None]]:
    """Yield every row of a database that cannot be true.

    An older schema's lacks tables and columns, and is none the worse for it.

    Args:
        query: gives the rows of a statement.
        sets: the folder with the sets' folders.
        strays: those too that belong to no set that is listed: a set takes with it what it has.

    Yields:
        Its table, its number, and what is left of it that can be true (`mended`).
    """
    known = sizes(query, sets)
    listed = {row[0] for row in query("select id from datasets")}
    for table in TABLES:
        there = {row[0] for row in query(f"select name from pragma_table_info('{table.name}')")}
        names = [column.name for column in table.columns if column.name in there]
        if not names:
            continue
        columns = ", ".join(f'"{each}"' for each in names)
        whole = len(names) == len(table.columns)
        fine = _fine(known) if table is schema.decisions and whole else "0"
        for row in query(f'select rowid, {fine}, {columns} from "{table.name}" not indexed'):
            if row[1]:
                continue
            values = dict(zip(names, row[2:], strict=True))
            of = values.get("dataset_id")
            stray = strays and table in OF_SETS and of not in listed
            left = None if stray else mended(table, values, known.get(of))
            if left is not values:
                yield table.name, row[0], left


def take_out(target: sqlite3.Connection, sets: Path) -> Counter[str]:
    """Delete the rows that cannot be true, but for what can be; return table -> how many.

    Those of no set stay: it may be listed again from its folder.
    """
    deleted = Counter[str]()
    for name, number, left in list(untrue(target.execute, sets, strays=False)):
        if left is None:
            target.execute(f'delete from "{name}" where rowid = ?', (number,))
            deleted[name] += 1
        else:
            empty = "given_label = ?, suggested_label = ?"
            shown = [left[each] for each in _SHOWN]
            target.execute(f'update "{name}" set {empty} where rowid = ?', (*shown, number))
    return deleted


def told(counts: Mapping[str, int]) -> str:
    """Return how many rows those are, in words."""
    answers = counts.get("decisions", 0)
    others = sum(counts.values()) - answers
    parts = [many(answers, "answer")] if answers or not others else []
    parts += [many(others, "other row" if answers else "row")] if others else []
    return " and ".join(parts)


def left_out(counts: Mapping[str, int], name: str) -> list[str]:
    """Say how many rows of a file cannot be true."""
    if not any(counts.values()):
        return []
    return [f"Left out of {name}: {told(counts)} that cannot be true ({WHY})."]
