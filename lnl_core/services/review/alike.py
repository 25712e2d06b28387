"""Images like one image, by the features that are there: the nearest of all, and of one class."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.services.in_force import Scored, loaded
from lnl_core.store import arrays
from lnl_core.types import DatasetInfo, FloatArray, IntArray

SEARCHED = 20_000
"""Neighbours are looked for among at most this many rows; larger classes are thinned evenly."""

BLOCK = 1024
"""Rows compared in one go: few enough that other threads of the server are not held up."""

OF_A_CLASS = 5


@lru_cache(maxsize=8)
def _open_features(path: Path, _modified: int) -> FloatArray:
    return arrays.read_array(path)


def newest(info: DatasetInfo) -> tuple[Path, int] | None:
    """Return the file of the newest features of the set and its time; None before there are any."""
    files = [
        (path.stat().st_mtime_ns, path)
        for path in (info.directory / "features").glob("*/features.npy")
    ]
    for modified, path in sorted(files, reverse=True):
        if len(_open_features(path, modified)) == info.n:
            return path, modified
    return None


def features_of(info: DatasetInfo) -> FloatArray | None:
    """Open the newest features of the set, (n, d), or None before there are any."""
    found = newest(info)
    return None if found is None else _open_features(*found)


def nearest(features: FloatArray, row: int, rows: IntArray, count: int) -> list[int]:
    """Return the `count` of `rows` whose features, (n, d), point most nearly the way of `row`'s."""
    rows = rows[rows != row]
    if len(rows) > SEARCHED:
        rows = rows[np.linspace(0, len(rows) - 1, SEARCHED).astype(np.int64)]
    query = np.asarray(features[row], dtype=np.float32)  # (d,)
    cosine = np.empty(len(rows), dtype=np.float32)
    for start in range(0, len(rows), BLOCK):
        block = np.asarray(features[rows[start : start + BLOCK]], dtype=np.float32)  # (b, d)
        length = np.sqrt(np.einsum("bd,bd->b", block, block))
        cosine[start : start + BLOCK] = block @ query / np.maximum(length, 1e-12)
    best = np.argsort(-cosine, kind="stable")[:count]
    return [int(other) for other in rows[best]]


def nearest_of(
    info: DatasetInfo, ranked: Scored, features: FloatArray | None, row: int, label: int
) -> list[int]:
    """Return the images of a class that look most like this one, doubtful ones left out."""
    if label < 0:
        return []
    rows = _class_rows(ranked, info, label)
    if features is None:
        return [int(other) for other in rows[:OF_A_CLASS] if other != row]
    return nearest(features, row, rows, OF_A_CLASS)


@lru_cache(maxsize=1024)
def _class_rows(ranked: Scored, info: DatasetInfo, label: int) -> IntArray:
    rows = np.flatnonzero(np.asarray(loaded(info).given_labels) == label)
    doubtful = np.asarray(ranked.ranking.p_wrong)[rows] >= 0.5
    kept: IntArray = rows[~doubtful] if (~doubtful).sum() >= OF_A_CLASS else rows
    return kept
