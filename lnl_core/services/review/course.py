"""The guarantee against reviews: as it was, and as it is expected to go on; for a small chart.

It is worked out in a thread when enough has changed, so that no answer waits for it.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.review import course as curves
from lnl_core.review.auditing import ENOUGH, Plan
from lnl_core.review.course import Past, Points
from lnl_core.review.evidence import possible_totals
from lnl_core.services.in_force import Standing, goal_set, labelled_count
from lnl_core.services.moment import moment
from lnl_core.services.review import auditing, limits
from lnl_core.services.review.auditing import ErrorsLeft
from lnl_core.services.review.corrected import Corrected, corrected
from lnl_core.services.review.draws import OPEN, RIGHT, WRONG, replay, said_of
from lnl_core.services.review.goals import stand
from lnl_core.services.review.planning import forecast
from lnl_core.services.review.risks import risks
from lnl_core.store.goals import LEFT, RECALL
from lnl_core.types import DatasetInfo


@dataclass(frozen=True, slots=True)
class Course:
    """Points (images with an answer, wrong labels left at most).

    Attributes:
        past: from the first moment that there was a limit.
        ahead: from now on, by the plan; empty without a limit or a ranking.
        people: what is left where people err.
        goal: that `ahead` leads to: the wrong labels that may be left, and the goal's number.
    """

    past: tuple[tuple[int, int], ...]
    ahead: tuple[tuple[int, int], ...]
    people: Corrected | None = None
    goal: tuple[int, int] = (0, 0)

    def as_dict(self) -> dict[str, Any]:
        """Return what the review component draws."""
        said = {} if self.people is None else {"people": self.people.short}
        return {"past": list(self.past), "ahead": list(self.ahead)} | said


TRIED = 7
"""Ways to spend a given number of reviews that are compared."""

FIRST = 0.5
"""Seconds that the first look at a set or after its goal changed may wait; later ones never do."""

_Key = tuple[object, ...]
_THREAD = ThreadPoolExecutor(1, thread_name_prefix="course")
_known: dict[DatasetInfo, Course] = {}
_asked: dict[DatasetInfo, tuple[_Key, Future[Course]]] = {}
_asking = threading.Lock()


def known(info: DatasetInfo, left: ErrorsLeft, now: Standing) -> Course | None:
    """Return the course as it was worked out last, and have it worked out anew where it is old.

    Args:
        info: the data set.
        left: what is said of the errors left.
        now: the decisions in force.
    """
    if left.audits < ENOUGH:
        return None
    goal = _goal(info, left)
    key = (now.last_id, now.auto_since, *goal)
    with _asking:
        before, asked = _asked.get(info, (None, None))
        if asked is None or before != key:
            asked = _THREAD.submit(course, info)
            _asked[info] = key, asked
            if len(_asked) > 16:
                oldest = next(iter(_asked))
                _asked.pop(oldest)
                _known.pop(oldest, None)
    changed = before is not None and before[2:] != goal
    if changed or info not in _known:
        wait([asked], FIRST)
    if asked.done() and not asked.exception():
        _known[info] = asked.result()
    here = _known.get(info)
    return here if here is None or here.goal == goal else replace(here, ahead=())


def _goal(info: DatasetInfo, left: ErrorsLeft) -> tuple[int, int]:
    """Return what a course leads to: it says nothing of the way to another goal."""
    chosen = goal_set(info)
    return left.goal, 0 if chosen is None else chosen.number


@lru_cache(maxsize=8)
def _past(_key: _Key, n: int, risk: float) -> tuple[Past, threading.Lock]:
    return Past(possible_totals(n), risk), threading.Lock()


def course(info: DatasetInfo) -> Course:
    """Return how the guarantee fell, and how it is expected to go on, as of the last moment."""
    now, n = moment(info), labelled_count(info)
    said = replay(info, now)
    answered = np.flatnonzero(said.said != OPEN)
    end = int(answered[-1]) + 1 if len(answered) else 0
    said = said.some(slice(end))
    upper = said.part(np.ones(end, bool), said.said != RIGHT, careful=True)
    kept, lock = _past(limits.key_of(info, now), n, risks(info, now).now)
    left = auditing.errors_left(info, now=now)
    least = 0 if left.limit is None else left.limit + int((said_of(now) == WRONG).sum())
    with lock:
        past = kept.points(upper, n, said.found, least)
    goal = _goal(info, left)  # before the way to it: one that is set meanwhile is another
    ahead = _ahead(info, left.limit, now)
    return Course(tuple(past), tuple(ahead), corrected(info, left, now), goal)


def _ahead(info: DatasetInfo, limit: int | None, now: Standing) -> Points:
    plan = forecast(info, now=now)
    here = stand(info, now=now)
    if limit is None or plan is None or here.holds or here.kind == RECALL:
        return []
    basis, risk = plan.basis, risks(info, now).now
    p, left, stuck = basis.p, float(basis.p.sum()), basis.stuck

    def along(way: Plan) -> Points:
        start = max(0, limit - stuck)
        points = curves.ahead(basis.said, basis.found, p, way, start, left, risk)
        return [(t, most + stuck) for t, most in points]

    if here.kind == LEFT:
        first, points = plan.reviewed, along(plan.plan)
    else:  # the best that can be made of what is left of the time
        first, rest = now.reviewed, min(here.more or 0, len(p))
        ways = [Plan(t, rest - t) for t in np.unique(np.linspace(0, rest, TRIED).astype(int))]
        points = min((along(Plan(int(w.queue), int(w.audits))) for w in ways), key=_end)
    return [(first + t, most) for t, most in points]


def _end(points: Points) -> int:
    return points[-1][1]
