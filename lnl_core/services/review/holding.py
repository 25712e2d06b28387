"""Who has which images on the screen: what one reviewer is sent, no other is sent meanwhile.

A fetch takes leases (`store.leases`), an answer frees them, and so do leaving the page and a
quarter of an hour without a word. An answer to an image whose lease ran out is kept all the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnl_core.services.in_force import Standing, closed_to
from lnl_core.services.review.groups import groups_of
from lnl_core.store import decisions, leases
from lnl_core.store.faults import AT_ONCE
from lnl_core.types import BoolArray, Busy, DatasetInfo, IntArray, ReadOnly, Workspace

FEW, SHARE = 5, 4
"""A fetch takes at most a quarter of what is free, but five: others are to get some, too."""

AHEAD, PART = 15, 12
"""Nor does it take more than a twelfth, but fifteen, or fifteen alone while others have some: they
are to get their share of the most suspicious images. What somebody has beyond them since before
others came is free a minute after the next fetch."""

FIRST = 2.0
"""Seconds that who has no image yet waits for the database where others wait for `AT_ONCE`: without
taking any, two who come at the same time are shown the same images."""


def elsewhere(info: DatasetInfo, reviewer: str) -> IntArray:
    """Return the rows that other reviewers have been sent, and the copies of their pictures.

    One answer may go to all copies (`groups`): a picture is at one reviewer, not an image.
    """
    rows = [each.row for each in leases.held(info) if each.reviewer != reviewer]
    known = groups_of(info)
    if known is None or not len(known.rows):
        return np.array(rows, np.int64)
    return np.unique(np.concatenate([np.zeros(0, np.int64), *map(known.of, rows)]))


def _pictures(info: DatasetInfo) -> IntArray | None:
    """Return (n,) the first row of each image's picture; None where each comes once."""
    known = groups_of(info)
    return None if known is None or not len(known.rows) else known.first


def room(limit: int, out: BoolArray, *, shared: bool) -> int:
    """Return how many of `limit` images a reviewer gets.

    Args:
        limit: as many are asked for.
        out: (n,) True where an image is not free.
        shared: whether others have images now.
    """
    free = int(np.count_nonzero(~out))
    most = AHEAD if shared else max(AHEAD, -(-free // PART))
    return min(limit, max(FEW, min(-(-free // SHARE), most)))


def second_looks(now: Standing, reviewer: str) -> BoolArray:
    """Return (n,) True where somebody else has answered, and this reviewer is asked as well."""
    looks: BoolArray = now.waiting & ~closed_to(now, reviewer)
    return looks


def hold(
    info: DatasetInfo, reviewer: str, tab: str, rows: Sequence[int], now: Standing, limit: int
) -> list[int]:
    """Take images for a tab of a reviewer and return those that it has, in their order.

    Images that need no answer of this reviewer any more are not taken: whoever asks for them sees
    them. Where nothing can be saved, all are there to be looked at.

    Args:
        info: the data set.
        reviewer: who fetches.
        tab: of which browser.
        rows: candidates, the best first.
        now: the decisions that the candidates were chosen by.
        limit: how many at most.

    Raises:
        Busy: another program holds the database, see `without_taking`.
    """
    closed = closed_to(now, reviewer)
    asked = [row for row in rows if not closed[row]]
    second = set(np.flatnonzero(second_looks(now, reviewer)).tolist())
    patience = AT_ONCE if _had(info, reviewer) else FIRST
    try:
        decisions.add_reviewer(info.workspace, reviewer, patience)
        taken = leases.take(
            info,
            reviewer,
            tab,
            asked,
            limit=limit,
            since=now.last_id,
            second=second,
            pictures=_pictures(info),
            patience=patience,
        )
    except ReadOnly:
        return list(rows[:limit])
    had = set(taken)
    return [row for row in rows if closed[row] or row in had][:limit]


def without_taking(info: DatasetInfo, reviewer: str, rows: Sequence[int]) -> set[int]:
    """Return which rows to show where none can be taken now: those that the reviewer has.

    Who has none is shown all of them, though others may be as well: a queue without an image says
    that nothing is left.
    """
    return _had(info, reviewer) & set(rows) or set(rows)


def _had(info: DatasetInfo, reviewer: str) -> set[int]:
    return {each.row for each in leases.held(info) if each.reviewer == reviewer}


def give_back(ws: Workspace, tab: str) -> int:
    """Free what a tab was sent and has not answered; return how many images that were."""
    try:
        return leases.give_back(ws, tab)
    except (Busy, ReadOnly):  # they are free in a quarter of an hour
        return 0
