"""How much work the head of Influential Rank is; no torch, for estimates."""

from __future__ import annotations

from typing import Any

from lnl_core.learning.principal_axes import is_dual
from lnl_core.methods import _estimate

EXACT_UNKNOWNS = 3000
"""Up to this many weights of a head the whole Hessian may be used..."""

EXACT_WORK = 2e10
"""...if rows x weights^2 stays below this."""

DEEP = 512
"""Features of a trained network's last layer, at most."""

PASSES = 60
"""Passes over the rows for one fit of the head, about."""


def of_head(n: int, d: int, config: Any, k: int) -> tuple[float, float]:
    """Return (seconds, bytes) of the rounds on n rows of d features, all in float64.

    Main axes of the rows; then in each round a fit, and either the whole Hessian of the kw weights,
    its factor and a solution for each row, or a w x w block for each class, inverted.
    """
    dual = is_dual(n, d)
    s, w = n if dual else d, 1 + min(config.width or d, d)
    product = _estimate.PRODUCT_64
    turning = product * n * d * (s + 2 * min(w, s)) + _estimate.EIGEN_64 * s**3
    axes = 8.0 * (n * d if dual else 0) + 24.0 * s * s + 16.0 * d * min(w, s)
    w = min(w, 1 + s)
    unknowns = k * w
    fit = PASSES * 2 * n * w * k
    if unknowns <= EXACT_UNKNOWNS and n * unknowns**2 <= EXACT_WORK:
        work = unknowns**2 * (2.5 * n + 0.6 * unknowns)
        scoring = 16.0 * unknowns**2 + 8.0 * min(4e6, 4 * n * unknowns)
    else:
        work, scoring = k * (2 * n * w * w + w**3), 24.0 * w * w
    seconds = turning + (config.rounds + 1) * product * (fit + work)
    held = 4.0 * n * d + max(axes, scoring + 8.0 * n * (w + 2 * k))
    return 0.3 + seconds, 1.2e8 + held
