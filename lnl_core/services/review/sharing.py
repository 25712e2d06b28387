"""A goal of a share of the errors found: its sample, its order, and how far they are.

The random images of the review are the sample (`lnl_core.review.recall.Permutation`), so there are
no other draws, and they stand for the live limit as well.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.review import recall
from lnl_core.said import many
from lnl_core.services.in_force import Scored, Standing, goal_set, labelled_count, scored, standing
from lnl_core.services.review.draws import OPEN, UNCLEAR, WRONG, said_of
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.moves import moves
from lnl_core.store import arrays, audits, goals
from lnl_core.store.goals import RECALL, Goal
from lnl_core.types import DatasetInfo, IntArray, LnlError

# Set ------------------------------------------------------------------------------------------


def set_share(info: DatasetInfo, share: float | None, reviewer: str | None) -> Goal:
    """Fix order, sample size and how deep in the sample one has to go, before anything is drawn.

    Whoever sets such a goal again has another chance that its promise fails: the first one takes
    half of the risk, the second a quarter, and so on.

    Raises:
        LnlError: no sensible share, or nothing is scored.
    """
    if share is None or not 0.5 <= share <= 0.99:
        raise LnlError("The share of wrong labels to find must lie between 0.5 and 0.99.")
    ranked = scored(info)
    if ranked is None:
        raise LnlError("Nothing is scored yet: the share of errors found needs an order. Run one.")
    tries = sum(each.kind == RECALL for each in goals.goals(info))
    alpha = recall.ALPHA / 2 ** (tries + 1)
    ahead = expected(info)
    noise = ahead.total / max(1, labelled_count(info)) if ahead is not None else 0.0
    r = recall.sample_size(share, noise, labelled_count(info), alpha)
    j = recall.needed(r, share, alpha)
    assert j is not None  # sample_size gives enough

    def fix(number: int, _last: int) -> Mapping[str, Any]:
        now = standing(info)
        out = now.answered | now.no_class
        out[[each.row for each in audits.draws(info)]] = True
        order = np.asarray(ranked.ranking.order)
        order = order[~out[order]].astype("<i4")
        arrays.write_array(_order_file(info, number), order)
        return {
            "r": r,
            "j": j,
            "alpha": alpha,
            "order": hashlib.sha256(order.tobytes()).hexdigest(),
            "first_draw": len(audits.draws(info)),
            "images": len(order),
        }

    return goals.add(info, RECALL, share, reviewer, fix)


def _order_file(info: DatasetInfo, number: int) -> Path:
    return info.directory / "goals" / f"{number}.npy"


# How far it is -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """How far the sample of errors is, and how far the order.

    Attributes:
        errors: rows of the sampled errors, in the order that chance gave them.
        read: rows of the permutation that were read for them.
        r: errors that the sample is to hold.
        j: how many of them the order has to pass.
        deep: rows of the order up to the j-th; None until the sample is whole.
        missing: rows without an answer among those; all that have none until then.
        outside: rows without an answer that the order does not hold: they were added, drawn or
            answered before the goal was set. Nothing speaks for them, so each has to be seen.
    """

    errors: IntArray
    read: int
    r: int
    j: int
    deep: int | None
    missing: int
    outside: int = 0

    @property
    def holds(self) -> bool:
        """Whether the share is found, as sure as was asked."""
        return self.missing + self.outside == 0

    @property
    def said(self) -> str:
        """How far it is, in words."""
        if not self.missing and self.outside:
            return (
                many(self.outside, "image that", "images that")
                + " the goal's order does not hold "
                + ("has" if self.outside == 1 else "have")
                + " no answer"
            )
        if self.deep is None and not self.missing:
            return "every image has an answer"
        if self.deep is None:
            return f"random images first: {len(self.errors):,} of {self.r:,} errors drawn"
        if self.missing:
            return f"the queue has to reach place {self.deep:,}: {many(self.missing, 'image')}"
        return f"the queue has passed {self.j:,} of {self.r:,} errors drawn at random"


class _Told:
    """The permutation of a goal, as far as the draws have told it; neither ever changes."""

    def __init__(self, info: DatasetInfo, goal: Goal) -> None:
        self.order = np.asarray(arrays.read_array(_order_file(info, goal.number)), np.int64)
        inside = np.zeros(info.n, bool)
        inside[self.order] = True
        self.place = np.full(info.n, -1)
        self.place[self.order] = np.arange(len(self.order))
        seeds = audits.draws(info)
        self._seed = seeds[0].seed if seeds else None
        self._permutation = None if self._seed is None else recall.Permutation(inside, self._seed)
        self._inside = inside
        self._answered = np.zeros(info.n, np.int64)
        self._moved, self._next = 0, int(goal.facts["first_draw"])
        self.ends: list[int] = []  # rows told after each draw

    def rows(self, info: DatasetInfo, draws: int | None = None) -> IntArray:
        """Return (m,) rows of the permutation after so many draws of the set; after all if None."""
        drawn = audits.draws(info)
        if drawn and self._permutation is None:
            self._permutation = recall.Permutation(self._inside, drawn[0].seed)
        made = self._permutation
        if made is None:
            return np.zeros(0, np.int64)
        first = self._next - len(self.ends)
        ids, moved, step = moves(info)
        for each in drawn[self._next :]:
            end = int(np.searchsorted(ids, each.last_decision, side="right"))
            if end > self._moved:
                inside = moved[self._moved : end] < info.n
                rows, steps = moved[self._moved : end][inside], step[self._moved : end][inside]
                np.add.at(self._answered, rows, steps)
                self._moved = end
            made.draw(each.number, each.row, self._answered > 0)
            self.ends.append(len(made.rows))
            self._next += 1
        count = len(self.ends) if draws is None else max(0, draws - first)
        told = self.ends[count - 1] if count else 0
        return np.array(made.rows[:told], np.int64)


_telling = threading.Lock()


@lru_cache(maxsize=8)
def _told(info: DatasetInfo, goal: Goal) -> _Told:
    return _Told(info, goal)


def sampled(info: DatasetInfo, goal: Goal, now: Standing, draws: int | None = None) -> Sample:
    """Return how far a goal of a share is.

    Args:
        info: the data set.
        goal: a goal of that kind.
        now: the decisions in force.
        draws: how many draws of the set count; all when None.
    """
    count = len(audits.draws(info)) if draws is None else draws
    return _sampled(info, goal, now, count)


@lru_cache(maxsize=8)
def _sampled(info: DatasetInfo, goal: Goal, now: Standing, draws: int) -> Sample:
    with _telling:
        told = _told(info, goal)
        rows = told.rows(info, draws)
    said = said_of(now)
    wrong, known = (said == WRONG) | (said == UNCLEAR), said != OPEN
    r, j = int(goal.facts["r"]), int(goal.facts["j"])
    errors = recall.first_errors(rows, wrong, known, r)
    unseen = ~now.answered & ~now.no_class
    open_ = unseen[told.order]
    outside = int(unseen.sum()) - int(open_.sum())
    read = int(np.flatnonzero(rows == errors[-1])[0]) + 1 if len(errors) else 0
    if len(errors) < r:
        return Sample(errors, read, r, j, None, int(open_.sum()), outside)
    deep = recall.depth(told.place[errors], j)
    return Sample(errors, read, r, j, deep, int(open_[:deep].sum()), outside)


def order_of(info: DatasetInfo, ranked: Scored) -> IntArray | None:
    """Return (n,) the queue's order where a share of errors found fixed it; None else."""
    goal = goal_set(info)
    return None if goal is None or goal.kind != RECALL else _order(info, goal, ranked)


@lru_cache(maxsize=4)
def _order(info: DatasetInfo, goal: Goal, ranked: Scored) -> IntArray:
    fixed, order = _told(info, goal).order, np.asarray(ranked.ranking.order)
    whole: IntArray = np.r_[fixed, order[~np.isin(order, fixed)]]
    return whole


def order_fixed(info: DatasetInfo, goal: Goal) -> IntArray:
    """Return (m,) the rows in the order that a goal of a share fixed."""
    return _told(info, goal).order


def drawing(info: DatasetInfo, now: Standing) -> bool:
    """Tell whether a share of errors found needs images drawn at random before anything else."""
    goal = goal_set(info)
    if goal is None or goal.kind != RECALL:
        return False
    sample = sampled(info, goal, now)
    return sample.deep is None and sample.missing > 0


def more_to_share(info: DatasetInfo, goal: Goal, sample: Sample, now: Standing) -> int | None:
    """Return about how many reviews a share takes: its sample, and the order as deep as that."""
    if sample.deep is not None:
        return sample.missing + sample.outside
    ahead = expected(info, now=now)
    if ahead is None:
        return None
    order = _told(info, goal).order
    open_ = ~now.answered[order]
    p = ahead.p[order] * open_ + (said_of(now) == WRONG)[order]
    more = recall.reviews_expected(p, open_, sample.r, sample.j, len(sample.errors))
    return (sample.missing if more is None else min(sample.missing, more)) + sample.outside
