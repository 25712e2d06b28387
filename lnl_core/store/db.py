"""The only file that opens a database: a workspace is a folder, a connection one transaction."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

from lnl_core.records import Busy, LnlError, NoCopy, ReadOnly, Workspace
from lnl_core.store import absent, addresses, faults, interrupted, private, same_file
from lnl_core.store.faults import PATIENCE, database_file

HEAD = "0010"
"""The schema version this code needs; `migrations/versions` has one file per version."""

_MIGRATION_LOCK = 4_210_501
"""Key of PostgreSQL's advisory lock: of many processes that start at once, one migrates."""

_TURNS = 3.0
"""Seconds that even who has little patience waits while others take turns."""

log = logging.getLogger("lnl.store")

_making = threading.Lock()


def now() -> str:
    """Return the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def open_workspace(home: Path | str | None = None, url: str | None = None) -> Workspace:
    """Open a workspace, creating or migrating it first.

    Args:
        home: folder; default `LNL_HOME`, else `~/.lnl-review`.
        url: database; default `LNL_DATABASE_URL`, else SQLite in the folder.

    Raises:
        LnlError: there is no such folder and none can be made, the database cannot be reached, or
            it is newer than this program.
        Damaged: the database is no database, or is empty while data sets are there.
    """
    ws = located(home, url)
    folder = ws.home
    try:
        private.make(folder)
    except OSError as error:
        if not (folder / "review.db").is_file():  # else it can be looked at
            raise LnlError(
                f"The workspace folder {folder} cannot be written ({error.strerror}). "
                "Set LNL_HOME to a folder of yours."
            ) from error
    absent.refuse(ws)
    migrate(ws)
    _interrupt_in_copy(ws)
    private.tighten(folder)
    return ws


def _interrupt_in_copy(ws: Workspace) -> None:
    """Interrupt what a copied database has as under way; what cannot be written begins nothing.

    Raises:
        Busy: it is a copy, and somebody holds it.
    """
    file = database_file(ws)
    if file is None or not file.is_file():
        return
    with reading(ws) as connection:
        same = interrupted.is_original(connection.exec_driver_sql, file)
    if same:
        return
    with suppress(ReadOnly, *([Busy] if same is None else [])), transaction(ws) as connection:
        execute = connection.exec_driver_sql
        other = interrupted.is_original(execute, file) is False
        if other and (count := interrupted.stop(execute, now())):
            log.warning("%s is a copy: %d runs in it are interrupted", file, count)
        interrupted.mark(execute, file)


def located(home: Path | str | None = None, url: str | None = None) -> Workspace:
    """Say where a workspace is, without opening it; arguments as for `open_workspace`.

    Raises:
        LnlError: the database's address is none.
    """
    folder = Path(home or os.environ.get("LNL_HOME") or Path.home() / ".lnl-review")
    folder = folder.expanduser().absolute()
    url = url or os.environ.get("LNL_DATABASE_URL") or addresses.of_path(folder / "review.db")
    return Workspace(folder, addresses.with_driver(url))


def is_read_only(ws: Workspace) -> bool:
    """Say whether a workspace can only be looked at: its folder or its database is not writable."""
    file = database_file(ws)
    return file is not None and not absent.is_writable(file)


def refuse_read_only(ws: Workspace) -> None:
    """Refuse to begin what will write into a workspace, its database or its folder.

    Raises:
        ReadOnly: one of them can only be looked at.
    """
    if is_read_only(ws) or (ws.home.is_dir() and not os.access(ws.home, os.W_OK)):
        raise faults.read_only(ws)


_LOOKING = "lnl_looking"
"""Marks a connection that shows the database as it is and cannot write.

Its value is the error of a disk; empty where the file may not be written."""


def _engine(url: str) -> Engine:
    with _making:  # two threads that ask at once get the same pool
        return _make_engine(url)


@lru_cache(maxsize=16)
def _make_engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        return create_engine(url, pool_pre_ping=True)  # the server may have restarted meanwhile
    engine = create_engine(url)
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "begin", _on_begin)
    event.listen(engine, "checkout", same_file.check)
    return engine


def _connect(dialect: Any, record: Any, args: Any, options: Any) -> sqlite3.Connection:
    """Open a database; only to look at where it cannot be written, or is on a full disk.

    SQLite makes the log's index, a file of 32 KB, as soon as anybody reads.
    """
    if not absent.is_writable(Path(args[0])):
        return _to_look_at(record, args[0])
    before = same_file.which(args[0])
    connection: sqlite3.Connection = dialect.connect(*args, **options)
    try:
        _set_up(connection)
        same_file.note(record, args[0], before)
    except sqlite3.Error as error:
        connection.close()  # else it stays open, and locked, as long as anybody has the error
        if not isinstance(error, sqlite3.OperationalError):
            raise
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
            raise
        connection = _to_look_at(record, args[0], error)
    return connection


def _to_look_at(
    record: Any, path: str, why: sqlite3.OperationalError | None = None
) -> sqlite3.Connection:
    try:
        connection = absent.to_look_at(Path(path))
    except OSError as error:
        raise why or absent.cannot_open(error) from None
    connection.isolation_level = None
    record.info[_LOOKING] = str(why or "")
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    connection.isolation_level = None  # the driver must not begin by itself
    for pragma in (
        f"busy_timeout={PATIENCE * 1000:.0f}",  # first: switching to WAL takes a lock too
        "journal_mode=wal",
        "synchronous=full",
        "foreign_keys=on",
    ):
        connection.execute(f"pragma {pragma}")


def _on_begin(connection: Connection) -> None:
    # A deferred BEGIN cannot wait when it later upgrades to a write; this one waits its turn.
    options = connection.get_execution_options()
    if options.get("lnl_reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    patience = options.get("lnl_patience", PATIENCE)
    driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    driver.execute(f"pragma busy_timeout={patience * 1000:.0f}")
    try:
        _begin(driver, patience)
    finally:
        driver.execute(f"pragma busy_timeout={PATIENCE * 1000:.0f}")


def _begin(driver: sqlite3.Connection, patience: float) -> None:
    """Begin to write. Many who take turns are waited for; one who keeps the lock is not.

    SQLite's lock knows no turns: among eight who write, one can go without for seconds.
    """
    until = time.monotonic() + max(patience, _TURNS)
    while True:
        (seen,) = driver.execute("pragma data_version").fetchone()
        try:
            driver.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            (now_at,) = driver.execute("pragma data_version").fetchone()
            if not busy or now_at == seen or time.monotonic() > until:
                raise


@contextmanager
def transaction(ws: Workspace, patience: float = PATIENCE) -> Iterator[Connection]:
    """Give one connection whose work is committed at the end, or not at all.

    Args:
        ws: the workspace.
        patience: seconds to wait for one's turn while nobody else writes anything (SQLite).

    Raises:
        Busy, Damaged, ReadOnly, LnlError: see `faults.named`.
    """
    if is_read_only(ws):
        raise faults.read_only(ws)
    with faults.named(ws), _connected(ws) as connection:
        if _LOOKING in connection.info:
            why = connection.info[_LOOKING]
            raise faults.no_room(ws, why) if why else faults.read_only(ws)
        connection = connection.execution_options(lnl_patience=patience)
        with connection.begin():
            yield connection


@contextmanager
def reading(ws: Workspace) -> Iterator[Connection]:
    """Give one connection that sees one state of the database and never blocks a writer.

    Raises:
        Busy, Damaged, LnlError: see `faults.named`.
    """
    with faults.named(ws), _connected(ws) as connection:
        if ws.on_sqlite:
            connection = connection.execution_options(lnl_reading=True)
        else:
            connection = connection.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        with connection.begin():
            yield connection


@contextmanager
def _connected(ws: Workspace) -> Iterator[Connection]:
    """Give a connection; one that only looks shows one moment, so nobody has it after this."""
    with _engine(ws.url).connect() as connection:
        try:
            yield connection
        finally:
            if _LOOKING in connection.info:
                connection.invalidate()


def dispose(ws: Workspace) -> None:
    """Close pooled connections, so that the workspace's files can be removed."""
    _engine(ws.url).dispose()


def let_go(ws: Workspace, patience: float) -> bool:
    """Close pooled connections once nobody in this process works with one; False: somebody does."""
    until = time.monotonic() + patience
    while getattr(_engine(ws.url).pool, "checkedout", int)() and time.monotonic() < until:
        time.sleep(0.05)
    if getattr(_engine(ws.url).pool, "checkedout", int)():
        return False
    dispose(ws)
    return True


def version(ws: Workspace) -> str | None:
    """Return the schema version in the database, None where there is no schema yet."""
    with reading(ws) as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def migrate(ws: Workspace) -> None:
    """Bring the schema to `HEAD`; an existing SQLite file is copied aside first, if there is room.

    A schema is changed within one transaction, so a migration that fails leaves the old one. On
    PostgreSQL copies are pg_dump's work.
    """
    with faults.named(ws):
        _migrate(ws)


def _migrate(ws: Workspace) -> None:
    current = version(ws)
    if current == HEAD:
        return
    if current is None and absent.was_used(ws) and version(ws) is None:  # nobody made it meanwhile
        raise faults.damaged(ws, absent.OTHER)
    _refuse_newer(ws, current)
    if is_read_only(ws):
        raise LnlError(
            f"The workspace {ws.home} has the schema {current or 'of no version'}, this program "
            f"needs {HEAD}, and it cannot be written. Copy it, and set LNL_HOME to the copy."
        )
    from alembic import command
    from alembic.config import Config

    if current is not None:
        _copy_before(ws, current)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _engine(ws.url).begin() as connection:
        if not ws.on_sqlite:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        # Another process may have migrated while this one waited for the lock.
        if inspect(connection).has_table("alembic_version"):
            revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            if revision == HEAD:
                return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _copy_before(ws: Workspace, current: str) -> None:
    """Copy the database before it is migrated; go on without, and say so, where that cannot be."""
    why = "no copy was made, pg_dump makes one"
    try:
        if backup(ws, current) is not None:
            return
    except NoCopy as error:  # a migration that fails leaves the old schema all the same
        why = str(error)
    log.warning("schema %s becomes %s; %s", current, HEAD, why)


def is_known(version: str) -> bool:
    """Say whether a schema version is this program's or an earlier one's."""
    return version in {f"{number:04}" for number in range(1, int(HEAD) + 1)}


def is_newer(version: str) -> bool:
    """Say whether a schema version is a later program's."""
    return version.isascii() and version.isdigit() and len(version) == 4 and version > HEAD


def _refuse_newer(ws: Workspace, current: str | None) -> None:
    if current is None or is_known(current):
        return
    if ws.on_sqlite and not is_newer(current):
        raise faults.damaged(ws, f"is damaged (no program has a schema {current!r})")
    raise LnlError(
        f"The workspace {ws.home} was written by a newer LNL Review (schema {current}, "
        f"this program knows {HEAD}). Update the program, or set LNL_HOME elsewhere."
    )


def check(ws: Workspace, *, update: bool = False) -> None:
    """Refuse a workspace that is not there, which is never made, or not of this schema.

    Args:
        ws: the workspace.
        update: bring an older schema to `HEAD` instead.

    Raises:
        LnlError: there is none, or its schema is older or newer.
        Damaged: the database is no database, or is empty while data sets are there.
    """
    absent.refuse(ws)
    file = database_file(ws)
    there = file is None or absent.holds_bytes(file)
    current = version(ws) if there else None
    if current is None:
        if absent.was_used(ws):
            raise faults.damaged(ws, absent.OTHER if there else "is missing")
        raise LnlError(
            f"There is no workspace at {ws.home}: nothing was looked at, nothing made. Correct "
            "LNL_HOME or LNL_DATABASE_URL, or make one (`lnl demo`, `lnl import`)."
        )
    _refuse_newer(ws, current)
    if current < HEAD and not update:
        raise LnlError(
            f"The workspace {ws.home} was written by an earlier LNL Review (schema {current}, this "
            f"program needs {HEAD}); more was not looked at. `lnl status` brings it up to date, "
            "after a copy of the database."
        )
    if current < HEAD:
        migrate(ws)


def backup(ws: Workspace, label: str) -> Path | None:
    """Copy a SQLite database to `backups/`; other databases have their own tools (None).

    Raises:
        NoCopy: there is no room, or no right to write there; nothing of the copy is left.
    """
    source = database_file(ws)
    if source is None:
        return None
    target = faults.new_copy(ws.home / "backups", f"review-{label}")
    half = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(half)) as new:
            old.backup(new)
            interrupted.mark_copy(new.execute)
        os.replace(half, target)
    except (sqlite3.Error, OSError) as error:
        raise faults.no_copy(ws, error) from error
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                Path(f"{half}{end}").unlink()
    return target
