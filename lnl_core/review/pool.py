"""Many methods' probabilities as one, a block of rows at a time, so memory stays bounded.

A pool is linear (a mean) or logarithmic (a product of opinions): Genest and Zidek, "Combining
probability distributions", Statistical Science 1986. Rows above `DENSE_CLASSES` classes come as
`TopProbs`, whose many equal small probabilities are filled in without a logarithm for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lnl_core.types import FloatArray, IntArray, TopProbs

Probs = FloatArray | TopProbs

FLOOR = 1e-4
"""No opinion counts a class as less likely than this in the logarithmic pool."""

_BLOCK_VALUES = 2**19

_FITTED_ROWS, _FITTED_VALUES = 20_000, 1_000_000
_HOTTEST = 20.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """One method's probabilities, softened: log P / temperature, made to sum to 1 again."""

    probs: Probs
    temperature: float = 1.0


def soften(probs: Probs, given: IntArray) -> Opinion:
    """Give an overconfident method the temperature at which it explains the given labels best.

    A product of opinions is at the mercy of its loudest member. The temperature minimises the mean
    negative log-likelihood of the labels, wrong ones included (Guo et al., ICML 2017, ours in that
    no clean labels are used), and is never below 1: a network that has memorised the labels would
    be sharpened for it.

    Args:
        probs: the method's probabilities, n rows.
        given: (n,) labels in 0..k-1.
    """
    from scipy.optimize import minimize_scalar

    if len(given) < 2:
        return Opinion(probs)
    logs, labels = sample(probs), given[_sampled(probs)]
    line = np.arange(len(logs))

    def loss(log_temperature: float) -> float:
        scaled = logs / np.exp(log_temperature)
        top = scaled.max(axis=1)
        norm = top + np.log(np.exp(scaled - top[:, None]).sum(axis=1))
        return float((norm - scaled[line, labels]).mean())

    best = minimize_scalar(loss, bounds=(0.0, float(np.log(_HOTTEST))), method="bounded")
    temperature = float(np.exp(best.x))
    return Opinion(probs, temperature if temperature > 1.01 else 1.0)


def sample(probs: Probs) -> FloatArray:
    """Return log max(P, FLOOR) of rows spread evenly, (b, k): enough to fit one number to."""
    rows = _sampled(probs)
    block: FloatArray
    if isinstance(probs, TopProbs):
        block = np.nan_to_num(probs.dense(rows).astype(np.float64), nan=1 / probs.class_count)
    else:
        block = _dense(probs, rows, 1.0)
    logs: FloatArray = np.log(np.maximum(block, FLOOR))
    return logs


def _sampled(probs: Probs) -> IntArray:
    k = probs.class_count if isinstance(probs, TopProbs) else probs.shape[1]
    most = min(len(probs), _FITTED_ROWS, max(_FITTED_VALUES // max(k, 1), 100))
    return np.unique(np.linspace(0, len(probs) - 1, most).astype(np.int64))


def blocks(n: int, k: int) -> Iterator[slice]:
    """Cut n rows of k classes into slices of about half a million values."""
    step = max(1, _BLOCK_VALUES // max(k, 1))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def linear(opinions: Sequence[Opinion], weights: FloatArray, rows: slice) -> FloatArray:
    """Return sum_m weights[m] P_m for a block of rows, (b, k).

    A row with a value that is not finite counts as no opinion: every class alike.
    """
    total: FloatArray | None = None
    for opinion, weight in zip(opinions, map(float, weights), strict=True):
        probs = opinion.probs
        if isinstance(probs, TopProbs):
            classes, top, rest = _sparse(probs, rows, opinion.temperature)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            total += (weight * rest)[:, None]
            at = np.arange(len(top))[:, None], classes
            total[at] += weight * (top - rest[:, None])
        else:
            part = weight * _dense(probs, rows, opinion.temperature)
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def logarithmic(opinions: Sequence[Opinion], weights: FloatArray, rows: slice) -> FloatArray:
    """Return sum_m weights[m] log max(P_m, FLOOR) for a block of rows, (b, k)."""
    total: FloatArray | None = None
    for opinion, weight in zip(opinions, map(float, weights), strict=True):
        probs = opinion.probs
        if isinstance(probs, TopProbs):
            classes, top, rest = _sparse(probs, rows, opinion.temperature)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            base = np.log(np.maximum(rest, FLOOR))
            total += (weight * base)[:, None]
            at = np.arange(len(top))[:, None], classes
            total[at] += weight * (np.log(np.maximum(top, FLOOR)) - base[:, None])
        else:
            part = weight * np.log(np.maximum(_dense(probs, rows, opinion.temperature), FLOOR))
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def _dense(probs: FloatArray, rows: slice | IntArray, temperature: float) -> FloatArray:
    block = np.asarray(probs[rows], dtype=np.float64)
    bad = ~np.isfinite(block.sum(axis=1))
    if bad.any():
        block = block.copy()
        block[bad] = 1 / block.shape[1]
    if temperature != 1:
        block = np.maximum(block, FLOOR) ** (1 / temperature)
        block /= block.sum(axis=1, keepdims=True)
    return block


def _sparse(
    probs: TopProbs, rows: slice, temperature: float
) -> tuple[np.ndarray[Any, Any], FloatArray, FloatArray]:
    """Return (b, t) classes, their probabilities, and (b,) what each other class has."""
    classes = np.asarray(probs.classes[rows], dtype=np.int64)
    top = np.asarray(probs.probs[rows], dtype=np.float32)
    others = max(probs.class_count - top.shape[1], 1)
    bad = ~np.isfinite(top.sum(axis=1))
    if bad.any():
        top = np.where(bad[:, None], np.float32(1 / probs.class_count), top)
    rest = np.clip(1 - top.sum(axis=1), 0, 1) / others
    if temperature != 1:
        power = np.float32(1 / temperature)
        top = np.maximum(top, np.float32(FLOOR)) ** power
        rest = np.maximum(rest, np.float32(FLOOR)) ** power
    total = top.sum(axis=1) + rest * (probs.class_count - top.shape[1])
    return classes, top / total[:, None], rest / total
