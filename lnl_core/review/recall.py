"""Share of the errors found, certified by a sample of errors: the quantile-point binomial bound.

After QBCB (Lewis, Yang and Frieder 2021, "Certifying One-Phase Technology-Assisted Reviews"). Of an
order that is fixed before anything is drawn, r errors that chance chose say how deep one has to go:
to the j-th of them. Were less than the share tau of all errors above that place, at least j of r
chosen at random would lie there with a chance of alpha at most.
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import BoolArray, FloatArray, IntArray

ALPHA = 0.05

FEW, MANY = 60, 100
"""Errors that a sample needs: for shares up to 0.85, and for larger ones."""

DEAR = 0.15
"""Where the larger sample would take more than this share of the images, the smaller one does."""

_PICKS = 7919
"""Tells the generator of picks among answered rows from that of the draws."""


def needed(r: int, share: float, alpha: float = ALPHA) -> int | None:
    """Return j: the queue has to pass so many of r errors; None where r is too few.

    Args:
        r: errors in the sample.
        share: of all errors that is to be found, in (0, 1).
        alpha: chance that a smaller share is taken for enough.
    """
    from scipy.stats import binom

    j = int(binom.isf(alpha, r, share)) + 1  # the least with P[Bin(r, share) >= j] <= alpha
    return j if j <= r else None


def sample_size(share: float, noise: float, size: int, alpha: float = ALPHA) -> int:
    """Return how many errors to sample; fixed in advance.

    Args:
        share: of all errors that is to be found.
        noise: share of wrong labels, an estimate.
        size: images.
        alpha: chance that a smaller share is taken for enough.
    """
    least = int(np.ceil(np.log(alpha) / np.log(share)))
    cheap = noise > 0 and MANY / noise <= DEAR * size
    wanted = MANY if share > 0.85 and cheap else FEW
    return max(wanted, least)


def reviews_expected(p: FloatArray, open_: BoolArray, r: int, j: int, have: int = 0) -> int | None:
    """Return about how many reviews a share takes: the draws, then the order as deep as they say.

    Args:
        p: (m,) chances to be wrong, in the order that is fixed; found ones 1, right ones 0.
        open_: (m,) what has no answer.
        r: errors that the sample needs.
        j: how many of them the order has to pass.
        have: errors that the sample holds already.

    Returns:
        reviews; None where fewer errors than `r` are expected, so that all is looked at.
    """
    total = float(p.sum())
    if total < r:
        return None
    draws = (r - have) * len(p) / total * float(open_.mean())
    deep = int(np.searchsorted(np.cumsum(p), total * j / (r + 1))) + 1
    rest, every = int(open_[:deep].sum()), int(open_.sum())
    return min(every, round(draws * (1 - rest / max(1, every))) + rest)


class Permutation:
    """Rows in an order that chance alone gave, told step by step by draws among the open ones.

    A draw takes any row without an answer. Between two draws, rows that have one get the places
    that a permutation of all rows would have given them: each next place is any row that has none
    yet; while it falls on an answered row that row has it, else the drawn one. So every beginning
    is a simple random sample of all rows, whatever was answered, and when.

    Attributes:
        rows: of the permutation, as far as it is told.
    """

    def __init__(self, inside: BoolArray, seed: int) -> None:
        self._left = inside.copy()  # rows without a place
        self._seed = seed
        self.rows: list[int] = []

    def draw(self, number: int, row: int, answered: BoolArray) -> None:
        """Take a draw.

        Args:
            number: of the draw; it seeds the picks before it.
            row: that was drawn, uniform among the rows inside without answer and place.
            answered: (n,) True for rows with an answer at the draw.
        """
        if not self._left[row]:
            return
        rng = np.random.default_rng([self._seed, _PICKS, number])
        told = np.flatnonzero(self._left & answered).tolist()
        left = int(self._left.sum())
        while told and (at := int(rng.integers(left))) < len(told):
            told[at], told[-1] = told[-1], told[at]
            self._place(told.pop())
            left -= 1
        self._place(row)

    def _place(self, row: int) -> None:
        self.rows.append(row)
        self._left[row] = False


def first_errors(rows: IntArray, wrong: BoolArray, known: BoolArray, r: int) -> IntArray:
    """Return the first errors of a permutation, r at most; it is read until a row is not known.

    Args:
        rows: (m,) a permutation's beginning.
        wrong: (n,) True where people called the label wrong, or cannot say.
        known: (n,) True where people have answered.
        r: how many.
    """
    unknown = np.flatnonzero(~known[rows])
    read = rows[: int(unknown[0])] if len(unknown) else rows
    return read[wrong[read]][:r]


def depth(places: IntArray, j: int) -> int:
    """Return how many rows of the order are to be reviewed: those up to the j-th of some places."""
    return int(np.sort(places)[j - 1]) + 1
