"""How good a ranking is where the truth is known: detection, effort, calibration, suggestions.

`wrong` is (n,) True where the given label differs from the true one; a larger score is more
suspicious. Rows with equal scores count by their expectation over every order of them, so that a
score that says nothing gets what chance gives. Klie, Webber and Gurevych, "Annotation Error
Detection", Computational Linguistics 2023, use the same detection measures.
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import BoolArray, FloatArray, IntArray


def auroc(wrong: BoolArray, score: FloatArray) -> float:
    """Return the chance that a wrong label outscores a right one; ties half, nan if undefined."""
    from scipy.stats import rankdata

    wrong = np.asarray(wrong, dtype=bool)
    positives = int(wrong.sum())
    negatives = len(wrong) - positives
    if not positives or not negatives:
        return float("nan")
    ranks = rankdata(np.asarray(score, dtype=np.float64))
    above = float(ranks[wrong].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def average_precision(wrong: BoolArray, score: FloatArray) -> float:
    """Return the mean, over wrong labels, of the precision at their place; nan without any."""
    expected, before, size, inside, place = _ties(wrong, score)
    total = float(expected.sum())
    if not total:
        return float("nan")
    # Given a hit at a place, the earlier places of its tie hold the other hits at random.
    others = np.where(size > 1, place * (inside - 1) / np.maximum(size - 1, 1), 0)
    precision = (before + 1 + others) / np.arange(1, len(expected) + 1)
    return float((expected * precision).sum() / total)


def precision_at(wrong: BoolArray, score: FloatArray, k: int | None = None) -> float:
    """Return the share of wrong labels among the k most suspicious; k = number of wrong labels."""
    hits = found_after(wrong, score)
    k = int(np.asarray(wrong).sum()) if k is None else min(k, len(hits))
    return float(hits[k - 1] / k) if k else float("nan")


def recall_at(wrong: BoolArray, score: FloatArray, share: float = 0.2) -> float:
    """Return the share of wrong labels inside the given share of most suspicious examples."""
    hits = found_after(wrong, score)
    k = round(share * len(hits))
    total = int(np.asarray(wrong).sum())
    if not total:
        return float("nan")
    return float(hits[k - 1] / total) if k else 0.0


def found_after(wrong: BoolArray, score: FloatArray) -> FloatArray:
    """Return (n,) expected number of wrong labels among the first 1..n reviewed."""
    expected, *_ = _ties(wrong, score)
    return np.cumsum(expected)


def effort_auc(wrong: BoolArray, score: FloatArray) -> float:
    """Return what is found in the first 2 E reviews against a perfect order, E wrong labels.

    Sum over t = 1..2E of found(t), over the same sum of min(t, E): 1 is perfect
    (review science 9). Past the last example, found stays E.
    """
    hits = found_after(wrong, score)
    errors = int(np.asarray(wrong).sum())
    if not errors:
        return float("nan")
    times = np.arange(1, 2 * errors + 1)
    reached = hits[np.minimum(times, len(hits)) - 1]
    return float(reached.sum() / np.minimum(times, errors).sum())


def calibration_error(wrong: BoolArray, p_wrong: FloatArray, bins: int = 15) -> float:
    """Return the expected calibration error over bins of equal count, in [0, 1]."""
    p, hit = np.asarray(p_wrong, dtype=np.float64), np.asarray(wrong, dtype=np.float64)
    if not len(p):
        return float("nan")
    parts = np.array_split(np.argsort(p, kind="stable"), min(bins, len(p)))
    gaps = [len(part) * abs(float(p[part].mean() - hit[part].mean())) for part in parts]
    return sum(gaps) / len(p)


def suggestion_accuracy(
    wrong: BoolArray, suggested_labels: IntArray, true_labels: IntArray
) -> float:
    """Return the share of wrong labels whose suggestion is the true one; nan without any.

    Args:
        wrong: (n,).
        suggested_labels: (n,), or (n, t) where any of t may be it.
        true_labels: (n,).
    """
    wrong = np.asarray(wrong, dtype=bool)
    if not wrong.any():
        return float("nan")
    suggested = np.asarray(suggested_labels).reshape(len(wrong), -1)[wrong]
    return float((suggested == np.asarray(true_labels)[wrong][:, None]).any(axis=1).mean())


def _ties(
    wrong: BoolArray, score: FloatArray
) -> tuple[FloatArray, FloatArray, IntArray, IntArray, IntArray]:
    """Sort by score falling; return, for each place, what its tie says, each (n,).

    Expected hit at this place, hits before the tie, size of the tie, hits in it, and the place
    inside it counted from 0.
    """
    hit = np.asarray(wrong, dtype=np.float64)
    values = np.asarray(score, dtype=np.float64)
    if hit.shape != values.shape or hit.ndim != 1:
        raise ValueError(f"wrong is {hit.shape} and score {values.shape}; both must be (n,)")
    if not np.isfinite(values).all():
        raise ValueError("a score is not finite: it has no place in an order")
    rows = np.argsort(-values, kind="stable")
    values, hit = values[rows], hit[rows]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]][: len(values)])
    sizes = np.diff(starts, append=len(values))
    hits = np.add.reduceat(hit, starts) if len(starts) else np.zeros(0)
    before = np.cumsum(hits) - hits
    return (
        np.repeat(hits / np.maximum(sizes, 1), sizes),
        np.repeat(before, sizes),
        np.repeat(sizes, sizes),
        np.repeat(hits, sizes),
        np.arange(len(values)) - np.repeat(starts, sizes),
    )
