"""The arrays of an NPZ that are no images: labels, names, ids, checked before they are used."""

from __future__ import annotations

import zipfile

import numpy as np

from lnl_core.data import images as pictures
from lnl_core.data.members import Member, words
from lnl_core.data.tables import natural
from lnl_core.types import Array, IntArray, LnlError

MAX_CLASSES = 100_000


def image_shape(images: Member) -> tuple[int, ...]:
    """Return the shape of an array of images.

    Raises:
        LnlError: it holds no images.
    """
    shape = tuple(int(side) for side in images.shape)
    if images.dtype.kind not in "uifb":
        raise LnlError(
            f"“{images.name}” holds {images.dtype}, which are no pixels. Save numbers: uint8 (0 to "
            "255), or whole or floating point numbers, of which the range of the set is taken."
        )
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 2, 3, 4):
        raise LnlError(
            f"“{images.name}” has its channels first {shape}. "
            f"Save {images.name}.transpose(0, 2, 3, 1)."
        )
    if not (len(shape) == 3 or (len(shape) == 4 and 1 <= shape[3] <= 4)):
        raise LnlError(f"“{images.name}” must be (n, height, width[, 1 to 4]), it is {shape}.")
    if not all(shape):
        raise LnlError(f"“{images.name}” is empty: {shape}. Save at least one image.")
    if shape[1] * shape[2] > pictures.MAX_PIXELS:
        raise LnlError(
            f"“{images.name}” has images larger than 89 megapixels: {shape}. Shrink them."
        )
    return shape


def check_vector(member: Member, n: int | None) -> None:
    """Refuse what is no vector or single column, or none of `n` rows.

    Raises:
        LnlError: it is not.
    """
    if len(member.shape) != 1 and member.shape[1:] != (1,):
        raise LnlError(
            f"“{member.name}” must be one-dimensional, it is {member.shape}. "
            f"Save {member.name}.ravel(), or argmax(1) of one-hot labels."
        )
    if n is not None and member.shape[0] != n:
        raise LnlError(
            f"“images” has {n:,} rows, “{member.name}” has {member.shape[0]:,}. Save both anew."
        )


def vector(archive: zipfile.ZipFile, name: str, n: int | None) -> Array:
    """Return a vector of whole numbers or text, of `n` rows where that is known.

    Raises:
        LnlError: it is none.
    """
    with Member(archive, name) as member:
        check_vector(member, n)
        if member.dtype.kind not in "iuUSb":
            raise LnlError(
                f"“{name}” holds {member.dtype}; whole numbers or text are needed. "
                f"Save {name}.astype('int64')."
            )
        if member.shape[0] > MAX_CLASSES and n is None:
            raise LnlError(f"“{name}” has more than {MAX_CLASSES:,} entries. Check it.")
        return member.all().reshape(-1)


def alike(labels: Array, truth: Array | None) -> tuple[Array, Array | None]:
    """Return labels and true labels, which no names go with, both as text or both as numbers.

    Text keeps its length, whole numbers their width, and True is 1.
    """
    if labels.dtype.kind in "US":
        return labels, None if truth is None else as_text(truth)
    labels = _counted(labels)
    if truth is not None:
        truth = truth.astype(labels.dtype) if truth.dtype.kind in "US" else _counted(truth)
    return labels, truth


def _counted(numbers: Array) -> Array:
    return numbers.astype(np.int64) if numbers.dtype.kind == "b" else numbers


def as_text(values: Array) -> Array:
    """Return numbers as text; text, of whatever encoding, as it is."""
    return values if values.dtype.kind in "US" else values.astype(str)


def classes(
    labels: Array, names: list[str] | None, truth: Array | None
) -> tuple[IntArray, list[str]]:
    """Return labels as indices (-1 = none), and the class names; without `names`, of `alike`."""
    if names is not None:
        blank = [at for at, name in enumerate(names) if not name.strip()]
        if blank or len(set(names)) < len(names):
            what = f"is blank at {blank[0]}" if blank else "has a name twice"
            raise LnlError(f"“class_names” {what}. Give every class a name of its own.")
        if not names:
            raise LnlError("“class_names” is empty. Name the classes, or leave it out.")
        return codes(labels, names), names
    kinds = [np.unique(each) for each in (labels, truth) if each is not None]
    if labels.dtype.kind in "US":
        found = {word for each in kinds for word in words(each)}
        class_names = natural({word for word in found if word.strip()})
    elif {v for each in kinds for v in each.tolist()} == {-1, 1}:  # two classes by their sign
        return np.where(labels > 0, 1, 0).astype(np.int64), ["-1", "1"]
    else:
        distinct = sorted({v for each in kinds for v in each.tolist() if v >= 0})
        top = distinct[-1] if distinct else -1
        dense = top < 4 * len(distinct) + 100
        first = distinct[0] if distinct else 0  # labels from 1 have no class 0
        class_names = [str(v) for v in (range(first, top + 1) if dense else distinct)]
    if not class_names or len(class_names) > MAX_CLASSES:
        raise LnlError(
            f"“labels” names {len(class_names):,} classes; 1 to {MAX_CLASSES:,} can be used."
        )
    if labels.dtype.kind not in "US" and class_names == [str(v) for v in range(len(class_names))]:
        return labels.astype(np.int64), class_names
    return codes(as_text(labels), class_names), class_names


def codes(labels: Array, names: list[str]) -> IntArray:
    """Return text labels as indices into names, -1 where unknown; numbers are indices already."""
    if labels.dtype.kind not in "US":
        numbers: IntArray = np.clip(labels, -1, np.iinfo(np.int32).max).astype(np.int64)
        return numbers
    index = {name: at for at, name in enumerate(names)}
    texts, where = np.unique(labels, return_inverse=True)
    codes: IntArray = np.array([index.get(word, -1) for word in words(texts)], np.int64)[where]
    return codes
