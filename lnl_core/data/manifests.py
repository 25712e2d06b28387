"""A list of images as CSV, Parquet or JSON lines: columns image, label and perhaps id, true_label.

Hugging Face's imagefolder is one of them: `metadata.csv` or `metadata.jsonl` with `file_name`, in
the folder of the images or one in every split's folder.
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
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
    several = len(files) > 1
    file = files[0]
    own = file.parent.parent if several else file.parent
    home = (root or own).expanduser().resolve()
    if not home.is_dir():
        raise LnlError(f"{home} is not a folder. Say where the images of {file.name} lie.")

    def rows() -> Iterator[tuple[str, int, Cells | BadRow]]:
        for each in files:
            inside = f"{each.parent.name}/" if several else ""
            name = inside + each.name
            for number, cells in tables.rows(each, name, COLUMNS, REQUIRED):
                yield (
                    name,
                    number,
                    cells if isinstance(cells, BadRow) else _plain(cells, inside, each),
                )

    renamed = class_map or {}
    labels: set[str] = set()
    hashes, sample = array("q"), Sample()
    total, with_truth, usable = 0, 0, 0
    for _, _, cells in rows():
        total += 1
        if isinstance(cells, BadRow) or _problem(cells) is not None:
            continue
        usable += 1
        sample.add(cells["image"])
        hashes.append(hash(_id(cells, home)))
        labels.add(_class(cells["label"], renamed))
        if cells.get("true_label"):
            with_truth += 1
            labels.add(_class(cells["true_label"], renamed))
        if len(labels) > MAX_CLASSES:
            raise LnlError(
                f"The column for labels in {file.name} has more than {MAX_CLASSES:,} different "
                "values. Check that it is the right column."
            )
    if not usable:
        raise LnlError(f"{file.name} has no row with both image and label. Fill them in.")
    class_names = natural(labels)
    label_of = {name: label for label, name in enumerate(class_names)}
    has_truth = with_truth == usable
    notes = []
    if several:
        notes.append(f"Read together: {', '.join(visible(f.parent.name) for f in files)}.")
    if with_truth and not has_truth:
        notes.append(f"true_label is blank in {usable - with_truth:,} rows, so it is not used.")
    values, counts = np.unique(np.frombuffer(hashes, np.int64), return_counts=True)
    repeated = set(values[counts > 1].tolist())

    def items() -> Iterator[Item | Skipped]:
        seen: set[str] = set()
        for name, number, cells in rows():
            problem = cells if isinstance(cells, BadRow) else _problem(cells)
            if problem is not None or isinstance(cells, BadRow):
                assert problem is not None
                where = "" if isinstance(cells, BadRow) else visible(cells["image"])[:200]
                place = f"row {number} of {visible(name)}" if several else f"row {number}"
                yield Skipped(where or place, problem.reason, problem.remedy, number)
                continue
            identity = _id(cells, home)
            where = visible(cells["image"])[:200]
            suspect = hash(identity) in repeated
            if suspect and identity in seen:
                why = _TWICE if cells.get("id") else _LISTED_TWICE
                yield Skipped(where, *why, number)
                continue
            found = locate(home, cells["image"])
            if isinstance(found, BadRow):
                yield Skipped(where, found.reason, found.remedy, number)
                continue
            if suspect:
                seen.add(identity)
            truth = label_of[_class(cells["true_label"], renamed)] if has_truth else None
            label = label_of[_class(cells["label"], renamed)]
            yield Item(identity, found[0], found[1], label, truth, number)

    kept = [found[0] for cell in sample.kept if not isinstance(found := locate(home, cell), BadRow)]
    return FileSource("manifest", home, total, class_names, items, kept, has_truth, notes)


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
