"""Where a table of text begins: past comments and blank lines, with which separator."""

from __future__ import annotations

import csv
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lnl_core.data.images import SUFFIXES
from lnl_core.data.table_text import lines_of, text_of, visible
from lnl_core.types import LnlError

DELIMITERS = ",;\t|"
_COMMENTS = 100
"""Lines above a header that are looked at."""

MAX_COLUMNS = 200_000
"""Columns above which a table is refused; lists of pixels have fewer."""

_ALIGNED = 1_000
"""Lines that are looked at to tell whether several tabs are one."""

Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Head:
    """The first row of a table, which is its header where it has one.

    Attributes:
        line: that row, as text.
        number: its number, as a spreadsheet counts rows.
        delimiter: what separates its cells.
        width: how many cells it has.
        aligned: several separators in a row are one, as in columns that stand below each other.
        comments: the lines above it that begin with # and are no rows.
    """

    line: str
    number: int
    delimiter: str
    width: int
    aligned: bool = False
    comments: tuple[str, ...] = ()

    @property
    def has_tabs_together(self) -> bool:
        """Tell whether several tabs are one, so that each row has to have all cells."""
        return self.aligned and self.delimiter == "\t"

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield lines with one separator between cells each, and none around them."""
        for line in lines:
            yield together(line, self.delimiter) if self.aligned else line


def places_of(names: Sequence[str], columns: Columns) -> dict[str, int]:
    """Return column -> position in a header."""
    position = {str(name).strip().lower(): at for at, name in reversed(list(enumerate(names)))}
    found = {}
    for column, accepted in columns.items():
        known = [position[word] for word in accepted if word in position]
        if known:
            found[column] = known[0]
    return found


def begin(
    lines: Iterator[str], name: str, columns: Columns, has_header: bool
) -> tuple[Head, Iterator[str]]:
    """Return the first row of a table, and its lines from that row on.

    Raises:
        LnlError: there is none.
    """
    number, line = 1, next(lines, "")
    delimiters = DELIMITERS if has_header else DELIMITERS + " "
    if line.lower().startswith("sep=") and len(line.rstrip("\r\n")) == 5:
        delimiters, line, number = line[4], next(lines, ""), 2
    first = [line, *itertools.islice(_until_row(line, lines), _COMMENTS)]
    row = next((each for each in reversed(first) if each.strip()), "")
    comments: list[str] = []
    told = _row_of(row, columns) if _is_marked(first[0]) or not line.strip() else _Row("", 0, 0)
    while first and (not first[0].strip() or _is_comment(first[0], row, told, columns)):
        above = first.pop(0)
        number += 1
        if above.strip():
            comments.append(visible(above.strip()))
    line = first[0] if first else ""
    if not line:
        raise LnlError(f"{name} is empty. It needs a header and one row per image.")
    known = {each: _known(line, each, columns) for each in delimiters}
    likely = [each for each in delimiters if _ends_like_image(line, each)] or [*delimiters]
    delimiter = max(likely, key=known.__getitem__)
    others = [each for each in likely if each != " " and known[each][1] > 1]
    if delimiter == " " and others:
        delimiter = max(others, key=known.__getitem__)  # the blanks are within names
    first += itertools.islice(lines, 0 if delimiter != "\t" else _ALIGNED - len(first))
    aligned = delimiter == " " or (delimiter == "\t" and _stand_below(first))
    width = _known(together(line, delimiter) if aligned else line, delimiter, columns)[1]
    if width > MAX_COLUMNS:
        raise LnlError(
            f"{name} has {width:,} columns; at most {MAX_COLUMNS:,} are read. Keep those of images "
            "and labels."
        )
    return (
        Head(line, number, delimiter, width, aligned, tuple(comments)),
        itertools.chain(first, lines),
    )


def together(line: str, delimiter: str) -> str:
    """Return a line with one separator wherever several stand, and none around it."""
    body = line.rstrip("\r\n")
    one = re.sub(f'("[^"]*")|{delimiter}+', lambda each: each[1] or delimiter, body)
    return one.strip(delimiter) + line[len(body) :]


def _stand_below(lines: Sequence[str]) -> bool:
    """Tell whether lines have as many cells each only where several tabs are taken as one."""
    filled = [line for line in lines if line.strip()]
    apart = {line.rstrip("\r\n").count("\t") for line in filled}
    joined = {together(line, "\t").count("\t") for line in filled}
    return len(apart) > 1 and len(joined) == 1 and len(filled) > 1


def head(file: Path, columns: Columns, has_header: bool) -> Head | None:
    """Return the first row of a table of text; None of another one.

    Raises:
        LnlError: it is no table.
    """
    if file.suffix.lower() in (".parquet", ".pq", ".jsonl", ".json"):
        return None
    with text_of(file, file.name) as text:
        return begin(lines_of(text, file.name), file.name, columns, has_header)[0]


def _until_row(line: str, lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines after blank ones and those that begin with #, up to one that is neither."""
    while _is_marked(line) or (line and not line.strip()):
        line = next(lines, "")
        if line:
            yield line


def _is_marked(line: str) -> bool:
    return line.lstrip('"').startswith("#")


@dataclass(frozen=True, slots=True)
class _Row:
    """The first row below comments: what separates its cells, how many names and cells it has."""

    delimiter: str
    named: int
    filled: int


def _row_of(row: str, columns: Columns) -> _Row:
    known = {each: _known(row, each, columns) for each in DELIMITERS}
    delimiter = max(DELIMITERS, key=known.__getitem__)
    return _Row(delimiter, known[delimiter][0], _filled(row, delimiter))


def _filled(line: str, delimiter: str) -> int:
    return sum(bool(cell.strip()) for cell in line.split(delimiter))


def _is_comment(line: str, row: str, told: _Row, columns: Columns) -> bool:
    """Tell whether a line that begins with # says something to people, before the first row.

    Not so where it is the header (`#,image,label`), names an image, or has as many cells as the row
    and no blank after the #.
    """
    if not _is_marked(line) or _is_marked(row):
        return False
    if _known(line.lstrip('"# '), told.delimiter, columns)[0] or _names_image(line):
        return False
    if told.named:
        return True
    cells = _filled(line, told.delimiter)
    return cells < told.filled or told.filled == 1 or line.lstrip('"#')[:1].isspace()


def _names_image(line: str) -> bool:
    words = re.split(r"[\s,;|\"]+", line)
    return any(os.path.splitext(word)[1].lower() in SUFFIXES for word in words)


def _ends_like_image(line: str, delimiter: str) -> bool:
    """Tell whether a cell ends like an image: what separates cells parts no name of one."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return False
    return any(os.path.splitext(cell.strip())[1].lower() in SUFFIXES for cell in cells)


def _known(line: str, delimiter: str, columns: Columns) -> tuple[int, int]:
    """Return how many columns a line names, and how many cells it has."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell that is too long
        return 0, 0
    return len(places_of(cells, columns)), len(cells)
