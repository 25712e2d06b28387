"""How a network is trained: the knobs that methods share, and the course of the learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a network is trained; the knobs that all methods share.

    Attributes:
        backbone: `auto` or a name of `models.NAMES`.
        epochs, batch_size: as they say.
        lr: peak learning rate of SGD.
        momentum, nesterov, weight_decay: of SGD.
        schedule: `cosine` (per epoch, to 0), `one_cycle` (per step, up for the first fifth, then
            cosine to 0) or `constant`.
        clip: largest norm of the gradient; 0 for no limit.
        shift: largest shift in pixels; -1 = an eighth of the image's shorter side.
        flip: `auto`, `yes` or `no`; auto mirrors colour photographs only.
        border: what a shift brings in: `reflect`, `edge` or `zero`; auto = reflect in colour, edge
            in gray.
        cutout: side of the blanked square as a share of the shorter side; 0 for none.
        rotate: largest random turn in degrees.
        jitter: largest relative change of brightness and contrast.
        resolution: train at most at this longer side in pixels; 0 = as stored.
        average_weights: decay per step of the running mean of weights; 0 for none.
        blank: share of the features blanked in a training view, where a head trains on frozen
            features.
    """

    backbone: str = "auto"
    epochs: int = 30
    batch_size: int = 128
    lr: float = 0.05
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    schedule: str = "one_cycle"
    clip: float = 5.0
    shift: int = -1
    flip: str = "auto"
    border: str = "auto"
    cutout: float = 0.0
    rotate: float = 0.0
    jitter: float = 0.0
    resolution: int = 0
    average_weights: float = 0.0
    blank: float = 0.2


def recipe_of(config: Any) -> Recipe:
    """Pick from a method's Config the knobs that a `Recipe` has; the others keep its defaults."""
    names = [field.name for field in fields(Recipe) if hasattr(config, field.name)]
    return Recipe(**{name: getattr(config, name) for name in names})


def learning_rate(schedule: str, peak: float, done: float) -> float:
    """Return the learning rate after a share `done` of the run, in [0, 1]."""
    if schedule == "constant":
        return peak
    if schedule == "cosine":
        return peak * (1 + math.cos(math.pi * done)) / 2
    if schedule == "one_cycle":
        if done < 0.2:
            return peak * (0.04 + 0.96 * done / 0.2)
        return peak * (1 + math.cos(math.pi * (done - 0.2) / 0.8)) / 2
    raise ValueError(f"schedule must be cosine, one_cycle or constant, got {schedule!r}")
