"""Which lists of a folder are read, and whether they or the class folders have the labels."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from lnl_core.data import coco, fiftyone_labels, folders, hub_shards
from lnl_core.data.list_rows import Listing
from lnl_core.data.manifests import SUFFIXES
from lnl_core.data.reading import (
    classes_files,
    column_names,
    columns,
    comparing,
    indexing,
    lists_within,
    places,
    read_me,
    split_lists,
    split_names,
    tables_within,
)
from lnl_core.data.reading.lists_that_ask import are_parts, asks_for_labels, others
from lnl_core.data.reading.many_tables import longest
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.texts_beside import TEXTS
from lnl_core.data.reading.tree import Node
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import LnlError, meant

METADATA = (
    *("metadata.csv", "metadata.jsonl", "metadata.parquet"),
    *("_annotations.coco.json", "_annotations.csv", "_classes.csv"),  # as Roboflow writes them
)
_DEEP = 3
FOLDERS_HAVE = "The class folders have the labels."
NO_LABELS = "It has no column of labels."
NO_IMAGES = "Which of its columns names images is not known."
_NOTES = 12
_SHOWN = 12
_COPY = re.compile(r"( ?\(\d+\)|[ _-]+copy( ?\(?\d+\)?)?)+$", re.IGNORECASE)
_OUTPUT = re.compile(r"pred|submission|output|result|score|prob", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists that are read; none where the class folders have the labels.

    Attributes:
        listings: what is read.
        questions: what is asked.
        unused: lists that are there and not read -> why.
        root: folder that paths start from, where it is not the lists' own.
    """

    listings: tuple[Listing, ...] = ()
    questions: tuple[Question, ...] = ()
    unused: Mapping[str, str] = field(default_factory=dict)
    root: Path | None = None


def inside(folder: Path, answers: Answers, *, depth: int = 0) -> Lists:
    """Find the lists of images inside a folder: tables whose header has image and label.

    Where there is none, every folder inside with images may have a `metadata` list of its own, as
    Hugging Face's imagefolder has, or some splits do; a lone folder around them (`data/`), or the
    only one with images (beside `docs/`), is passed through.

    Raises:
        LnlError: a list that was asked for is not there.
    """
    entries = folders.entries(folder)
    inner = [each for each in entries if each.is_dir(follow_symlinks=False)]
    tables_there = [
        Path(each.path)
        for each in entries
        if Path(each.path).suffix.lower() in SUFFIXES and Path(each.path).is_file()
    ]
    tables_there = without_notes(folder, tables_there)
    if answers.lists and answers.lists != ("all",):
        there = [*tables_there, *tables_beside(folder, inner)]
        is_here = any(each.name in answers.lists for each in there)
        lone = None if is_here or depth == _DEEP else _lone(inner)
        if lone is not None:
            return _through(lone, answers, depth)
        return _asked_for(folder, there, answers)
    tables_there = longest(tables_there, answers)
    known = [each for each in tables_there if is_list(each, answers)]
    if known:
        return choose(folder, known, tables_there, answers)
    listings = []
    for each in inner:
        names = [Path(each.path) / name for name in METADATA]
        split = each.name if places.is_split(each.name) else ""
        found = [path for path in names if path.is_file() and _is_part(path, answers)][:1]
        listings += [Listing(path, split, _around(path, folder, answers)) for path in found]
    read = {each.file.parent.name for each in listings}
    left = [each for each in inner if each.name not in read and _has_images(each)]
    if listings and not (left and any(not each.split for each in listings)):
        return Lists(tuple(listings), unused=_no_lists(tables_there))
    lone = _lone(inner)
    within = lists_within.find(folder, inner if lone is None else (), answers, is_list)
    named = _no_lists(tables_there)
    named |= {each: _without_labels(folder / each) for each in within.others}
    named |= dict.fromkeys(within.unused, lists_within.FOLDERS_HAVE)
    if within.asked:
        return Lists(within.listings, within.asked, named, folder)
    beside = [
        each for each in longest(tables_beside(folder, inner), answers) if is_list(each, answers)
    ]
    if beside and len(inner) > 1:
        return replace(choose(folder, beside, (), answers), root=folder)
    below = Lists() if lone is None or depth == _DEEP else _through(lone, answers, depth)
    return replace(below, unused=named | dict(below.unused))


def _through(lone: Path, answers: Answers, depth: int) -> Lists:
    """Find the lists inside the only folder that images lie in."""
    there = inside(lone, answers, depth=depth + 1)
    return replace(there, root=there.root or lone) if there.listings else there


def _lone(inner: Sequence[os.DirEntry[str]]) -> Path | None:
    """Return the only folder, or the only one that holds an image, at any depth."""
    if len(inner) == 1:
        return Path(inner[0].path)
    first = list(islice(filter(_has_images, inner), 2))
    return Path(first[0].path) if len(first) == 1 else None


def _has_images(folder: os.DirEntry[str]) -> bool:
    """Tell whether an image lies in a folder, at any depth."""
    return any(places.like_image(file.path) for file in folders.walk(Path(folder.path)))


def _no_lists(there: Sequence[Path]) -> dict[str, str]:
    """Return the tables that name images, and JSON called like labels -> why none is read."""
    unused = {}
    for each in there:
        if each.suffix.lower() != ".json" and column_names.has_images(each):
            unused[each.name] = _without_labels(each)
        elif each.suffix.lower() == ".json" and _OUTPUT.search(each.stem):
            unused[each.name] = "It is no list of a known form."
        elif each.suffix.lower() != ".json" and asks_for_labels(each):
            unused[each.name] = "Its rows name images, and no column is known to have the labels."
    return unused


def _around(file: Path, folder: Path, answers: Answers) -> str:
    """Return the folder in which most images of a list inside a folder lie, if it is one."""
    named = tables_within.named(file, file.parent, answers)
    return file.parent.name + (named.below if named is not None else "")


def _is_part(file: Path, answers: Answers) -> bool:
    """Tell whether a table inside a folder is its list, also one of columns of 0 and 1."""
    if is_list(file, answers):
        return True
    return file.suffix.lower() == ".csv" and asks_for_labels(file) == "one_hot"


def _without_labels(file: Path) -> str:
    asked = "" if file.suffix.lower() == ".json" else asks_for_labels(file)
    if asked == "one_hot":
        return "It has a column of 0 and 1 for each class: name every list, and give --one-hot."
    if asked and (names := others(file)):
        return f"Which of its columns has labels is not known: {names}."
    return NO_IMAGES if column_names.has_labels(file) else NO_LABELS


def that_ask(folder: Path) -> Lists:
    """Find the tables that name images and of which it is asked which column has the labels."""
    there = [Path(each.path) for each in folders.entries(folder)]
    inner = [each for each in folders.entries(folder) if each.is_dir(follow_symlinks=False)]
    there = [file for file in there if file.suffix.lower() in SUFFIXES and file.is_file()]
    own = [each for each in longest(without_notes(folder, there)) if _asks(each)]
    found = own or [each for each in longest(tables_beside(folder, inner)) if _asks(each)]
    several = len(found) > 1
    listings = _as_splits(found) if several else tuple(map(Listing, found))
    return Lists(listings, root=None if own else folder)


def _asks(file: Path) -> bool:
    """Tell whether a table that is no model's output, nor a note, asks for its labels."""
    if file.suffix.lower() == ".json" or _OUTPUT.search(file.stem) or read_me.is_called_so(file):
        return False
    return bool(asks_for_labels(file))


def tables_beside(folder: Path, inner: Sequence[os.DirEntry[str]]) -> list[Path]:
    """Return the tables in folders that hold nothing but tables and text: `labels/train.csv`."""
    found = []
    for each in inner:
        there = folders.entries(Path(each.path))
        if any(entry.is_dir() or places.like_image(entry.name) for entry in there):
            continue
        found += [Path(entry.path) for entry in there]
    return without_notes(folder, [f for f in found if f.suffix.lower() in SUFFIXES and f.is_file()])


def without_notes(folder: Path, found: list[Path]) -> list[Path]:
    """Return tables without those that are of one image each, where a folder has many.

    That are JSON files, and texts called as an image is: `x.jpg`, `x.txt`. And without texts whose
    lines are images with blanks in their names: lists of splits.
    """
    notes = {file for file in found if file.suffix.lower() == ".json"}
    texts = [file for file in found if file.suffix.lower() in TEXTS]
    stems = indexing.of(folder).stems if len(texts) > _NOTES else {}
    own = {file for file in texts if indexing.composed(file.stem) in stems}
    gone = {file for group in (notes, own) if len(group) > _NOTES for file in group}
    gone |= {file for file in texts if split_lists.has_whole_paths(file, folder)}
    return [file for file in found if file not in gone]


def is_list(file: Path, answers: Answers) -> bool:
    """Tell whether a table names images and labels, by its header or by what a person said."""
    if file.suffix.lower() == ".json":
        return coco.is_coco(file) or fiftyone_labels.is_one(file)
    if hub_shards.holds_images(file):
        return False
    if column_names.recognised(file):
        return True
    if classes_files.are_names(file, lambda: len(indexing.of(file.parent.resolve()).stems)):
        return False
    try:
        return _decided(file, file.parent, answers).complete
    except LnlError:
        return False


def _decided(file: Path, root: Path, answers: Answers) -> column_names.Columns:
    """Say which columns of a list are what; where its first row is an image, by that row."""
    decided = columns.decide(file, root, answers)
    if any(each.key == "header" for each in decided.questions):
        return columns.decide(file, root, replace(answers, header="none"))
    return decided


def _asked_for(folder: Path, there: Sequence[Path], answers: Answers) -> Lists:
    by_name = {each.name: each for each in there}
    strange = [name for name in answers.lists if name not in by_name]
    if strange:
        known = ", ".join(f"“{visible(name)[:40]}”" for name in by_name) or "none"
        raise LnlError(
            f"There is no list “{strange[0][:60]}” in {visible(folder.name)}."
            f"{meant(strange[0], by_name)} Known: {known}."
        )
    several = len(answers.lists) > 1
    wanted = [by_name[name] for name in answers.lists]
    chosen = _as_splits(wanted) if several else tuple(map(Listing, wanted))
    unused = {n: "Another list was chosen." for n in by_name if n not in answers.lists}
    apart = any(each.file.parent != folder for each in chosen)
    return Lists(chosen, (), unused, folder if apart else None)


def _as_splits(files: Sequence[Path]) -> tuple[Listing, ...]:
    """Return lists, each as the split that it is called after, by its whole name if two share it.

    `train_labels.csv` is of train, unless `train.csv` is read, too.
    """
    stems = [
        file.stem.removeprefix("instances_") if file.suffix == ".json" else file.stem
        for file in files
    ]
    short = list(map(split_names.of_list, stems))
    names = short if len(set(short)) == len(set(stems)) else stems
    return tuple(Listing(file, name) for file, name in zip(files, names, strict=True))


def choose(folder: Path, known: Sequence[Path], there: Sequence[Path], answers: Answers) -> Lists:
    """Choose among the lists of a folder, or ask."""
    unused = {
        each.name: _without_labels(each)
        for each in there
        if each not in known and column_names.has_images(each)
    }
    first: dict[str, Path] = {}
    for each in known:
        if each.stem in first:
            unused[each.name] = f"{first[each.stem].name} has the same name and is read."
        else:
            first[each.stem] = each
    lists = list(first.values())
    to_people = [each for each in lists if read_me.is_called_so(each)]
    alone = len(lists) - len(to_people) == 1  # then nothing is asked: “all” are those of notes, too
    if 0 < len(to_people) < len(lists) and not (alone and answers.lists == ("all",)):
        unused |= {each.name: read_me.UNUSED for each in to_people}
        lists = [each for each in lists if each not in to_people]
    labels = [each for each in lists if not _OUTPUT.search(each.stem)]
    if labels:
        unused |= {
            each.name: "It is called like an output." for each in lists if each not in labels
        }
        lists = labels
    if len(lists) == 1:
        return Lists((Listing(lists[0]),), (), unused)
    together = _as_splits(lists)
    parts = all(places.is_split(each.stem, lists=True) for each in lists)
    stems = {each.stem for each in lists}
    parts = parts and not any(_COPY.sub("", stem) in stems - {stem} for stem in stems)
    said = " They are read together, each as a split." if parts else " Which has the labels?"
    every = (Choice("all", "all of them, each as a split"),)
    question = replace(
        which(folder, lists, said, every),
        default="all" if parts else "",
        answer="all" if answers.lists == ("all",) else "",
        stops=not parts,
    )
    return Lists(together, (question,), unused)


def which(
    folder: Path, lists: Sequence[Path], said: str, every: tuple[Choice, ...] = ()
) -> Question:
    """Ask which of several lists of a folder has the labels."""
    names = [visible(each.name)[:40] for each in lists]
    alone = (Choice(each.name, f"{name} alone") for each, name in zip(lists, names, strict=True))
    shown = ", ".join(f"“{name}”" for name in names[:_SHOWN])
    shown += f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return Question(
        "lists",
        f"{len(lists)} lists are in {visible(folder.name)}: {shown}.{said}",
        (*every, *alone),
        stops=True,
        several=True,
    )


def against_folders(folder: Path, lists: Lists, root: Path | None, answers: Answers) -> Lists:
    """Compare a list with the class folders that it lies above, and say which has the labels.

    A list of part of the images, whose labels are names of the folders, is another opinion: the
    folders have the labels. One that has other labels is the only one that has any.

    Returns:
        the lists; without listings where the folders have the labels.
    """
    several = len(lists.listings) != 1 or bool(lists.listings[0].inside)
    if answers.lists or (several and answers.labels_in != "folders"):
        return lists
    listing = lists.listings[0]
    if not several and _is_export(listing.file):
        return lists
    top = folders.innermost((root or folder).resolve())
    tree = folders.survey(top)
    where = places.decide(tree, answers)
    classes = {plain(name): name for name, files in where.classes(tree) if files}
    if several:
        gone = dict.fromkeys((_called(each, folder) for each in lists.listings), FOLDERS_HAVE)
        return Lists((), (), {**lists.unused, **gone}) if len(classes) > 1 else lists
    name = visible(listing.file.name)
    without = Lists((), lists.questions, {**lists.unused, name: FOLDERS_HAVE})
    if read_me.is_called_so(listing.file):
        question = read_me.ask(listing.file, classes, _images(tree, where), answers)
        chosen = without if classes and answers.labels_in == "folders" else lists
        return replace(chosen, questions=(*lists.questions, question))
    if len(classes) < 2:
        return lists
    unasked = without if answers.labels_in == "folders" else lists
    decided = _decided(listing.file, (root or folder).resolve(), answers)
    seen = comparing.with_folders(listing.file, decided, root or folder, top, where)
    if seen is not None and seen.missing and not seen.rows:
        return _of_other_images(lists, listing.file, top, answers)
    if seen is None or not seen.in_classes:
        return unasked
    images = _images(tree, where)
    covers = seen.rows >= images
    names_overlap = 2 * sum(each in classes for each in seen.labels) >= len(seen.labels)
    if are_parts(list(classes.values())) and not names_overlap:
        return unasked
    output = bool(_OUTPUT.search(listing.file.stem))
    counts = len(seen.labels) == seen.rows > len(classes)  # 1, 2, 3 ...: the number of the row
    if covers and not counts and (seen.agree == seen.rows or not (names_overlap or output)):
        return unasked
    if not names_overlap and not output and not counts and seen.rows > 0.9 * images:
        return unasked
    if not names_overlap and not output and all(map(places.is_split, classes.values())):
        return unasked
    settled = "folders" if (names_overlap or output) and not covers else ""
    taken = answers.labels_in or settled
    question = Question(
        "labels_in",
        f"Labels are in {len(classes):,} class folders and in {name}, which has "
        f"{min(seen.rows, images):,} of {images:,} images and another label for "
        f"{seen.rows - seen.agree:,}. Which are the given labels?",
        (
            Choice("folders", f"the folders, {images:,} images"),
            Choice("list", f"the list, {seen.rows:,} images"),
        ),
        default=settled,
        answer=answers.labels_in,
        stops=not settled,
    )
    questions = (*lists.questions, question)
    if taken == "folders":
        return replace(without, questions=questions)
    return replace(lists, questions=questions)


def _of_other_images(lists: Lists, file: Path, top: Path, answers: Answers) -> Lists:
    """Go by class folders where none of a list's images is there; where it has labels, ask."""
    name = visible(file.name)
    if answers.labels_in == "list":
        return lists
    gone = Lists((), lists.questions, {**lists.unused, name: "None of its images is there."})
    if file.suffix.lower() == ".json":
        return gone
    question = Question(
        "labels_in",
        f"{name} has labels, and none of its images is there. Are the folders of "
        f"{visible(top.name)[:40]} the classes?",
        (Choice("folders", "yes"), Choice("list", "no, the list has them")),
        answer=answers.labels_in,
        stops=True,
    )
    return replace(gone, questions=(*lists.questions, question))


def _called(each: Listing, folder: Path) -> str:
    inside = os.path.relpath(each.file, folder).replace(os.sep, "/")
    return visible(inside if each.inside else each.file.name)


def _is_export(file: Path) -> bool:
    """Tell whether a list is what this program wrote beside the folders that it names."""
    if file.name != "metadata.csv":
        return False
    with file.open("rb") as stream:
        return b"lnl_verdict" in stream.readline(4096)


def _images(tree: Node, where: places.Places) -> int:
    tops = [tree.inner[name] for name in where.splits] if where.splits else [tree]
    return sum(node.below for top in tops for node in top.inner.values())
