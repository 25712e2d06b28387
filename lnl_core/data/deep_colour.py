"""Colours of 16 bits a channel, as PNG and TIFF files hold them: Pillow reads the upper bytes.

A file of 12 bits in 16 has next to nothing in its upper bytes. So such a file is read twice, the
second time with the other order of bytes, which gives the lower ones.
"""

from __future__ import annotations

import sys

import numpy as np
from PIL import Image

from lnl_core.data.contrast import to_bytes
from lnl_core.types import Array

_LITTLE = sys.byteorder == "little"
_OTHER = {"B": "L", "L": "B", "N": "B" if _LITTLE else "L"}
_GRAY = "LA;16B"


def has(image: Image.Image) -> bool:
    """Tell whether an image that is open and not yet read has 16 bits in each of its channels."""
    mode = _raw_mode(image)
    return mode == _GRAY or mode[:-1] in ("RGB;16", "RGBA;16", "RGBX;16")


def has_key(image: Image.Image) -> bool:
    """Tell whether an image of 16 bits names a colour that is transparent (a PNG's tRNS)."""
    return _key(image) is not None


def hidden(image: Image.Image) -> Array | None:
    """Return (h, w) bool, True where a gray image of 16 bits is transparent; None where none is."""
    key = image.info.get("transparency")
    if not image.mode.startswith("I") or not isinstance(key, int):
        return None
    found: Array = np.asarray(image) == key
    return found


def _key(image: Image.Image) -> tuple[int, ...] | None:
    key = image.info.get("transparency")
    return key if _raw_mode(image).startswith("RGB;16") and isinstance(key, tuple) else None


def values(image: Image.Image, again: Image.Image) -> Array:
    """Return (h, w, 3) or with alpha (h, w, 4) uint16 of a file that was opened twice.

    A colour that stands for transparent has the alpha 0, and all others are opaque.

    Neither may have been read; `has` is true of it.
    """
    mode, key = _raw_mode(image), _key(image)
    other = "RGBA" if mode == _GRAY else mode[:-1] + _OTHER[mode[-1]]
    again.tile = [  # type: ignore[attr-defined]
        tile._replace(args=other if isinstance(tile.args, str) else (other, *tile.args[1:]))
        for tile in again.tile  # type: ignore[attr-defined]
    ]
    lower = np.asarray(again).astype(np.uint16)
    if mode == _GRAY:  # the four bytes of a pixel: gray, then alpha, upper byte first
        pairs = lower[..., ::2] * 256 + lower[..., 1::2]
        return pairs[..., [0, 0, 0, 1]]
    read: Array = np.asarray(image).astype(np.uint16) * 256 + lower
    if key is not None:
        opaque = (read[..., :3] != np.array(key, np.uint16)).any(axis=2, keepdims=True)
        return np.concatenate([read[..., :3], opaque.astype(np.uint16) * 65535], axis=2)
    return read[..., :3] if mode.startswith("RGBX") else read


def scaled(image: Image.Image, again: Image.Image, low: float, high: float) -> Image.Image:
    """Return the image with 8 bits a channel, colours scaled from low..high; alpha as it is."""
    read = values(image, again)
    pixels = to_bytes(read[..., :3], low, high)
    if read.shape[2] == 4:
        pixels = np.concatenate([pixels, (read[..., 3:] >> 8).astype(np.uint8)], axis=2)
    return Image.fromarray(pixels)


def _raw_mode(image: Image.Image) -> str:
    """Return how the decoder names the order of a pixel's bytes; nothing where it has no name."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0].args if tiles else ""
    if isinstance(arguments, tuple):
        arguments = arguments[0] if arguments else ""
    return arguments if isinstance(arguments, str) else ""
