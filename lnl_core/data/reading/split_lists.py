"""Lists that say of images which split they are in, and nothing else.

`train.txt` and `val.txt` with a path in each line, as Food-101 has them (without the ending), a
table with the columns `path` and `split`, or `path` and `is_train`, `train.csv` with a column
`path`, and JSON of splits with their paths. Class folders or another list have the labels.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lnl_core.data import folders, tables
from lnl_core.data.files import FileSource, Item
from lnl_core.data.reading import columns, lists_that_ask, texts_beside
from lnl_core.data.reading.column_names import COLUMNS, IDS, plain_names
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.data.reading.splits import of_flags
from lnl_core.data.reading.tree import like_image
from lnl_core.data.table_text import lines_of, text_of
from lnl_core.data.tables import visible
from lnl_core.data.writing import Skipped
from lnl_core.readings import Answers
from lnl_core.said import many
from lnl_core.types import LnlError

_LARGEST = 2**26
_DEEP = 8
"""Parts at the end of a path that are compared."""


@dataclass(frozen=True, slots=True)
class SplitList:
    """Which split a file says that images are in: (path as written, split) of every line.

    Attributes:
        file: that says it.
        said: what it says.
        is_sure: False of a table that is but called like a split: its images may have no label.
    """

    file: Path
    said: Sequence[tuple[str, str]]
    is_sure: bool = True


def of_lines(file: Path) -> SplitList:
    """Return a text called like a split, with a path in each line."""
    split = split_in(file.stem) or file.stem
    with text_of(file, file.name) as text:
        lines = (line.strip() for line in lines_of(text, file.name))
        return SplitList(file, [(line, split) for line in lines if line])


def has_whole_paths(file: Path, folder: Path) -> bool:
    """Tell whether each of the first lines of a text called like a split is an image of a folder.

    Its blanks are those of names then, and part no label from a path.
    """
    if not texts_beside.lists_a_split(file):
        return False
    lines = texts_beside.first_lines(file)
    if not any(" " in line for line in lines):
        return False
    there = (each.path for each in folders.walk(folder) if not each.is_folder)
    names = _Names(path for path in there if like_image(path))
    return all(map(names.found, lines))


def of_table(file: Path) -> SplitList | None:
    """Return a table that has columns of images and splits, and none of labels; None of others.

    One that is called like a split may have images alone, beside columns that are no classes.
    """
    try:
        header = tables.names(file, COLUMNS)
        if len(header) == 1:
            return _of_one_column(file, header[0])
        decided = columns.decide(file, file.parent, Answers())
        keys = ("image", *(("split",) if "split" in decided.accepted else decided.flags.values()))
        if "label" in decided.used or "image" not in decided.accepted:
            return None
        is_named = is_split(file.stem, lists=True)
        if len(keys) == 1 and (not is_named or lists_that_ask.may_have_labels(file, decided)):
            return None
        wanted = {key: decided.accepted[key] for key in keys}
        rows = tables.rows(file, file.name, wanted, keys)
        cells = [each for _, each in rows if isinstance(each, dict)]
    except LnlError:
        return None
    if len(keys) == 1:
        split = split_in(file.stem)
        named = [(each["image"], split) for each in cells if each["image"]]
        return SplitList(file, named, is_sure=False)
    if "split" in keys:
        return SplitList(file, [(each["image"], each["split"]) for each in cells if each["split"]])
    said = [(each["image"], of_flags(decided.flags, each)) for each in cells]
    return SplitList(file, [(image, split) for image, split in said if split])


def _of_one_column(file: Path, name: str) -> SplitList | None:
    """Return a table called like a split that has a column of images alone; None of others."""
    known = plain_names([name])
    if not is_split(file.stem, lists=True) or known.keys().isdisjoint((*COLUMNS["image"], *IDS)):
        return None
    rows = tables.rows(file, file.name, {"image": (name.lower(),)}, ("image",))
    cells = [each["image"] for _, each in rows if isinstance(each, dict)]
    split = split_in(file.stem)
    return SplitList(file, [(image, split) for image in cells if image], is_sure=False)


def of_json(file: Path) -> SplitList | None:
    """Return an object of splits, each with a list of paths, or of rows that begin with one."""
    try:
        value = json.loads(file.read_text("utf-8-sig")) if file.stat().st_size < _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not all(map(is_split, value)):
        return None
    if not all(isinstance(rows, list) for rows in value.values()):
        return None
    said = [
        (row[0] if isinstance(row, list) and row else row, split)
        for split, rows in value.items()
        for row in rows
    ]
    return SplitList(file, said) if all(isinstance(path, str) for path, _ in said) else None


def read(source: FileSource, lists: Iterable[SplitList]) -> tuple[list[Path], list[str]]:
    """Give images the splits of lists of which every line is an image that is there.

    Nothing is read where folders or lists say splits already.

    Args:
        source: class folders, or lists with labels; its rows and outline get the splits.
        lists: of splits.

    Returns:
        (files that are read, what should be known about them and the others).
    """
    by_lists = source.kind != "folder"  # then a list without labels may be of other images
    there = [each for each in lists if each.said and (each.is_sure or not by_lists)]
    if not there or source.outline.splits:
        return [], []
    names = _Names(each.path for each in source.items() if isinstance(each, Item))
    found = {each.file: [names.found(path) for path, _ in each.said] for each in there}
    notes, splits, read = [], dict[str, str](), list[SplitList]()
    twice = Counter[str]()
    for each in there:
        paths = found[each.file]
        lost = [said for said, path in zip(each.said, paths, strict=True) if not path]
        if not each.is_sure and 2 * len(lost) > len(paths):
            continue
        if lost:
            notes.append(_not_read(each, lost))
            continue
        read.append(each)
        for path, (_, split) in zip(paths, each.said, strict=True):
            if splits.setdefault(path, visible(split)) != visible(split):
                twice[path] += 1
    if read:
        notes.append(_give(source, read, splits, twice, names.count))
    return [each.file for each in read], notes


def _give(
    source: FileSource,
    read: Sequence[SplitList],
    splits: Mapping[str, str],
    twice: Mapping[str, int],
    count: int,
) -> str:
    items = source.items

    def with_splits() -> Iterator[Item | Skipped]:
        for each in items():
            yield replace(each, split=splits.get(each.path, "")) if isinstance(each, Item) else each

    source.items = with_splits
    source.outline.splits = dict(Counter(splits.values()))
    shown = ", ".join(f"“{visible(each.file.name)[:60]}”" for each in read)
    said = f"Splits are read from {shown}; --split-column none: they are not."
    if without := count - len(splits):
        said += f" {many(without, 'image is', 'images are')} in none."
    if twice:
        first = visible(next(iter(twice)))[:60]
        said += (
            f" {many(len(twice), 'image is', 'images are')} in several, first “{first}”: the first "
            "one counts. What a method has learned is no test of it."
        )
    return said


def _not_read(each: SplitList, lost: Sequence[tuple[str, str]]) -> str:
    name = visible(each.file.name)[:60]
    lines = many(len(lost), "line is", "lines are")
    return (
        f"“{name}”: a list of a split, that is not read: {lines} no image that is there, first "
        f"“{visible(lost[0][0])[:60]}”. To keep the splits, correct it, put the images into "
        "folders called so, or write a list with image, label and split."
    )


class _Names:
    """The images of a set, found by the ends of their paths, with their ending or without."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = list(paths)
        self.count = sum(map(like_image, self._paths)) or len(self._paths)
        self._known: dict[int, dict[str, list[str]]] = {}

    def found(self, line: str) -> str:
        """Return the image of a line, "" where there is none or several.

        One of the two paths ends with the whole other one.
        """
        parts = [part for part in line.replace("\\", "/").split("/") if part not in ("", ".")]
        for depth in range(min(len(parts), _DEEP), 0, -1):
            there = self._ends(depth).get("/".join(parts[-depth:]), [])
            if depth < len(parts):
                there = [path for path in there if path.count("/") + 1 == depth]
            if there:
                return there[0] if len(there) == 1 else ""
        return ""

    def _ends(self, depth: int) -> Mapping[str, Sequence[str]]:
        if depth not in self._known:
            ends, stems = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
            for path in self._paths:
                ends[_end(path, depth)].append(path)
                if like_image(path):
                    stems[os.path.splitext(_end(path, depth))[0]].append(path)
            self._known[depth] = {**stems, **ends}
        return self._known[depth]


def _end(path: str, depth: int) -> str:
    return "/".join(path.split("/")[-depth:])
