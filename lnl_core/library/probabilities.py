"""Label errors from probabilities that somebody's own models gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.library import table
from lnl_core.review import consensus
from lnl_core.review.probabilities import signals_of
from lnl_core.types import Array, BoolArray, FloatArray, IntArray, LnlError, Ranking, Signals

if TYPE_CHECKING:
    from pandas import DataFrame

OFF_BY = 0.02
"""How far a row may miss 1, for probabilities written with few digits or as float16."""


def find_label_errors(
    labels: Sequence[Any] | Array,
    pred_probs: Array,
    *,
    ranked: bool = False,
    class_names: Sequence[str] | None = None,
) -> BoolArray | IntArray:
    """Say which labels are more probably wrong than right.

    The call is that of `cleanlab.filter.find_label_issues`. Give probabilities of models that did
    not train on the row: a model that has learned a wrong label does not doubt it.

    Args:
        labels: (n,) given labels, numbers in 0..k-1, or names where `class_names` is given.
        pred_probs: (n, k) rows that sum to 1.
        ranked: return row numbers, most suspicious first, in place of a mask.
        class_names: (k,) names of the columns.

    Returns:
        (n,) bool, True where p_wrong is above one half; with `ranked` (m,) int.

    Raises:
        LnlError: shapes, labels or probabilities that do not do.
    """
    ranking = _ranked(labels, [("probabilities", pred_probs)], class_names)[0]
    wrong: BoolArray = np.asarray(ranking.p_wrong) > 0.5
    return ranking.order[wrong[ranking.order]] if ranked else wrong


def rank_probs(
    labels: Sequence[Any] | Array,
    pred_probs: Sequence[Array] | Mapping[str, Array],
    *,
    class_names: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
) -> DataFrame:
    """Pool several models' probabilities into one ranking.

    How much a model counts is read off what the models say of each other, so a broken one is left
    out and one that repeats another adds little.

    Args:
        labels: (n,) given labels, numbers in 0..k-1, or names where `class_names` is given.
        pred_probs: one array (n, k) per model, or name -> array.
        class_names: (k,) names of the columns; their numbers where None.
        ids: (n,) names of the images; their row numbers where None.

    Returns:
        A table as of `rank`.

    Raises:
        LnlError: no probabilities, or shapes, labels or values that do not do.
    """
    if isinstance(pred_probs, np.ndarray):
        raise LnlError("Give a list of arrays (n, k), one per model: [pred_probs].")
    named = (
        list(pred_probs.items())
        if isinstance(pred_probs, Mapping)
        else [(f"model_{at}", each) for at, each in enumerate(pred_probs, start=1)]
    )
    if not named:
        raise LnlError("There are no probabilities. Give at least one array (n, k).")
    ranking, signals, given, names = _ranked(labels, named, class_names)
    return table.of_ranking(ranking, signals, given, names, checked_ids(ids, len(given)))


def _ranked(
    labels: Sequence[Any] | Array,
    named: Sequence[tuple[str, Array]],
    class_names: Sequence[str] | None,
) -> tuple[Ranking, list[Signals], IntArray, tuple[str, ...]]:
    checked = [_probabilities(name, probs) for name, probs in named]
    n, k = checked[0].shape
    for (name, _), probs in zip(named, checked, strict=True):
        if probs.shape != (n, k):
            raise LnlError(
                f"{name} has the shape {probs.shape}, {named[0][0]} has {(n, k)}. Give all of "
                "them for the same images and classes."
            )
    names = tuple(map(str, range(k) if class_names is None else class_names))
    if len(names) != k or len(set(names)) != k:
        raise LnlError(f"There are {k} columns, so give {k} different class_names.")
    given = checked_labels(labels, names, by_name=class_names is not None)
    if len(given) != n:
        raise LnlError(f"There are {len(given)} labels and {n} rows of probabilities.")
    signals = [
        signals_of(name, probs, given) for (name, _), probs in zip(named, checked, strict=True)
    ]
    return consensus.rank(signals, given, k), signals, given, names


def _probabilities(name: str, probs: Array) -> FloatArray:
    """Return (n, k) probabilities whose rows sum to 1.

    Raises:
        LnlError: says what is wrong with which row.
    """
    values = np.asarray(probs)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise LnlError(f"{name} must be (n, k) with two classes or more, got {values.shape}.")
    if values.dtype.kind not in "fiub":
        raise LnlError(f"{name} must hold numbers, got {values.dtype}.")
    values = values.astype(np.float64)
    bad = ~np.isfinite(values).all(axis=1) | (values < -1e-6).any(axis=1)
    bad |= np.abs(values.sum(axis=1) - 1) > OFF_BY
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise LnlError(
            f"{name}: {int(bad.sum()):,} rows are no probabilities, first row {row}, which sums to "
            f"{values[row].sum():.3g}. Give numbers in [0, 1] that sum to 1 (a softmax of logits)."
        )
    values = values.clip(0)
    normalised: FloatArray = values / values.sum(axis=1, keepdims=True)
    return normalised


def named_labels(
    labels: Sequence[Any] | Array, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], IntArray]:
    """Return the classes' names and labels as (n,) numbers.

    Names of classes are taken in alphabetical order where `class_names` is None, and numbers as
    they are, from 0 to the largest.

    Raises:
        LnlError: a name twice, or a label that is no class.
    """
    values = np.asarray(labels)
    by_name = class_names is not None or values.dtype.kind in "OUS"
    if class_names is None and by_name:
        class_names = sorted({str(value) for value in values.tolist()})
    elif class_names is None:
        count = int(values.max()) + 1 if values.size and values.dtype.kind in "iu" else 0
        class_names = [str(label) for label in range(count)]
    names = tuple(map(str, class_names))
    if len(set(names)) < len(names):
        raise LnlError("A class name stands twice in class_names.")
    return names, checked_labels(values, names, by_name=by_name)


def checked_labels(
    labels: Sequence[Any] | Array, class_names: Sequence[str], *, by_name: bool
) -> IntArray:
    """Return labels as (n,) int64 in 0..k-1.

    Args:
        labels: numbers, or names of classes where `by_name`.
        class_names: (k,).
        by_name: names are allowed.

    Raises:
        LnlError: names the first row that is no class.
    """
    values = np.asarray(labels)
    if values.ndim != 1 or not len(values):
        raise LnlError(f"labels must be (n,), got {values.shape}.")
    if values.dtype.kind in "iu":
        bad = (values < 0) | (values >= len(class_names))
    elif by_name and values.dtype.kind in "OUS":
        index = {name: at for at, name in enumerate(class_names)}
        places = np.array([index.get(str(value), -1) for value in values], np.int64)
        bad = places < 0
    else:
        wanted = "whole numbers or names of classes" if by_name else "whole numbers"
        raise LnlError(f"labels must be {wanted}, got {values.dtype}.")
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise LnlError(
            f"Row {row} has the label {values[row]!r}, which is none of the {len(class_names)} "
            "classes. Labels count from 0, in the order of the classes."
        )
    given: IntArray = values.astype(np.int64) if values.dtype.kind in "iu" else places
    return given


def checked_ids(ids: Sequence[str] | None, n: int) -> list[str]:
    """Return the names of n images; their row numbers where there are none.

    Raises:
        LnlError: too few or too many, or one twice.
    """
    if ids is None:
        return [str(row) for row in range(n)]
    told = [str(each) for each in ids]
    if len(told) != n or len(set(told)) != n:
        raise LnlError(f"There are {n} images, so give {n} different ids.")
    return told
