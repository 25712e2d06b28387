"""Which column of a list is what: by the names that people use, by what is in it, else asked."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.files import inside_path
from lnl_core.data.images import SUFFIXES
from lnl_core.data.reading import splits
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import LnlError, meant

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
        *("label_id", "class_id", "category_id", "class_index", "label_index"),
    ),
    "id": ("id", "image_id"),
    "split": ("split", "subset", "partition", "set", "fold", "data_split"),
    "true_label": ("true_label",),
    "lnl_verdict": ("lnl_verdict",),
}
"""Name here -> header accepted; `lnl_verdict` marks a list that this program wrote."""

REQUIRED = ("image", "label")
_IDS = ("image_id", "id")
_PEEK = 2000
_SPLITS = 20
_ON, _OFF = ("1", "1.0", "true"), ("0", "0.0", "false", "")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what.

    Attributes:
        accepted: name here -> the header, as `tables.rows` takes it.
        used: name here -> the header, as it is written.
        has_header: False where the first row is an image.
        one_hot: class -> its column of 0 and 1, where labels are written so.
        flags: split -> its cell that says yes or no, where splits are written so.
        bools: true and false -> the split that each is, where a person said so.
        questions: what is asked about columns.
        notes: what should be known about them.
    """

    accepted: Mapping[str, tuple[str, ...]]
    used: Mapping[str, str]
    has_header: bool = True
    one_hot: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    bools: Mapping[str, str] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Tell whether images and labels are known."""
        return "image" in self.accepted and ("label" in self.accepted or bool(self.one_hot))

    def repeats_header(self, cells: Mapping[str, str]) -> bool:
        """Tell whether a row is the header once more."""
        plain = {key: name for key, name in self.used.items() if key in cells}
        return (
            self.has_header
            and len(plain) > 1
            and all(cells[key].lower() == name.lower() for key, name in plain.items())
        )

    def label_of(self, cells: Mapping[str, str]) -> str:
        """Return the label of a row; several of one-hot columns are joined by bars."""
        if not self.one_hot:
            return cells["label"]
        return "|".join(name for name in self.one_hot if cells[f"={name}"].lower() in _ON)


def recognised(file: Path) -> bool:
    """Tell whether a table's header alone names images and labels."""
    try:
        names = _plain_names(tables.names(file, COLUMNS))
    except LnlError:
        return False
    return all(any(word in names for word in COLUMNS[key]) for key in REQUIRED)


def has_images(file: Path) -> bool:
    """Tell whether a table's header names images."""
    try:
        names = _plain_names(tables.names(file, COLUMNS))
    except LnlError:
        return False
    return any(word in names for word in (*COLUMNS["image"], *_IDS))


def decide(file: Path, root: Path, answers: Answers) -> Columns:
    """Say which columns of a list are the image, the label, the id, the split.

    Args:
        file: the list.
        root: the folder that its paths start from.
        answers: columns that a person named, `header` and `one_hot`.

    Raises:
        LnlError: it is no table, or has no such column.
    """
    has_header = answers.header != "none"
    names = tables.names(file, COLUMNS, has_header=has_header)
    if not names:
        raise LnlError(f"{file.name} is empty. It needs a header and one row per image.")
    return _Decision(file, root, answers, names, has_header).made()


class _Decision:
    """One list's columns being decided."""

    def __init__(
        self, file: Path, root: Path, answers: Answers, names: list[str], has_header: bool
    ) -> None:
        self._file, self._root, self._answers = file, root, answers
        self._names, self._has_header = names, has_header
        self._plain = _plain_names(names)
        self._peeked: dict[str, list[str]] | None = None
        self._accepted: dict[str, tuple[str, ...]] = {}
        self._used: dict[str, str] = {}
        self._one_hot: dict[str, str] = {}
        self._flags: dict[str, str] = {}
        self._bools: dict[str, str] = {}
        self._questions: list[Question] = []
        self._notes: list[str] = []

    def made(self) -> Columns:
        if self._has_header and self._is_headless():
            self._ask_header()
            return self._outcome()
        self._image()
        self._label()
        self._id()
        self._split()
        for key in ("true_label", "lnl_verdict"):
            if key in self._plain:
                self._take(key, self._plain[key])
        return self._outcome()

    def _outcome(self) -> Columns:
        return Columns(
            self._accepted,
            self._used,
            self._has_header,
            self._one_hot,
            self._flags,
            self._bools,
            self._questions,
            self._notes,
        )

    def _take(self, key: str, name: str) -> None:
        self._accepted[key] = (name.lower(),)
        self._used[key] = name

    def _said(self, key: str) -> str | None:
        """Return the column that a person named, by its name or number; None where none was."""
        said: str = getattr(self._answers, f"{key}_column")
        if not said:
            return None
        by_name = {name.lower(): name for name in reversed(self._names)}
        if said.lower() in by_name:
            return by_name[said.lower()]
        if said.isdecimal() and 1 <= int(said) <= len(self._names):
            return self._names[int(said) - 1]
        if said == "none" and key in ("id", "split"):
            return ""
        raise LnlError(
            f"{self._file.name} has no column “{said[:40]}”.{meant(said, self._names)} "
            f"Its columns: {self._shown()}."
        )

    def _shown(self) -> str:
        return ", ".join(f"“{visible(name)[:40]}”" for name in self._names[:12])

    def _values(self) -> dict[str, list[str]]:
        """Return column -> its values in the first rows; none where columns share a name."""
        if self._peeked is None:
            counts = Counter(name.lower() for name in self._names)
            columns = {name: (name.lower(),) for name in self._names if counts[name.lower()] == 1}
            rows = tables.rows(
                self._file, self._file.name, columns, (), has_header=self._has_header
            )
            kept = [cells for _, cells in islice(rows, _PEEK) if not isinstance(cells, BadRow)]
            self._peeked = {name: [cells.get(name, "") for cells in kept] for name in self._names}
        return self._peeked

    # the header -----------------------------------------------------------------------------

    def _is_headless(self) -> bool:
        """Tell whether the first row names an image file rather than columns."""
        if any(word in self._plain for word in (*COLUMNS["image"], *COLUMNS["label"], *_IDS)):
            return False
        return any(
            _ends_like_image(name) or os.path.isfile(self._root / name) for name in self._names
        )

    def _ask_header(self) -> None:
        self._questions.append(
            Question(
                "header",
                f"{self._file.name} has no header: its first row, {self._shown()}, names an image.",
                (Choice("none", "the first row is an image"),),
                stops=True,
            )
        )

    # images ---------------------------------------------------------------------------------

    def _image(self) -> None:
        name = self._said("image")
        if name is None:
            known = [self._plain[word] for word in COLUMNS["image"] if word in self._plain]
            name = self._one_of_images(known) if known else None
            if name is None and known:
                return
        if name is None:
            values = self._values()
            likely = [column for column in values if _are_images(values[column])]
            if len(likely) > 1:
                name = self._one_of_images(likely)
                if name is None:
                    return
                likely = [name]
            if len(likely) != 1:
                likely = [
                    self._plain[word]
                    for word in (*_IDS, *self._plain)
                    if word in self._plain and self._names_files(self._plain[word])
                ][:1]
            if likely:
                name = likely[0]
                if self._has_header:
                    self._notes.append(f"Column “{visible(name)[:40]}” names the images.")
        if name is not None:
            self._take("image", name)
            return
        self._questions.append(
            Question(
                "image_column",
                f"{self._file.name} has no column “image”. Its columns: {self._shown()}. Which "
                "one names the images?",
                tuple(self._choice(each, self._example(each)) for each in self._names[:40]),
                stops=True,
            )
        )

    def _choice(self, name: str, words: str) -> Choice:
        """Return a column as an answer: by its name, by its number where that says more."""
        alone = sum(each.lower() == name.lower() for each in self._names) == 1
        if name and alone:
            return Choice(name, words)
        at = self._names.index(name) + 1
        return Choice(str(at), f"column {at}, without a name: {words}" if not name else words)

    def _one_of_images(self, known: list[str]) -> str | None:
        """Return the column of images among several that may be; None where it is asked."""
        if len(known) == 1:
            return known[0]
        found = {name: files for name in known if (files := self._files_of(name))}
        if len(found) < 2:
            return next(iter(found), known[0])
        first, *others = found
        other = [each for each in others if found[each] != found[first]]
        if not other:
            return first
        shown = ", ".join(f"“{visible(each)[:40]}”" for each in (first, *other))
        self._questions.append(
            Question(
                "image_column",
                f"Several columns of {self._file.name} name images, and other ones: {shown}. "
                "Which image has the label?",
                tuple(self._choice(each, self._example(each)) for each in (first, *other)),
                stops=True,
            )
        )
        return None

    def _files_of(self, name: str) -> list[str]:
        """Return the files that the first cells of a column name, blank where there is none."""
        values = self._values()[name][:64]
        finder = Finder(self._root, [value for value in values if value])
        places = [finder.find(value) if value else BadRow("", "") for value in values]
        found = ["" if isinstance(place, BadRow) else place[1] for place in places]
        return found if any(found) else []

    def _names_files(self, name: str) -> bool:
        values = [value for value in dict.fromkeys(self._values()[name]) if value][:64]
        if len(values) < 2 and len(self._values()[name]) > 2:
            return False
        finder = Finder(self._root, values)
        found = [finder.find(value) for value in values]
        return bool(found) and 2 * sum(not isinstance(each, BadRow) for each in found) > len(found)

    def _example(self, name: str) -> str:
        first = next((value for value in self._values()[name] if value), "")
        return visible(first)[:40]

    # labels ---------------------------------------------------------------------------------

    def _label(self) -> None:
        name = self._said("label")
        if name is None and self._answers.one_hot == "yes":
            self._read_one_hot()
            return
        candidates = [self._plain[word] for word in COLUMNS["label"] if word in self._plain]
        taken = self._used.get("image", "")
        candidates = [each for each in candidates if each != taken]
        if name is None and not self._has_header:
            candidates = [each for each in self._names if each != taken][:1]
        if name is not None:
            self._take("label", name)
        elif candidates:
            self._take("label", candidates[0])
            if len(candidates) > 1 and "lnl_verdict" not in self._plain:
                self._compare(candidates)
        else:
            self._ask_label(taken)

    def _compare(self, candidates: list[str]) -> None:
        """Ask which of several columns has the labels, unless they say the same."""
        values = self._values()
        first = values[candidates[0]]
        others = [each for each in candidates[1:] if not _same_groups(first, values[each])]
        if not others:
            rest = ", ".join(f"“{visible(each)[:40]}”" for each in candidates[1:])
            self._notes.append(f"Labels are column “{candidates[0]}”; {rest} says the same.")
            return
        asked = [candidates[0], *others]
        self._questions.append(
            Question(
                "label_column",
                f"Several columns of {self._file.name} look like labels and differ: "
                f"{', '.join(f'“{visible(each)[:40]}”' for each in asked)}. Which one is it?",
                tuple(
                    self._choice(each, f"{len(set(values[each]))} values, {self._example(each)} …")
                    for each in asked
                ),
                default=candidates[0],
                answer=self._answers.label_column,
                stops=True,
            )
        )

    def _hot_columns(self) -> list[str]:
        """Return the columns of 0 and 1, where there are two or more and rows have a 1."""
        values = self._values()
        hot = [
            name
            for name in self._names
            if not splits.flag(name, values[name])
            and {value.lower() for value in values[name]} <= {*_ON, *_OFF}
            and any(value.lower() in _ON for value in values[name])
            and any(value.lower() in _OFF[:3] for value in values[name])
        ]
        return hot if len(hot) > 1 else []

    def _read_one_hot(self) -> None:
        hot = self._hot_columns()
        if not hot:
            raise LnlError(
                f"{self._file.name} has no two columns of 0 and 1. Leave --one-hot out, or name "
                "the column of labels with --label-column."
            )
        self._one_hot = {name: name for name in hot}
        self._used["label"] = f"{len(hot)} columns of 0 and 1"
        self._accepted |= {f"={name}": (name.lower(),) for name in hot}

    def _ask_label(self, taken: str) -> None:
        hot = self._hot_columns()
        if hot:
            shown = ", ".join(f"“{visible(each)[:24]}”" for each in hot[:6])
            self._questions.append(
                Question(
                    "one_hot",
                    f"{self._file.name} has no column “label”, but {len(hot)} columns of 0 and 1: "
                    f"{shown}. Is each of them a class?",
                    (Choice("yes", "a column per class"),),
                    stops=True,
                )
            )
            return
        values = self._values()
        few = [
            each
            for each in self._names
            if each != taken and 1 < len(set(values[each])) <= max(2, len(values[each]) // 2)
        ]
        words = ""
        if any(each.lower() in _IDS for each in few):
            words = " “id” has the same values again and again, as a class has."
        self._questions.append(
            Question(
                "label_column",
                f"{self._file.name} has no column “label”. Its columns: {self._shown()}. Which "
                f"one has the labels?{words}",
                tuple(
                    self._choice(each, f"{len(set(values[each]))} values, {self._example(each)} …")
                    for each in few or [name for name in self._names if name != taken]
                ),
                stops=True,
            )
        )

    # ids and splits ---------------------------------------------------------------------------

    def _id(self) -> None:
        name = self._said("id")
        if name is not None:
            if name:
                self._take("id", name)
            return
        used = set(self._used.values())
        name = next(
            (
                self._plain[word]
                for word in COLUMNS["id"]
                if word in self._plain and self._plain[word] not in used
            ),
            None,
        )
        if name is None:
            return
        values = [value for value in self._values()[name] if value]
        if len(values) > 3 and 2 * len(set(values)) <= len(values):
            self._questions.append(
                Question(
                    "id_column",
                    f"Column “{visible(name)}” of {self._file.name} is no id: it has "
                    f"{len(set(values)):,} values in {len(values):,} rows. The path is the id.",
                    (Choice("none", "the path is the id"), Choice(name, "it is the id")),
                    default="none",
                )
            )
            return
        self._take("id", name)

    def _split(self) -> None:
        name = self._said("split")
        if name is not None:
            if name and splits.flag(name, self._values()[name]):
                self._take_flags([name])
            elif name:
                self._take_split(name)
            return
        used = set(self._used.values())
        for word in COLUMNS["split"]:
            name = self._plain.get(word)
            if name is None or name in used:
                continue
            if 1 <= len(set(self._values()[name])) <= _SPLITS:
                self._take_split(name)
                return
        values = self._values()
        free = [each for each in self._names if each and each not in used]
        self._take_flags([each for each in free if splits.flag(each, values[each])])

    def _take_split(self, name: str) -> None:
        """Read a column of splits; one of true and false alone is asked about."""
        self._take("split", name)
        where = f"Column “{visible(name)[:40]}” of {self._file.name}"
        self._bools, question = splits.of_bools(self._values()[name], where, self._answers)
        self._questions += [question] if question is not None else []

    def _take_flags(self, names: Sequence[str]) -> None:
        """Read splits off columns that say yes or no to one."""
        for name in names:
            split = splits.flag(name, self._values()[name])
            self._flags[split] = f"?{name}"
            self._accepted[f"?{name}"] = (name.lower(),)
        if not names:
            return
        self._used["split"] = ", ".join(names)
        if len(names) == 1:
            (split,) = self._flags
            self._notes.append(
                f"Column “{visible(names[0])[:40]}” says which images are {split}; the others are "
                f"read as {splits.other(split)}."
            )


def _plain_names(names: Sequence[str]) -> dict[str, str]:
    """Return name in small letters with `_` -> name as written, the first of each."""
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub(r"[\s.\-]+", "_", name.strip().lower()), name)
    return plain


def _ends_like_image(value: str) -> bool:
    return os.path.splitext(value.strip())[1].lower() in SUFFIXES


def _are_images(values: Sequence[str]) -> bool:
    filled = [value for value in values if value]
    return bool(filled) and sum(map(_ends_like_image, filled)) > 0.8 * len(filled)


def _same_groups(one: Sequence[str], other: Sequence[str]) -> bool:
    """Tell whether two columns split the rows alike, whatever they call the parts."""
    pairs = set(zip(one, other, strict=True))
    return len(pairs) == len(set(one)) == len(set(other))


def classes_of(file: Path) -> list[str]:
    """Read a file with one class name a line.

    Raises:
        LnlError: it cannot be read, or holds no name.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise LnlError(f"{file.name} cannot be read as text. Save it as UTF-8.") from error
    names = [visible(line.strip()) for line in text.splitlines() if line.strip()]
    pairs = [name.split(maxsplit=1) for name in names]
    if all(len(pair) == 2 and pair[0].isdecimal() for pair in pairs):  # “0 cat”, “1 dog”
        numbers = [int(pair[0]) for pair in pairs]
        if numbers == list(range(numbers[0], numbers[0] + len(pairs))):
            names = [pair[1] for pair in pairs]
    if not names or len(set(names)) < len(names):
        raise LnlError(f"{file.name} names no classes, or one twice. Write one name a line.")
    return names


def classes_file(root: Path) -> Path | None:
    """Return the file of class names that lies beside a list, where there is one."""
    for name in ("classes.txt", "class_names.txt", "labels.txt", "classes.names", "obj.names"):
        if (root / name).is_file():
            return root / name
    return None


def whole(label: str) -> int | None:
    """Return the whole number that a label is; None where it is none."""
    value = number(label)
    return int(value) if value is not None and value == value.to_integral_value() else None


def inside(root: Path, file: Path) -> str:
    """Return how a file is called in a reading."""
    return inside_path(root, str(file)) or file.name
