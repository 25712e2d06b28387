"""Which of a database's copies is the newer, whatever the clock said when it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lnl_core.store import faults, salvage


def by_age(files: Iterable[Path]) -> list[Path]:
    """Sort copies and files put aside, the oldest first.

    They go by the time in their names, but for what goes on from a file that is dated later.
    """
    sorted_: list[Path] = []
    for each in sorted(files, key=faults.stamp):
        at = len(sorted_)
        while at and _goes_on_from(sorted_[at - 1], each):
            at -= 1
        sorted_.insert(at, each)
    return sorted_


def _goes_on_from(file: Path, other: Path) -> bool:
    """Tell whether a file holds more than another one that it contradicts nowhere.

    Numbers only rise, so more have been given. Where somebody went back to a copy, both hold
    answers of one number that differ: those go by their time.
    """
    if not _numbers_given(file) > _numbers_given(other) > 0:
        return False
    differs = (
        "select 1 from decisions a join other.decisions b on a.id = b.id"
        " where (a.cid, a.reviewer, a.decided_at) is not (b.cid, b.reviewer, b.decided_at) limit 1"
    )
    with suppress(sqlite3.Error, OSError), salvage.opened(file) as connection:
        address = f"{other.absolute().as_uri()}?mode=ro&immutable=1"
        connection.execute("attach ? as other", (address,))
        return connection.execute(differs).fetchone() is None
    return False


def _numbers_given(file: Path) -> int:
    """Return how many numbers a file has given in all its tables; 0 where it cannot be read."""
    with suppress(sqlite3.Error, OSError), salvage.opened(file) as connection:
        return int(connection.execute("select total(seq) from sqlite_sequence").fetchone()[0])
    return 0
