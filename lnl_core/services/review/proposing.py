"""What could be accepted unseen: pools of sure suggestions, what a check would take, if it pays.

Nothing here is stored: a plan is made of a proposal by `accepting.begin`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lnl_core.jobs.inputs import corrected_labels
from lnl_core.review import accepting, recalibration
from lnl_core.said import percent
from lnl_core.services.in_force import (
    Scored,
    Standing,
    judged_by,
    loaded,
    scored,
    standing,
    told,
)
from lnl_core.services.moment import moment
from lnl_core.services.review.draws import WRONG, about_given, draws
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.filtering import Filters, excluded
from lnl_core.store import plans as stored
from lnl_core.store.plans import Plan as Plan
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, IntArray

PRECISIONS = (0.9, 0.95, 0.98)
"""Shares of right labels that can be asked for."""

CONFIDENCE = 0.95
LEAST = 0.9
"""Chance that a suggestion is right from which on it is in a pool, unless a person says."""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Suggestions that may be accepted together.

    Attributes:
        rows: (z,) images without an answer that no random draw has chosen, rising.
        labels: (z,) their suggestions.
        chances: (z,) p x q, the chance that the suggestion is right.
    """

    rows: IntArray
    labels: IntArray
    chances: FloatArray

    @property
    def expected(self) -> float:
        """Share of right suggestions, if the chances are calibrated."""
        return float(self.chances.mean()) if len(self.chances) else 0.0


def pool(info: DatasetInfo, filters: Filters | None = None, least: float = LEAST) -> Pool:
    """Return the suggestions that filters name and that are right with a chance of `least`.

    Args:
        info: the data set.
        filters: those of the queue; of answers they name none, whatever they say.
        least: smallest p x q.
    """
    ranked = scored(info)
    none = np.zeros(0, np.int64)
    if ranked is None:
        return Pool(none, none, np.zeros(0))
    now = standing(info)
    chances = _chances(info, ranked)
    inside = _free(info, ranked, now) & (chances >= least)
    inside &= ~excluded(info, ranked, "", filters or Filters(), now)
    rows = np.flatnonzero(inside)
    suggested = np.asarray(ranked.ranking.suggested_labels)
    return Pool(rows, suggested[rows].astype(np.int64), chances[rows])


def _chances(info: DatasetInfo, ranked: Scored) -> FloatArray:
    """Return (n,) p x q, the chance that a label is wrong times that of the suggestion then.

    Both as the answers up to the last moment correct them.
    """
    ahead = expected(info)
    p = np.asarray(ranked.ranking.p_wrong) if ahead is None else ahead.p
    return np.asarray(p, np.float64) * _of_suggestions(info, ranked, moment(info))


@lru_cache(maxsize=4)
def _of_suggestions(info: DatasetInfo, ranked: Scored, now: Standing) -> FloatArray:
    """Return (n,) q; what a run was told of says nothing of how right its suggestions are."""
    rows = np.flatnonzero((about_given(now) == WRONG) & ~told(info))
    labels, _, _ = corrected_labels(info)
    right = labels[rows] == np.asarray(ranked.ranking.suggested_labels)[rows]
    q = np.asarray(ranked.ranking.top_probs, np.float64)[:, 0]
    return recalibration.suggestions(q, rows, right)


def _free(info: DatasetInfo, ranked: Scored, now: Standing) -> BoolArray:
    """Return (n,) True where a plan may decide: scored, and neither answered nor drawn."""
    free = ~(now.answered | now.no_class | (now.auto >= 0) | told(info))
    free &= np.arange(info.n) < ranked.seen
    for run in ranked.run_ids.values() if ranked.judged is not None else ():
        free &= judged_by(info, run)
    free[[each.row for each in draws(info)]] = False
    suggested = np.asarray(ranked.ranking.suggested_labels)
    free &= (suggested >= 0) & (suggested != np.asarray(loaded(info).given_labels))
    return free


# Before anybody looks --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Proposal:
    """What accepting a pool would take.

    Attributes:
        size: suggestions in the pool.
        checks: of them a person has to look at; None where the pool is too small.
        allowed: wrong ones among those with which it passes.
        precision: share of right ones that is asked of the rest.
        confidence: how sure; more than usual where an earlier check of such images failed.
        expected: share of right ones that the scores let one expect.
        passes: chance that the check passes, if they are right.
    """

    size: int
    checks: int | None
    allowed: int
    precision: float
    confidence: float
    expected: float
    passes: float

    @property
    def careful(self) -> float:
        """Share of right ones to count on: a small pool may be worse than the scores expect."""
        return accepting.careful(self.expected, self.size)

    @property
    def saved(self) -> int:
        """Images that nobody would have to look at."""
        return self.size - (self.checks or self.size)

    @property
    def against(self) -> str:
        """What speaks against it, in words; blank where nothing does."""
        if not self.size:
            return "Does not pay: no suggestion is that sure. Review the images."
        if self.checks is None:
            return (
                f"Does not pay: {_suggestions(self.size)} {'is' if self.size == 1 else 'are'} too "
                f"few for {100 * self.precision:g} % with {self.allowed} wrong allowed; every "
                "one would have to be looked at. Review them."
            )
        if self.passes < accepting.LIKELY:
            return (
                f"Does not pay if the scores are right: they expect about "
                f"{percent(self.expected, 1)} of these suggestions to be right, so the check "
                f"passes with a chance of {percent(self.passes)}. Ask for less precision, or "
                "review them."
            )
        if self.size < accepting.PAYS_FROM * self.checks:
            return (
                f"Saves little: {self.checks:,} of {self.size:,} have to be looked at for the "
                "check alone."
            )
        return ""

    def words(self) -> list[str]:
        """Say what it takes and what speaks against it, a sentence each."""
        if not self.size:
            return [self.against]
        said = [
            f"{_suggestions(self.size)}; the scores expect {percent(self.expected, 1)} to be "
            f"right, count on {percent(self.careful)}."
        ]
        if self.checks is not None:
            said.append(
                f"Check {self.checks:,} of them, drawn at random; with {self.allowed} wrong or "
                f"fewer at least {100 * self.precision:g} % of the other {self.saved:,} are right "
                f"({100 * self.confidence:.4g} % sure)."
            )
        return [*said, self.against] if self.against else said


def _suggestions(size: int) -> str:
    return f"{size:,} suggestion{'' if size == 1 else 's'}"


def paying(
    info: DatasetInfo,
    filters: Filters | None,
    steps: Sequence[float],
    precision: float = 0.95,
    allowed: int = 0,
) -> tuple[float, Proposal] | None:
    """Return the smallest chance of some at which accepting pays, and what it takes there.

    Args:
        info: the data set.
        filters: as for `pool`.
        steps: chances from which on a suggestion may be in the pool, rising.
        precision: as for `propose`.
        allowed: as for `propose`.

    Returns:
        None where it pays at none of them.
    """
    every = pool(info, filters, steps[0])
    for least in steps:
        some = every.chances >= least
        chosen = Pool(every.rows[some], every.labels[some], every.chances[some])
        asked = propose(info, chosen, precision, allowed)
        if not asked.against:
            return least, asked
    return None


def propose(info: DatasetInfo, chosen: Pool, precision: float = 0.95, allowed: int = 0) -> Proposal:
    """Say what accepting a pool would take, and whether it pays.

    Args:
        info: the data set.
        chosen: the pool.
        precision: share of right ones that is asked of what nobody looks at.
        allowed: wrong ones among the checks with which it passes.
    """
    confidence = _confidence(info, chosen.rows)
    size = len(chosen.rows)
    checks = accepting.checks_needed(size, precision, confidence, allowed)
    passes = 0.0
    if checks is not None:
        passes = accepting.chance_to_pass(checks, allowed, chosen.expected)
    return Proposal(size, checks, allowed, precision, confidence, chosen.expected, passes)


def _confidence(info: DatasetInfo, rows: IntArray) -> float:
    """Return how sure a check has to be: each failed one of the same images halves the risk.

    Else whoever tries often enough passes by luck (review science 5.3d).
    """
    failed = sum(
        each.events[0].kind in (stored.REFUSED, stored.DROPPED)
        and bool(np.isin(each.rows, rows).any())
        for each in stored.plans(info)
        if each.events
    )
    return float(1 - (1 - CONFIDENCE) / 2**failed)


def pool_words(info: DatasetInfo, filters: Filters, least: float) -> str:
    """Say what a pool is: `crow to raven, at least 0.90 sure`."""
    given, suggested = (
        "any class" if label is None else info.class_names[label]
        for label in (filters.given, filters.suggested)
    )
    pair = (filters.given, filters.suggested) != (None, None)
    narrowed = replace(filters, given=None, suggested=None) != Filters()
    parts = [
        f"{given} to {suggested}" if pair else "all suggestions",
        f"at least {least:.2f} sure",
        *(["filtered"] if narrowed else []),
    ]
    return ", ".join(parts)
