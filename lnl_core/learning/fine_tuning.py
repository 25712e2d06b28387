"""How a network that knows ImageNet is trained, under whichever method: briefly, at a small rate.

Such a network has nearly all that images have to tell and learns the given labels, wrong ones too,
within a few epochs: so all methods share this recipe, and each says on top of it what it does
within so short a run (`fine_tuned` of its Config).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

SIDES = {"lite0-96": 96, "lite0-160": 160, "lite0-224": 224}
"""Name of a network -> side in pixels at which it looks at images."""

BATCH = 32


def recipe(backbone: str, n: int) -> dict[str, Any]:
    """Return the shared knobs for n images: three epochs, small sets more, for 45 steps.

    Args:
        backbone: one of `SIDES`.
        n: number of images.
    """
    steps = max(1, n // BATCH)
    return {
        "backbone": backbone,
        "resolution": SIDES[backbone],
        "epochs": max(3, min(8, -(-45 // steps))),
        "batch_size": BATCH,
        "lr": 0.005,
        "momentum": 0.9,
        "nesterov": True,
        "schedule": "one_cycle",
        "weight_decay": 5e-4,
        "clip": 5.0,
        "ema_decay": 0.98,
    }


def under(config: Any, backbone: str, n: int) -> Any:
    """Return a method's knobs for such a network in place of the one that they name.

    Args:
        config: of a preset; from `TrainingKnobs`, perhaps with a method `fine_tuned()`.
        backbone: one of `SIDES`.
        n: number of images.
    """
    short = replace(config, **recipe(backbone, n))
    return short.fine_tuned() if hasattr(short, "fine_tuned") else short
