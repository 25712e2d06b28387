"""What is expected of the images without an answer: p_wrong as the answers so far correct it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.methods import taught
from lnl_core.review import recalibration
from lnl_core.services.in_force import (
    Scored,
    Standing,
    before_review,
    loaded,
    scored,
    standing,
    told,
)
from lnl_core.services.moment import moment
from lnl_core.services.review.draws import RIGHT, WRONG, about_given, draws, said_of
from lnl_core.store import plans
from lnl_core.store.plans import Plan
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """P_wrong as of some answers.

    Attributes:
        p: (n,) recalibrated; of an image that no run has seen, the rate of the others; of one
            whose label a plan changed, the chance that it is wrong now, as its check says.
        open: (u,) rows without an answer, in the queue's order; those that a plan changed last.
        left: wrong labels expected among them.
        found: wrong labels found.
        reviewed: images with an answer by then.
        corrected_by: answers that p was recalibrated by.
        told: whether a run behind the ranking was told answers.
    """

    p: FloatArray
    open: IntArray
    left: float
    found: int
    reviewed: int
    corrected_by: int
    told: bool = False

    @property
    def is_borne_out(self) -> bool:
        """Whether answers say how right p is, or no run was told any.

        Else a network that has learned the answers may expect many times what is left.
        """
        return not self.told or self.corrected_by >= recalibration.LEAST

    @property
    def total(self) -> float:
        """Wrong labels in the whole set, those found included."""
        return self.found + self.left


def expected(
    info: DatasetInfo, *, fresh: bool = False, now: Standing | None = None
) -> Expected | None:
    """Return what is expected as of the last moment; None without a ranking.

    Answers that a run of the ranking was told say nothing of how right its p_wrong is elsewhere,
    and such a run holds too few for wrong. So how many are wrong, and how sure one is, is then read
    off the ranking from before the review, which all answers correct, and only which ones they are
    off the new one.

    Args:
        info: the data set.
        fresh: as of the last answer.
        now: the decisions to rest on; those of the last moment when None.
    """
    ranked = scored(info)
    if ranked is None:
        return None
    return _expected(info, ranked, now or (standing(info) if fresh else moment(info)))


@dataclass(frozen=True, slots=True)
class Guess:
    """Wrong labels left by the scores alone; no random image stands behind it.

    Attributes:
        left: how many.
        said: what the guess rests on, in words.
    """

    left: int
    said: str


def guess(info: DatasetInfo, now: Standing | None = None) -> Guess | None:
    """Return how many wrong labels are left by the scores alone; None where they do not say it.

    Scores that have not seen every image say nothing of the rest.
    """
    ranked = scored(info)
    if ranked is None or ranked.seen < info.n or ranked.judged is not None:
        return None
    ahead = expected(info, now=now)
    if ahead is None:
        return None
    said = rests_on(ranked.ranking.methods, ahead.corrected_by)
    return Guess(round(ahead.left), said)


def rests_on(keys: Sequence[str], answers: int) -> str:
    """Say what the chances of a ranking rest on.

    Before people have answered they are rough where one method speaks alone, and where none was
    taught the labels, for mistakes that follow how an image looks are not seen then
    (docs/measurements.md, "How many are wrong before anybody has looked").

    Args:
        keys: the ranking's methods.
        answers: that correct it.
    """
    if answers >= recalibration.LEAST:
        return f"a guess by the scores, corrected by {answers:,} settled answers"
    by = "the scores" if len(keys) > 1 else "one method"
    rough = "" if len(keys) > 1 and taught(keys) else "rough "
    return f"a {rough}guess by {by} until {recalibration.LEAST} answers"


@lru_cache(maxsize=8)
def _expected(info: DatasetInfo, ranked: Scored, now: Standing) -> Expected:
    said = about_given(now)
    clear = (said == RIGHT) | (said == WRONG)
    known = told(info) & ranked.scored_rows  # what no run has seen, none was told
    rows, by = np.flatnonzero(clear & ~known), int((clear & ~known).sum())
    ranking = ranked.ranking
    p: FloatArray | None = None
    if known.any() and (first := before_review(info)) is not None:
        rest = ~(known | now.answered | now.no_class) & first.scored_rows & ranked.scored_rows
        then = clear & first.scored_rows  # it says nothing of images that were added later
        before = _corrected(info, first, np.flatnonzero(then), said)
        p = recalibration.as_sure_as(np.asarray(ranking.p_wrong, np.float64), before, rest)
        rows, by = rows[~then[rows]], max(by, int(then.sum()))  # no answer is heard twice
    p = _corrected(info, ranked, rows, said, p)
    if now.auto_since:
        p = np.array(p)
        for plan in plans.plans(info):
            if plan.in_force:
                mine = np.intersect1d(plan.rows, np.flatnonzero(now.auto >= 0))
                p[mine] = _wrong_in_rest(plan)
    p = _with_unseen(p, ranked.scored_rows, said, now)
    order = np.asarray(ranking.order)
    order = order[~(now.answered | now.no_class)[order]]
    order = order[np.argsort(now.auto_open[order], kind="stable")]
    found = int((said_of(now) == WRONG).sum())
    left = float(p[order].sum())
    return Expected(p, order, left, found, now.reviewed, by, bool(known.any()))


def _corrected(
    info: DatasetInfo, ranked: Scored, rows: IntArray, said: IntArray, p: FloatArray | None = None
) -> FloatArray:
    """Return a ranking's chances, or `p` of them, as answers to some rows correct them."""
    seen = ranked.scored_rows
    rows = rows[seen[rows]]
    corrected = np.array(ranked.ranking.p_wrong if p is None else p, np.float64)
    corrected[seen] = recalibration.corrected(
        _before(info, ranked) if p is None else _before_of(info, ranked, p),
        np.cumsum(seen)[rows] - 1,
        said[rows] == WRONG,
        np.isin(rows, [each.row for each in draws(info)]),
    )
    return corrected


@lru_cache(maxsize=4)
def _before(info: DatasetInfo, ranked: Scored) -> recalibration.Before:
    return _before_of(info, ranked, ranked.ranking.p_wrong)


def _before_of(info: DatasetInfo, ranked: Scored, p: FloatArray) -> recalibration.Before:
    """Return what a fit reads of chances of the rows that a ranking has scored."""
    seen = ranked.scored_rows
    given, suggested = loaded(info).given_labels, ranked.ranking.suggested_labels
    return recalibration.before(
        np.asarray(p)[seen], np.asarray(given)[seen], np.asarray(suggested)[seen]
    )


def _with_unseen(p: FloatArray, seen: BoolArray, said: IntArray, now: Standing) -> FloatArray:
    """Return chances; an image that no run has seen has the average of those that one has."""
    known, unseen = seen & ~now.no_class, ~seen & ~now.no_class
    if not unseen.any() or not known.any():
        return p
    sure = np.where(said == WRONG, 1.0, np.where(said == RIGHT, 0.0, p))
    filled: FloatArray = np.where(unseen, sure[known].mean(), p)
    return filled


def _wrong_in_rest(plan: Plan) -> float:
    """Return the share of wrong ones among what a plan decided, as its check says (Jeffreys)."""
    wrong, checks = int(plan.events[0].facts["wrong"]), len(plan.checks)
    return (wrong + 0.5) / (checks + 1)
