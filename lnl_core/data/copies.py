"""Copies: the same picture stored twice or more, exactly or encoded and sized anew, as groups.

A network that has seen a picture under a wrong label knows the copy's label too, and neighbours
that are copies vote for each other: eight copies that are all labelled wrong look cleaner than
right images. So copies are grouped once, at import, from the working copies.

1. Each image becomes a small grey picture, at most 16 x 16. The signs of 256 random directions of
   its coarse cosine coefficients are its code (Charikar, "Similarity estimation techniques from
   rounding algorithms", STOC 2002): codes of like pictures differ in few bits.
2. Codes are sorted sixteen times, each time from another of their bits on, and compared with those
   that follow (sorted neighbourhood; Hernandez and Stolfo, SIGMOD 1995): n log n, for a million
   images too.
3. A pair with near codes is a copy where the pictures themselves agree. How well they have to is
   read off the set: digits resemble each other more than photographs do, and so do garments that
   were laid out on the same table.

Flat pictures (all black) show nothing that could be copied and stay alone. Crops by more than a
percent of the side are not found: so near are other pictures of one class, too.

Measured in `docs/measurements.md` by `benchmarks/copies.py`.

Shapes: `n` images, `b` images of a block.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.review import copies as review
from lnl_core.store.arrays import read_array, write_array
from lnl_core.store.datasets import COPIES
from lnl_core.types import Array, ByteArray, FloatArray, IntArray, LnlError

SIDE = 16
"""Side of the small grey pictures, in pixels."""

SHARE_OF_USUAL = 0.01
"""A copy differs by at most this share of what the set's like pictures differ by."""

MOST_DIFFERENT = 0.02
"""And by at most this much in any set: mean squared difference over the lesser variance."""

FINE_SIDE, FINE_FACTOR = 64, 16.0
"""In more detail, encoding costs more: the difference allowed at `FINE_SIDE`, times this."""

SURELY_COPIED = 0.003
"""So near are no two different pictures, not even digits of 8 x 8 pixels."""

COLOUR = 6.0
"""Most that colours may differ by, in grey levels (root mean square over 8 x 8 places)."""

FLAT = 2.0
"""A small picture with a smaller standard deviation, in grey levels, shows nothing."""

_BITS, _NEAR_BITS, _ORDERS, _FOLLOWING = 256, 24, 16, 16
_COARSE = 8
_BLOCK_VALUES = 2**19
_PAIRS = 256
_SAMPLE, _NTH = 1500, 10
_GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)


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


def group(images: ByteArray, report: Callable[[float], None] | None = None) -> IntArray:
    """Return which images are the same picture, (n,) int32: the first row of each one's group.

    Args:
        images: (n, h, w, 1 or 3) uint8, read in blocks; may lie on disk.
        report: told the share that is done.
    """
    n = len(images)
    found = outline(images, report)
    shown = found.contrast >= FLAT
    _, first, same = np.unique(found.digests, return_index=True, return_inverse=True)
    groups: IntArray = np.where(shown, first[same.reshape(-1)], np.arange(n))
    limit = usual_difference(images, np.flatnonzero(shown & (groups == np.arange(n))))
    limit = min(MOST_DIFFERENT, SHARE_OF_USUAL * limit)
    groups = _with_near(images, found, groups, shown, limit)
    return groups.astype(np.int32)


def noted(folder: Path) -> IntArray:
    """Return `group` of a set's working copies, kept beside them from the first time on."""
    images = read_array(folder / "images.npy")
    file = folder / COPIES
    groups: IntArray
    if file.is_file() and len(groups := read_array(file)) == len(images):
        return groups
    groups = group(images)
    with suppress(LnlError):  # where nothing can be written they are found again
        write_array(file, groups)
    return groups


def summary(
    groups: IntArray,
    labels: IntArray,
    none: Sequence[int] = (),
    splits: IntArray | None = None,
) -> dict[str, int]:
    """Count copies; empty where nothing comes twice.

    Args:
        groups: (n,) first row of each image's group.
        labels: (n,) given labels.
        none: labels that are no classes.
        splits: (n,) place of each image's split, -1 for none; None where there are none.

    Returns:
        `pictures` that come more than once, their `images` in all, the pictures with
        `different_labels`, and those in several splits (`across_splits`).
    """
    groups = np.asarray(groups)
    times = np.bincount(groups, minlength=1)
    if not (times > 1).any():
        return {}
    across = np.zeros(0, np.int64) if splits is None else review.differing(groups, splits, [-1])
    differing = review.differing(groups, labels, none)
    return {
        "pictures": int((times > 1).sum()),
        "images": int(times[times > 1].sum()),
        "different_labels": len(np.unique(groups[differing])),
        "across_splits": len(np.unique(groups[across])),
    }


def notes(counted: Mapping[str, int], waiting: int | None = None) -> list[str]:
    """Say what `summary` counted, a sentence each.

    Args:
        counted: see `summary`.
        waiting: pictures with different labels of which an image has no answer; None: all.
    """
    if not counted:
        return []
    pictures = "picture comes" if counted["pictures"] == 1 else "pictures come"
    found = (
        f"{counted['pictures']:,} {pictures} more than once, {counted['images']:,} images in all"
    )
    if differing := counted["different_labels"]:
        found += (
            f"; {differing:,} of them with different labels, at least one of which is wrong: "
            f"{_order(differing, waiting)}"
        )
    said = [f"{found}."]
    if across := counted["across_splits"]:
        pictures = "picture is" if across == 1 else "pictures are"
        said.append(
            f"{across:,} {pictures} in more than one split: a model that is tested there has seen "
            "the answer."
        )
    return said


def _order(differing: int, waiting: int | None) -> str:
    if waiting == 0:
        return "all of them are answered"
    if waiting is None or waiting >= differing:
        return "they come first in the queue"
    return f"{waiting:,} of these have images without an answer, which come first in the queue"


def outline(images: ByteArray, report: Callable[[float], None] | None = None) -> Outline:
    """Read every image once.

    Args:
        images: (n, h, w, c) uint8.
        report: told the share that is done.
    """
    n = len(images)
    codes = np.zeros((n, _BITS // 64), dtype=np.uint64)
    contrast = np.zeros(n, dtype=np.float32)
    digests = np.zeros(n, dtype="V16")
    for rows in _blocks(images):
        block = np.ascontiguousarray(images[rows])
        small = _grey(block, SIDE)
        contrast[rows] = small.std(axis=(1, 2))
        codes[rows] = _codes(small)
        digests[rows] = [hashlib.blake2b(one, digest_size=16).digest() for one in block]
        if report is not None:
            report(rows.stop / n)
    return Outline(codes, contrast, digests)


def usual_difference(images: ByteArray, rows: IntArray) -> float:
    """Return how much the tenth most like picture of a sample differs, the median over it.

    The tenth, and of what is surely copied one alone: a set in which every picture comes eight
    times, or one picture a thousand times, says about the same as one without copies.

    Args:
        images: (n, h, w, c) uint8.
        rows: those to draw from.
    """
    if len(rows) > _SAMPLE:
        rows = np.sort(np.random.default_rng(0).choice(rows, _SAMPLE, replace=False))
    if len(rows) <= _NTH:
        return np.inf
    centred = _centred(_grey(np.ascontiguousarray(images[rows]), SIDE))
    power = np.square(centred).mean(axis=1)
    apart = power[:, None] + power - 2 * (centred @ centred.T) / centred.shape[1]
    apart /= np.maximum(np.minimum(power[:, None], power), 1e-6)
    once = (apart <= SURELY_COPIED).argmax(axis=1) == np.arange(len(rows))
    apart = apart[np.ix_(once, once)]
    if len(apart) <= _NTH:
        return np.inf
    return float(np.median(np.partition(apart, _NTH, axis=1)[:, _NTH]))  # the row itself is first


def agree(images: ByteArray, one: IntArray, other: IntArray, limit: float) -> Array:
    """Tell which pairs show the same picture, (b,) bool.

    Args:
        images: (n, h, w, c) uint8.
        one, other: (b,) rows.
        limit: most that a pair may differ by, as `MOST_DIFFERENT` says.
    """
    left, right = np.ascontiguousarray(images[one]), np.ascontiguousarray(images[other])
    same: Array = _difference(left, right, SIDE) <= limit
    left, right = left[same], right[same]
    fine = _difference(left, right, FINE_SIDE) <= FINE_FACTOR * limit
    if images.shape[3] == 3:
        apart = np.square(_colours(left) - _colours(right)).mean(axis=(1, 2, 3))
        fine &= apart <= COLOUR**2
    same[same] = fine
    return same


def _with_near(
    images: ByteArray, found: Outline, groups: IntArray, shown: Array, limit: float
) -> IntArray:
    """Join the groups of exact copies whose pictures agree, (n,) first rows."""
    rows = np.flatnonzero(shown & (groups == np.arange(len(groups))))
    pairs = [np.zeros((0, 2), dtype=np.int64)]
    for one, other in _near_pairs(found.codes, rows):
        for part in range(0, len(one), _PAIRS):
            left, right = one[part : part + _PAIRS], other[part : part + _PAIRS]
            same = agree(images, left, right, limit)
            pairs.append(np.stack([left[same], right[same]], axis=1))
    joined = _components(np.concatenate(pairs), len(groups))
    joined = _apart(images, joined, limit)
    result: IntArray = joined[groups]
    return result


def _near_pairs(codes: Array, rows: IntArray) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (one, other) rows with near codes, each pair once."""
    words = codes[rows]
    known = np.zeros(0, dtype=np.int64)
    for start in range(_ORDERS):
        order = np.argsort(_from_bit(words, start * (_BITS // _ORDERS)), kind="stable")
        ordered = words[order]
        new = []
        for step in range(1, min(_FOLLOWING, len(rows) - 1) + 1):
            bits = np.bitwise_count(ordered[:-step] ^ ordered[step:]).sum(axis=1, dtype=np.int64)
            at = np.flatnonzero(bits <= _NEAR_BITS)
            low, high = (
                np.minimum(order[at], order[at + step]),
                np.maximum(order[at], order[at + step]),
            )
            new.append(low * len(rows) + high)
        if not new:
            return
        fresh = np.setdiff1d(np.concatenate(new), known)
        known = np.union1d(known, fresh)
        yield rows[fresh // len(rows)], rows[fresh % len(rows)]


def _from_bit(words: Array, bit: int) -> Array:
    """Return 64 bits of each code from `bit` on, around the end, (n,) uint64."""
    at, shift = divmod(bit, 64)
    here, following = words[:, at], words[:, (at + 1) % words.shape[1]]
    if not shift:
        return here.copy()
    result: Array = (here << np.uint64(shift)) | (following >> np.uint64(64 - shift))
    return result


def _components(pairs: IntArray, n: int) -> IntArray:
    """Return the first row of what each row is joined to, (n,)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, part = connected_components(links, directed=False)
    _, first = np.unique(part, return_index=True)
    groups: IntArray = first[part]
    return groups


def _apart(images: ByteArray, groups: IntArray, limit: float) -> IntArray:
    """Part what only a chain of small steps has joined: all of a group agree with its first."""
    groups = groups.copy()
    open_rows = np.flatnonzero(groups != np.arange(len(groups)))
    while len(open_rows):
        wrong = []
        for start in range(0, len(open_rows), _PAIRS):
            part = open_rows[start : start + _PAIRS]
            wrong.append(part[~agree(images, groups[part], part, 2 * limit)])
        parted = np.concatenate(wrong)
        _, first, place = np.unique(groups[parted], return_index=True, return_inverse=True)
        groups[parted] = parted[first[place.reshape(-1)]]
        open_rows = parted[groups[parted] != parted]
    return groups


def _blocks(images: ByteArray) -> Iterator[slice]:
    size = max(1, _BLOCK_VALUES // max(1, int(np.prod(images.shape[1:]))))
    for start in range(0, len(images), size):
        yield slice(start, min(start + size, len(images)))


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
    return np.random.default_rng(1).standard_normal((size, _BITS)).astype(np.float32)


@lru_cache(maxsize=16)
def _cosines(size: int) -> FloatArray:
    """Return the first cosines of a discrete cosine transform, (<= 8, size) float32."""
    frequency = np.arange(min(_COARSE, size))[:, None]
    angles = np.pi * frequency * (np.arange(size) + 0.5) / size
    rows: FloatArray = (np.cos(angles) * np.sqrt(2 / size)).astype(np.float32)
    return rows


def _difference(left: ByteArray, right: ByteArray, side: int) -> FloatArray:
    """Return (b,) mean squared difference over the lesser variance, brightness left out."""
    one, other = _centred(_grey(left, side)), _centred(_grey(right, side))
    power = np.minimum(np.square(one).mean(axis=1), np.square(other).mean(axis=1))
    apart: FloatArray = np.square(one - other).mean(axis=1) / np.maximum(power, 1e-6)
    return apart


def _centred(small: FloatArray) -> FloatArray:
    flat = small.reshape(len(small), small.shape[1] * small.shape[2])
    result: FloatArray = flat - flat.mean(axis=1, keepdims=True)
    return result


def _grey(block: ByteArray, side: int) -> FloatArray:
    """Return (b, <= side, <= side) float32 grey means."""
    small = _shrunk(block, side)
    grey: FloatArray = small @ _GREY if small.shape[3] == 3 else small[:, :, :, 0]
    return grey


def _colours(block: ByteArray) -> FloatArray:
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
