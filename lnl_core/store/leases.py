"""Which image is at whom: what one reviewer has been sent, no other gets meanwhile.

A lease is a row: this image is at this reviewer, in this tab of a browser, since then. It ends with
the answer (`decisions.append` takes it away), when the tab gives it back, or `LASTS` seconds after
the tab last fetched. A time counts by its distance from now, on either side: where a clock is set
back, a lease from "the future" ends as soon as one from the past.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, delete, or_, select, update

from lnl_core.records import DatasetInfo, Workspace
from lnl_core.store import datasets, schema
from lnl_core.store.db import reading, transaction
from lnl_core.store.faults import AT_ONCE

if TYPE_CHECKING:  # arrays are slow to load, and the list of runs needs none
    from lnl_core.types import IntArray

_TABLE = schema.leases

LASTS = 900.0
"""Seconds without a word from a tab before others get what it was sent."""

LINGERS = 60.0
"""Seconds that an image stays with a tab that was sent others instead: it may be on its screen."""

FIRST, SECOND = "first", "second"
"""Kinds of a lease: nobody has answered the image, or it is a second look at another's answer."""


class Lease(NamedTuple):
    """One image at one reviewer; `taken_at` is in seconds of the clock."""

    row: int
    kind: str
    reviewer: str
    tab: str
    taken_at: float

    def holds(self, at: float) -> bool:
        """Say whether it holds at a time."""
        return abs(at - self.taken_at) < LASTS


def held(info: DatasetInfo, clock: Callable[[], float] = time.time) -> list[Lease]:
    """Return the leases that hold now."""
    with reading(info.workspace) as connection:
        return [each for each in _all(connection, info) if each.holds(clock())]


def take(
    info: DatasetInfo,
    reviewer: str,
    tab: str,
    rows: Sequence[int],
    *,
    limit: int,
    since: int,
    second: Collection[int] = (),
    pictures: Sequence[int] | IntArray | None = None,
    patience: float = AT_ONCE,
    clock: Callable[[], float] = time.time,
) -> list[int]:
    """Take the first rows that are free, and prolong those that this reviewer has, in one go.

    What this tab was sent before and is not among them lingers for a minute, then it is free.

    Args:
        info: the data set.
        reviewer: who is to get them; known by name (`decisions.add_reviewer`).
        tab: of which browser; another tab of the same person takes leases over.
        rows: candidates, the best first.
        limit: how many at most.
        since: number of the newest decision that the candidates know of: what was answered after
            it is not free.
        second: those among `rows` that somebody else has answered.
        pictures: (n,) what each image shows: while one of its copies is at somebody, or was just
            answered by somebody else, no other is free. Every image differs where None.
        patience: seconds to wait for the database while nobody writes.
        clock: gives the seconds.

    Raises:
        Busy: another program holds the database.
        ReadOnly: nothing can be saved.

    Returns:
        The rows that this reviewer has now, in the order given.
    """
    with transaction(info.workspace, patience) as connection:
        if not datasets.alone(connection, info):
            return []
        at = clock()
        _forget_dead(connection, info, at)
        there = {each.row: each for each in _all(connection, info)}
        taken = {row for row, each in there.items() if each.reviewer != reviewer}
        taken |= _answered_since(connection, info, since)
        shown = {row if pictures is None else int(pictures[row]) for row in taken}
        mine = [r for r in rows if (r if pictures is None else int(pictures[r])) not in shown]
        mine = mine[:limit]
        fresh = [_fresh(each, tab, at) for row in mine if (each := there.get(row))]
        new = [row for row in mine if row not in there]
        _renew(connection, info, [each.row for each in fresh if each], tab, at)
        if new:
            same = {"dataset_id": info.id, "reviewer": reviewer, "tab": tab, "taken_at": at}
            kinds = {row: SECOND if row in second else FIRST for row in new}
            values = [same | {"row": row, "kind": kinds[row]} for row in new]
            connection.execute(_TABLE.insert(), values)
        wanted = set(mine)
        left = [r for r, each in there.items() if each.tab == tab and r not in wanted]
        _let_linger(connection, info, left, at)
    return mine


def give_back(ws: Workspace, tab: str) -> int:
    """Free everything that a tab was sent, in every data set; return how many images that were."""
    mine = _TABLE.c.tab == tab
    with reading(ws) as connection:
        sets = list(
            connection.execute(select(_TABLE.c.dataset_id).where(mine).distinct()).scalars()
        )
    given = 0
    for each in sets:  # one set's lock at a time, as everybody who takes or answers
        with transaction(ws, AT_ONCE) as connection:
            datasets.alone_in(connection, each)
            there = mine & (_TABLE.c.dataset_id == each)
            given += int(connection.execute(delete(_TABLE).where(there)).rowcount)
    return given


def answered(connection: Connection, info: DatasetInfo, made: Sequence[tuple[str, int]]) -> None:
    """Free images with the answers, (reviewer, row), that are being stored."""
    for who in {who for who, _ in made}:
        rows = sorted({row for name, row in made if name == who})
        for start in range(0, len(rows), 500):  # a database takes so many values in one statement
            some = _TABLE.c.row.in_(rows[start : start + 500])
            mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.reviewer == who, some)
            connection.execute(delete(_TABLE).where(*mine))


def _all(connection: Connection, info: DatasetInfo) -> list[Lease]:
    t = _TABLE.c
    query = select(t.row, t.kind, t.reviewer, t.tab, t.taken_at).where(t.dataset_id == info.id)
    return [Lease(*record) for record in connection.execute(query)]


def _forget_dead(connection: Connection, info: DatasetInfo, at: float) -> None:
    taken_at = _TABLE.c.taken_at
    dead = or_(taken_at <= at - LASTS, taken_at >= at + LASTS)
    connection.execute(delete(_TABLE).where(_TABLE.c.dataset_id == info.id, dead))


def _answered_since(connection: Connection, info: DatasetInfo, since: int) -> set[int]:
    t = schema.decisions.c
    query = select(t.row).where(t.dataset_id == info.id, t.id > since)
    return set(connection.execute(query).scalars())


def _fresh(lease: Lease, tab: str, at: float) -> Lease | None:
    """Return a lease that is to be prolonged; None where it is of this tab and young."""
    young = lease.tab == tab and abs(at - lease.taken_at) < LASTS / 5
    return None if young else lease


def _renew(
    connection: Connection, info: DatasetInfo, rows: Sequence[int], tab: str, at: float
) -> None:
    if rows:
        mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.row.in_(list(rows)))
        connection.execute(update(_TABLE).where(*mine).values(tab=tab, taken_at=at))


def _let_linger(connection: Connection, info: DatasetInfo, rows: Sequence[int], at: float) -> None:
    """Shorten what is left of leases; what lingers already ends when it would have."""
    end = at - LASTS + LINGERS
    if rows:
        mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.row.in_(list(rows)))
        later = _TABLE.c.taken_at > end
        connection.execute(update(_TABLE).where(*mine, later).values(taken_at=end))
