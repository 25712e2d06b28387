"""A data set written row by row, so that memory does not grow with it.

What is written lies in a hidden folder until `finish` renames it: nobody sees half a set.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np

from lnl_core.data import content, copies
from lnl_core.data.contrast import Contrast
from lnl_core.data.reading.outline import Outline
from lnl_core.records import file_size
from lnl_core.store.arrays import write_array, write_json
from lnl_core.store.datasets import COPIES_FOUND, JUDGED_LABELS, LISTED, TRUE_LABELS
from lnl_core.store.table import read_table, splits_of
from lnl_core.types import ByteArray, LnlError

_BATCH = 65_536
_HEADER = 128


@dataclass(frozen=True, slots=True)
class Skipped:
    """One thing that was left out: where (a file, or what a row names), why, and what helps.

    `lost` says that the image is not there or cannot be read, whatever its label.
    """

    where: str
    reason: str
    remedy: str
    row: int | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Expected:
    """An image that will come in: the number of its class, and its split."""

    label: int
    split: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One image on its way in: `image` is (h, w, 1 or 3) uint8, `path` relative to the root.

    `file_digest` is `content.file_digest` of its file, empty where it has none. `also` are all
    the labels of an image that came with several, its own first.
    """

    id: str
    image: ByteArray
    label: int
    path: str | None = None
    true_label: int | None = None
    file_digest: bytes = b""
    split: str = ""
    also: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The working resolution: `height` and `width` in pixels, `channels` 1 or 3.

    `contrast` says which values are black and white, where the format does not.
    """

    height: int
    width: int
    channels: int
    format: str
    contrast: Contrast | None = None


class Source(Protocol):
    """Something that can be imported, its outline read, its images not yet.

    Attributes:
        kind: `folder`, `manifest` or `npz`.
        root: folder that the paths start from, None for arrays.
        total: number of rows that will come, skipped ones included.
        class_names: (k,) index = label.
        has_truth: True where rows have a true label, all of them or some.
        outline: what was understood of it, and what is asked.
    """

    @property
    def kind(self) -> str: ...  # noqa: D102
    @property
    def root(self) -> Path | None: ...  # noqa: D102
    @property
    def total(self) -> int: ...  # noqa: D102
    @property
    def class_names(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def has_truth(self) -> bool: ...  # noqa: D102
    @property
    def outline(self) -> Outline: ...  # noqa: D102

    def plan(self, size: int | None) -> Plan:
        """Choose the working resolution from headers, `size` overriding it."""
        ...

    def expected(self) -> Iterator[Expected | Skipped] | None:
        """Yield what will come of each row, undecoded; None where that would take too long."""
        ...

    def examples(self) -> Mapping[str, Sequence[tuple[str, Path | ByteArray]]]:
        """Return a few images of each class, as (where, the file or the pixels)."""
        ...

    def rows(self, plan: Plan) -> Iterator[Row | Skipped]:
        """Yield every row in order, decoded, or what it was skipped for."""
        ...


@dataclass(slots=True)
class SetWriter:
    """Writes the folder that `store.datasets.register` adopts. Use it as a context manager."""

    target: Path
    plan: Plan
    total: int
    has_truth: bool
    part: Path = field(init=False)
    n: int = field(init=False, default=0)
    skipped: int = field(init=False, default=0)
    reasons: Counter[tuple[str, str]] = field(init=False, default_factory=Counter)
    firsts: dict[tuple[str, str], str] = field(init=False, default_factory=dict)
    channels: int = field(init=False, default=1)
    copies: list[str] = field(init=False, default_factory=list)
    lost: int = field(init=False, default=0)
    _also: list[tuple[int, int]] = field(init=False, default_factory=list)
    _labels: array[int] = field(init=False)
    _truth: array[int] = field(init=False)
    _pixels: bytearray = field(init=False, default_factory=bytearray)
    _files: bytearray = field(init=False, default_factory=bytearray)
    _digest: Any = field(init=False)
    _images: Any = field(init=False)
    _table: _Table = field(init=False)
    _left_out: _Table = field(init=False)

    def __enter__(self) -> Self:
        self.part = part_of(self.target)
        self.part.mkdir(parents=True, exist_ok=True)
        self.channels = self.plan.channels
        need = self.total * self.plan.height * self.plan.width * self.channels
        free = shutil.disk_usage(self.part).free
        if need > free:
            raise LnlError(
                f"The working copy needs {file_size(need)}, the disk of {self.part.parent} has "
                f"{file_size(free)} free. Free some, or choose a smaller working resolution."
            )
        self._labels, self._truth = array("i"), array("i")
        self._digest = hashlib.blake2b(digest_size=16)
        self._images = (self.part / "images.npy").open("w+b")
        self._images.write(b"\0" * _HEADER)
        self._table = _Table(self.part / "table.parquet", {"id": str, "path": str, "split": str})
        self._left_out = _Table(
            self.part / "skipped.parquet", {"row": int, "where": str, "reason": str, "remedy": str}
        )
        return self

    def __exit__(self, *_: object) -> None:
        for each in (self._images, self._table, self._left_out):
            with suppress(OSError):  # a full disk: the error that came first says so
                each.close()
        shutil.rmtree(self.part, ignore_errors=True)

    def add(self, row: Row) -> None:
        """Append one image.

        Raises:
            LnlError: the disk is full.
        """
        image = row.image
        pixels = content.pixel_digest(image)
        self._digest.update(f"{image.shape}{row.label},{row.true_label},{row.id}\0".encode())
        self._digest.update(pixels)
        self._pixels += pixels
        self._files += row.file_digest or bytes(content.FILE_BYTES)
        if image.shape[2] > self.channels:
            self._widen()
        if image.shape[2] < self.channels:
            image = np.repeat(image, self.channels, axis=2)
        try:
            self._images.write(np.ascontiguousarray(image).data)
        except OSError as error:
            raise disk_error(error) from error
        self._labels.append(row.label)
        if self.has_truth:
            self._truth.append(-1 if row.true_label is None else row.true_label)
        self._table.add(row.id, row.path, row.split or None)
        self._also += [(self.n, label) for label in row.also]
        self.n += 1

    def skip(self, skipped: Skipped) -> None:
        """Note what was left out."""
        key = (skipped.reason, skipped.remedy)
        self.reasons[key] += 1
        self.firsts.setdefault(key, skipped.where)
        self._left_out.add(skipped.row, skipped.where, skipped.reason, skipped.remedy)
        self.skipped += 1
        self.lost += skipped.lost

    def _widen(self) -> None:
        """Turn a gray file into a colour one: the first colour image came after gray ones."""
        self.channels = 3
        wide = (self.part / "wide.npy").open("w+b")
        wide.write(b"\0" * _HEADER)
        self._images.seek(_HEADER)
        while block := self._images.read(2**22):
            wide.write(np.repeat(np.frombuffer(block, np.uint8), 3).data)
        self._images.close()
        os.replace(self.part / "wide.npy", self.part / "images.npy")
        self._images = wide

    @property
    def all_true(self) -> bool:
        """True where every image that came in has a true label."""
        return self.has_truth and -1 not in self._truth

    def counts(self, k: int) -> list[int]:
        """Return how many images each of the k classes has."""
        counts = np.bincount(np.frombuffer(self._labels, np.int32), minlength=k)
        return [int(count) for count in counts]

    def finish(self, meta: Mapping[str, Any]) -> str:
        """Close the files, write `meta.json`, make the folder visible; return the version.

        Raises:
            LnlError: the disk is full.
        """
        shape = (self.n, self.plan.height, self.plan.width, self.channels)
        names = list(meta["class_names"])
        self._digest.update(json.dumps([shape, names]).encode())
        version = str(self._digest.hexdigest())
        try:
            self._images.seek(0)
            self._images.write(_npy_header(shape))
            self._images.flush()
            os.fsync(self._images.fileno())
            self._images.close()
            self._table.close()
            self._left_out.close()
            write_array(self.part / "given_labels.npy", np.frombuffer(self._labels, np.int32))
            if self.has_truth:
                name = TRUE_LABELS if self.all_true else JUDGED_LABELS
                write_array(self.part / name, np.frombuffer(self._truth, np.int32))
            if self._also:
                rows = np.array(self._also, np.int32)
                write_array(self.part / LISTED, rows)
            outline = {
                "n": self.n,
                "height": self.plan.height,
                "width": self.plan.width,
                "channels": self.channels,
                "skipped": self.skipped,
                "version": version,
            }
            content.write(self.part, self._pixels, self._files)
            none = [names.index(name) for name in meta.get("no_classes", ())]
            groups = copies.noted(self.part)
            coded = splits_of(read_table(self.part / "table.parquet"))
            labels = np.frombuffer(self._labels, np.int32)
            counted = copies.summary(groups, labels, none, None if coded is None else coded[1])
            self.copies = copies.notes(counted)
            outline[COPIES_FOUND] = {"rule": copies.RULE, "of": self.n} | counted
            outline["notes"] = list(meta.get("notes", ()))
            write_json(self.part / "meta.json", dict(meta) | outline)
            if self.target.is_dir():
                self.target.rmdir()  # an empty folder may stand there; anything else may not
            os.replace(self.part, self.target)
        except OSError as error:
            raise disk_error(error) from error
        return version


def part_of(target: Path) -> Path:
    """Return the hidden folder in which `target` is made."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def disk_error(error: OSError) -> LnlError:
    """Say what a failed write means."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return LnlError("The disk is full. Free space, or set LNL_HOME to another disk.")
    return LnlError(f"The import cannot be written: {error.strerror or error}. Check the disk.")


def _npy_header(shape: tuple[int, ...]) -> bytes:
    """Return the head of an uint8 .npy file, always `_HEADER` bytes."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"
    body = text.ljust(_HEADER - 11).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(body).to_bytes(2, "little") + body


class _Table:
    """A Parquet file that is written in batches."""

    def __init__(self, path: Path, columns: Mapping[str, type]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        kinds = {str: pa.string(), int: pa.int64()}
        self._schema = pa.schema([(name, kinds[kind]) for name, kind in columns.items()])
        self._writer: Any = pq.ParquetWriter(path, self._schema)
        self._rows: list[tuple[Any, ...]] = []

    def add(self, *values: Any) -> None:
        self._rows.append(values)
        if len(self._rows) == _BATCH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in self._schema]
        arrays = [
            pa.array(values, field.type)
            for values, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(pa.table(arrays, schema=self._schema))
        self._rows.clear()

    def close(self) -> None:
        if self._writer is not None:
            try:
                self._flush()
            finally:
                self._writer.close()
                self._writer = None
