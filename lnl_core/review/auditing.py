"""How many wrong labels are left: what a random audit says, with limits that hold.

Only rows that chance drew speak for the others. What the models can see has been reviewed; what is
left is, by construction, what they do not see, so no limit here uses a score.

The exact limit is the usual test inversion of the hypergeometric distribution. The live bound is a
betting martingale in the manner of a prior/posterior ratio (Waudby-Smith and Ramdas, "Confidence
sequences for sampling without replacement", NeurIPS 2020) with an adaptive queue between the draws.
The noise rate is PPI++ (Angelopoulos, Duchi and Zrnic 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lnl_core.review.comparison import binomial_interval
from lnl_core.types import BoolArray, FloatArray, IntArray

AUDIT = "audit"
"""Route of a row that chance drew. No other route may be extrapolated."""

ENOUGH = 20
"""Audits before anything is said about what is left."""

DENSE, FIRST_AUDITS, SPARSE = 5, 100, 20
"""Every fifth image is drawn at random until a hundred of them have an answer, then every 20th."""

ALPHA = 0.05

FINE = 4096
"""Totals up to this are looked at one by one; above, steps grow by a thousandth or so."""

CANDIDATES = 25
"""Moments to leave the queue at that a forecast compares."""

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
        np.maximum(self.peak_above, self.above, out=self.peak_above)
        np.maximum(self.peak_around, self.around, out=self.peak_around)

    def _arcsine(self, unreviewed: int, found: int) -> FloatArray:
        """Return (g,) log prior masses of the totals, Beta(1/2, 1/2) on the share that is left.

        It lies on what may be left, not on all labels: where the queue has found most errors, few
        are likely to be left.
        """
        rest = self.totals - found
        inside = (rest >= 0) & (rest <= unreviewed)
        rest = np.clip(rest, 0, unreviewed)
        density = -0.5 * (np.log(rest + 0.5) + np.log(unreviewed - rest + 0.5))
        prior: FloatArray = np.where(inside, density + self._spacing, -np.inf)
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

        Args:
            unreviewed: rows without an answer before the draws.
            found: wrong labels found before them.
            drawn: rows that are drawn.
            wrong: wrong labels among those, perhaps a fraction.
            total: position in `totals`.
        """
        from scipy.special import gammaln, logsumexp

        moved = (unreviewed, found) != self._next
        prior = self._arcsine(unreviewed, found) if moved else self._prior
        first = int(np.searchsorted(self.totals, found))
        rest = np.minimum(self.totals[first : total + 1] - float(found), unreviewed)
        fits = (rest >= wrong) & (unreviewed - rest >= drawn - wrong)
        if not len(rest) or not fits[-1]:
            return np.inf
        step = gammaln(rest + 1) - gammaln(np.maximum(rest - wrong, 0) + 1)
        step += gammaln(unreviewed - rest + 1)
        step -= gammaln(np.maximum(unreviewed - rest - (drawn - wrong), 0) + 1)
        step = np.where(fits, step - step[-1], -np.inf)
        weights = (prior + self.likelihood)[first:total]
        now, peak = float(self.above[total]), float(self.peak_above[total])
        if not np.isfinite(weights).any():
            return max(peak, now)
        return max(peak, now + float(logsumexp(weights + step[:-1]) - logsumexp(weights)))


def _before(values: FloatArray) -> FloatArray:
    """Return (g,) the sums of what stands before each value."""
    sums: FloatArray = np.concatenate([np.zeros(1), np.cumsum(values)[:-1]])
    return sums


def _log_ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return log(numerator / denominator), -inf where nothing is left of the numerator."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: FloatArray = np.log(numerator) - np.log(denominator)
    return ratio


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


def live_limits(said: Evidence, least: int, most: int, alpha: float = ALPHA) -> Limits:
    """Return limits that hold at every moment, whatever the queue does between the draws.

    A total is ruled out once the bet against it has ever won 1 / alpha: the bet on the smaller
    totals for the one-sided limit, on all for the interval. So limits only ever fall, but for one
    case: where later draws make a total above the limit the likely one, an early stroke of luck is
    at work, and what the bets have won by now counts instead, which rules out less.

    Args:
        said: what the draws say.
        least: wrong labels found.
        most: those and every row without an answer.
        alpha: chance that the limit is ever too low; that the interval ever misses.
    """
    from scipy.special import logsumexp

    totals = said.totals
    inside = (totals >= least) & (totals <= most) & np.isfinite(said.likelihood)
    if not inside.any():  # a coarse grid, nearly everything reviewed
        return Limits((least + most) / 2, least, most, most)
    joint = np.where(inside, said.posterior, -np.inf)
    mean = float((np.exp(joint - logsumexp(joint)) * totals).sum())

    def kept(peak: FloatArray, now: FloatArray, *, both: bool) -> IntArray:
        left = np.flatnonzero(inside & (peak < -np.log(alpha)))
        if len(left) and mean <= totals[left[-1]] and (mean >= totals[left[0]] or not both):
            return left
        return np.flatnonzero(inside & (now < -np.log(alpha)))

    one = kept(said.peak_above, said.above, both=False)
    two = kept(said.peak_around, said.around, both=True)
    if not (len(one) and len(two)):
        return Limits(mean, least, most, most)

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


def audits_needed(
    said: Evidence, found: int, unreviewed: int, goal: int, left: float
) -> int | None:
    """Return about how many more audits bring the live limit to the goal; None where none can.

    It supposes that `left` labels are wrong among the rows without an answer, and that nothing but
    audits is answered.

    Args:
        said: what the draws say until now.
        found: wrong labels found.
        unreviewed: rows without an answer.
        goal: wrong labels that may be left.
        left: wrong labels that are left, an estimate.
    """
    if left > goal:
        return None
    rate = min(1.0, left / unreviewed) if unreviewed else 0.0

    def reached(n: int) -> bool:
        wrong = rate * n
        place = int(np.searchsorted(said.totals, found + wrong + goal, side="right"))
        if place >= len(said.totals) or goal >= unreviewed - n:
            return True
        return bool(said.forecast(unreviewed, found, n, wrong, place) >= -np.log(ALPHA))

    low, high = 0, unreviewed
    while low < high:
        middle = (low + high) // 2
        if reached(middle):
            high = middle
        else:
            low = middle + 1
    return low


# The schedule ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """The way to the goal that is forecast to take the fewest reviews.

    Attributes:
        queue: reviews of the queue that are still worth it.
        audits: rows drawn at random after them, without an error more than is expected.
    """

    queue: int
    audits: int

    @property
    def total(self) -> int:
        """Reviews to the goal."""
        return self.queue + self.audits


def plan(said: Evidence, found: int, p: FloatArray, goal: int, left: float | None = None) -> Plan:
    """Return when to leave the queue for audits alone, as far as one can see now.

    The queue pays while it lowers what is left faster than that it costs reviews; the switch is
    where the queue's reviews and the audits that are needed after them are fewest together
    (review science 5.4).

    Args:
        said: what the draws say until now.
        found: wrong labels found.
        p: (u,) chances to be wrong of the rows without an answer, in the queue's order.
        goal: wrong labels that may be left.
        left: wrong labels that are left; the sum of `p` when None.
    """
    u = len(p)
    gone = np.r_[0.0, np.cumsum(p, dtype=np.float64)]
    scale = 1.0 if left is None or gone[-1] <= 0 else min(left / gone[-1], u / gone[-1])
    rest = scale * (gone[-1] - gone)  # (u + 1,) left after so many reviews of the queue

    def then(t: int) -> int | None:
        return audits_needed(said, found + round(scale * gone[t]), u - t, goal, float(rest[t]))

    first = int(np.argmax(rest <= goal))  # before it no number of audits does
    best = Plan(u, 0)
    for t in np.unique(np.r_[first, first + (np.geomspace(1, u - first + 1, CANDIDATES) - 1)]):
        if t >= best.total:
            break
        needed = then(int(t))
        if needed is not None and int(t) + needed < best.total:
            best = Plan(int(t), needed)
    return best


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
