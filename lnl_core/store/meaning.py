"""What a stored decision counts as today, as a value and in a query: one rule, written twice."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from sqlalchemy import ColumnElement, case, func, literal, or_

from lnl_core.records import Action, DatasetInfo, Decision
from lnl_core.store import schema


def meant(decision: Decision) -> Decision:
    """Return what a decision says: a relabel to the given label keeps it."""
    if decision.action is Action.RELABEL and decision.label == decision.given_label:
        return replace(decision, action=Action.KEEP, label=None)
    return decision


def is_void(said: Decision, no_classes: Collection[int]) -> bool:
    """Tell whether an answer says nothing today: its label is no class any more.

    Everywhere it counts as taken back, until the label is a class again; `says` is the same rule
    for queries.
    """
    kept = said.given_label if said.action is Action.KEEP else None
    return any(label in no_classes for label in (kept, said.label, *said.labels))


_MEANT = case(
    (
        (schema.decisions.c.action == str(Action.RELABEL))
        & (schema.decisions.c.label == schema.decisions.c.given_label),
        str(Action.KEEP),
    ),
    else_=schema.decisions.c.action,
)
"""The action that counts: a relabel to the given label says that it is right, whoever sent it."""


def says(info: DatasetInfo) -> ColumnElement[str]:
    """Return the action that counts today: reopen of what `is_void` says is void."""
    none, t = info.no_classes, schema.decisions.c
    if not none:
        return _MEANT.label("says")
    several = literal(",") + func.replace(
        func.replace(func.replace(t.labels, "[", ""), "]", ","), " ", ""
    )
    void = or_(
        t.given_label.in_(none) & _MEANT.in_([str(Action.KEEP)]),
        t.label.in_(none),
        *(several.contains(f",{label},") for label in none),
    )
    return case((void, str(Action.REOPEN)), else_=_MEANT).label("says")
