"""Answers to images that somebody had answered: both are stored, and the person is told.

So is whoever takes an answer back upon which another window's stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from lnl_core.services.in_force import closed_to, standing
from lnl_core.services.review.again import first_id, taken
from lnl_core.services.review.blind import BLIND
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, Decision

_NO_ANSWER = (Action.SKIP, Action.REOPEN)


def answered_before(info: DatasetInfo, decision: Decision) -> list[dict[str, Any]]:
    """Return the answer that an image had, where it asked for no other; at most one.

    That is an image that was answered in another window while this one showed it. One that waits
    for a second reviewer is none: nobody is told what the first one said of it.

    Args:
        info: the data set.
        decision: an answer that is about to be stored.

    Returns:
        `cid` of the decision and `row`, `given`, `by` who answered before, whether that is the same
        person (`you`), `before` the id of that answer and the `minutes` since, and what both say:
        `first` and `second`, each `action`, `label`, `labels`.
    """
    who, row = decision.reviewer, decision.row
    if decision.action in _NO_ANSWER or not closed_to(standing(info), who)[row]:
        return []
    if decisions.is_stored(info, who, decision.cid):
        return []
    there = [d for d in decisions.in_force(info, rows=[row]).get(row, []) if _answers(d)]
    if not there:
        return []
    first = max(there, key=lambda each: each.id or 0)
    return [
        {
            "cid": decision.cid,
            "row": row,
            "given": decision.given_label,
            "by": first.reviewer,
            "you": first.reviewer == who,
            "before": first_id(first.cid),
            "minutes": _minutes_since(first.decided_at),
            "first": _said(first),
            "second": _said(decision),
        }
    ]


def left_standing(
    back: Decision, there: Sequence[Decision], cid: str | None
) -> list[dict[str, Any]]:
    """Return the person's own answer that stands though one was taken back; at most one.

    It was given in another window, upon the one that was to go. Where no label is shown, that it
    stands is all that is told.

    Args:
        back: the taking back.
        there: the answers that stand, as `again.answers` gives them.
        cid: the client id of the answer that was to go.

    Returns:
        As `answered_before`, with `reopen` as the `second` action.
    """
    if back.action is not Action.REOPEN or cid is None or taken(there, cid):
        return []
    first = there[-1] if there else None
    if first is None or first.action is Action.SKIP:
        return []
    told = {"cid": back.cid, "row": back.row, "you": True, "before": first_id(first.cid)}
    told["second"] = _said(back)
    if back.mode == BLIND:
        return [told]
    words = {"given": back.given_label, "by": back.reviewer, "first": _said(first)}
    return [told | words | {"minutes": _minutes_since(first.decided_at)}]


def _answers(decision: Decision) -> bool:
    return decision.action not in _NO_ANSWER and decision.mode != decisions.COPIES


def _said(decision: Decision) -> dict[str, Any]:
    labels = list(decision.labels)
    return {"action": str(decision.action), "label": decision.label, "labels": labels}


def _minutes_since(stamp: str) -> int:
    since = datetime.now(UTC) - datetime.fromisoformat(stamp)
    return max(0, int(since.total_seconds() // 60))
