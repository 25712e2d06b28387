"""Lists that lie in the folders of their images: north/labels.csv, train/labels.csv.

The folders may be sites, cameras, folds or splits, and the lists have the labels; or the folders,
or those inside the splits, are the classes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lnl_core.data import folders
from lnl_core.data.list_rows import Listing
from lnl_core.data.reading import lists_that_ask, surveying, tables_within
from lnl_core.data.reading.places import holds_masks, is_of_files, like_image
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.split_names import is_split, of_list
from lnl_core.data.reading.tables_within import Named
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Question
from lnl_core.said import many
from lnl_core.types import LnlError

FOLDERS_HAVE = "The folders around the lists have the labels."
_UNKNOWN = ("one", "in each row")
"""Stands for labels that are not counted."""


@dataclass(frozen=True, slots=True)
class Within:
    """Lists in the folders of their images.

    Attributes:
        listings: those that are read: a person said that they have the labels, or no folder has.
        asked: whether they or the folders have the labels; empty where there is no such list.
        unused: what they are called, where the folders have the labels.
        others: tables of splits that are not read, and of which no column is known as labels.
    """

    listings: tuple[Listing, ...] = ()
    asked: tuple[Question, ...] = ()
    unused: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder in which lists may lie.

    Attributes:
        split: that it is or lies in; "" where there is none.
        path: below the folder around all.
        files: tables in it.
    """

    split: str
    path: str
    files: Sequence[Path]

    @property
    def is_split(self) -> bool:
        return self.path == self.split


def find(
    folder: Path,
    inner: Sequence[os.DirEntry[str]],
    answers: Answers,
    is_list: Callable[[Path, Answers], bool],
) -> Within:
    """Look for lists in folders, or in splits and their folders, and ask who has the labels.

    Nothing is asked where each list has one label, and each of a split another one, or where those
    of splits say what the folders in these say: then the folders have the labels. The lists have
    them where the splits have no folder that may be a class.

    Args:
        folder: the folder around them.
        inner: its folders.
        answers: what a person said already.
        is_list: tells whether a table has image and label.
    """
    if answers.lists == ("all",):
        answers = replace(answers, labels_in="list")
    there = _places(folder, inner)
    alone = _are_alone(inner) if any(each.is_split and each.files for each in there) else False
    whole = {file for place in there for file in place.files if is_list(file, answers)}
    asking = {} if whole else _asking(there, alone or answers.labels_in == "list")
    found: list[Listing] = []
    labels: list[tuple[str, str]] = []
    of_splits = 0
    same: list[str] = []
    others: list[str] = []
    for place in there:
        parts = sum(is_split(file.stem, lists=True) for file in place.files) > 1
        for file in place.files:
            called = os.path.relpath(file, folder).replace(os.sep, "/")
            is_meant = file in whole or file in asking
            named = tables_within.named(file, folder / place.path, answers) if is_meant else None
            own = _labels(named, asking.get(file, "")) if named is not None else set()
            if named is None or not own:
                others += [called] if place.is_split and _asks(file) else []
            elif place.is_split and file in whole and (said := _says_folders(named, answers)):
                same += [called] if said != "called so" else []
            else:
                split = (
                    of_list(file.stem) if parts and is_split(file.stem, lists=True) else place.split
                )
                found.append(Listing(file, split, f"{place.path}{named.below}", called))
                labels += [(place.split, each) for each in own]
                of_splits += place.is_split
    names = tuple(each.name for each in found)
    often = Counter(labels)
    one_each = not of_splits and len(labels) == len(found) and max(often.values(), default=0) == 1
    if not found or one_each:
        return Within(unused=tuple(same), others=tuple(others))
    what = f"with image and label: {many(len({label for _, label in labels}), 'label')}."
    if any(each.file in asking for each in found):
        what = "and no column is known to have the labels."
    first = f"first “{visible(names[0])[:60]}”, {what}"
    question = lists_that_ask.question(
        f"{many(len(found), 'list lies', 'lists lie')} in folders of images, {first}",
        *(len(found), folder, answers),
    )
    if alone:
        default = "folders" if answers.parts == "classes" else "list"
        question = replace(question, default=default, stops=False)
    if (answers.labels_in or question.default) == "list":
        return Within(tuple(found), (question,), tuple(same), tuple(others))
    return Within((), (question,), (*names, *same), tuple(others))


def _places(folder: Path, inner: Sequence[os.DirEntry[str]]) -> list[_Place]:
    """Return the folders, of splits also those inside them."""
    found: list[_Place] = []
    for each in inner:
        split = each.name if is_split(each.name) else ""
        own = tables_within.tables_in(Path(each.path))
        found.append(_Place(split, each.name, own))
        if split:
            below = [one.name for one in folders.entries(Path(each.path)) if one.is_dir()]
            paths = [f"{split}/{name}" for name in below]
            there = [_Place(split, path, tables_within.tables_in(folder / path)) for path in paths]
            found += [replace(one, files=[f for f in one.files if f not in own]) for one in there]
    return found


def _are_alone(inner: Sequence[os.DirEntry[str]]) -> bool:
    """Tell whether all images lie in splits, and no folder in these may be a class.

    They lie in the splits themselves, or each has one folder of images, called so or as in the
    others: `train/images/`.
    """
    names: set[str] = set()
    for each in filter(_has_images, inner):
        if not is_split(each.name):
            return False
        there = folders.entries(Path(each.path))
        below = [one for one in there if one.is_dir() and _has_images(one)]
        below = [one for one in below if not holds_masks(one.name)]
        loose = any(like_image(one.name) for one in there)
        deeper = [one for two in below for one in folders.entries(Path(two.path)) if one.is_dir()]
        if len(below) + loose > 1 or any(map(_has_images, deeper)):
            return False
        names |= {"" if is_of_files(one.name) else plain(one.name) for one in below}
    return len(names) < 2


def _has_images(folder: os.DirEntry[str]) -> bool:
    return any(like_image(file.path) for file in folders.walk(Path(folder.path)))


def _asking(there: Sequence[_Place], of_splits: bool) -> dict[Path, str]:
    """Return the tables of which no column is known to have the labels -> the likely one.

    Those of a split itself are such where folders in it are no classes, or called like parts.
    """
    names = [each.path.partition("/")[2] for each in there if each.split and not each.is_split]
    of_splits = of_splits or lists_that_ask.are_parts(names)
    own = [file for each in there if each.is_split for file in each.files if _asks(file)]
    if of_splits and own:
        return lists_that_ask.of_folders(own, ["images"]) or dict.fromkeys(own, "")
    inner = [each for each in there if not each.is_split]
    files = [file for each in inner for file in each.files if file.suffix.lower() != ".json"]
    return lists_that_ask.of_folders(files, [each.path.rpartition("/")[2] for each in inner])


def _asks(file: Path) -> bool:
    return file.suffix.lower() != ".json" and bool(lists_that_ask.asks_for_labels(file))


def _says_folders(named: Named, answers: Answers) -> str:
    """Return how a list says what the folders of its images say; "" where it is read anyway."""
    try:
        return named.says_folders() if answers.labels_in != "list" else ""
    except LnlError:
        return ""


def _labels(named: Named, column: str) -> set[str]:
    """Return the labels of a list; those of a column where none is known, "" if that is open."""
    decided = named.columns
    if decided.one_hot:
        return set(decided.one_hot)
    name = decided.used.get("label", column)
    try:
        values = surveying.counts((named.file,), [name] if name else [], decided.has_header)
    except LnlError:
        return set()
    labels = {visible(value) for value in values.get(name, ()) if value}
    return labels or set(_UNKNOWN)
