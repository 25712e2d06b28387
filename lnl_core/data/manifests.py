"""A list of images as CSV, Parquet or JSON lines: columns image, label and perhaps id, true_label.

Hugging Face's imagefolder is one of them: `metadata.csv` or `metadata.jsonl` with `file_name`, in
the folder of the images or one in every split's folder.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lnl_core.data import tables
from lnl_core.data.files import FileSource, Item, Sample, locate, storable
from lnl_core.data.reimport import unprotect
from lnl_core.data.tables import BadRow, Cells, natural, visible
from lnl_core.data.writing import Skipped
from lnl_core.types import LnlError

COLUMNS = {
    "image": ("image", "path", "file", "file_name", "filename", "file_path", "filepath"),
    "label": ("label", "given_label", "class", "class_name", "category"),
    "id": ("id", "image_id"),
    "true_label": ("true_label",),
    "lnl_verdict": ("lnl_verdict",),
}
"""Name here -> header accepted; `lnl_verdict` marks a list that this program wrote."""

REQUIRED = ("image", "label")
SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl")
MAX_CLASSES = 100_000

_TWICE = ("The id is used twice; the first one was kept.", "Give every row an id of its own.")
_LISTED_TWICE = (
    "The image is listed twice; the first row was kept.",
    "Take one row out, or give each an id.",
)


def scan(
    file: Path | Sequence[Path],
    root: Path | None = None,
    class_map: Mapping[str, str] | None = None,
) -> FileSource:
    """Read a list once, without opening any image.

    Args:
        file: `.parquet`, `.jsonl`, or CSV in UTF-8 (UTF-16 with its mark), separated by , ; tab
            or |. Several lists, each in a folder of one parent, are read together.
        root: folder that the paths start from; the list's own folder when None.
        class_map: label as written -> class name, for labels to rename or merge.

    Raises:
        LnlError: no table, no such columns, a wrong encoding, or no such folder.
    """
    files = [file] if isinstance(file, Path) else list(file)
    own = files[0].parent.parent if len(files) > 1 else files[0].parent
    home = (root or own).expanduser().resolve()
    if not home.is_dir():
        raise LnlError(f"{home} is not a folder. Say where the images of {files[0].name} lie.")
    listed = _Listed(files, home, class_map or {})
    counted = listed.count()
    kept = [
        place[0]
        for cell in counted.sample.kept
        if not isinstance(place := locate(home, cell), BadRow)
    ]
    return FileSource(
        "manifest",
        home,
        counted.total,
        counted.class_names,
        lambda: listed.items(counted),
        kept,
        counted.has_truth,
        counted.notes,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """What a first pass over a list finds.

    Attributes:
        total: rows, those that cannot be used included.
        class_names: in natural order.
        sample: some of its paths.
        has_truth: a usable row has a true label, perhaps not every one.
        repeated: hashes that two rows or more have for an id; a few of different ids may be in it.
        notes: sentences for the import report.
    """

    total: int
    class_names: list[str]
    sample: Sample
    has_truth: bool
    repeated: set[int]
    notes: list[str]


class _Listed:
    """One or several lists, gone through twice: to count, and for the images."""

    def __init__(self, files: Sequence[Path], home: Path, renamed: Mapping[str, str]) -> None:
        self._files, self._home, self._renamed = files, home, renamed
        self._several = len(files) > 1

    def _rows(self) -> Iterator[tuple[str, int, Cells | BadRow]]:
        for each in self._files:
            inside = f"{each.parent.name}/" if self._several else ""
            name = inside + each.name
            for number, cells in tables.rows(each, name, COLUMNS, REQUIRED):
                told = cells if isinstance(cells, BadRow) else _plain(cells, inside, each)
                yield name, number, told

    def count(self) -> _Counted:
        """Go over the rows once, without opening any image.

        Raises:
            LnlError: no usable row, or too many classes.
        """
        labels: set[str] = set()
        hashes, sample = array("q"), Sample()
        total = with_truth = 0
        for _, _, cells in self._rows():
            total += 1
            if isinstance(cells, BadRow) or _problem(cells) is not None:
                continue
            sample.add(cells["image"])
            hashes.append(hash(_id(cells, self._home)))
            labels.add(_class(cells["label"], self._renamed))
            if cells.get("true_label"):
                with_truth += 1
                labels.add(_class(cells["true_label"], self._renamed))
            if len(labels) > MAX_CLASSES:
                raise LnlError(
                    f"The column for labels in {self._files[0].name} has more than "
                    f"{MAX_CLASSES:,} different values. Check that it is the right column."
                )
        usable = len(hashes)
        if not usable:
            name = self._files[0].name
            raise LnlError(f"{name} has no row with both image and label. Fill them in.")
        values, counts = np.unique(np.frombuffer(hashes, np.int64), return_counts=True)
        repeated = set(values[counts > 1].tolist())
        notes = self._notes(usable, with_truth)
        return _Counted(total, natural(labels), sample, with_truth > 0, repeated, notes)

    def _notes(self, usable: int, with_truth: int) -> list[str]:
        notes = []
        if self._several:
            names = ", ".join(visible(each.parent.name) for each in self._files)
            notes.append(f"Read together: {names}.")
        if 0 < with_truth < usable:
            notes.append(
                f"true_label is blank in {usable - with_truth:,} rows: Compare judges methods on "
                f"the other {with_truth:,} alone."
            )
        return notes

    def items(self, counted: _Counted) -> Iterator[Item | Skipped]:
        """Yield every row as an image to read, or as one that was skipped."""
        label_of = {name: label for label, name in enumerate(counted.class_names)}
        seen: set[str] = set()
        for name, number, cells in self._rows():
            problem = cells if isinstance(cells, BadRow) else _problem(cells)
            if problem is not None or isinstance(cells, BadRow):
                assert problem is not None
                where = "" if isinstance(cells, BadRow) else visible(cells["image"])[:200]
                place = f"row {number} of {visible(name)}" if self._several else f"row {number}"
                yield Skipped(where or place, problem.reason, problem.remedy, number)
                continue
            identity = _id(cells, self._home)
            where = visible(cells["image"])[:200]
            suspect = hash(identity) in counted.repeated
            if suspect and identity in seen:
                why = _TWICE if cells.get("id") else _LISTED_TWICE
                yield Skipped(where, *why, number)
                continue
            located = locate(self._home, cells["image"])
            if isinstance(located, BadRow):
                yield Skipped(where, located.reason, located.remedy, number)
                continue
            if suspect:
                seen.add(identity)
            label = label_of[_class(cells["label"], self._renamed)]
            truth = None
            if cells.get("true_label"):
                truth = label_of[_class(cells["true_label"], self._renamed)]
            yield Item(identity, located[0], located[1], label, truth, number)


def _plain(cells: Cells, inside: str, file: Path) -> Cells:
    """Take off what an export of this program protected; put the list's folder before its paths."""
    if cells.get("lnl_verdict") and file.suffix.lower() not in (".parquet", ".pq"):
        cells = {column: unprotect(cell) for column, cell in cells.items()}
    if inside and cells["image"] and not os.path.isabs(cells["image"]):
        cells = cells | {"image": inside + cells["image"]}
    return cells


def _class(label: str, renamed: Mapping[str, str]) -> str:
    shown = visible(label)
    return renamed.get(shown, shown)


def _id(cells: Cells, root: Path) -> str:
    """Return the row's id: its own, else its path, the same however it is written."""
    if cells.get("id"):
        return visible(cells["id"])
    path = os.path.relpath(os.path.normpath(root / cells["image"]), root)
    return visible(path.replace(os.sep, "/"))


def _problem(cells: Cells) -> BadRow | None:
    if not cells["image"]:
        return BadRow("No image is named.", "Write the name of its file into this row.")
    if not cells["label"]:
        return BadRow("The label is blank.", "Write its class into this row.")
    if "\0" in cells["image"] or not storable(cells["image"]):
        return BadRow("The path is no text that a file can have.", "Correct the path.")
    return None
