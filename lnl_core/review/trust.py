"""Which methods to listen to, from what they say about the same images alone.

Three questions, no labels needed. Does a method's ranking agree with the others' (`agreement`)? Is
it far surer of itself than the others bear out (`overconfidence_weights`)? Does it say what others
say already (`redundancy_weights`)? Each gives a number from 0 to 1 per method. By the first two,
methods that pass count alike, and only what is clearly broken is turned down.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnl_core.review import pool
from lnl_core.review.pool import Opinion, Probs
from lnl_core.types import FloatArray, IntArray, TopProbs

FULL_VOTE = 0.5
"""A method with this share of the best method's value counts in full."""

LIKENESS = 8
"""Power of two rankings' correlation that counts as one repeating the other: two heads on the same
features correlate by .95 (.66 of a repetition), networks of different kinds by .6 to .8 (.02 to
.17)."""

REPEATED = 0.9
"""Likeness from which on two rankings are the same one: a correlation of .987."""

CALIBRATED = 0.1
"""Logarithm of the temperature up to which a method's doubt counts as that of the given labels."""

_COMPARED_ROWS = 100_000

NO_VOTE = 0.25
"""A method whose confidence is worth this share of the best method's does not count."""


def within_classes(scores: FloatArray, given: IntArray) -> FloatArray:
    """Return (m, n) scores that compare an example with those given as the same class alone.

    Each becomes the normal quantile of its rank in its class. Methods that call the labels of rare
    classes wrong because they are rare agree with each other in it, and a bias that is shared is no
    evidence: what is left when every class has the same scores is what they see in the images.

    Args:
        scores: (m, n); not finite = no opinion, and stays so.
        given: (n,) labels.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    out = np.full(scores.shape, np.nan)
    order = np.argsort(given, kind="stable")
    ends = np.flatnonzero(np.diff(given[order])) + 1
    for row, values in zip(out, scores, strict=True):
        for part in np.split(order, ends):
            known = part[np.isfinite(values[part])]
            if len(known):
                row[known] = ndtri((rankdata(values[known]) - 0.5) / len(known))
    return out


def agreement(scores: FloatArray, alike: FloatArray) -> FloatArray:
    """Return (m,) in [0, 1]: 1 where a ranking goes with the others, 0 where it is broken.

    SUMMA's value, 1 from `FULL_VOTE` of the best on. Methods that say the same of every example get
    0. Fewer than three others cannot show which of them is broken: two that agree count alike, and
    so do two that contradict each other. One that repeats another is no witness for it: it is left
    out of the count and gets what the other gets.

    Args:
        scores: (m, n); not finite = no opinion.
        alike: (m, m) as `likeness` returns it.
    """
    spread = [np.ptp(row[np.isfinite(row)]) if np.isfinite(row).any() else 0.0 for row in scores]
    speaking = np.asarray(spread) > 0
    votes = speaking.astype(np.float64)
    first = np.asarray([int(np.argmax(row >= REPEATED)) for row in alike])  # of those alike
    witnesses = np.unique(first[speaking])
    if len(witnesses) > 2:
        value = np.zeros(len(scores))
        value[witnesses] = summa(scores[witnesses])
        if value.max() > 0:
            value = np.clip(value / (FULL_VOTE * value.max()), 0, 1)
            votes[speaking] = value[first[speaking]]
    return votes


def summa(scores: FloatArray) -> FloatArray:
    """Return (m,) how well each method ranks, up to scale, from agreement alone; 0 if negative.

    With errors independent between methods, the covariance of their ranks is of rank one off the
    diagonal and its vector is proportional to AUC - 1/2. The diagonal is filled in by repeated
    rank-one fits. SUMMA: Ahsen, Vogel, Stolovitzky, "Unsupervised Evaluation and Weighted
    Aggregation of Ranked Classification Predictions", JMLR 2019, section 3.

    Args:
        scores: (m, n); not finite = no opinion, counted as the middle rank.
    """
    from scipy.stats import rankdata

    ranks = np.zeros(scores.shape)
    for row, values in zip(ranks, scores, strict=True):
        known = np.isfinite(values)
        if known.any():
            row[known] = rankdata(values[known]) / known.sum()
            row[known] -= row[known].mean()
    covariance = ranks @ ranks.T / max(scores.shape[1], 1)
    largest = float(np.abs(covariance).max(initial=0))
    if largest < 1e-12:
        return np.zeros(len(scores))
    diagonal = np.zeros(len(scores))
    vector = np.zeros(len(scores))
    for _ in range(200):
        np.fill_diagonal(covariance, diagonal)
        values, vectors = np.linalg.eigh(covariance)
        vector = vectors[:, -1]
        refilled = values[-1] * vector**2
        if np.abs(refilled - diagonal).max() < 1e-9 * largest:
            break
        diagonal = refilled
    if vector.sum() < 0:
        vector = -vector
    clipped: FloatArray = np.maximum(vector, 0)
    return clipped


def likeness(scores: FloatArray) -> FloatArray:
    """Return (m, m) in [0, 1]: how far one ranking repeats another, 1 on the diagonal.

    r_ij ** LIKENESS, r the correlation of the normal scores, negative ones as 0. At most 100,000
    rows, spread evenly, are compared.

    Args:
        scores: (m, n); not finite = no opinion, counted as the middle rank.
    """
    if not scores.shape[1]:
        return np.eye(len(scores))
    step = max(1, -(-scores.shape[1] // _COMPARED_ROWS))
    ranked = np.stack([normal_scores(row[::step]) for row in scores])
    ranked -= ranked.mean(axis=1, keepdims=True)
    length = np.sqrt((ranked**2).sum(axis=1, keepdims=True))
    ranked = np.divide(ranked, length, out=np.zeros_like(ranked), where=length > 0)
    alike: FloatArray = np.clip(ranked @ ranked.T, 0, 1) ** LIKENESS
    np.fill_diagonal(alike, 1)
    return alike


def redundancy_weights(alike: FloatArray) -> FloatArray:
    """Return (m,) in (0, 1], the largest 1: how far a ranking is more than a repetition of others.

    Heads on the same features make the same mistakes; each of them counts as one by the number of
    those that say the same, itself among them.

    Args:
        alike: (m, m) as `likeness` returns it.
    """
    uniqueness = 1 / alike.sum(axis=1)
    original: FloatArray = uniqueness / uniqueness.max(initial=0)
    return original


def effective_number(weights: FloatArray, alike: FloatArray) -> float:
    """Return how many different opinions there are: 1 / sum_ij w_i w_j alike_ij.

    A method that comes twice shares its weight and is one opinion, so it adds no certainty.

    Args:
        weights: (m,), summing to 1.
        alike: (m, m) as `likeness` returns it.
    """
    return 1 / max(float(weights @ alike @ weights), 1e-12)


def overconfidence_weights(opinions: Sequence[Probs], votes: FloatArray) -> FloatArray:
    """Return (m,) in [0, 1]: 1 for a method as sure as the others bear out, 0 far above.

    Each method's log-probabilities are multiplied by the factor in [0, 1] that makes them say best
    what the mean of the other methods says (least cross-entropy). A network that has memorised the
    labels or is sure at random needs a factor near 0. Against the largest factor (or 1.5 times the
    median, so that one under-confident method does not make the rest look over-confident),
    `FULL_VOTE` and above counts as 1 and `NO_VOTE` as 0, in a line between. Two methods alone
    cannot be told apart: both get 1.

    Args:
        opinions: m methods' probabilities of the same n rows; a spread sample of rows is used.
        votes: (m,) how much each counts in the mean of the others.
    """
    from scipy.optimize import minimize_scalar

    m = len(opinions)
    if m < 3 or len(opinions[0]) < 2:
        return np.ones(m)
    logs = [pool.sample(probs) for probs in opinions]
    votes = votes if (votes > 0).sum() > 1 else np.ones(m)
    total = sum(vote * np.exp(log) for vote, log in zip(votes, logs, strict=True))
    factors = np.ones(m)
    for i, log in enumerate(logs):
        others = total - votes[i] * np.exp(log)
        others = np.maximum(others, 0) / max(float(votes.sum() - votes[i]), 1e-12)

        def loss(factor: float, log: FloatArray = log, others: FloatArray = others) -> float:
            scaled = factor * log
            top = scaled.max(axis=1, keepdims=True)
            norm = top[:, 0] + np.log(np.exp(scaled - top).sum(axis=1))
            return float((others.sum(axis=1) * norm - (others * scaled).sum(axis=1)).mean())

        factors[i] = minimize_scalar(loss, bounds=(0, 1), method="bounded").x
    usual = 1.5 * float(np.median(factors[votes >= min(0.5, votes.max())]))
    relative = factors / max(min(float(factors.max()), usual), 1e-12)
    counted: FloatArray = np.clip((relative - NO_VOTE) / (FULL_VOTE - NO_VOTE), 0, 1)
    return counted


def calibration_weights(opinions: Sequence[Opinion], given: IntArray) -> FloatArray:
    """Return (m,) in [0, 1]: how much each method can say about how many labels are wrong.

    That is read off the shape of its doubt (`noise`), so a method whose doubt is not that of the
    given labels says nothing: where the temperature that explains them best is further from 1 than
    `CALIBRATED`, unless no method is better. Of the others, a network that has memorised its labels
    agrees with all of them, so it counts none as wrong, and in a mean with others it hides what
    they count. Disagreement with the given labels over the largest, 0 up to five sixths and in a
    line from there to 1; 1 for all where nobody disagrees.

    Args:
        opinions: m methods' opinions of the same n rows.
        given: (n,) labels.
    """
    if not len(given) or not len(opinions):
        return np.ones(len(opinions))
    off = np.abs(np.log([each.fitting for each in opinions]))
    fits = off <= max(CALIBRATED, float(off.min()) + 1e-9)
    apart = np.asarray([float((_best(each.probs) != given).mean()) for each in opinions]) * fits
    top = apart.max(initial=0)
    free: FloatArray = np.clip(6 * apart / top - 5, 0, 1) if top > 0 else fits.astype(np.float64)
    return free


def _best(probs: Probs) -> IntArray:
    """Return (n,) the most probable class of each row."""
    if isinstance(probs, TopProbs):
        top: IntArray = np.asarray(probs.classes)[np.arange(len(probs)), probs.probs.argmax(axis=1)]
        return top
    best: IntArray = np.asarray(probs).argmax(axis=1)
    return best


def shares(votes: FloatArray) -> FloatArray:
    """Return (m,) votes that sum to 1; all alike where nobody has one."""
    total = float(votes.sum())
    result: FloatArray = votes / total if total > 0 else np.full(len(votes), 1 / len(votes))
    return result


def normal_scores(values: FloatArray) -> FloatArray:
    """Return (n,) normal quantiles of the ranks of finite values, 0 for the others.

    Ties share their average rank; the j-th of n gets the quantile of (j - 0.5) / n.
    """
    from scipy.special import ndtri
    from scipy.stats import rankdata

    out = np.zeros(len(values))
    known = np.isfinite(values)
    if known.any():
        out[known] = ndtri((rankdata(values[known]) - 0.5) / known.sum())
    return out
