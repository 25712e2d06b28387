"""What tells a database that is gone, cut to nothing or another program's from a new one."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from pathlib import Path

from lnl_core.records import LnlError, Workspace
from lnl_core.said import many
from lnl_core.store import addresses, faults, schema

OTHER = "holds nothing of a workspace"
"""What is wrong with another program's database, and with one that was never written."""


def holds_bytes(file: Path) -> bool:
    """Say whether a file holds more than one byte: SQLite takes one of 0 or 1 for a new database.

    It writes a single byte itself into an empty file on some disks.
    """
    return file.is_file() and file.stat().st_size > 1


def set_folders(ws: Workspace) -> list[str]:
    """Return the names of the sets' folders that are there."""
    return [each.name for each in ws.datasets_dir.glob("*") if re.match(r"\d+-", each.name)]


def was_used(ws: Workspace) -> bool:
    """Say whether sets or copies of the database are there; never of one on a server."""
    return ws.on_sqlite and bool(set_folders(ws) or faults.backups(ws))


def refuse(ws: Workspace) -> None:
    """Refuse a database that is another program's, or gone while sets or copies of it are there.

    SQLite would take one that is cut to nothing for a new one, and its log, which may hold the
    answers, for an old one's; and it would write into another program's.
    """
    file = faults.database_file(ws)
    if file is None:
        return
    if holds_bytes(file):
        _refuse_another(file)
        return
    if file.is_dir():
        raise LnlError(
            f"{file} is a folder, and the database belongs there. Move it elsewhere, then restore "
            "the database with `lnl doctor --restore`, or begin anew."
        )
    if file.is_symlink() and not file.exists():
        raise LnlError(
            f"{file} is a link to {file.readlink()}, which is not there. Mount its disk, or put "
            "that file back; if it is lost, remove the link, and `lnl doctor` says what can be "
            "restored."
        )
    sets = set_folders(ws)
    what = "is empty" if file.is_file() else "is missing"
    refuse_former(file, what, sets)
    if sets:
        here = many(len(sets), "data set is", "data sets are")
        raise faults.damaged(ws, f"{what}, and {here} in {ws.datasets_dir}")
    if faults.backups(ws):
        anew = f"to begin anew, move {ws.home / 'backups'} elsewhere"
        raise faults.damaged(ws, f"{what}, and there are copies of it ({anew})")


def _refuse_another(file: Path) -> None:
    """Refuse a database that has tables and none of ours; nothing is written, no lock taken."""
    tables = set[str]()
    address = f"{file.absolute().as_uri()}?mode=ro&immutable=1"
    faults_of_a_file = (sqlite3.Error, OSError, UnicodeDecodeError)
    with suppress(*faults_of_a_file), closing(sqlite3.connect(address, uri=True)) as connection:
        query = "select name from sqlite_master where type = 'table'"
        tables = {row[0] for row in connection.execute(query)}
    others = {each for each in tables if not str(each).startswith("sqlite_")}
    if others and not tables & {"alembic_version", *schema.metadata.tables}:
        raise LnlError(
            f"The database {file} is another program's: it {OTHER}. Correct LNL_DATABASE_URL, or "
            "move that file elsewhere. `lnl doctor` then says what can be restored."
        )


def refuse_former(file: Path, what: str, sets: list[str]) -> None:
    """Say where an earlier version put the database of these sets, rather than that it is lost."""
    former, listed = addresses.formerly(file), set()
    if former is not None and former.is_file():
        with suppress(sqlite3.Error, OSError), closing(to_look_at(former)) as connection:
            listed = {row[0] for row in connection.execute("select folder from datasets")}
    if former is not None and listed & set(sets):
        raise LnlError(
            f"The database {file} {what}. An earlier version read its path as an address, and took "
            f"{former} for it, which lists these data sets. To go on with it there, set "
            f"LNL_DATABASE_URL='{addresses.of_path(former)}'; or, with the program ended, copy it "
            f"to {file} ({former.name}-wal beside it, too, if there is one)."
        )


def is_writable(file: Path) -> bool:
    """Say whether a file, and the folder for its log, can be written, or is not there yet."""
    if not file.is_file():
        return True
    return os.access(file, os.W_OK) and os.access(file.parent, os.W_OK)


def cannot_open(error: OSError) -> sqlite3.OperationalError:
    """Return what SQLite says of a file that cannot be opened."""
    said = sqlite3.OperationalError(str(error))
    said.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return said


def to_look_at(file: Path) -> sqlite3.Connection:
    """Open a database that cannot be written, with what its log holds, at this moment.

    Raises:
        OSError: it may not be read, or there is no room to merge its log.
    """
    log_of = file.with_name(f"{file.name}-wal")
    if not (log_of.is_file() and log_of.stat().st_size):
        return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:  # a log is merged by writing
        for each in (file, log_of):
            shutil.copyfile(each, Path(folder, each.name))
        copy, memory = sqlite3.connect(Path(folder, file.name)), sqlite3.connect(":memory:")
        copy.backup(memory)
        copy.close()
        memory.execute("pragma query_only=on")  # what is written into memory is lost
        return memory
