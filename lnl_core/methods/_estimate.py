"""What a run will take of its own, before it starts: measured on two cores, scaled by the work.

Bytes are those above what the worker holds once torch is loaded, as runs are measured.
"""

from __future__ import annotations

from typing import Any

from lnl_core.learning import fine_tuning
from lnl_core.learning.principal_axes import is_dual
from lnl_core.types import COPIED_BYTES, SMALL_SIDE

PRETRAINED = 3872
"""Features of an image by the networks that come with the package."""

PRODUCT = 8e-12
"""Seconds for each multiplication of a float32 matrix product, one thread."""

PRODUCT_64 = 2 * PRODUCT
"""The same in float64."""

EIGEN, EIGEN_64 = 3.5e-11, 8e-11
"""Seconds for each s^3 of an s x s decomposition for the leading axes: float32, float64."""

SAMPLED = 2000
"""Images that pixels are standardised by (`learning.images`)."""

# Bytes that a training step keeps for each pixel of a batch, and weights of the network.
_HELD = {
    "resnet8": (490.0, 8e4),
    "resnet8-wide": (1450.0, 3e5),
    "resnet18": (310.0, 1.12e7),
}

# Images per second through training, one thread with bfloat16, and the size they had.
_SPEED = {
    "resnet8": (2600.0, 32),
    "resnet8-wide": (1100.0, 32),
    "resnet18": (45.0, 32),
    "resnet34": (24.0, 32),
    "resnet50": (16.0, 32),
    "preact18": (45.0, 32),
    "cnn8": (330.0, 32),
    "mnist": (2500.0, 28),
    "mlp": (12000.0, 8),
}


_FINE_TUNED = (95.0, 370.0)
"""Images per second in training and in evaluation at 96 pixels, one thread with bfloat16."""


def training_cost(n: int, size: int, config: Any) -> tuple[float, float]:
    """Return (seconds, bytes) of a run of the shared engine.

    Args:
        n: number of images.
        size: longer side in pixels.
        config: has `backbone`, `epochs`, `batch_size`, `resolution`, `record_from`.
    """
    name = config.backbone
    if name == "head":
        d = usual_features(size)
        # the rows as they are handed over, then standardised, beside a chunk of them in float64
        return 2 + n * config.epochs / 8000.0, 1.8e8 + features_held(n, d) + 4.0 * n * d
    if config.resolution:
        size = min(size, config.resolution)
    if name in fine_tuning.SIDES:
        return fine_tuned_cost(n, size, config)
    if name == "auto":
        name = "resnet8" if size <= 64 else "resnet18"
    speed, at = _SPEED[name]
    area = (size / at) ** 2  # the work of a convolution grows with the pixels
    if name.startswith("resnet8"):
        # the stem keeps the resolution up to 16 pixels and a block halves again above 48
        area *= 4.0 if size <= 16 else 0.4 if size > 48 else 1.0
    elif name.startswith("resnet") and size > 64:
        area /= 14.0  # stem and pooling quarter both sides first
    looks = 1 + 0.6 * (1 - config.record_from)  # evaluation passes, mirrored
    # below an eighth of the area the overhead of small batches is what takes the time
    seconds = 2 + n * config.epochs * looks * max(area, 0.12) / speed
    return seconds, training_bytes(name, n, size, config.batch_size)


def training_bytes(name: str, n: int, size: int, batch: int) -> float:
    """Return the bytes of training a network of `_SPEED` on n images of `size` pixels to it.

    All images; a sample of them in float64, to standardise by; what a step keeps of a batch; and
    weights, gradients, momentum and average.
    """
    pixels = float(size * size)
    sample = 13.0 * min(n, SAMPLED) * 3 * pixels
    weights = _HELD.get(name, (0.0, 0.0))[1]
    return 6e7 + n * pixels * 3 + sample + step_bytes(name, size, batch) + 4 * 4 * weights


def step_bytes(name: str, size: int, batch: int) -> float:
    """Return the bytes that one training step keeps of its batch, for `training_bytes`."""
    return batch * float(size * size) * _HELD.get(name, (4000.0, 0.0))[0]


def fine_tuned_cost(n: int, size: int, config: Any) -> tuple[float, float]:
    """Return (seconds, bytes) of a network that knows ImageNet, at its own side in pixels."""
    side = fine_tuning.SIDES[config.backbone]
    looks = 2 * (1 - config.record_from) / _FINE_TUNED[1]
    seconds = 5 + n * config.epochs * (1 / _FINE_TUNED[0] + looks) * (side / 96) ** 2
    seen = 3.0 * n * size * size + 13.0 * min(n, SAMPLED) * 3 * size * size
    return seconds, 3.6e8 + seen + config.batch_size * side * side * 170.0


def usual_features(size: int) -> int:
    """Return how many label-free features an image of `size` pixels usually has, at most."""
    return PRETRAINED if size > SMALL_SIDE else 3 * size * size


def features_held(n: int, d: int) -> float:
    """Return the bytes of n rows of d features in memory: large ones stay on the disk."""
    whole = 4.0 * n * d
    return whole if whole <= COPIED_BYTES else 0.0


def axes_cost(m: int, d: int, axes: int) -> tuple[float, float]:
    """Return (seconds, bytes) of the leading axes of m rows of d float32 features.

    The smaller product is s x s, s = min(m, d): m d s multiplications, then s^3, and s^2 numbers
    in both precisions, beside two copies of the rows.
    """
    dual = is_dual(m, d)
    s = m if dual else d
    seconds = PRODUCT * m * d * (s + min(axes, s)) + (EIGEN_64 if dual else EIGEN) * s**3
    return seconds, 8.0 * m * d + 12.0 * s * s + 12.0 * min(axes, s) * (d + s)


def heads_cost(n: int, d: int, folds: int) -> tuple[float, float]:
    """Return (seconds, bytes) of closed-form heads on n rows of d features, without each fold.

    Each fold has a d x d matrix of second moments, all made in one pass; then a d^3 / 3
    factorisation each, beside five such matrices in use.
    """
    seconds = PRODUCT * d * d * (n + folds * d)
    return seconds, 4.0 * folds * d * d + 32.0 * d * d
