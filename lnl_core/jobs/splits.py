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
        signals = _scored(signals, labels, part, rows, by_network, _told(folder, part.n))
    arrays.write_array(folder / JUDGED, rows)
    return replace(signals, suspicion=np.where(rows, signals.suspicion, 0.0))


def _inside(trained: BoolArray, n: int) -> BoolArray:
    mask = np.zeros(n, bool)
    mask[: len(trained)] = trained[:n]
    return mask


def _told(folder: Path, n: int) -> BoolArray | None:
    """Return (n,) True where a run was told the answer: no suspicion of its own stands there."""
    path = folder / "trusted.npy"
    return _inside(np.asarray(arrays.read_array(path)), n) if path.is_file() else None


def _scored(
    signals: Signals,
    labels: IntArray,
    part: Part,
    rows: BoolArray,
    by_network: FloatArray | None,
    told: BoolArray | None,
) -> Signals:
    """Give rows outside the part the suspicion that their probabilities say, on one scale."""
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
    doubt, suspicion = _doubt(probs, labels), np.array(signals.suspicion)
    inside = part.rows if told is None else part.rows[~told[part.rows]]
    suspicion[outside] = _as_inside(doubt[outside], doubt[inside], suspicion[inside])
    return replace(signals, suspicion=suspicion)


def _doubt(probs: FloatArray | TopProbs, labels: IntArray) -> FloatArray:
    """Return (n,) 1 - the probability of each label."""
    doubt = np.zeros(len(labels))
    for some in np.array_split(np.arange(len(labels)), -(-len(labels) // 8192) or 1):
        dense = probs.dense(some) if isinstance(probs, TopProbs) else np.asarray(probs[some])
        doubt[some] = np.clip(1 - dense[np.arange(len(some)), labels[some]], 0, 1)
    return doubt


STEPS = 20
"""Groups of equal size in which a method's own scale is read off what it trained on."""


def _as_inside(doubt: FloatArray, known: FloatArray, suspicion: FloatArray) -> FloatArray:
    """Return suspicion of doubts, on the scale that a method itself has for such doubts.

    A method's suspicion may be no 1 - p: an order, a margin, a share of the most that p can be.
    So it is read off the rows inside: the mean suspicion of groups by doubt, made to rise, and
    straight between them. Where suspicion is 1 - p inside, it is that outside.

    Args:
        doubt: (m,) 1 - p of the rows outside.
        known: (n',) the same of the rows inside.
        suspicion: (n',) of the rows inside, as the method has it.
    """
    if not len(known) or np.abs(known - suspicion).max() < 1e-4:
        return doubt
    groups = np.array_split(np.argsort(known, kind="stable"), min(STEPS, len(known)))
    at = np.array([known[some].mean() for some in groups])
    mean = np.maximum.accumulate([suspicion[some].mean() for some in groups])
    at = np.maximum.accumulate(np.concatenate([[0.0], at, [1.0]]))
    own = np.concatenate([[suspicion.min()], mean, [max(mean[-1], suspicion.max())]])
    first = np.concatenate([[True], np.diff(at) > 1e-9])
    first[-1] = True
    scaled: FloatArray = np.clip(np.interp(doubt, at[first], own[first]), 0, 1)
    return scaled


def judged_by_any(runs: Path, numbers: Sequence[int], n: int) -> BoolArray | None:
    """Return (n,) True where one of the runs judges; None where one judges all that it saw."""
    masks = [judged_rows(runs / str(number), n) for number in numbers]
    known = [mask for mask in masks if mask is not None]
    if not known or len(known) < len(masks):
        return None
    together: BoolArray = np.logical_or.reduce(known)
    return together
