"""Selections of images, stored beside the set under a short name that a link can hold."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.store import arrays
from lnl_core.types import DatasetInfo, IntArray, LnlError

_ID = re.compile(r"[0-9a-f]{12}")


def keep_selection(info: DatasetInfo, rows: IntArray) -> str:
    """Store a selection beside the set and return its short name; the same rows have one name.

    Raises:
        LnlError: nothing is selected, or the disk is full.
    """
    if not len(rows):
        raise LnlError("No image is selected. Draw a loop around some.")
    kept = np.unique(rows).astype("<i4")
    told = f"{info.version}\0{info.n}\0".encode() + kept.tobytes()
    name = hashlib.blake2b(told, digest_size=6).hexdigest()
    path = info.directory / "selections" / f"{name}.npy"
    if not path.is_file():
        arrays.write_array(path, kept)
    return name


@lru_cache(maxsize=8)
def _selection(path: Path) -> IntArray:
    return arrays.read_array(path, mmap=False)


def selection_rows(info: DatasetInfo, selection: str) -> IntArray:
    """Return the rows of a stored selection, rising; none where there is none of this name."""
    path = info.directory / "selections" / f"{selection}.npy"
    if not _ID.fullmatch(selection) or not path.is_file():
        return np.zeros(0, dtype=np.int64)
    rows = _selection(path)
    return rows[rows < info.n]
