"""Which files a database is restored from: those that it went on from, the newest first.

Of two files the newer one is the state that people worked with last. It goes on from the older one
where it has the answers that the older one has, under their numbers, which only rise. Where it has
others there, or never came so far, somebody went back to a copy before: the older one was given up.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from lnl_core.records import Workspace
from lnl_core.store import db, faults, possible, salvage

STAMP = "%Y%m%d-%H%M%S"
"""How the time is written in the names of copies."""

_SAID = "cid, reviewer, decided_at, row, action, label"
"""What two answers of one number differ in, by more than the one value that a fault changes."""

_FAULTS = (sqlite3.Error, UnicodeDecodeError, OSError)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a database is restored from, but for its own file.

    Attributes:
        base: of the whole copies that the database went on from the newest with the fewest rows
            that cannot be true; None: there is none.
        later: what is newer than it, oldest first: other copies, and files put aside. What is older
            is all in that copy, or was removed before it was made: a row that once cannot be true
            is so in every later copy.
        given_up: copies and files put aside that the database did not go on from, newest first.
        newer: copies that a newer version of this program wrote.
    """

    base: Path | None
    later: tuple[Path, ...]
    given_up: tuple[Path, ...]
    newer: tuple[Path, ...]


def sources(ws: Workspace, file: Path, unfit: Collection[Path] = ()) -> Sources:
    """Return what the database of a workspace is restored from.

    Args:
        ws: the workspace.
        file: its database.
        unfit: copies that turned out not to be whole.
    """
    later, given_up, newer = list[Path](), list[Path](), list[Path]()
    best, least = None, inf
    with ExitStack() as stack:
        line = _opened(stack, file)  # what is newer than the file that is looked at
        for each in reversed(by_age([*faults.backups(ws), *faults.set_aside(ws)])):
            found = _opened(stack, each)
            if of_newer(each):
                newer.append(each)
                continue
            if any(_left_behind(one, other) for one in line for other in found):
                given_up.append(each)
                continue
            whole = each.name.startswith("review-") and each not in unfit
            wrong = _untrue_in(each, ws.datasets_dir) if whole else inf
            if wrong < least:
                best = Sources(each, tuple(reversed(later)), tuple(given_up), tuple(newer))
                least = wrong
            if not least:
                break
            later.append(each)
            line += found
    return best or Sources(None, tuple(reversed(later)), tuple(given_up), tuple(newer))


def _untrue_in(copy: Path, sets: Path) -> float:
    """Return how many rows of a copy cannot be true; infinity where it is not whole."""
    with suppress(*_FAULTS):
        if answers_in(copy) is not None:
            with salvage.opened(copy) as connection:
                return sum(1 for _ in possible.untrue(connection.execute, sets))
    return inf


def _opened(stack: ExitStack, file: Path) -> list[sqlite3.Connection]:
    with suppress(*_FAULTS):
        return [stack.enter_context(salvage.opened(file))]
    return []


def answers_in(copy: Path) -> int | None:
    """Return how many decisions a copy holds; None where it is no whole database of ours."""
    with suppress(*_FAULTS), salvage.opened(copy) as connection:
        whole = connection.execute("pragma quick_check(1)").fetchone() == ("ok",)
        if whole and db.is_known(_version(connection)):
            return int(connection.execute("select count(*) from decisions").fetchone()[0])
    return None


def of_newer(copy: Path) -> bool:
    """Say whether a newer version of this program wrote a copy."""
    with suppress(*_FAULTS), salvage.opened(copy) as connection:
        return db.is_newer(_version(connection))
    return False


def _version(connection: sqlite3.Connection) -> str:
    return str(connection.execute("select version_num from alembic_version").fetchone()[0])


def by_age(files: Iterable[Path]) -> list[Path]:
    """Sort copies and files put aside, the oldest first.

    They go by the time in their names. One that is still to come is older than what goes on from
    it.
    """
    now = datetime.now(UTC).strftime(STAMP)
    sorted_: list[Path] = []
    for each in sorted(files, key=faults.stamp):
        at = len(sorted_)
        while at and faults.stamp(each) > now and _goes_on_from(sorted_[at - 1], each):
            at -= 1
        sorted_.insert(at, each)
    return sorted_


def _goes_on_from(file: Path, other: Path) -> bool:
    """Tell whether a file holds all that another one does, and more."""
    with suppress(*_FAULTS), salvage.opened(file) as newer, salvage.opened(other) as older:
        more = _given(newer, "%") > _given(older, "%") > 0
        return more and not _left_behind(newer, older)
    return False


def _left_behind(newer: sqlite3.Connection, older: sqlite3.Connection) -> bool:
    """Tell whether a file does not go on from an older one, as far as both can be read."""
    with suppress(*_FAULTS):
        known = "select 1 from decisions not indexed where cid = ? limit 1"
        rows = f"select id, {_SAID} from decisions not indexed where id "
        last = max(_given(newer), _highest(newer))
        if 0 < last < _given(older):
            return True
        for number, *said in older.execute(f"{rows} <= ? order by id desc", (last,)):
            now = None
            with suppress(*_FAULTS):
                now = newer.execute(f"{rows} = ?", (number,)).fetchone()
            if now is None:
                continue
            differs = sum(one != other for one, other in zip(now[1:], said, strict=True))
            if differs == 0:
                return False
            moved = now[1] != said[0] and older.execute(known, (now[1],)).fetchone()
            if differs > 1 and not moved:  # else its number, or one value, is damaged
                return True
    return False


def _given(connection: sqlite3.Connection, table: str = "decisions") -> int:
    """Return how many numbers a file has given, in the tables whose name is like that."""
    query = "select total(seq) from sqlite_sequence where name like ?"
    with suppress(*_FAULTS):
        return int(connection.execute(query, (table,)).fetchone()[0])
    return 0


def _highest(connection: sqlite3.Connection) -> int:
    with suppress(*_FAULTS):
        query = "select max(id) from decisions not indexed"
        return int(connection.execute(query).fetchone()[0] or 0)
    return 0
