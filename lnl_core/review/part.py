"""The part of a set whose labels are classes, and what is said of it put back to all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from lnl_core.review import copies, likeness
from lnl_core.types import (
    REFUSED,
    Array,
    BoolArray,
    FloatArray,
    IntArray,
    LabeledDataset,
    Signals,
    TopProbs,
)

OF_CLASSES = (
    "purified_labels",
    "baseline_labels",
    "retrained_labels",
    "suggested_label",
    "code_label",
)
"""Extras of methods whose values are classes."""

OF_ROWS = ("neighbours", "validation_rows", "evidence_rows")
"""Extras of methods whose values are rows."""


_READ = 4096
"""Rows that are read at a time where all are wanted."""


class Rows:
    """Some rows of an array that may lie on the disk: only those asked for are read."""

    def __init__(self, array: Any, rows: IntArray) -> None:
        self._array, self._rows = array, rows
        self.shape: tuple[int, ...] = (len(rows), *array.shape[1:])
        self.dtype, self.ndim = array.dtype, array.ndim
        self.size = int(np.prod(self.shape))

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        first, rest = (index[0], index[1:]) if isinstance(index, tuple) else (index, ())
        rows = np.asarray(self._array[self._rows[first]])
        return rows[(slice(None), *rest)] if rest and rows.ndim == self.ndim else rows

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        out = np.empty(self.shape, self.dtype if dtype is None else dtype)
        for start in range(0, len(self), _READ):  # else all are held twice where the type changes
            out[start : start + _READ] = self[start : start + _READ]
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Rows and classes that are used, of all.

    Attributes:
        rows: (n',) numbers of the labelled rows, rising.
        classes: (k',) numbers of the real classes, rising.
        n: rows of the set.
        k: labels of the set.
    """

    rows: IntArray
    classes: IntArray
    n: int
    k: int

    @property
    def whole(self) -> bool:
        """Whether it is all of the set."""
        return len(self.rows) == self.n and len(self.classes) == self.k

    @property
    def inner(self) -> BoolArray:
        """(n,) True for the rows of the part."""
        inner = np.zeros(self.n, bool)
        inner[self.rows] = True
        return inner

    @property
    def others(self) -> IntArray:
        """(n - n',) rows without a class, rising."""
        return np.flatnonzero(~self.inner)

    def only(self, probs: FloatArray) -> FloatArray:
        """Return (n, k) probabilities with none left on what is no class; rows sum to 1."""
        if self.whole:
            return probs
        wide = np.zeros_like(probs)
        wide[:, self.classes] = likeness.shares(probs[:, self.classes])
        return wide

    def renumbered(self, labels: Array) -> IntArray:
        """Return labels as numbers of this part's classes, -1 for the others; any shape."""
        number = np.full(self.k + 1, -1, np.int64)  # the last is that of -1
        number[self.classes] = np.arange(len(self.classes))
        numbers: IntArray = number[np.asarray(labels, np.int64)]
        return numbers

    def only_rows(self, images: Array) -> Array:
        """Return the part's rows of an array that may lie on the disk, read when asked for."""
        some: Any = images if self.whole else Rows(images, self.rows)
        return cast(Array, some)

    def dataset(self, data: LabeledDataset) -> LabeledDataset:
        """Return the part as a data set of its own; its images are read when asked for."""
        if self.whole:
            return data
        chosen = [int(row) for row in self.rows]
        return replace(
            data,
            class_names=tuple(data.class_names[label] for label in self.classes),
            given_labels=self.renumbered(np.asarray(data.given_labels)[self.rows]),
            ids=_picked(data.ids, chosen),
            images=self.only_rows(data.images),
            paths=None if data.paths is None else _picked(data.paths, chosen),
            true_labels=None,
            trusted=None if data.trusted is None else data.trusted[self.rows],
            groups=None if data.groups is None else copies.of_part(data.groups, self.rows),
            splits=None if data.splits is None else _picked(data.splits, chosen),
        )

    def inside(self, signals: Signals) -> Signals:
        """Return what signals about the whole set say about this part, for a ranking."""
        if self.whole:
            return signals
        return Signals(
            signals.method,
            np.asarray(signals.suspicion)[self.rows],
            self.probs(signals.pred_probs, self.rows),
            extras={
                name: np.asarray(extra)[self.rows]
                for name, extra in signals.extras.items()
                if name == REFUSED
            },
            cost=signals.cost,
        )

    def probs(
        self, probs: FloatArray | TopProbs | None, rows: IntArray
    ) -> FloatArray | TopProbs | None:
        """Return some rows' probabilities of this part's classes, which sum to 1."""
        if probs is None:
            return None
        if isinstance(probs, TopProbs):
            kept = min(probs.classes.shape[1], len(self.classes))
            blocks = [
                likeness.largest(likeness.shares(probs.dense(some)[:, self.classes]), kept)
                for some in likeness.pieces(rows)
            ]
            return TopProbs(
                np.concatenate([labels for labels, _ in blocks]),
                np.concatenate([values for _, values in blocks]),
                len(self.classes),
            )
        return likeness.shares(np.asarray(probs[rows])[:, self.classes])

    def outside(self, signals: Signals, features: FloatArray | None = None) -> Signals:
        """Put what a method says about this part back to all rows and classes.

        Args:
            signals: about this part.
            features: (n, d) of all rows. What a row outside could be is read off them by a ridge
                regression on what the method says of the rows inside; where that is the top of
                very many classes, it is the mean over the ten nearest. Without features: how
                probable each class is on the whole.
        """
        if self.whole:
            return signals
        near, weight = likeness.nearest(features, self.rows, self.others)
        probs = signals.pred_probs
        return replace(
            signals,
            suspicion=self.rows_back(np.asarray(signals.suspicion)),
            pred_probs=None if probs is None else self._probs_back(probs, features, near, weight),
            features=None
            if signals.features is None
            else self._with_means(np.asarray(signals.features), near, weight),
            curves={name: self._curve_back(each) for name, each in signals.curves.items()},
            extras={name: self._extra_back(name, each) for name, each in signals.extras.items()},
        )

    def rows_back(self, values: Array, fill: float = 0) -> Array:
        """Return values of the part's rows as those of all n rows, `fill` in the others."""
        out = np.full((self.n, *values.shape[1:]), fill, values.dtype)
        out[self.rows] = values
        return out

    def _with_means(self, values: FloatArray, near: IntArray, weight: FloatArray) -> FloatArray:
        """Return (n, c): those of the part, and for the other rows means over the nearest."""
        out: FloatArray = self.rows_back(values)
        others = self.others
        for some in likeness.pieces(np.arange(len(others))):
            block = np.einsum("mj,mjc->mc", weight[some], values[near[some]].astype(np.float32))
            out[others[some]] = block.astype(values.dtype)
        return out

    def _probs_back(
        self,
        probs: FloatArray | TopProbs,
        features: FloatArray | None,
        near: IntArray,
        weight: FloatArray,
    ) -> FloatArray | TopProbs:
        if not isinstance(probs, TopProbs):
            dense_back = self.rows_back(np.asarray(probs))
            dense_back[self.others] = likeness.regressed(
                np.asarray(probs), features, self.rows, self.others
            )
            wide = np.zeros((self.n, self.k), dense_back.dtype)
            wide[:, self.classes] = dense_back
            return wide
        t = probs.classes.shape[1]
        classes = self.rows_back(self.classes[np.asarray(probs.classes)].astype(np.int32))
        values = self.rows_back(np.asarray(probs.probs))
        others = self.others
        for some in likeness.pieces(np.arange(len(others))):
            dense = probs.dense(near[some].ravel()).reshape(*near[some].shape, -1)
            labels, best = likeness.largest(np.einsum("mj,mjc->mc", weight[some], dense), t)
            classes[others[some]] = self.classes[labels]
            values[others[some]] = best
        return TopProbs(classes, values, self.k)

    def _curve_back(self, curve: FloatArray) -> FloatArray:
        """Return (epochs, n) or (epochs, n, k) of a curve per example; others as they are."""
        if curve.ndim < 2 or curve.shape[1] != len(self.rows):
            return curve
        out = np.zeros((len(curve), self.n, *curve.shape[2:]), curve.dtype)
        out[:, self.rows] = curve
        if out.ndim == 3 and out.shape[2] == len(self.classes):
            wide = np.zeros((*out.shape[:2], self.k), out.dtype)
            wide[:, :, self.classes] = out
            return wide
        return out

    def _extra_back(self, name: str, extra: Array) -> Array:
        extra = np.asarray(extra)
        if name in OF_CLASSES:
            extra = np.where(extra >= 0, self.classes[extra], -1).astype(extra.dtype)
        if name in OF_ROWS:
            extra = np.where(extra >= 0, self.rows[extra], -1).astype(extra.dtype)
        if extra.ndim == 0 or len(extra) != len(self.rows) or len(extra) == len(self.classes):
            return extra
        return self.rows_back(extra, -1 if name in OF_CLASSES + OF_ROWS else 0)


def part(labels: IntArray, class_count: int, none: Sequence[int]) -> Part:
    """Return the rows and classes that are left without some labels.

    Args:
        labels: (n,) in 0..k-1.
        class_count: k.
        none: labels that are no classes.
    """
    real = np.ones(class_count, bool)
    real[list(none)] = False
    labels = np.asarray(labels)
    rows = np.flatnonzero(real[labels]) if len(none) else np.arange(len(labels))
    return Part(rows, np.flatnonzero(real), len(labels), class_count)


def padded(signals: Signals, n: int, class_count: int) -> Signals:
    """Return the signals of a run as those of a set that has grown since: more images, classes.

    What the run has not seen gets suspicion 0, which means "does not apply", and a new class
    probability 0.

    Args:
        signals: about the first rows and the first classes.
        n: rows of the set today.
        class_count: its labels.
    """
    rows, probs, known = len(signals.suspicion), signals.pred_probs, class_count
    if isinstance(probs, TopProbs):
        known = probs.class_count
    elif probs is not None:
        known = probs.shape[1]
    if rows >= n and known >= class_count:
        return signals
    return Part(np.arange(rows), np.arange(known), n, class_count).outside(signals)


def _picked(values: Any, rows: Sequence[int]) -> list[str]:
    everything = values[:]
    return [everything[row] for row in rows]
