"""What people decided: appended, never edited; the latest per image and reviewer is in force."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    Connection,
    CursorResult,
    Row,
    func,
    select,
)

from lnl_core.records import Action, DatasetInfo, Decision, LnlError, Workspace
from lnl_core.store import datasets, leases, meaning, plans, schema
from lnl_core.store.checking import check, classes_stay
from lnl_core.store.db import now, reading, transaction
from lnl_core.store.faults import PATIENCE
from lnl_core.store.plans import AUTO_FIX as AUTO_FIX
from lnl_core.store.plans import CHECK as CHECK
from lnl_core.store.verdicts import SETTLED as SETTLED
from lnl_core.store.verdicts import Verdict as Verdict
from lnl_core.store.verdicts import verdict as verdict

_TABLE = schema.decisions

QUEUE, AUDIT, IMPORT = "queue", "audit", "import"
"""Routes of a decision: the queue showed its row, or chance had drawn it."""

COPIES = "copies"
"""Mode of a decision that was made on another copy of the picture: an answer, but no look."""


def add_reviewer(ws: Workspace, name: str, patience: float = PATIENCE) -> str:
    """Make sure a reviewer exists and return the name without outer blanks.

    Args:
        ws: the workspace.
        name: what the person is called.
        patience: seconds to wait for one's turn (SQLite), where nobody is called so yet.

    Raises:
        LnlError: blank, unprintable or longer than 60 characters.
    """
    name = name.strip()
    if not name or len(name) > 60 or not name.isprintable():
        raise LnlError("A reviewer needs a name of 1 to 60 printable characters.")
    if name.casefold() == AUTO_FIX:
        raise LnlError(f"“{name}” signs what no person decided. Choose another name.")
    if name in reviewers(ws):  # most often: without the lock that writing takes
        return name
    with transaction(ws, patience) as connection:
        insert = insert_for(connection)
        connection.execute(
            insert(schema.reviewers)
            .values(name=name, created_at=now())
            .on_conflict_do_nothing(index_elements=["name"])
        )
    return name


def reviewers(ws: Workspace) -> list[str]:
    """Return the reviewers' names, oldest first."""
    table = schema.reviewers
    query = select(table.c.name).where(table.c.name != AUTO_FIX).order_by(table.c.created_at)
    with reading(ws) as connection:
        return list(connection.execute(query).scalars())


def insert_for(connection: Any) -> Any:
    """Return the dialect's own INSERT, which knows ON CONFLICT."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert
    from sqlalchemy.dialects.postgresql import insert as insert_there

    return insert_there


def append(info: DatasetInfo, decisions: Sequence[Decision]) -> list[str]:
    """Store decisions in the order given, in one transaction; return their client ids.

    A client id that is stored already is skipped, so a journal may be sent again. When this
    returns, the rows are on the disk. What comes from the queue has the route `audit` where its row
    was drawn at random by then, whoever shows it.

    Raises:
        LnlError: a row, action or label that does not exist, or the set was removed; then nothing
            is stored.
    """
    if not decisions:
        return []
    for decision in decisions:
        check(info, decision)
    decisions = _with_given_labels(info, decisions)
    stamp = now()
    values = [
        {
            "dataset_id": info.id,
            "row": d.row,
            "reviewer": d.reviewer,
            "action": str(d.action),
            "label": d.label,
            "labels": json.dumps(list(d.labels)),
            "cid": d.cid or uuid.uuid4().hex,
            "decided_at": d.decided_at or stamp,
            "seconds": d.seconds,
            "given_label": d.given_label,
            "suggested_label": d.suggested_label,
            "p_wrong": d.p_wrong,
            "run_ids": json.dumps(list(d.run_ids)),
            "position": d.position,
            "mode": d.mode,
            "route": d.route,
            "revealed": d.revealed,
        }
        for d in decisions
    ]
    for name in {d.reviewer for d in decisions}:
        add_reviewer(info.workspace, name)
    with transaction(info.workspace) as connection:
        # Then numbers become visible in their order, and `last_id` misses none.
        if not datasets.alone(connection, info):
            raise LnlError(f"“{info.name}” was removed. Open the data sets that are there: Data.")
        classes_stay(info, decisions)
        if any(value["route"] == QUEUE for value in values):
            _find_routes(connection, info, values)
        insert = insert_for(connection)
        connection.execute(
            insert(_TABLE).on_conflict_do_nothing(index_elements=["dataset_id", "reviewer", "cid"]),
            values,
        )
        leases.answered(connection, info, [(d.reviewer, d.row) for d in decisions])
    return [str(v["cid"]) for v in values]


def _find_routes(
    connection: Connection, info: DatasetInfo, values: Sequence[dict[str, Any]]
) -> None:
    """Set the route of what the queue showed where chance had chosen it, for whatever purpose."""
    draws = schema.audit_draws.c
    drawn = set(connection.execute(select(draws.row).where(draws.dataset_id == info.id)).scalars())
    checked = plans.open_checks(connection, info)
    for value in values:
        if value["route"] == QUEUE:
            row = value["row"]
            value["route"] = AUDIT if row in drawn else CHECK if row in checked else QUEUE


def _with_given_labels(info: DatasetInfo, decisions: Sequence[Decision]) -> Sequence[Decision]:
    """Note what the images came with where the sender did not; nothing of a set that is gone."""
    if all(d.given_label is not None for d in decisions):
        return decisions
    try:
        given = datasets.load(info).given_labels
    except FileNotFoundError:
        return decisions
    return [
        replace(d, given_label=int(given[d.row])) if d.given_label is None else d for d in decisions
    ]


def of_record(record: Row[Any], run_ids: Sequence[int] = ()) -> Decision:
    """Return the decision, or the hidden look, that a record of its table holds."""
    return Decision(
        row=record.row,
        action=Action(record.action),
        reviewer=record.reviewer,
        label=record.label,
        labels=tuple(json.loads(record.labels)),
        cid=record.cid,
        id=record.id,
        decided_at=record.decided_at,
        seconds=record.seconds,
        given_label=record.given_label,
        suggested_label=record.suggested_label,
        p_wrong=record.p_wrong,
        run_ids=tuple(run_ids),
        position=record.position,
        mode=record.mode,
        route=record.route,
        revealed=bool(record.revealed),
    )


def _decision(record: Row[Any]) -> Decision:
    return of_record(record, json.loads(record.run_ids))


def history(
    info: DatasetInfo,
    *,
    reviewer: str | None = None,
    limit: int | None = None,
    looks: bool = False,
) -> Iterator[Decision]:
    """Yield every decision ever made: oldest first, or the newest `limit` newest first.

    Args:
        info: the data set.
        reviewer: only this person's.
        limit: how many, newest first.
        looks: leave out what was answered with another copy of the picture, or by no person.
    """
    query = select(_TABLE).where(_TABLE.c.dataset_id == info.id)
    if looks:
        query = query.where(_TABLE.c.mode != COPIES, _TABLE.c.reviewer != AUTO_FIX)
    if reviewer is not None:
        query = query.where(_TABLE.c.reviewer == reviewer)
    query = query.order_by(_TABLE.c.id if limit is None else _TABLE.c.id.desc())
    if limit is not None:
        query = query.limit(limit)
    with reading(info.workspace) as connection:
        found = connection.execution_options(yield_per=5000).execute(query)
        for record in _closing(found):
            yield _decision(record)


def _closing(rows: CursorResult[Any]) -> Iterator[Row[Any]]:
    """Yield rows, and let go of the server's cursor also where the reader stops before the end."""
    with closing(rows):
        yield from rows


def is_stored(info: DatasetInfo, reviewer: str, cid: str) -> bool:
    """Say whether a reviewer's answer of this client id has arrived already."""
    query = select(_TABLE.c.id).where(
        _TABLE.c.dataset_id == info.id, _TABLE.c.reviewer == reviewer, _TABLE.c.cid == cid
    )
    with reading(info.workspace) as connection:
        return connection.execute(query).first() is not None


def of_rows(info: DatasetInfo, reviewer: str, rows: Sequence[int]) -> dict[int, list[Decision]]:
    """Return row -> all that a reviewer ever said of it, oldest first, of some images."""
    said: dict[int, list[Decision]] = {}
    mine = _TABLE.c.dataset_id == info.id, _TABLE.c.reviewer == reviewer
    for start in range(0, len(rows), 5000):
        here = _TABLE.c.row.in_(list(rows[start : start + 5000]))
        query = select(_TABLE).where(*mine, here).order_by(_TABLE.c.id)
        with reading(info.workspace) as connection:
            for record in connection.execute(query):
                said.setdefault(record.row, []).append(_decision(record))
    return said


def with_cid(info: DatasetInfo, reviewer: str, start: str) -> dict[int, Action]:
    """Return row -> answer to a copy, of those in force with a client id that begins so."""
    began = _TABLE.c.cid.startswith(start, autoescape=True)
    mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.reviewer == reviewer, _TABLE.c.mode == COPIES)
    rows = select(_TABLE.c.row).where(*mine, began)
    newest = (
        select(func.max(_TABLE.c.id))
        .where(*mine[:2], _TABLE.c.row.in_(rows))
        .group_by(_TABLE.c.row)
    )
    query = select(_TABLE.c.row, _TABLE.c.action).where(
        _TABLE.c.id.in_(newest),
        _TABLE.c.mode == COPIES,  # else it was answered by itself since
        began,
        _TABLE.c.action != str(Action.REOPEN),
    )
    with reading(info.workspace) as connection:
        found = connection.execute(query.order_by(_TABLE.c.id))
        return {int(row): Action(action) for row, action in found}


def on_copies(info: DatasetInfo, reviewer: str, since: int) -> dict[str, int]:
    """Return what client ids of answers to copies begin with -> how many, from a decision on."""
    query = select(_TABLE.c.cid).where(
        _TABLE.c.dataset_id == info.id,
        _TABLE.c.reviewer == reviewer,
        _TABLE.c.mode == COPIES,
        _TABLE.c.id >= since,
    )
    counted: dict[str, int] = {}
    with reading(info.workspace) as connection:
        for cid in connection.execute(query).scalars():
            start = cid[: cid.rfind("~") + 1]
            counted[start] = counted.get(start, 0) + 1
    return counted


def _latest(info: DatasetInfo, *, auto: bool = False) -> Any:
    query = select(func.max(_TABLE.c.id)).where(_TABLE.c.dataset_id == info.id)
    if not auto:
        query = query.where(_TABLE.c.reviewer != AUTO_FIX)
    return query.group_by(_TABLE.c.row, _TABLE.c.reviewer)


def in_force(
    info: DatasetInfo, *, rows: Sequence[int] | None = None, auto: bool = False
) -> dict[int, list[Decision]]:
    """Return row -> decisions in force, one per reviewer, oldest first; see `meaning.meant`.

    Reopened images are absent, and answers with what is no class today (`meaning.is_void`). `rows`
    limits the answer to those rows; with `auto`, what plans decided unseen is among them.
    """
    latest = _latest(info, auto=auto)
    if rows is not None:
        latest = latest.where(_TABLE.c.row.in_(list(rows)))
    query = (
        select(_TABLE)
        .where(_TABLE.c.id.in_(latest), meaning.says(info) != str(Action.REOPEN))
        .order_by(_TABLE.c.id)
    )
    by_row: dict[int, list[Decision]] = {}
    with reading(info.workspace) as connection:
        found = connection.execution_options(yield_per=5000).execute(query)
        for record in _closing(found):
            by_row.setdefault(record.row, []).append(meaning.meant(_decision(record)))
    return by_row


def voided(info: DatasetInfo, no_classes: Sequence[int]) -> int:
    """Count the answers in force that say nothing once these labels are those that are no class."""
    then = meaning.says(replace(info, no_classes=tuple(no_classes)))
    gone = meaning.says(info) != str(Action.REOPEN), then == str(Action.REOPEN)
    query = select(func.count()).select_from(_TABLE).where(_TABLE.c.id.in_(_latest(info)), *gone)
    with reading(info.workspace) as connection:
        return int(connection.execute(query).scalar_one())


def states(info: DatasetInfo) -> list[tuple[int, str, Action, int | None]]:
    """Return (row, reviewer, action, label) in force, as plain tuples: the queue's fast path.

    Without answers with what is no class today, as `in_force`.
    """
    says = meaning.says(info)
    query = (
        select(_TABLE.c.row, _TABLE.c.reviewer, says, _TABLE.c.label)
        .where(_TABLE.c.id.in_(_latest(info)), says != str(Action.REOPEN))
        .order_by(_TABLE.c.id)
    )
    with reading(info.workspace) as connection:
        return [
            (row, reviewer, Action(action), label if action == Action.RELABEL else None)
            for row, reviewer, action, label in connection.execute(query)
        ]


def latest(info: DatasetInfo) -> Iterator[tuple[int, Action, str, int | None]]:
    """Yield (row, action, route, given label) of what people say now, oldest first.

    Without answers with what is no class today, as `in_force`.
    """
    t, says = _TABLE.c, meaning.says(info)
    query = (
        select(t.row, says, t.route, t.given_label)
        .where(t.id.in_(_latest(info)), says != str(Action.REOPEN))
        .order_by(t.id)
    )
    with reading(info.workspace) as connection:
        found = connection.execution_options(yield_per=5000).execute(query)
        for record in _closing(found):
            yield record.row, Action(record.says), record.route, record.given_label


def log(info: DatasetInfo) -> Generator[tuple[int, int, str, str], None, None]:
    """Yield (id, row, reviewer, action) of every decision ever, oldest first; see `changes`."""
    columns = (_TABLE.c.id, _TABLE.c.row, _TABLE.c.reviewer, meaning.says(info))
    query = select(*columns).where(_TABLE.c.dataset_id == info.id).order_by(_TABLE.c.id)
    with reading(info.workspace) as connection:
        found = connection.execution_options(yield_per=5000).execute(query)
        for record in _closing(found):
            yield record.id, record.row, record.reviewer, record.says


def changes(info: DatasetInfo, since: int) -> Iterator[tuple[int, int, str, str, str, int | None]]:
    """Yield (id, row, reviewer, action, route, label) of decisions after one, oldest first.

    What names what is no class today is a reopen.
    """
    t = _TABLE.c
    query = select(t.id, t.row, t.reviewer, meaning.says(info), t.route, t.label)
    query = query.where(t.dataset_id == info.id, t.id > since).order_by(t.id)
    with reading(info.workspace) as connection:
        found = connection.execution_options(yield_per=5000).execute(query)
        for record in _closing(found):
            yield tuple(record)


def last_id(info: DatasetInfo) -> int:
    """Return the number of the newest decision, 0 where there is none: a cheap change marker."""
    query = select(func.coalesce(func.max(_TABLE.c.id), 0)).where(_TABLE.c.dataset_id == info.id)
    with reading(info.workspace) as connection:
        return int(connection.execute(query).scalar_one())


def last_answered_at(info: DatasetInfo, until: int) -> str | None:
    """Return the latest time of an answer up to a decision's number; files that came have any."""
    query = select(func.max(_TABLE.c.decided_at)).where(
        _TABLE.c.dataset_id == info.id,
        _TABLE.c.id <= until,
        _TABLE.c.route != IMPORT,
        _TABLE.c.mode != IMPORT,
    )
    with reading(info.workspace) as connection:
        found: str | None = connection.execute(query).scalar_one()
    return found


def counts(info: DatasetInfo) -> dict[str, int]:
    """Return how many decisions in force there are of each action; see `in_force`."""
    says = meaning.says(info)
    query = (
        select(says, func.count())
        .where(_TABLE.c.id.in_(_latest(info)), says != str(Action.REOPEN))
        .group_by(says)
    )
    with reading(info.workspace) as connection:
        return {action: count for action, count in connection.execute(query)}


def reviewed(info: DatasetInfo) -> int:
    """Return how many images have an answer other than skip; unsure is one.

    Neither images that came with a label that is no class are among them, nor those whose
    suggestion was accepted unseen.
    """
    none = (Action.SKIP, Action.REOPEN, Action.AUTO)
    answered = [str(action) for action in Action if action not in none]
    query = select(func.count(_TABLE.c.row.distinct())).where(
        _TABLE.c.id.in_(_latest(info)), meaning.says(info).in_(answered)
    )
    if info.no_classes:
        given = func.coalesce(_TABLE.c.given_label, -1)
        query = query.where(given.not_in(info.no_classes))
    with reading(info.workspace) as connection:
        return int(connection.execute(query).scalar_one())
