"""How a chance leaves: six digits, and never as certain, in every file that is written."""

from __future__ import annotations

import numpy as np

from lnl_core.said import DIGITS, LEAST
from lnl_core.said import number as number
from lnl_core.types import Array, FloatArray


def within(p: float | Array) -> FloatArray:
    """Return chances, none of them 0 or 1."""
    kept: FloatArray = np.clip(np.asarray(p, np.float64), LEAST, 1 - LEAST)
    return kept


def cell(p: float | None) -> str:
    """Return a chance as the cell of a table; blank where there is none, or no number."""
    return "" if p is None or p != p else f"{float(within(p)):.{DIGITS}f}"
