"""What random draws say against every number of wrong labels, whatever a queue does in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lnl_core.review.special import log_gamma, log_sum
from lnl_core.types import BoolArray, FloatArray, IntArray

AUDIT = "audit"
"""Route of a row that chance drew. No other route may be extrapolated."""

FINE = 4096
"""Totals up to this are looked at one by one; above, steps grow by a thousandth or so."""


THIN = 256
"""Totals that stand for all where a forecast weighs many."""


# What was drawn --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Audit:
    """Random draws in their order, and what people say of them.

    Attributes:
        unreviewed: (d,) rows that each draw chose from, all equally likely.
        found: (d,) wrong labels among the rows that it did not choose from.
        wrong: (d,) True where the drawn row's label is wrong.
        routes: how the rows came to be looked at; every one has to be `audit`.
    """

    unreviewed: IntArray
    found: IntArray
    wrong: BoolArray
    routes: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what was not drawn: it says nothing of the rest."""
        only_audits(self.routes)
        sizes = {len(self.unreviewed), len(self.found), len(self.wrong), len(self.routes)}
        if len(sizes) != 1:
            raise ValueError(f"an audit's parts have one length, got {sorted(sizes)}")

    def __len__(self) -> int:
        return len(self.wrong)

    @property
    def errors(self) -> int:
        """Wrong labels among the drawn rows."""
        return int(self.wrong.sum())


def only_audits(routes: tuple[str, ...]) -> None:
    """Refuse answers that chance did not choose.

    Raises:
        ValueError: a route other than `audit`.
    """
    others = sorted({route for route in routes if route != AUDIT})
    if others:
        raise ValueError(
            f"only rows drawn at random speak for the others, got the routes {', '.join(others)}"
        )


# Every look ------------------------------------------------------------------------------------


def possible_totals(size: int) -> IntArray:
    """Return (g,) numbers of wrong labels to consider, rising from 0 to `size`; g <= 8,194."""
    if size <= 2 * FINE:
        return np.arange(size + 1)
    above = np.geomspace(FINE, size, FINE).round().astype(np.int64)
    return np.unique(np.r_[np.arange(FINE), above, size])


class Evidence:
    """What random draws say against every number of wrong labels; it takes one draw after another.

    A draw is wrong with chance (m - found) / unreviewed if m labels of the whole set are wrong.
    Reviewing a row from the queue moves `found` and `unreviewed` and says nothing else: it was not
    drawn. Before each draw the totals that are still possible are weighed by prior and likelihood;
    the mean chance that they give to what is then drawn, over the chance that m gives to it, is
    what a bet against m would win. For the true m the winnings are a martingale that starts at 1,
    so by Ville's inequality they ever reach 1 / alpha with chance alpha at most, whatever the queue
    does between the draws (review science 5.3: no weight lies on what is impossible, other than in
    the ratio of Waudby-Smith and Ramdas).

    Attributes:
        totals: (g,) numbers of wrong labels, rising; those found included.
        likelihood: (g,) log-likelihoods, -inf where a total is impossible.
        above: (g,) log of what the bet on smaller totals has won against each.
        around: (g,) the same for the bet on all totals.
        peak_above: (g,) the most that `above` ever was: what is ruled out stays so.
        peak_around: (g,) the same for `around`.
    """

    def __init__(self, totals: IntArray) -> None:
        self.totals = totals
        self.likelihood = np.zeros(len(totals))
        self.above, self.around = np.zeros(len(totals)), np.zeros(len(totals))
        self.peak_above, self.peak_around = np.zeros(len(totals)), np.zeros(len(totals))
        self._spacing = np.log(np.gradient(totals.astype(float)) if len(totals) > 1 else np.ones(1))
        self._next = (-1, -1)
        self._prior = self._arcsine(int(totals[-1]), 0)

    @classmethod
    def growing(cls, audit: Audit, totals: IntArray) -> Iterator[Evidence]:
        """Yield one and the same evidence after each draw of an audit."""
        said = cls(totals)
        for unreviewed, found, wrong in zip(
            audit.unreviewed, audit.found, audit.wrong, strict=True
        ):
            said.draw(int(unreviewed), int(found), bool(wrong))
            yield said

    @classmethod
    def of(cls, audit: Audit, totals: IntArray) -> Evidence:
        """Return what all draws of an audit say."""
        said = cls(totals)
        for said in cls.growing(audit, totals):  # noqa: B007 - the last one is wanted
            pass
        return said

    def draw(self, unreviewed: int, found: int, wrong: bool) -> None:
        """Add a draw.

        Args:
            unreviewed: rows that it chose from, all equally likely.
            found: wrong labels among the rows that it did not choose from.
            wrong: the drawn row's label is wrong.
        """
        if (unreviewed, found) != self._next:
            self._prior = self._arcsine(unreviewed, found)  # known before the draw
        self._next = (unreviewed - 1, found + int(wrong))
        rho = (self.totals - found) / unreviewed
        with np.errstate(divide="ignore", invalid="ignore"):
            step = np.log(np.clip(rho if wrong else 1 - rho, 0.0, 1.0))
            step[(rho < 0) | (rho > 1)] = -np.inf
        self._bet((rho >= 0) & (rho <= 1), step)
        self.likelihood = self.likelihood + step
        self.peak_above = np.maximum(self.peak_above, self.above)  # anew: copies share the rest
        self.peak_around = np.maximum(self.peak_around, self.around)

    def _arcsine(self, unreviewed: int, found: int, some: IntArray | None = None) -> FloatArray:
        """Return (g,) log prior masses of the totals, Beta(1/2, 1/2) on the share that is left.

        It lies on what may be left, not on all labels: where the queue has found most errors, few
        are likely to be left. With `some`, positions, of those totals alone.
        """
        at: IntArray | slice = slice(None) if some is None else some
        rest = self.totals[at] - found
        inside = (rest >= 0) & (rest <= unreviewed)
        rest = np.clip(rest, 0, unreviewed)
        density = -0.5 * (np.log(rest + 0.5) + np.log(unreviewed - rest + 0.5))
        prior: FloatArray = np.where(inside, density + self._spacing[at], -np.inf)
        return prior

    @property
    def posterior(self) -> FloatArray:
        """(g,) log prior of the whole set plus log-likelihood."""
        return self._arcsine(int(self.totals[-1]), 0) + self.likelihood

    def _bet(self, possible: BoolArray, step: FloatArray) -> None:
        weight = np.exp(self._weights(possible, self._prior))
        gives = weight * np.exp(step)
        gain, every = _log_ratio(_before(gives), _before(weight)), 0.0
        if weight.sum() > 0:
            every = float(_log_ratio(gives.sum(keepdims=True), weight.sum(keepdims=True))[0])
        out = np.isneginf(step)
        with np.errstate(invalid="ignore"):
            # where no smaller total is possible there is nothing to bet on
            self.above = np.where(_before(weight) > 0, self.above + gain - step, self.above)
            self.around = self.around + every - step
        self.above[out] = self.around[out] = np.inf

    def _weights(self, possible: BoolArray, prior: FloatArray) -> FloatArray:
        """Return (g,) log weights of the possible totals, the largest 0; -inf elsewhere."""
        joint = np.where(possible, prior + self.likelihood, -np.inf)
        top = joint.max(initial=-np.inf)
        return joint - top if np.isfinite(top) else np.full(len(joint), -np.inf)

    def forecast(self, unreviewed: int, found: int, drawn: int, wrong: float, total: int) -> float:
        """Return log evidence against a total where so many draws find so many wrong labels.

        Nothing but draws is answered meanwhile; then the bets of all of them multiply to one ratio.
        Where more than `THIN` smaller totals are possible, so many of them stand for all.

        Args:
            unreviewed: rows without an answer before the draws.
            found: wrong labels found before them.
            drawn: rows that are drawn.
            wrong: wrong labels among those, perhaps a fraction.
            total: position in `totals`.
        """
        smaller, width = _some(int(np.searchsorted(self.totals, found)), total)
        rest = np.minimum(self.totals[np.r_[smaller, total]] - float(found), unreviewed)
        fits = (rest >= wrong) & (unreviewed - rest >= drawn - wrong)
        if not fits[-1]:
            return np.inf
        now, peak = float(self.above[total]), float(self.peak_above[total])
        moved = (unreviewed, found) != self._next
        prior = self._arcsine(unreviewed, found, smaller) if moved else self._prior[smaller]
        weights = prior + self.likelihood[smaller] + width
        if not np.isfinite(weights).any():
            return max(peak, now)
        step = log_gamma(rest + 1) - log_gamma(np.maximum(rest - wrong, 0) + 1)
        step += log_gamma(unreviewed - rest + 1)
        step -= log_gamma(np.maximum(unreviewed - rest - (drawn - wrong), 0) + 1)
        step = np.where(fits, step - step[-1], -np.inf)
        return max(peak, now + log_sum(weights + step[:-1]) - log_sum(weights))


def _some(first: int, end: int) -> tuple[IntArray, FloatArray]:
    """Return positions from `first` to before `end`, `THIN` at most, and logs of their widths."""
    if end - first <= THIN:
        return np.arange(first, end), np.zeros(max(0, end - first))
    places = np.linspace(first, end - 1, THIN).round().astype(np.int64)
    return places, np.log(np.gradient(places.astype(float)))


def _before(values: FloatArray) -> FloatArray:
    """Return (g,) the sums of what stands before each value."""
    sums: FloatArray = np.concatenate([np.zeros(1), np.cumsum(values)[:-1]])
    return sums


def _log_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return log(numerator / denominator), -inf where nothing is left of the numerator."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: FloatArray = np.log(numerator) - np.log(denominator)
    return ratio
