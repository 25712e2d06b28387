"""The values that an image holds, before anything is scaled: the least, the greatest, a sample."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lnl_core.data import deep_colour
from lnl_core.data.images import eight_bits, is_clear, opened
from lnl_core.types import Array, FloatArray

_SAMPLE = 1024


@dataclass(frozen=True, slots=True)
class Levels:
    """The values of one image: `kind` as `Contrast` has them, the least and the greatest.

    `values` are an even sample of all. What is transparent is not seen and does not count, unless
    everything is: `clear`. `odd` says that some are no numbers (NaN, infinite).
    """

    kind: str
    low: float
    high: float
    clear: bool = False
    odd: bool = False
    values: FloatArray = field(default_factory=lambda: np.zeros(0, np.float32))


def levels(source: Path | bytes) -> Levels:
    """Return an image's least and greatest pixel values; of a JPEG, of a smaller copy.

    Raises:
        ImageError: as `images.decode`.
    """
    with opened(source) as image:
        if image.format in ("JPEG", "MPO"):
            image.draft(image.mode, (64, 64))
        if deep_colour.has(image):
            with opened(source) as again:
                read = deep_colour.values(image, again)
            colours, seen = read[..., :3], read[..., 3:].any(axis=2)
            clear = read.shape[2] == 4 and not seen.any()
            return _of("deep", colours[seen] if seen.any() else colours, clear)
        image.load()
        if image.mode == "F":
            values = np.asarray(image, dtype=np.float32)
            known = np.isfinite(values)
            return replace(_of("real", values[known]), odd=not known.all())
        if image.mode.startswith("I"):
            values = np.asarray(image, dtype=np.float32)
            hidden = deep_colour.hidden(image)
            if hidden is None or hidden.all():
                return _of("deep", values, hidden is not None)
            return _of("deep", values[~hidden])
        pixels = np.asarray(eight_bits(image))
        return _of("byte", pixels, is_clear(image))


def sampled(values: Array, most: int = _SAMPLE) -> FloatArray:
    """Return an even sample of the values of an image, or of a block of them.

    The step shares no small factor with the sides of images: else it meets the same places of each.
    """
    flat = values.reshape(-1)
    step = max(1, -(-flat.size // most))
    while any(step % factor == 0 for factor in (2, 3, 5, 7)):
        step += 1
    kept: FloatArray = flat[::step].astype(np.float32)
    return kept


def _of(kind: str, values: Array, clear: bool = False) -> Levels:
    if not values.size:
        return Levels(kind, 0.0, 0.0, clear)
    low, high = float(values.min()), float(values.max())
    return Levels(kind, low, high, clear, values=sampled(values))
