"""What people miss: sensitivity and false alarms of a reviewer, and limits that reckon with them.

Images whose answer is known (gold) are shown among the others and look the same. How often a wrong
label among them is called wrong is the sensitivity, how often a right one is, the false-alarm rate.
The rate of wrong labels that answers show follows from the true one by both (Rogan and Gladen,
"Estimating prevalence from the results of a screening test", 1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.auditing import ALPHA

DRAWS = 20_000
"""Draws from the posterior of a corrected rate."""


@dataclass(frozen=True, slots=True)
class Known:
    """Answers to images whose truth is known.

    Attributes:
        wrong: images with a wrong label.
        caught: those that were called wrong.
        right: images with a right label.
        alarms: those that were called wrong.
    """

    wrong: int
    caught: int
    right: int
    alarms: int

    def __post_init__(self) -> None:
        """Refuse what cannot be counted."""
        if not (0 <= self.caught <= self.wrong and 0 <= self.alarms <= self.right):
            raise ValueError(
                f"caught {self.caught} of {self.wrong} wrong and alarms {self.alarms} of "
                f"{self.right} right cannot be"
            )

    def __add__(self, other: Known) -> Known:
        return Known(
            self.wrong + other.wrong,
            self.caught + other.caught,
            self.right + other.right,
            self.alarms + other.alarms,
        )


@dataclass(frozen=True, slots=True)
class Corrected:
    """A rate of wrong labels without the errors of the people who looked."""

    share: float
    low: float
    high: float


def corrected_rate(called: int, looked: int, known: Known, seed: int = 0) -> Corrected:
    """Return the true rate behind answers, with its 95 % interval (Rogan and Gladen).

    The observed rate, sensitivity and false-alarm rate are drawn from Beta(x + 1/2, n - x + 1/2);
    the interval is that of (q - F) / (S - F), which lies in [0, 1].

    Args:
        called: images of a random sample that were called wrong.
        looked: images of that sample.
        known: what the same people said of images whose truth is known.
        seed: of the draws.

    Raises:
        ValueError: nothing was looked at, or more was called wrong than that.
    """
    if not 0 <= called <= looked or not looked:
        raise ValueError(f"called {called} of {looked} images wrong: nothing to correct")
    rng = np.random.default_rng(seed)
    q = rng.beta(called + 0.5, looked - called + 0.5, DRAWS)
    s = rng.beta(known.caught + 0.5, known.wrong - known.caught + 0.5, DRAWS)
    f = rng.beta(known.alarms + 0.5, known.right - known.alarms + 0.5, DRAWS)
    gap = s - f
    with np.errstate(divide="ignore", invalid="ignore"):
        # who calls right labels wrong as often as wrong ones says nothing at all
        rate = np.where(gap > 0, np.clip((q - f) / gap, 0.0, 1.0), rng.random(DRAWS))
    low, middle, high = np.quantile(rate, [0.025, 0.5, 0.975])
    return Corrected(float(middle), float(low), float(high))


def least_chance(hits: int, of: int, alpha: float) -> float:
    """Return the lower limit of a chance, true at every look with chance 1 - alpha.

    The mixture of Beta(1/2, 1/2) over all chances bets against each one (Robbins, "Statistical
    methods related to the law of the iterated logarithm", 1970): a chance is ruled out once the
    bet has won 1 / alpha.
    """
    from scipy.optimize import brentq
    from scipy.special import betaln

    if not hits:
        return 0.0
    mixture = betaln(hits + 0.5, of - hits + 0.5) - betaln(0.5, 0.5)

    def won(chance: float) -> float:
        said = hits * np.log(chance) + (of - hits) * np.log1p(-chance)
        return float(mixture - said + np.log(alpha))

    top = min(hits / of, 1 - 1e-12)
    if won(1e-12) < 0:
        return 0.0
    return float(brentq(won, 1e-12, top)) if won(top) < 0 else top


def most_behind(seen: int, chance: float, alpha: float) -> int:
    """Return the most wrong labels of which `seen` may have been noticed, each with `chance`.

    The largest m under which `seen` or fewer of m are not rarer than alpha.

    Raises:
        ValueError: no chance to notice anything: nothing can be said.
    """
    from scipy.stats import binom

    if not chance > 0:
        raise ValueError("without a chance to notice a wrong label nothing limits their number")
    low, high = seen, seen + 1
    while binom.cdf(seen, high, chance) > alpha:
        low, high = high, 2 * high
    while low + 1 < high:
        middle = (low + high) // 2
        if binom.cdf(seen, middle, chance) > alpha:
            low = middle
        else:
            high = middle
    return low


EVIDENCE, SENSITIVITY, LEFT, MISSED = 0.6, 0.2, 0.1, 0.1
"""Shares of the chance to be wrong: of the live limit, the sensitivity, what it leaves unseen among
the open images, and among those with an answer."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """Wrong labels that nobody has called wrong, at most.

    Attributes:
        unseen: among images without an answer.
        missed: among images whose label was called right.
    """

    unseen: int
    missed: int

    @property
    def limit(self) -> int:
        """Both together."""
        return self.unseen + self.missed


def corrected_limit(
    left: int, found: int, unreviewed: int, kept: int, known: Known, alpha: float = ALPHA
) -> Beyond:
    """Return how many wrong labels are left at most, reckoning with those that people miss.

    `left` limits the open images that people would call wrong. Each wrong label is noticed with
    the sensitivity, of which gold images say how small it may be; so more may be behind it, and
    some were passed over among the images with an answer. False alarms only make the limit larger.
    Without gold images nothing is known of the sensitivity, and everything may be wrong.

    Args:
        left: live limit of the labels that would be called wrong, with `alpha * EVIDENCE`.
        found: labels called wrong.
        unreviewed: images without an answer.
        kept: images whose label was called right.
        known: what the same people said of gold images.
        alpha: chance that the limit is ever too low.
    """
    sure = least_chance(known.caught, known.wrong, alpha * SENSITIVITY) if known.wrong else 0.0
    if not sure:
        return Beyond(unreviewed, kept)
    return Beyond(
        unseen=min(unreviewed, most_behind(left, sure, alpha * LEFT)),
        missed=min(kept, most_behind(found, sure, alpha * MISSED) - found),
    )
