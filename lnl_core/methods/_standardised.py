"""Frozen features as linear heads see them: standardised, on few axes, read in chunks."""

from __future__ import annotations

import numpy as np

from lnl_core.types import Array, FloatArray

CHUNK = 8192
AXES_ROWS = 2000


def leading_axes(features: FloatArray, count: int) -> Array:
    """Turn standardised features onto the directions in which they vary most, (n, <= count).

    What is left out is noise to a head that sees a few dozen images of a class, and the cost. The
    directions are those of at most `AXES_ROWS` rows, by their Gram matrix; their spread is kept.

    Args:
        features: (n, d).
        count: most directions.

    Returns:
        (n, r) float32, over sqrt(d); the rows' products are those of the standardised features.
    """
    from scipy.linalg import eigh

    n, d = features.shape
    mean, scale = standard(features)
    rows = np.unique(np.linspace(0, n - 1, min(n, AXES_ROWS)).astype(np.int64))
    some = (np.asarray(features[rows], dtype=np.float32) - mean) * scale
    r = min(count, d, len(rows))
    gram = (some @ some.T).astype(np.float64)
    last = len(rows) - 1
    spread, turned = eigh(gram, subset_by_index=(last - r + 1, last), overwrite_a=True)
    kept = spread > 1e-6 * max(float(spread[-1]), 1e-12)
    if not kept.any():
        return np.zeros((n, 1), dtype=np.float32)
    axes = some.T @ (turned[:, kept] / np.sqrt(spread[kept])).astype(np.float32)[:, ::-1]
    out = np.empty((n, axes.shape[1]), dtype=np.float32)
    for start in range(0, n, CHUNK):
        part = np.asarray(features[start : start + CHUNK], dtype=np.float32)
        out[start : start + CHUNK] = ((part - mean) * scale) @ axes
    return out


def standard(features: FloatArray) -> tuple[Array, Array]:
    """Return mean and factor that standardise features, over sqrt(d), (d,) float32 each."""
    n, d = features.shape
    rows = np.unique(np.linspace(0, n - 1, min(n, 50_000)).astype(np.int64))
    mean, square = np.zeros(d), np.zeros(d)
    for part in np.array_split(rows, max(1, len(rows) // CHUNK)):
        values = np.asarray(features[part], dtype=np.float64)
        mean += values.sum(axis=0)
        square += np.square(values).sum(axis=0)
    mean /= len(rows)
    std = np.sqrt(np.maximum(square / len(rows) - mean**2, 0))
    # a feature that hardly varies is noise: do not blow it up to the size of the others
    std = np.maximum(std, 0.1 * np.sqrt(np.mean(std**2)) if std.any() else 1.0)
    return mean.astype(np.float32), (1 / (std * np.sqrt(d))).astype(np.float32)


class Inputs:
    """Features as the heads see them: standardised, read in chunks.

    Where rows are few beside the features they are turned into their own span, at most n axes:
    all products of rows are kept, and with them every head that is pulled to zero or to a round
    covariance, since what it says of these rows depends on their products alone.

    Attributes:
        n, d: rows, and columns that the heads see.
        wide: columns of the features; what lies outside the span still shares the shrinkage.

    Args:
        features: (n, d).
        as_given: take the features as they are; else they are standardised.
        turned: turn them into their span; where it saves work if None.
    """

    def __init__(
        self, features: FloatArray, *, as_given: bool = False, turned: bool | None = None
    ) -> None:
        self.n, self.wide = features.shape
        self.mean, self.scale = standard(features)
        if as_given:
            self.mean, self.scale = np.zeros_like(self.mean), np.ones_like(self.scale)
        self._features, self._span, self._inside = features, None, None
        if 2 * self.n <= self.wide if turned is None else turned:
            self._span, self._inside = _span(self.rows(slice(None)))
        self.d = self.wide if self._inside is None else self._inside.shape[1]

    def rows(self, rows: slice | Array) -> Array:
        """Return (b, d) float32 standardised features, over sqrt(wide)."""
        if self._inside is not None:
            inside: Array = self._inside[rows]
            return inside
        values: Array = (np.asarray(self._features[rows], np.float32) - self.mean) * self.scale
        return values

    def turn(self, directions: Array) -> Array:
        """Turn directions among all features, (wide, s), as the rows were turned; (d, s)."""
        return directions if self._span is None else self._span.T @ directions


def _span(rows: Array) -> tuple[Array, Array]:
    """Return an orthonormal basis of the span of (n, d) rows, (d, r), and the rows in it, (n, r).

    By Householder reflections (Golub and Van Loan, "Matrix Computations", 5.2): stable for rows
    that depend on each other, too.
    """
    from scipy.linalg import qr

    basis, inside = qr(rows.T, mode="economic")
    return basis, np.ascontiguousarray(inside.T)
