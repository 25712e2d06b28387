"""Sets whose folders are there are listed again, and listed ones are what their folders say."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from lnl_core.records import Workspace
from lnl_core.said import command, many
from lnl_core.store import (
    datasets,
    db,
    faults,
    interrupted,
    listing,
    order,
    owned,
    possible,
    salvage,
)


def unlisted(ws: Workspace, listed: set[str]) -> list[Path]:
    """Return the folders of whole sets that a list of folders does not name."""
    folders = sorted(each for each in ws.datasets_dir.glob("*") if each.is_dir())
    return [
        each
        for each in folders
        if each.name not in listed
        and re.match(r"\d+-", each.name)
        and not (each / owned.MARK).is_file()
        and possible.meta_of(each) is not None
    ]


def adopt(ws: Workspace, target: sqlite3.Connection) -> list[str]:
    """List every set whose folder is there and that the database does not know."""
    said = []
    listed = {row[0] for row in target.execute("select folder from datasets")}
    for folder in unlisted(ws, listed):
        said.append(_adopted(ws, target, folder))
    add_reviewers(target)
    target.commit()
    return said


def _adopted(ws: Workspace, target: sqlite3.Connection, folder: Path) -> str:
    """List one set by its folder, with what belongs to it in the newest file that lists it."""
    meta = possible.meta_of(folder)
    assert meta is not None
    number, _, slug = folder.name.partition("-")
    source, before = _listing(ws, folder.name, meta)
    called = str(before.get("name") or meta.get("name") or slug)
    called = _last_name(meta, called)
    moved = _make_way(ws, target, called)
    name = listing.free_name(target, called)
    taken = target.execute("select 1 from datasets where id = ?", (int(number),)).fetchone()
    stamp = db.now()
    made = target.execute(
        "insert into datasets (id, name, folder, kind, source, n, class_count, created_at, used_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(None if taken else int(number), name, folder.name, str(meta.get("kind", "npz"))),
            *(str(meta.get("source") or ""), int(meta["n"]), len(meta["class_names"])),
            *(before.get("created_at", stamp), stamp),
        ),
    )
    said = f"{moved}“{name}” is listed again, from its folder {folder.name}"
    if source is None:
        return f"{said}."
    assert made.lastrowid is not None
    taken = salvage.take_set(source, target, before["id"], made.lastrowid, possible.size_of(meta))
    interrupted.stop(target.execute, stamp, made.lastrowid)
    said = f"{said}, with {many(taken.counts['decisions'], 'answer')} from {source.name}."
    return " ".join(
        [
            said,
            *possible.left_out(taken.untrue, source.name),
            *_refused(taken.refused, folder),
            *_raised(taken.raised.get("decisions", 0), folder, meta),
        ]
    )


def _raised(by: int, folder: Path, meta: dict[str, Any]) -> list[str]:
    """Carry new numbers of a set's answers to what names the old ones; say what cannot be."""
    if not by:
        return []
    grown = meta.get("additions", [])
    for each in grown:
        draws, last = each.get("after", (0, 0))
        if last:
            each["after"] = [draws, last + by]
    if grown:
        datasets.write_meta(folder, meta)
    return [
        "Its answers have higher numbers here, for others have theirs; a certificate that was "
        "issued of it before names the old ones."
    ]


def _refused(counts: Counter[str], folder: Path) -> list[str]:
    """Say what of a set is left out because another's has its number."""
    runs, said = counts.pop("jobs", 0), []
    if runs:
        said.append(
            f"Left out: {many(runs, 'run')} whose number another run has here. The files stay in "
            f"{folder / 'runs'}; start the method again."
        )
    if any(counts.values()):
        said.append(f"Left out: {possible.told(counts)} whose number another has here.")
    return said


def _make_way(ws: Workspace, target: sqlite3.Connection, name: str) -> str:
    """Take a name from a listed set without a folder, for one that has its folder; say so."""
    query = "select id, folder from datasets where name = ?"
    for number, folder in target.execute(query, (name,)).fetchall():
        if not (ws.datasets_dir / folder).exists():
            now = listing.free_name(target, name)
            target.execute("update datasets set name = ? where id = ?", (now, number))
            return f"“{name}”, whose folder {folder} is not there, is called “{now}”. "
    return ""


def _listing(
    ws: Workspace, folder: str, meta: dict[str, Any]
) -> tuple[Path | None, dict[str, Any]]:
    """Return the newest copy, whole or not, that lists the set of a folder, and what it says."""
    for file in reversed(order.by_age([*faults.backups(ws), *faults.set_aside(ws)])):
        row = salvage.listed_in(file, folder)
        if (
            row is not None
            and row["n"] <= meta["n"]  # a set grows, and gets more classes
            and row["class_count"] <= len(meta["class_names"])
            and row["kind"] == meta.get("kind", "npz")
        ):
            return file, row
    return None, {}


def adopt_unlisted(ws: Workspace) -> list[str]:
    """List the sets whose folders a whole database does not name; say which.

    Raises:
        LnlError: the database cannot be written.
    """
    file = faults.database_file(ws)
    if file is None:
        return []
    with faults.named(ws), closing(sqlite3.connect(file, timeout=faults.PATIENCE)) as target:
        return adopt(ws, target)


def by_folders(ws: Workspace, target: sqlite3.Connection, known: set[str]) -> list[str]:
    """Take what the folders know better than an older list; say which folders are not there.

    Args:
        ws: the workspace.
        target: the new database.
        known: the folders of the sets that the damaged file lists: those have their last name.
    """
    said, moves = [], []
    for number, name, folder in target.execute("select id, name, folder from datasets").fetchall():
        meta = possible.meta_of(ws.datasets_dir / folder)
        if meta is not None:
            target.execute(
                "update datasets set n = ?, class_count = ? where id = ?",
                (meta["n"], len(meta["class_names"]), number),
            )
        if folder in known:
            continue
        now = name if meta is None else _last_name(meta, name)
        if now != name:
            moves.append((number, name, now, folder))
        if not (ws.datasets_dir / folder).exists():
            query = "select count(*) from decisions where dataset_id = ?"
            (held,) = target.execute(query, (number,)).fetchone()
            said.append(
                f"The folder {folder} of “{name}” is not there. Whether the set was removed since "
                f"or its folder lies elsewhere is not known, so it is listed as damaged, with "
                f"{many(held, 'answer')}. Put the folder back, or take the set off the list "
                f"(`{command('remove', name)}`)."
            )
    said += _renamed(target, moves)
    target.commit()
    return said


def _renamed(target: sqlite3.Connection, moves: list[tuple[int, str, str, str]]) -> list[str]:
    """Give sets the names that their folders say, all at once: names may have gone round."""
    change, said = "update datasets set name = ? where id = ?", []
    for number, *_ in moves:
        target.execute(change, (f"\n{number}", number))  # which no set can have
    for number, name, last, folder in moves:
        now = listing.free_name(target, last)
        target.execute(change, (now, number))
        if now == name:
            continue
        why = "" if now == last else f" (“{last}”, but another set is called that)"
        said.append(f"“{name}” is called “{now}”, as its folder {folder} says{why}.")
    return said


def _last_name(meta: dict[str, Any], otherwise: str) -> str:
    """Return what a set's folder says it is called; an earlier program did not keep that."""
    name = meta.get("name")
    if not isinstance(name, str) or not name or name in meta.get(datasets.FORMER_NAMES, [name]):
        return otherwise
    return name


def add_reviewers(target: sqlite3.Connection) -> None:
    """Add reviewers whom answers name and no list does."""
    for table in salvage.SIGNED:
        target.execute(
            "insert or ignore into reviewers (name, created_at) "
            f"select distinct reviewer, ? from {table} where reviewer is not null",
            (db.now(),),
        )
