"""The shortest way to the goal: the queue while it pays, then images drawn at random alone.

The plan decides only what is shown next, never what may be said: that rests on the draws.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from lnl_core.review import auditing
from lnl_core.review.auditing import Plan
from lnl_core.services.in_force import Standing, goal
from lnl_core.services.moment import moment
from lnl_core.services.review.draws import open_draws
from lnl_core.services.review.expecting import Expected, expected
from lnl_core.services.review.limits import evidence
from lnl_core.services.review.risks import risks
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to do.

    Attributes:
        plan: reviews of the queue that are still worth it, and random draws after them.
        audits: random draws with an answer, at the forecast.
        reviewed: images with an answer, at the forecast.
    """

    plan: Plan
    audits: int
    reviewed: int

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
    ahead = expected(info, now=now)
    if ahead is None:
        return None
    return _forecast(info, ahead, goal(info) if errors is None else errors, now)


@lru_cache(maxsize=16)
def _forecast(info: DatasetInfo, ahead: Expected, errors: int, now: Standing) -> Forecast:
    said, audits = evidence(info, now)
    risk = risks(info, now).now
    way = auditing.plan(said, ahead.found, ahead.p[ahead.open], errors, alpha=risk)
    way = replace(way, audits=max(way.audits, open_draws(info, now)))  # each counts as wrong now
    return Forecast(way, audits, ahead.reviewed)


def planned(info: DatasetInfo) -> int | None:
    """Return how many images the review was to take when it began; None before its first answer.

    It stays while results and answers change what is expected: nobody's goal moves by itself.
    """
    stored: int | None = datasets.read_meta(info).get("planned_reviews")
    return stored
