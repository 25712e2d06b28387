"""The random audit: which rows come next, and what people say of those that were drawn.

A row is drawn for a reviewer before it is shown, from all rows without an answer, and is shown
among the queue's rows like any other. What counts is the set that it was drawn from, as it was at
the draw: this needs neither that the queue's rows are answered first (as a page would have to)
nor that a drawn row is answered soon, and holds for any number of reviewers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from lnl_core.review import auditing
from lnl_core.review.evidence import AUDIT, Audit
from lnl_core.services.in_force import (
    Scored,
    Standing,
    closed_to,
    labelled_count,
    scored,
    standing,
)
from lnl_core.services.review.moves import moves
from lnl_core.store import audits, decisions
from lnl_core.store.audits import Draw
from lnl_core.types import (
    Action,
    BoolArray,
    Busy,
    DatasetInfo,
    Decision,
    FloatArray,
    IntArray,
    ReadOnly,
)

AHEAD = 16
"""Places of the window for which rows are drawn ahead; the further ones when they are near."""

ALONE_AHEAD = 6
"""The same where every place is for a drawn row, which counts as wrong while it has no answer."""

FEW_MORE = 2
"""Drawn rows that may wait beyond those for which there are places near."""

LOOKS = 100
"""Last looks of a reviewer that a fetch reads."""

LEFT_BEHIND = timedelta(days=1)
"""A drawn row that its reviewer has not answered after this goes to another one."""

RIGHT, WRONG, UNCLEAR, OPEN = 0, 1, -1, -2
"""What people say of a row: unclear where they are unsure or do not agree."""


# Rows that are drawn ---------------------------------------------------------------------------


def draws(info: DatasetInfo) -> tuple[Draw, ...]:
    """Return a data set's draws in their order, without rows whose label has become no class."""
    drawn = audits.draws(info)
    if not info.no_classes:
        return drawn
    no_class = standing(info).no_class
    return tuple(each for each in drawn if not no_class[each.row])


def mixed(
    info: DatasetInfo,
    reviewer: str,
    now: Standing,
    limit: int,
    *,
    only: bool = False,
    elsewhere: IntArray | None = None,
    newest: Sequence[Decision] | None = None,
) -> dict[int, int]:
    """Return place -> drawn row for the next `limit` places of a reviewer's queue; draws them.

    A row that was drawn for this reviewer and has no answer comes first, then one that another
    reviewer left behind, then a new draw. Where some more wait than there are places near, they
    come before anything else: until they are answered, they count as wrong. What finds no place
    at all follows at place `limit` and after: it is not for the queue to show. With `only`, every
    place is for a drawn row: whoever wants a certificate soon asks for nothing else. `elsewhere`
    are rows that other reviewers have been sent: where it is known, a drawn row that nobody has is
    free. `newest` are this reviewer's last looks, where they are known.
    """
    drawn = draws(info)
    rows = np.array([each.row for each in drawn], np.int64)
    whole = np.array([each.row for each in since_grown(info, now)], np.int64)
    answered = int(now.answered[whole].sum())
    if newest is None:
        newest = latest(info, reviewer)
    since = _since(newest, {int(row) for row in rows})
    places = list(range(limit)) if only else auditing.audit_slots(since, answered, limit)
    waiting = _waiting(drawn, now, reviewer, elsewhere)
    ahead = ALONE_AHEAD if only else AHEAD
    missing = sum(place < ahead for place in places) - len(waiting)
    if len(waiting) > len(auditing.audit_slots(since, answered, AHEAD)) + FEW_MORE:
        places = list(range(min(limit, len(waiting))))
    elif missing > 0:

        def ask() -> tuple[int, BoolArray]:
            fresh = standing(info)
            return fresh.last_id, fresh.answered | fresh.no_class

        with suppress(Busy, ReadOnly):  # looking needs no lock: the next look draws them
            waiting += [each.row for each in audits.draw(info, reviewer, missing, ask)]
    places += range(limit, limit + len(waiting))
    return dict(zip(places, waiting, strict=False))


def latest(info: DatasetInfo, reviewer: str) -> list[Decision]:
    """Return a reviewer's last looks at images, newest first."""
    return list(decisions.history(info, reviewer=reviewer, limit=LOOKS, looks=True))


def _since(newest: Iterable[Decision], drawn: set[int]) -> int:
    """Return how many of a reviewer's last answers are younger than the last drawn row's.

    One answer to several copies of a picture is one look, and a drawn copy was not shown.
    """
    seen: set[int] = set()
    count = 0
    for each in newest:
        if each.row in seen:
            continue
        seen.add(each.row)
        if each.action is Action.REOPEN:
            continue
        if each.row in drawn:
            break
        count += 1
    return count


def _waiting(
    drawn: Iterable[Draw], now: Standing, reviewer: str, elsewhere: IntArray | None
) -> list[int]:
    """Return drawn rows for a reviewer to answer: the own ones, then those left behind."""
    closed = closed_to(now, reviewer)
    if elsewhere is not None:
        closed[elsewhere] = True
    open_ = [each for each in drawn if not closed[each.row]]
    present = datetime.now(UTC)
    own, others, none = [], [], np.zeros(0, np.int64)
    for each in open_:
        if each.reviewer == reviewer:
            own.append(each.row)
        elif (
            elsewhere is not None
            or abs(present - datetime.fromisoformat(each.drawn_at)) > LEFT_BEHIND
            or each.row in now.touched.get(each.reviewer, none)
        ):
            others.append(each.row)
    return own + others


# What the answers say --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Replay:
    """Every draw with the set that it was made from, as people see its rows today.

    Attributes:
        rows: (d,) drawn rows.
        said: (d,) RIGHT, WRONG, UNCLEAR or OPEN.
        unreviewed: (d,) rows that each draw chose from.
        found: (d,) rows known to be wrong among those it did not choose from.
        unclear: (d,) rows among those that are unclear, or open again.
        score_open: (d,) sum of p_wrong over the rows that it chose from.
    """

    rows: IntArray
    said: IntArray
    unreviewed: IntArray
    found: IntArray
    unclear: IntArray
    score_open: FloatArray

    def part(self, keep: BoolArray, wrong: BoolArray, *, careful: bool) -> Audit:
        """Return the audit of some draws; `careful` counts unclear rows outside as found."""
        found = self.found + self.unclear if careful else self.found
        routes = (AUDIT,) * int(keep.sum())  # rows of the table of draws, nothing else
        return Audit(self.unreviewed[keep], found[keep], wrong[keep], routes)

    def some(self, which: slice) -> Replay:
        """Return some of the draws."""
        return Replay(**{each.name: getattr(self, each.name)[which] for each in fields(self)})

    @property
    def clear(self) -> BoolArray:
        """(d,) True where the drawn row is right or wrong."""
        clear: BoolArray = (self.said == RIGHT) | (self.said == WRONG)
        return clear

    @property
    def counted(self) -> Audit:
        """The draws with a clear answer."""
        return self.part(self.clear, self.said == WRONG, careful=False)


def about_given(now: Standing) -> IntArray:
    """Return (n,) what people say of every given label today."""
    said = np.full(len(now.settled), OPEN)
    said[now.kept] = RIGHT
    said[now.found_wrong] = WRONG
    said[now.disputed | now.waiting] = UNCLEAR
    return said


def said_of(now: Standing) -> IntArray:
    """Return (n,) what people say of every label today: the given one, or what a plan made of it.

    So an image whose label was changed unseen is open until a person has answered it, and wrong
    where that person says something else.
    """
    said = about_given(now)
    if now.auto_since:
        auto = now.auto >= 0
        said[auto & now.auto_right] = RIGHT
        said[auto & now.auto_wrong] = WRONG
        said[auto & now.auto_right & now.auto_wrong] = UNCLEAR
    return said


def replay(info: DatasetInfo, at: Standing | None = None) -> Replay:
    """Go through decisions and draws in the order they were made.

    Where images were added, or labels changed unseen, only later draws are there: they alone chose
    from the set as it is.

    Args:
        info: the data set.
        at: what people say of its rows; today where None.
    """
    now = at or standing(info)
    whole = _replay(info, now, draws(info), scored(info), of_given=False)
    return whole.some(slice(len(whole.rows) - len(since_grown(info, now)), None))


def replay_of_given(info: DatasetInfo, at: Standing | None = None) -> Replay:
    """Return the draws as what they say of the labels that the images came with; `at` as above.

    No plan changes those, so draws from before it count.
    """
    whole = _replay(info, at or standing(info), draws(info), scored(info), of_given=True)
    return whole.some(slice(len(whole.rows) - len(_of_whole_set(info)), None))


def replay_before(info: DatasetInfo, at: Standing | None = None) -> Replay:
    """Return the draws from before images were added last: they chose from the smaller set."""
    whole = _replay(info, at or standing(info), draws(info), scored(info), of_given=True)
    end = len(whole.rows) - len(_of_whole_set(info))
    first = [0, *_made_before(info)][-2]
    return whole.some(slice(first, end))


def since_grown(info: DatasetInfo, at: Standing | None = None) -> tuple[Draw, ...]:
    """Return the draws that chose from all images of the set, with the labels that they have.

    Args:
        info: the data set.
        at: the decisions that say which labels that are; today's where None.
    """
    since = (at or standing(info)).auto_since
    return tuple(each for each in _of_whole_set(info) if each.last_decision >= since)


def _of_whole_set(info: DatasetInfo) -> tuple[Draw, ...]:
    return draws(info)[[0, *_made_before(info)][-1] :]


def _made_before(info: DatasetInfo) -> list[int]:
    """Return how many of the `draws` are from before images were added, for each time.

    By their numbers: what the set keeps also counts rows whose label has become no class since.
    Where earlier programs have not kept that, their times say it.
    """
    drawn = draws(info)
    return [
        sum(each.drawn_at <= at if after is None else each.number < after[0] for each in drawn)
        for at, after in zip(info.grown_at, info.grown_after, strict=True)
    ]


def open_draws(info: DatasetInfo, now: Standing) -> int:
    """Return how many drawn images wait for an answer, of those that speak of the set as it is."""
    return int((replay(info, now).said == OPEN).sum())


def put_off(info: DatasetInfo, now: Standing) -> int:
    """Return how many of those people have seen and not settled: skipped, or somebody is unsure.

    They count as wrong, and no queue shows them again to whoever put them off.
    """
    seen = put_off_rows(now)
    return int(seen[[each.row for each in since_grown(info, now)]].sum())


def put_off_rows(now: Standing) -> BoolArray:
    """Return (n,) True where people have seen a row and not settled it: skipped, or unsure."""
    seen = now.waiting.copy()
    for rows in now.touched.values():
        seen[rows[~now.answered[rows]]] = True
    return seen


@lru_cache(maxsize=4)
def _replay(
    info: DatasetInfo,
    now: Standing,
    drawn: tuple[Draw, ...],
    ranked: Scored | None,
    *,
    of_given: bool,
) -> Replay:
    said = about_given(now) if of_given else said_of(now)
    rows = np.array([each.row for each in drawn], np.int64)
    p = np.zeros(info.n) if ranked is None else np.asarray(ranked.ranking.p_wrong, np.float64)
    at, moved, step = _moves_at_draws(info, now, drawn, rows)
    what = said[moved]

    def until(value: FloatArray) -> FloatArray:
        """(d,) the sum over the rows that were out of what each draw chose from."""
        here = at < len(rows)
        sums = np.bincount(at[here], (step * value)[here], len(rows))
        total: FloatArray = np.cumsum(sums)
        return total

    # a draw from before a label became no class also chose from rows that count no more
    unreviewed = (
        labelled_count(info) - until(np.ones(len(at)))
        if info.no_classes
        else np.array([each.eligible for each in drawn], np.float64)
    )
    return Replay(
        rows=rows,
        said=said[rows],
        unreviewed=unreviewed.astype(np.int64),
        found=until(what == WRONG).astype(np.int64),
        unclear=until((what == UNCLEAR) | (what == OPEN)).astype(np.int64),
        score_open=float(p.sum()) - until(p[moved]),
    )


def _moves_at_draws(
    info: DatasetInfo, now: Standing, drawn: tuple[Draw, ...], rows: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Return (m,) from which draw on, which row, out of what is drawn from (1) or back in (-1).

    A row that was drawn stays out, whatever is said of it later.
    """
    ids, moved, step = moves(info)
    seen = np.maximum.accumulate(np.array([each.last_decision for each in drawn], np.int64))
    at = np.searchsorted(seen, ids)
    drawn_at = np.full(info.n, len(rows))
    drawn_at[rows] = np.arange(len(rows))
    counts = (moved < info.n) & (at <= drawn_at[np.minimum(moved, info.n - 1)])
    counts[counts] = ~now.no_class[moved[counts]]
    at, moved, step = at[counts], moved[counts], step[counts]
    out = np.bincount(moved, step, info.n)[rows].astype(np.int64)  # when they were drawn
    return (
        np.r_[at, np.arange(1, len(rows) + 1)],
        np.r_[moved, rows],
        np.r_[step, 1 - out],
    )
