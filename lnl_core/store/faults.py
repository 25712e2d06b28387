"""What goes wrong with the database, in words: what it is, where, and what helps."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, ProgrammingError

from lnl_core.records import Busy, Damaged, LnlError, NoAnswer, NoCopy, NoRoom, ReadOnly, Workspace

PATIENCE = 15.0
"""Seconds that a write waits for its turn."""

AT_ONCE = 0.5
"""The same of what a page only notes (a lease, a draw): it is shown without, and notes it later."""

_OURS = (IntegrityError, ProgrammingError, InternalError)
"""What callers ask about (a name that is taken), or a fault of the program's own."""

_TEXT = (UnicodeDecodeError, json.JSONDecodeError)
"""What a row raises whose text is no longer what was written."""


def database_file(ws: Workspace) -> Path | None:
    """Return the SQLite file of a workspace; None where a server has its database."""
    file = make_url(ws.url).database if ws.on_sqlite else None  # what follows a ? is no part of it
    return None if file is None else Path(file)


def backups(ws: Workspace) -> list[Path]:
    """Return the copies of the database, newest first."""
    return sorted((ws.home / "backups").glob("review-*.db"), key=stamp, reverse=True)


def set_aside(ws: Workspace) -> list[Path]:
    """Return the damaged databases that a restoring put aside."""
    return sorted((ws.home / "backups").glob("damaged-*.db"))


def stamp(path: Path) -> str:
    """Return when a copy was made, or a damaged file put aside: 20260131-093000.

    One without a time in its name, which a person put there, is as old as it says itself.
    """
    if re.fullmatch(r"\d{8}-\d{6}", path.stem[-15:]):
        return path.stem[-15:]
    with suppress(OSError):
        return datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%d-%H%M%S")
    return ""


def new_copy(folder: Path, label: str) -> Path:
    """Return the name of a copy that is made now: of two within a second the later one waits."""
    while True:
        path = folder / f"{label}-{datetime.now(UTC):%Y%m%d-%H%M%S}.db"
        if not path.exists():
            return path
        time.sleep(0.05)


_ROOM = 2**20
"""Bytes: with less free, a disk is full; the log of the database and its index need as much."""


def damaged(ws: Workspace, what: str) -> Damaged:
    """Return the refusal of a database that cannot be used, with what there is to restore."""
    copies = backups(ws)
    there = (
        f"There {'is a copy' if len(copies) == 1 else f'are {len(copies)} copies'} in "
        f"{ws.home / 'backups'}, the last {copies[0].name}"
        if copies
        else f"There is no copy in {ws.home / 'backups'}"
    )
    return Damaged(
        f"The database {database_file(ws)} {what}. {there}. `lnl doctor` says what can be "
        "restored, `lnl doctor --restore` does it; the damaged file is kept."
    )


@contextmanager
def named(ws: Workspace) -> Iterator[None]:
    """Turn what the database raises into a refusal with place and remedy.

    Raises:
        Busy: another program holds it.
        Damaged: it is no database, or cut off.
        ReadOnly: it may not be written.
        NoRoom: the disk is full.
        NoAnswer: it does not answer.
    """
    try:
        yield
    except _OURS:
        raise
    except DBAPIError as error:
        raise _in_words(ws, error.orig or error) from error
    except sqlite3.Error as error:
        raise _in_words(ws, error) from error
    except _TEXT as error:
        if not ws.on_sqlite:
            raise
        raise damaged(ws, "holds text that cannot be read") from error


def _in_words(ws: Workspace, error: BaseException) -> LnlError:
    if not ws.on_sqlite:
        return _of_server(ws, error)
    file = database_file(ws)
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return Busy(
            f"The database {file} is held by another program. Nothing was changed. End that "
            "program (a copy or backup that goes on?), then try again."
        )
    if code == sqlite3.SQLITE_FULL:
        return no_room(ws)
    if code == sqlite3.SQLITE_READONLY:
        return read_only(ws)
    if code == sqlite3.SQLITE_CANTOPEN:
        return NoAnswer(
            f"The database {file} cannot be opened. Check that the folder is there and yours."
        )
    if code == sqlite3.SQLITE_IOERR:
        return no_room(ws, str(error))
    said = {
        sqlite3.SQLITE_NOTADB: "is no database",
        sqlite3.SQLITE_CORRUPT: "is damaged",
    }
    return damaged(ws, said.get(code, f"cannot be used ({error})"))


def is_open(ws: Workspace, process: int) -> Busy:
    """Return the refusal to put a database aside that another process has open; 0: who knows."""
    which = f"process {process}" if process else "another program"
    if process == os.getpid():
        which = "another window of this app, or a save that goes on"
    return Busy(
        f"The database {database_file(ws)} is open in {which}, which would go on saving into the "
        "damaged file. Nothing was changed. End it first (the app, a run, a command), then "
        "restore again."
    )


_NO_ROOM, _MEMORY, _CROWDED = "53100", "53200", "53300"
"""What PostgreSQL calls a full disk, too little memory and too many connections."""

_REFUSED = ("connection slots are reserved", "too many clients", "too many connections")
"""How it words the last; an error while connecting has no code."""


def _of_server(ws: Workspace, error: BaseException) -> LnlError:
    """Return the refusal of a database on a server."""
    where = make_url(ws.url).render_as_string(hide_password=True)
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = (lines or [type(error).__name__])[0].rstrip(".")
    code = getattr(error, "sqlstate", None)
    if code == _NO_ROOM or "No space left" in reason:
        return NoRoom(
            f"The disk of the database server {where} is full; nothing was changed. Free some "
            "space there, then try again."
        )
    if code in (_MEMORY, _CROWDED) or any(words in reason for words in _REFUSED):
        return Busy(
            f"The database {where} is overloaded: {reason}. Nothing was changed. Try again later, "
            "or give it more memory and connections."
        )
    help_ = "Start it, or correct LNL_DATABASE_URL."
    if "does not exist" in reason or "authentication failed" in reason:
        help_ = "Correct LNL_DATABASE_URL, or make them on the server (createuser, createdb)."
    return NoAnswer(f"The database {where} does not answer: {reason}. {help_}")


def full_disks(ws: Workspace) -> list[Path]:
    """Return which folders of a workspace are on a full disk: its own, that of the database."""
    file = database_file(ws)
    folders = dict.fromkeys([ws.home, *([] if file is None else [file.parent])])
    return [each for each in folders if each.is_dir() and _is_full(each)]


def _is_full(folder: Path) -> bool:
    return shutil.disk_usage(folder).free < _ROOM


def is_full(ws: Workspace) -> bool:
    """Say whether the disk of the database is full; never so of one on a server."""
    file = database_file(ws)
    return file is not None and _is_full(file.parent)


def no_room(ws: Workspace, error: str = "") -> ReadOnly:
    """Return the refusal to write on a full disk, or on one that gives an error."""
    file = database_file(ws)
    assert file is not None
    if error and not is_full(ws):
        return ReadOnly(
            f"The disk of {file} gave an error ({error}); nothing was changed. Check that it is "
            "in order, then try again."
        )
    return NoRoom(
        f"The disk of {file} is full; nothing was changed. Free some space, then try again."
    )


def no_copy(ws: Workspace, why: object) -> NoCopy:
    """Return what is said where a database cannot be copied."""
    return NoCopy(
        f"No copy of the database could be made in {ws.home / 'backups'} ({why}). Everything goes "
        "on without. Free some space there, or make the folder writable."
    )


def read_only(ws: Workspace) -> ReadOnly:
    """Return the refusal to write into a workspace that can only be looked at."""
    return ReadOnly(
        f"Nothing can be saved: the workspace {ws.home} can be read only. Make it writable, or "
        "copy it and set LNL_HOME to the copy."
    )
