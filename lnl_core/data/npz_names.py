"""Which array of an NPZ is what: by its name, its shape and what a person said."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lnl_core.data.members import Member, words
from lnl_core.data.reading import rivals, splits
from lnl_core.data.reading.column_names import COLUMNS, plain_names
from lnl_core.data.reading.split_names import split_in
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.records import meant
from lnl_core.types import LnlError

_IMAGES = ("images", "image", "x", "imgs")
_OWN = ("images", "labels", "class_names", "true_labels", "ids", "splits")
_LABELS = ("labels", *COLUMNS["label"], "targets", "classes")


@dataclass(slots=True)
class Named:
    """Which array is what.

    Attributes:
        images: the array of pixels; of a set in parts, such as x_train and x_test, of each part.
        labels: the array of given labels, of each part.
        splits: what each part is called; none where there is one part.
        questions: what is asked where several could be either.
        notes: arrays that nothing is read from, and how parts were read.
    """

    images: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...] = ()
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Head:
    shape: tuple[int, ...]
    dtype: str

    @property
    def kind(self) -> str:
        return np.dtype(self.dtype).kind

    @property
    def is_images(self) -> bool:
        """Tell whether it has the shape of images, not that of a column."""
        return len(self.shape) in (3, 4) and self.kind in "uifb" and self.shape[1:] != (1, 1)

    def may_be_labels(self, n: int) -> bool:
        """Tell whether it has a whole number or a word for each of `n` images."""
        return self.shape in ((n,), (n, 1)) and self.kind in "iuUSb"


def find(file: Path, archive: zipfile.ZipFile, have: Sequence[str], answers: Answers) -> Named:
    """Say which array has the images and which the given labels.

    Arrays called `images` and `labels` are these, unless others beside `labels` look like labels
    too and differ; without them, what has their shape is taken where it is the only one, and asked
    about where it is not. Arrays that are named as parts (x_train, y_train, x_test, y_test) are
    read together, as splits.

    Args:
        file: the NPZ, for messages.
        archive: opened.
        have: names of its arrays.
        answers: `image_column` and `label_column` name arrays.

    Raises:
        LnlError: there is none that could be it.
    """
    heads = {name: _head(archive, name) for name in have}
    questions: list[Question] = []
    parts = {} if answers.image_column or answers.label_column else _parts(heads)
    if parts:
        pictures, labelled = zip(*parts.values(), strict=True)
        said = "; ".join(f"{_quoted(pair)} are {split}" for split, pair in parts.items())
        notes = [f"Read together, as splits: {said}.", *_left(have, (*pictures, *labelled))]
        return Named(pictures, labelled, tuple(parts), notes=notes)
    images = _images(file, heads, answers, questions)
    n = heads[images].shape[0] if heads[images].shape else 0
    labels = _labels(file, archive, heads, n, images, answers, questions)
    left = _left(have, (images, labels))
    return Named((images,), (labels,), questions=questions, notes=left)


def _parts(heads: Mapping[str, _Head]) -> dict[str, tuple[str, str]]:
    """Return split -> its images and labels, where every array of images is such a part."""
    pictures = [name for name, head in heads.items() if head.is_images]
    found: dict[str, tuple[str, str]] = {}
    for name in sorted(pictures, key=_order):
        split, n = split_in(name), heads[name].shape[0]
        labels = [
            other
            for other, head in heads.items()
            if head.may_be_labels(n) and split_in(other) == split
        ]
        if not split or split in found or len(labels) != 1:
            return {}
        found[split] = (name, labels[0])
    kinds = {(heads[name].shape[1:], heads[name].dtype) for name in pictures}
    words = {heads[labels].kind in "US" for _, labels in found.values()}
    return found if len(found) > 1 and len(kinds) == len(words) == 1 else {}


def _order(name: str) -> tuple[int, str]:
    """Return training before validation before testing."""
    at = next((i for i, word in enumerate(("tr", "val", "dev")) if word in name.lower()), 9)
    return at, name


def _head(archive: zipfile.ZipFile, name: str) -> _Head:
    try:
        with Member(archive, name) as member:
            return _Head(tuple(int(side) for side in member.shape), member.dtype.str)
    except LnlError:  # said once it is read
        return _Head((), "|O")


def _images(
    file: Path, heads: Mapping[str, _Head], answers: Answers, questions: list[Question]
) -> str:
    if answers.image_column:
        said = _said(file, answers.image_column, heads, "--image-column")
        if len(heads[said].shape) < 3:
            raise LnlError(
                f"“{visible(said)[:40]}” of {file.name} holds no images: it is {heads[said].shape}."
            )
        return said
    plain = plain_names(list(heads))
    for word in _IMAGES:
        if word in plain:
            return plain[word]
    found = [name for name, head in heads.items() if head.is_images]
    if not found:
        raise _missing(file, "images", heads)
    if len(found) > 1:
        questions.append(
            Question(
                "image_column",
                f"Several arrays of {file.name} look like images: {_quoted(found)}. "
                "Which one is it?",
                tuple(Choice(name, f"{heads[name].shape}") for name in found),
                default=found[0],
                stops=True,
            )
        )
    return found[0]


def _labels(
    file: Path,
    archive: zipfile.ZipFile,
    heads: Mapping[str, _Head],
    n: int,
    images: str,
    answers: Answers,
    questions: list[Question],
) -> str:
    if answers.label_column:
        return _said(file, answers.label_column, heads, "--label-column")
    own = {images, *_OWN[2:]}
    plain = plain_names([name for name in heads if name not in own])
    known = [plain[word] for word in _LABELS if word in plain]
    fits = [name for name, head in heads.items() if head.may_be_labels(n) and name not in own]
    if known and known[0] not in fits:
        return known[0]  # what is wrong with it is said once it is read
    if not fits:
        raise _missing(file, "labels", heads)
    split = split_in(images)  # y_train goes with x_train
    fits = [name for name in fits if split and split_in(name) == split] or fits
    values = {name: _cells(archive, name) for name in fits}
    counted = {name: Counter(each) for name, each in values.items()}
    called = known or [name for name in fits if rivals.is_called_so(name, counted[name])]
    if called:
        first, *others = [*called[:1], *rivals.columns(counted, called[0], own)]
    else:
        first, *others = _by_values(values)
    rest = [name for name in others if not rivals.same_groups(values[first], values[name])]
    if rest or not called:
        asked = [first, *rest]
        if called:
            text = f"Several arrays of {file.name} look like labels and differ: {_quoted(asked)}. "
        else:
            text = f"{file.name} has no array “labels”, but {_quoted(asked)} of as many values. "
        told = tuple(Choice(name, _told(name, first, values)) for name in asked)
        text += "Which one has the labels?"
        questions.append(Question("label_column", text, told, default=first, stops=True))
    return first


def _by_values(values: Mapping[str, Sequence[str]]) -> list[str]:
    """Return arrays that could be labels though none is called so, the likeliest first.

    A model's output, a split and an index come last: they are asked about, never taken.
    """
    others = {*rivals.outputs(list(values), ()), *(n for n in values if _is_beside(n, values[n]))}
    return sorted(values, key=lambda name: name in others)


def _is_beside(name: str, cells: Sequence[str]) -> bool:
    plain = next(iter(plain_names([name])))
    distinct = len(set(cells)) > max(2, len(cells) // 2)
    return plain in COLUMNS["split"] or bool(splits.flag(name, cells)) or distinct


def _told(name: str, first: str, values: Mapping[str, Sequence[str]]) -> str:
    """Say how many values an array has, and how often it differs from the first one."""
    said = f"{len(set(values[name])):,} values"
    if name == first:
        return said
    differ = sum(one != other for one, other in zip(values[name], values[first], strict=True))
    return f"{said}, {differ / len(values[first]):.1%} of the rows differ from {first[:24]}"


def _cells(archive: zipfile.ZipFile, name: str) -> list[str]:
    with Member(archive, name) as member:
        return words(member.read(member.shape[0]).reshape(-1))


def _said(file: Path, said: str, heads: Mapping[str, _Head], option: str) -> str:
    by_name = {name.lower(): name for name in reversed(list(heads))}
    if said in heads or said.lower() in by_name:
        return said if said in heads else by_name[said.lower()]
    raise LnlError(
        f"{file.name} has no array “{visible(said)[:40]}” ({option}).{meant(said, heads)} "
        f"It holds: {_quoted(list(heads))}."
    )


def _missing(file: Path, what: str, heads: Mapping[str, _Head]) -> LnlError:
    option = "--image-column" if what == "images" else "--label-column"
    return LnlError(
        f"{file.name} has no array “{what}”, and none that could be it. It holds: "
        f"{_quoted(list(heads)) or 'nothing'}. Save it with numpy.savez_compressed(path, "
        f"images=..., labels=...), or name the array with {option}."
    )


def _left(have: Sequence[str], taken: Sequence[str]) -> list[str]:
    left = [name for name in have if name not in {*taken, *_OWN[2:]}]
    if not left:
        return []
    one = len(left) == 1
    return [
        f"{'Array' if one else 'Arrays'} {_quoted(left)} {'is' if one else 'are'} not taken along."
    ]


def _quoted(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{visible(name)[:40]}”" for name in names[:12])
    return shown + (f" and {len(names) - 12:,} more" if len(names) > 12 else "")
