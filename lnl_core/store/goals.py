"""Goals of a review: what kind, how much, who set it and when. A goal never changes; a newer one
takes its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from lnl_core.records import DatasetInfo
from lnl_core.store import datasets, decisions, schema
from lnl_core.store.db import now, reading, transaction
from lnl_core.store.once import asked

LEFT, RECALL, REVIEWS, SECONDS = "left", "recall", "reviews", "seconds"
"""At most so many wrong labels left; a share of them found; images answered; time spent."""

_TABLE = schema.goals


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal as it was set.

    Attributes:
        number: 1 for the first of a data set, without gaps.
        kind: `left`, `recall`, `reviews` or `seconds`.
        value: wrong labels, a share in (0, 1), images, or seconds; of `left` None for one in a
            hundred images.
        reviewer: who set it; None where nobody said so.
        set_at: ISO 8601 in UTC.
        last_decision: number of the newest decision then.
        facts: what else was fixed then.
    """

    number: int
    kind: str
    value: float | None
    reviewer: str | None
    set_at: str
    last_decision: int
    facts: Mapping[str, Any] = field(default_factory=dict, hash=False)


def add(
    info: DatasetInfo,
    kind: str,
    value: float | None,
    reviewer: str | None,
    fix: Callable[[int, int], Mapping[str, Any]] = lambda _number, _last: {},
) -> Goal:
    """Store a goal, which is the set's from now on.

    Args:
        info: the data set.
        kind: see `Goal`.
        value: see `Goal`.
        reviewer: who sets it.
        fix: the goal's number, the newest decision -> what else is fixed with it. No answer and no
            draw arrives while it works.
    """
    if reviewer is not None:
        reviewer = decisions.add_reviewer(info.workspace, reviewer)
    mine, answers = _TABLE.c.dataset_id == info.id, schema.decisions
    with transaction(info.workspace) as connection:
        datasets.alone(connection, info)
        newest = select(func.coalesce(func.max(_TABLE.c.number), 0)).where(mine)
        number = int(connection.execute(newest).scalar_one()) + 1
        last = select(func.coalesce(func.max(answers.c.id), 0))
        last = last.where(answers.c.dataset_id == info.id)
        decision = int(connection.execute(last).scalar_one())
        facts = dict(fix(number, decision))
        stored = Goal(number, kind, value, reviewer, now(), decision, facts)
        values = {each: getattr(stored, each) for each in ("number", "kind", "value", "reviewer")}
        values |= {"set_at": stored.set_at, "last_decision": decision, "facts": json.dumps(facts)}
        connection.execute(_TABLE.insert().values(dataset_id=info.id, **values))
    return stored


def goals(info: DatasetInfo) -> tuple[Goal, ...]:
    """Return every goal that a data set had, oldest first; they never change: read once."""
    last = asked((_newest, info.workspace, info.id), lambda: _newest(info))
    return () if last is None else _goals(info, last)


def _newest(info: DatasetInfo) -> int | None:
    newest = select(func.max(_TABLE.c.id)).where(_TABLE.c.dataset_id == info.id)
    with reading(info.workspace) as connection:
        last: int | None = connection.execute(newest).scalar_one()
    return last


@lru_cache(maxsize=16)
def _goals(info: DatasetInfo, last: int) -> tuple[Goal, ...]:
    query = select(_TABLE).where(_TABLE.c.dataset_id == info.id, _TABLE.c.id <= last)
    with reading(info.workspace) as connection:
        return tuple(
            Goal(
                each.number,
                each.kind,
                each.value,
                each.reviewer,
                each.set_at,
                each.last_decision,
                json.loads(each.facts),
            )
            for each in connection.execute(query.order_by(_TABLE.c.number))
        )


def seconds_since(info: DatasetInfo, decision: int, until: int, longest: float) -> float:
    """Return the seconds that people took for the answers in between; of a pause, `longest`.

    Args:
        info: the data set.
        decision: number of the last decision before.
        until: number of the last one that counts.
        longest: seconds that one answer counts at most.
    """
    table = schema.decisions
    least = func.min if info.workspace.on_sqlite else func.least
    taken = least(table.c.seconds, longest)
    query = select(func.coalesce(func.sum(taken), 0.0)).where(
        table.c.dataset_id == info.id,
        table.c.id > decision,
        table.c.id <= until,
        table.c.seconds.is_not(
            None
        ),  # PostgreSQL's LEAST passes over it, and would count `longest`
    )
    with reading(info.workspace) as connection:
        return float(connection.execute(query).scalar_one())
