"""Linear heads on frozen features, out of fold: each row is judged by heads that never saw it.

Two kinds of head: Gaussian classes with one shared, shrunk covariance (closed form, from one pass
of moments, any number of rows) and multinomial logistic regression (L-BFGS). `probe` and
`confident` are built on them.

References: Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
matrices", 2004; Guo et al., "On Calibration of Modern Neural Networks", ICML 2017 (temperature).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lnl_core.methods import _estimate
from lnl_core.methods._standardised import AXES_ROWS, CHUNK, Inputs
from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    Array,
    BoolArray,
    IntArray,
    TopProbs,
)

_PROBES = 32
LOGISTIC_WORK = 4e9
"""Most rows x features x classes for the logistic head; above it the closed form stands alone."""

LOGISTIC_CELLS = 2e8
"""Most rows x features for it: 0.8 GB as float32."""

IMPORTS = 1.3, 1.7e8
"""Seconds and bytes of what is imported for the heads, scipy's optimizers."""

Head = tuple[Array, Array]
"""Weights (d, k) and offsets (k,)."""


def logistic_fits(n: int, d: int, k: int) -> bool:
    """Tell whether the logistic head is affordable for n rows, d features and k classes."""
    return n * d * k <= LOGISTIC_WORK and n * d <= LOGISTIC_CELLS


def folds(labels: IntArray, count: int, seed: int, groups: IntArray | None = None) -> IntArray:
    """Deal the rows of each class over `count` folds, as evenly as they go.

    Copies of one picture come into one fold, that of the first of them: a head that has learned a
    copy's label would give it back.

    Args:
        labels: (n,) int.
        count: folds, at least 2; fewer are used where there are fewer rows.
        seed: of the shuffle.
        groups: (n,) first row of each row's copies, or None.

    Returns:
        (n,) int in 0..count-1. A class with one row is absent from the training part of its own
        fold: its probability there comes from smoothing alone.
    """
    if groups is not None:
        firsts, place = np.unique(groups, return_inverse=True)
        if 1 < len(firsts) < len(labels):
            return folds(labels[firsts], count, seed)[place.reshape(-1)]
    count = max(2, min(count, len(labels)))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[dealt] = np.arange(len(labels)) % count
    return fold


class Moments:
    """Class sums and second moments of each fold, from one pass over the inputs.

    Leaving a fold out is then a subtraction: memory d x d per fold, whatever n is.

    Args:
        inputs: n rows.
        labels: (n,) int in 0..k-1.
        fold: (n,) int.
        k: number of classes.
    """

    def __init__(self, inputs: Inputs, labels: IntArray, fold: IntArray, k: int) -> None:
        self.inputs, self.d = inputs, inputs.d
        self.k, self.count = k, int(fold.max()) + 1
        self.sizes = np.zeros((self.count, k))
        self.sums = np.zeros((self.count, k, self.d))
        self.second = np.zeros((self.count, self.d, self.d), dtype=np.float32)
        for start in range(0, inputs.n, CHUNK):
            x, y = inputs.rows(slice(start, start + CHUNK)), labels[start : start + CHUNK]
            f = fold[start : start + CHUNK]
            for j in range(self.count):
                here = f == j
                self.second[j] += x[here].T @ x[here]
                self.sizes[j] += np.bincount(y[here], minlength=k)
                order = np.argsort(y[here], kind="stable")
                classes, first = np.unique(y[here][order], return_index=True)
                if len(classes):
                    self.sums[j][classes] += np.add.reduceat(x[here][order], first, axis=0)

    def gaussian_heads(self, shrinkage: float) -> list[Head]:
        """Return for each fold weights (d, k) and offsets (k,), fitted without that fold.

        The mean of a few images lies further out than its class does, so each mean is pulled to the
        mean of all by as much as its own noise explains its distance (James and Stein, 1961):
        without it no image comes near a rare class, and its labels look wrong.
        """
        from scipy.linalg import cho_factor, cho_solve

        heads = []
        signs = self.inputs.turn(_signs(self.inputs.wide))  # (d, s)
        sizes, sums, second = self.sizes.sum(0), self.sums.sum(0), self.second.sum(0)
        for j in range(self.count):
            size = sizes - self.sizes[j]
            total = size.sum()
            means = (sums - self.sums[j]) / np.maximum(size, 1)[:, None]  # (k, d)
            within = (second - self.second[j]) / total - (means * (size / total)[:, None]).T @ means
            spread = float(np.trace(second - self.second[j])) / total
            # alike images leave nothing but rounding, which has no Cholesky factor
            level = max(float(np.trace(within)), 1e-4 * spread, 1e-8) / self.inputs.wide
            pulled = (1 - shrinkage) * within
            pulled[np.diag_indices(self.d)] += shrinkage * level + 1e-4 * level
            factor = cho_factor(pulled.astype(np.float32), overwrite_a=True, check_finite=False)
            middle = size @ means / total
            apart = means - middle  # (k, d)
            weights = cho_solve(factor, apart.T.astype(np.float32), check_finite=False)
            far = (apart.T * weights).sum(axis=0)  # squared distance from the middle
            noise = _noise_of_one(within, factor, signs) / np.maximum(size, 1)
            true = float(np.maximum(far - noise, 0)[size > 0].mean())
            kept = true / np.maximum(true + noise, 1e-12)
            weights = weights * kept.astype(np.float32)
            prior = np.log((size + 0.1) / (total + 0.1 * self.k))
            offsets = prior - middle @ weights - 0.5 * kept**2 * far
            offsets[size == 0] = -1e4  # a class that this fold alone holds cannot be predicted
            heads.append((weights, offsets.astype(np.float32)))
        return heads


def _signs(d: int) -> Array:
    signs: Array = np.random.default_rng(0).choice([-1.0, 1.0], (d, _PROBES)).astype(np.float32)
    return signs


def _noise_of_one(within: Array, factor: Any, signs: Array) -> float:
    """Return the expected squared distance of one image from its class, by the shrunk covariance.

    That is the trace of inverse times covariance, from a few random signs (Hutchinson, 1989).
    """
    from scipy.linalg import cho_solve

    solved = cho_solve(factor, signs, check_finite=False)
    return max(float((solved * (within.astype(np.float32) @ signs)).sum()) / _PROBES, 0.0)


def logistic_heads(
    inputs: Inputs,
    labels: IntArray,
    fold: IntArray,
    k: int,
    *,
    l2: float,
    iterations: int,
    device: str,
    report: Callable[[float], None],
) -> list[Head]:
    """Return for each fold the head of a logistic regression without that fold.

    Args:
        inputs: n rows.
        labels: (n,) int in 0..k-1.
        fold: (n,) int.
        k: number of classes.
        l2: weight of half the squared weights beside the mean cross-entropy.
        iterations: most L-BFGS steps per fold.
        device: `cpu` or `cuda`.
        report: told the share of folds done.
    """
    import torch

    x = torch.from_numpy(inputs.rows(slice(None))).to(device)
    y = torch.from_numpy(labels).to(device)
    heads, count = [], int(fold.max()) + 1
    for j in range(count):
        train = torch.from_numpy(np.flatnonzero(fold != j)).to(device)
        rows, targets = x[train], y[train]
        weights = torch.zeros(inputs.d, k, device=device, requires_grad=True)
        offsets = torch.zeros(k, device=device, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [weights, offsets],
            max_iter=iterations,
            history_size=10,
            line_search_fn="strong_wolfe",
            tolerance_grad=1e-6,
            tolerance_change=1e-7,
        )

        def loss(
            rows: Any = rows,
            targets: Any = targets,
            weights: Any = weights,
            offsets: Any = offsets,
            optimizer: Any = optimizer,
        ) -> Any:
            optimizer.zero_grad()
            value = torch.nn.functional.cross_entropy(rows @ weights + offsets, targets)
            value = value + l2 / 2 * weights.square().sum()
            value.backward()
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        heads.append((weights.detach().cpu().numpy(), offsets.detach().cpu().numpy()))
        report((j + 1) / count)
    return heads


def pooled(
    inputs: Inputs,
    labels: IntArray,
    fold: IntArray,
    heads: list[list[Head]],
    seen: IntArray,
    k: int,
) -> tuple[Array, Array | TopProbs]:
    """Pool the heads on the rows they did not see; (n,) p_given and the probabilities kept.

    The Gaussian head is over-sure in many dimensions: each head gets one temperature, fitted on a
    sample of its own out-of-fold rows.
    """
    n, heat = len(labels), _heat(inputs, labels, fold, heads)
    dense = k <= DENSE_CLASSES
    p_given = np.empty(n, dtype=np.float32)
    probs = np.zeros((n, k), dtype=np.float32) if dense else None
    kept = min(KEPT_CLASSES, len(seen))
    top_classes = np.empty((0 if dense else n, kept), dtype=np.int32)
    top_probs = np.empty((0 if dense else n, kept), dtype=np.float32)
    step = max(256, min(CHUNK, int(2e7) // len(seen)))
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        x, f, y = inputs.rows(part), fold[part], labels[part]
        pooled = np.zeros((len(y), len(seen)), dtype=np.float32)
        for head, warmth in zip(heads, heat, strict=True):
            pooled += np.maximum(_log_softmax(_logits(x, f, head) * warmth), -20) / len(heads)
        p = np.exp(_log_softmax(pooled))
        p_given[part] = p[np.arange(len(y)), y]
        if probs is not None:
            probs[part, seen] = p
        else:
            best = np.argpartition(-p, kept - 1, axis=1)[:, :kept]
            order = np.argsort(-np.take_along_axis(p, best, 1), axis=1, kind="stable")
            best = np.take_along_axis(best, order, 1)
            top_classes[part] = seen[best]
            top_probs[part] = np.take_along_axis(p, best, 1)
    return p_given, probs if probs is not None else TopProbs(top_classes, top_probs, k)


def refused(inputs: Inputs, labels: IntArray, fold: IntArray, heads: list[list[Head]]) -> BoolArray:
    """Return (n,) True for labels that the heads which were taught them do not repeat.

    Args:
        inputs: n rows.
        labels: (n,) int in 0..k-1.
        fold: (n,) int; a row is asked of the heads of all other folds, pooled.
        heads: of each kind those of the folds.
    """
    heat, k = _heat(inputs, labels, fold, heads), heads[0][0][0].shape[1]
    out = np.empty(len(labels), dtype=bool)
    step = max(256, min(CHUNK, int(2e7) // k))
    for start in range(0, len(labels), step):
        part = slice(start, start + step)
        x, y = inputs.rows(part), labels[part]
        said = np.zeros((len(y), k), dtype=np.float32)
        for head, warmth in zip(heads, heat, strict=True):
            for j, (weights, offsets) in enumerate(head):
                logs = np.maximum(_log_softmax((x @ weights + offsets) * warmth), -20)
                said += np.where((fold[part] != j)[:, None], logs, 0)
        out[part] = np.argmax(said, axis=1) != y
    return out


def _heat(
    inputs: Inputs, labels: IntArray, fold: IntArray, heads: list[list[Head]]
) -> list[np.float32]:
    """Return the factor on the logits of each kind of head, by a sample of rows not seen."""
    n = len(labels)
    sample = np.unique(np.linspace(0, n - 1, min(n, 5000)).astype(np.int64))
    x, f, y = inputs.rows(sample), fold[sample], labels[sample]
    return [np.float32(_temperature(_logits(x, f, head), y)) for head in heads]


def _logits(x: Array, fold: Array, heads: list[Head]) -> Array:
    """Return (b, k): each row by the head that did not see it."""
    out = np.empty((len(x), heads[0][0].shape[1]), dtype=np.float32)
    for j, (weights, offsets) in enumerate(heads):
        here = fold == j
        out[here] = x[here] @ weights + offsets
    return out


def _temperature(logits: Array, labels: IntArray) -> float:
    """Return the factor on the logits that makes the given labels most likely."""
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(labels))
    known = (
        logits[rows, labels] > -1e3
    )  # a class absent from training says nothing of the temperature

    def loss(log_factor: float) -> float:
        scaled = _log_softmax(logits[known] * np.float32(np.exp(log_factor)))
        return -float(scaled[rows[: known.sum()], labels[known]].mean())

    if not known.any():
        return 1.0
    return float(np.exp(minimize_scalar(loss, bounds=(-7, 1.5), method="bounded").x))


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def stored(probs: Array, k: int) -> Array | TopProbs:
    """Return (n, k) probabilities as `Signals` wants them: the best ones above `DENSE_CLASSES`."""
    if k <= DENSE_CLASSES:
        return probs
    top = np.argsort(-probs, axis=1, kind="stable")[:, :KEPT_CLASSES]
    return TopProbs(top.astype(np.int32), np.take_along_axis(probs, top, axis=1), k)


def cost(
    n: int, d: int, folds: int, *, axes: int = 0, gaussian: bool = True
) -> tuple[float, float]:
    """Return (seconds, bytes) of heads on n rows of d features, for some ten classes.

    Args:
        n: rows.
        d: features.
        folds: parts that the set is cut into.
        axes: main directions that are kept first; 0 for all features.
        gaussian: whether there is a Gaussian head beside the logistic one.
    """
    seconds, held, width = 0.0, 16.0 * min(n, CHUNK) * d, d  # standardised in float64
    if 0 < axes < d:
        width = min(axes, n)
        turning, matrices = _estimate.axes_cost(min(n, AXES_ROWS), d, axes)
        seconds += turning + _estimate.PRODUCT * n * d * width
        held = max(held, matrices)
    elif 2 * n <= d:
        width = n
    logistic = logistic_fits(n, width, 10)
    if logistic:
        seconds += 6e-7 * n * width
        held = max(held, 8.0 * n * width)
    if gaussian or not logistic:
        closed, moments = _estimate.heads_cost(n, width, folds)
        seconds, held = seconds + closed, max(held, moments)
    return IMPORTS[0] + seconds, IMPORTS[1] + _estimate.features_held(n, d) + held
