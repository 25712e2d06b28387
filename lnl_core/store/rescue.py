"""A damaged database, and a whole one made of its copy, of what can still be read, and of the sets.

The only other file that opens SQLite: `store.db` opens what is whole.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lnl_core.records import LnlError, Workspace
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
)

DAILY = "daily"
KEPT = 7
"""How many daily copies are kept; those made before a migration all stay."""

_PATIENCE = 2.0
"""Seconds that restoring waits for whoever has the database open, a command for example."""

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
    for old in order.by_age(copies)[: 1 - KEPT]:
        for end in ("", "-wal", "-shm"):  # which an earlier version left beside it
            old.with_name(f"{old.name}{end}").unlink(missing_ok=True)
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


def untrue(ws: Workspace) -> Counter[str]:
    """Return table -> how many rows of a whole database cannot be true; of a file alone."""
    if not ws.on_sqlite:
        return Counter()
    with db.reading(ws) as connection:
        found = possible.untrue(connection.exec_driver_sql, ws.datasets_dir)
        return Counter(name for name, _ in found)


def answers_in(file: Path) -> int | None:
    """Return how many decisions a copy holds; None where it is no whole database."""
    with suppress(sqlite3.Error, OSError), salvage.opened(file) as connection:
        if connection.execute("pragma quick_check(1)").fetchone() == ("ok",):
            return int(connection.execute("select count(*) from decisions").fetchone()[0])
    return None


def restore(ws: Workspace) -> list[str]:
    """Make a whole database in place of a damaged one, which is kept; say what was done.

    It starts from the newest copy that is whole, lays over it what newer files still give, the
    damaged file last, and lists every set whose folder is there.

    Raises:
        LnlError: the database is on a server, or the folder cannot be written.
        Busy: another process has it open, and would go on saving into the file put aside.
    """
    file = faults.database_file(ws)
    if file is None:
        raise LnlError("The database is on a server: restore it with its own tools (pg_restore).")
    if not db.let_go(ws, _PATIENCE):
        raise faults.is_open(ws, os.getpid())
    new = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with faults.named(ws), locks.alone(file, _PATIENCE) as holder:
            if holder is not None:
                raise faults.is_open(ws, holder)
            return _made_anew(ws, file, new)
    finally:  # of one that did not come about
        for end in ("", "-wal", "-shm", "-journal"):
            Path(f"{new}{end}").unlink(missing_ok=True)


def sources(ws: Workspace) -> tuple[Path | None, list[Path]]:
    """Return what a database is restored from, but for its own file.

    Returns:
        The newest copy that is whole; then the files that are newer than it, oldest first: damaged
        copies, and files that a restoring put aside. What is older is all in that copy, or was
        removed before it was made.
    """
    files = order.by_age([*faults.backups(ws), *faults.set_aside(ws)])
    copies = [each for each in reversed(files) if each.name.startswith("review-")]
    base = next((each for each in copies if answers_in(each) is not None), None)
    return base, files if base is None else files[files.index(base) + 1 :]


def _made_anew(ws: Workspace, file: Path, new: Path) -> list[str]:
    new.unlink(missing_ok=True)
    said = []
    copy, later = sources(ws)
    if copy is not None:
        shutil.copyfile(copy, new)
        said += _misdated(ws, copy)
        held = answers_in(copy) or 0
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
        known: set[str] = set()
        for source in [*later, file]:
            found = salvage.lay_over(source, target, ws.datasets_dir)
            if found is not None:
                said += _given(found, "the damaged file" if source == file else source.name)
                known = found.folders if source == file else known
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
    if copy is None:
        said.append(
            "There was no copy of it: answers that could not be read are lost. A file of decisions "
            "that you exported brings them back (`lnl decide NAME --file FILE`)."
        )
    if kept is not None:
        said.append(f"The damaged file is kept as {kept}.")
    return said


def _misdated(ws: Workspace, copy: Path) -> list[str]:
    """Say which copies are dated later than the one taken, though it goes on from them."""
    files = order.by_age(faults.backups(ws))
    later = [
        each.name for each in files[: files.index(copy)] if faults.stamp(each) > faults.stamp(copy)
    ]
    return [
        f"The copy {name} is older than its name says, for {copy.name} holds all of it and more: "
        "the clock was ahead."
        for name in later
    ]


def _given(found: salvage.Found, name: str) -> list[str]:
    """Say what one file gave, and what it says was removed."""
    answers, sets, runs = (found.counts[each] for each in ("decisions", "datasets", "jobs"))
    read = (
        f"{many(answers, 'answer')}, {many(sets, 'data set')} and {many(runs, 'run')} could be "
        f"read of {name}."
    )
    otherwise = +found.otherwise
    return [
        read if +found.counts else f"Nothing could be read of {name}.",
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
    log, place = Path(f"{file.resolve()}-wal"), None  # beside what a link leads to
    stamp = datetime.now(UTC).strftime(_STAMP)
    (ws.home / "backups").mkdir(exist_ok=True)
    for each, end in ((log, "-wal"), (file, "")):
        if each.is_file():
            place = ws.home / "backups" / f"damaged-{stamp}.db{end}"
            place.unlink(missing_ok=True)
            try:
                os.link(each.resolve(), place)
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
