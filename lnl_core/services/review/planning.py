"""The shortest way to the goal: the queue while it pays, then images drawn at random alone.

The plan decides only what is shown next, never what may be said: that rests on the draws.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lnl_core.review import auditing
from lnl_core.review.auditing import STOP_SHARE, Plan
from lnl_core.services.in_force import labelled_count
from lnl_core.services.review.auditing import evidence
from lnl_core.services.review.expecting import Expected, expected
from lnl_core.types import DatasetInfo


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is still to do.

    Attributes:
        plan: reviews of the queue that are still worth it, and random draws after them.
        audits: random draws with an answer, at the forecast.
    """

    plan: Plan
    audits: int

    @property
    def audits_alone(self) -> bool:
        """Whether random draws lead to the goal sooner than the queue does."""
        return self.plan.queue == 0 and self.audits >= auditing.ENOUGH


def forecast(info: DatasetInfo, target: float = STOP_SHARE) -> Forecast | None:
    """Return what is still to do, made anew with `expected`; None without a ranking.

    Args:
        info: the data set.
        target: share of the images that may be wrong in the end.
    """
    ahead = expected(info)
    return None if ahead is None else _forecast(info, ahead, target)


@lru_cache(maxsize=16)
def _forecast(info: DatasetInfo, ahead: Expected, target: float) -> Forecast:
    said, audits = evidence(info)
    goal = int(target * labelled_count(info))
    return Forecast(auditing.plan(said, ahead.found, ahead.p[ahead.open], goal), audits)
