"""Hidden looks: what people said where only they were measured. Appended, never edited.

They lie in a table of their own, so that no reader of decisions can take one for a decision. Of
each image, reviewer and route the latest is in force.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from functools import lru_cache

from sqlalchemy import func, select

from lnl_core.records import Action, DatasetInfo, Decision, LnlError
from lnl_core.store import datasets, decisions, meaning, schema
from lnl_core.store.checking import classes_stay
from lnl_core.store.db import now, reading, transaction
from lnl_core.store.once import asked

_TABLE = schema.looks


def append(info: DatasetInfo, looks: Sequence[Decision]) -> None:
    """Store hidden looks in the order given, in one transaction; a client id is stored once.

    Args:
        info: the data set.
        looks: answers, `route` says what for.

    Raises:
        LnlError: the set was removed, or a class taken back; then nothing is stored.
    """
    if not looks:
        return
    names = {
        each: decisions.add_reviewer(info.workspace, each) for each in {x.reviewer for x in looks}
    }
    values = [
        {
            "dataset_id": info.id,
            "row": each.row,
            "reviewer": names[each.reviewer],
            "route": each.route,
            "action": str(each.action),
            "label": each.label,
            "labels": json.dumps(list(each.labels)),
            "cid": each.cid or uuid.uuid4().hex,
            "decided_at": each.decided_at or now(),
            "seconds": each.seconds,
            "given_label": each.given_label,
            "suggested_label": each.suggested_label,
            "p_wrong": each.p_wrong,
            "position": each.position,
            "mode": each.mode,
            "revealed": each.revealed,
        }
        for each in looks
    ]
    with transaction(info.workspace) as connection:
        if not datasets.alone(connection, info):
            raise LnlError(f"“{info.name}” was removed. Open the data sets that are there: Data.")
        classes_stay(info, looks)
        insert = decisions.insert_for(connection)
        once = ["dataset_id", "reviewer", "cid"]
        connection.execute(insert(_TABLE).on_conflict_do_nothing(index_elements=once), values)


def last_id(info: DatasetInfo) -> int:
    """Return the number of the newest look, 0 where there is none."""
    return asked((_last_id, info.workspace, info.id), lambda: _last_id(info))


def _last_id(info: DatasetInfo) -> int:
    query = select(func.coalesce(func.max(_TABLE.c.id), 0)).where(_TABLE.c.dataset_id == info.id)
    with reading(info.workspace) as connection:
        return int(connection.execute(query).scalar_one())


def every(info: DatasetInfo) -> tuple[Decision, ...]:
    """Return every look ever, oldest first; read once for each that is added."""
    return _every(info, last_id(info))


@lru_cache(maxsize=16)
def _every(info: DatasetInfo, last: int) -> tuple[Decision, ...]:
    if not last:
        return ()
    query = select(_TABLE).where(_TABLE.c.dataset_id == info.id, _TABLE.c.id <= last)
    with reading(info.workspace) as connection:
        found = connection.execute(query.order_by(_TABLE.c.id))
        return tuple(map(decisions.of_record, found))


def in_force(info: DatasetInfo, until: int | None = None) -> tuple[Decision, ...]:
    """Return the looks in force, in the order they were made; those taken back are absent.

    Args:
        info: the data set.
        until: number of the last look that counts; all when None.
    """
    return _in_force(info, last_id(info) if until is None else until)


@lru_cache(maxsize=16)
def _in_force(info: DatasetInfo, last: int) -> tuple[Decision, ...]:
    latest: dict[tuple[int, str, str], Decision] = {}
    for each in _every(info, last):
        latest.pop((each.row, each.reviewer, each.route), None)
        said = meaning.meant(each)
        if said.action is not Action.REOPEN and not meaning.is_void(said, info.no_classes):
            latest[each.row, each.reviewer, each.route] = said
    return tuple(latest.values())


def classes_named(info: DatasetInfo) -> set[int]:
    """Return the numbers of the classes that any answer or look ever named, also as suggestion."""
    named: set[int | None] = set()
    for table in (schema.decisions, _TABLE):
        t = table.c
        query = select(t.label, t.suggested_label, t.labels).where(t.dataset_id == info.id)
        with reading(info.workspace) as connection:
            for label, suggested, labels in connection.execute(query.distinct()):
                named |= {label, suggested, *json.loads(labels)}
    return {number for number in named if number is not None}


def answers_ever(info: DatasetInfo, reviewer: str) -> int:
    """Return how many answers a reviewer has ever sent, those taken back and looks included.

    It never falls. One answer to several copies of a picture is one.
    """
    made, looked = schema.decisions.c, _TABLE.c
    count = select(func.count())
    decided = count.where(
        made.dataset_id == info.id, made.reviewer == reviewer, made.mode != decisions.COPIES
    )
    hidden = count.where(looked.dataset_id == info.id, looked.reviewer == reviewer)
    with reading(info.workspace) as connection:
        return int(connection.execute(decided).scalar_one()) + int(
            connection.execute(hidden).scalar_one()
        )
