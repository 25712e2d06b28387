"""How many wrong labels are left: what a random audit says, with limits that hold.

Only rows that chance drew speak for the others. What the models can see has been reviewed; what is
left is, by construction, what they do not see, so no limit here uses a score.

The exact limit is the usual test inversion of the hypergeometric distribution. The live bound is a
prior/posterior ratio (Waudby-Smith and Ramdas, "Confidence sequences for sampling without
replacement", NeurIPS 2020) with an adaptive queue between the draws. The noise rate is PPI++
(Angelopoulos, Duchi and Zrnic 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lnl_core.review.comparison import binomial_interval
from lnl_core.types import BoolArray, FloatArray, IntArray

AUDIT = "audit"
"""Route of a row that chance drew. No other route may be extrapolated."""

STOP_SHARE = 0.01
"""Goal: reviewing may stop where at most this share of all labels is wrong, 95 % sure."""

ENOUGH = 20
"""Audits before anything is said about what is left."""

DENSE, FIRST_AUDITS, SPARSE = 5, 100, 20
"""Every fifth image is drawn at random until a hundred of them have an answer, then every 20th."""

ALPHA = 0.05

FINE = 4096
"""Totals up to this are looked at one by one; above, steps grow by a thousandth or so."""

PPI_AUDITS, PPI_ERRORS = 200, 10
"""From so many audits and errors among them the scores narrow the noise rate's interval."""


# When ------------------------------------------------------------------------------------------


def audit_slots(since: int, answered: int, limit: int) -> list[int]:
    """Return which of the next `limit` places are for rows drawn at random.

    Args:
        since: this reviewer's answers since the last such row.
        answered: such rows with an answer, by anybody.
        limit: places to fill.
    """
    every = DENSE if answered < FIRST_AUDITS else SPARSE
    return list(range(max(0, every - 1 - since), limit, every))


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


# One look --------------------------------------------------------------------------------------


def exact_upper(size: int, drawn: int, wrong: int, alpha: float = ALPHA) -> int:
    """Return the one-sided upper limit of the wrong labels among `size` rows.

    The largest R under which `wrong` or fewer in `drawn` rows are not rarer than alpha; valid for
    one look at a sample without replacement. Those seen are included.

    Args:
        size: rows that were drawn from.
        drawn: rows drawn, at most `size`.
        wrong: wrong labels among them.
        alpha: chance of a limit that is too low.
    """
    from scipy.stats import hypergeom

    low, high = wrong, size - drawn + wrong
    while low < high:
        middle = (low + high + 1) // 2
        if hypergeom.cdf(wrong, size, middle, drawn) > alpha:
            low = middle
        else:
            high = middle - 1
    return low


# Every look ------------------------------------------------------------------------------------


def possible_totals(size: int) -> IntArray:
    """Return (g,) numbers of wrong labels to consider, rising from 0 to `size`; g <= 8,194."""
    if size <= 2 * FINE:
        return np.arange(size + 1)
    above = np.geomspace(FINE, size, FINE).round().astype(np.int64)
    return np.unique(np.r_[np.arange(FINE), above, size])


def likelihoods(audit: Audit, totals: IntArray) -> Iterator[FloatArray]:
    """Yield (g,) log-likelihoods of the totals after each draw, -inf where one is impossible.

    A draw is wrong with chance (m - found) / unreviewed if m labels of the whole set are wrong.
    Reviewing a row from the queue moves `found` and `unreviewed` and says nothing else: it was not
    drawn.
    """
    total = np.zeros(len(totals))
    with np.errstate(divide="ignore", invalid="ignore"):
        for unreviewed, known, wrong in zip(
            audit.unreviewed, audit.found, audit.wrong, strict=True
        ):
            # clipped only to keep the logarithm finite; what lies outside [0, 1] is ruled out below
            rho = np.clip((totals - known) / unreviewed, -1.0, 2.0)
            step = np.log(rho if wrong else 1 - rho)
            step[(rho < 0) | (rho > 1)] = -np.inf
            total = total + step
            yield total


@dataclass(frozen=True, slots=True)
class Limits:
    """What is known of the wrong labels of a whole set, those found included.

    Attributes:
        mean: posterior mean.
        low: lower end of the interval; with `high` it misses the truth, ever, with chance alpha.
        high: upper end.
        limit: the one-sided upper limit, with the same promise for itself alone.
    """

    mean: float
    low: int
    high: int
    limit: int


def live_limits(
    likelihood: FloatArray,
    totals: IntArray,
    least: int,
    most: int,
    alpha: float = ALPHA,
) -> Limits:
    """Return limits that hold at every moment, whatever the queue does between the draws.

    The ratio of a mixture of likelihoods to the likelihood of the truth is a martingale that
    starts at 1; by Ville's inequality it ever reaches 1 / alpha with chance alpha at most. The
    mixture is beta-binomial with a = b = 1/2: over all totals for the interval, over the smaller
    ones for the one-sided limit.

    Args:
        likelihood: (g,) of `likelihoods`, zeros before the first draw.
        totals: (g,) of `possible_totals`.
        least: wrong labels found.
        most: those and every row without an answer.
        alpha: chance that the limit is ever too low; that the interval ever misses.
    """
    from scipy.special import logsumexp

    kept = np.where((totals >= least) & (totals <= most), likelihood, -np.inf)
    if not np.isfinite(kept).any():  # a coarse grid, nearly everything reviewed
        return Limits((least + most) / 2, least, most, most)
    prior = _prior(totals)
    joint = prior + kept
    with np.errstate(invalid="ignore"):
        below = np.r_[-np.inf, np.logaddexp.accumulate(joint)[:-1]]
        below -= np.r_[0.0, np.logaddexp.accumulate(prior)[:-1]]
        one = np.flatnonzero(np.isfinite(kept) & ~(below - kept >= -np.log(alpha)))
        evidence = float(logsumexp(joint))
        two = np.flatnonzero(np.isfinite(kept) & ~(evidence - kept >= -np.log(alpha)))
    share = np.exp(joint - evidence)
    mean = float((share * totals).sum())

    def above(place: int) -> int:  # between two totals looked at, the larger one is safe
        last = place + 1 >= len(totals)
        return min(most, most if last else int(totals[place + 1]) - 1)

    low = int(totals[two[0] - 1]) + 1 if two[0] else 0
    return Limits(
        mean=float(np.clip(mean, least, most)),
        low=max(least, low),
        high=above(int(two[-1])),
        limit=above(int(one[-1])),
    )


def _prior(totals: IntArray) -> FloatArray:
    """Return (g,) log prior masses, beta-binomial with a = b = 1/2; coarse steps weigh more."""
    from scipy.special import betaln, gammaln, logsumexp

    size = float(totals[-1])
    m = totals.astype(np.float64)
    # in logarithms: binomials of a million overflow
    mass = gammaln(size + 1) - gammaln(m + 1) - gammaln(size - m + 1)
    mass += betaln(m + 0.5, size - m + 0.5) - betaln(0.5, 0.5)
    mass += np.log(np.gradient(m) if len(m) > 1 else np.ones(1))
    prior: FloatArray = mass - logsumexp(mass)
    return prior


def audits_needed(
    likelihood: FloatArray, totals: IntArray, found: int, unreviewed: int, goal: int, left: float
) -> int | None:
    """Return about how many more audits bring the live limit to the goal; None where none can.

    It supposes that `left` labels are wrong among the rows without an answer, and that nothing but
    audits is answered.

    Args:
        likelihood: (g,) until now.
        totals: (g,).
        found: wrong labels found.
        unreviewed: rows without an answer.
        goal: wrong labels that may be left.
        left: wrong labels that are left, an estimate.
    """
    from scipy.special import gammaln

    if left > goal:
        return None
    rate = min(1.0, left / unreviewed) if unreviewed else 0.0
    rest = totals.astype(np.float64) - found
    inside = (rest >= 0) & (rest <= unreviewed)
    rest = np.clip(rest, 0, unreviewed)

    def reached(n: int) -> bool:
        wrong = rate * n
        possible = inside & (rest >= wrong) & (unreviewed - rest >= n - wrong)
        step = gammaln(rest + 1) - gammaln(np.maximum(rest - wrong, 0) + 1)
        step += gammaln(unreviewed - rest + 1)
        step -= gammaln(np.maximum(unreviewed - rest - (n - wrong), 0) + 1)
        after = np.where(possible, likelihood + step, -np.inf)
        limits = live_limits(after, totals, found, found + unreviewed)
        return limits.limit - (found + wrong) <= goal

    low, high = 0, unreviewed
    while low < high:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle + 1
    return low


# The noise rate --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of all labels that is wrong, with its 95 % interval; `method` says of which kind."""

    share: float
    low: float
    high: float
    method: str


def noise_rate(
    audit: Audit,
    size: int,
    score: FloatArray | None = None,
    score_open: FloatArray | None = None,
    score_total: float = 0.0,
    alpha: float = ALPHA,
) -> Rate:
    """Estimate the share of wrong labels, those found included; never for a certificate.

    Each draw alone estimates it without bias: what was found, and the drawn row's verdict times
    the rows it was drawn from. From 200 audits with 10 errors, scores of the same rows, whose sum
    over the set is known, narrow the interval (PPI++); below, it is Clopper and Pearson's.

    Args:
        audit: the draws, at least one.
        size: rows of the set.
        score: (d,) the drawn rows' chance to be wrong, made without their answers; or None.
        score_open: (d,) its sum over the rows that each draw chose from; all rows when None.
        score_total: its sum over the set.
        alpha: chance that the interval misses.

    Raises:
        ValueError: no draw.
    """
    n = len(audit)
    if not n:
        raise ValueError("a rate needs at least one audit")
    z = (audit.found + audit.unreviewed * audit.wrong) / size  # (d,)
    if score is None or n < PPI_AUDITS or audit.errors < PPI_ERRORS:
        low, high = binomial_interval(audit.errors, n, 1 - alpha)
        found, rest = float(audit.found.mean()) / size, float(audit.unreviewed.mean()) / size
        return Rate(float(z.mean()), found + rest * low, found + rest * high, "clopper-pearson")
    from scipy.stats import t

    whole = np.full(n, score_total) if score_open is None else score_open
    f = (score_total - whole + audit.unreviewed * np.asarray(score, np.float64)) / size
    spread = float(f.var(ddof=1))
    weight = float(np.clip(np.cov(z, f)[0, 1] / spread, 0, 1)) if spread > 0 else 0.0
    share = weight * score_total / size + float((z - weight * f).mean())
    error = float((z - weight * f).std(ddof=1)) / np.sqrt(n) * np.sqrt(max(0.0, 1 - n / size))
    half = float(t.ppf(1 - alpha / 2, n - 2)) * error
    return Rate(
        float(np.clip(share, 0, 1)), max(0.0, share - half), min(1.0, share + half), "ppi++"
    )
