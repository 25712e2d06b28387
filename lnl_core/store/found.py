"""Which given labels people have found wrong: the one rule, and the one number, of every place."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import select

from lnl_core.records import Action, DatasetInfo
from lnl_core.store import decisions, schema
from lnl_core.store.db import reading

WRONG_ACTIONS = (Action.RELABEL, Action.MULTIPLE, Action.NONE)
"""Verdicts that say that the given label, alone, is not right."""

SETTLING_ACTIONS = (Action.KEEP, *WRONG_ACTIONS)


def found_wrong(actions: Collection[Action]) -> bool:
    """Say whether a label is found wrong: somebody says that it is, and nobody that it is right.

    People need not agree on what is right instead. While they contradict each other on whether the
    label is right, it is not found wrong; what one is unsure of, another may have found.

    Args:
        actions: of the answers that count on one image, a relabel to the given label being a keep.
    """
    return Action.KEEP not in actions and any(each in WRONG_ACTIONS for each in actions)


def number_found_wrong(info: DatasetInfo) -> int:
    """Count the labels found wrong: by people, of the labels that the images came with.

    Copies count each; what plans changed unseen, and images without a class, do not count. The
    masks of `services.in_force.standing` hold the same images; this reads no arrays.
    """
    said: dict[int, list[tuple[Action, bool]]] = {}
    for row, action, route, given in decisions.latest(info):
        if given not in info.no_classes:
            said.setdefault(row, []).append((action, route == decisions.SETTLED))
    return sum(found_wrong(counting(each)) for each in said.values())


def any_drawn_put_off(info: DatasetInfo) -> bool:
    """Say whether anybody ever skipped, or was unsure of, an image that chance drew."""
    said, drawn = schema.decisions.c, schema.audit_draws.c
    query = select(said.id).where(
        said.dataset_id == info.id,
        drawn.dataset_id == info.id,
        said.row == drawn.row,
        said.action.in_([str(Action.SKIP), str(Action.UNSURE)]),
    )
    with reading(info.workspace) as connection:
        return connection.execute(query.limit(1)).first() is not None


def counting(said: Iterable[tuple[Action, bool]]) -> list[Action]:
    """Return the actions that count: the last one that settles, where one does, alone.

    Args:
        said: (action, whether somebody entitled settled the image by it), oldest first.
    """
    every = list(said)
    settling = [action for action, settles in every if settles]
    return settling[-1:] or [action for action, _ in every]
