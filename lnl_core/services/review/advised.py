"""Advice that was shown before an answer, kept until the answer comes: over a reload, in another
mode, on a page, after taking back.

The desk shows advice without an answer where it is asked for, and says at each answer whether it
may have been led. What it has seen in the window at hand it knows by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from lnl_core.store import advised, decisions
from lnl_core.types import Busy, DatasetInfo, LnlError, ReadOnly


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
