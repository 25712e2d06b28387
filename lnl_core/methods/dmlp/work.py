"""What a purification takes, before it starts."""

from __future__ import annotations

from typing import Any


def cost(n: int, size: int, config: Any) -> tuple[float, float]:
    """Return (seconds, bytes) on two cores, without the features; `config` is the method's."""
    from types import SimpleNamespace

    from lnl_core.methods import _estimate

    d = _estimate.usual_features(size)
    # d x d matrices in float64, factored and turned, then passes over the rows
    seconds = 2 + 4e-10 * d**3 + 1.3e-6 * n * d
    held = 5e7 + 64.0 * d * d + 3.5 * _estimate.features_held(n, d)
    if not config.retrain:
        return seconds, held

    knobs = SimpleNamespace(
        backbone=config.backbone,
        epochs=config.epochs,
        batch_size=config.batch_size,
        resolution=config.resolution,
        record_from=1.0,
    )
    more, beside = _estimate.training_cost(n, size, knobs)
    return seconds + more, held + beside
