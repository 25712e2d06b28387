"""Which form a source has, and the importer that looks it over."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from lnl_core.data import folders, hub, hub_shards, manifests, npz, vision
from lnl_core.data.files import FileSource
from lnl_core.data.list_rows import Listing
from lnl_core.data.reading import (
    classes_files,
    column_names,
    lists,
    lists_of_folders,
    lists_that_ask,
    lists_within,
    many_tables,
    other_forms,
    read_me,
    split_lists,
    texts_beside,
    texts_of_names,
    unlisted,
)
from lnl_core.data.reading.indexing import one_walk
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.reading.tree import like_image
from lnl_core.data.tables import BadRow, visible
from lnl_core.data.writing import Source
from lnl_core.readings import OPTIONS, Answers, Choice, Question
from lnl_core.types import LnlError

TABLES = (".csv", ".tsv", ".parquet", ".pq", ".jsonl")
_LISTS = (".npz", ".csv", ".jsonl")
_REMEDIES = {
    lists.NO_LABELS: "Nothing to do, unless it should have them: then write them into it.",
    lists.NO_IMAGES: "If one does, name it with --image-column.",
    lists_of_folders.SEVERAL: "To use its labels, write a list with a row an image.",
}
_OPTIONS = {
    lists.FOLDERS_HAVE: "--list, or --labels-in list",
    lists_within.FOLDERS_HAVE: "--labels-in list",
}
_OF_LISTS = ("image_column", "label_column", "id_column", "header", "one_hot", "class_columns")
_CALLED_LABELS = re.compile(r"label|annot|diagnos|metadata|ground.?truth|classes", re.IGNORECASE)
_LABELS = (*manifests.SUFFIXES, *other_forms.SHEETS)


@one_walk()
def kind_of(source: Path, answers: Answers | None = None) -> str:
    """Return `folder`, `manifest`, `hub`, `npz`, `torchvision` or `zip`, by what the source holds.

    Raises:
        LnlError: it does not exist, or is none of them.
    """
    try:
        if source.is_dir():
            if vision.find(source) is None and hub_shards.find(source, answers or Answers()).files:
                return "hub"
            if _lists_in(source, None, answers or Answers()).listings:
                return "manifest"
            return "folder" if vision.find(source) is None else "torchvision"
        with source.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        raise LnlError(f"{source} cannot be opened: {error.strerror}. Check the path.") from error
    suffix = source.suffix.lower()
    if suffix == ".npz":
        return "npz"
    if hub_shards.holds_images(source):
        return "hub"
    if suffix in manifests.SUFFIXES or head == b"PAR1":
        return "manifest"
    unread = other_forms.remedy(suffix) if suffix != ".zip" else ""
    if suffix == ".zip" or (not unread and head == b"PK\x03\x04" and suffix != ".docx"):
        return "zip"
    raise LnlError(
        f"{source.name} is none of the known forms. "
        + (
            unread
            or "Choose a folder of class folders, a list (.csv, .parquet), arrays (.npz) or a .zip "
            "of them."
        )
    )


def _lists_in(folder: Path, root: Path | None, answers: Answers) -> lists.Lists:
    """Return the lists of a folder that have the labels; none where class folders have them."""
    if vision.find(folder) is not None:
        return lists.Lists()
    there = lists.inside(folder, answers)
    if not there.listings:
        return lists_of_folders.find(folder, there, answers, root)
    there = lists_of_folders.attached(there, root or folder, answers)
    if any(each.folders is not None for each in there.listings):
        return there
    return lists.against_folders(folder, there, None, answers)


@one_walk()
def look(
    source: Path, root: Path | None, class_map: Mapping[str, str] | None, answers: Answers
) -> Source:
    """Look over a source of any form but a zip; no image is opened.

    Raises:
        LnlError: it is none of the known forms, or nothing there can be imported.
    """
    if not source.is_dir():
        kind = kind_of(source)
        if kind == "npz":
            return npz.scan(source, class_map, answers)
        if kind == "hub":
            return hub.scan(hub_shards.Shards([source]), class_map, answers)
        home = root or source.parent
        listing = lists_of_folders.with_folders(Listing(source), home, answers)
        return manifests.scan([listing], root, class_map, answers)
    if vision.find(source) is not None:
        return vision.scan(source, class_map)
    shards = hub_shards.find(source, answers)
    if shards.files:
        return hub.scan(shards, class_map, answers)
    there = _lists_in(source, root, answers)
    if there.listings:
        looked_over: Source = manifests.scan(there.listings, root or there.root, class_map, answers)
        if root is None and isinstance(looked_over, FileSource):
            _read_splits(source, looked_over, answers)
    else:
        looked_over = _folder(source, class_map, answers)
        if isinstance(looked_over, FileSource) and looked_over.kind == "folder":
            _read_splits(source, looked_over, answers)
        if any(each.key == "unlabelled" for each in looked_over.outline.questions):
            looked_over.outline.notes += _lists_of_splits(source, looked_over, answers)
    outline = looked_over.outline
    if outline.listed and isinstance(looked_over, FileSource) and root is None:
        written = [name for own in outline.written.values() for name in own]
        left = unlisted.find(looked_over.root, outline.listed, {*outline.counts, *written})
        outline.notes += left.notes()
        names = [each.file.name for each in there.listings]
        outline.questions += left.questions(names, there.questions, answers)
    asked = {each.key for each in there.questions}
    more = [each for each in outline.questions if each.key not in asked]
    outline.questions = [*there.questions, *more]
    asks_where = any(each.key == "labels_in" for each in outline.questions)
    if answers.labels_in == "list" and not there.listings and not asks_where:
        outline.notes.append("No list has the labels: “--labels-in list” changes nothing.")
    if looked_over.kind == "folder" and not outline.lists:
        flags = [
            each.flag for each in OPTIONS if each.key in _OF_LISTS and getattr(answers, each.key)
        ]
        if flags:
            shown = ", ".join(f"“{flag}”" for flag in flags)
            outline.notes.append(f"No list is read for its labels: {shown} changes nothing.")
    for name, why in there.unused.items():
        if name in outline.files or name in map(os.path.basename, outline.files):
            continue
        outline.notes.append(f"“{name[:60]}” is not used. {why}")
        option = _OPTIONS.get(why, "--labels-in list" if "/" in name else "--list")
        remedy = _REMEDIES.get(why, f"Choose it with {option}.")
        outline.leave_out(1, "lists", BadRow(why, remedy), name)
    return looked_over


def _read_splits(source: Path, looked_over: FileSource, answers: Answers) -> None:
    """Read the lists that say nothing but splits, unless a person said that there are none."""
    outline = looked_over.outline
    if answers.split_column == "none" or outline.splits:
        return
    files = [file for file in _texts(source) if file not in outline.lists]
    files = many_tables.longest(files)
    found = [split_lists.of_lines(file) for file in files if texts_beside.lists_a_split(file)]
    texts = [file for file in files if file.suffix.lower() in texts_beside.TEXTS]
    tables = [file for file in files if file.suffix.lower() in (".csv", ".tsv")]
    tables += filter(column_names.has_images, texts)
    found += filter(None, map(split_lists.of_table, tables))
    objects = [file for file in files if file.suffix.lower() == ".json"]
    found += filter(None, map(split_lists.of_json, objects))
    read, notes = split_lists.read(looked_over, found)
    outline.files += [os.path.relpath(file, source.resolve()) for file in read]
    outline.lists += read
    outline.notes += notes


def _texts(source: Path) -> list[Path]:
    """Return the texts in a folder, in the lone ones inside it, and in those of texts there."""
    beside = [Path(e.path) for each in _lone(source) for e in folders.entries(each)]
    plain = [each for each in beside if each.is_dir() and each.name.lower() in texts_beside.FOLDERS]
    found = [*beside, *(Path(e.path) for each in plain for e in folders.entries(each))]
    return [
        each
        for each in dict.fromkeys(found)
        if each.suffix.lower() in texts_beside.LINES
        or (each.suffix.lower() == ".json" and "split" in each.stem.lower())
    ]


def _lists_of_splits(source: Path, looked_over: Source, answers: Answers) -> list[str]:
    """Name the lists inside splits, where images lie in these without a class folder."""
    top = folders.innermost(source.resolve())
    inner = [Path(each.path) for each in folders.entries(top) if each.is_dir()]
    named = any(
        each.key == "classes_file" and each.taken != "none"
        for each in looked_over.outline.questions
    )
    names = classes_files.around([source.resolve(), top], answers) if named else None
    return [
        f"“{visible(each.name)[:40]}/{visible(listing.file.name)[:60]}” lists images, and is not "
        f"read. Import “{visible(each.name)[:40]}” alone, or add it to this set afterwards."
        + classes_files.needed(listing.file, names)
        for each in inner
        if is_split(each.name)
        for listing in lists.inside(each, Answers()).listings
    ]


def _folder(source: Path, class_map: Mapping[str, str] | None, answers: Answers) -> Source:
    """Look over class folders; where there are none, a lone table may be the list."""
    files = [
        Path(entry.path)
        for entry in folders.entries(source)
        if Path(entry.path).suffix.lower() in (*TABLES, *texts_beside.TEXTS) and entry.is_file()
    ]
    tables_there = [
        file
        for file in many_tables.longest(lists.without_notes(source, files), answers)
        if not (file.suffix.lower() == ".txt" and read_me.speaks_to_people(file))
        and file.name != Path(answers.classes_file).name
        and not texts_of_names.is_one(file)
    ]
    named = [file for file in tables_there if file.stem == "metadata"] or tables_there
    try:
        looked_over = folders.scan(source, class_map, answers)
    except LnlError as error:
        if len(named) == 1:
            return manifests.scan(named[0], None, class_map, answers)  # or it says what is missing
        if arrays := _arrays(source):
            return npz.scan(arrays, class_map, answers)
        if listed := texts_of_names.names_images_of(_texts(source), source):
            raise LnlError(listed) from error
        raise
    if _are_splits_alone(looked_over):
        for each in _lone(source):
            asking = lists.that_ask(each)
            if asking.listings:
                return manifests.scan(asking.listings, asking.root, class_map, answers)
    if len(+looked_over.outline.counts) > 1:
        if theirs := _or_their_lists(source, class_map, answers):
            return theirs
        if question := _ask_several(source, looked_over, answers):
            looked_over.outline.questions.append(question)
        return looked_over
    asked = {file: lists_that_ask.asks_for_labels(file) for file in tables_there}
    likely = [file for file in tables_there if asked[file] == "one_hot"]
    likely += [file for file in named if asked[file] and len(named) == 1]
    if likely:
        return manifests.scan(likely[0], None, class_map, answers)
    asking = lists.that_ask(source)
    several = [each.file for each in asking.listings]
    if several and lists_that_ask.have_one_column(several):
        return manifests.scan(asking.listings, asking.root, class_map, answers)
    if several and answers.labels_in != "folders":
        looked_over.outline.questions.append(lists.which(source, several, " Which has the labels?"))
        return looked_over
    if question := _ask_lone(source, looked_over, answers):
        looked_over.outline.questions.append(question)
    return looked_over


def _arrays(source: Path) -> Path | None:
    """Return the only NPZ of a folder without images.

    Raises:
        LnlError: there are several.
    """
    there = [Path(entry.path) for entry in folders.entries(folders.innermost(source.resolve()))]
    found = [file for file in there if file.suffix.lower() == ".npz" and file.is_file()]
    if len(found) > 1:
        shown = ", ".join(f"“{visible(file.name)[:40]}”" for file in found[:6])
        raise LnlError(f"It holds {len(found):,} NPZ files: {shown}. Import one of them.")
    return next(iter(found), None)


def _or_their_lists(
    source: Path, class_map: Mapping[str, str] | None, answers: Answers
) -> Source | None:
    """Ask whether folders, or lists that name most of their images, have the labels.

    None where the folders have them, or a person said so.
    """
    if answers.labels_in == "folders" or answers.parts == "classes" or answers.level:
        return None
    around = _lone(source)
    for each in around:
        asking = lists.that_ask(each)
        question = None
        if asking.listings:
            question = lists_that_ask.over_folders(
                asking.listings, asking.root, around[-1], answers
            )
        if question is not None:
            read = manifests.scan(asking.listings, asking.root, class_map, answers)
            read.outline.questions.insert(0, question)
            return read
    return None


def _lone(source: Path) -> list[Path]:
    """Return a folder, and the lone ones inside it down to that around the class folders."""
    source = source.resolve()
    top = folders.innermost(source)
    above = [each for each in top.parents if each == source or source in each.parents]
    return [*reversed(above), top]


def _are_splits_alone(looked_over: Source) -> bool:
    """Tell whether it is asked if the only classes are folders called like splits."""
    return any(
        each.key == "parts" and each.is_open and [one.value for one in each.choices] == ["classes"]
        for each in looked_over.outline.questions
    )


def _ask_lone(source: Path, looked_over: Source, answers: Answers) -> Question | None:
    """Ask whether a lone folder is a class, where a file beside it may be a list not understood."""
    if not +looked_over.outline.counts:
        return None
    beside = _not_read(source, looked_over)
    if not beside:
        return None
    return Question(
        "labels_in",
        f"All images lie in one folder, and {beside[0].name[:40]} beside it is not read. "
        f"{_why_not(beside[0])} Has every image the folder's name as its label?",
        (Choice("folders", "yes, there is one class"),),
        answer=answers.labels_in,
        stops=True,
    )


def _ask_several(source: Path, looked_over: Source, answers: Answers) -> Question | None:
    """Ask whether folders are classes, where a file beside them may be a list not understood.

    That is a sheet or JSON that is called so, or any where the folders are called like parts. Of
    tables see `lists_that_ask`.
    """
    there = _not_read(source, looked_over)
    found = [f for f in there if f.suffix.lower() in other_forms.SHEETS]
    found += [f for f in there if f.suffix.lower() == ".json" and _speaks_of_images(f)]
    if not lists_that_ask.are_parts(list(+looked_over.outline.counts)):
        found = [file for file in found if _CALLED_LABELS.search(file.stem)]
    if not found:
        return None
    return Question(
        "labels_in",
        f"{found[0].name[:40]} beside the folders may have the labels, and is not read. "
        f"{_why_not(found[0])} Are the folders the classes?",
        (Choice("folders", "yes"),),
        answer=answers.labels_in,
        stops=True,
    )


def _speaks_of_images(file: Path) -> bool:
    return any(map(texts_beside.names_image, texts_beside.first_lines(file)))


def _not_read(source: Path, looked_over: Source) -> list[Path]:
    """Return the files beside images that may be lists and that no reading has used."""
    there = [Path(e.path) for e in folders.entries(source) if os.path.isfile(e.path)]
    known = set(looked_over.outline.files)
    beside = [f for f in there if f.name not in known and not like_image(f.name)]
    beside = [f for f in beside if f.suffix.lower() in _LABELS or texts_beside.names_images(f)]
    return [f for f in beside if not read_me.speaks_to_people(f)]


def _why_not(file: Path) -> str:
    """Say why a file is not read as a list."""
    if file.suffix.lower() not in _LABELS:
        return "Its lines name images: save it as CSV with the columns image and label."
    if why := other_forms.remedy(file.suffix.lower()):
        return why
    try:
        manifests.scan(file, None, None, Answers())
    except LnlError as error:
        return str(error)
    if column_names.has_labels(file):
        return f"{lists.NO_IMAGES} {_REMEDIES[lists.NO_IMAGES]}"
    return "It is no list of a known form."


@one_walk()
def look_inside(folder: Path, class_map: Mapping[str, str] | None, answers: Answers) -> Source:
    """Look over an unpacked zip: a lone folder around everything is passed through."""
    for _ in range(8):
        inside = folders.entries(folder)
        arrays = [e for e in inside if e.name.lower().endswith(".npz")]
        if len(arrays) == 1:
            return npz.scan(Path(arrays[0].path), class_map, answers)
        if len(inside) != 1 or not inside[0].is_dir() or lists.inside(folder, answers).listings:
            break
        below = folders.entries(Path(inside[0].path))
        if not any(e.is_dir() or e.name.lower().endswith(_LISTS) for e in below):
            break
        folder = Path(inside[0].path)
    return look(folder, None, class_map, answers)
