"""Probe: linear heads on label-free features predict each label from the other images' labels.

Two heads with different mistakes, both out of fold: multinomial logistic regression (sees the
border between classes) and Gaussian classes with one shared, shrunk covariance (sees their
centres, which wrong labels hardly move). Their log-probabilities are averaged. The features never
saw a label, so a label that the heads cannot reproduce is suspicious.

References: Northcutt et al., "Confident Learning", JAIR 2021 (out-of-fold self-confidence);
Alain and Bengio, "Understanding intermediate layers using linear classifier probes", 2016;
Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from lnl_core.types import (
    DENSE_CLASSES,
    KEPT_CLASSES,
    Array,
    Context,
    FloatArray,
    IntArray,
    LabeledDataset,
    Method,
    Signals,
    TopProbs,
)

CHUNK = 8192
LOGISTIC_WORK = 4e9
"""Most rows x features x classes for the logistic head; above it the closed form stands alone."""

LOGISTIC_CELLS = 2e8
"""Most rows x features for it: 0.8 GB as float32."""


@dataclass(frozen=True, slots=True)
class Config:
    """Every knob."""

    folds: int = field(default=5, metadata={"help": "Parts that the set is cut into."})
    l2: float = field(
        default=1e-4, metadata={"help": "Weight of the squared weights in the logistic head."}
    )
    shrinkage: float = field(
        default=0.4,
        metadata={"help": "How far the shared covariance is pulled to a round one, 0 to 1."},
    )
    logistic: bool = field(
        default=True, metadata={"help": "Use the logistic head beside the Gaussian one."}
    )
    iterations: int = field(
        default=60, metadata={"help": "Most L-BFGS steps of the logistic head per fold."}
    )

    @classmethod
    def preset(cls, name: str, n: int, k: int, size: int) -> Self:
        """Return the knobs of `quick`, `standard` or `paper`; all the same, it takes seconds."""
        return cls()


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Score each label by the out-of-fold probability that the heads give it.

    Returns:
        Signals with suspicion = 1 - p_given and the out-of-fold pred_probs.
    """
    began, cpu = time.monotonic(), time.process_time()
    features, labels = context.features(), np.asarray(dataset.given_labels, dtype=np.int64)
    n, k = len(labels), len(dataset.class_names)
    seen = np.unique(labels)
    if len(seen) < 2 or n < 4:
        probs = np.full((n, k), 1e-3 / max(k, 1), dtype=np.float32)
        probs[np.arange(n), labels] += 1 - 1e-3
        return Signals(METHOD.key, np.zeros(n, dtype=np.float32), _stored(probs, k))
    compact = np.searchsorted(seen, labels)
    context.report("probe", 0.0)
    fold = folds(compact, config.folds, context.seed)
    moments = _Moments(features, compact, fold, len(seen))
    work = n * moments.d * len(seen)
    use_logistic = config.logistic and work <= LOGISTIC_WORK and n * moments.d <= LOGISTIC_CELLS
    heads: list[list[tuple[Array, Array]]] = [moments.gaussian_heads(config.shrinkage)]
    context.report("probe", 0.2)
    if use_logistic:
        heads.append(
            _logistic_heads(
                moments, features, compact, fold, config, context.device,
                lambda share: context.report("probe", 0.2 + 0.7 * share),
            )
        )  # fmt: skip
    p_given, pred = _out_of_fold(moments, features, compact, fold, heads, seen, k)
    context.report("probe", 1.0, {"images_per_second": n / max(time.monotonic() - began, 1e-6)})
    return Signals(
        method=METHOD.key,
        suspicion=np.clip(1 - p_given, 0, 1),
        pred_probs=pred,
        cost={
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "images": float(n),
        },
    )


def folds(labels: IntArray, count: int, seed: int) -> IntArray:
    """Deal the rows of each class over `count` folds, as evenly as they go.

    Args:
        labels: (n,) int.
        count: folds, at least 2; fewer are used where there are fewer rows.
        seed: of the shuffle.

    Returns:
        (n,) int in 0..count-1. A class with one row is absent from the training part of its own
        fold: its probability there comes from smoothing alone.
    """
    count = max(2, min(count, len(labels)))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    dealt = shuffled[np.argsort(labels[shuffled], kind="stable")]
    fold = np.empty(len(labels), dtype=np.int64)
    fold[dealt] = np.arange(len(labels)) % count
    return fold


class _Moments:
    """Class sums and second moments of each fold, from one pass over the features.

    Leaving a fold out is then a subtraction: memory d x d per fold, whatever n is.
    """

    def __init__(self, features: FloatArray, labels: IntArray, fold: IntArray, k: int) -> None:
        n, self.d = features.shape
        self.k, self.count = k, int(fold.max()) + 1
        rows = np.unique(np.linspace(0, n - 1, min(n, 50_000)).astype(np.int64))
        mean, square = np.zeros(self.d), np.zeros(self.d)
        for part in np.array_split(rows, max(1, len(rows) // CHUNK)):
            values = np.asarray(features[part], dtype=np.float64)
            mean += values.sum(axis=0)
            square += np.square(values).sum(axis=0)
        mean /= len(rows)
        std = np.sqrt(np.maximum(square / len(rows) - mean**2, 0))
        # a feature that hardly varies is noise: do not blow it up to the size of the others
        std = np.maximum(std, 0.1 * np.sqrt(np.mean(std**2)) if std.any() else 1.0)
        self.mean = mean.astype(np.float32)
        self.scale = (1 / (std * np.sqrt(self.d))).astype(np.float32)
        self.sizes = np.zeros((self.count, k))
        self.sums = np.zeros((self.count, k, self.d))
        self.second = np.zeros((self.count, self.d, self.d), dtype=np.float32)
        for start in range(0, n, CHUNK):
            x, y = self.rows(features, slice(start, start + CHUNK)), labels[start : start + CHUNK]
            f = fold[start : start + CHUNK]
            for j in range(self.count):
                here = f == j
                self.second[j] += x[here].T @ x[here]
                self.sizes[j] += np.bincount(y[here], minlength=k)
                order = np.argsort(y[here], kind="stable")
                classes, first = np.unique(y[here][order], return_index=True)
                if len(classes):
                    self.sums[j][classes] += np.add.reduceat(x[here][order], first, axis=0)

    def rows(self, features: FloatArray, rows: slice | Array) -> Array:
        """Return (b, d) float32 standardised features, over sqrt(d)."""
        values: Array = (np.asarray(features[rows], dtype=np.float32) - self.mean) * self.scale
        return values

    def gaussian_heads(self, shrinkage: float) -> list[tuple[Array, Array]]:
        """Return for each fold weights (d, k) and offsets (k,), fitted without that fold."""
        from scipy.linalg import cho_factor, cho_solve

        heads = []
        sizes, sums, second = self.sizes.sum(0), self.sums.sum(0), self.second.sum(0)
        for j in range(self.count):
            size = sizes - self.sizes[j]
            total = size.sum()
            means = (sums - self.sums[j]) / np.maximum(size, 1)[:, None]  # (k, d)
            within = (second - self.second[j]) / total - (means * (size / total)[:, None]).T @ means
            spread = float(np.trace(second - self.second[j])) / total
            # alike images leave nothing but rounding, which has no Cholesky factor
            level = max(float(np.trace(within)), 1e-4 * spread, 1e-8) / self.d
            within = (1 - shrinkage) * within
            within[np.diag_indices(self.d)] += shrinkage * level + 1e-4 * level
            factor = cho_factor(within.astype(np.float32), overwrite_a=True, check_finite=False)
            weights = cho_solve(factor, means.T.astype(np.float32), check_finite=False)
            prior = np.log((size + 0.1) / (total + 0.1 * self.k))
            offsets = prior - 0.5 * (means.T * weights).sum(axis=0)
            offsets[size == 0] = -1e4  # a class that this fold alone holds cannot be predicted
            heads.append((weights, offsets.astype(np.float32)))
        return heads


def _logistic_heads(
    moments: _Moments,
    features: FloatArray,
    labels: IntArray,
    fold: IntArray,
    config: Config,
    device: str,
    report: Callable[[float], None],
) -> list[tuple[Array, Array]]:
    """Return for each fold weights (d, k) and offsets (k,) of a logistic regression without it."""
    import torch

    x = torch.from_numpy(moments.rows(features, slice(None))).to(device)
    y = torch.from_numpy(labels).to(device)
    heads = []
    for j in range(moments.count):
        train = torch.from_numpy(np.flatnonzero(fold != j)).to(device)
        inputs, targets = x[train], y[train]
        weights = torch.zeros(moments.d, moments.k, device=device, requires_grad=True)
        offsets = torch.zeros(moments.k, device=device, requires_grad=True)
        optimizer = torch.optim.LBFGS(
            [weights, offsets],
            max_iter=config.iterations,
            history_size=10,
            line_search_fn="strong_wolfe",
            tolerance_grad=1e-6,
            tolerance_change=1e-7,
        )

        def loss(
            inputs: Any = inputs,
            targets: Any = targets,
            weights: Any = weights,
            offsets: Any = offsets,
            optimizer: Any = optimizer,
        ) -> Any:
            optimizer.zero_grad()
            value = torch.nn.functional.cross_entropy(inputs @ weights + offsets, targets)
            value = value + config.l2 / 2 * weights.square().sum()
            value.backward()
            return value

        optimizer.step(loss)  # type: ignore[no-untyped-call]
        heads.append((weights.detach().cpu().numpy(), offsets.detach().cpu().numpy()))
        report((j + 1) / moments.count)
    return heads


def _out_of_fold(
    moments: _Moments,
    features: FloatArray,
    labels: IntArray,
    fold: IntArray,
    heads: list[list[tuple[Array, Array]]],
    seen: IntArray,
    k: int,
) -> tuple[Array, Array | TopProbs]:
    """Pool the heads on the rows they did not see; (n,) p_given and the probabilities kept.

    The Gaussian head is over-sure in many dimensions: each head gets one temperature, fitted on a
    sample of its own out-of-fold rows.
    """
    n = len(labels)
    sample = np.unique(np.linspace(0, n - 1, min(n, 5000)).astype(np.int64))
    heat = [
        _temperature(_logits(moments.rows(features, sample), fold[sample], head), labels[sample])
        for head in heads
    ]
    dense = k <= DENSE_CLASSES
    p_given = np.empty(n, dtype=np.float32)
    probs = np.zeros((n, k), dtype=np.float32) if dense else None
    kept = min(KEPT_CLASSES, moments.k)
    top_classes = np.empty((0 if dense else n, kept), dtype=np.int32)
    top_probs = np.empty((0 if dense else n, kept), dtype=np.float32)
    step = max(256, min(CHUNK, int(2e7) // moments.k))
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        x, f, y = moments.rows(features, part), fold[part], labels[part]
        pooled = np.zeros((len(y), moments.k), dtype=np.float32)
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


def _logits(x: Array, fold: Array, heads: list[tuple[Array, Array]]) -> Array:
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
    known = logits[rows, labels] > -1e3  # a class absent from training says nothing of warmth

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


def _stored(probs: Array, k: int) -> Array | TopProbs:
    if k <= DENSE_CLASSES:
        return probs
    top = np.argsort(-probs, axis=1, kind="stable")[:, :KEPT_CLASSES]
    return TopProbs(top.astype(np.int32), np.take_along_axis(probs, top, axis=1), k)


def _cost(n: int, size: int, config: Config) -> tuple[float, float]:
    """Return seconds and bytes on two cores, without the features."""
    return 1 + n * 1e-3, 3e8 + n * 8e3


METHOD = Method(
    key="probe",
    title="Probe",
    summary="linear heads that never saw the label",
    reference="Northcutt et al., Confident Learning, JAIR 2021",
    config=Config,
    fit=fit,
    baseline=True,
    needs=("features",),
    cost=_cost,
)
