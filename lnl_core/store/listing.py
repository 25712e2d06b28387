"""Sets as a damaged file lists them, brought into an older list: number, folder and name."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any

from lnl_core.store import possible


def fit(
    values: dict[str, Any], newer: sqlite3.Connection, target: sqlite3.Connection, sets: Path
) -> None:
    """Correct a listed number or folder that fits nothing else: one bit took them from the set.

    Args:
        values: the row; changed.
        newer: the file it is of.
        target: the older state.
        sets: the folder with the sets' folders.
    """
    number, folder, made = values["id"], values["folder"], values["created_at"]
    query = "select folder from datasets where id = ? and created_at = ?"
    older = target.execute(query, (number, made)).fetchone()
    if not (sets / folder).exists():  # of the same set it never gets another name
        values["folder"] = older[0] if older else _folder_of(values, target, sets) or folder
    first = int(values["folder"].partition("-")[0])
    if first != number and not older and not _has_answers(newer, number):
        taken = target.execute("select folder from datasets where id = ?", (first,)).fetchone()
        if taken in (None, (values["folder"],)):
            values["id"] = first


def _folder_of(values: dict[str, Any], target: sqlite3.Connection, sets: Path) -> str | None:
    """Return the only folder that begins with a set's number, is as large, and is no other's."""
    found = [each.name for each in sets.glob(f"{values['id']}-*")]
    if len(found) != 1 or (meta := possible.meta_of(sets / found[0])) is None:
        return None
    query = "select 1 from datasets where folder = ? and id != ?"
    others = target.execute(query, (found[0], values["id"])).fetchone()
    same = (meta.get("kind"), *possible.size_of(meta))
    listed = (values["kind"], values["n"], values["class_count"])
    return found[0] if same == listed and others is None else None


def _has_answers(file: sqlite3.Connection, number: int) -> bool:
    query = "select 1 from decisions not indexed where dataset_id = ? limit 1"
    with suppress(sqlite3.Error):
        return file.execute(query, (number,)).fetchone() is not None
    return True  # as far as anybody knows


def make_room(target: sqlite3.Connection, values: dict[str, Any]) -> dict[int, tuple[str, str]]:
    """Give a set of the newer list its number, name and folder; no older set goes for it.

    Returns:
        number -> the name that an older set had, and the one it has now.
    """
    moved = {}
    number, name, folder = values["id"], values["name"], values["folder"]
    query = "select id from datasets where folder = ? and id != ?"
    for (other,) in target.execute(query, (folder, number)).fetchall():
        _renumber(target, other, number)  # the same set under an older number
        target.execute("delete from datasets where id = ?", (other,))
    query = "select 1 from datasets where id = ? and folder != ?"
    if target.execute(query, (number, folder)).fetchone():
        (free,) = target.execute("select max(id) + 1 from datasets").fetchone()
        _renumber(target, number, free)
        target.execute("update datasets set id = ? where id = ?", (free, number))
    query = "select id from datasets where name = ? and id != ?"
    for (other,) in target.execute(query, (name, number)).fetchall():
        now = free_name(target, name)
        target.execute("update datasets set name = ? where id = ?", (now, other))
        moved[other] = (name, now)
    return moved


def _renumber(target: sqlite3.Connection, old: int, new: int) -> None:
    for table in possible.OF_SETS:
        target.execute(
            f'update or ignore "{table.name}" set dataset_id = ? where dataset_id = ?', (new, old)
        )


def free_name(target: sqlite3.Connection, name: str) -> str:
    """Return a name that no set has: the one given, else with a number behind it."""
    known = {row[0] for row in target.execute("select name from datasets")}
    again, now = 1, name
    while now in known:
        again += 1
        now = f"{name[:70]} ({again})"
    return now
