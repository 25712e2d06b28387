"""How well runs find wrong labels in large sets: one sort a run, and what came of it is kept.

Where the truth of every image is known, `comparison.detect` sorts a run four times. Here one sort
of whole numbers does, with the same result to the last digit but rounding. Results lie beside the
set under names made of what went into them, so that none goes stale.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.review import comparison
from lnl_core.review.comparison import Detection, Sample
from lnl_core.store import arrays
from lnl_core.types import (
    Array,
    BoolArray,
    DatasetInfo,
    FloatArray,
    IntArray,
    LnlError,
)

FORM = "1"
"""Changes when a kept result would be read or computed differently."""

_BUSY: dict[str, threading.Lock] = {}


def stamp(path: Path) -> str:
    """Return what tells a file from a later one of the same name; empty where there is none."""
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{status.st_mtime_ns}-{status.st_size}"


def kept(info: DatasetInfo, inputs: tuple[object, ...], make: Callable[[], Any]) -> Any:
    """Return what `make` returns, from the disk where it was made of the same before.

    Args:
        info: the data set; results lie in its folder `comparison`.
        inputs: all that the result depends on, beside the set's own version.
        make: returns what JSON can hold.
    """
    name = hashlib.blake2b(
        "\0".join((FORM, info.version, *(str(each) for each in inputs))).encode(), digest_size=10
    ).hexdigest()
    path = info.directory / "comparison" / f"{name}.json"
    with _BUSY.setdefault(name, threading.Lock()):  # a page drawn again meanwhile waits
        with suppress(LnlError):  # damaged, or not there: worked out again
            return arrays.read_json(path, object)
        value = make()
        with suppress(LnlError, OSError):  # a full disk, another process: computed again next time
            arrays.write_json(path, value)
    return value


def as_json(detection: Detection | None) -> dict[str, Any] | None:
    """Return a detection as JSON holds it."""
    if detection is None:
        return None
    return {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in asdict(detection).items()
    }


def from_json(value: dict[str, Any] | None) -> Detection | None:
    """Return the detection that `as_json` wrote."""
    if value is None:
        return None
    lists = {name: np.array(part, np.float64) for name, part in value.items() if _many(part)}
    return Detection(**(value | lists))


def _many(value: object) -> bool:
    return isinstance(value, list)


def detect(score: Array, sample: Sample, counts: IntArray) -> Detection | None:
    """Measure a score as `comparison.detect` does; fast where every image's truth is known.

    Args:
        score: (n,) of the whole set, in [0, 1]; larger is more suspicious.
        sample: what is known.
        counts: (b, m) of `comparison.resamples`.
    """
    values = np.asarray(score)
    whole = len(sample.rows) == sample.size and bool(sample.drawn.all())
    if not whole or not sample.wrong.any() or not (sample.weight == 1).all():
        return comparison.detect(values, sample, counts)
    order, ordered = _falling(values[sample.rows])
    hit = sample.wrong[order]
    m = len(order)
    hits_so_far = np.cumsum(hit, dtype=np.float64)
    precision = hits_so_far / np.arange(1, m + 1)
    total = float(hits_so_far[-1])
    ap = _average(hit, ordered)
    place = np.empty(m, np.int64)
    place[order] = np.arange(1, m + 1)
    most = int(np.searchsorted(hits_so_far, 0.8 * total - 1e-9))
    shown = comparison.thinned(m)
    return Detection(
        depth=np.r_[0, shown + 1].astype(np.float64),
        found=np.r_[0, hits_so_far[shown]],
        precision=np.r_[np.nan, precision[shown]],
        total=total,
        size=sample.size,
        ap=ap,
        resampled=comparison.resampled(sample, place, counts, ap),
        at_total=float(precision[max(1, round(total)) - 1]),
        first_fifth=float(hits_so_far[max(1, round(0.2 * m)) - 1]) / total,
        to_most=min(most, m - 1) + 1,
    )


def _falling(values: Array) -> tuple[IntArray, Array]:
    """Return the order, most suspicious first, and numbers in that order, equal where scores are.

    Bits of floats that are not negative rise with them, so one whole number can hold a score of
    32 bits above the place in the random order that breaks ties: these sort fastest.
    """
    shuffled = _shuffled(len(values))
    mixed = values[shuffled]
    if mixed.dtype != np.float32 or float(mixed.min()) < 0:
        place = np.argsort(-mixed.astype(np.float64), kind="stable")
        return shuffled[place], mixed[place]
    most = np.uint64(0xFFFFFFFF)
    keys = (most - (mixed + np.float32(0)).view(np.uint32)) << np.uint64(32)  # -0 becomes 0
    keys |= np.arange(len(keys), dtype=np.uint64)
    keys.sort()
    return shuffled[(keys & most).astype(np.int64)], (keys >> np.uint64(32)).astype(np.uint32)


@lru_cache(maxsize=1)
def _shuffled(m: int) -> IntArray:
    """Return the order inside ties, the one of `comparison.detect`."""
    return np.random.default_rng(0).permutation(m)


def _average(hit: BoolArray, ordered: Array) -> float:
    """Return the average precision of sorted rows; ties by their expectation, as in `metrics`."""
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    size = np.diff(starts, append=len(ordered))
    inside = np.add.reduceat(hit.astype(np.float64), starts)
    before = np.cumsum(inside) - inside
    some = inside > 0  # ties without a wrong label add nothing
    starts, size, inside, before = starts[some], size[some], inside[some], before[some]
    place = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    slope = np.repeat((inside - 1) / np.maximum(size - 1, 1), size)
    precision = (np.repeat(before, size) + 1 + place * slope) / (
        np.repeat(starts, size) + place + 1
    )
    weight: FloatArray = np.repeat(inside / size, size)
    return float((weight * precision).sum() / inside.sum())
