"""How the guarantee fell while people reviewed, and how it is expected to go on.

What is past follows from the draws alone. What is to come supposes that the scores are right about
what is left: it is shown, and no promise rests on it.
"""

from __future__ import annotations

import numpy as np

from lnl_core.review.auditing import ALPHA, ENOUGH, Plan, live_limits
from lnl_core.review.evidence import Audit, Evidence
from lnl_core.types import FloatArray, IntArray

EVERY = 5
"""Draws between two looks at the limit."""

POINTS = 48
"""Points of a curve at most."""

STEPS = 8
"""Places of a forecast on either side of the switch from the queue to random draws."""

Points = list[tuple[int, int]]
"""(reviews, wrong labels that are left at most), rising in reviews."""


class Past:
    """The limit as it stood after an audit's draws; what is known of them is not worked out again.

    Answers seldom change the first draws. Where they do, all is worked out anew.
    """

    def __init__(self, totals: IntArray, alpha: float = ALPHA) -> None:
        self._totals, self._alpha = totals, alpha
        self._begin()

    def _begin(self) -> None:
        self._draws: IntArray = np.zeros((0, 3), np.int64)
        self._said = Evidence(self._totals)
        self._limits: list[tuple[int, int]] = []  # draw, limit of all wrong labels after it

    def points(self, audit: Audit, size: int, found: IntArray, now: int = 0) -> Points:
        """Return the limit after every few draws, from the first moment that it is spoken of.

        The least so far, as it is told: a draw that waits for its answer counts as wrong, and what
        was proved before it still is.

        Args:
            audit: draws in their order, what is unclear taken for wrong.
            size: labels of the set.
            found: (d,) wrong labels that people had found by each draw.
            now: limit of all wrong labels that is told now; none before was less.
        """
        draws = np.stack([audit.unreviewed, audit.found, audit.wrong], axis=1).astype(np.int64)
        known = self._draws
        if len(known) > len(draws) or (draws[: len(known)] != known).any():
            self._begin()
        for at in range(len(self._draws), len(draws)):
            unreviewed, outside, wrong = draws[at].tolist()
            self._said.draw(unreviewed, outside, bool(wrong))
            if at + 1 >= ENOUGH and (at + 1) % EVERY == 0:
                least, open_ = outside + wrong, unreviewed - 1
                limit = live_limits(self._said, least, least + open_, self._alpha).limit
                before = self._limits[-1][1] if self._limits else limit
                self._limits.append((at, min(limit, before)))
        self._draws = draws
        return thinned(
            [
                (
                    size - int(draws[at, 0]) + 1,
                    max(0, max(limit, now) - int(found[at]) - int(draws[at, 2])),
                )
                for at, limit in self._limits
            ]
        )


def thinned(points: Points) -> Points:
    """Return at most `POINTS` of some points, the last one among them."""
    if len(points) <= POINTS:
        return points
    kept = np.unique(np.linspace(0, len(points) - 1, POINTS).round().astype(int))
    return [points[k] for k in kept]


def ahead(
    said: Evidence,
    found: int,
    p: FloatArray,
    way: Plan,
    limit: int,
    left: float,
    alpha: float = ALPHA,
) -> Points:
    """Return what the limit is expected to be along a way: its queue first, then its draws alone.

    The draws among the queue's images are left out, as the plan leaves them out.

    Args:
        said: what the draws say until now.
        found: wrong labels found.
        p: (u,) chances to be wrong of the rows without an answer, in the queue's order.
        way: reviews of the queue, and draws after them.
        limit: at most so many are left now.
        left: wrong labels that are left, an estimate.
        alpha: chance that the limit is ever too low.
    """
    gone = np.r_[0.0, np.cumsum(p, dtype=np.float64)]
    scale = min(left / gone[-1], len(p) / gone[-1]) if gone[-1] > 0 else 1.0
    places = np.unique(np.linspace(0, way.queue, STEPS + 1).round().astype(int))
    points = [(int(t), max(0, round(limit - scale * gone[t]))) for t in places]
    more, open_ = scale * float(gone[way.queue]), len(p) - way.queue
    still = max(0.0, left - more)
    for n in np.unique(np.linspace(0, way.audits, STEPS + 1).round().astype(int))[1:]:
        then = _left_after(said, found + round(more), open_, int(n), still, alpha)
        points.append((way.queue + int(n), min(points[-1][1], then)))
    return points


def _left_after(
    said: Evidence, found: int, open_: int, drawn: int, left: float, alpha: float
) -> int:
    """Return how many are left at most after so many draws in which errors are as rare as told."""
    wrong = min(1.0, left / open_) * drawn if open_ else 0.0
    low = int(np.searchsorted(said.totals, found + wrong, side="left"))
    high = int(np.searchsorted(said.totals, found + open_ - (drawn - wrong), side="right")) - 1
    low = min(low, len(said.totals) - 1)
    while low < high:  # the largest total that is not ruled out
        middle = (low + high + 1) // 2
        if said.forecast(open_, found, drawn, wrong, middle) < -np.log(alpha):
            low = middle
        else:
            high = middle - 1
    return max(0, round(float(said.totals[low]) - found - wrong))
