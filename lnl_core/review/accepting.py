"""Accepting suggestions unseen: how many to check by chance, and what the check proves.

An acceptance plan fixes the pool, the number of checks and the wrong ones that it allows before
anybody looks. The checks are drawn uniformly without replacement, so the numbers are those of the
hypergeometric distribution (Dodge and Romig, "Sampling Inspection Tables", 1944; review science
8). What is promised is about the rest: those of the pool that nobody looks at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.auditing import exact_upper
from lnl_core.types import IntArray

PAYS_FROM = 5
"""A plan saves little where the pool is not this many times the checks."""

LIKELY = 0.5
"""A plan is called one that pays where its check passes with at least this chance."""


def checks_needed(size: int, precision: float, confidence: float, allowed: int) -> int | None:
    """Return the fewest checks after which the rest is as precise as asked for.

    Whatever the number of wrong suggestions in the pool: the chance that at most `allowed` of them
    are among the checks while the rest holds a larger share than `1 - precision` stays at most
    `1 - confidence`.

    Args:
        size: suggestions in the pool.
        precision: share of right ones that the rest is to have, in (0, 1).
        confidence: how sure, in (0, 1).
        allowed: wrong ones among the checks with which it passes.

    Returns:
        None where the pool is too small for any.
    """
    fewest = allowed + 1
    if size <= fewest:
        return None
    most = size - 1
    if _risk(size, most, precision, allowed) > 1 - confidence:
        return None
    low, high = fewest, most
    while low < high:
        middle = (low + high) // 2
        if _risk(size, middle, precision, allowed) <= 1 - confidence:
            high = middle
        else:
            low = middle + 1
    while low > fewest and _risk(size, low - 1, precision, allowed) <= 1 - confidence:
        low -= 1  # whole numbers let the risk rise a little in places
    while _risk(size, low, precision, allowed) > 1 - confidence:
        low += 1
    return low if low < size else None


def _risk(size: int, checks: int, precision: float, allowed: int) -> float:
    """Return the largest chance to pass a check although the rest is worse than asked for."""
    from scipy.stats import hypergeom

    rest = size - checks
    bad = int(np.floor(rest * (1 - precision) + 1e-9)) + 1  # so many in the rest are too many
    if bad > rest:
        return 0.0
    seen = np.arange(allowed + 1)
    return max(
        float(hypergeom.pmf(seen[seen <= total - bad], size, total, checks).sum())
        for total in range(bad, min(bad + allowed, size) + 1)
    )


ALIKE, UNLUCKY = 10.0, 0.2
"""How alike the shares of right ones are in pools of which the same is expected, as the sum of a
beta distribution's parameters, and the share of pools that may have fewer than they are counted on
for. Chosen on photographs with human labels (docs/measurements.md, "Suggestions accepted
unseen")."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What a check says of the rest, which nobody looked at.

    Attributes:
        wrong: at most so many of the rest are wrong, as sure as the plan.
        precision: at least this share of the rest is right.
        observed: share of the checks that was right.
    """

    wrong: int
    precision: float
    observed: float


def proof(size: int, checks: int, wrong: int, rest: int, confidence: float) -> Proof:
    """Return the exact limit on wrong suggestions in the rest of a pool.

    Args:
        size: suggestions in the pool.
        checks: of them were looked at.
        wrong: of the checks were not right.
        rest: suggestions that are to be accepted; the others were answered meanwhile.
        confidence: how sure.
    """
    left = min(rest, exact_upper(size, checks, wrong, 1 - confidence) - wrong)
    return Proof(left, 1 - left / rest if rest else 1.0, 1 - wrong / max(checks, 1))


def chance_to_pass(checks: int, allowed: int, precision: float) -> float:
    """Return how likely a check passes where suggestions are right with this chance."""
    from scipy.stats import binom

    return float(binom.cdf(allowed, checks, 1 - precision))


def careful(expected: float, size: int) -> float:
    """Return the share of right suggestions that a pool should be counted on for.

    What scores and answers expect is too much where a pool was chosen for it, the more the fewer
    suggestions it holds: so the share that four of five pools like it have at least.

    Args:
        expected: share of right ones by the scores.
        size: suggestions in the pool.
    """
    from scipy.stats import betabinom

    if not size:
        return 0.0
    mean = min(max(expected, 1e-6), 1 - 1e-6)
    return float(betabinom.ppf(UNLUCKY, size, ALIKE * mean, ALIKE * (1 - mean)) / size)


def chosen(seed: int, size: int, checks: int) -> IntArray:
    """Return which of a pool's suggestions, in the order of its rows, are checked, in order."""
    drawn: IntArray = np.random.default_rng(seed).permutation(size)[:checks]
    return drawn
