"""A damaged database, and a whole one made of its copy, of what can still be read, and of the sets.

The only other file that opens SQLite: `store.db` opens what is whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Table

from lnl_core.records import Action, Damaged, JobState, LnlError, Workspace
from lnl_core.said import many
from lnl_core.store import datasets, db, faults, owned, schema
from lnl_core.store.files import read_json

DAILY = "daily"
KEPT = 7
"""How many daily copies are kept; those made before a migration all stay."""

_STAMP = "%Y%m%d-%H%M%S"


def keep_copy(ws: Workspace) -> Path | None:
    """Copy the database once a day, where it holds a set and is whole; return the new copy."""
    if faults.database_file(ws) is None or db.is_read_only(ws):
        return None
    now = datetime.now(UTC)
    copies = [each for each in faults.backups(ws) if f"-{DAILY}-" in each.name]
    for copy in copies:
        with suppress(ValueError):
            made = datetime.strptime(copy.stem[-15:], _STAMP).replace(tzinfo=UTC)
            if abs(now - made) < timedelta(days=1):  # a clock may jump, either way
                return None
    if not datasets.datasets(ws) or problem(ws) is not None:
        return None
    new = db.backup(ws, DAILY)
    for old in copies[KEPT - 1 :]:
        old.unlink(missing_ok=True)
    return new


def problem(ws: Workspace, *, update: bool = False) -> LnlError | None:
    """Return what is wrong with a workspace's database, None where it is whole.

    Nothing is made; an older schema is brought up to date with `update` alone.
    """
    try:
        db.check(ws, update=update)
        if ws.on_sqlite:
            with db.reading(ws) as connection:
                said = connection.exec_driver_sql("pragma quick_check(1)").scalar()
            if said != "ok":
                return faults.damaged(ws, f"is damaged ({' '.join(str(said).split())[:120]})")
    except LnlError as error:
        return error
    return None


def answers_in(file: Path) -> int | None:
    """Return how many decisions a copy holds; None where it is no whole database."""
    with suppress(sqlite3.Error), closing(_opened(file)) as connection:
        if connection.execute("pragma quick_check(1)").fetchone() == ("ok",):
            return int(connection.execute("select count(*) from decisions").fetchone()[0])
    return None


def _opened(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)


def restore(ws: Workspace) -> list[str]:
    """Make a whole database in place of a damaged one, which is kept; say what was done.

    It starts from the newest copy that is whole, takes every row that the damaged file still gives,
    and lists every set whose folder is there.

    Raises:
        LnlError: the database is on a server, or the folder cannot be written.
    """
    file = faults.database_file(ws)
    if file is None:
        raise LnlError("The database is on a server: restore it with its own tools (pg_restore).")
    db.dispose(ws)
    new = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with faults.named(ws):
            return _made_anew(ws, file, new)
    finally:  # of one that did not come about
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{new}{end}").unlink(missing_ok=True)


def _made_anew(ws: Workspace, file: Path, new: Path) -> list[str]:
    new.unlink(missing_ok=True)
    said = []
    copy = next((each for each in faults.backups(ws) if answers_in(each) is not None), None)
    if copy is not None:
        shutil.copyfile(copy, new)
        held = answers_in(copy) or 0
        verb = "is" if held == 1 else "are"
        said.append(f"{many(held, 'answer')} {verb} taken from the copy {copy.name}.")
    made = Workspace(ws.home, f"sqlite:///{new}")
    db.migrate(made)
    db.dispose(made)
    with closing(sqlite3.connect(new)) as target:
        target.execute("pragma journal_mode=delete")
        gone = _without_folder(ws, target)
        for source in [file, *_set_aside(ws)[:1]] if not file.is_file() else [file]:
            said += _salvage(source, target)
        said += _adopt(ws, target)
        said += _left_off(target, gone)
        _settle(target)
        total = target.execute("select count(*) from decisions").fetchone()[0]
        sets = target.execute("select count(*) from datasets").fetchone()[0]
    kept = _put_aside(ws, file)
    os.replace(new, file)
    whole = f"{many(sets, 'data set')} and {many(total, 'answer')}"
    said.append(f"The database is whole again, with {whole}.")
    if copy is None:
        said.append(
            "There was no copy of it: answers that could not be read are lost. A file of decisions "
            "that you exported brings them back (`lnl decide NAME --file FILE`)."
        )
    if kept is not None:
        said.append(f"The damaged file is kept as {kept}.")
    return said


def _without_folder(ws: Workspace, target: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    """Take sets whose folder is not there off the list of a copy: they were removed since.

    Their rows come back with those that the damaged file still gives: then nobody removed them.
    """
    rows = target.execute("select id, name, folder from datasets").fetchall()
    here = {each.name for each in ws.datasets_dir.glob("*") if not (each / owned.MARK).is_file()}
    gone = {id_: (name, folder) for id_, name, folder in rows if folder not in here}
    target.executemany("delete from datasets where id = ?", [(id_,) for id_ in gone])
    target.commit()
    return gone


def _left_off(target: sqlite3.Connection, gone: dict[int, tuple[str, str]]) -> list[str]:
    listed = {row[0] for row in target.execute("select id from datasets")}
    return [
        f"“{name}” is in the copy and is not listed again: its folder {folder} is not there, so it "
        "was removed since. Answers to it stay in the copy alone."
        for id_, (name, folder) in gone.items()
        if id_ not in listed
    ]


def _set_aside(ws: Workspace) -> list[Path]:
    return sorted((ws.home / "backups").glob("damaged-*.db"), reverse=True)


def _put_aside(ws: Workspace, file: Path) -> Path | None:
    """Move the damaged database and its log to `backups`; None where there is none."""
    if not file.is_file():
        return None
    stamp = datetime.now(UTC).strftime(_STAMP)
    place = ws.home / "backups" / f"damaged-{stamp}.db"
    place.parent.mkdir(exist_ok=True)
    for end in ("-wal", "-shm", ""):  # the log first: it must never meet another database
        with suppress(FileNotFoundError):
            os.replace(f"{file}{end}", f"{place}{end}")
    return place


# Rows that can still be read ------------------------------------------------------------------


def _salvage(source: Path, target: sqlite3.Connection) -> list[str]:
    """Copy every sound row of a damaged file; say how many."""
    if not source.is_file() or not source.stat().st_size:
        return []
    found = {}
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:
        for end in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{source}{end}", Path(folder, f"{source.name}{end}"))
        with closing(sqlite3.connect(Path(folder, source.name))) as damaged:
            for table in schema.metadata.sorted_tables:
                found[table.name] = _copied(damaged, target, table)
    target.commit()
    if not any(found.values()):
        return ["Nothing could be read of the damaged file."]
    return [
        f"{many(found['decisions'], 'answer')}, {many(found['datasets'], 'data set')} and "
        f"{many(found['jobs'], 'run')} could be read of the damaged file."
    ]


def _copied(damaged: sqlite3.Connection, target: sqlite3.Connection, table: Table) -> int:
    try:
        there = {row[1] for row in damaged.execute(f"pragma table_info({table.name})")}
    except sqlite3.Error:
        return 0
    names = [column.name for column in table.columns if column.name in there]
    if not names:
        return 0
    columns = ", ".join(f'"{name}"' for name in names)
    places = ", ".join("?" * len(names))
    seen = set()
    for row in _rows(damaged, f'select rowid, {columns} from "{table.name}" order by rowid'):
        values = dict(zip(names, row[1:], strict=True))
        if row[0] in seen or not _is_sound(values):
            continue
        with suppress(sqlite3.Error):  # a value that no such column takes
            target.execute(
                f'insert or replace into "{table.name}" ({columns}) values ({places})', row[1:]
            )
            seen.add(row[0])
    return len(seen)


def _rows(connection: sqlite3.Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """Yield rows from the first on as far as it goes, then from the last on."""
    for order in ("", " desc"):
        try:
            yield from connection.execute(query + order)
            return
        except (sqlite3.Error, UnicodeDecodeError):
            continue


def _is_sound(values: dict[str, Any]) -> bool:
    """Tell whether a row can be what was written: words that are known, JSON that is JSON."""
    try:
        for name, value in values.items():
            if name == "action":
                Action(value)
            elif name == "state":
                JobState(value)
            elif name in ("labels", "run_ids", "config", "metrics", "cost", "engine_options"):
                json.loads(value)
    except (ValueError, TypeError):
        return False
    return True


def _settle(target: sqlite3.Connection) -> None:
    """Add reviewers whom answers name; drop what belongs to no set any more."""
    now = db.now()
    target.execute("delete from leases")  # whoever is at an image fetches it again
    signed = (
        "decisions",
        "audit_draws",
        "advised",
        "parts",
        "plans",
        "plan_events",
        "goals",
        "looks",
    )
    for table in signed:
        target.execute(
            "insert or ignore into reviewers (name, created_at) "
            f"select distinct reviewer, ? from {table} where reviewer is not null",
            (now,),
        )
    for table in (*signed, "jobs"):
        target.execute(f"delete from {table} where dataset_id not in (select id from datasets)")
    target.commit()


# Sets whose folder is there -------------------------------------------------------------------


def unlisted(ws: Workspace, listed: set[str]) -> list[Path]:
    """Return the folders of whole sets that a list of folders does not name."""
    folders = sorted(each for each in ws.datasets_dir.glob("*") if each.is_dir())
    return [
        each
        for each in folders
        if each.name not in listed
        and re.match(r"\d+-", each.name)
        and not (each / owned.MARK).is_file()
        and _meta(each) is not None
    ]


def _meta(folder: Path) -> dict[str, Any] | None:
    for name in (datasets.META, datasets.META_COPY):
        with suppress(Damaged, KeyError, TypeError):
            meta: dict[str, Any] = read_json(folder / name)
            if meta["n"] >= 0 and meta["class_names"] is not None:
                return meta
    return None


def _adopt(ws: Workspace, target: sqlite3.Connection) -> list[str]:
    """List every set whose folder is there and that the database does not know."""
    said = []
    listed = {row[0] for row in target.execute("select folder from datasets")}
    for folder in unlisted(ws, listed):
        said.append(adopt(target, folder))
    target.commit()
    return said


def adopt(target: sqlite3.Connection, folder: Path) -> str:
    """List one set by its folder, under its own number where that is free; say so."""
    meta = _meta(folder)
    assert meta is not None
    number, _, slug = folder.name.partition("-")
    taken = target.execute("select 1 from datasets where id = ?", (int(number),)).fetchone()
    name, again = str(meta.get("name") or slug)[:70], 1
    known = {row[0] for row in target.execute("select name from datasets")}
    base = name
    while name in known:
        again += 1
        name = f"{base} ({again})"
    stamp = db.now()
    target.execute(
        "insert into datasets (id, name, folder, kind, source, n, class_count, created_at, used_at)"
        " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(None if taken else int(number), name, folder.name, str(meta.get("kind", "npz"))),
            *(str(meta.get("source") or ""), int(meta["n"]), len(meta["class_names"])),
            *(stamp, stamp),
        ),
    )
    return f"“{name}” is listed again, from its folder {folder.name}."


def adopt_unlisted(ws: Workspace) -> list[str]:
    """List the sets whose folders a whole database does not name; say which.

    Raises:
        LnlError: the database cannot be written.
    """
    file = faults.database_file(ws)
    if file is None:
        return []
    with faults.named(ws), closing(sqlite3.connect(file, timeout=faults.PATIENCE)) as target:
        return _adopt(ws, target)
