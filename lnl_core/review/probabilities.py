"""What somebody's own class probabilities say about the given labels."""

from __future__ import annotations

import numpy as np

from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    BoolArray,
    FloatArray,
    IntArray,
    Signals,
    TopProbs,
)


def signals_of(key: str, probs: FloatArray, labels: IntArray) -> Signals:
    """Return the signals of (n, k) probabilities: suspicion is 1 - that of the label, (n,)."""
    n, k = probs.shape
    suspicion = np.clip(1 - probs[np.arange(n), labels].astype(np.float64), 0, 1)
    if k <= DENSE_CLASSES:
        return Signals(key, suspicion, probs)
    top = np.argpartition(-probs, KEPT_CLASSES - 1, axis=1)[:, :KEPT_CLASSES]
    best = np.take_along_axis(probs, top, axis=1)
    order = np.argsort(-best, axis=1, kind="stable")
    return Signals(
        key,
        suspicion,
        TopProbs(
            np.take_along_axis(top, order, axis=1).astype(np.int32),
            np.take_along_axis(best, order, axis=1),
            k,
        ),
    )


def doubted(probs: FloatArray, labels: IntArray, p_wrong: FloatArray) -> BoolArray:
    """Say which labels a model would call wrong, (n,).

    It gives another class more than the given one, and either is as sure of a class as it usually
    is of that class (at least its mean probability over the rows given as it: the rows off the
    diagonal of the confident joint), or p_wrong is above one half.

    Reference: Northcutt, Jiang, Chuang, "Confident Learning", JAIR 2021, equation 1.

    Args:
        probs: (n, k).
        labels: (n,) given.
        p_wrong: (n,).
    """
    rows, k = np.arange(len(labels)), probs.shape[1]
    count = np.bincount(labels, minlength=k)
    own = np.bincount(labels, weights=probs[rows, labels], minlength=k)
    usual = np.where(count > 0, own / np.maximum(count, 1), 1.0)  # (k,); a class without rows: 1
    sure = np.where(probs >= usual, probs, -1.0)
    off_diagonal = (sure.max(axis=1) >= 0) & (sure.argmax(axis=1) != labels)
    another: BoolArray = probs.max(axis=1) > probs[rows, labels]  # a tie says nothing
    wrong: BoolArray = another & (off_diagonal | (np.asarray(p_wrong) > 0.5))
    return wrong
