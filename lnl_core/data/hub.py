"""Parquet with the images in it, as the Hugging Face hub stores a set: struct{bytes, path}, labels.

The names of the classes come from the features in the schema's metadata (`ClassLabel`). Shards are
read together, each in the split of its name: `train-00000-of-00002.parquet`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import hub_columns, hub_shards, images
from lnl_core.data.files import WORKERS, working_plan
from lnl_core.data.hub_columns import Beside
from lnl_core.data.hub_features import class_names, written
from lnl_core.data.images import ImageError
from lnl_core.data.reading import pixels
from lnl_core.data.reading.column_names import COLUMNS
from lnl_core.data.reading.expecting import UP_TO
from lnl_core.data.reading.labels import Labels, understood
from lnl_core.data.reading.outline import EXAMPLES, Outline
from lnl_core.data.tables import BadRow, visible
from lnl_core.data.writing import Expected, Plan, Row, Skipped
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import ByteArray, LnlError

_ROWS = 64
_SAMPLE = 128
_NO_BYTES = ("The image's bytes are not in the file.", "Store the images in it, or as files.")
_DAMAGED = "Copy or download it again."
_OPENED_BYTES = 2**28
"""Shards of more than this are not gone through for a reading."""

_Read = Callable[[bytes | None], "tuple[ByteArray, bytes] | ImageError"]


@dataclass(slots=True)
class HubSource:
    """A set in Parquet shards; see `writing.Source`.

    Attributes:
        files: the shards.
        splits: of each shard, "" where its name says none.
        columns: of images and of labels.
        names: what numbers of the label stand for in each shard, None where they are the names.
        beside: the columns of ids and splits.
        features: column -> what its numbers stand for.
    """

    files: Sequence[Path]
    splits: Sequence[str]
    columns: tuple[str, str]
    names: Sequence[Sequence[str] | None]
    total: int
    class_names: list[str]
    labels: Labels
    outline: Outline = field(default_factory=Outline)
    beside: Beside = field(default_factory=Beside)
    features: Mapping[str, Sequence[str]] = field(default_factory=dict)
    has_truth: bool = False
    kind: str = "hub"
    root: Path | None = None
    stretch: str = ""

    def plan(self, size: int | None) -> Plan:
        """Choose the working resolution from the headers of the first images of every shard."""
        sample = [data for _, data in self._sample()]
        probes = []
        for data in sample:
            try:
                probes.append(images.probe(data))
            except ImageError:
                continue
        gray = bool(probes) and all(probe.gray for probe in probes)
        words = ", ".join(name for name, _ in Counter(p.format for p in probes).most_common(3))
        sizes = [(probe.height, probe.width) for probe in probes]
        plan = working_plan(sizes, 1 if gray else 3, size, words)
        found = pixels.measured(sample, self.stretch)
        question = found.question(self.stretch)
        self.outline.questions += [question] if question is not None else []
        self.outline.notes += found.notes
        return plan if self.stretch == "file" else replace(plan, contrast=found.contrast)

    def _sample(self) -> list[tuple[str, bytes]]:
        """Return (class or "", bytes) of some images, evenly over the shards."""
        each = max(1, _SAMPLE // max(len(self.files), 1))
        kept = []
        for at in range(len(self.files)):
            for cell, label, *_ in islice(self._cells(at), each):
                data = _data_of(cell)[0]
                meaning = self.labels.meanings.get(label)
                if data:
                    kept.append((meaning[0] if isinstance(meaning, tuple) else "", data))
        return kept

    def _cells(self, at: int) -> Iterator[tuple[Any, str, str, str]]:
        """Yield (image's cell, label as written, id, split) of every row of one shard."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file, names = self.files[at], self.names[at]
        try:
            with pq.ParquetFile(file) as table:
                wanted = list(dict.fromkeys([*self.columns, *self.beside.columns]))
                for batch in table.iter_batches(_ROWS, columns=wanted):
                    for row in batch.to_pylist():
                        image, label = (row[name] for name in self.columns)
                        identity, split = self.beside.of_row(row, self.features)
                        yield image, written(label, names), identity, split or self.splits[at]
        except (pa.ArrowException, OSError) as error:
            raise LnlError(f"{file.name} is damaged. {_DAMAGED}") from error

    def examples(self) -> dict[str, list[tuple[str, Path | ByteArray]]]:
        """Return a few images of each class, of the first ones of every shard."""
        kept: dict[str, list[tuple[str, Path | ByteArray]]] = {}
        for at, (name, data) in enumerate(self._sample()):
            few = kept.setdefault(name, [])
            if name and len(few) < EXAMPLES:
                try:
                    few.append((f"row {at}", images.decode(data, 96, channels=3)))
                except ImageError:
                    continue
        return kept

    def expected(self) -> Iterator[Expected | Skipped] | None:
        """Yield what will come of each row, by the headers; None where that is open, or much."""
        large = sum(file.stat().st_size for file in self.files) > _OPENED_BYTES
        return self._expected() if not large and 0 < self.total <= UP_TO else None

    def _expected(self) -> Iterator[Expected | Skipped]:
        for fate in self._fates(_probed):
            yield fate if isinstance(fate, Skipped) else Expected(fate.label, fate.split)

    def rows(self, plan: Plan) -> Iterator[Row | Skipped]:
        """Decode with several threads; what comes out is in order."""
        return self._fates(lambda data: _decoded(data, plan))

    def _fates(self, read: _Read) -> Iterator[Row | Skipped]:
        """Yield what becomes of each row, its image as `read` says."""
        label_of = {name: label for label, name in enumerate(self.class_names)}
        seen: set[str] = set()
        number = -1
        with ThreadPoolExecutor(WORKERS, "decode") as pool:
            for at in range(len(self.files)):
                rows = self._cells(at)
                while some := list(islice(rows, _ROWS)):
                    decoded = pool.map(lambda row: read(_data_of(row[0])[0]), some)
                    for (cell, label, told, split), image in zip(some, list(decoded), strict=True):
                        number += 1
                        name = told if told and told not in seen else _data_of(cell)[1]
                        identity = name if name and name not in seen else f"{number:07d}"
                        meaning = self.labels.meanings.get(label)
                        yield _row(identity, number, image, meaning, label_of, split)
                        seen.add(identity)


def _row(
    identity: str,
    number: int,
    image: tuple[ByteArray, bytes] | ImageError,
    meaning: tuple[str, ...] | BadRow | None,
    label_of: Mapping[str, int],
    split: str,
) -> Row | Skipped:
    if not meaning:
        meaning = BadRow("The label is blank.", "Write its class into this row.")
    if isinstance(meaning, BadRow):
        return Skipped(identity, meaning.reason, meaning.remedy, number)
    if isinstance(image, ImageError):
        return Skipped(identity, image.reason, image.remedy, number, lost=True)
    classes = tuple(label_of[name] for name in meaning)
    return Row(
        identity,
        image[0],
        classes[0],
        file_digest=image[1],
        split=split,
        also=classes if len(classes) > 1 else (),
    )


def _data_of(cell: Any) -> tuple[bytes | None, str]:
    """Return (bytes, name of the file) of an image's cell."""
    if isinstance(cell, dict):
        return cell.get("bytes"), visible(str(cell.get("path") or ""))
    return cell, ""


def _probed(data: bytes | None) -> tuple[ByteArray, bytes] | ImageError:
    """Return nothing of an image whose header is one, else why it cannot be read."""
    if not data:
        return ImageError(*_NO_BYTES)
    try:
        images.check(data)
    except ImageError as error:
        return error
    return np.zeros((0, 0, 1), np.uint8), b""


def _decoded(data: bytes | None, plan: Plan) -> tuple[ByteArray, bytes] | ImageError:
    if not data:
        return ImageError(*_NO_BYTES)
    try:
        image = images.decode(data, (plan.height, plan.width), contrast=plan.contrast)
    except ImageError as error:
        return error
    return image, hashlib.sha256(data).digest()


def scan(
    shards: hub_shards.Shards,
    class_map: Mapping[str, str] | None = None,
    answers: Answers | None = None,
) -> HubSource:
    """Read the labels of shards; their images are read later, batch by batch.

    Raises:
        LnlError: a shard is damaged, or has no such column.
    """
    said = answers or Answers()
    files = shards.files
    schema = hub_shards.schema_of(files[0])
    image, asked = hub_shards.image_column(files[0], schema, said)
    splits = [hub_shards.split_of(file, shards.top) for file in files]
    outline = Outline(files=[file.name for file in files], questions=[*shards.questions])
    outline.notes += shards.notes
    outline.questions += [asked] if asked is not None else []
    first = any(each.is_open for each in outline.questions)  # before anything is read
    label, question = (None, None) if first else _label_column(files[0], schema, image, said)
    outline.questions += [question] if question is not None else []
    if label is None:
        here = (files[:1], splits[:1], (image, image), [None])
        return HubSource(*here, 0, [], Labels({}), outline)
    schemas = [hub_shards.schema_of(file) or schema for file in files]
    free = [str(name) for name in schema.names if name not in (image, label)]
    everywhere = [name for name in free if all(name in each.names for each in schemas)]
    features = class_names(schema)
    beside = hub_columns.found(files, everywhere, features, splits, said)
    outline.questions += beside.questions
    read = {"id": beside.id, "split": beside.split}
    outline.columns = {"image": image, "label": label} | {k: v for k, v in read.items() if v}
    unsaid = [n for n in free if n not in beside.columns and not _named(n, beside.notes)]
    outline.notes += [*beside.notes, *_unread(unsaid)]
    names = [class_names(each).get(label) for each in schemas]
    counts, total = _counted(files, label, names)
    blank = counts.pop("", 0)
    if blank:
        why = BadRow("The label is blank, or a number without a name.", "Write its class.")
        outline.leave_out(blank, "rows", why)
    meant_by = understood(counts, said, class_map=class_map, from_cells=names[0] is None)
    outline.questions += meant_by.questions
    outline.written, outline.no_classes = meant_by.written(), meant_by.no_classes
    for each, count in counts.items():
        meaning = meant_by.meanings[each]
        if isinstance(meaning, BadRow):
            outline.leave_out(count, "rows", meaning, f"“{each[:40]}”")
        else:
            outline.counts[meaning[0]] += count
    outline.splits = hub_columns.counted(files, beside, features, splits)
    outline.notes.append("The images are inside the Parquet file: Review shows the working copies.")
    order = meant_by.class_names
    listed = list(dict.fromkeys(name for each in names for name in each or ()))
    order = [n for n in listed if n in order] + [n for n in order if n not in listed]
    if not order:
        raise LnlError(f"No row of {files[0].name} has a label. Fill them in.")
    return HubSource(
        files, splits, (image, label), names, total, order, meant_by, outline, beside, features
    )


def _quoted(name: str) -> str:
    return f"“{visible(name)[:40]}”"


def _named(name: str, notes: Sequence[str]) -> bool:
    return any(_quoted(name) in each for each in notes)


def _unread(names: Sequence[str]) -> list[str]:
    """Name the columns that nothing is read from."""
    others = [_quoted(name) for name in names]
    if not others:
        return []
    more = f" and {len(others) - 12} more" if len(others) > 12 else ""
    said = "Column" if len(others) == 1 else "Columns"
    verb = "is" if len(others) == 1 else "are"
    return [f"{said} {', '.join(others[:12])}{more} {verb} not read."]


def _counted(
    files: Sequence[Path], label: str, names: Sequence[Sequence[str] | None]
) -> tuple[Counter[str], int]:
    """Return (label as written -> rows, all rows)."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    counts, total = Counter[str](), 0
    for file, named in zip(files, names, strict=True):
        try:
            with pq.ParquetFile(file) as table:
                for batch in table.iter_batches(65_536, columns=[label]):
                    cells = [written(each, named) for each in batch.column(label).to_pylist()]
                    counts.update(cells)
                    total += len(cells)
        except (pa.ArrowException, OSError, KeyError) as error:
            raise LnlError(f"{file.name} has no column “{label}”, or is damaged.") from error
    return counts, total


def _label_column(
    file: Path, schema: Any, image: str, said: Answers
) -> tuple[str | None, Question | None]:
    """Return the column of labels, and the question where it is not plain."""
    others = [str(name) for name in schema.names if name != image]
    if said.label_column:
        return hub_columns.as_named(file, said.label_column, others), None
    named = [name for name in others if name in class_names(schema)]
    known = [each for word in COLUMNS["label"] for each in others if each.lower() == word]
    candidates = named or known
    if len(candidates) == 1 or "label" in candidates:
        return ("label" if "label" in candidates else candidates[0]), None
    asked = candidates or others
    return None, Question(
        "label_column",
        f"{file.name} has "
        + ("several columns of classes" if candidates else "no column “label”")
        + f": {', '.join(f'“{visible(each)[:40]}”' for each in asked[:12])}. Which one has the "
        "labels?",
        tuple(Choice(each, str(schema.field(each).type)[:40]) for each in asked[:40]),
        stops=True,
    )
