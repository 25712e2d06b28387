"""Advice that was shown before an answer, kept until the answer comes: over a reload, in another
mode, on a page, after taking back.

The desk shows advice without an answer where it is asked for, and says at each answer whether it
may have been led. What it has seen in the window at hand it knows by itself; of an image without
its label, and of one on a page, it is not told, and the answer is looked up when it is recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from lnl_core.services.review.blind import BLIND
from lnl_core.store import advised, decisions
from lnl_core.types import Action, Busy, DatasetInfo, Decision, LnlError, ReadOnly

_BEFORE_ADVICE = (Action.RELABEL, Action.MULTIPLE, Action.NONE)
"""What may follow a Wrong that was said before the advice came with it."""


def note(info: DatasetInfo, reviewer: str, row: int) -> None:
    """Note that a person was shown what the methods say of an image.

    Raises:
        LnlError: no such image, or nothing can be saved now.
    """
    if not 0 <= row < info.n:
        raise LnlError("There is no such image. Open the queue again.")
    advised.note(info, reviewer, row)


def note_by(info: DatasetInfo, reviewer: str, row: int) -> None:
    """Note it of whoever has the page open, as far as anything can be saved now."""
    with suppress(Busy, ReadOnly):
        decisions.add_reviewer(info.workspace, reviewer)
        note(info, reviewer, row)


def flagged(
    info: DatasetInfo,
    reviewer: str,
    shown: Sequence[dict[str, Any]],
    hidden: Collection[int] = (),
) -> list[dict[str, Any]]:
    """Return items with `advised` where the reviewer was shown the advice before.

    Args:
        info: the data set.
        reviewer: who gets them.
        shown: items of the queue.
        hidden: rows of hidden looks: of them it would tell what they are.
    """
    rows = {each["row"] for each in shown}.difference(hidden)
    seen = advised.among(info, reviewer, rows) if rows else set()
    return [each | ({"advised": True} if each["row"] in seen else {}) for each in shown]


def rows_of(
    info: DatasetInfo, reviewer: str, entries: Sequence[Mapping[str, Any]]
) -> Collection[int]:
    """Return on which images of a browser's answers the reviewer was shown the advice before."""
    rows = {row for each in entries if isinstance(row := each.get("row"), int)}
    return advised.among(info, reviewer, {row for row in rows if 0 <= row < info.n})


def led(said: Decision, seen: Collection[int]) -> Decision:
    """Return an ordinary answer as it came about: `revealed` where the advice was shown before it.

    A class that was named after Wrong is as the browser says: the advice came with the Wrong. In
    the mode Blind there is no Wrong, and no advice either: it was shown before.

    Args:
        said: the answer.
        seen: as `rows_of` gives them.
    """
    if said.row not in seen or said.action is Action.REOPEN:
        return said
    if said.mode != BLIND and said.action in _BEFORE_ADVICE:
        return said
    return replace(said, revealed=True)
