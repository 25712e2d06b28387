"""Taking an answer back: the one whose place it had taken stands again.

Nothing is edited: the taking back is a decision, and so is the earlier answer that stands again.
Its client id begins with its first one's and says that nobody looked anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lnl_core.store import checking, decisions
from lnl_core.store import looks as stored_looks
from lnl_core.types import Action, DatasetInfo, Decision, LnlError

_MARK = re.compile(r"~a[0-9a-f]{5}$")
_LONGEST = 73
"""Letters of a client id that leave room for the mark."""


def answers(said: Iterable[Decision]) -> list[Decision]:
    """Return the answers to one image that stand one upon the other, the one in force last.

    Args:
        said: all that a person ever said of it, oldest first.
    """
    there, below = list[Decision](), list[Decision]()
    for each in said:
        if each.action is Action.REOPEN:
            there, below = [], there[:-1]
        elif first_id(each.cid) != each.cid:
            there = below
        else:
            there = [*there, each]
    return there


def first_id(cid: str) -> str:
    """Return the client id of an answer when it was given, also where it stands again."""
    return _MARK.sub("", cid)


def before(info: DatasetInfo, there: Sequence[Decision], back: Decision) -> list[Decision]:
    """Return the answer that stands again once another one is taken back, if there is one.

    Args:
        info: the data set.
        there: as `answers` gives them.
        back: the taking back.
    """
    if len(there) < 2:
        return []
    earlier = there[-2]
    cid = earlier.cid
    if len(cid) > _LONGEST:
        cid = hashlib.sha256(cid.encode()).hexdigest()[:_LONGEST]
    cid += f"~a{hashlib.sha256(back.cid.encode()).hexdigest()[:5]}"
    at = back.decided_at
    earlier = replace(earlier, id=0, cid=cid, decided_at=at, seconds=None, position=None)
    try:
        checking.check(info, earlier)
    except LnlError:  # its class is gone
        return []
    return [earlier]


def looks_back(info: DatasetInfo, back: Decision) -> list[Decision]:
    """Return the taking back of a hidden look, and the look before it that stands again."""
    return [back, *before(info, _of_look(info, back), back)]


def _of_look(info: DatasetInfo, look: Decision) -> list[Decision]:
    every = stored_looks.every(info)
    key = (look.row, look.reviewer, look.route)
    return answers(each for each in every if (each.row, each.reviewer, each.route) == key)


def with_earlier(
    info: DatasetInfo, reviewer: str, shown: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return a person's last answers, each with the one that taking it back brings back: `before`.

    That is its `action`, `label` and `labels`, and what was `before` it in turn.
    """
    shown = list(shown)
    said = decisions.of_rows(info, reviewer, [each["row"] for each in shown])
    return [each | _earlier(answers(said.get(each["row"], []))) for each in shown]


def before_look(info: DatasetInfo, look: Decision) -> dict[str, Any]:
    """Return the same of a hidden look: it is told like any other answer."""
    return _earlier(_of_look(info, look))


def _earlier(there: Sequence[Decision]) -> dict[str, Any]:
    told = dict[str, Any]()
    for each in there[:-1]:
        what = {"action": str(each.action), "label": each.label, "labels": list(each.labels)}
        told = {"before": what | told}
    return told
