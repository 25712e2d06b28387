"""How many wrong labels are left: what a random audit says, with limits that hold.

Only rows that chance drew speak for the others. What the models can see has been reviewed; what is
left is, by construction, what they do not see, so no limit here uses a score.

The exact limit is the usual test inversion of the hypergeometric distribution. The live bound is a
betting martingale in the manner of a prior/posterior ratio (Waudby-Smith and Ramdas, "Confidence
sequences for sampling without replacement", NeurIPS 2020) with an adaptive queue between the draws.
The noise rate is PPI++ (Angelopoulos, Duchi and Zrnic 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.comparison import binomial_interval
from lnl_core.review.evidence import Audit, Evidence
from lnl_core.review.special import log_sum
from lnl_core.types import FloatArray, IntArray

ENOUGH = 20
"""Audits before anything is said about what is left."""

DENSE, FIRST_AUDITS, SPARSE = 5, 100, 20
"""Every fifth image is drawn at random until a hundred of them have an answer, then every 20th."""

ALPHA = 0.05
"""Chance that any limit of a whole review is ever too low."""

FIRST = 0.8
"""Part of that chance for a set as it came; each change of it takes half of what is left."""

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


def risk(changes: int = 0) -> float:
    """Return the chance that limits of one state of a set are ever too low; they sum to ALPHA.

    Images that are added, and labels that are changed unseen, make another number of wrong labels,
    of which only later draws speak: bets begin anew, with a part of the risk of their own.

    Args:
        changes: states that the set had before.
    """
    return FIRST * ALPHA if not changes else (1 - FIRST) * ALPHA / 2**changes


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


# Every look ----------------------------------------------------------------------------------


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
    totals = said.totals
    inside = (totals >= least) & (totals <= most) & np.isfinite(said.likelihood)
    if not inside.any():  # a coarse grid, nearly everything reviewed
        return Limits((least + most) / 2, least, most, most)
    joint = np.where(inside, said.posterior, -np.inf)
    mean = float((np.exp(joint - log_sum(joint)) * totals).sum())

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
    said: Evidence,
    found: int,
    unreviewed: int,
    goal: int,
    left: float,
    most: int | None = None,
    alpha: float = ALPHA,
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
        most: where more than so many are needed, how many does not matter: None.
        alpha: chance that the limit is ever too low.
    """
    if left > goal:
        return None
    rate = min(1.0, left / unreviewed) if unreviewed else 0.0

    def reached(n: int) -> bool:
        wrong = rate * n
        place = int(np.searchsorted(said.totals, found + wrong + goal, side="right"))
        if place >= len(said.totals) or goal >= unreviewed - n:
            return True
        return bool(said.forecast(unreviewed, found, n, wrong, place) >= -np.log(alpha))

    low, high = 0, unreviewed
    if most is not None and most < high:
        if most < 0 or not reached(most):
            return None
        high = most
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


def plan(
    said: Evidence,
    found: int,
    p: FloatArray,
    goal: int,
    left: float | None = None,
    alpha: float = ALPHA,
) -> Plan:
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
        alpha: chance that the limit is ever too low.
    """
    u = len(p)
    gone = np.r_[0.0, np.cumsum(p, dtype=np.float64)]
    scale = 1.0 if left is None or gone[-1] <= 0 else min(left / gone[-1], u / gone[-1])
    rest = scale * (gone[-1] - gone)  # (u + 1,) left after so many reviews of the queue

    def then(t: int, most: int) -> int | None:
        more = found + round(scale * gone[t])
        return audits_needed(said, more, u - t, goal, float(rest[t]), most, alpha)

    first = int(np.argmax(rest <= goal))  # before it no number of audits does
    best = Plan(u, 0)
    for t in np.unique(np.r_[first, first + (np.geomspace(1, u - first + 1, CANDIDATES) - 1)]):
        if t >= best.total:
            break
        needed = then(int(t), best.total - int(t) - 1)
        if needed is not None:
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
