"""Which part of a data set is whose: at most one per reviewer."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select

from lnl_core.records import DatasetInfo
from lnl_core.store import datasets, decisions, schema
from lnl_core.store.db import reading, transaction
from lnl_core.store.once import asked

_TABLE = schema.parts


def parts(info: DatasetInfo) -> dict[str, tuple[str, Any]]:
    """Return reviewer -> kind and value of the part that is theirs."""
    return asked((_parts, info.workspace, info.id), lambda: _parts(info))


def _parts(info: DatasetInfo) -> dict[str, tuple[str, Any]]:
    query = select(_TABLE.c.reviewer, _TABLE.c.kind, _TABLE.c.value)
    with reading(info.workspace) as connection:
        found = connection.execute(query.where(_TABLE.c.dataset_id == info.id))
        return {who: (kind, json.loads(value)) for who, kind, value in found}


def assign(info: DatasetInfo, given: dict[str, tuple[str, Any] | None]) -> None:
    """Give reviewers their parts, all at once; None takes a part away."""
    for who in given:
        decisions.add_reviewer(info.workspace, who)
    new = [
        {"dataset_id": info.id, "reviewer": who, "kind": part[0], "value": json.dumps(part[1])}
        for who, part in given.items()
        if part is not None
    ]
    with transaction(info.workspace) as connection:
        datasets.alone(connection, info)
        mine = (_TABLE.c.dataset_id == info.id, _TABLE.c.reviewer.in_(list(given)))
        connection.execute(delete(_TABLE).where(*mine))
        if new:
            connection.execute(_TABLE.insert(), new)
