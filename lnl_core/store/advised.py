"""Whom the advice on which image was shown: what was seen was seen, whatever follows."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from lnl_core.records import DatasetInfo
from lnl_core.store import datasets, schema
from lnl_core.store.db import now, reading, transaction
from lnl_core.store.decisions import insert_for

_TABLE = schema.advised


def note(info: DatasetInfo, reviewer: str, row: int) -> None:
    """Note that a person was shown the advice on an image; once is enough.

    Nothing is noted of a name that nobody has here, nor in a set that is gone.
    """
    if among(info, reviewer, [row]):
        return  # without the lock that writing takes
    people = schema.reviewers.c.name
    with transaction(info.workspace) as connection:
        known = connection.execute(select(people).where(people == reviewer)).first()
        if known is None or not datasets.alone(connection, info):
            return
        values = {"dataset_id": info.id, "reviewer": reviewer, "row": row, "at": now()}
        insert = insert_for(connection)
        connection.execute(insert(_TABLE).values(values).on_conflict_do_nothing())


def among(info: DatasetInfo, reviewer: str, rows: Collection[int]) -> set[int]:
    """Return which of some images a person was shown the advice on."""
    mine = _TABLE.c.dataset_id == info.id, _TABLE.c.reviewer == reviewer
    query = select(_TABLE.c.row).where(*mine, _TABLE.c.row.in_(list(rows)))
    with reading(info.workspace) as connection:
        return set(connection.execute(query).scalars())
