"""Acceptance plans: suggestions that are decided unseen once a random check of them has passed.

A plan is a row that never changes: its pool, the label of each image, which of them are checked and
how many of the checks may be wrong are fixed before anybody looks. What becomes of it are events.
What it decides are decisions like others, one per image, signed by `AUTO_FIX`: of route `auto`,
with a mode that names the plan. Whoever answers such an image is right, whatever the plan said.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from lnl_core.records import Action, DatasetInfo, LnlError
from lnl_core.store import datasets, schema
from lnl_core.store.db import now, reading, transaction

CHECK = "check"
"""Route of a decision on an image that a plan drew for its check."""

AUTO = "auto"
"""Route of what a plan decided unseen."""

AUTO_FIX = "auto-fix"
"""Who signs what a plan decided: no person, so no person can have the name."""

ACCEPTED, REFUSED, DROPPED, UNDONE = "accepted", "refused", "dropped", "undone"
"""What becomes of a plan: its check passed or did not, somebody gave it up, or took it back."""

_PLANS, _EVENTS, _DECISIONS = schema.plans, schema.plan_events, schema.decisions


@dataclass(frozen=True, slots=True)
class Event:
    """What became of a plan, who made it so and when, and the numbers that it rests on."""

    kind: str
    reviewer: str
    at: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it was fixed.

    Attributes:
        number: 1 for the first of a data set, without gaps.
        reviewer: who made it.
        made_at: ISO 8601 in UTC.
        seed: of the draw of its checks.
        words: what its pool is, for people.
        precision: share of right ones that is asked of what nobody looks at.
        confidence: how sure.
        allowed: wrong ones among the checks with which it passes.
        expected: mean of p x q over the pool, before anybody looked.
        rows: (z,) the pool, rising.
        labels: (z,) what each is to be.
        checks: rows that a person looks at, in the order drawn.
        events: what became of it, oldest first.
    """

    number: int
    reviewer: str
    made_at: str
    seed: int
    words: str
    precision: float
    confidence: float
    allowed: int
    expected: float
    rows: tuple[int, ...]
    labels: tuple[int, ...]
    checks: tuple[int, ...]
    events: tuple[Event, ...] = ()

    @property
    def open(self) -> bool:
        """Whether its check is still to be finished."""
        return not self.events

    @property
    def in_force(self) -> bool:
        """Whether what it decided counts."""
        return bool(self.events) and self.events[-1].kind == ACCEPTED

    @property
    def mode(self) -> str:
        """Mode of its decisions, which names it."""
        return f"plan {self.number}"


def plans(info: DatasetInfo) -> list[Plan]:
    """Return a data set's plans with their events, oldest first."""
    with reading(info.workspace) as connection:
        return _plans(connection, info)


def _plans(connection: Connection, info: DatasetInfo) -> list[Plan]:
    events: dict[int, list[Event]] = {}
    query = select(_EVENTS).where(_EVENTS.c.dataset_id == info.id).order_by(_EVENTS.c.id)
    for each in connection.execute(query):
        one = Event(each.kind, each.reviewer, each.at, json.loads(each.facts))
        events.setdefault(each.plan, []).append(one)
    query = select(_PLANS).where(_PLANS.c.dataset_id == info.id).order_by(_PLANS.c.number)
    return [_plan(each, events.get(each.number, [])) for each in connection.execute(query)]


def _plan(record: Row[Any], events: Sequence[Event]) -> Plan:
    return Plan(
        number=record.number,
        reviewer=record.reviewer,
        made_at=record.made_at,
        seed=record.seed,
        words=record.words,
        precision=record.precision,
        confidence=record.confidence,
        allowed=record.allowed,
        expected=record.expected,
        rows=tuple(json.loads(record.rows)),
        labels=tuple(json.loads(record.labels)),
        checks=tuple(json.loads(record.checks)),
        events=tuple(events),
    )


def changes(info: DatasetInfo) -> list[tuple[int, str, int, str]]:
    """Return (number of the first decision, `ACCEPTED` or `UNDONE`, plan, time), in their order."""
    t, kinds = _DECISIONS.c, {str(Action.AUTO): ACCEPTED, str(Action.REOPEN): UNDONE}
    query = select(func.min(t.id), t.action, t.mode, func.min(t.decided_at))
    query = query.where(t.dataset_id == info.id, t.reviewer == AUTO_FIX, t.action.in_(kinds))
    with reading(info.workspace) as connection:
        found = connection.execute(query.group_by(t.action, t.mode)).all()
    return sorted((id_, kinds[act], int(mode.split()[1]), at) for id_, act, mode, at in found)


def open_checks(connection: Connection, info: DatasetInfo) -> set[int]:
    """Return the rows that open plans drew for their checks."""
    ended = select(_EVENTS.c.plan).where(_EVENTS.c.dataset_id == info.id)
    query = select(_PLANS.c.checks).where(
        _PLANS.c.dataset_id == info.id, _PLANS.c.number.not_in(ended)
    )
    return {row for text in connection.execute(query).scalars() for row in json.loads(text)}


def add(info: DatasetInfo, plan: Plan) -> Plan:
    """Fix a plan and return it with its number; its maker is known by name.

    Raises:
        LnlError: the set was removed, or another plan is still open.
    """
    with transaction(info.workspace) as connection:
        _alone(connection, info)
        if any(each.open for each in _plans(connection, info)):
            raise LnlError("Another check is under way. Finish it, or give it up, first.")
        last = select(func.coalesce(func.max(_PLANS.c.number), 0))
        number = int(connection.execute(last.where(_PLANS.c.dataset_id == info.id)).scalar_one())
        values = {
            name: getattr(plan, name)
            for name in (
                *("reviewer", "made_at", "seed", "words", "precision"),
                *("confidence", "allowed", "expected"),
            )
        }
        rows = {name: json.dumps(getattr(plan, name)) for name in ("rows", "labels", "checks")}
        numbered = {"dataset_id": info.id, "number": number + 1}
        connection.execute(_PLANS.insert(), [numbered | values | rows])
        return _plans(connection, info)[-1]


def end(info: DatasetInfo, number: int, kind: str, who: str, facts: Mapping[str, Any]) -> None:
    """Note that an open plan was refused or given up.

    Raises:
        LnlError: it has ended already, or the set was removed.
    """
    with transaction(info.workspace) as connection:
        _alone(connection, info)
        _open(connection, info, number)
        _note(connection, info, number, kind, who, facts)


def accept(
    info: DatasetInfo,
    number: int,
    who: str,
    rows: Sequence[int],
    facts: Mapping[str, Any],
    given: Sequence[int],
    last_id: int,
) -> None:
    """Decide what a plan asks for, all in one step; a person's answer is never touched.

    Args:
        info: the data set.
        number: of the plan.
        who: takes it on themselves.
        rows: of its pool, those that are to be decided.
        facts: what the check said.
        given: labels that these rows came with.
        last_id: number of the newest decision that was known as the rows were chosen.

    Raises:
        LnlError: it has ended already, somebody has answered meanwhile, or the set was removed.
    """
    with transaction(info.workspace) as connection:
        _alone(connection, info)
        plan = _open(connection, info, number)
        newest = select(func.coalesce(func.max(_DECISIONS.c.id), 0))
        if connection.execute(newest.where(_DECISIONS.c.dataset_id == info.id)).scalar() != last_id:
            raise LnlError("Somebody has answered meanwhile. Try again.")
        _sign(connection)
        labels = dict(zip(plan.rows, plan.labels, strict=True))
        values = [
            _decision(info, plan, row, Action.AUTO, kept)
            | {"label": labels[row], "suggested_label": labels[row]}
            for row, kept in zip(rows, given, strict=True)
        ]
        connection.execute(_DECISIONS.insert(), values)
        _note(connection, info, number, ACCEPTED, who, facts)


def undo(info: DatasetInfo, number: int, who: str) -> int:
    """Take back all that a plan decided, in one step; return how many images that were.

    Raises:
        LnlError: nothing of it is in force, or the set was removed.
    """
    t = _DECISIONS.c
    with transaction(info.workspace) as connection:
        _alone(connection, info)
        plan = next((p for p in _plans(connection, info) if p.number == number), None)
        if plan is None or not plan.in_force:
            raise LnlError(f"Plan {number} has decided nothing that could be taken back.")
        mine = (t.dataset_id == info.id, t.reviewer == AUTO_FIX)
        latest = select(func.max(t.id)).where(*mine).group_by(t.row)
        query = select(t.row, t.given_label).where(t.id.in_(latest), t.mode == plan.mode)
        made = connection.execute(query.where(t.action == str(Action.AUTO))).all()
        again = [_decision(info, plan, row, Action.REOPEN, given) for row, given in made]
        if again:
            connection.execute(_DECISIONS.insert(), again)
        _note(connection, info, number, UNDONE, who, {"images": len(again)})
        return len(again)


def _alone(connection: Connection, info: DatasetInfo) -> None:
    if not datasets.alone(connection, info):
        raise LnlError(f"“{info.name}” was removed. Open the data sets that are there: Data.")


def _open(connection: Connection, info: DatasetInfo, number: int) -> Plan:
    plan = next((each for each in _plans(connection, info) if each.number == number), None)
    if plan is None:
        raise LnlError(f"“{info.name}” has no plan {number}.")
    if not plan.open:
        raise LnlError(f"Plan {number} has ended: {plan.events[-1].kind}.")
    return plan


def _note(
    connection: Connection,
    info: DatasetInfo,
    number: int,
    kind: str,
    who: str,
    facts: Mapping[str, Any],
) -> None:
    value = {"dataset_id": info.id, "plan": number, "kind": kind, "reviewer": who, "at": now()}
    connection.execute(_EVENTS.insert(), [value | {"facts": json.dumps(dict(facts))}])


def _sign(connection: Connection) -> None:
    """See that what plans decide has a name to stand under."""
    table = schema.reviewers
    if connection.execute(select(table.c.name).where(table.c.name == AUTO_FIX)).first() is None:
        connection.execute(table.insert(), [{"name": AUTO_FIX, "created_at": now()}])


def _decision(
    info: DatasetInfo, plan: Plan, row: int, action: Action, given: int | None
) -> dict[str, Any]:
    return {
        "dataset_id": info.id,
        "row": row,
        "reviewer": AUTO_FIX,
        "action": str(action),
        "label": None,
        "suggested_label": None,
        "cid": f"plan-{plan.number}-{action}~{row}",
        "decided_at": now(),
        "given_label": given,
        "mode": plan.mode,
        "route": AUTO,
    }
