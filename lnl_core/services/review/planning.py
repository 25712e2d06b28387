"""The shortest way to the goal: the queue while it pays, then images drawn at random alone.

The plan decides only what is shown next, never what may be said: that rests on the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lnl_core.review import auditing
from lnl_core.review.auditing import Plan
from lnl_core.services.in_force import Standing, goal, scored, standing
from lnl_core.services.lately import Lately
from lnl_core.services.review.auditing import evidence
from lnl_core.services.review.expecting import OLD, Expected, expected
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

    def more(self, reviewed: int) -> int:
        """Return the reviews that are still expected once so many images have an answer."""
        return max(0, self.plan.total - max(0, reviewed - self.reviewed))

    @property
    def audits_alone(self) -> bool:
        """Whether random draws lead to the goal sooner than the queue does."""
        return self.plan.queue == 0 and self.audits >= auditing.ENOUGH


LATELY = Lately[Forecast]()


def forecast(
    info: DatasetInfo,
    errors: int | None = None,
    now: Standing | None = None,
    *,
    late: bool = False,
) -> Forecast | None:
    """Return what is still to do, made anew with `expected`; None without a ranking.

    Args:
        info: the data set.
        errors: wrong labels that may be left; the set's own goal when None.
        now: the decisions in force; looked up when None.
        late: as for `expected`.
    """
    ahead = expected(info, now=now, late=late)
    if ahead is None:
        return None
    aim = goal(info) if errors is None else errors

    def make() -> Forecast:
        return _forecast(info, ahead, aim)

    if not late:
        return make()
    key = info, scored(info), aim, (now or standing(info)).auto_since
    found = LATELY.get(key, ahead, make)
    return found if abs(ahead.reviewed - found.reviewed) <= OLD else make()


@lru_cache(maxsize=16)
def _forecast(info: DatasetInfo, ahead: Expected, errors: int) -> Forecast:
    said, audits = evidence(info)
    risk = risks(info, standing(info)).now
    way = auditing.plan(said, ahead.found, ahead.p[ahead.open], errors, alpha=risk)
    return Forecast(way, audits, ahead.reviewed)


def planned(info: DatasetInfo) -> int | None:
    """Return how many images the review was to take when it began; None before its first answer.

    It stays while results and answers change what is expected: nobody's goal moves by itself.
    """
    stored: int | None = datasets.read_meta(info).get("planned_reviews")
    return stored
