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
from lnl_core.store import datasets, schema
from lnl_core.store.files import read_json

TABLES = [each for each in schema.metadata.sorted_tables if each is not schema.leases]
"""All but leases, which nobody takes over; sets come before what belongs to them."""

OF_SETS = [each for each in TABLES if "dataset_id" in each.columns]

WHY = "an image or a class that the set does not have, or no value that was ever written there"

Size = tuple[int, int]
"""How many images and how many classes a set has."""

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
    """Return what the folder of a set says of it, from the copy where need be; None: nothing."""
    for name in (datasets.META, datasets.META_COPY):
        with suppress(Damaged, KeyError, TypeError):
            meta: dict[str, Any] = read_json(folder / name)
            if meta["n"] >= 0 and meta["class_names"] is not None:
                return meta
    return None


def size_of(meta: Mapping[str, Any]) -> Size:
    """Return how many images and classes a set has."""
    return int(meta["n"]), len(meta["class_names"])


def sizes(query: Callable[[str], Iterable[Any]], sets: Path) -> dict[Any, Size]:
    """Return number -> size of the listed sets whose folders are there: a list itself may lie.

    Args:
        query: gives the rows of a statement.
        sets: the folder with the sets' folders.
    """
    found = {}
    for number, folder in list(query("select id, folder from datasets")):
        meta = meta_of(sets / folder) if isinstance(folder, str) and _FOLDER(folder) else None
        if meta is not None:
            found[number] = size_of(meta)
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
    if table is schema.plans:
        rows += [*_list(values["rows"]), *_list(values["checks"])]
    n, k = size or (2**63, 2**63)
    return all(0 <= row < n for row in rows) and all(0 <= label < k for label in labels)


def untrue(query: Callable[[str], Iterable[Any]], sets: Path) -> Iterator[tuple[str, int]]:
    """Yield table and number of every row of a database that cannot be true; arguments: `sizes`."""
    known = sizes(query, sets)
    for table in TABLES:
        names = [column.name for column in table.columns]
        columns = ", ".join(f'"{each}"' for each in names)
        for row in query(f'select rowid, {columns} from "{table.name}"'):
            values = dict(zip(names, row[1:], strict=True))
            if not can_be(table, values, known.get(values.get("dataset_id"))):
                yield table.name, row[0]


def take_out(target: sqlite3.Connection, sets: Path) -> Counter[str]:
    """Delete the rows that cannot be true; return table -> how many."""
    found = list(untrue(target.execute, sets))
    for name, number in found:
        target.execute(f'delete from "{name}" where rowid = ?', (number,))
    return Counter(name for name, _ in found)


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
