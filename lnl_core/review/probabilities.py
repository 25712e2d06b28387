"""What somebody's own class probabilities say about the given labels."""

from __future__ import annotations

import numpy as np

from lnl_core.types import DENSE_CLASSES, KEPT_CLASSES, FloatArray, IntArray, Signals, TopProbs


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
