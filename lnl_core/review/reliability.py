"""Do chances hold what they promise? Shares of wrong labels among images of like chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.comparison import Sample, binomial_interval
from lnl_core.types import FloatArray, IntArray

BINS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """What chances promised and what was so, in b bins of equal width that images stand for.

    A reliability diagram (Murphy and Winkler 1977; DeGroot and Fienberg 1983).

    Attributes:
        promised: (b,) mean p_wrong of a bin, in [0, 1].
        found: (b,) share of its labels that are wrong, in [0, 1].
        low, high: (b,) 95 % interval of that share (Clopper-Pearson; where images stand for
            several, of as many as they are worth).
        counts: (b,) images that judge.
        expected: wrong labels that the chances promise in the population.
        errors: wrong labels that there are; an estimate where the sample is one.
        size: images of the population.
    """

    promised: FloatArray
    found: FloatArray
    low: FloatArray
    high: FloatArray
    counts: IntArray
    expected: float
    errors: float
    size: int


def reliability(p_wrong: FloatArray, sample: Sample, bins: int = BINS) -> Reliability:
    """Compare the chances of a set with what is known of a sample of it.

    Args:
        p_wrong: (n,) of the whole set, in [0, 1].
        sample: what is known.
        bins: parts of [0, 1].
    """
    p = np.asarray(p_wrong, np.float64)[sample.rows]
    place = np.minimum((p * bins).astype(np.int64), bins - 1)

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(place, values, bins).astype(np.float64)

    weight = sample.weight
    counts = np.bincount(place, minlength=bins)
    whole = total(weight)
    some = whole > 0  # answers from after the last draw stand for nothing
    mass = whole[some]
    found = total(weight * sample.wrong)[some] / mass
    worth = np.rint(mass**2 / total(weight**2)[some]).astype(int)  # Kish's effective size
    limits = [
        binomial_interval(round(share * size), size)
        for share, size in zip(found.tolist(), worth.tolist(), strict=True)
    ]
    low, high = np.array(limits, np.float64).reshape(-1, 2).T
    return Reliability(
        promised=total(weight * p)[some] / mass,
        found=found,
        low=low,
        high=high,
        counts=counts[some],
        expected=float((weight * p).sum()),
        errors=sample.errors,
        size=sample.size,
    )
