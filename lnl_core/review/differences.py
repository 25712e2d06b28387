"""Are two methods really apart, and of which classes do they find the wrong labels?

Differences are paired: every method is measured on the same bootstrap samples of the images
(`comparison.resamples`). Of many pairs some look apart by chance, so p is corrected by Holm's
procedure ("A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 1979), which needs no independence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from lnl_core.review.comparison import Detection, Sample, difference
from lnl_core.types import BoolArray, FloatArray, IntArray

LEVEL = 0.05
"""Corrected p below which a difference is called clear."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two methods: by how much the first has the higher average precision.

    Attributes:
        one: key of the method with the higher average precision.
        other: key of the other.
        gap: of the average precisions, 0 or more.
        low: end of the 95 % bootstrap interval of the gap, for this pair alone.
        high: its other end.
        p: two-sided, of no difference: the gap over its bootstrap standard error, as normal.
        corrected: p by Holm over all pairs compared.
    """

    one: str
    other: str
    gap: float
    low: float
    high: float
    p: float
    corrected: float

    @property
    def clear(self) -> bool:
        """Whether the difference stands after the correction."""
        return self.corrected < LEVEL


def pairs(detections: Mapping[str, Detection]) -> list[Pair]:
    """Compare every two methods, the clearest first.

    Args:
        detections: key -> measured on one sample, with one set of resamples.
    """
    ordered = sorted(detections, key=lambda key: -detections[key].ap)
    several = []
    for one, other in combinations(ordered, 2):
        gap, low, high = difference(detections[one], detections[other])
        paired = detections[one].resampled - detections[other].resampled
        several.append((one, other, gap, low, high, _p_value(gap, paired)))
    corrected = holm(np.array([each[-1] for each in several]))
    together = [Pair(*each, float(p)) for each, p in zip(several, corrected, strict=True)]
    return sorted(together, key=lambda each: (each.corrected, -each.gap))


def _p_value(gap: float, paired: FloatArray) -> float:
    """Return the two-sided p of a gap; the bootstrap says how far it spreads.

    Counting resamples beyond 0 could not go below one in the number of them, which no correction
    for many pairs would survive.
    """
    from scipy.special import ndtr

    spread = float(np.nanstd(paired, ddof=1)) if np.isfinite(paired).sum() > 1 else 0.0
    if spread <= 0:
        return 1.0 if gap == 0 else 0.0
    return float(2 * ndtr(-abs(gap) / spread))


def holm(p: FloatArray) -> FloatArray:
    """Return p corrected for their number by Holm's procedure, (m,) in [0, 1]."""
    m = len(p)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(np.asarray(p, np.float64)[order] * (m - np.arange(m)))
    corrected = np.empty(m)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


# Classes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """How well the top of an order finds the wrong labels of each given class.

    Attributes:
        recall: (k,) wrong labels of the class at the top, of all of its wrong ones; nan without.
        precision: (k,) wrong labels among the class's images at the top; nan without any.
        recall_interval: (k, 2) 95 %.
        precision_interval: (k, 2) 95 %.
        wrong: (k,) wrong labels of the class, an estimate where the sample is one.
        reviewed: (k,) images of the class at the top, of those whose truth is known.
    """

    recall: FloatArray
    precision: FloatArray
    recall_interval: FloatArray
    precision_interval: FloatArray
    wrong: FloatArray
    reviewed: FloatArray


def by_class(top: BoolArray, given: IntArray, sample: Sample, k: int) -> Shares:
    """Return recall and precision by given class.

    Intervals are exact (Clopper-Pearson); of weighted samples on the number of images that carry as
    much (Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data", Survey Methodology 1998).

    Args:
        top: (n,) True for what would be reviewed.
        given: (n,) labels as they came.
        sample: what is known.
        k: number of classes.
    """
    rows = sample.rows
    label, weight = np.asarray(given)[rows], np.asarray(sample.weight, np.float64)
    at_top, wrong = np.asarray(top)[rows], sample.wrong

    def total(mask: BoolArray, values: FloatArray = weight) -> FloatArray:
        sums: FloatArray = np.bincount(label[mask], values[mask], minlength=k)[:k].astype(float)
        return sums

    hits, errors, seen = total(at_top & wrong), total(wrong), total(at_top)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = hits / errors, hits / seen
        size_of_recall = errors**2 / total(wrong, weight**2)
        size_of_precision = seen**2 / total(at_top, weight**2)
    return Shares(
        recall,
        precision,
        _intervals(recall, size_of_recall),
        _intervals(precision, size_of_precision),
        errors,
        seen,
    )


def _intervals(share: FloatArray, size: FloatArray) -> FloatArray:
    """Return (k, 2) exact 95 % intervals of shares of so many images; nan without any."""
    from scipy.special import betaincinv

    n, hits = np.nan_to_num(size), np.nan_to_num(share * size)
    with np.errstate(invalid="ignore", divide="ignore"):
        low = np.where(hits > 1e-9, betaincinv(np.maximum(hits, 1e-9), n - hits + 1, 0.025), 0.0)
        rest = np.maximum(n - hits, 1e-9)
        high = np.where(n - hits > 1e-9, betaincinv(hits + 1, rest, 0.975), 1.0)
    both: FloatArray = np.stack([low, high], axis=1)
    both[~np.isfinite(share)] = np.nan
    return both


# Two methods in one class -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClassPair:
    """Two methods in one given class: by how much the first finds more of its wrong labels.

    Attributes:
        label: the given class.
        one: key of the method with the higher recall.
        other: key of the other.
        gap: of the recalls, 0 or more.
        low: end of the 95 % interval of the gap, for this pair and class alone.
        high: its other end.
        p: two-sided, of no difference.
        corrected: p by Holm over all pairs and classes compared.
        wrong: wrong labels of the class, an estimate where the sample is one.
    """

    label: int
    one: str
    other: str
    gap: float
    low: float
    high: float
    p: float
    corrected: float
    wrong: float

    @property
    def clear(self) -> bool:
        """Whether the difference stands after the correction."""
        return self.corrected < LEVEL


def class_pairs(
    tops: Mapping[str, BoolArray], given: IntArray, sample: Sample, k: int
) -> list[ClassPair]:
    """Compare the recall of every two methods in every class with wrong labels, clearest first.

    Both are asked of the same wrong labels, so only those count that one finds and the other does
    not: p is McNemar's, exact; intervals are the adjusted Wald ones for paired shares (Bonett and
    Price, "Adjusted Wald confidence interval for a difference of binomial proportions based on
    paired data", Journal of Educational and Behavioral Statistics 2012). Weighted samples count as
    the number of images that carries as much, as in `by_class`.

    Args:
        tops: key -> (n,) True for what would be reviewed.
        given: (n,) labels as they came.
        sample: what is known.
        k: number of classes.
    """
    rows = sample.rows[sample.wrong]
    label, weight = np.asarray(given)[rows], np.asarray(sample.weight, np.float64)[sample.wrong]
    hits = {key: np.asarray(top)[rows] for key, top in tops.items()}
    compared = []
    for c in np.flatnonzero(np.bincount(label, minlength=k)).tolist():
        mine = label == c
        share = weight[mine] / weight[mine].sum()
        size = float(1 / (share**2).sum())
        for first, second in combinations(hits, 2):
            a, b = hits[first][mine], hits[second][mine]
            more, fewer = float(share[a & ~b].sum()), float(share[b & ~a].sum())
            one, other = (first, second) if more >= fewer else (second, first)
            more, fewer = max(more, fewer), min(more, fewer)
            compared.append((c, one, other, more, fewer, size, float(weight[mine].sum())))
    p = np.array([_mcnemar(more * n, fewer * n) for *_, more, fewer, n, _ in compared])
    several = [
        ClassPair(c, one, other, more - fewer, *_paired(more, fewer, n), float(own), float(all_), w)
        for (c, one, other, more, fewer, n, w), own, all_ in zip(compared, p, holm(p), strict=True)
    ]
    return sorted(several, key=lambda each: (each.corrected, each.p, -each.gap, each.label))


def _mcnemar(more: float, fewer: float) -> float:
    """Return the exact two-sided p of so many that one alone and so many that the other found."""
    from scipy.special import betainc

    n, least = more + fewer, min(more, fewer)
    return 1.0 if n < 1e-9 else float(min(1.0, 2 * betainc(n - least, least + 1, 0.5)))


def _paired(more: float, fewer: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of the difference of two shares of the same n."""
    first, second = (share * n + 1 for share in (more, fewer))
    first, second = first / (n + 2), second / (n + 2)
    gap = first - second
    half = 1.959964 * float(np.sqrt(max(first + second - gap**2, 0.0) / (n + 2)))
    return max(gap - half, -1.0), min(gap + half, 1.0)
