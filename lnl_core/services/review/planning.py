"""The shortest way to the goal: the queue while it pays, then images drawn at random alone.

The plan decides only what is shown next, never what may be said: that rests on the draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from lnl_core.review import auditing
from lnl_core.review.auditing import Plan
from lnl_core.review.evidence import Evidence
from lnl_core.services.in_force import Standing, goal
from lnl_core.services.moment import moment
from lnl_core.services.review.draws import UNCLEAR, open_draws, said_of
from lnl_core.services.review.expecting import Expected, expected
from lnl_core.services.review.limits import ahead, limits_of
from lnl_core.services.review.risks import risks
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """What a forecast rests on.

    Attributes:
        said: what the draws say.
        found: wrong labels that no draw can meet any more.
        p: (u,) chances to be wrong of what is to be reviewed, in the queue's order.
        stuck: images that count as wrong to the end, for nobody settles them on the way.
    """

    said: Evidence
    found: int
    p: FloatArray
    stuck: int = 0

    def plan(self, errors: int, alpha: float) -> Plan:
        """Return the shortest way to so many errors left; all of `p` where there is none."""
        if self.stuck > errors:
            return Plan(len(self.p), 0)
        return auditing.plan(self.said, self.found, self.p, errors - self.stuck, alpha=alpha)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to do.

    Attributes:
        plan: reviews of the queue that are still worth it, and random draws after them.
        audits: random draws with an answer, at the forecast.
        reviewed: images with an answer, at the forecast.
        basis: what it rests on.
        settle: images that people have seen and not settled, where the goal needs them first: each
            counts as wrong until then, and no queue shows it again.
    """

    plan: Plan
    audits: int
    reviewed: int
    basis: Basis
    settle: int = 0

    @property
    def audits_alone(self) -> bool:
        """Whether random draws lead to the goal sooner than the queue does."""
        return self.plan.queue == 0 and self.audits >= auditing.ENOUGH


def forecast(
    info: DatasetInfo, errors: int | None = None, now: Standing | None = None
) -> Forecast | None:
    """Return what is still to do as of the last moment; None without a ranking.

    Args:
        info: the data set.
        errors: wrong labels that may be left; the set's own goal when None.
        now: the decisions to rest on; those of the last moment when None.
    """
    now = now or moment(info)
    scores = expected(info, now=now)
    if scores is None:
        return None
    return _forecast(info, scores, goal(info) if errors is None else errors, now)


@lru_cache(maxsize=16)
def _forecast(info: DatasetInfo, scores: Expected, errors: int, now: Standing) -> Forecast:
    known, risk = ahead(info, now), risks(info, now).now
    rest = scores.open[~known.outside[scores.open]]
    basis, settle = Basis(known.said, known.found, scores.p[rest], known.stuck), 0
    way = basis.plan(errors, risk)
    if known.stuck and way.total >= len(rest):  # are they settled, it may take less
        settled = _settled(info, scores, now)
        shorter = settled.plan(errors, risk)
        if known.stuck > errors or shorter.total < len(settled.p):
            basis, way, settle = settled, shorter, known.stuck
    least = open_draws(info, now) if settle else known.coming  # each counts as wrong now
    way = replace(way, audits=max(way.audits, least))
    return Forecast(way, known.audits, scores.reviewed, basis, settle)


def _settled(info: DatasetInfo, scores: Expected, now: Standing) -> Basis:
    """Return what a forecast rests on where all that people have seen is settled, as expected."""
    unclear = (said_of(now) == UNCLEAR) & ~now.no_class
    found = scores.found + round(float(scores.p[unclear].sum()))
    return Basis(limits_of(info, now).evidence, found, scores.p[scores.open])


def planned(info: DatasetInfo) -> int | None:
    """Return how many images the review was to take when it began; None before its first answer.

    It stays while results and answers change what is expected: nobody's goal moves by itself.
    """
    stored: int | None = datasets.read_meta(info).get("planned_reviews")
    return stored
