"""Methods side by side: agreement, detection on a sample, two groups of losses, two accuracies.

What is known of the truth is a `Sample`: every row where the truth is known, or the rows that
people answered, weighted so that sums over them estimate sums over the whole set. Only a random
audit may be extrapolated (review science 1 and 9); an answer from the queue counts for
its own image alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lnl_core.review.metrics import average_precision
from lnl_core.types import BoolArray, FloatArray, IntArray

CORRELATED = 200_000
"""Most rows that a rank correlation looks at; larger sets are thinned evenly."""

CELLS = 4_000_000
"""Most draws (resamples x rows) of a bootstrap."""

RESAMPLED = 50_000
"""Most rows of a bootstrap; the spread on a part of a larger sample is scaled to all of it."""

POINTS = 300
"""Most points of a drawn curve."""

FITTED = 20_000
"""Most rows that a mixture is fitted to."""

PILE = 0.25
"""A component narrower than this share of the other one is a pile of equal values."""


# Agreement ------------------------------------------------------------------------------------


def rank_correlation(scores: Sequence[FloatArray]) -> FloatArray:
    """Return (m, m) Spearman correlation of m scores over the same rows; ties share their rank.

    A score that is the same for every row correlates with nothing: nan beside the diagonal.
    """
    n = len(scores[0])
    rows = np.linspace(0, n - 1, CORRELATED).astype(np.int64) if n > CORRELATED else slice(None)
    ranks = np.stack([_ranks(np.asarray(score, np.float64)[rows]) for score in scores])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.sqrt((ranks**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: FloatArray = ranks @ ranks.T / np.outer(length, length)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _ranks(values: FloatArray) -> FloatArray:
    """Return ranks from 1; equal values share the mean of theirs (scipy.stats takes seconds)."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: FloatArray = (last - (counts - 1) / 2)[place]
    return ranks


def top_overlap(scores: Sequence[FloatArray], k: int) -> FloatArray:
    """Return (m, m) overlap of the k most suspicious rows: those in both over those in either."""
    tops = [_top(np.asarray(score), k) for score in scores]
    overlap = np.eye(len(tops))
    for i, first in enumerate(tops):
        for j in range(i):
            both = int((first & tops[j]).sum())
            either = int((first | tops[j]).sum())
            overlap[i, j] = overlap[j, i] = both / either if either else 1.0
    return overlap


def _top(score: FloatArray, k: int) -> BoolArray:
    mask = np.zeros(len(score), dtype=bool)
    k = min(max(k, 0), len(score))
    if k:
        cut = np.partition(score, -k)[-k]
        mask = score > cut
        mask[np.flatnonzero(score == cut)[: k - int(mask.sum())]] = True
    return mask


# What is known of the truth --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows whose truth is known, with weights that make them represent a population.

    Attributes:
        rows: (m,) rows of the data set.
        wrong: (m,) True where the given label is not right.
        true_labels: (m,) the right class, -1 where only wrong or right is known.
        weight: (m,) how many images each row stands for; their sum is about `size`.
        drawn: (m,) True where chance chose the row; False where it stands for itself alone.
        population: (n,) True for the rows that the sample represents.
    """

    rows: IntArray
    wrong: BoolArray
    true_labels: IntArray
    weight: FloatArray
    drawn: BoolArray
    population: BoolArray

    @property
    def size(self) -> int:
        """Number of images that the sample represents."""
        return int(self.population.sum())

    @property
    def errors(self) -> float:
        """Number of wrong labels in the population, an estimate where the sample is one."""
        return float((self.weight * self.wrong).sum())


def known(given: IntArray, true_labels: IntArray, population: BoolArray) -> Sample:
    """Return the sample of a set whose truth is known: every row of the population, weight 1."""
    rows = np.flatnonzero(population)
    truth = np.asarray(true_labels, np.int64)[rows]
    wrong = np.asarray(given)[rows] != truth
    ones = np.ones(len(rows))
    return Sample(rows, wrong, truth, ones, np.ones(len(rows), bool), population)


def audit_weights(order: Iterable[tuple[int, bool]], size: int) -> tuple[dict[int, float], int]:
    """Weigh answered rows so that their sums are unbiased for a population of `size` rows.

    An audit draws one row at random from those without an answer. Before it, u rows have no
    answer: what is known of the others, plus u times what the draw shows, is an unbiased estimate
    of a sum over the population; the mean over all draws is one too, however the queue went. So a
    drawn row weighs u / draws, and every row the share of the draws that came after its answer.

    Args:
        order: (row, drawn at random) in the order of the first answers, each row once.
        size: rows in the population.

    Returns:
        row -> weight, summing to `size`; and the number of draws (without any: no weights).
    """
    steps = list(order)
    draws = sum(drawn for _, drawn in steps)
    weights: dict[int, float] = {}
    if not draws:
        return weights, 0
    later = draws
    for place, (row, drawn) in enumerate(steps):
        later -= drawn
        weights[row] = (later + (size - place if drawn else 0)) / draws
    return weights, draws


# Detection ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """How well a score finds wrong labels, on a sample.

    Attributes:
        depth: (p,) images reviewed, most suspicious first, from 0.
        found: (p,) wrong labels among them.
        precision: (p,) share of wrong labels among them; nan at depth 0.
        total: wrong labels in the population.
        size: images in the population.
        ap: average precision; `resampled` (b,) the same on bootstrap samples, drawn alike for all
            scores, so that differences are paired; nan where no wrong label was drawn.
        at_total: precision after as many reviews as there are wrong labels.
        first_fifth: share of the wrong labels among the first fifth of the images.
        to_most: reviews until 80 % of the wrong labels are found.
    """

    depth: FloatArray
    found: FloatArray
    precision: FloatArray
    total: float
    size: int
    ap: float
    resampled: FloatArray
    at_total: float
    first_fifth: float
    to_most: int

    @property
    def interval(self) -> tuple[float, float]:
        """95 % bootstrap interval of the average precision."""
        low, high = np.nanpercentile(self.resampled, [2.5, 97.5])
        return float(low), float(high)


def resamples(sample: Sample, seed: int = 0) -> IntArray:
    """Return (b, m) bootstrap counts of the sample's rows; rows that nobody drew stay once.

    Above 50,000 rows the counts are for the part of them that `detect` resamples.
    """
    part = _part(len(sample.rows))
    b = int(np.clip(CELLS // max(len(part), 1), 20, 200))
    # Poisson(1) counts are the bootstrap of a large sample, and draw for each row alone
    counts = np.random.default_rng(seed).poisson(1.0, (b, len(part))).astype(np.uint8)
    counts[:, ~sample.drawn[part]] = 1
    return counts


def _part(m: int) -> IntArray:
    """Choose the rows of a sample that are resampled: all, or the same random ones each time."""
    if m <= RESAMPLED:
        return np.arange(m)
    return np.sort(np.random.default_rng(m).choice(m, RESAMPLED, replace=False))


def detect(score: FloatArray, sample: Sample, counts: IntArray, seed: int = 0) -> Detection | None:
    """Measure a score of suspicion against a sample; None where it holds no wrong label.

    Args:
        score: (n,) of the whole set; larger is more suspicious. Ties are broken at random.
        sample: what is known.
        counts: (b, m) of `resamples`.
        seed: of the order inside ties.
    """
    if not len(sample.rows) or not (sample.wrong & (sample.weight > 0)).any():
        return None
    inside = np.flatnonzero(sample.population)
    values = np.asarray(score, np.float64)
    shuffled = np.random.default_rng(seed).permutation(inside)
    order = shuffled[np.argsort(-values[shuffled], kind="stable")]
    place = np.empty(len(values), np.int64)
    place[order] = np.arange(1, len(order) + 1)
    depth_of = place[sample.rows]
    by_place = np.argsort(depth_of, kind="stable")
    depth = depth_of[by_place]
    weight, hit = sample.weight[by_place], sample.wrong[by_place].astype(np.float64)
    hits = np.cumsum(weight * hit)
    seen = np.cumsum(weight)
    precision = hits / np.maximum(seen, 1e-12)  # rows of weight 0 may come first
    total = float(hits[-1])
    exact = bool(sample.drawn.all()) and len(sample.rows) == sample.size
    ap = (
        average_precision(sample.wrong, values[sample.rows])
        if exact
        else float((weight * hit * precision).sum() / total)
    )
    most = int(np.searchsorted(hits, 0.8 * total - 1e-9))  # exactly 80 % counts despite rounding
    shown = thinned(len(depth))
    return Detection(
        depth=np.r_[0, depth[shown]].astype(np.float64),
        found=np.r_[0, hits[shown]],
        precision=np.r_[np.nan, precision[shown]],
        total=total,
        size=sample.size,
        ap=ap,
        resampled=resampled(sample, depth_of, counts, ap),
        at_total=_at(depth, precision, max(1, round(total))),
        first_fifth=_at(depth, hits, max(1, round(0.2 * sample.size))) / total,
        to_most=int(depth[min(most, len(depth) - 1)]),
    )


def _at(depth: IntArray, values: FloatArray, reviews: int) -> float:
    """Return the value that holds after so many reviews."""
    place = int(np.searchsorted(depth, reviews, side="right")) - 1
    return float(values[place]) if place >= 0 else 0.0


def thinned(m: int) -> IntArray:
    """Choose points of a curve: closer together where it begins."""
    if m <= POINTS:
        return np.arange(m)
    return np.unique(np.round((m - 1) * np.linspace(0, 1, POINTS) ** 1.5).astype(np.int64))


def resampled(sample: Sample, depth: IntArray, counts: IntArray, ap: float) -> FloatArray:
    """Return (b,) average precision of bootstrap samples, around the one of the whole sample."""
    part = _part(len(sample.rows))
    order = np.argsort(depth[part], kind="stable")
    chosen = part[order]
    weight, hit = sample.weight[chosen], sample.wrong[chosen].astype(np.float64)
    precisions = np.full(len(counts), np.nan)
    for i, times in enumerate(counts[:, order]):
        w = weight * times
        hits, seen = np.cumsum(w * hit), np.cumsum(w)
        if hits[-1]:
            precisions[i] = (w * hit * hits / np.maximum(seen, 1e-12)).sum() / hits[-1]
    if len(part) == len(sample.rows):
        return precisions
    # a part spreads wider than the whole sample: the spread of a mean goes with 1 / sqrt(m)
    shrink = np.sqrt(len(part) / len(sample.rows))
    scaled: FloatArray = ap + (precisions - np.nanmean(precisions)) * shrink
    return scaled


def difference(one: Detection, other: Detection) -> tuple[float, float, float]:
    """Return by how much the first average precision is above the other, and its 95 % interval."""
    paired = one.resampled - other.resampled
    low, high = np.nanpercentile(paired, [2.5, 97.5])
    return one.ap - other.ap, float(low), float(high)


def suggestions_right(suggested: IntArray, sample: Sample) -> float:
    """Return the share of wrong labels whose suggestion is the right class; nan without any."""
    asked = sample.wrong & (sample.true_labels >= 0)
    weight = sample.weight * asked
    if not weight.sum():
        return float("nan")
    right = np.asarray(suggested)[sample.rows] == sample.true_labels
    return float((weight * right).sum() / weight.sum())


# Two groups of losses --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mixture:
    """Two normal components, the lower first.

    Attributes:
        weight: shares, they sum to 1.
        mean: centres.
        deviation: standard deviations.
        separate: True where two components describe the values better than one (BIC), and their
            centres lie at least one deviation apart.
    """

    weight: tuple[float, float]
    mean: tuple[float, float]
    deviation: tuple[float, float]
    separate: bool

    def densities(self, x: FloatArray) -> FloatArray:
        """Return (2, len(x)): the weighted density of each component."""
        values = np.asarray(x, np.float64)[None]
        mean, deviation, weight = (
            np.array(part)[:, None] for part in (self.mean, self.deviation, self.weight)
        )
        z = (values - mean) / deviation
        densities: FloatArray = weight * np.exp(-0.5 * z**2) / (deviation * np.sqrt(2 * np.pi))
        return densities

    def posterior(self, x: FloatArray) -> FloatArray:
        """Return the chance that each value belongs to the upper component.

        Where the lower component is the wider one its tail would win again above; so the chance
        never falls from one value to a larger one.
        """
        values = np.asarray(x, np.float64)
        low, high = self.mean
        grid = np.linspace(low, high, 512)
        both = self.densities(grid)
        # far from both centres the two densities underflow to 0 together
        rising = np.maximum.accumulate(both[1] / np.maximum(both.sum(axis=0), 1e-300))
        posterior: FloatArray = np.interp(values, grid, rising)
        return posterior


def fit_mixture(values: FloatArray, seed: int = 0) -> Mixture | None:
    """Fit two normal components (scikit-learn's GaussianMixture); None with too few values.

    Above 20,000 values an even part of their sorted order is fitted. Where one component is a
    pile at the end of the scale, both get the same width: a pile is no group of its own.
    """
    from sklearn.mixture import GaussianMixture

    ordered = np.sort(np.asarray(values, np.float64))
    ordered = ordered[np.isfinite(ordered)]
    if len(ordered) < 20 or ordered[-1] - ordered[0] < 1e-9:
        return None
    if len(ordered) > FITTED:
        ordered = ordered[np.linspace(0, len(ordered) - 1, FITTED).astype(np.int64)]
    column = ordered[:, None]
    # A start at the halves of the range finds a small upper group that random starts miss.
    starts = np.percentile(ordered, [25, 99])[:, None]

    def fit(kind: str) -> tuple[FloatArray, FloatArray, FloatArray, float]:
        mixture = GaussianMixture(
            2, covariance_type=kind, means_init=starts, reg_covar=1e-3, random_state=seed
        ).fit(column)
        by_mean = np.argsort(mixture.means_[:, 0])
        spread = np.sqrt(np.broadcast_to(mixture.covariances_.ravel(), 2))
        return (
            mixture.weights_[by_mean],
            mixture.means_[by_mean, 0],
            spread[by_mean],
            float(mixture.bic(column)),
        )

    weight, mean, deviation, bic = fit("full")
    if deviation.min() < PILE * deviation.max():
        weight, mean, deviation, bic = fit("tied")
    one = GaussianMixture(1, reg_covar=1e-3).fit(column)
    return Mixture(
        weight=(float(weight[0]), float(weight[1])),
        mean=(float(mean[0]), float(mean[1])),
        deviation=(float(deviation[0]), float(deviation[1])),
        separate=bool(bic < one.bic(column) and mean[1] - mean[0] > deviation.min()),
    )


# Two accuracies --------------------------------------------------------------------------------


def binomial_interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) interval of a share of n."""
    from scipy.special import betaincinv

    if n <= 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(betaincinv(hits, n - hits + 1, tail))
    high = 1.0 if hits == n else float(betaincinv(hits + 1, n - hits, 1 - tail))
    return low, high


def paired_difference(before: BoolArray, after: BoolArray) -> tuple[float, float, float]:
    """Return the gain in accuracy on the same images, and its 95 % interval.

    Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 2005: half an image is added to each cell of the table.

    Args:
        before: (n,) right before; `after`: right after.
        after: see `before`.
    """
    n = len(before)
    if not n:
        return 0.0, -1.0, 1.0
    won = float((~before & after).sum())
    lost = float((before & ~after).sum())
    total, b, c = n + 2.0, won + 0.5, lost + 0.5
    middle = (b - c) / total
    half = 1.96 * np.sqrt(b + c - (b - c) ** 2 / total) / total
    return (won - lost) / n, float(middle - half), float(middle + half)
