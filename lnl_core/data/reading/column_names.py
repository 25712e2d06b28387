"""What the columns of a list are called, and which one was found to be what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lnl_core.data import table_heads, tables
from lnl_core.data.files import inside_path
from lnl_core.data.table_text import visible
from lnl_core.readings import Question
from lnl_core.said import many
from lnl_core.types import LnlError

COLUMNS = {
    "image": (
        *("image", "path", "file", "file_name", "filename", "file_path", "filepath"),
        *("image_path", "img_path", "image_file", "image_filename", "image_name", "img_name"),
        *("img", "imagepath", "imgpath", "imagename", "photo", "picture"),
    ),
    "label": (
        *("label", "given_label", "class", "class_name", "category", "target", "y", "labels"),
        *("classname", "class_label", "label_name", "category_name", "target_name", "species"),
        *("breed", "dx", "diagnosis", "annotation", "ground_truth", "gt", "tag"),
        *("label_id", "class_id", "classid", "category_id", "class_index", "label_index"),
    ),
    "id": ("id", "image_id"),
    "split": ("split", "subset", "partition", "set", "fold", "data_split"),
    "true_label": ("true_label",),
    "lnl_verdict": ("lnl_verdict",),
}
"""Name here -> header accepted; `lnl_verdict` marks a list that this program wrote."""

REQUIRED = ("image", "label")
IDS = ("image_id", "id")
MARKS = ("x", "✓", "✔")
ON, OFF = ("1", "1.0", "1,0", "true", *MARKS), ("0", "0.0", "0,0", "false", "")
MINUS = ("-1", "-1.0")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what.

    Attributes:
        accepted: name here -> the header, as `tables.rows` takes it.
        used: name here -> the header, as it is written.
        has_header: False where the first row is an image.
        one_hot: class -> its column of 0 and 1, where labels are written so.
        off: what says in such a column that an image is not of the class.
        flags: split -> its cell that says yes or no, where splits are written so.
        bools: true and false -> the split that each is, where a person said so.
        unused: columns that nothing is read from.
        questions: what is asked about columns.
        notes: what should be known about them.
    """

    accepted: Mapping[str, tuple[str, ...]]
    used: Mapping[str, str]
    has_header: bool = True
    one_hot: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    bools: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    off: tuple[str, ...] = OFF

    @property
    def complete(self) -> bool:
        """Tell whether images and labels are known."""
        return "image" in self.accepted and ("label" in self.accepted or bool(self.one_hot))

    def without(self, key: str) -> Columns:
        """Return the same without the column of a key."""
        accepted = {name: header for name, header in self.accepted.items() if name != key}
        used = {name: header for name, header in self.used.items() if name != key}
        return replace(self, accepted=accepted, used=used)

    def repeats_header(self, cells: Mapping[str, str]) -> bool:
        """Tell whether a row is the header once more."""
        plain = {key: name for key, name in self.used.items() if key in cells}
        return (
            self.has_header
            and len(plain) > 1
            and all(cells[key].lower() == name.lower() for key, name in plain.items())
        )

    def is_odd(self, cells: Mapping[str, str]) -> bool:
        """Tell whether a column of 0 and 1 has something else in a row."""
        return any(cells[f"={name}"].lower() not in ON + self.off for name in self.one_hot)

    def label_of(self, cells: Mapping[str, str]) -> str:
        """Return the label of a row; several of one-hot columns are joined by bars."""
        if not self.one_hot:
            return cells["label"]
        return "|".join(name for name in self.one_hot if cells[f"={name}"].lower() in ON)


def recognised(file: Path) -> bool:
    """Tell whether a table's header alone names images and labels."""
    try:
        names = plain_names(tables.names(file, COLUMNS))
    except LnlError:
        return False
    return all(any(word in names for word in COLUMNS[key]) for key in REQUIRED)


def has_images(file: Path) -> bool:
    """Tell whether a table's header names images."""
    try:
        names = plain_names(tables.names(file, COLUMNS))
    except LnlError:
        return False
    return any(word in names for word in (*COLUMNS["image"], *IDS))


def has_labels(file: Path) -> bool:
    """Tell whether a table's header has a column of labels."""
    try:
        names = plain_names(tables.names(file, COLUMNS))
    except LnlError:
        return False
    return any(word in names for word in COLUMNS["label"])


def plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return name in small letters with `_` -> name as written, the first of each."""
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub(r"[\s.\-]+", "_", name.strip().lower()), name)
    return plain


def inside(root: Path, file: Path) -> str:
    """Return how a file is called in a reading."""
    return inside_path(root, str(file)) or file.name


def comments(file: Path, has_header: bool) -> list[str]:
    """Say which lines above the header of a list are comments, and that several tabs are one."""
    head = table_heads.head(file, COLUMNS, has_header)
    if head is None:
        return []
    said = []
    if head.comments:
        count = many(len(head.comments), "line that is a comment", "lines that are comments")
        said.append(f"{file.name} begins with {count}: “{head.comments[0][:60]}”.")
    if head.has_tabs_together:
        said.append(f"Several tabs in a row of {file.name} are read as one: no cell is blank.")
    return said


def not_taken(names: Sequence[str], notes: Sequence[str]) -> list[str]:
    """Say which columns of a list stay behind, those aside of which a note speaks already."""
    left = [visible(name)[:40] for name in names]
    left = [name for name in left if not any(f"“{name}”" in note for note in notes)]
    if not left:
        return []
    shown = ", ".join(f"“{name}”" for name in left[:8])
    more = f" and {len(left) - 8:,} more" if len(left) > 8 else ""
    one = len(left) == 1
    return [
        f"{'Column' if one else 'Columns'} {shown}{more} {'is' if one else 'are'} not taken along: "
        "exports have id and path to join them again."
    ]
