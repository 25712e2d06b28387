"""Many methods' probabilities as one, a block of rows at a time, so memory stays bounded.

A pool is linear (a mean) or logarithmic (a product of opinions): Genest and Zidek, "Combining
probability distributions", Statistical Science 1986. Rows above `DENSE_CLASSES` classes come as
`TopProbs`, whose many equal small probabilities are filled in without a logarithm for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lnl_core.types import FloatArray, TopProbs

Probs = FloatArray | TopProbs

FLOOR = 1e-4
"""No opinion counts a class as less likely than this in the logarithmic pool."""

_BLOCK_VALUES = 2**19


def blocks(n: int, k: int) -> Iterator[slice]:
    """Cut n rows of k classes into slices of about half a million values."""
    step = max(1, _BLOCK_VALUES // max(k, 1))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def linear(opinions: Sequence[Probs], weights: FloatArray, rows: slice) -> FloatArray:
    """Return sum_m weights[m] P_m for a block of rows, (b, k).

    A row with a value that is not finite counts as no opinion: every class alike.
    """
    total: FloatArray | None = None
    for probs, weight in zip(opinions, map(float, weights), strict=True):
        if isinstance(probs, TopProbs):
            classes, top, rest = _sparse(probs, rows)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            total += (weight * rest)[:, None]
            at = np.arange(len(top))[:, None], classes
            total[at] += weight * (top - rest[:, None])
        else:
            part = weight * _dense(probs, rows)
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def logarithmic(opinions: Sequence[Probs], weights: FloatArray, rows: slice) -> FloatArray:
    """Return sum_m weights[m] log max(P_m, FLOOR) for a block of rows, (b, k)."""
    total: FloatArray | None = None
    for probs, weight in zip(opinions, map(float, weights), strict=True):
        if isinstance(probs, TopProbs):
            classes, top, rest = _sparse(probs, rows)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            base = np.log(np.maximum(rest, FLOOR))
            total += (weight * base)[:, None]
            at = np.arange(len(top))[:, None], classes
            total[at] += weight * (np.log(np.maximum(top, FLOOR)) - base[:, None])
        else:
            part = weight * np.log(np.maximum(_dense(probs, rows), FLOOR))
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def _dense(probs: FloatArray, rows: slice) -> FloatArray:
    block = np.asarray(probs[rows], dtype=np.float64)
    bad = ~np.isfinite(block.sum(axis=1))
    if bad.any():
        block = block.copy()
        block[bad] = 1 / block.shape[1]
    return block


def _sparse(probs: TopProbs, rows: slice) -> tuple[np.ndarray[Any, Any], FloatArray, FloatArray]:
    """Return (b, t) classes, their probabilities, and (b,) what each other class has."""
    classes = np.asarray(probs.classes[rows], dtype=np.int64)
    top = np.asarray(probs.probs[rows], dtype=np.float32)
    others = max(probs.class_count - top.shape[1], 1)
    bad = ~np.isfinite(top.sum(axis=1))
    if bad.any():
        top = np.where(bad[:, None], np.float32(1 / probs.class_count), top)
    rest = np.clip(1 - top.sum(axis=1), 0, 1) / others
    total = top.sum(axis=1) + rest * (probs.class_count - top.shape[1])
    return classes, top / total[:, None], rest / total
