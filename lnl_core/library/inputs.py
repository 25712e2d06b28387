"""What a notebook hands in, checked: arrays of any library, labels, names of classes and images.

An error says which row, what it holds, and what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lnl_core.types import Array, FloatArray, IntArray, LnlError

OFF_BY = 0.02
"""How far a row of probabilities may miss 1: written with few digits, or as float16."""

LARGEST_SEED = 2**31 - 1


def as_array(values: Any, what: str) -> Array:
    """Return an array of numpy, torch or pandas, or a list, as numpy's.

    Raises:
        LnlError: it is none, for example a list of pictures of different sizes.
    """
    if hasattr(values, "detach"):  # a tensor, perhaps on a GPU, with a gradient, in bfloat16
        values = values.detach().cpu()
        values = values.float() if "bfloat16" in str(values.dtype) else values
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise LnlError(
            f"{what} cannot be read as one array: {error}. Give rows of one length, or pictures "
            "of one size."
        ) from error


def probabilities(name: str, probs: Any, class_names: Sequence[str] | None) -> FloatArray:
    """Return (n, k) probabilities whose rows sum to 1.

    A table with named columns is brought into the order of `class_names`.

    Raises:
        LnlError: says what is wrong with which row, or which column is missing.
    """
    columns = getattr(probs, "columns", None)
    if columns is not None and class_names is not None and columns.dtype.kind not in "iu":
        told = [str(column) for column in columns]
        if sorted(told) != sorted(class_names):
            raise LnlError(
                f"The columns of {name} are {_some(told)}, the classes {_some(class_names)}. Name "
                "the columns like the classes."
            )
        probs = probs.iloc[:, [told.index(each) for each in class_names]]
    values = as_array(probs, name)
    if values.ndim != 2 or values.shape[1] < 2 or not len(values):
        raise LnlError(
            f"{name} must be (n, k) probabilities of two classes or more, got {values.shape}."
        )
    if values.dtype.kind not in "fiub":
        raise LnlError(f"{name} must hold numbers, got {values.dtype}.")
    values = values.astype(np.float64)
    bad = ~np.isfinite(values).all(axis=1) | (values < -1e-6).any(axis=1)
    bad |= np.abs(values.sum(axis=1) - 1) > OFF_BY
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise LnlError(
            f"{name}: {int(bad.sum()):,} of {len(bad):,} rows are no probabilities, first row "
            f"{row}, which sums to {values[row].sum():.3g}. Give numbers in [0, 1] that sum to 1 "
            "(a softmax of logits)."
        )
    values = values.clip(0)
    normalised: FloatArray = values / values.sum(axis=1, keepdims=True)
    return normalised


def class_list(class_names: Sequence[str] | None) -> tuple[str, ...] | None:
    """Return names of classes in their order, None where there are none.

    Raises:
        LnlError: no list, or a name twice.
    """
    if class_names is None:
        return None
    if isinstance(class_names, str | Mapping):
        raise LnlError('class_names must be a list in the order of the classes: ["cat", "dog"].')
    names = tuple(map(str, class_names))
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LnlError(f"The class name “{twice[0]}” stands twice in class_names.")
    return names


def named_labels(
    labels: Any, class_names: Sequence[str] | None
) -> tuple[tuple[str, ...], IntArray]:
    """Return the classes' names and labels as (n,) numbers.

    Names of classes are taken in alphabetical order where `class_names` is None, and numbers as
    they are, from 0 to the largest.

    Raises:
        LnlError: a name twice, a label that is no class or missing, or numbers with a gap.
    """
    values = _labels(labels)
    names = class_list(class_names)
    if names is not None:
        return names, checked_labels(values, names, by_name=True)
    if values.dtype.kind in "US":
        names = tuple(sorted({str(value) for value in values.tolist()}))
        return names, checked_labels(values, names, by_name=True)
    present = set(values.tolist())
    absent = next((label for label in range(max(present) + 1) if label not in present), None)
    if min(present) >= 0 and absent is not None:
        raise LnlError(
            f"No image has the label {absent}, and the largest label is {max(present)}. Labels "
            "count from 0; where a class has no image here, give all class_names."
        )
    names = tuple(str(label) for label in range(max(present) + 1))
    return names, checked_labels(values, names, by_name=False)


def checked_labels(labels: Any, class_names: Sequence[str], *, by_name: bool) -> IntArray:
    """Return labels as (n,) int64 in 0..k-1.

    Args:
        labels: numbers, or names of classes where `by_name`.
        class_names: (k,).
        by_name: names are allowed.

    Raises:
        LnlError: names the first row that is no class.
    """
    values = _labels(labels)
    if values.dtype.kind in "iu":
        bad = (values < 0) | (values >= len(class_names))
        given: IntArray = values.astype(np.int64)
    elif by_name:
        index = {name: at for at, name in enumerate(class_names)}
        given = np.array([index.get(str(value), -1) for value in values], np.int64)
        bad = given < 0
    else:
        raise LnlError(
            "labels are names, and the classes have none. Give class_names= in the order of the "
            "columns."
        )
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise LnlError(
            f"Row {row} has the label “{values[row]}”, which is none of the {len(class_names)} "
            f"classes ({_some(class_names)}). Numbers count from 0, in the order of the classes."
        )
    return given


def _labels(labels: Any) -> Array:
    """Return labels as (n,) whole numbers or texts.

    Raises:
        LnlError: a label is missing, or they are neither.
    """
    if labels is None:
        raise LnlError("There are no labels. Give labels, one per image.")
    values = as_array(labels, "labels")
    if isinstance(labels, list | tuple) and values.ndim == 1:
        values = np.array(labels, dtype=object)  # ["a", 1] would be two texts else
    if values.ndim != 1 or not len(values):
        raise LnlError(f"labels must be (n,), one per image, got {values.shape}.")
    if values.dtype.kind == "O":
        plain = values.tolist()
        for row, value in enumerate(plain):
            if value is None or value != value or str(value) in ("<NA>", "NaT"):
                raise LnlError(f"Row {row} has no label. Leave the image out, or give it one.")
        if all(isinstance(value, str) for value in plain):
            return np.array(plain)
        if all(
            isinstance(value, int | np.integer) and not isinstance(value, bool) for value in plain
        ):
            return np.array(plain, np.int64)
        if all(isinstance(value, float) for value in plain):
            return _labels(np.array(plain))
        raise LnlError("labels are of several kinds. Give all as whole numbers, or all as texts.")
    if values.dtype.kind == "f" and np.isnan(values).any():
        row = int(np.flatnonzero(np.isnan(values))[0])
        raise LnlError(f"Row {row} has no label. Leave the image out, or give it one.")
    if values.dtype.kind not in "iuUS":
        raise LnlError(
            f"labels must be whole numbers or texts, got {values.dtype}. Write labels.astype(int)."
        )
    return values


def checked_ids(ids: Sequence[str] | None, n: int) -> list[str]:
    """Return the names of n images; their row numbers where there are none.

    Raises:
        LnlError: too few or too many, or one twice.
    """
    if ids is None:
        return [str(row) for row in range(n)]
    told = [str(each) for each in ids]
    if len(told) != n:
        raise LnlError(f"There are {n} images and {len(told)} ids. Give one id per image.")
    seen: set[str] = set()
    for row, each in enumerate(told):
        if each in seen:
            raise LnlError(f"Row {row} has the id “{each[:60]}” a second time. Give different ids.")
        seen.add(each)
    return told


def checked_groups(groups: Any, n: int) -> IntArray | None:
    """Return (n,) the first row of each image's copies; None where there are none.

    Args:
        groups: (n,) numbers or texts, the same where images show the same picture.
        n: images.

    Raises:
        LnlError: too few or too many, or one is missing.
    """
    if groups is None:
        return None
    values = as_array(groups, "groups")
    if values.ndim != 1 or len(values) != n:
        raise LnlError(
            f"groups must be (n,), one per image, got {values.shape} for {n} images. Give copies "
            "of one picture the same number or text."
        )
    told = values.tolist()
    for row, value in enumerate(told):
        if value is None or value != value:
            raise LnlError(f"Row {row} has no group. Give an image without copies its own.")
    first: dict[Any, int] = {}
    found = [first.setdefault(value, row) for row, value in enumerate(told)]
    return np.array(found, np.int64) if len(first) < n else None


def checked_seed(seed: Any) -> int:
    """Return a seed.

    Raises:
        LnlError: no whole number from 0 to `LARGEST_SEED`.
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed <= LARGEST_SEED:
        raise LnlError(f"A seed is a whole number from 0 to {LARGEST_SEED}, got {seed!r}.")
    return int(seed)


def checked_name(value: Any, what: str) -> str:
    """Return a name of a data set or a person.

    Raises:
        LnlError: it is no text.
    """
    if not isinstance(value, str):
        raise LnlError(f"{what} must be a name, got {value!r}.")
    return value


def checked_list(values: Any, what: str) -> list[str]:
    """Return a list of texts; one text alone would be read letter by letter.

    Raises:
        LnlError: it is one text.
    """
    if isinstance(values, str):
        raise LnlError(f'{what} must be a list: ["{values}"].')
    return list(values)


def checked_methods(methods: Any) -> list[str]:
    """Return the methods that are chosen.

    Raises:
        LnlError: one text, or none.
    """
    chosen = checked_list(methods, "methods")
    if not chosen:
        raise LnlError("No method is chosen. Give at least one key of lnl.methods().")
    return chosen


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(name[:30] for name in names[:5])
    return f"{shown}, …" if len(names) > 5 else shown
