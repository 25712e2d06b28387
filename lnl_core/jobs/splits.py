"""Splits of a run: what it trains on, what it judges, and scores of rows that it did not train on.

One mechanism for every method: it sees the rows that are trained on, as a data set of their own
(`review.labelled.Part`). What is judged and was not trained on is scored by what it has learned: by
its network where it kept one, else by a regression of its probabilities on the features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from lnl_core.review.labelled import Part
from lnl_core.store import arrays, datasets
from lnl_core.types import BoolArray, DatasetInfo, FloatArray, IntArray, LnlError, Signals, TopProbs

TRAINED = "train_rows.npy"
JUDGED = "judged_rows.npy"
"""In a run's folder: (n,) bool; missing where it trained on, or judged, all of the set."""


HELD = "held_rows.npy"
"""In a run's folder: (n,) bool, drawn at random and answered, and not told to the run."""

HOLD = "hold"
"""Key of a run's record that says that such rows are held out."""


def chosen(
    info: DatasetInfo,
    train_on: Sequence[str] = (),
    judge: Sequence[str] = (),
    *,
    hold: bool = False,
) -> dict[str, list[str]]:
    """Return the splits of a run as its record keeps them; none for all of the set.

    With `hold`, the record says as well that answers to randomly drawn images are held out.

    Raises:
        LnlError: the set has no such split, or no labelled image is in those to train on.
    """
    held = {HOLD: ["audit"]} if hold else {}
    if not train_on and not judge:
        return held
    known = datasets.splits(info)
    if known is None:
        raise LnlError(f"“{info.name}” has no splits: every image is trained on and judged.")
    for name in (*train_on, *judge):
        if name not in known[0]:
            raise LnlError(
                f"“{info.name}” has no split “{name[:40]}”. Its splits: {', '.join(known[0])}."
            )
    said = {"train_on": list(dict.fromkeys(train_on)), "judge": list(dict.fromkeys(judge))}
    if train_on:
        given = np.asarray(datasets.load(info).given_labels)
        labels = np.unique(given[rows_in(info, train_on) & ~np.isin(given, info.no_classes)])
        if len(labels) < 2:
            raise LnlError(
                f"Images of fewer than two classes are in {', '.join(train_on)}: nothing can be "
                "learned from them. Train on more splits."
            )
    return {key: names for key, names in said.items() if names} | held


def rows_in(info: DatasetInfo, names: Sequence[str]) -> BoolArray:
    """Return (n,) True for the images of some splits."""
    known = datasets.splits(info)
    if known is None:
        return np.zeros(info.n, bool)
    mask: BoolArray = np.isin(known[1], [at for at, name in enumerate(known[0]) if name in names])
    return mask


def note(info: DatasetInfo, folder: Path, splits: Mapping[str, Sequence[str]]) -> None:
    """Keep in a run's folder which rows it trains on and judges, as of its first start."""
    for key, file in (("train_on", TRAINED), ("judge", JUDGED)):
        if splits.get(key):
            arrays.write_array(folder / file, rows_in(info, splits[key]))


def trained_rows(folder: Path) -> BoolArray | None:
    """Return the rows that a run trains on; None for all."""
    path = folder / TRAINED
    return np.asarray(arrays.read_array(path)) if path.is_file() else None


def judged_rows(folder: Path, n: int) -> BoolArray | None:
    """Return (n,) True for the rows whose labels a run judges; None for all that it has seen."""
    path = folder / JUDGED
    if not path.is_file():
        return None
    mask = np.zeros(n, bool)
    kept = np.asarray(arrays.read_array(path))[:n]
    mask[: len(kept)] = kept
    return mask


def judged(
    signals: Signals,
    labels: IntArray,
    part: Part,
    folder: Path,
    by_network: FloatArray | None = None,
) -> Signals:
    """Score what is judged and was not trained on; take what is not judged out of suspicion.

    Args:
        signals: about all rows, put back by `Part.outside`.
        labels: (n,) under review.
        part: rows that were trained on.
        folder: of the run; what it judges shrinks by labels that no trained image has.
        by_network: (m, k') probabilities of the rows outside the part, by the run's own network.
    """
    trained = trained_rows(folder)
    rows = judged_rows(folder, part.n)
    rows = np.ones(part.n, bool) if rows is None else rows
    if trained is not None:
        known = np.isin(labels, np.unique(labels[part.rows]))
        rows &= part.inner | (known & np.isin(labels, part.classes) & ~_inside(trained, part.n))
        signals = _scored(signals, labels, part, rows, by_network)
    arrays.write_array(folder / JUDGED, rows)
    return replace(signals, suspicion=np.where(rows, signals.suspicion, 0.0))


def _inside(trained: BoolArray, n: int) -> BoolArray:
    mask = np.zeros(n, bool)
    mask[: len(trained)] = trained[:n]
    return mask


def _scored(
    signals: Signals,
    labels: IntArray,
    part: Part,
    rows: BoolArray,
    by_network: FloatArray | None,
) -> Signals:
    """Give rows outside the part the suspicion that their probabilities say."""
    probs = signals.pred_probs
    if probs is None:
        raise LnlError("This method gives no probabilities, so it judges only what it trains on.")
    if by_network is not None and not isinstance(probs, TopProbs):
        wide = np.array(probs)
        wide[part.others] = 0
        wide[np.ix_(part.others, part.classes)] = by_network
        probs = wide
        signals = replace(signals, pred_probs=wide)
    outside = np.flatnonzero(rows & ~part.inner)
    suspicion = np.array(signals.suspicion)
    for some in np.array_split(outside, -(-len(outside) // 8192) or 1):
        dense = probs.dense(some) if isinstance(probs, TopProbs) else np.asarray(probs[some])
        suspicion[some] = np.clip(1 - dense[np.arange(len(some)), labels[some]], 0, 1)
    return replace(signals, suspicion=suspicion)


def judged_by_any(runs: Path, numbers: Sequence[int], n: int) -> BoolArray | None:
    """Return (n,) True where one of the runs judges; None where one judges all that it saw."""
    masks = [judged_rows(runs / str(number), n) for number in numbers]
    known = [mask for mask in masks if mask is not None]
    if not known or len(known) < len(masks):
        return None
    together: BoolArray = np.logical_or.reduce(known)
    return together
