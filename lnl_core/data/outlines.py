"""What is compared of images instead of their pixels: codes, contrast, digests; small pictures.

Made once when a set is imported and kept beside its working copies, so that what comes to a set is
compared without reading a million images again.

Shapes: `n` images, `b` images of a block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lnl_core.store.arrays import read_array, write_array
from lnl_core.store.datasets import OUTLINE
from lnl_core.types import Array, ByteArray, FloatArray, LnlError

SIDE = 16
"""Side of the small grey pictures, in pixels."""

BITS = 256
"""Of a code."""

_COARSE = 8
_BLOCK_VALUES = 2**19
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_KEPT = np.dtype([("codes", np.uint64, 4), ("contrast", np.float32), ("digests", "V16")])
"""An outline on the disk: 52 bytes an image."""


class Pictures(Protocol):
    """Images by rows, as an array gives them, or several arrays as if they were one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n, h, w, c)."""

    def __len__(self) -> int: ...
    def __getitem__(self, rows: Any) -> ByteArray: ...


@dataclass(frozen=True, slots=True)
class Outline:
    """What is compared instead of the images.

    Attributes:
        codes: (n, 4) uint64.
        contrast: (n,) float32, standard deviation of the small grey picture.
        digests: (n,) 16 bytes each, equal where the pixels are.
    """

    codes: Array
    contrast: FloatArray
    digests: Array


def outline(
    images: Pictures, report: Callable[[float], None] | None = None, start: int = 0
) -> Outline:
    """Read every image once, from one on.

    Args:
        images: (n, h, w, c) uint8.
        report: told the share that is done.
        start: the first row that is read; the outline begins with it.
    """
    n = len(images) - start
    codes = np.zeros((n, BITS // 64), dtype=np.uint64)
    contrast = np.zeros(n, dtype=np.float32)
    digests = np.zeros(n, dtype="V16")
    for rows in _blocks(n, images.shape):
        block = np.ascontiguousarray(images[start + rows.start : start + rows.stop])
        small = grey(block, SIDE)
        contrast[rows] = small.std(axis=(1, 2))
        codes[rows] = _codes(small)
        digests[rows] = [hashlib.blake2b(one, digest_size=16).digest() for one in block]
        if report is not None:
            report(rows.stop / n)
    return Outline(codes, contrast, digests)


def outlined(folder: Path, known: Outline | None = None) -> Outline:
    """Return `outline` of a set's working copies, kept beside them from the first time on.

    Args:
        folder: of the set's arrays.
        known: that of the first images.
    """
    images = read_array(folder / "images.npy")
    file = folder / OUTLINE
    with suppress(LnlError):  # where it is gone or damaged it is made anew
        kept = read_array(file)
        if kept.dtype == _KEPT and kept.shape == (len(images),):
            return Outline(kept["codes"], kept["contrast"], kept["digests"])
    found = extended(images, known, None)
    table = np.zeros(len(images), _KEPT)
    table["codes"], table["contrast"] = found.codes, found.contrast
    table["digests"] = found.digests
    with suppress(LnlError):  # where nothing can be written it is made again
        write_array(file, table)
    return found


def extended(
    images: Pictures, known: Outline | None, report: Callable[[float], None] | None
) -> Outline:
    """Return the outline of all images, given that of the first ones."""
    if known is None:
        return outline(images, report)
    rest = outline(images, report, start=len(known.codes))
    return Outline(
        np.concatenate([known.codes, rest.codes]),
        np.concatenate([known.contrast, rest.contrast]),
        np.concatenate([known.digests, rest.digests]),
    )


def _blocks(n: int, shape: tuple[int, ...]) -> Iterator[slice]:
    size = max(1, _BLOCK_VALUES // max(1, int(np.prod(shape[1:]))))
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _codes(small: FloatArray) -> Array:
    """Return (b, 4) uint64: signs of random directions of the coarse cosine coefficients.

    Coefficients grow towards low frequencies as 1 / frequency in photographs; they are levelled,
    so that the code does not speak of the coarsest two or three alone.
    """
    height, width = small.shape[1:]
    down, across = _cosines(height), _cosines(width)
    coarse = (down @ small @ across.T).reshape(len(small), len(down) * len(across))
    coarse *= np.hypot(*np.ogrid[: len(down), : len(across)]).reshape(-1)  # the mean counts 0
    bits = np.packbits(coarse @ _directions(coarse.shape[1]) > 0, axis=1)
    result: Array = np.ascontiguousarray(bits).view(">u8").astype(np.uint64)
    return result


@lru_cache(maxsize=4)
def _directions(size: int) -> FloatArray:
    """Return random directions, (size, 256) float32; the same on every machine."""
    return np.random.default_rng(1).standard_normal((size, BITS)).astype(np.float32)


@lru_cache(maxsize=16)
def _cosines(size: int) -> FloatArray:
    """Return the first cosines of a discrete cosine transform, (<= 8, size) float32."""
    frequency = np.arange(min(_COARSE, size))[:, None]
    angles = np.pi * frequency * (np.arange(size) + 0.5) / size
    rows: FloatArray = (np.cos(angles) * np.sqrt(2 / size)).astype(np.float32)
    return rows


def grey(block: ByteArray, side: int) -> FloatArray:
    """Return (b, <= side, <= side) float32 grey means."""
    small = _shrunk(block, side)
    grey: FloatArray = small @ _GREY if small.shape[3] == 3 else small[:, :, :, 0]
    return grey


def colours(block: ByteArray) -> FloatArray:
    """Return what colours differ by from grey, (b, <= 8, <= 8, 3)."""
    small = _shrunk(block, 8)
    apart: FloatArray = small - (small @ _GREY)[:, :, :, None]
    return apart


def _shrunk(block: ByteArray, side: int) -> FloatArray:
    """Return means over the cells of a grid of at most side x side, (b, ., ., c) float32."""
    b, height, width, c = block.shape
    down, across = _cells(height, side), _cells(width, side)
    values = down @ block.reshape(b, height, width * c).astype(np.float32)
    by_channel = np.kron(across.T, np.eye(c, dtype=np.float32))  # one product for all channels
    flat = values.reshape(b * len(down), width * c) @ by_channel
    return flat.reshape(b, len(down), len(across), c)


@lru_cache(maxsize=16)
def _cells(size: int, side: int) -> FloatArray:
    """Return what averages `size` pixels into at most `side` cells, (<= side, size) float32."""
    count = min(size, side)
    cell = np.arange(size) * count // size
    shares = (cell == np.arange(count)[:, None]).astype(np.float32)
    result: FloatArray = shares / shares.sum(axis=1, keepdims=True)
    return result
