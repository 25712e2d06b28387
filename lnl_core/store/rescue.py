"""A damaged database, and a whole one made of its copy, of what can still be read, and of the sets.

The only other file that opens SQLite: `store.db` opens what is whole.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import inspect

from lnl_core.records import LnlError, NoRoom, Workspace
from lnl_core.said import many
from lnl_core.store import (
    addresses,
    adopting,
    datasets,
    db,
    faults,
    interrupted,
    locks,
    order,
    possible,
    salvage,
    schema,
)

DAILY = "daily"
KEPT = 7
"""How many daily copies are kept; those made before a migration all stay."""

_WORDS = {
    "decisions": "answers",
    "datasets": "the list of data sets",
    "reviewers": "reviewers with their roles and logins",
    "jobs": "runs",
    "audit_draws": "draws of the random check",
    "looks": "hidden looks",
    "goals": "goals",
    "plans": "plans",
    "plan_events": "plans",
    "parts": "shares of the work",
}
"""Table -> what people call its rows."""

_SMALLEST = 32
"""Bytes that an answer takes at least."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_PATIENCE = 2.0
"""Seconds that restoring waits for whoever has the database open, a command for example."""


log = logging.getLogger("lnl.store")


def keep_copy(ws: Workspace) -> Path | None:
    """Copy the database once a day, where it holds a set and is whole; return the new copy.

    What keeps it from that is logged, and stops nobody: there is a copy the next time.
    """
    try:
        return _kept(ws)
    except (LnlError, OSError) as error:
        log.warning("%s", error)
    return None


def _kept(ws: Workspace) -> Path | None:
    if faults.database_file(ws) is None or db.is_read_only(ws):
        return None
    now = datetime.now(UTC)
    copies = [each for each in faults.backups(ws) if f"-{DAILY}-" in each.name]
    for copy in copies:
        with suppress(ValueError):
            made = datetime.strptime(copy.stem[-15:], order.STAMP).replace(tzinfo=UTC)
            if abs(now - made) < timedelta(days=1):  # a clock may jump, either way
                return None
    wrong = problem(ws)
    if wrong is not None:
        raise wrong
    if not datasets.datasets(ws):
        return None
    new = db.backup(ws, DAILY)
    odd = untrue(ws)
    if odd:  # an older copy may have those rows as they were
        log.warning(
            "The database holds %s that cannot be true: every copy is kept until `lnl doctor "
            "--restore` has looked for them there.",
            possible.told(odd),
        )
        return new
    for old in order.by_age(copies)[: 1 - KEPT]:
        for end in ("", "-wal", "-shm"):  # which an earlier version left beside it
            old.with_name(f"{old.name}{end}").unlink(missing_ok=True)
    return new


def problem(ws: Workspace, *, update: bool = False, with_indexes: bool = False) -> LnlError | None:
    """Return what is wrong with a workspace's database, None where it is whole.

    Nothing is made. Without its index an answer is in no list, but it is in the database and in
    every copy.

    Args:
        ws: the workspace.
        update: bring an older schema up to date.
        with_indexes: compare them with the rows too, which takes ten times as long.
    """
    try:
        db.check(ws, update=update)
        if ws.on_sqlite:
            with db.reading(ws) as connection:
                check = "integrity_check(1)" if with_indexes else "quick_check(1)"
                said = connection.exec_driver_sql(f"pragma {check}").scalar()
            if said != "ok":
                return faults.damaged(ws, f"is damaged ({' '.join(str(said).split())[:120]})")
        lost = _lacking(ws)
        if lost and ws.on_sqlite:
            return faults.damaged(ws, f"lacks {lost}")
        if lost:
            return LnlError(
                f"The database on the server lacks {lost}. Restore it with its own tools "
                "(pg_restore)."
            )
    except LnlError as error:
        return error
    return None


def _lacking(ws: Workspace) -> str:
    """Name the first table or column that a database of today's schema does not have; else ""."""
    with db.reading(ws) as connection:
        there = inspect(connection)
        for table in schema.metadata.sorted_tables:
            if not there.has_table(table.name):
                return f"the table {table.name}"
            known = {each["name"] for each in there.get_columns(table.name)}
            lost = [each.name for each in table.columns if each.name not in known]
            if lost:
                return f"the column {lost[0]} of the table {table.name}"
    return ""


def untrue(ws: Workspace) -> Counter[str]:
    """Return table -> how many rows of a whole database cannot be true; of a file alone."""
    if not ws.on_sqlite:
        return Counter()
    with db.reading(ws) as connection:
        found = possible.untrue(connection.exec_driver_sql, ws.datasets_dir)
        return Counter(name for name, *_ in found)


def restore(ws: Workspace) -> list[str]:
    """Make a whole database in place of a damaged one, which is kept; say what was done.

    It starts from a copy that is whole (`order.sources`), lays over it what newer files still give,
    the damaged file last, and lists every set whose folder is there.

    Raises:
        LnlError: the database is on a server, or the folder cannot be written.
        Busy: another process has it open, and would go on saving into the file put aside.
    """
    file = faults.database_file(ws)
    if file is None:
        raise LnlError("The database is on a server: restore it with its own tools (pg_restore).")
    file = file.resolve()  # what a link leads to is restored there; the link stays
    if not db.let_go(ws, _PATIENCE):
        raise faults.is_open(ws, os.getpid())
    new = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with faults.named(ws), locks.alone(file, _PATIENCE) as holder:
            if holder is not None:
                raise faults.is_open(ws, holder)
            return _made_anew(ws, file, new)
    except OSError as error:
        place = error.filename2 or error.filename or file.parent
        if error.errno in _FULL:
            raise NoRoom(
                f"The disk of {place} is full: a restoring needs as much room as the database, its "
                "log and its newest copy have together. Nothing was restored. Free some space, "
                "then restore again."
            ) from error
        raise LnlError(
            f"{place} cannot be written or read ({error.strerror}). Nothing was restored. Check "
            "the disk and its rights, then restore again."
        ) from error
    finally:  # of one that did not come about
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{new}{end}").unlink(missing_ok=True)


def _made_anew(ws: Workspace, file: Path, new: Path) -> list[str]:
    given, unfit = order.sources(ws, file), set[Path]()
    while given.base is not None and not _begun_from(given.base, new):
        unfit.add(given.base)
        given = order.sources(ws, file, unfit)
    copy, later, said = given.base, list(given.later), passed_over(given)
    if copy is not None:
        said += _misdated(ws, copy)
    if copy is None:
        new.unlink(missing_ok=True)
    else:
        held = order.answers_in(copy) or 0
        verb = "is" if held == 1 else "are"
        said.append(f"{many(held, 'answer')} {verb} taken from the copy {copy.name}.")
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:  # what is copied here is no copy
        made = Workspace(Path(folder), addresses.of_path(new))
        db.migrate(made)
        db.dispose(made)
    with closing(sqlite3.connect(new)) as target:
        target.execute("pragma journal_mode=delete")
        if copy is not None:
            said += possible.left_out(
                possible.take_out(target, ws.datasets_dir), f"the copy {copy.name}"
            )
        known, first, torn = set[str](), _numbers_given(target), set[str]()
        for source in [*later, file]:
            found = salvage.lay_over(source, target, ws.datasets_dir)
            if found is not None:
                said += _given(found, "the damaged file" if source == file else source.name)
                known = found.folders if source == file else known
                torn |= found.torn
        said += _lost(target, first, torn, _room(file) // _SMALLEST)
        said += adopting.adopt(ws, target)
        said += adopting.by_folders(ws, target, known)
        said += possible.left_out(possible.take_out(target, ws.datasets_dir), "all of them")
        said += _settle(target)
        interrupted.mark(target.execute, new)
        total = target.execute("select count(*) from decisions").fetchone()[0]
        sets = target.execute("select count(*) from datasets").fetchone()[0]
    kept = _put_aside(ws, file)
    os.replace(new, file)
    whole = f"{many(sets, 'data set')} and {many(total, 'answer')}"
    said.append(f"The database is whole again, with {whole}.")
    if copy is None and not later:
        said.append(
            "No copy could be taken: answers that could not be read are lost. A file of decisions "
            "that you exported brings them back (`lnl decide NAME --file FILE`)."
        )
    if kept is not None:
        said.append(f"The damaged file is kept as {kept}.")
    return said


def _room(file: Path) -> int:
    """Return how many bytes a file and its log have."""
    both = (file, Path(f"{file}-wal"))
    return sum(each.stat().st_size for each in both if each.is_file())


def _begun_from(copy: Path, new: Path) -> bool:
    """Put a copy in the new file's place, with its indexes made anew: nobody compared those.

    Returns:
        Whether that could be done: not where two rows have a key that one alone may have, or where
        two pages changed places.
    """
    shutil.copyfile(copy, new)
    with closing(sqlite3.connect(new)) as target:
        try:
            target.execute("reindex")
        except sqlite3.OperationalError:  # a full disk
            raise
        except sqlite3.DatabaseError:
            return False
    return True


def passed_over(given: order.Sources) -> list[str]:
    """Say which copies a restoring does not take, and why."""
    return [
        *(
            f"Not taken: {each.name}. The database did not go on from it, as after somebody went "
            "back to an earlier copy. It is kept."
            for each in given.given_up
        ),
        *(
            f"Not taken: {each.name}. A newer LNL Review wrote it, and can restore from it."
            for each in given.newer
        ),
    ]


def _misdated(ws: Workspace, copy: Path) -> list[str]:
    """Say which copies count as older than the one taken, whatever their dates."""
    files = order.by_age(faults.backups(ws))
    return [
        f"The copy {each.name} has a date that is still to come, and {copy.name} holds all of it "
        "and more: it counts as the older."
        for each in files[: files.index(copy)]
        if faults.stamp(each) > faults.stamp(copy)
    ]


def _numbers_given(target: sqlite3.Connection, table: str = "decisions") -> int:
    query = "select total(seq) from sqlite_sequence where name = ?"
    return int(target.execute(query, (table,)).fetchone()[0])


def _lost(target: sqlite3.Connection, first: int, torn: set[str], most: int) -> list[str]:
    """Say what may be lost: numbers that were given and are not there, and what was not read.

    Where two pages changed places, rows are passed over and nothing tells of it but their numbers.

    Args:
        target: the new database.
        first: the last number of an answer in the copy, 0 without one.
        torn: the tables that could not be read to their end.
        most: how many answers the damaged file has room for.
    """
    said = []
    query = "select count(*) from decisions where id > ?"
    lost = _numbers_given(target) - first - target.execute(query, (first,)).fetchone()[0]
    removed = (
        _numbers_given(target, "datasets")
        - target.execute("select count(*) from datasets").fetchone()[0]
    )
    if lost > 0:
        how_many = f"at most {many(lost, 'answer')}"
        if lost > most:
            how_many = "nobody knows how many answers, for their count is damaged too"
        among = ", those of removed sets among them" if removed > 0 else ""
        said.append(
            f"Lost, by the numbers that were given: {how_many}{among}. A file of decisions that "
            "you exported brings them back (`lnl decide NAME --file FILE`)."
        )
    if "reviewers" in torn:
        said.append("Look at everybody's role and login, and give again what is missing.")
    return said


def _given(found: salvage.Found, name: str) -> list[str]:
    """Say what one file gave, and what it says was removed."""
    answers, sets, runs = (found.counts[each] for each in ("decisions", "datasets", "jobs"))
    read = (
        f"{many(answers, 'answer')}, {many(sets, 'data set')} and {many(runs, 'run')} could be "
        f"read of {name}."
    )
    otherwise = +found.otherwise
    if not +found.counts:
        return [f"Nothing could be read of {name}: what no other file holds is lost."]
    torn = ", ".join(dict.fromkeys(words for each, words in _WORDS.items() if each in found.torn))
    return [
        read,
        *([f"Not all of {name} could be read. It lacks some of these: {torn}."] if torn else []),
        *possible.left_out(found.untrue, name),
        *(
            [f"Contradicted by what is older, which stays: {possible.told(otherwise)} of {name}."]
            if otherwise
            else []
        ),
        *(
            f"“{removed}” is not listed again: it was removed before. {_capital(name)} does not "
            f"list it any more, and its folder {folder} is not there."
            for removed, folder in found.removed
        ),
        *(
            f"The earlier set “{before}” is called “{now}”: another has its name since."
            for before, now in found.moved.values()
        ),
    ]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _put_aside(ws: Workspace, file: Path) -> Path | None:
    """Move the damaged database and its log to `backups`; None where there is no database.

    Cut off anywhere, both are whole in the one place or in the other. A log never meets another
    database.
    """
    log, place = Path(f"{file}-wal"), None
    (ws.home / "backups").mkdir(exist_ok=True)
    name = faults.new_copy(ws.home / "backups", "damaged")
    for each, end in ((log, "-wal"), (file, "")):
        if each.is_file():
            place = Path(f"{name}{end}")
            place.unlink(missing_ok=True)
            try:
                os.link(each, place)
            except OSError:  # a disk without links
                shutil.copyfile(each, place)
    for each in (file, log, Path(f"{file}-shm")):
        each.unlink(missing_ok=True)
    return place if place is not None and place.suffix == ".db" else None


def _settle(target: sqlite3.Connection) -> list[str]:
    """Add reviewers whom answers name; drop what belongs to no set, and say so; nothing runs on."""
    target.execute("delete from leases")  # whoever is at an image fetches it again
    adopting.add_reviewers(target)
    of_none = {table: salvage.drop_of(target, table) for table in salvage.OF_SETS}
    stopped = interrupted.stop(target.execute, db.now())
    target.commit()
    said = []
    if any(of_none.values()):
        out = possible.told(of_none)
        said.append(f"Left out, for no set is listed that they belong to: {out}.")
    if stopped:
        runs = many(stopped, "run")
        said.append(f"{runs} that waited or ran by then: interrupted, go on with Resume.")
    return said
