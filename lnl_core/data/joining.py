"""The arrays of a set that grows: those of its rows, then those of the rows that are new to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnl_core.store import arrays, datasets
from lnl_core.types import ByteArray, IntArray

_BLOCK = 2**22


class Joined:
    """Working copies of a set and those that would come to it, as one array; nothing is copied."""

    def __init__(self, old: ByteArray, new: ByteArray, rows: IntArray) -> None:
        self._old, self._new, self._rows = old, new, rows

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return (len(self), *self._old.shape[1:])

    def __len__(self) -> int:
        return len(self._old) + len(self._rows)

    def __getitem__(self, rows: slice | IntArray) -> ByteArray:
        at = np.arange(*rows.indices(len(self))) if isinstance(rows, slice) else np.asarray(rows)
        n = len(self._old)
        out = np.empty((len(at), *self.shape[1:]), np.uint8)
        out[at < n] = self._old[at[at < n]]
        out[at >= n] = self._new[self._rows[at[at >= n] - n]]
        return out


def write_images(folder: Path, old: ByteArray, new: ByteArray, rows: IntArray) -> None:
    """Write all working copies, in blocks.

    Args:
        folder: where to.
        old: (n, h, w, c) of the set.
        new: (m, h, w, c) that were read.
        rows: those of `new` that come in.
    """
    shape = (len(old) + len(rows), *old.shape[1:])
    out = arrays.new_array(folder / "images.npy", np.uint8, shape)
    step = max(1, _BLOCK // max(1, int(np.prod(shape[1:]))))
    for start in range(0, len(old), step):
        end = min(start + step, len(old))
        out[start:end] = old[start:end]
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        out[len(old) + start : len(old) + start + len(some)] = new[some]
    out.flush()


def write_truth(folder: Path, old: Path, new: Path, rows: IntArray, number: IntArray) -> None:
    """Write the right classes that are known; known of all, or judged for some.

    Args:
        folder: where to.
        old: folder of the set's arrays.
        new: folder of those that were read.
        rows: rows of the latter that come in.
        number: (k',) their labels as numbers of the set, -1 where there is none.
    """
    every = np.arange(1 + int(max(number.max(initial=0), _known(old).max(initial=0))))
    truth = np.concatenate(
        [_in_numbers(_known(old), every), _in_numbers(_known(new), number)[rows]]
    )
    if (truth >= 0).any():
        name = datasets.JUDGED_LABELS if (truth < 0).any() else datasets.TRUE_LABELS
        arrays.write_array(folder / name, truth.astype(np.int32))


def _in_numbers(known: IntArray, number: IntArray) -> IntArray:
    renumbered: IntArray = np.where(known >= 0, number[np.maximum(known, 0)], -1)
    return renumbered


def _known(folder: Path) -> IntArray:
    """Return (n,) the right class where it is known, -1 elsewhere."""
    for name in (datasets.TRUE_LABELS, datasets.JUDGED_LABELS):
        if (folder / name).is_file():
            return np.asarray(arrays.read_array(folder / name), np.int64)
    return np.full(len(arrays.read_array(folder / "given_labels.npy")), -1, np.int64)
