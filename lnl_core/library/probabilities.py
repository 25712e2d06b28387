"""Label errors from probabilities that somebody's own models gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.library import inputs, table
from lnl_core.review import consensus, copies
from lnl_core.review.probabilities import doubted, signals_of
from lnl_core.types import Array, BoolArray, IntArray, LnlError, Ranking, Signals

if TYPE_CHECKING:
    from pandas import DataFrame


def find_label_errors(
    labels: Sequence[Any] | Array,
    pred_probs: Array,
    *,
    ranked: bool = False,
    class_names: Sequence[str] | None = None,
    groups: Sequence[Any] | Array | None = None,
) -> BoolArray | IntArray:
    """Say which labels are probably wrong.

    The call is that of `cleanlab.filter.find_label_issues`. A label is among them where the model
    gives another class more, and is as sure of it as it usually is of that class (confident
    learning) or p_wrong is above one half. Give probabilities of models that did not train on the
    row: a model that has learned a wrong label does not doubt it.

    Args:
        labels: (n,) given labels, numbers in 0..k-1, or names where `class_names` is given.
        pred_probs: (n, k) rows that sum to 1.
        ranked: return row numbers, most suspicious first, in place of a mask.
        class_names: (k,) names of the columns.
        groups: (n,) the same number or text where images show the same picture. Labels of copies
            that contradict each other are errors, but for those that the others speak for.

    Returns:
        (n,) bool; with `ranked` (m,) int.

    Raises:
        LnlError: shapes, labels or probabilities that do not do.
    """
    named = [("pred_probs", pred_probs)]
    ranking, _, given, names, against = _ranked(labels, named, class_names, groups)
    probs = inputs.probabilities("pred_probs", pred_probs, names)
    wrong = doubted(probs, given, ranking.p_wrong)
    wrong[against] = True
    return ranking.order[wrong[ranking.order]] if ranked else wrong


def rank_probs(
    labels: Sequence[Any] | Array,
    pred_probs: Sequence[Array] | Mapping[str, Array],
    *,
    class_names: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    groups: Sequence[Any] | Array | None = None,
) -> DataFrame:
    """Pool several models' probabilities into one ranking.

    How much a model counts is read off what the models say of each other, so a broken one is left
    out and one that repeats another adds little.

    Args:
        labels: (n,) given labels, numbers in 0..k-1, or names where `class_names` is given.
        pred_probs: one array (n, k) per model, or name -> array.
        class_names: (k,) names of the columns; their numbers where None.
        ids: (n,) names of the images; their row numbers where None.
        groups: (n,) the same number or text where images show the same picture; labels of copies
            that contradict each other come first.

    Returns:
        A table as of `rank`.

    Raises:
        LnlError: no probabilities, or shapes, labels or values that do not do.
    """
    if pred_probs is None or hasattr(pred_probs, "shape"):
        raise LnlError("Give a list of arrays (n, k), one per model: [pred_probs].")
    named = (
        list(pred_probs.items())
        if isinstance(pred_probs, Mapping)
        else [(f"model_{at}", each) for at, each in enumerate(pred_probs, start=1)]
    )
    if not named:
        raise LnlError("There are no probabilities. Give at least one array (n, k).")
    ranking, signals, given, names, _ = _ranked(labels, named, class_names, groups)
    return table.of_ranking(ranking, signals, given, names, inputs.checked_ids(ids, len(given)))


def _ranked(
    labels: Sequence[Any] | Array,
    named: Sequence[tuple[str, Array]],
    class_names: Sequence[str] | None,
    groups: Sequence[Any] | Array | None,
) -> tuple[Ranking, list[Signals], IntArray, tuple[str, ...], IntArray]:
    """Return the ranking, its signals, labels, classes, and rows that their copies contradict."""
    told = inputs.class_list(class_names)
    checked = [inputs.probabilities(name, probs, told) for name, probs in named]
    n, k = checked[0].shape
    for (name, _), probs in zip(named, checked, strict=True):
        if probs.shape != (n, k):
            raise LnlError(
                f"{name} has the shape {probs.shape}, {named[0][0]} has {(n, k)}. Give all of "
                "them for the same images and classes."
            )
    names = told or tuple(map(str, range(k)))
    if len(names) != k:
        raise LnlError(f"There are {k} columns and {len(names)} class_names. Give one per column.")
    given = inputs.checked_labels(labels, names, by_name=told is not None)
    if len(given) != n:
        raise LnlError(f"There are {len(given)} labels and {n} rows of probabilities.")
    signals = [
        signals_of(name, probs, given) for (name, _), probs in zip(named, checked, strict=True)
    ]
    ranking = consensus.rank(signals, given, k)
    first = inputs.checked_groups(groups, n)
    if first is None:
        return ranking, signals, given, names, np.zeros(0, np.int64)
    found = copies.conflicts(first, given, 1 - ranking.p_wrong)
    ranking = copies.put_first(ranking, first, given)
    return ranking, signals, given, names, found.rows[found.contradicted]
