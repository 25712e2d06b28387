"""Arrays in one NPZ file, read block by block: no pickle, and never the whole set in memory."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import contrast, npz_names
from lnl_core.data import images as pictures
from lnl_core.data.contrast import Contrast
from lnl_core.data.files import working_plan
from lnl_core.data.members import DAMAGE, Member, opened, words
from lnl_core.data.reading import numbers, pixels, splits
from lnl_core.data.reading.labels import understood
from lnl_core.data.reading.outline import EXAMPLES, Outline
from lnl_core.data.tables import BadRow
from lnl_core.data.vectors import alike, as_text, check_vector, classes, codes, image_shape, vector
from lnl_core.data.writing import Expected, Plan, Row, Skipped
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import Array, ByteArray, IntArray, LnlError

_BLOCK_BYTES = 2**20
_NO_IMAGE: ByteArray = np.zeros((0, 0, 1), np.uint8)
_TWICE = BadRow("The id is used twice; the first one was kept.", "Give every row an id of its own.")
_LOOKED_AT = 4096
"""Images among which examples of each class are looked for."""


@dataclass(slots=True)
class NpzSource:
    """A set of arrays, its outline read; see `writing.Source`.

    Attributes:
        labels: (n,) class of each row, -1 for none.
        left_out: row -> why it is left out by its label.
        also: row -> all classes of a row with several.
        splits: of each row, blank for none.
        dtype: of the images.
        no_such_class: what is said of labels that are none.
        stretch: what a person said about contrast: `set`, `file` or nothing.
        contrast: values that are black and white, None for bytes as they are.
        images: names of the arrays of pixels, one for each part of the set.
    """

    file: Path
    total: int
    class_names: Sequence[str]
    labels: IntArray
    truth: IntArray | None
    shape: tuple[int, ...]
    has_ids: bool
    outline: Outline = field(default_factory=Outline)
    left_out: dict[int, BadRow] = field(default_factory=dict)
    also: dict[int, tuple[int, ...]] = field(default_factory=dict)
    splits: list[str] | None = None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.uint8))
    no_such_class: BadRow = field(default_factory=lambda: _no_such_class(0))
    stretch: str = ""
    contrast: Contrast | None = None
    images: tuple[str, ...] = ("images",)
    kind: str = "npz"
    root: Path | None = None

    @property
    def has_truth(self) -> bool:
        """Tell whether every row has a true label."""
        return self.truth is not None

    def plan(self, size: int | None) -> Plan:
        """Choose the working resolution from the arrays' shape."""
        channels = 1 if len(self.shape) == 3 or self.shape[3] in (1, 2) else 3
        plan = working_plan([(self.shape[1], self.shape[2])], channels, size, "arrays")
        found = pixels.measured_arrays(self._pixels(), self.dtype, self.stretch)
        question = found.question(self.stretch)
        self.outline.questions += [question] if question is not None else []
        self.outline.notes += found.notes
        as_typed = pixels.as_typed(self.dtype)
        contrast = as_typed if self.stretch == "file" and found.said else found.contrast
        self.contrast = contrast
        return replace(plan, contrast=contrast)

    def _pixels(self, step: int = 0) -> Iterator[Array]:
        """Yield all images, some at a time, part by part."""
        with opened(self.file) as archive:
            for name in self.images:
                with Member(archive, name) as images:
                    yield from images.blocks(step or self._step)

    @property
    def _step(self) -> int:
        """Images that are read at a time."""
        per_image = max(1, int(np.prod(self.shape[1:], dtype=np.int64)) * self.dtype.itemsize)
        return max(1, min(4096, _BLOCK_BYTES // per_image))

    def rows(self, plan: Plan) -> Iterator[Row | Skipped]:
        """Yield the images in order, brought to the working resolution."""
        size, fates = (plan.height, plan.width), self._fates()
        for block in self._pixels():
            shown = contrast.shown(block, plan.contrast)
            for image, fate in zip(shown, fates, strict=False):
                if isinstance(fate, Skipped):
                    yield fate
                else:
                    yield replace(fate, image=pictures.fit(image, size, plan.channels))

    def expected(self) -> Iterator[Expected | Skipped]:
        """Yield what will come of each row."""
        for fate in self._fates():
            yield fate if isinstance(fate, Skipped) else Expected(fate.label, fate.split)

    def _fates(self) -> Iterator[Row | Skipped]:
        """Yield what becomes of each row, without its image."""
        repeated = _repeated(self.file) if self.has_ids else set()
        seen: set[str] = set()
        for row, name in enumerate(self._names()):
            why = self._problem(row, name)
            if why is None and name in repeated:
                why = _TWICE if name in seen else None
                seen.add(name)
            if why is not None:
                yield Skipped(self._called(row, name), why.reason, why.remedy, row)
                continue
            true = None if self.truth is None else int(self.truth[row])
            split = "" if self.splits is None else self.splits[row]
            also = self.also.get(row, ())
            yield Row(name, _NO_IMAGE, int(self.labels[row]), None, true, split=split, also=also)

    def _names(self) -> Iterator[str]:
        if not self.has_ids:
            yield from (f"{row:07d}" for row in range(self.total))
            return
        with opened(self.file) as archive, Member(archive, "ids") as ids:
            for block in ids.blocks(4096):
                yield from words(block)

    def _problem(self, row: int, name: str) -> BadRow | None:
        if row in self.left_out:
            return self.left_out[row]
        if not 0 <= int(self.labels[row]) < len(self.class_names):
            return self.no_such_class
        return None if name.strip() else BadRow("The id is blank.", "Fill in “ids”.")

    def _called(self, row: int, name: str) -> str:
        label = int(self.labels[row])
        if not name.strip():
            return f"row {row}"
        none = row not in self.left_out and not 0 <= label < len(self.class_names)
        return f"{name}: label {label}" if none else name

    def examples(self) -> dict[str, list[tuple[str, Path | ByteArray]]]:
        """Return a few images of each class, looked for among the first ones."""
        kept: dict[str, list[tuple[str, Path | ByteArray]]] = {}
        at = 0
        for block in self._pixels(256):
            for image, label in zip(block, self.labels[at : at + len(block)], strict=True):
                if 0 <= label < len(self.class_names):
                    few = kept.setdefault(self.class_names[int(label)], [])
                    if len(few) < EXAMPLES:
                        few.append((f"row {at}", contrast.shown(np.array(image), self.contrast)))
                at += 1
            full = all(len(few) == EXAMPLES for few in kept.values())
            if at >= _LOOKED_AT or (full and len(kept) == len(self.class_names)):
                break
        return kept


def _splits(named: list[str], answers: Answers, outline: Outline) -> list[str]:
    """Return splits; those called true and false as a person says they are meant."""
    read_as, question = splits.of_bools(set(named), "“splits”", answers)
    outline.questions += [question] if question is not None else []
    return [read_as.get(each.lower(), each) for each in named] if read_as else named


def _are_ids(file: Path, n: int, answers: Answers, outline: Outline) -> bool:
    """Tell whether “ids” tells images apart; values that come again and again are asked about."""
    if answers.id_column:
        return answers.id_column != "none"
    with opened(file) as archive, Member(archive, "ids") as ids:
        distinct = len({hash(word) for block in ids.blocks(4096) for word in words(block)})
    if n <= 3 or 2 * distinct > n:
        return True
    outline.columns = {key: name for key, name in outline.columns.items() if key != "ids"}
    outline.questions.append(
        Question(
            "id_column",
            f"“ids” of {file.name} are no ids: {distinct:,} values in {n:,} rows, as classes have. "
            "The row's number is the id.",
            (Choice("none", "the row's number is the id"), Choice("ids", "they are the ids")),
            default="none",
        )
    )
    return False


def _repeated(file: Path, step: int = 4096) -> set[str]:
    """Return the ids that occur more than once, from their hashes (8 bytes per row)."""
    with opened(file) as archive:
        with Member(archive, "ids") as ids:
            hashes = [hash(word) for block in ids.blocks(step) for word in words(block)]
        values, counts = np.unique(np.array(hashes, np.int64), return_counts=True)
        twice = set(values[counts > 1].tolist())
        if not twice:
            return set()
        with Member(archive, "ids") as ids:
            return {w for block in ids.blocks(step) for w in words(block) if hash(w) in twice}


def scan(
    file: Path, class_map: Mapping[str, str] | None = None, answers: Answers | None = None
) -> NpzSource:
    """Read everything but the images of an NPZ (docs/formats.md).

    `labels` may be whole numbers (index into `class_names`, or the class itself where that is
    missing) or text.

    Raises:
        LnlError: an array is missing, or of a wrong kind or shape.
    """
    try:
        with opened(file) as archive:
            return _scan(file, archive, class_map or {}, answers or Answers())
    except LnlError:
        raise
    except DAMAGE as error:
        raise LnlError(f"{file.name} is damaged. Copy or save it again.") from error


def _scan(
    file: Path, archive: zipfile.ZipFile, class_map: Mapping[str, str], answers: Answers
) -> NpzSource:
    have = {name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")}
    named_as = npz_names.find(file, archive, sorted(have), answers)
    shape, dtype, labels, split_of = _parts(archive, named_as)
    n = shape[0]
    names_array = vector(archive, "class_names", None) if "class_names" in have else None
    truth = vector(archive, "true_labels", n) if "true_labels" in have else None
    if "ids" in have:
        with Member(archive, "ids") as ids:
            check_vector(ids, n)
    outline = Outline(files=[file.name], lists=[file])
    outline.columns = {
        "images": ", ".join(named_as.images),
        "labels": ", ".join(named_as.labels),
    }
    outline.columns |= {key: key for key in ("class_names", "ids") if key in have}
    outline.questions += named_as.questions
    outline.notes += named_as.notes
    named = None if names_array is None else words(names_array)
    if named is not None:
        labels, truth = _from_zero(labels, truth, len(named), named, answers, outline)
    else:
        labels, truth = alike(labels, truth)
    given, names = classes(labels, named, truth)
    true = None
    if truth is not None:
        true = codes(truth if named is not None else as_text(truth), names)
        if len(true) and not 0 <= int(true.min()) <= int(true.max()) < len(names):
            true = None
            outline.notes.append("true_labels has values that are no class, so it is not used.")
    has_ids = "ids" in have and _are_ids(file, n, answers, outline)
    source = NpzSource(file, n, names, given, true, shape, has_ids, outline, dtype=dtype)
    source.images, source.splits = named_as.images, split_of
    if "splits" in have:
        source.splits = _splits(words(vector(archive, "splits", n)), answers, outline)
    from_cells = named is None and labels.dtype.kind in "US"
    _understand(source, from_cells, class_map, answers)
    return source


def _parts(
    archive: zipfile.ZipFile, named: npz_names.Named
) -> tuple[tuple[int, ...], np.dtype[Any], Array, list[str] | None]:
    """Return shape and type of all images, all labels, and the split of each where there are parts.

    Raises:
        LnlError: an array is of a wrong kind or shape.
    """
    counts, columns = [], []
    for name, label in zip(named.images, named.labels, strict=True):
        with Member(archive, name) as images:
            shape, dtype = image_shape(images), images.dtype
        counts.append(shape[0])
        columns.append(vector(archive, label, shape[0]))
    if len(columns) == 1:
        return shape, dtype, columns[0], None
    whole = columns[0].dtype.kind not in "US"
    labels = np.concatenate([each.astype(np.int64) if whole else each for each in columns])
    split_of = np.repeat(np.array(named.splits), counts).tolist()
    return (sum(counts), *shape[1:]), dtype, labels, split_of


def _from_zero(
    labels: Array,
    truth: Array | None,
    k: int,
    names: Sequence[str],
    answers: Answers,
    outline: Outline,
) -> tuple[Array, Array | None]:
    """Return labels that count from 0, and ask where they may count from 1."""
    whole = [each for each in (labels, truth) if each is not None and each.dtype.kind in "iu"]
    valid = np.concatenate([each[each >= 0] for each in whole]) if whole else np.zeros(0)
    if not len(valid) or labels.dtype.kind not in "iu" or not k:
        return labels, truth
    base, question = numbers.count_from(
        int(valid.min()), int(valid.max()), k, answers, tuple(names)
    )
    outline.questions += [question] if question is not None else []
    if not base:
        return labels, truth
    outline.notes.append("Labels count from 1.")
    moved = None if truth is None or truth.dtype.kind not in "iu" else _less_one(truth)
    return _less_one(labels), moved if moved is not None else truth


def _less_one(labels: Array) -> Array:
    wide: IntArray = labels.astype(np.int64)
    return np.where(wide > 0, wide - 1, -1)


def _understand(
    source: NpzSource, from_cells: bool, class_map: Mapping[str, str], answers: Answers
) -> None:
    """Merge, leave out and ask about the labels; `source` gets the classes that are meant."""
    names, k = list(source.class_names), len(source.class_names)
    valid = (source.labels >= 0) & (source.labels < k)
    per_class = np.bincount(source.labels[valid], minlength=k)
    written = {name: int(count) for name, count in zip(names, per_class, strict=True)}
    meant = understood(written, answers, class_map=class_map, from_cells=from_cells)
    outline = source.outline
    outline.questions += meant.questions
    outline.written, outline.no_classes = meant.written(), meant.no_classes
    order = [n for name in names if isinstance(each := meant.meanings[name], tuple) for n in each]
    merged = list(dict.fromkeys(order))
    place = {name: at for at, name in enumerate(merged)}
    move = np.full(k, -1, np.int64)
    for code, name in enumerate(names):
        meaning = meant.meanings[name]
        if isinstance(meaning, BadRow):
            rows = np.flatnonzero(source.labels == code).tolist()
            source.left_out |= dict.fromkeys(rows, meaning)
            outline.leave_out(written[name], "rows", meaning, f"“{name[:40]}”")
            continue
        move[code] = place[meaning[0]]
        outline.counts[meaning[0]] += written[name]
        if len(meaning) > 1:
            rows = np.flatnonzero(source.labels == code).tolist()
            source.also |= dict.fromkeys(rows, tuple(place[each] for each in meaning))
    if not valid.all():
        outline.leave_out(
            int((~valid).sum()),
            "rows",
            _no_such_class(k),
        )
    source.no_such_class = _no_such_class(k)
    source.labels = np.where(valid, move[np.where(valid, source.labels, 0)], source.labels)
    if source.truth is not None:
        source.truth = move[source.truth]
    source.class_names = merged


def _no_such_class(k: int) -> BadRow:
    return BadRow(
        f"The label is none of the {k:,} classes (0 to {k - 1:,}).",
        "Correct “labels”, or complete “class_names”.",
    )
