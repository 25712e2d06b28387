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
            there, below = [], (there or below)[:-1]
        elif first_id(each.cid) != each.cid:
            there = below
        else:
            there = [*there, each]
    return there


def first_id(cid: str) -> str:
    """Return the client id of an answer when it was given, also where it stands again."""
    return _MARK.sub("", cid)


def taken(there: Sequence[Decision], cid: str | None) -> list[Decision]:
    """Return which answers to an image a taking back takes: one, and what came upon it.

    Nothing where that one does not stand: a skip may have been left out. What came from another
    window upon it stays, and so does what is below that.

    Args:
        there: as `answers` gives them.
        cid: the client id of the one; None, in journals of earlier versions, for the last.
    """
    if cid is None:
        return list(there[-1:])
    first, found = first_id(cid), list[Decision]()
    if all(each.cid != first for each in there):
        return []
    for each in reversed(there):
        if _window(each.cid) != _window(first):
            break
        found.append(each)
        if each.cid == first:
            break
    return found


def _window(cid: str) -> str:
    return cid.partition(".")[0]


def taking(info: DatasetInfo, back: Decision, there: Sequence[Decision], n: int) -> list[Decision]:
    """Return the taking back of the last n answers to an image, and the one that stands again.

    Args:
        info: the data set.
        back: the taking back.
        there: as `answers` gives them.
        n: how many of them.
    """
    more = [replace(back, cid=f"{_short(back.cid)}~b{i}", seconds=None) for i in range(1, n)]
    return [back, *more, *_again(info, there[: len(there) - n], back)]


def _short(cid: str) -> str:
    if len(cid) <= _LONGEST:
        return cid
    return hashlib.sha256(cid.encode()).hexdigest()[:_LONGEST]


def _again(info: DatasetInfo, left: Sequence[Decision], back: Decision) -> list[Decision]:
    """Return the last of the answers that are left as it stands again, if there is one."""
    if not left:
        return []
    earlier = left[-1]
    cid = f"{_short(earlier.cid)}~a{hashlib.sha256(back.cid.encode()).hexdigest()[:5]}"
    at = back.decided_at
    earlier = replace(earlier, id=0, cid=cid, decided_at=at, seconds=None, position=None)
    try:
        checking.check(info, earlier)
    except LnlError:  # its class is gone
        return []
    return [earlier]


def looks_back(info: DatasetInfo, back: Decision, cid: str | None) -> list[Decision]:
    """Return the taking back of a hidden look, and the look before it that stands again.

    Nothing where what it takes back does not stand.
    """
    there = of_look(info, back)
    gone = taken(there, cid)
    return taking(info, back, there, len(gone)) if gone or cid is None else []


def is_stored_look(info: DatasetInfo, look: Decision) -> bool:
    """Tell whether a look has come before: a journal may be sent again."""
    mine = look.reviewer, look.cid
    return any((each.reviewer, each.cid) == mine for each in stored_looks.every(info))


def is_answered_look(info: DatasetInfo, look: Decision) -> bool:
    """Tell whether whoever skips a hidden look has said more there."""
    return any(each.action is not Action.SKIP for each in of_look(info, look)[-1:])


def of_look(info: DatasetInfo, look: Decision) -> list[Decision]:
    """Return the answers to a hidden look that stand one upon the other, as `answers` does."""
    every = stored_looks.every(info)
    key = (look.row, look.reviewer, look.route)
    return answers(each for each in every if (each.row, each.reviewer, each.route) == key)


def with_earlier(
    info: DatasetInfo, reviewer: str, shown: Iterable[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return a person's last answers, each with the one that taking it back brings back: `before`.

    That is its `action`, `label`, `labels` and `cid`, and what was `before` it in turn.
    """
    shown = list(shown)
    said = decisions.of_rows(info, reviewer, [each["row"] for each in shown])
    return [each | _earlier(answers(said.get(each["row"], []))) for each in shown]


def before_look(info: DatasetInfo, look: Decision) -> dict[str, Any]:
    """Return the same of a hidden look: it is told like any other answer."""
    return _earlier(of_look(info, look))


def _earlier(there: Sequence[Decision]) -> dict[str, Any]:
    told = dict[str, Any]()
    for each in there[:-1]:
        what = {"action": str(each.action), "label": each.label, "labels": list(each.labels)}
        told = {"before": what | {"cid": each.cid} | told}
    return told
