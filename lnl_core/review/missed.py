"""How many wrong labels are left at most, reckoning with those that people miss.

Think of every look as fixed before the review begins: each wrong label would be noticed, or not,
with the sensitivity as chance. Then a limit rests on three numbers that do not move: how many
labels would be called wrong (the random draws bet against each number, `evidence`), how many wrong
ones would not be (one binomial number), and the sensitivity (gold images bet against each). The
three bets are multiplied, and a combination is ruled out once the product has won 1 / alpha: by
Ville's inequality the true one ever is with chance alpha at most. The limit is the largest
combination that is left. That is tighter than a limit of each number with a part of alpha, whose
worst corners would have to come together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.auditing import ALPHA
from lnl_core.review.evidence import Audit, Evidence, possible_totals
from lnl_core.review.sensitivity import Known
from lnl_core.types import FloatArray, IntArray

CHANCES = np.r_[np.arange(0.02, 0.6, 0.02), np.arange(0.6, 0.998, 0.004)]
"""Sensitivities that are looked at."""

LIKELY = (9.0, 1.0)
"""The bet on the sensitivity is Beta(9, 1): that people notice most; it need not be true."""

KEPT = 0.5
"""Share of the bet on the draws that is kept out of it, so that bad luck cannot lose all."""

PLACES = 40
"""Numbers of open labels that are looked at; between two of them the worse of both counts."""

SURE = 0.9
"""Quantile of the share of false alarms that is taken off what was found."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of the people behind a limit.

    Attributes:
        gold: what they said of images whose truth is known.
        again: drawn images that turned out to be wrong and had a second, blind look.
        agreed: those that the second look called wrong, too.
        taken_back: drawn images that were called wrong and turned out to be right.
    """

    gold: Known
    again: int = 0
    agreed: int = 0
    taken_back: int = 0


def corrected_limit(
    audit: Audit,
    size: int,
    found: int,
    unreviewed: int,
    kept: int,
    looks: Looks,
    alpha: float = ALPHA,
) -> int:
    """Return how many wrong labels are left at most: open ones, and those that were passed over.

    It supposes that people notice a wrong label among the gold images as often as among the
    others, that every person gets gold in proportion to the answers, and that false alarms are as
    frequent in the queue as among the draws. Without gold images nothing is known of the
    sensitivity, and every label that is not called wrong may be.

    Args:
        audit: the draws, as people see them after second looks.
        size: labels of the set.
        found: labels called wrong.
        unreviewed: labels without an answer.
        kept: labels that were called right.
        looks: what is known of the people.
        alpha: chance that the limit is ever too low.
    """
    if not looks.gold.wrong:
        return unreviewed + kept
    most, room = _open(audit, size, found, unreviewed, looks, alpha)
    missed = _behind(found + most, room, unreviewed - most + kept, _against(looks))
    return int(min((most + missed).max(initial=0), unreviewed + kept))


def without_alarms(
    audit: Audit, size: int, found: int, unreviewed: int, looks: Looks
) -> tuple[IntArray, int]:
    """Return (d,) what had been found at each draw, and now, without what may be false alarms.

    A draw that is taken back counts as right, the queue's false alarms count as found: the number
    open would seem to have fallen by more than it has. The share is the upper end of what draws and
    gold images say.
    """
    from scipy.stats import beta

    alarms = looks.taken_back + looks.gold.alarms
    right = len(audit) - audit.errors + looks.gold.right - alarms
    share = float(beta.ppf(SURE, alarms + 1, right)) if right > 0 else 1.0
    real = np.maximum(0, np.round(audit.found - share * (size - audit.unreviewed)))
    real = np.maximum.accumulate(real.astype(np.int64))
    last = int(real[-1] + audit.wrong[-1]) if len(audit) else 0
    return real, max(last, round(max(0.0, found - share * (size - unreviewed))))


def _open(
    audit: Audit, size: int, found: int, unreviewed: int, looks: Looks, alpha: float
) -> tuple[IntArray, FloatArray]:
    """Return (c,) numbers of open labels that may be called wrong, and what bets may still win."""
    if not unreviewed:
        return np.zeros(1, np.int64), np.full(1, -np.log(alpha))
    real, now = without_alarms(audit, size, found, unreviewed, looks)
    said = Evidence(possible_totals(size))
    for rows, before, wrong in zip(audit.unreviewed, real, audit.wrong, strict=True):
        said.draw(int(rows), int(before), bool(wrong))
    inside = np.flatnonzero((said.totals >= now) & (said.totals <= now + unreviewed))
    won = np.logaddexp(np.log(KEPT), np.log1p(-KEPT) + said.above[inside])
    room = -np.log(alpha) - won
    inside, room = inside[room > 0], room[room > 0]
    if not len(inside):
        return np.full(1, unreviewed), np.full(1, -np.log(alpha))
    first = np.unique(np.linspace(0, len(inside), PLACES + 1).astype(int))
    ends = np.minimum(inside[first[1:] - 1] + 1, len(said.totals) - 1)
    above = np.where(ends > inside[first[1:] - 1], said.totals[ends] - 1, said.totals[ends])
    most = np.minimum(np.maximum(above - now, 0), unreviewed)
    return most, np.maximum.reduceat(room, first[:-1])


def _against(looks: Looks) -> FloatArray:
    """Return (s,) log of what gold images and second looks have won against each sensitivity.

    An image that turned out to be wrong was noticed by the second look or by a third one, so the
    second noticed it with chance s / (1 - (1 - s)^2).
    """
    from scipy.special import logsumexp
    from scipy.stats import beta

    def said(s: FloatArray) -> FloatArray:
        second, gold = 1 / (2 - s), looks.gold
        every: FloatArray = gold.caught * np.log(s) + (gold.wrong - gold.caught) * np.log1p(-s)
        every += looks.agreed * np.log(second) + (looks.again - looks.agreed) * np.log1p(-second)
        return every

    weights = beta.logpdf(CHANCES, *LIKELY) + np.log(np.gradient(CHANCES))
    won: FloatArray = logsumexp(weights - logsumexp(weights) + said(CHANCES)) - said(CHANCES)
    return won


def _behind(noticed: IntArray, room: FloatArray, most: IntArray, won: FloatArray) -> IntArray:
    """Return (c,) the most wrong labels that may be unnoticed behind those that would be.

    The number noticed is one binomial number; 1 / (2 sqrt(p)) of its lower tail p is a fair bet
    (Vovk and Wang, "E-values: calibration, combination and applications", 2021).

    Args:
        noticed: (c,) labels that would be called wrong.
        room: (c,) log of what the bets on sensitivity and number may win.
        most: (c,) labels that may be unnoticed.
        won: (s,) log of what is won against each sensitivity.
    """
    from scipy.stats import binom

    least = np.exp(np.minimum(0.0, 2 * (won[None] - np.log(2) - room[:, None])))  # (c, s) of p
    seen = noticed[:, None].astype(np.float64)
    low = np.full(least.shape, -1.0)
    high = np.where(least < 1, most[:, None], -1).astype(np.float64)
    while (low < high).any():
        middle = np.ceil((low + high) / 2)
        fits = binom.cdf(seen, seen + middle, CHANCES[None]) > least
        low = np.where(fits, middle, low)
        high = np.where(fits, high, np.maximum(middle - 1, low))
    behind: IntArray = np.maximum(low.max(axis=1), 0).astype(np.int64)
    return behind
