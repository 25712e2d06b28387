"""What a run will take, before it starts: measured on two cores, scaled by the work."""

from __future__ import annotations

from typing import Any

# Images per second through training, one thread with bfloat16, and the size they had.
_SPEED = {
    "resnet8": (2600.0, 32),
    "resnet8-wide": (1100.0, 32),
    "resnet18": (45.0, 32),
    "resnet34": (24.0, 32),
    "resnet50": (16.0, 32),
    "cnn8": (330.0, 32),
    "mnist": (2500.0, 28),
    "mlp": (12000.0, 8),
}


def training_cost(n: int, size: int, config: Any) -> tuple[float, float]:
    """Return (seconds, bytes) of a run of the shared engine.

    Args:
        n: number of images.
        size: longer side in pixels.
        config: has `backbone`, `epochs`, `batch_size`, `resolution`, `record_from`.
    """
    if config.resolution:
        size = min(size, config.resolution)
    name = config.backbone
    if name == "head":
        return 2 + n * config.epochs / 8000.0, 6e8 + n * 8000.0
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
    seconds = 4 + n * config.epochs * looks * max(area, 0.12) / speed
    held = 6e8 + n * size * size * 3.0 + config.batch_size * size * size * 4000.0
    return seconds, held
