"""Tables that people made: CSV as spreadsheets write it, Parquet or JSON lines, row by row.

Rows are counted as a spreadsheet counts them: the header is row 1.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lnl_core.data import coco, fiftyone_labels
from lnl_core.data.hub_features import class_names, written
from lnl_core.data.table_heads import DELIMITERS, Head, begin, places_of
from lnl_core.data.table_text import SAVE_AS, lines_of, text_of
from lnl_core.data.table_text import visible as visible
from lnl_core.types import LnlError


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used, with what to do about it."""

    reason: str
    remedy: str


_TOO_MANY_CELLS = BadRow(
    "More cells than the header has.", "Put quotes around text that holds the separator."
)
_TOO_FEW_CELLS = BadRow(
    "Fewer cells than the first row has, where several tabs are one.", "Fill its blank cells in."
)

_BLANKS, _BLANKS_A_ROW = 5_000_000, 16
"""Cells that rows which end early may leave out: of a whole table, and more per row."""

NAMELESS = "column {}"
"""What a column of CSV without a name is called, by its number from 1."""

Cells = dict[str, str]
"""Column -> text; only the columns that were asked for."""


def rows(
    file: Path | IO[bytes],
    name: str,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    *,
    strip: bool = True,
    has_header: bool = True,
) -> Iterator[tuple[int, Cells | BadRow]]:
    """Yield (row number, cells) of a CSV or Parquet file; bad rows in their place.

    Args:
        file: path (`.parquet` by its name, else CSV) or a binary stream of CSV.
        name: what messages call the file.
        columns: the names used here -> header names accepted, the best first; case is ignored.
        required: those of them that must be there.
        strip: take outer blanks off every cell.
        has_header: False where the first row of CSV is one like the others; columns are then
            called by their numbers, from 1, and a blank may separate them.

    Raises:
        LnlError: not a table, not UTF-8 or UTF-16, or a required column is missing.
    """
    if isinstance(file, Path) and file.suffix.lower() in (".parquet", ".pq"):
        numbered = _parquet_rows(file, name, columns, required)
    elif isinstance(file, Path) and file.suffix.lower() in (".jsonl", ".json"):
        numbered = _json_rows(file, name, columns, required)
    else:
        numbered = _csv_rows(file, name, columns, required, has_header)
    if not strip:
        return numbered
    return ((number, _stripped(cells)) for number, cells in numbered)


def _stripped(cells: Cells | BadRow) -> Cells | BadRow:
    if isinstance(cells, BadRow):
        return cells
    return {column: cell.strip() for column, cell in cells.items()}


def names(
    file: Path | IO[bytes],
    columns: Mapping[str, Sequence[str]],
    *,
    has_header: bool = True,
    name: str | None = None,
) -> list[str]:
    """Return the names of a table's columns, outer blanks off; `columns` help to find commas.

    Raises:
        LnlError: it is no table.
    """
    if not isinstance(file, Path):
        with text_of(file, name or "The file") as text:
            found = _records(text, name or "The file", columns, has_header)[2]
    elif file.suffix.lower() in (".parquet", ".pq"):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            found = pq.read_schema(file).names
        except (pa.ArrowException, OSError) as error:
            raise LnlError(f"{file.name} is no readable Parquet file. Write it again.") from error
    elif file.suffix.lower() in (".jsonl", ".json"):
        first = next((each for _, each in _objects(file, file.name)), None)
        found = list(flat(first)) if isinstance(first, dict) else []
    else:
        with text_of(file, file.name) as text:
            found = _records(text, file.name, columns, has_header)[2]
    return [str(name).strip() for name in found]


def _checked(
    names: Sequence[str], name: str, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> dict[str, int]:
    found = places_of(names, columns)
    missing = [column for column in required if column not in found]
    if missing:
        known = ", ".join(f"“{visible(str(n))[:40]}”" for n in names[:12]) or "none"
        wanted = " and ".join(f"“{column}”" for column in missing)
        raise LnlError(
            f"{name} has no column {wanted}. Its columns: {known}. Name them in its first row."
        )
    twins = _twins(names)
    for at in found.values():
        if names[at].strip().lower() in twins:
            raise LnlError(same_named(name, names[at]))
    return found


def _check_filled(name: str, width: int, left_out: int, rows: int) -> None:
    """Refuse a table of many columns whose rows end early: it has far more cells than text.

    Raises:
        LnlError: it is such a table.
    """
    if left_out > _BLANKS + _BLANKS_A_ROW * rows:
        raise LnlError(
            f"{name} has {width:,} columns, and most rows have few of their cells. Keep the "
            "columns that rows fill."
        )


def same_named(name: str, column: str) -> str:
    """Say that a table has several columns of one name, and what to do."""
    shown = visible(column.strip())[:40]
    return f"{name} has several columns called “{shown}”. Give each a name of its own."


def _twins(names: Sequence[str]) -> set[str]:
    """Return the names, in small letters, that several columns have; blank ones aside."""
    counts = Counter(str(name).strip().lower() for name in names)
    return {name for name, count in counts.items() if name and count > 1}


def _csv_rows(
    file: Path | IO[bytes],
    name: str,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    has_header: bool = True,
) -> Iterator[tuple[int, Cells | BadRow]]:
    with text_of(file, name) as text:
        head, reader, names, first, filled = _records(text, name, columns, has_header)
        places = _checked(names, name, columns, required)
        width = len(names)
        number, left_out = first, 0
        while True:
            number, line, before = number + 1, reader.line_num, filled[0]
            bad: BadRow | None = None
            record: list[str] = []
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                bad = _broken(error, number, filled[0] - before)
            if bad is None and not any(cell.strip() for cell in record):
                continue
            left_out += max(len(places) - len(record), 0)
            _check_filled(name, len(places), left_out, number - first)
            lines = filled[0] - before
            if reader.line_num > line + 1 and _swallows(record, width, reader.dialect.delimiter):
                bad = BadRow(
                    f"A quote is opened in row {number} and closed {lines - 1:,} "
                    f"row{'s' if lines > 2 else ''} later.",
                    "Close it in its row; all between were lost.",
                )
            if bad is not None:
                for lost in range(max(lines, 1)):
                    yield number + lost, bad
                number += max(lines, 1) - 1
            elif len(record) > width and any(cell.strip() for cell in record[width:]):
                yield number, _TOO_MANY_CELLS
            elif len(record) == 1 < width and (other := _separated_by(record[0], width)):
                yield number, _separated_otherwise(other, reader.dialect.delimiter)
            elif len(record) < width and head.has_tabs_together:
                yield number, _TOO_FEW_CELLS
            else:
                cells = {at: record[at] if at < len(record) else "" for at in places.values()}
                yield number, {column: cells[at] for column, at in places.items()}


def _separated_by(cell: str, width: int) -> str:
    """Return the sign that separates a row that is one cell into as many as the first row has."""
    return next((each for each in DELIMITERS if cell.count(each) == width - 1), "")


def _separated_otherwise(row: str, first: str) -> BadRow:
    called = {"\t": "a tab", " ": "a blank"}
    own, others = (called.get(each, f"“{each}”") for each in (row, first))
    return BadRow(
        f"Its cells are separated by {own}, those of the first row by {others}.",
        "Write the same sign everywhere.",
    )


def _swallows(record: Sequence[str], width: int, delimiter: str) -> bool:
    """Tell whether a cell holds rows of the table: a stray quote and the next one made it.

    Its lines are then rows: the cells of one, without blanks around them, and at last as many as
    stand before the cell's own column. A text of several lines is not like that.
    """
    for at, cell in enumerate(record):
        *between, last = re.split(r"\r\n|\r|\n", cell)[1:] or [""]
        if not (between or (last and at)) or width < 2:
            continue
        counts = [(line, width) for line in between] + [(last, at + 1)]
        if all(_is_row(line.split(delimiter), count) for line, count in counts):
            return True
    return False


def _is_row(cells: Sequence[str], count: int) -> bool:
    return len(cells) == count and bool(cells[0]) and all(cell == cell.strip() for cell in cells)


def _broken(error: csv.Error, number: int, lines: int) -> BadRow:
    """Say what is wrong with a row whose quotes made `lines` lines one."""
    if "unexpected end" in str(error):
        return BadRow(
            f"A quote is opened in row {number} and never closed.",
            f"Close it; {lines - 1:,} rows after it were lost."
            if lines > 1
            else "Close it, or take it out.",
        )
    if "field limit" in str(error) and lines > 1:
        return BadRow(
            f"A quote is opened in row {number}, and 131,072 characters later it is still open.",
            f"Close it; {lines - 1:,} rows after it were lost.",
        )
    if "field limit" in str(error):
        return BadRow("A cell is longer than 131,072 characters.", "Shorten it.")
    return BadRow("The quotes of this row do not match.", "Double every quote inside a cell.")


def _records(
    text: io.TextIOBase,
    name: str,
    columns: Mapping[str, Sequence[str]],
    has_header: bool = True,
) -> tuple[Head, Any, list[str], int, list[int]]:
    """Return (start, reader, header, row number of the header or of the row before, lines so far).

    The last is a list of one number, which goes up as lines that are not blank are read.
    """
    head, lines = begin(lines_of(text, name), name, columns, has_header)
    filled = [0]

    def all_lines() -> Iterator[str]:
        for each in head.lines(lines):
            filled[0] += bool(each.strip())
            yield each

    reader = csv.reader(all_lines(), delimiter=head.delimiter, strict=True)
    if not has_header:
        return head, reader, [str(at) for at in range(1, head.width + 1)], head.number - 1, filled
    try:
        names = next(reader)
    except csv.Error as error:
        raise LnlError(f"The first row of {name} is no header: {error}. {SAVE_AS}") from error
    return head, reader, numbered(names), head.number, filled


def numbered(names: Sequence[str]) -> list[str]:
    """Return the names of columns, those without one called by their number: `column 3`."""
    return [name if name.strip() else NAMELESS.format(at) for at, name in enumerate(names, 1)]


def _parquet_rows(
    file: Path, name: str, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> Iterator[tuple[int, Cells | BadRow]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            names = table.schema_arrow.names
            places = _checked(names, name, columns, required)
            for column, at in places.items():
                kind = table.schema_arrow.field(at).type
                if pa.types.is_nested(kind) and not pa.types.is_list(kind):
                    raise LnlError(
                        f"Column “{names[at]}” of {name} holds nested values. "
                        f"“{column}” must be text; store images as files."
                    )
            known = class_names(table.schema_arrow)
            classes = {column: known.get(names[at]) for column, at in places.items()}
            number = 1
            for batch in table.iter_batches(4096, columns=[names[at] for at in places.values()]):
                cells = {
                    column: batch.column(names[at]).to_pylist() for column, at in places.items()
                }
                for i in range(batch.num_rows):
                    number += 1
                    yield (
                        number,
                        {
                            column: written(values[i], classes[column])
                            if classes[column]
                            else _word(values[i])
                            for column, values in cells.items()
                        },
                    )
    except (pa.ArrowException, OSError) as error:
        raise LnlError(f"{name} is no readable Parquet file. Write it again.") from error
    except (ValueError, OverflowError) as error:  # a date before the year 1 or after 9999
        raise LnlError(
            f"{name} holds a value that cannot be read ({error}). Write its columns as text."
        ) from error


def _objects(file: Path, name: str) -> Iterator[tuple[int, dict[str, Any] | BadRow]]:
    """Yield (line number, object) of a file of JSON lines; blank lines are passed over.

    Of annotation files (`coco`, `fiftyone_labels`) an object stands for an image, and its number is
    the image's.
    """
    if file.suffix.lower() == ".json":
        form = fiftyone_labels if fiftyone_labels.looks_like_one(file) else coco
        yield from enumerate((dict(row) for row in form.rows_of(file)), start=1)
        return
    with text_of(file, name) as text:
        for number, line in enumerate(lines_of(text, name), start=1):
            if not line.strip():
                continue
            try:
                parsed = json.loads(line)
            except (ValueError, RecursionError):
                parsed = None
            if isinstance(parsed, dict):
                yield number, parsed
            else:
                yield number, BadRow("The line is no JSON object.", "Write one object per line.")


def _json_rows(
    file: Path, name: str, columns: Mapping[str, Sequence[str]], required: Sequence[str]
) -> Iterator[tuple[int, Cells | BadRow]]:
    plain: set[str] | None = None
    left_out = 0
    for number, record in _objects(file, name):
        if isinstance(record, BadRow):
            yield number, record
            continue
        if plain is None:
            plain = {key for key, value in record.items() if not isinstance(value, dict)}
            _checked(list(flat(record)), name, columns, required)
        record = flat(record, plain)
        left_out += max(len(columns) - len(record), 0)
        _check_filled(name, len(columns), left_out, number)
        names, values = list(record), list(record.values())
        cells = {column: values[at] for column, at in places_of(names, columns).items()}
        nested = [column for column in required if _is_nested(cells.get(column))]
        missing = [column for column in required if column not in cells]
        if nested:
            yield number, BadRow(f"“{nested[0]}” holds nested values.", "Write it as text.")
        elif missing:
            yield number, BadRow(f"“{missing[0]}” is missing.", "Write it on every line.")
        else:
            yield number, {column: _word(value) for column, value in cells.items()}
    if plain is None:
        raise LnlError(f"{name} is empty. It needs one JSON object per image.")


def flat(record: Mapping[str, Any], keep: Collection[str] = (), depth: int = 3) -> dict[str, Any]:
    """Return an object with the fields of those in it as its own: `annotation.name`.

    Args:
        record: the object.
        keep: fields that stay as they are.
        depth: how deep is looked; what lies deeper stays as it is.
    """
    found: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict) and depth and key not in keep:
            found |= {f"{key}.{inner}": each for inner, each in flat(value, (), depth - 1).items()}
        else:
            found[key] = value
    return found


def _is_nested(value: Any) -> bool:
    """Tell values that no text stands for; a list of words or numbers is written as JSON."""
    if isinstance(value, list):
        return any(isinstance(each, dict | list) for each in value)
    return isinstance(value, dict)


def _word(value: Any) -> str:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def natural(names: set[str]) -> list[str]:
    """Sort class names: as numbers where all are numbers, else as text."""
    if all(name.lstrip("-").isdecimal() and name.isascii() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names, key=lambda name: (unicodedata.normalize("NFC", name), name))
