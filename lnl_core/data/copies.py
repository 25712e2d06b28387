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

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from lnl_core.data.outlines import BITS, SIDE, Outline, Pictures, colours, extended, grey
from lnl_core.data.outlines import outline as outline
from lnl_core.data.outlines import outlined as outlined
from lnl_core.review import copies as review
from lnl_core.store import datasets
from lnl_core.store.arrays import read_array, write_array
from lnl_core.store.datasets import COPIES
from lnl_core.types import Array, ByteArray, DatasetInfo, FloatArray, IntArray, LnlError

RULE = 2
"""Number of the rules by which copies are found, kept with what was counted: 1 had none."""

SHARE_OF_USUAL = 0.015
"""A copy differs by at most this share of what the set's like pictures differ by."""

MOST_DIFFERENT = 0.02
"""And by at most this much in any set: mean squared difference over the lesser variance."""

FINE_SIDE, FINE_FACTOR = 64, 16.0
"""In more detail, encoding costs more: the difference allowed at `FINE_SIDE`, times this."""

LOCAL = ((80.0, 12.0), (50.0, 45.0))
"""(peak, grey levels): what differs by more in one place, and little elsewhere, is a detail.

The peak is the greatest squared difference over the mean of all 256. Storing a picture anew spreads
what it changes; a stroke that is there or not stands in a few places.
"""

SURELY_COPIED = 0.003
"""So near are no two different pictures, not even digits of 8 x 8 pixels."""

COLOUR = 6.0
"""Most that colours may differ by, in grey levels (root mean square over 8 x 8 places)."""

FLAT = 2.0
"""A small picture with a smaller standard deviation, in grey levels, shows nothing."""

_NEAR_BITS, _ORDERS, _FOLLOWING = 24, 16, 16
_PAIRS = 256
_SAMPLE, _NTH = 1500, 10


def group(
    images: Pictures,
    report: Callable[[float], None] | None = None,
    known: Outline | None = None,
) -> IntArray:
    """Return which images are the same picture, (n,) int32: the first row of each one's group.

    Args:
        images: (n, h, w, 1 or 3) uint8, read in blocks; may lie on disk.
        report: told the share that is done.
        known: `outline` of all of them, or of the first ones: those are read only where they may
            be copies.
    """
    n = len(images)
    found = (
        known if known is not None and len(known.codes) == n else extended(images, known, report)
    )
    shown = found.contrast >= FLAT
    _, first, same = np.unique(found.digests, return_index=True, return_inverse=True)
    groups: IntArray = np.where(shown, first[same.reshape(-1)], np.arange(n))
    limit = usual_difference(images, np.flatnonzero(shown & (groups == np.arange(n))))
    limit = min(MOST_DIFFERENT, SHARE_OF_USUAL * limit)
    groups = _with_near(images, found, groups, shown, limit)
    return groups.astype(np.int32)


def noted(folder: Path, known: Outline | None = None) -> IntArray:
    """Return `group` of a set's working copies, kept beside them from the first time on.

    Args:
        folder: of the set's arrays.
        known: `outline` of the first images, where a set has grown.
    """
    images = read_array(folder / "images.npy")
    file = folder / COPIES
    groups: IntArray
    if file.is_file() and len(groups := read_array(file)) == len(images):
        return groups
    groups = group(images, known=outlined(folder, known))
    with suppress(LnlError):  # where nothing can be written they are found again
        write_array(file, groups)
    return groups


def noted_of(info: DatasetInfo) -> IntArray:
    """Return `noted` of a data set; by which rules they were found now is kept with its facts."""
    anew = datasets.copies(info) is None
    groups = noted(info.arrays)
    if anew:
        with suppress(LnlError):  # where nothing can be written they are found again
            datasets.update_meta(info, **{datasets.COPIES_FOUND: {"rule": RULE}})
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


ABOUT = re.compile(r"[\d,]+ pictures? (comes? more than once|(is|are) in more than one split)")
"""How the sentences of `notes` begin: sets from before keep those of the import in their notes."""


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


def usual_difference(images: Pictures, rows: IntArray) -> float:
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
    centred = _centred(grey(np.ascontiguousarray(images[rows]), SIDE))
    power = np.square(centred).mean(axis=1)
    apart = power[:, None] + power - 2 * (centred @ centred.T) / centred.shape[1]
    apart /= np.maximum(np.minimum(power[:, None], power), 1e-6)
    once = (apart <= SURELY_COPIED).argmax(axis=1) == np.arange(len(rows))
    apart = apart[np.ix_(once, once)]
    if len(apart) <= _NTH:
        return np.inf
    return float(np.median(np.partition(apart, _NTH, axis=1)[:, _NTH]))  # the row itself is first


def agree(images: Pictures, one: IntArray, other: IntArray, limit: float) -> Array:
    """Tell which pairs show the same picture, (b,) bool.

    Args:
        images: (n, h, w, c) uint8.
        one, other: (b,) rows.
        limit: most that a pair may differ by, as `MOST_DIFFERENT` says.
    """
    left, right = np.ascontiguousarray(images[one]), np.ascontiguousarray(images[other])
    same: Array = (_difference(left, right, SIDE) <= limit) & ~_has_detail(left, right)
    left, right = left[same], right[same]
    fine = _difference(left, right, FINE_SIDE) <= FINE_FACTOR * limit
    if images.shape[3] == 3:
        apart = np.square(colours(left) - colours(right)).mean(axis=(1, 2, 3))
        fine &= apart <= COLOUR**2
    same[same] = fine
    return same


def _with_near(
    images: Pictures, found: Outline, groups: IntArray, shown: Array, limit: float
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
        order = np.argsort(_from_bit(words, start * (BITS // _ORDERS)), kind="stable")
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


def _apart(images: Pictures, groups: IntArray, limit: float) -> IntArray:
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


def _difference(left: ByteArray, right: ByteArray, side: int) -> FloatArray:
    """Return (b,) mean squared difference over the lesser variance, brightness left out."""
    one, other = _centred(grey(left, side)), _centred(grey(right, side))
    power = np.minimum(np.square(one).mean(axis=1), np.square(other).mean(axis=1))
    apart: FloatArray = np.square(one - other).mean(axis=1) / np.maximum(power, 1e-6)
    return apart


def _has_detail(left: ByteArray, right: ByteArray) -> Array:
    """Tell which pairs differ in one place alone, (b,) bool: a stroke, a label, an eye."""
    apart = np.square(_centred(grey(left, SIDE)) - _centred(grey(right, SIDE)))
    most, mean = apart.max(axis=1), apart.mean(axis=1)
    found: Array = np.zeros(len(apart), dtype=bool)
    for peak, levels in LOCAL:
        found |= (most > levels**2) & (most > peak * mean)
    return found


def _centred(small: FloatArray) -> FloatArray:
    flat = small.reshape(len(small), small.shape[1] * small.shape[2])
    result: FloatArray = flat - flat.mean(axis=1, keepdims=True)
    return result
