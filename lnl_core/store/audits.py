"""Rows drawn uniformly at random, so that their answers represent the whole set.

Draw number i of a data set takes a uniform position of numpy's generator seeded with [seed, i]
among the rows that, at that moment, have no answer and were not drawn before. The set is fixed
before the draw, so nothing that happens later (the queue's order, a refit, who answers, when) can
bias it; `eligible` and `last_decision` say which set it was, so every draw can be checked
afterwards (review science 5.3).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from sqlalchemy import Connection, func, select

from lnl_core.records import DatasetInfo
from lnl_core.store import datasets, decisions, schema
from lnl_core.store.db import now, reading, transaction
from lnl_core.store.faults import AT_ONCE
from lnl_core.types import BoolArray

_TABLE = schema.audit_draws
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Draw:
    """One random draw.

    Attributes:
        number: 0 for the first of a data set, without gaps.
        row: the row that chance chose.
        reviewer: who is to answer it first.
        seed: of the data set's draws, the same for all of them.
        eligible: how many rows it was drawn from.
        last_decision: number of the newest decision then: rows answered up to it were left out.
        drawn_at: ISO 8601 in UTC.
    """

    number: int
    row: int
    reviewer: str
    seed: int
    eligible: int
    last_decision: int
    drawn_at: str


def chosen(seed: int, number: int, eligible: int) -> int:
    """Return which of the eligible rows, in ascending order, draw `number` takes.

    Raises:
        ValueError: there is no row to draw from.
    """
    return int(np.random.default_rng([seed, number]).integers(eligible))


def draw(
    info: DatasetInfo,
    reviewer: str,
    count: int,
    answered: Callable[[], tuple[int, BoolArray]],
    *,
    seed: int | None = None,
) -> list[Draw]:
    """Draw up to `count` rows for a reviewer, in one transaction; no row is ever drawn twice.

    Args:
        info: the data set.
        reviewer: who gets the rows.
        count: how many; fewer come back where fewer rows are left.
        answered: gives the number of the newest decision and, as of it, (n,) True where a row
            has an answer. Asked again where a decision arrives meanwhile.
        seed: for a data set without draws; a random one when None.

    Raises:
        Busy: another program holds the database.
        ReadOnly: nothing can be saved.

    Returns:
        The new draws; none where other people's answers keep arriving, to be tried again, or the
        set has grown since `info` was read.
    """
    if count < 1:
        return []
    decisions.add_reviewer(info.workspace, reviewer, AT_ONCE)
    for _ in range(_TRIES):
        newest, closed = answered()
        with transaction(info.workspace, AT_ONCE) as connection:
            if _newest(connection, info) != newest:
                continue
            if len(datasets.read_meta(info).get("additions", ())) != len(info.additions):
                return []  # they would choose from the smaller set
            known = connection.execute(
                select(_TABLE.c.row, _TABLE.c.seed).where(_TABLE.c.dataset_id == info.id)
            ).all()
            if known:
                seed = int(known[0].seed)
            elif seed is None:
                seed = secrets.randbits(31)
            open_ = ~closed
            open_[[record.row for record in known]] = False
            drawn = _next(open_, seed, len(known), count, reviewer, newest)
            if drawn:
                values = [{"dataset_id": info.id, **asdict(each)} for each in drawn]
                connection.execute(_TABLE.insert(), values)
            return drawn
    return []


def _newest(connection: Connection, info: DatasetInfo) -> int:
    """Return the number of the newest decision, and let nobody else write one until the end."""
    datasets.alone(connection, info)
    table = schema.decisions
    last = select(func.coalesce(func.max(table.c.id), 0)).where(table.c.dataset_id == info.id)
    return int(connection.execute(last).scalar_one())


def _next(
    open_: BoolArray, seed: int, first: int, count: int, reviewer: str, newest: int
) -> list[Draw]:
    """Return the draws with the numbers from `first` on; their rows are closed in `open_`, (n,)."""
    drawn, stamp = [], now()
    for number in range(first, first + count):
        rows = np.flatnonzero(open_)
        if not len(rows):
            break
        row = int(rows[chosen(seed, number, len(rows))])
        open_[row] = False
        drawn.append(Draw(number, row, reviewer, seed, len(rows), newest, stamp))
    return drawn


def draws(info: DatasetInfo) -> tuple[Draw, ...]:
    """Return a data set's draws in their order; they never change, so they are read once."""
    newest = select(func.max(_TABLE.c.id)).where(_TABLE.c.dataset_id == info.id)
    with reading(info.workspace) as connection:
        last = connection.execute(newest).scalar_one()
    return () if last is None else _draws(info, int(last))


@lru_cache(maxsize=16)
def _draws(info: DatasetInfo, last: int) -> tuple[Draw, ...]:
    mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.id <= last)
    query = select(_TABLE).where(*mine).order_by(_TABLE.c.number)
    with reading(info.workspace) as connection:
        return tuple(
            Draw(
                number=record.number,
                row=record.row,
                reviewer=record.reviewer,
                seed=record.seed,
                eligible=record.eligible,
                last_decision=record.last_decision,
                drawn_at=record.drawn_at,
            )
            for record in connection.execute(query)
        )
