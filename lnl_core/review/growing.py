"""Evidence of an audit that grows: what its beginning said is not worked out again."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Collection
from typing import TypeVar

import numpy as np

from lnl_core.review.evidence import Audit, Evidence
from lnl_core.types import IntArray

T = TypeVar("T")

EVERY, KEPT = 16, 4
"""After so many draws what is said is put by, and where it is looked at; so many more are kept."""


class Growing:
    """What the draws of one audit say, draw by draw, asked again and again as answers arrive.

    Answers change the draws at the end, seldom the first ones. So a look starts at the last draw
    put by before which nothing has changed.
    """

    def __init__(self, totals: IntArray) -> None:
        self._totals = totals
        self._draws: IntArray = np.zeros((0, 3), np.int64)
        self._stops: dict[int, Evidence] = {}
        self._lock = threading.Lock()

    def looks(self, audit: Audit, ends: Collection[int], look: Callable[[Evidence], T]) -> list[T]:
        """Return what `look` finds after the first draws, as many as each of `ends` says.

        Args:
            audit: all draws as they are now.
            ends: how many draws to look at, each at most as many as there are.
            look: is given evidence that changes after the call.
        """
        draws = np.stack([audit.unreviewed, audit.found, audit.wrong], axis=1).astype(np.int64)
        with self._lock:
            self._forget(draws)
            wanted, found, at = sorted(set(ends)), [], 0
            said = Evidence(self._totals)
            for end in wanted:
                if (start := max((k for k in self._stops if k <= end), default=0)) > at:
                    said, at = copy.copy(self._stops[start]), start
                for unreviewed, known, wrong in draws[at:end].tolist():
                    said.draw(unreviewed, known, bool(wrong))
                    at += 1
                    if at % EVERY == 0:
                        self._stops[at] = copy.copy(said)
                self._stops[end] = copy.copy(said)
                found.append(look(said))
            last = sorted(self._stops)[-KEPT:]
            self._stops = {k: self._stops[k] for k in {*wanted, *last} if k}
            return found

    def _forget(self, draws: IntArray) -> None:
        """Drop what was put by after the first draw that is another one now."""
        both = min(len(draws), len(self._draws))
        other = np.flatnonzero((draws[:both] != self._draws[:both]).any(axis=1))
        same = int(other[0]) if len(other) else both
        self._stops = {k: said for k, said in self._stops.items() if k <= same}
        self._draws = draws
