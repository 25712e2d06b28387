"""What people miss: sensitivity and false alarms of a reviewer, and a rate without them.

Images whose answer is known (gold) are shown among the others and look the same. How often a wrong
label among them is called wrong is the sensitivity, how often a right one is, the false-alarm rate.
The rate of wrong labels that answers show follows from the true one by both (Rogan and Gladen,
"Estimating prevalence from the results of a screening test", 1978).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

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
