"""Labels made wrong on purpose, so that the truth is known: symmetric, pair, instance-dependent.

Every kind changes exactly round(rate * n) labels, chosen by a seed, and never touches its input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lnl_core.types import ByteArray, FloatArray, IntArray, LnlError

KINDS = ("symmetric", "pair", "instance")

_SIDE = 16
_BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Injected:
    """Noisy labels (n,) int64, and which rows were changed, (m,) ascending."""

    labels: IntArray
    flipped: IntArray


def inject(
    kind: str,
    labels: IntArray,
    rate: float,
    seed: int = 0,
    *,
    class_count: int,
    images: ByteArray | None = None,
) -> IntArray:
    """Return labels (n,) with noise of one of `KINDS`; `instance` needs the images.

    Raises:
        LnlError: an unknown kind, a rate outside (0, 1), or too few classes.
    """
    if kind == "symmetric":
        return symmetric(labels, rate, seed, class_count=class_count).labels
    if kind == "pair":
        return pair(labels, rate, seed, class_count=class_count).labels
    if kind == "instance":
        if images is None:
            raise LnlError("Instance-dependent noise needs the images. Pass them.")
        return instance_dependent(labels, images, rate, seed, class_count=class_count).labels
    raise LnlError(f"There is no noise named “{kind}”. Known: {', '.join(KINDS)}.")


def symmetric(labels: IntArray, rate: float, seed: int = 0, *, class_count: int) -> Injected:
    """Change labels to another class, each other class as likely."""
    labels = _checked(labels, rate, class_count)
    rng = np.random.default_rng(seed)
    rows = _largest(rng.random(len(labels)), round(rate * len(labels)))
    shift = 1 + np.floor(rng.random(len(rows)) * (class_count - 1)).astype(np.int64)
    return _flip(labels, rows, (labels[rows] + shift) % class_count)


def pair(
    labels: IntArray,
    rate: float,
    seed: int = 0,
    *,
    class_count: int,
    partner: Mapping[int, int] | None = None,
) -> Injected:
    """Change labels to one fixed partner class.

    `partner` maps a class to the class it is taken for, default i -> i + 1 (the last to the
    first). The rate counts rows whose class has a partner; others stay right.
    """
    labels = _checked(labels, rate, class_count)
    taken_for = np.arange(class_count)
    if partner is None:
        taken_for = (taken_for + 1) % class_count
    for one, other in (partner or {}).items():
        if not (0 <= one < class_count and 0 <= other < class_count):
            raise LnlError(f"The pair {one} -> {other} is outside the {class_count} classes.")
        taken_for[one] = other
    open_rows = np.flatnonzero(taken_for[labels] != labels)
    keys = np.random.default_rng(seed).random(len(open_rows))
    rows = np.sort(open_rows[_largest(keys, round(rate * len(open_rows)))])
    return _flip(labels, rows, taken_for[labels[rows]])


def instance_dependent(
    labels: IntArray, images: ByteArray, rate: float, seed: int = 0, *, class_count: int
) -> Injected:
    """Change the labels of ambiguous images to the class that they resemble most.

    With d(x, c) the Euclidean distance of an image (gray, pooled to at most 16 x 16) to the mean
    image of class c, the wrong label is the nearest other class c', and the ambiguity is
    d(x, y)^2 / (d(x, y)^2 + d(x, c')^2). Let r in (0, 1) be its rank, u uniform in (0, 1): the
    round(rate * n) rows with the largest r + u are changed. So the chance of a wrong label is zero
    up to some ambiguity and then grows linearly with its rank.

    Distances are sums of whole numbers below 2^53, hence the same on every machine.

    Args:
        labels: (n,) int, taken as true.
        images: (n, h, w, c) uint8, read in blocks.
        rate: share of labels to change.
        seed: of the random draw.
        class_count: k, at least two of them with images.

    Raises:
        LnlError: a rate outside (0, 1), or fewer than two classes with images.
    """
    labels = _checked(labels, rate, class_count)
    n = len(labels)
    counts = np.bincount(labels, minlength=class_count)
    if (counts > 0).sum() < 2:
        raise LnlError("Instance-dependent noise needs images of at least two classes.")
    sums = np.zeros((class_count, _pooled(images[:1]).shape[1]))
    for start in range(0, n, _BLOCK):
        np.add.at(sums, labels[start : start + _BLOCK], _pooled(images[start : start + _BLOCK]))
    means = np.floor(sums / np.maximum(counts, 1)[:, None] + 0.5)
    norms = (means**2).sum(axis=1)
    target, ambiguity = np.empty(n, np.int64), np.empty(n)
    for start in range(0, n, _BLOCK):
        pixels = _pooled(images[start : start + _BLOCK])
        given = labels[start : start + _BLOCK]
        rows = np.arange(len(given))
        distance = (pixels**2).sum(axis=1)[:, None] - 2 * pixels @ means.T + norms
        own = distance[rows, given]
        distance[:, counts == 0] = np.inf
        distance[rows, given] = np.inf
        nearest = distance.argmin(axis=1)
        target[start : start + _BLOCK] = nearest
        ambiguity[start : start + _BLOCK] = own / np.maximum(own + distance[rows, nearest], 1)
    rank = np.empty(n)
    rank[np.argsort(ambiguity, kind="stable")] = (np.arange(n) + 0.5) / n
    chosen = _largest(rank + np.random.default_rng(seed).random(n), round(rate * n))
    return _flip(labels, chosen, target[chosen])


def _pooled(images: ByteArray) -> FloatArray:
    """Return (b, d) whole numbers as float64: channel and block sums, scaled to 4,080 at most."""
    block = np.asarray(images).astype(np.int64).sum(axis=3)
    _, height, width = block.shape
    down, right = -(-height // _SIDE), -(-width // _SIDE)
    block = np.add.reduceat(block, np.arange(0, height, down), axis=1)
    block = np.add.reduceat(block, np.arange(0, width, right), axis=2)
    most = 255 * images.shape[3] * down * right
    pooled: FloatArray = (block * 4080 // most).reshape(len(block), -1).astype(np.float64)
    return pooled


def _checked(labels: IntArray, rate: float, class_count: int) -> IntArray:
    if not 0 < rate < 1:
        raise LnlError(f"The share of wrong labels must lie between 0 and 1, got {rate:g}.")
    if class_count < 2:
        raise LnlError("Noise needs at least two classes; there is only one.")
    return np.asarray(labels).astype(np.int64)


def _largest(keys: FloatArray, count: int) -> IntArray:
    """Return the rows of the `count` largest keys, ascending."""
    rows: IntArray = np.sort(np.argsort(-keys, kind="stable")[:count])
    return rows


def _flip(labels: IntArray, rows: IntArray, new: IntArray) -> Injected:
    noisy = labels.copy()
    noisy[rows] = new
    return Injected(noisy, rows)
