"""The range that nearly all pixels of a set lie in: a few hot or dead ones must not darken it."""

from __future__ import annotations

import math

import numpy as np

from lnl_core.types import Array, FloatArray

BEYOND = 2e-4
"""Share of the pixels that may lie beyond the range that is shown."""

_FAR = 3.0
"""The whole span is this many times the one of nearly all pixels, before any is left out."""

_MOST = 2**18


class Spread:
    """The values of a set as they are seen: least, greatest, and an even sample of all."""

    def __init__(self) -> None:
        self.low, self.high = math.inf, -math.inf
        self._kept: list[FloatArray] = []
        self._count, self._step = 0, 1
        self._seen = 0

    def __bool__(self) -> bool:
        return self.low <= self.high

    def add(self, values: Array, low: float, high: float) -> None:
        """See values of which `low` and `high` are the least and the greatest of all."""
        self.low, self.high = min(self.low, low), max(self.high, high)
        self._seen += 1
        if self._seen % self._step or not len(values):
            return
        self._kept.append(np.asarray(values, np.float32))
        self._count += len(values)
        if self._count > _MOST:
            self._kept = self._kept[::2]
            self._count = sum(map(len, self._kept))
            self._step *= 2

    def span(self, whole: bool) -> tuple[float, float, str]:
        """Return (low, high, what lies beyond in words); nothing does of a `whole` span.

        Values are left out where very few are very far from all others.
        """
        span = (self.low, self.high)
        if whole or not self._kept:
            return *span, ""
        pool = np.sort(np.concatenate(self._kept))
        out = max(1, math.ceil(BEYOND * len(pool)))
        if len(pool) <= 2 * out + 2:
            return *span, ""
        low, high = float(pool[out]), float(pool[-1 - out])
        if not low < high or self.high - self.low <= _FAR * (high - low):
            return *span, ""
        low = low if low - self.low > high - low else self.low
        high = high if self.high - high > high - low else self.high
        return low, high, f"{self.low:,.6g} to {self.high:,.6g}"
