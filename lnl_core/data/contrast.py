"""Which pixel values are black and white, for a whole set: 12 bits in 16, floats, masks of 0/1."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lnl_core.types import Array, ByteArray, FloatArray

Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Contrast:
    """The values that are shown black and white, by kind of file; None as the format says.

    Attributes:
        deep: of files of more than 8 bits.
        real: of files of floating point numbers.
        byte: of files of 8 bits.
    """

    deep: Range | None = None
    real: Range | None = None
    byte: Range | None = None

    def to_json(self) -> dict[str, list[float]]:
        """Return the ranges that are set."""
        ranges = {"deep": self.deep, "real": self.real, "byte": self.byte}
        return {key: list(each) for key, each in ranges.items() if each is not None}

    @classmethod
    def from_json(cls, values: Mapping[str, Sequence[float]] | None) -> Contrast | None:
        """Return what `to_json` made; None for nothing."""
        if not values:
            return None
        kept: dict[str, Any] = {key: (float(v[0]), float(v[1])) for key, v in values.items()}
        return cls(**kept)


def to_bytes(values: Array, low: float, high: float) -> ByteArray:
    """Scale values from low..high to 0..255, cut off beyond; what is no number is black."""
    reals: FloatArray = np.nan_to_num(
        np.asarray(values, dtype=np.float32), nan=low, posinf=high, neginf=low
    )
    scaled = (reals - np.float32(low)) * np.float32(255 / max(high - low, 1e-12))
    pixels: ByteArray = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return pixels


def shown(values: Array, contrast: Contrast | None) -> ByteArray:
    """Return arrays of pixels as bytes: as they are, or scaled from the range of their kind."""
    kinds = {"f": "real", "u": "deep", "i": "deep", "b": "deep"}
    byte = values.dtype == np.uint8
    span = (
        None
        if contrast is None
        else getattr(contrast, "byte" if byte else kinds[values.dtype.kind])
    )
    if span is None:
        return values if byte else to_bytes(values, 0, 255)
    return to_bytes(np.asarray(values, np.float64) - span[0], 0, span[1] - span[0])
