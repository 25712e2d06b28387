"""Ids and splits of Parquet with the images in it: their columns, and what is asked of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lnl_core.data.hub_features import written
from lnl_core.data.reading import splits
from lnl_core.data.reading.column_names import COLUMNS, plain_names
from lnl_core.data.table_text import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError, meant

_MANY = 12
"""A column of more different words than this holds no splits."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What is read beside images and labels.

    Attributes:
        id: column of ids, None where files' names or row numbers are the ids.
        split: column of splits, None where files' names say them, if anything does.
        words: split as written -> split that it is read as, where they differ.
        questions: what is asked about these columns.
        notes: what should be known about them.
    """

    id: str | None = None
    split: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    questions: Sequence[Question] = ()
    notes: Sequence[str] = ()

    @property
    def columns(self) -> list[str]:
        """The columns that are read."""
        return [name for name in (self.id, self.split) if name is not None]

    def of_row(self, cells: Mapping[str, Any], named: Mapping[str, Sequence[str]]) -> list[str]:
        """Return (id, split) of a row, blank where it says none.

        Args:
            cells: of the row, by column.
            named: column -> the names that its numbers stand for.
        """
        identity, split = (
            "" if name is None else written(cells[name], named.get(name))
            for name in (self.id, self.split)
        )
        return [identity, self.words.get(split, split)]


def found(
    files: Sequence[Path],
    free: Sequence[str],
    named: Mapping[str, Sequence[str]],
    of_files: Sequence[str],
    answers: Answers,
) -> Beside:
    """Find the columns of ids and splits.

    Args:
        files: the shards.
        free: columns that every shard has and that are nothing else.
        named: column -> the names that its numbers stand for.
        of_files: the split that each shard's name says, "" where it says none.
        answers: what a person said already.

    Raises:
        LnlError: there is no such column, or a shard is damaged.
    """
    asked: list[Question] = []
    notes: list[str] = []
    identity = _column("id", free, answers.id_column, files[0])
    if identity is not None:
        identity, question, said = _as_id(files, identity, named.get(identity), answers)
        asked += [question] if question is not None else []
        notes += said
    rest = [name for name in free if name != identity]
    split = _column("split", rest, answers.split_column, files[0])
    words: dict[str, str] = {}
    if split is not None and _is_nested(files, split):
        notes.append(_nested(split, "splits"))
        split = None
    if split is not None:
        counts = _values(files, split, named.get(split))
        if not answers.split_column and len(set(counts) - {""}) > _MANY:
            notes.append(f"Column “{visible(split)[:40]}” is not read: it has too many words.")
            split = None
    if split is not None:
        asked += _rivals(files, split, of_files, named.get(split), answers)
        words, questions = _words(files[0], split, counts, answers)
        asked += questions
    return Beside(identity, split, words, asked, notes)


def counted(
    files: Sequence[Path],
    beside: Beside,
    named: Mapping[str, Sequence[str]],
    of_files: Sequence[str],
) -> dict[str, int]:
    """Return split -> rows, as the column says it, else the name of the file."""
    import pyarrow.parquet as pq

    counts = Counter[str]()
    for file, of_file in zip(files, of_files, strict=True):
        if beside.split is None:
            counts[of_file] += pq.read_metadata(file).num_rows
            continue
        for split, count in _values([file], beside.split, named.get(beside.split)).items():
            counts[beside.words.get(split, split) or of_file] += count
    return {name: count for name, count in counts.items() if name}


def _column(what: str, names: Sequence[str], said: str, file: Path) -> str | None:
    """Return the column that is meant: as a person said, else by its usual names."""
    if said == "none":
        return None
    plain = plain_names(names)
    if said:
        return as_named(file, said, names, "no column {} beside images and labels")
    return next((plain[word] for word in COLUMNS[what] if word in plain), None)


def as_named(
    file: Path,
    said: str,
    there: Sequence[str],
    lacks: str = "no column {}",
    has: str = "Its columns",
) -> str:
    """Return the column that a person named, whatever its letters' case.

    Raises:
        LnlError: there is none; `lacks` and `has` say what the file lacks and has.
    """
    known = {name.lower(): name for name in there}
    if said.lower() not in known:
        raise LnlError(
            f"{file.name} has {lacks.format(f'“{said[:40]}”')}.{meant(said, there)} "
            f"{has}: {', '.join(there[:12])}."
        )
    return known[said.lower()]


def _as_id(
    files: Sequence[Path], name: str, named: Sequence[str] | None, answers: Answers
) -> tuple[str | None, Question | None, list[str]]:
    """Return the column where it can tell images apart, the question where it hardly can."""
    if _is_nested(files, name):
        return None, None, [_nested(name, "ids")]
    values = _values(files, name, named)
    del values[""]
    count, different = values.total(), len(values)
    if different == count:
        return (name if count else None), None, []
    if answers.id_column or 2 * different > count:
        rows = many(count - different, "row repeats", "rows repeat")
        what = f"{rows} an id of column “{visible(name)[:40]}”"
        return name, None, [f"{what}: their ids are the files' names, or the rows' numbers."]
    question = Question(
        "id_column",
        f"Column “{visible(name)[:40]}” of {files[0].name} is no id: it has {different:,} values "
        f"in {count:,} rows. The file's name, or the row's number, is the id.",
        (Choice("none", "the file's name is the id"), Choice(name, "it is the id")),
        default="none",
    )
    return None, question, []


def _is_nested(files: Sequence[Path], name: str) -> bool:
    import pyarrow as pa

    return any(pa.types.is_nested(_read(file, name).type) for file in files)


def _nested(name: str, what: str) -> str:
    return f"Column “{visible(name)[:40]}” is not read: it holds no plain {what}."


def _rivals(
    files: Sequence[Path],
    name: str,
    of_files: Sequence[str],
    named: Sequence[str] | None,
    answers: Answers,
) -> list[Question]:
    """Ask where a column and the names of the files say different splits."""
    differs = any(
        said and set(_values([file], name, named)) - {said, ""}
        for file, said in zip(files, of_files, strict=True)
    )
    if not differs:
        return []
    shown = visible(name)[:40]
    return [
        Question(
            "split_column",
            f"Column “{shown}” says other splits than the files' names. Which ones are meant?",
            (Choice(name, f"those of “{shown}”"), Choice("none", "those of the files' names")),
            default=name,
            answer=answers.split_column,
        )
    ]


def _words(
    file: Path, name: str, counts: Counter[str], answers: Answers
) -> tuple[dict[str, str], list[Question]]:
    """Return split as written -> split that it is read as, and what is asked of it."""
    where = f"Column “{visible(name)[:40]}” of {file.name}"
    bools, question = splits.of_bools(counts, where, answers)
    words = {each: bools.get(each.lower(), each) for each in counts}
    return words, [] if question is None else [question]


def _values(files: Sequence[Path], name: str, named: Sequence[str] | None) -> Counter[str]:
    """Count the different values of a column, as written: shards may store them in other types."""
    import pyarrow as pa
    import pyarrow.compute as pc

    counts = Counter[str]()
    for file in files:
        cells = _read(file, name)
        try:
            for each in pc.value_counts(cells).to_pylist():
                counts[written(each["values"], named)] += each["counts"]
        except pa.ArrowNotImplementedError:  # a type of somebody's own, such as a UUID
            counts.update(written(each, named) for each in cells.to_pylist())
    return counts


def _read(file: Path, name: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            cells = table.read(columns=[name]).column(name)
            coded = pa.types.is_dictionary(cells.type)
            return cells.cast(cells.type.value_type) if coded else cells
    except (pa.ArrowException, OSError, KeyError) as error:
        raise LnlError(f"{file.name} has no column “{name}”, or is damaged.") from error
