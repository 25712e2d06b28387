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

_FITTED_ROWS, _FITTED_VALUES, _LEVELLED_VALUES = 20_000, 1_000_000, 500_000
_HOTTEST = 20.0


PULL = 2.0
"""How strongly the offsets of classes are pulled to those of the shares."""

LEVELLED_CLASSES = 200
"""Up to so many classes there are rows enough to fit an offset to each."""

EVEN_ROWS = 20
"""Images of a class that weigh as much as the doubt whether its offset can be known."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One method's probabilities: log P / temperature + offsets, made to sum to 1 again.

    Attributes:
        probs: (n, k) as the method gave them.
        temperature: above 1 softens.
        offsets: (k,) added to the log-probability of each class; None adds nothing.
        fitting: the temperature that explains the given labels best, below 1 too.
    """

    probs: Probs
    temperature: float = 1.0
    offsets: FloatArray | None = None
    fitting: float = 1.0


def soften(probs: Probs, given: IntArray) -> Opinion:
    """Give an overconfident method the temperature at which it explains the given labels best.

    A product of opinions is at the mercy of its most confident member. The temperature minimises
    the mean negative log-likelihood of the labels, wrong ones included (Guo et al., ICML 2017, ours
    in that no clean labels are used), and is never below 1: a network that has memorised
    the labels would be sharpened for it.

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

    hottest = float(np.log(_HOTTEST))
    best = minimize_scalar(loss, bounds=(-hottest, hottest), method="bounded")
    temperature = float(np.exp(best.x))
    return Opinion(probs, temperature if temperature > 1.01 else 1.0, fitting=temperature)


def level(probs: Probs, given: IntArray, class_count: int) -> Opinion:
    """Take out of an opinion how common each class is, so that rare labels are judged alike.

    Temperature and one offset per class are those at which the method explains the given labels
    best where every class counts the same (least mean over the classes of the mean negative
    log-likelihood in the class). For a calibrated method the offset is minus the logarithm of the
    class's share (logit adjustment: Menon et al., ICLR 2021); one that was fitted by balanced
    classes needs none, and one that hardly knows a rare class gets more. A class counts
    n / (n + `EVEN_ROWS`), so that a class of one image cannot win everywhere. Above
    `LEVELLED_CLASSES` classes the offsets are those of the shares.

    Args:
        probs: the method's probabilities, n rows.
        given: (n,) labels in 0..k-1.
        class_count: k.
    """
    counts = np.bincount(given, minlength=class_count)
    present = counts > 0
    if present.sum() < 2:
        return Opinion(probs)
    known = counts / (counts + EVEN_ROWS)
    offsets = -np.log((counts + EVEN_ROWS) / (counts + EVEN_ROWS).sum())
    if class_count > LEVELLED_CLASSES:
        temperature = soften(probs, given).temperature
    else:
        rows = by_class(given, counts)
        logs = np.log(np.maximum(_rows(probs, rows), FLOOR))
        temperature, offsets = _levelled(logs, given[rows], known, offsets)
    offsets = offsets - offsets[present].mean()
    offsets[~present] = offsets[present].min()  # nobody saw it: nothing speaks for it
    return Opinion(probs, temperature, offsets)


def by_class(given: IntArray, counts: IntArray, values: int = _LEVELLED_VALUES) -> IntArray:
    """Choose rows to fit by: of each class as many as fit, spread evenly over the class.

    Args:
        given: (n,) labels.
        counts: (k,) how often each class is given.
        values: about how many probabilities the rows may have; of each class there are 20 at least.
    """
    k = len(counts)
    most = max(values // max(k, 1) // max(int((counts > 0).sum()), 1), 20)
    order = np.argsort(given, kind="stable")
    parts = np.split(order, np.cumsum(counts)[:-1])
    return np.concatenate(
        [
            part[np.linspace(0, len(part) - 1, min(len(part), most)).astype(np.int64)]
            for part in parts
            if len(part)
        ]
    )


def _levelled(
    logs: FloatArray, labels: IntArray, known: FloatArray, start: FloatArray
) -> tuple[float, FloatArray]:
    """Return the temperature and the (k,) offsets of `level`.

    Args:
        logs: (b, k) log-probabilities.
        labels: (b,) given labels.
        known: (k,) weight of each class, 0 where it was never given.
        start: (k,) offsets of the shares, which the fitted ones are pulled to.
    """
    from scipy.optimize import minimize

    k, line = logs.shape[1], np.arange(len(logs))
    weight = (known / np.maximum(np.bincount(labels, minlength=k), 1))[labels]

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        sharp, offsets = np.exp(values[0]), values[1:]
        scaled = sharp * logs + offsets
        scaled -= scaled.max(axis=1, keepdims=True)
        probs = np.exp(scaled)
        norm = probs.sum(axis=1, keepdims=True)
        lost = float((weight * (np.log(norm[:, 0]) - scaled[line, labels])).sum())
        probs *= weight[:, None] / norm
        probs[line, labels] -= weight
        slopes = np.empty_like(values)
        slopes[0] = sharp * float(np.vdot(probs, logs))
        moved = offsets - start
        slopes[1:] = probs.sum(axis=0) + PULL * moved / k
        return lost + PULL * float((moved**2).sum()) / (2 * k), slopes

    bounds = [(-float(np.log(_HOTTEST)), 0.0), *[(None, None)] * k]
    solution = minimize(loss, np.r_[0.0, start], jac=True, method="L-BFGS-B", bounds=bounds)
    return float(np.exp(-solution.x[0])), solution.x[1:]


def sample(probs: Probs) -> FloatArray:
    """Return log max(P, FLOOR) of rows spread evenly, (b, k): enough to fit one number to."""
    logs: FloatArray = np.log(np.maximum(_rows(probs, _sampled(probs)), FLOOR))
    return logs


def _rows(probs: Probs, rows: IntArray) -> FloatArray:
    """Return some rows as (b, k) float64; what is not finite becomes even."""
    if isinstance(probs, TopProbs):
        block = probs.dense(rows).astype(np.float64)
        return np.nan_to_num(block, nan=1 / probs.class_count)
    return _dense(Opinion(probs), rows)


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
            classes, top, rest = _sparse(opinion, rows)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            shares = _shares(opinion)
            total += (weight * rest)[:, None] * shares
            at = np.arange(len(top))[:, None], classes
            total[at] += weight * (top - rest[:, None] * shares[classes])
        else:
            part = weight * _dense(opinion, rows)
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def logarithmic(
    opinions: Sequence[Opinion], weights: FloatArray, rows: slice | IntArray
) -> FloatArray:
    """Return sum_m weights[m] log max(P_m, FLOOR) for a block of rows, (b, k)."""
    total: FloatArray | None = None
    for opinion, weight in zip(opinions, map(float, weights), strict=True):
        probs = opinion.probs
        if isinstance(probs, TopProbs):
            classes, top, rest = _sparse(opinion, rows)
            if total is None:
                total = np.zeros((len(top), probs.class_count), np.float32)
            logs = np.log(_shares(opinion))
            base = np.log(np.maximum(rest, FLOOR))
            total += weight * (base[:, None] + logs)
            at = np.arange(len(top))[:, None], classes
            rather = np.log(np.maximum(top, FLOOR)) - base[:, None] - logs[classes]
            total[at] += weight * rather
        else:
            part = weight * np.log(np.maximum(_dense(opinion, rows), FLOOR))
            total = part if total is None else total + part
    assert total is not None, "a pool needs an opinion"
    return total


def _dense(opinion: Opinion, rows: slice | IntArray) -> FloatArray:
    """Return (b, k) float64 probabilities; a row that is not finite becomes even."""
    probs = opinion.probs
    assert not isinstance(probs, TopProbs)
    block = np.asarray(probs[rows], dtype=np.float64)
    bad = ~np.isfinite(block.sum(axis=1))
    if bad.any():
        block = block.copy()
        block[bad] = 1 / block.shape[1]
    if opinion.temperature != 1 or opinion.offsets is not None:
        block = np.maximum(block, FLOOR) ** (1 / opinion.temperature)
        block *= _shares(opinion)
        block /= block.sum(axis=1, keepdims=True)
    return block


def _shares(opinion: Opinion) -> FloatArray:
    """Return what each class's probability is multiplied by, (k,) float32."""
    if opinion.offsets is None:
        probs = opinion.probs
        k = probs.class_count if isinstance(probs, TopProbs) else probs.shape[1]
        return np.ones(k, np.float32)
    shares: FloatArray = np.exp(opinion.offsets).astype(np.float32)
    return shares


def _sparse(
    opinion: Opinion, rows: slice | IntArray
) -> tuple[np.ndarray[Any, Any], FloatArray, FloatArray]:
    """Return (b, t) classes, their probabilities, and (b,) what each other class has.

    What another class has is to be multiplied by its own `_shares`.
    """
    probs = opinion.probs
    assert isinstance(probs, TopProbs)
    classes = np.asarray(probs.classes[rows], dtype=np.int64)
    top: FloatArray = np.asarray(probs.probs[rows], dtype=np.float32)
    others = max(probs.class_count - top.shape[1], 1)
    bad = ~np.isfinite(top.sum(axis=1))
    if bad.any():
        top = np.where(bad[:, None], np.float32(1 / probs.class_count), top)
    rest = np.clip(1 - top.sum(axis=1), 0, 1) / others
    if opinion.temperature != 1 or opinion.offsets is not None:
        power = np.float32(1 / opinion.temperature)
        top = np.maximum(top, np.float32(FLOOR)) ** power
        rest = np.maximum(rest, np.float32(FLOOR)) ** power
    shares = _shares(opinion)
    own = shares[classes]
    top = top * own
    total = top.sum(axis=1) + rest * (shares.sum() - own.sum(axis=1))
    return classes, top / total[:, None], rest / total
