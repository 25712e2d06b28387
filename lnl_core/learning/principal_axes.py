"""The directions in which rows vary most, by the smaller of the two products of a matrix.

Rows X (m, d) have the same spread in X X^T (m, m) as in X^T X (d, d): a few hundred images of
thousands of features need no d x d matrix, and no more axes are solved for than are kept.
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import Array, FloatArray


def leading(symmetric: FloatArray, count: int) -> tuple[Array, Array]:
    """Return the largest eigenvalues of a symmetric (s, s) matrix and their vectors.

    Args:
        symmetric: overwritten.
        count: most eigenvalues; at least 1.

    Returns:
        (r,) falling and (s, r), r = min(s, count), in the type given.
    """
    from scipy.linalg import eigh

    last = len(symmetric) - 1
    first = max(0, last + 1 - count)
    values, vectors = eigh(symmetric, subset_by_index=(first, last), overwrite_a=True)
    return values[::-1], vectors[:, ::-1]


def principal_axes(rows: FloatArray, count: int) -> tuple[Array, Array]:
    """Return how far centred rows spread along their main axes, and these axes.

    Args:
        rows: (m, d), m at least 1.
        count: most axes; at least 1.

    Returns:
        Mean squares (r,), falling, and orthonormal axes (d, r), r <= min(m, d, count). Axes
        without spread, which would be made of rounding, are left out where the rows are few.
    """
    m, d = rows.shape
    if not is_dual(m, d):
        return leading(rows.T @ rows / m, count)
    # a vector along which rows hardly vary is divided by almost nothing: float64
    spread, mixed = leading((rows @ rows.T).astype(np.float64) / m, count)
    kept = spread > np.finfo(rows.dtype).eps * max(float(spread[0]), 0.0)
    spread, mixed = spread[kept], mixed[:, kept] / np.sqrt(m * spread[kept])
    return spread, rows.T @ mixed.astype(rows.dtype)


def is_dual(rows: int, features: int) -> bool:
    """Tell whether the product over rows is cheaper: it is solved in float64, at twice the cost."""
    return 4 * rows <= 3 * features
