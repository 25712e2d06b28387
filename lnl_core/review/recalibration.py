"""What people's answers say of p_wrong: a new slope and offset, and what classes and pairs add.

Before any answer p_wrong rests on the methods alone. Answers tell how far it is right: a logistic
regression of the verdict on its logit, with shrunken effects of the given class and of the pair of
given and suggested class (review science 5.3).
Rows were chosen by their score, not by their verdict, so the queue's answers do not bend the fit.
It is an estimate, for the order and for what is expected to be left; guarantees rest on random
draws alone.
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import BoolArray, FloatArray, IntArray

LEAST = 25
"""Answers before anything is changed."""

TAU2 = 0.5
"""Variance of the effects of classes and pairs, in squared logits."""

ROUNDS = 4
CLIP = 1e-3


def recalibrated(
    p: FloatArray, given: IntArray, suggested: IntArray, rows: IntArray, wrong: BoolArray
) -> FloatArray:
    """Return p_wrong as answers correct it.

    Args:
        p: (n,) before any answer.
        given: (n,) given labels.
        suggested: (n,) suggested labels.
        rows: (d,) rows with a clear answer.
        wrong: (d,) True where the given label is wrong.

    Returns:
        (n,) in [0.001, 0.999]; `p` itself below `LEAST` answers.
    """
    p = np.clip(np.asarray(p, np.float64), CLIP, 1 - CLIP)
    if len(rows) < LEAST:
        return p
    x = np.log(p / (1 - p))
    z = np.asarray(wrong, np.float64)
    groups = [np.asarray(given), np.asarray(given) * (int(np.max(suggested)) + 1) + suggested]
    slope, offset = _line(x[rows], z, np.zeros(len(rows)))
    effect = np.zeros(len(rows))
    met = [np.unique(group[rows], return_inverse=True) for group in groups]
    sums = [np.zeros(len(codes)) for codes, _ in met]
    for _ in range(ROUNDS):
        for (_, here), u in zip(met, sums, strict=True):
            now = _sigmoid(offset + slope * x[rows] + effect)
            pull = np.bincount(here, z - now, len(u)) - u / TAU2
            step = pull / (np.bincount(here, now * (1 - now), len(u)) + 1 / TAU2)
            u += step
            effect += step[here]
        slope, offset = _line(x[rows], z, effect)
    eta = offset + slope * x
    for group, (codes, _), u in zip(groups, met, sums, strict=True):
        eta += _of_group(group, codes, u)
    return np.clip(_sigmoid(eta), CLIP, 1 - CLIP)


def _of_group(group: IntArray, codes: IntArray, effects: FloatArray) -> FloatArray:
    """Return (n,) the effect of each row's group, 0 for groups other than the `codes`."""
    size = int(group.max(initial=0)) + 1
    if size <= 4 * len(group):
        table = np.zeros(size)
        table[codes] = effects
        looked_up: FloatArray = table[group]
        return looked_up
    at = np.minimum(np.searchsorted(codes, group), len(codes) - 1)
    return np.where(codes[at] == group, effects[at], 0.0)


def _line(x: FloatArray, z: FloatArray, fixed: FloatArray) -> tuple[float, float]:
    """Fit z ~ sigmoid(offset + slope x + fixed) by Newton's method with a weak prior at (1, 0)."""
    n = len(x)
    precision = np.array([16.0, 4.0] if n < 50 else [4.0, 1.0] if n < 200 else [1.0, 0.25])
    start = np.array([1.0, 0.0])
    beta, features = start.copy(), np.column_stack([x, np.ones(n)])

    def loss(b: FloatArray) -> float:
        eta = features @ b + fixed
        fit = float((np.logaddexp(0, eta) - z * eta).sum())
        return fit + 0.5 * float((precision * (b - start) ** 2).sum())

    for _ in range(25):
        now = _sigmoid(features @ beta + fixed)
        gradient = features.T @ (now - z) + precision * (beta - start)
        hessian = (features * (now * (1 - now))[:, None]).T @ features + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        before, scale = loss(beta), 1.0
        while loss(beta - scale * step) > before and scale > 1e-3:
            scale /= 2
        beta = beta - scale * step
        if float(np.abs(scale * step).max()) < 1e-8:
            break
    return float(beta[0]), float(beta[1])


def _sigmoid(x: FloatArray) -> FloatArray:
    value: FloatArray = 0.5 * (1 + np.tanh(0.5 * x))
    return value
