"""How one run's losses were spread over its epochs: what an animated figure steps through."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lnl_core.services.compare.comparing import candidates, run_signals
from lnl_core.services.compare.losses import LOSS_FLOOR, losses
from lnl_core.services.in_force import learned_from, scored
from lnl_core.store import decisions
from lnl_core.types import Array, DatasetInfo, FloatArray, LnlError
from lnl_core.views import TOGETHER, LossCourse

BINS, STEPS, ROWS = 60, 40, 20_000
"""Bins of a step; steps and images looked at, at most: evenly spread where there are more."""


def course(info: DatasetInfo, key: str) -> LossCourse | None:
    """Return the spread of a run's losses by epoch; None where it kept no course.

    Raises:
        LnlError: no such run.
    """
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run first.")
    return _course(info, ranked.version, key, decisions.last_id(info))


@lru_cache(maxsize=16)
def _course(info: DatasetInfo, _version: str, key: str, _last: int) -> LossCourse | None:
    if key in TOGETHER:
        return None
    extras, curve = run_signals(info, key).extras, _curve(info, key)
    if curve is None:
        return None
    values = losses(info, key)
    rows = np.flatnonzero(values.counted & learned_from(info, int(key)))
    rows = rows[:: max(1, -(-len(rows) // ROWS))]
    if not len(rows):
        return None
    steps = np.unique(np.linspace(0, len(curve) - 1, min(len(curve), STEPS)).round().astype(int))
    x = np.stack([curve.at(int(step), rows) for step in steps])
    low, high = float(x.min()), float(x.max())
    edges = np.linspace(low, max(high, low + 1e-3), BINS + 1)
    agrees = values.agrees[rows]
    counts = np.array(
        [[np.histogram(line[part], edges)[0] for part in (agrees, ~agrees)] for line in x]
    )
    by_round = "round_removed" in extras  # the first of which removed nothing yet
    return LossCourse(
        candidate=next(each for each in candidates(info) if each.key == key),
        step="round" if by_round else "epoch",
        steps=steps + (0 if by_round else 1),
        edges=edges,
        counts=counts,
        images=(int(agrees.sum()), int((~agrees).sum())),
        of=(len(rows), int(values.counted.sum())),
    )


class _Curve:
    """Losses by step and image, or probabilities of the given label, read a step at a time."""

    def __init__(self, values: Array, *, probabilities: bool) -> None:
        self._values, self._probabilities = values, probabilities

    def __len__(self) -> int:
        return len(self._values)

    def at(self, step: int, rows: Array) -> FloatArray:
        """Return log10 of the losses of some images after a step."""
        line = np.asarray(self._values[step], np.float64)[rows]
        if self._probabilities:
            line = -np.log(np.maximum(line, LOSS_FLOOR))
        return np.log10(np.clip(np.nan_to_num(line), LOSS_FLOOR, None))


def _curve(info: DatasetInfo, key: str) -> _Curve | None:
    curves = run_signals(info, key).curves
    for name in ("loss", "p_given"):
        curve = curves.get(name)
        if curve is not None and curve.ndim == 2 and curve.shape[1] == info.n and len(curve) > 1:
            return _Curve(curve, probabilities=name == "p_given")
    return None
