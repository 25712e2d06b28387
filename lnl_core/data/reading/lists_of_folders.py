"""Lists whose rows are of folders: a video, a patient or a scan, and the label of its images.

`frames/vid00/00000.jpg` and a list with `video,label`. The folders are no classes then.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from lnl_core.data import folders, tables
from lnl_core.data.list_rows import Listing
from lnl_core.data.manifests import SUFFIXES
from lnl_core.data.reading import classes_files, columns, lists, lists_that_ask, surveying
from lnl_core.data.reading.column_names import COLUMNS, IDS, Columns, plain_names
from lnl_core.data.reading.folder_cells import FolderCells, Folders
from lnl_core.data.reading.many_tables import longest
from lnl_core.data.reading.places import is_split, like_image
from lnl_core.data.reading.read_me import is_called_so
from lnl_core.data.reading.spellings import plain
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

NO_COLUMN = "Its rows name folders of images, and no column is known to have the labels."
SEVERAL = "Its rows name folders of images, and one folder has several labels."
NOTHING_NAMED = "It has labels, and no column that names images or their folders."

_PARTS = frozenset({"video", "clip", "sequence", "patient", "subject", "participant", "study"})
_PARTS |= {"series", "scan", "case", "session", "slide", "volume", "visit", "exam", "camera"}
_PARTS |= {"station", "site", "deployment", "plot", "track", "episode", "recording", "specimen"}
"""What a column is called whose values are no classes."""

_CLASSES = frozenset({"class", "cls", "c", "label", "category", "cat"})
_CODE = re.compile(r"n\d{8}")
_PEEK, _MOST = 2000, 1_000_000
_COLUMNS = 64


@dataclass(slots=True)
class _List:
    """A list whose rows are of folders.

    Attributes:
        listing: it, with the column that names folders.
        decided: which of its columns are what.
        labels: folder -> its labels.
        several: the first cell that names several folders, "" where none does.
        images: how many lie in its folders.
    """

    listing: Listing
    decided: Columns
    labels: dict[str, set[str]] = field(default_factory=dict)
    several: str = ""
    images: int = 0

    @property
    def file(self) -> Path:
        return self.listing.file

    @property
    def column(self) -> str:
        return self.listing.folders.column if self.listing.folders is not None else ""

    @property
    def has_labels(self) -> bool:
        return "label" in self.decided.used

    @property
    def names(self) -> list[str]:
        return [folder.rpartition("/")[2] for folder in self.labels]

    @property
    def is_of_parts(self) -> bool:
        """Tell whether the folders are called like parts, or their column is: no classes."""
        words = re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", self.column).lower())
        if _PARTS & {word for each in words for word in (each, each.removesuffix("s"))}:
            return True
        stem = re.sub(r"[\W\d_]+", "", self.names[0]).lower()
        coded = all(map(_CODE.fullmatch, self.names))
        return lists_that_ask.are_parts(self.names) and stem not in _CLASSES and not coded

    @property
    def contradicts(self) -> bool:
        return any(len(labels) > 1 for labels in self.labels.values())

    @property
    def says_folders(self) -> bool:
        """Tell whether most labels are what the folders, or those around them, are called."""
        said = sum(
            any(plain(part) in labels for part in folder.split("/"))
            for folder, labels in self.labels.items()
        )
        return 2 * said > len(self.labels)

    @property
    def only_names(self) -> bool:
        """Tell whether each folder has a label of its own: it may be a name for the folder."""
        every = [label for labels in self.labels.values() for label in labels]
        return len(set(every)) == len(every) == len(self.labels)


def find(
    folder: Path, there: lists.Lists, answers: Answers, home: Path | None = None
) -> lists.Lists:
    """Find the lists of folders, where no list of images is there.

    Nothing is asked where the folders are called like parts, or their column is, each has one
    label, and they hold most images: the list has the labels.

    Args:
        folder: what is imported.
        there: what is known of its lists.
        answers: what a person said already.
        home: the folder that holds all images, where it is another one.
    """
    files = _tables(folder, answers)
    if there.listings or there.questions or not files:
        return there
    home = (home or folder).resolve()
    around = Folders(home)
    found = [each for file, split in files if (each := _look(file, around, answers, split))]
    unused, likely = dict(there.unused), list[_List]()
    for each in found:
        if why := _why_not(each, answers):
            unused[each.file.name] = why
        else:
            likely.append(each)
    if not likely:
        return _lone_labels(folder, [file for file, _ in files], found, around, unused, answers)
    chosen = _chosen(folder, likely, answers)
    read = [each for each in likely if each.file in {one.file for one in chosen.listings}]
    unused = {name: why for name, why in unused.items() if name not in {e.file.name for e in read}}
    question = _question(read, around, folder, answers)
    unused |= chosen.unused
    if question.taken == "list":
        return lists.Lists(chosen.listings, (*chosen.questions, question), unused, home)
    said = lists.FOLDERS_HAVE if question.taken == "folders" else NO_COLUMN
    unused |= {each.file.name: said for each in read} if question.taken else {}
    return lists.Lists((), (question,), unused)


def attached(there: lists.Lists, home: Path, answers: Answers) -> lists.Lists:
    """Return lists with the folders that they name, where each of them names these, no images."""
    listings = [with_folders(each, home, answers) for each in there.listings]
    if all(each.folders is not None for each in listings):
        return replace(there, listings=tuple(listings), root=home)
    return there


def with_folders(listing: Listing, home: Path, answers: Answers) -> Listing:
    """Return a list with the folders that its column of images names; as it is where it has none.

    Args:
        listing: one that was asked for.
        home: the folder that its paths start from.
        answers: what a person said already.
    """
    file, has_header = listing.file, answers.header != "none"
    if file.suffix.lower() not in SUFFIXES or file.suffix.lower() == ".json":
        return listing
    try:
        names = plain_names(tables.names(file, COLUMNS, has_header=has_header))
        known = [names[word] for word in COLUMNS["image"] if word in names]
        column = answers.image_column or next(iter(known), "")
        if column in names.values():
            cells = [one[column] for one in islice(surveying.rows(file, [column], has_header), 16)]
            if any((home / cell).is_file() for cell in cells if cell):
                return listing
        elif not answers.image_column and lists.is_list(file, answers):
            return listing
        said = replace(answers, image_column=column)
        found = _look(file, Folders(home.resolve()), said, listing.split)
    except (LnlError, OSError, ValueError):
        return listing
    if found is None or (found.has_labels and found.contradicts):
        return listing
    return replace(listing, folders=found.listing.folders)


def _tables(folder: Path, answers: Answers) -> list[tuple[Path, str]]:
    """Return (table, split that it lies in) of those that may be lists of a set's folders."""
    top = folders.innermost(folder.resolve())
    chain = [each for each in (top, *top.parents) if each.is_relative_to(folder.resolve())]
    found: list[tuple[Path, str]] = []
    for each in reversed(chain):
        there = folders.entries(each)
        files = [file for entry in there if (file := Path(entry.path)).is_file()]
        inner = [entry for entry in there if entry.is_dir(follow_symlinks=False)]
        found += [(file, "") for file in [*files, *lists.tables_beside(each, inner)]]
        for split in (entry for entry in inner if is_split(entry.name)):
            own = [Path(entry.path) for entry in folders.entries(Path(split.path))]
            found += [(file, split.name) for file in own if file.is_file()]
    split_of = {file: split for file, split in found if file.suffix.lower() in SUFFIXES}
    called = Path(answers.classes_file).name
    kept = [
        file
        for file in lists.without_notes(folder, list(split_of))
        if file.suffix.lower() != ".json"
        and file.name != called
        and not classes_files.is_called_so(file)
        and not is_called_so(file)
        and not like_image(file.name)
    ]
    return [(file, split_of[file]) for file in longest(kept, answers)]


def _look(file: Path, around: Folders, answers: Answers, split: str) -> _List | None:
    """Return a list whose rows are of folders; None of any other."""
    has_header = answers.header != "none"
    try:
        names = tables.names(file, COLUMNS, has_header=has_header)
        column = _column(file, names, around, answers, split)
        if not column:
            return None
        said = replace(answers, image_column=column, images_in="")
        decided = columns.decide(file, file.parent, said)
        if any(each.key == "header" for each in decided.questions):
            return None
        found = _List(Listing(file, split, folders=FolderCells(column, around)), decided)
        own = dict.fromkeys((column, decided.used.get("label", ""), decided.used.get("split", "")))
        own.pop("", None)
        read = [name for name in own if name in names]
        for cells in islice(surveying.rows(file, read, has_header), _MOST):
            _add(found, cells, around, split)
    except (LnlError, OSError):
        return None
    found.images = len({path for each in found.labels for path in around.inside(each)})
    return found if len(found.labels) > 1 else None


def _add(found: _List, cells: tables.Cells, around: Folders, split: str) -> None:
    """Take in a row."""
    cell, label = cells.get(found.column, ""), cells.get(found.decided.used.get("label", ""), "")
    own = cells.get(found.decided.used.get("split", ""), "") or split or found.file.stem
    named = around.named(cell, own)
    if len(named) > 1:
        found.several = found.several or cell
    for each in named:
        found.labels.setdefault(each, set()).update({plain(label)} if label.strip() else ())


def _column(file: Path, names: Sequence[str], around: Folders, answers: Answers, split: str) -> str:
    """Return the column that names folders with images: the one that names most of them."""
    has_header = answers.header != "none"
    once = [name for name in names if [n.lower() for n in names].count(name.lower()) == 1]
    known = plain_names(once)
    taken = {known[word] for key in ("label", "split") for word in COLUMNS[key] if word in known}
    free = [name for name in once if name not in taken][:_COLUMNS]
    if said := answers.image_column:
        by_number = list(names[int(said) - 1 : int(said)]) if said.isdecimal() and int(said) else []
        free = [name for name in once if name.lower() == said.lower()] or by_number
    rows = list(islice(surveying.rows(file, free, has_header), _PEEK))
    best, most = "", 1
    for name in free:
        cells = dict.fromkeys(cell for row in rows if (cell := row.get(name, "")))
        named = {cell: around.named(cell, split or file.stem) for cell in cells}
        there = {folder for each in named.values() for folder in each}
        images = {path for folder in there for path in around.inside(folder)}
        most_cells = 2 * sum(map(bool, named.values())) > len(cells)
        if len(there) > most and (most_cells or 2 * len(images) > around.count):
            best, most = name, len(there)
    return best


def _why_not(found: _List, answers: Answers) -> str:
    """Return why a list that names folders is not read; "" where it is, or where it is asked."""
    if answers.labels_in == "list":
        return ""
    if found.has_labels and found.contradicts:
        return "" if found.is_of_parts else SEVERAL
    if found.has_labels and (found.says_folders or (found.only_names and not found.is_of_parts)):
        return lists.FOLDERS_HAVE
    if found.has_labels:
        return ""
    asked = {each.key for each in found.decided.questions}
    if "one_hot" in asked:
        return "" if found.is_of_parts or _are_numbers(found) else NO_COLUMN
    again = [name for name in found.decided.unused if _comes_again(found, name)]
    return "" if again and (found.is_of_parts or _are_numbers(found)) else NO_COLUMN


def _are_numbers(found: _List) -> bool:
    """Tell whether folders are numbers, and their column is one of ids by its name."""
    is_id = found.column.lower().endswith("id") and found.column.lower() not in IDS
    return is_id and all(name.isdecimal() for name in found.names)


def _comes_again(found: _List, name: str) -> bool:
    counts = surveying.counts((found.file,), [name], found.decided.has_header)[name]
    values = [value for value in counts if value.strip()]
    return 1 < len(values) <= max(2, counts.total() // 2)


def _chosen(folder: Path, likely: Sequence[_List], answers: Answers) -> lists.Lists:
    """Choose among several lists of folders, or ask; those in splits are each of its split."""
    own = {each.file: each.listing for each in likely}
    if all(each.listing.split for each in likely):
        return lists.Lists(tuple(own.values()))
    chosen = lists.choose(folder, list(own), (), answers)
    listings = [replace(own[each.file], split=each.split) for each in chosen.listings]
    return replace(chosen, listings=tuple(listings))


def _question(read: Sequence[_List], around: Folders, folder: Path, answers: Answers) -> Question:
    """Ask who has the labels; the lists have them where that is plain."""
    first = read[0]
    shown = ", ".join(f"“{visible(each.file.name)[:40]}”" for each in read[:4])
    count = many(len({name for each in read for name in each.labels}), "folder")
    start, labels = next(iter(first.labels.items()))
    name = visible(start.rpartition("/")[2])[:40]
    contradicts = [each for each in read if each.has_labels and each.contradicts]
    if contradicts:
        start, labels = next((n, own) for n, own in contradicts[0].labels.items() if len(own) > 1)
        values = ", ".join(f"“{visible(label)[:24]}”" for label in sorted(labels)[:3])
        return Question(
            "labels_in",
            f"{shown} has several labels for one folder, first for "
            f"“{visible(start.rpartition('/')[2])[:40]}”: {values}. Write a list with a row an "
            "image, or with one label for each folder. Or are the folders the classes?",
            (Choice("folders", "the class folders"),),
            answer=answers.labels_in,
            stops=True,
        )
    have = "has" if len(read) == 1 else "have"
    said = f"{shown} {have} a label for each of {count} of images, first “{name}”."
    if not first.has_labels:
        name_them = "names" if len(read) == 1 else "name"
        said = f"{shown} {name_them} {count} of images, first “{name}”, and no column is known to "
        said += "have the labels."
    elif several := next((each.several for each in read if each.several), ""):
        said += f" Several folders are called “{visible(several)[:40]}”: all would have its label."
    images = len({path for each in read for name in each.labels for path in around.inside(name)})
    question = lists_that_ask.question(said, len(read), folder, answers)
    if (answers.parts == "classes" or answers.level) and not answers.labels_in:
        return replace(question, default="folders", stops=False)
    is_plain = all(each.is_of_parts and each.has_labels and not each.several for each in read)
    if is_plain and 2 * images >= around.count:
        return replace(question, default="list", stops=False)
    return question


def _lone_labels(
    folder: Path,
    files: Sequence[Path],
    found: Sequence[_List],
    around: Folders,
    unused: dict[str, str],
    answers: Answers,
) -> lists.Lists:
    """Name the tables with labels that name neither images nor folders, beside folders of images.

    Where these are called like parts, it is asked whether they are the classes.
    """
    known = {each.file for each in found}
    others = [file for file in files if file not in known and file.suffix.lower() != ".txt"]
    others = [file for file in others if file.name not in unused]
    labels = {file: _label_columns(file) for file in others}
    of_classes = {file for file in others if _names_classes(file, labels[file], around, answers)}
    unused |= {f.name: lists.FOLDERS_HAVE for f in of_classes if len(labels[f]) > 1}
    others = [file for file in others if labels[file] and file not in of_classes]
    unused |= dict.fromkeys((file.name for file in others), NOTHING_NAMED)
    names = [each.rpartition("/")[2] for each in around.outer()]
    parts = [name for name in names if not is_split(name)]
    if not others or len(parts) < 2 or not lists_that_ask.are_parts(parts):
        return lists.Lists(unused=unused)
    stem = re.sub(r"[\W\d_]+", "", parts[0]).lower()
    if stem in _CLASSES or all(map(_CODE.fullmatch, parts)):
        return lists.Lists(unused=unused)
    shown = visible(others[0].name)[:40]
    question = lists_that_ask.question(
        f"“{shown}” has labels, and no column that names images or folders such as "
        f"“{visible(parts[0])[:40]}”.",
        *(1, folder, answers),
    )
    if answers.labels_in == "list":
        del unused[others[0].name]
        return lists.Lists((Listing(others[0]),), (question,), unused, folder)
    return lists.Lists((), (question,), unused)


def _label_columns(file: Path) -> list[str]:
    """Return the columns that are called as labels are, of a table that has others, too."""
    try:
        names = tables.names(file, COLUMNS)
    except LnlError:
        return []
    known = plain_names(names)
    return [known[word] for word in COLUMNS["label"] if word in known] if len(names) > 1 else []


def _names_classes(file: Path, labels: Sequence[str], around: Folders, answers: Answers) -> bool:
    """Tell whether a column of labels names the folders: the table is of classes."""
    try:
        found = (
            _column(file, labels, around, replace(answers, image_column=each), "")
            for each in labels
        )
        return any(found)
    except LnlError:
        return False
