"""Folders that torchvision downloads: CIFAR's pickled batches, MNIST's idx files. No pickle runs.

The folder itself, or the root that torchvision was given, can be chosen. Train and test parts are
read together; an id is the part and the index in it, as torchvision counts: `train-00042`.
"""

from __future__ import annotations

import gzip
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from lnl_core.data import images as pictures
from lnl_core.data import pickles
from lnl_core.data.archives import MAX_RATIO, RATIO_FREE
from lnl_core.data.files import working_plan
from lnl_core.data.reading.outline import EXAMPLES, Outline
from lnl_core.data.writing import Expected, Plan, Row, Skipped
from lnl_core.types import ByteArray, IntArray, LnlError

CIFAR = {
    "cifar-10-batches-py": (
        "batches.meta",
        "label_names",
        "labels",
        [("train", f"data_batch_{i}") for i in range(1, 6)] + [("test", "test_batch")],
    ),
    "cifar-100-python": (
        "meta",
        "fine_label_names",
        "fine_labels",
        [("train", "train"), ("test", "test")],
    ),
}
"""Folder -> (file of names, their key, key of the labels, parts and their files)."""

FASHION = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_IDX = {"MNIST": None, "FashionMNIST": FASHION, "KMNIST": None}
_IDX_PARTS = (("train", "train"), ("test", "t10k"))
_CIFAR_SIDE = 32
_BLOCK_BYTES = 2**22
_SIDE = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a set: `blocks` yields (m, h, w, c) images, `labels` (m,) belong to all."""

    split: str
    labels: IntArray
    blocks: Callable[[], Iterator[ByteArray]]


@dataclass(slots=True)
class VisionSource:
    """A set in torchvision's own files; see `writing.Source`."""

    parts: Sequence[Part]
    class_names: Sequence[str]
    shape: tuple[int, int, int]
    format: str
    outline: Outline = field(default_factory=Outline)
    has_truth: bool = False
    kind: str = "torchvision"
    root: Path | None = None

    @property
    def total(self) -> int:
        """Number of images in all parts."""
        return sum(len(part.labels) for part in self.parts)

    def plan(self, size: int | None) -> Plan:
        """Choose the working resolution: the set's own, unless told otherwise."""
        height, width, channels = self.shape
        return working_plan([(height, width)], channels, size, self.format)

    def rows(self, plan: Plan) -> Iterator[Row | Skipped]:
        """Yield the images in order, train before test."""
        size, k = (plan.height, plan.width), len(self.class_names)
        number, counted = -1, dict.fromkeys((part.split for part in self.parts), 0)
        for part in self.parts:
            at = 0
            for block in part.blocks():
                for pixels in block:
                    number += 1
                    name = f"{part.split}-{counted[part.split]:05d}"
                    counted[part.split] += 1
                    label = int(part.labels[at])
                    at += 1
                    if not 0 <= label < k:
                        yield _no_such_class(name, label, k, number)
                        continue
                    image = pictures.fit(pixels, size, plan.channels)
                    yield Row(name, image, label, split=part.split)

    def expected(self) -> Iterator[Expected | Skipped]:
        """Yield what will come of each image."""
        number, counted = -1, dict.fromkeys((part.split for part in self.parts), 0)
        for part in self.parts:
            for label in part.labels.tolist():
                number += 1
                name = f"{part.split}-{counted[part.split]:05d}"
                counted[part.split] += 1
                if 0 <= label < len(self.class_names):
                    yield Expected(label, part.split)
                else:
                    yield _no_such_class(name, label, len(self.class_names), number)

    def examples(self) -> dict[str, list[tuple[str, Path | ByteArray]]]:
        """Return a few images of each class, of the first block."""
        kept: dict[str, list[tuple[str, Path | ByteArray]]] = {}
        part = self.parts[0]
        block = next(iter(part.blocks()))
        for at, (pixels, label) in enumerate(zip(block, part.labels, strict=False)):
            if 0 <= label < len(self.class_names):
                few = kept.setdefault(self.class_names[int(label)], [])
                if len(few) < EXAMPLES:
                    few.append((f"{part.split}-{at:05d}", np.array(pixels)))
        return kept


def _no_such_class(name: str, label: int, k: int, number: int) -> Skipped:
    why = f"The label {label} is none of the {k:,} classes."
    return Skipped(name, why, "Download the set again.", number)


def find(folder: Path) -> tuple[str, Path] | None:
    """Return (name of the form, its folder) where torchvision's files are there, else None.

    Raises:
        LnlError: several sets are there, or one without all of its files.
    """
    forms: list[tuple[str, Path]] = []
    for place in (folder, *(folder / name for name in CIFAR)):
        for name, (meta, _, _, files) in CIFAR.items():
            needed = [meta, *(file for _, file in files)]
            missing = [file for file in needed if not _is_file(place / file)]
            if not missing and (place == folder or place.name == name):
                forms.append((name, place))
            elif place.name == name and len(missing) < len(needed):
                raise LnlError(
                    f"{place} has no {', '.join(missing)}. Download the set again, or unpack it "
                    "whole."
                )
    for place in (folder, folder / "raw", *(folder / name / "raw" for name in _IDX)):
        if _idx_file(place, "train-images-idx3-ubyte") is not None:
            forms.append(("idx", place))
    if len(forms) > 1:
        names = ", ".join(sorted(os.path.relpath(place, folder) for _, place in forms))
        raise LnlError(f"Several sets are in {folder}: {names}. Choose the folder of one.")
    return forms[0] if forms else None


def _is_file(path: Path) -> bool:
    return path.is_file()


def scan(folder: Path, class_map: Mapping[str, str] | None = None) -> VisionSource:
    """Read names and labels of a set; its images are read later, block by block.

    Raises:
        LnlError: none is there, or a file is damaged or holds something else.
    """
    form_and_place = find(folder)
    if form_and_place is None:
        raise LnlError(f"{folder} holds no files of torchvision. Choose another folder.")
    form, place = form_and_place
    source = _scan_idx(place) if form == "idx" else _scan_cifar(place, form)
    splits = list(dict.fromkeys(part.split for part in source.parts))
    if len(splits) > 1:
        source.outline.notes.append(f"Read together: {', '.join(splits)}; an id says which.")
    source = _renamed(source, class_map) if class_map else source
    source.outline.files = [os.path.relpath(place, folder)]
    k = len(source.class_names)
    for part in source.parts:
        valid = part.labels[(part.labels >= 0) & (part.labels < k)]
        for name, count in zip(source.class_names, np.bincount(valid, minlength=k), strict=True):
            source.outline.counts[name] += int(count)
        known = source.outline.splits.get(part.split, 0)
        source.outline.splits[part.split] = known + len(part.labels)
    return source


def _renamed(source: VisionSource, class_map: Mapping[str, str]) -> VisionSource:
    names = [class_map.get(name, name) for name in source.class_names]
    merged = list(dict.fromkeys(names))
    move = np.array([merged.index(name) for name in names])
    k = len(names)
    source.parts = [
        Part(
            part.split,
            np.where((part.labels >= 0) & (part.labels < k), move[part.labels.clip(0, k - 1)], -1),
            part.blocks,
        )
        for part in source.parts
    ]
    source.class_names = merged
    return source


def _scan_cifar(place: Path, form: str) -> VisionSource:
    meta, names_key, labels_key, files = CIFAR[form]
    names = _batch(place / meta).get(names_key)
    if not isinstance(names, list) or not all(isinstance(n, str) and n.strip() for n in names):
        raise LnlError(f"{meta} has no list “{names_key}”. Download the set again.")
    parts = []
    for split, file in files:
        numbers = _numbers(_batch(place / file).get(labels_key))
        if not len(numbers):
            raise LnlError(f"{file} has no list “{labels_key}”. Download the set again.")
        parts.append(Part(split, numbers, _cifar_blocks(place / file, len(numbers))))
    return VisionSource(parts, names, (_CIFAR_SIDE, _CIFAR_SIDE, 3), "CIFAR batches")


def _numbers(labels: object) -> IntArray:
    """Return (n,) labels; none where it is no flat list: numpy would unfold lists of lists."""
    flat = isinstance(labels, list) and all(type(label) is int for label in labels)
    if not flat and not (isinstance(labels, np.ndarray) and labels.ndim == 1):
        return np.zeros(0, np.int64)
    try:
        return np.asarray(labels, np.int64)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0, np.int64)


def _batch(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as stream:
            batch = pickles.read(stream, path.name)
    except OSError as error:
        raise LnlError(f"{path} cannot be opened: {error.strerror}. Check the path.") from error
    if not isinstance(batch, dict):
        raise LnlError(f"{path.name} is no batch of CIFAR. Download the set again.")
    return batch


def _cifar_blocks(path: Path, count: int) -> Callable[[], Iterator[ByteArray]]:
    def blocks() -> Iterator[ByteArray]:
        data = _batch(path).get("data")
        shape = (count, 3 * _CIFAR_SIDE**2)
        if not isinstance(data, np.ndarray) or data.shape != shape or data.dtype != np.uint8:
            raise LnlError(f"{path.name} does not hold {shape} bytes. Download the set again.")
        yield data.reshape(count, 3, _CIFAR_SIDE, _CIFAR_SIDE).transpose(0, 2, 3, 1)

    return blocks


# MNIST and its kin ----------------------------------------------------------------------------


def _idx_file(place: Path, name: str) -> Path | None:
    """Find an idx file, gzipped or not."""
    return next((p for p in (place / name, place / f"{name}.gz") if _is_file(p)), None)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _header(stream: IO[bytes], path: Path, dimensions: int) -> tuple[int, ...]:
    head = stream.read(4 + 4 * dimensions)
    if len(head) != 4 + 4 * dimensions or head[:4] != bytes((0, 0, 8, dimensions)):
        raise LnlError(f"{path.name} is no idx file of bytes. Download the set again.")
    return tuple(struct.unpack(f">{dimensions}I", head[4:]))


def _scan_idx(place: Path) -> VisionSource:
    names: Sequence[str] | None = None
    for ancestor in (place.parent.name, place.name):
        names = names or _IDX.get(ancestor)
    parts, shapes = [], set()
    for split, prefix in _IDX_PARTS:
        images = _idx_file(place, f"{prefix}-images-idx3-ubyte")
        labels = _idx_file(place, f"{prefix}-labels-idx1-ubyte")
        if images is None or labels is None:
            if images is not None:
                raise LnlError(f"{images.name} has no labels beside it. Download the set again.")
            continue
        try:
            with _open(images) as stream:
                count, height, width = _header(stream, images, 3)
                _refuse_bomb(images, count * height * width)
            with _open(labels) as stream:
                (labelled,) = _header(stream, labels, 1)
                _refuse_bomb(labels, labelled)
                given = np.frombuffer(stream.read(labelled), np.uint8).astype(np.int64)
        except (OSError, EOFError, zlib.error) as error:
            raise LnlError(f"A file of {place} is damaged. Download the set again.") from error
        if count != labelled or len(given) != count:
            raise LnlError(
                f"{images.name} has {count:,} images, {labels.name} {len(given):,} labels. "
                "Download the set again."
            )
        if not (0 < height <= _SIDE and 0 < width <= _SIDE and count):
            raise LnlError(f"{images.name} holds no images. Download the set again.")
        shapes.add((height, width))
        parts.append(Part(split, given, _idx_blocks(images, count, height, width)))
    if len(shapes) != 1:
        raise LnlError(f"The parts in {place} differ in size. Choose the folder of one set.")
    (size,) = shapes
    if names is None:
        names = [str(i) for i in range(max(int(part.labels.max()) for part in parts) + 1)]
    return VisionSource(parts, list(names), (*size, 1), "idx files")


def _refuse_bomb(file: Path, size: int) -> None:
    """Refuse a file that says it unpacks to far more than it is."""
    if size > RATIO_FREE and size > MAX_RATIO * file.stat().st_size:
        raise LnlError(f"{file.name} looks like a zip bomb. Download the set again.")


def _idx_blocks(
    path: Path, count: int, height: int, width: int
) -> Callable[[], Iterator[ByteArray]]:
    def blocks() -> Iterator[ByteArray]:
        try:
            with _open(path) as stream:
                _header(stream, path, 3)
                step = max(1, _BLOCK_BYTES // (height * width))
                for start in range(0, count, step):
                    rows = min(step, count - start)
                    data = stream.read(rows * height * width)
                    if len(data) != rows * height * width:
                        raise LnlError(f"{path.name} is cut off. Download the set again.")
                    yield np.frombuffer(data, np.uint8).reshape(rows, height, width, 1)
        except (OSError, EOFError, zlib.error) as error:
            raise LnlError(f"{path.name} is damaged. Download the set again.") from error

    return blocks
