"""Labels as a column of 0 and 1 for every class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lnl_core.data.reading import splits
from lnl_core.data.reading.column_names import MARKS, MINUS, OFF, ON
from lnl_core.data.reading.peeking import Peek
from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.types import LnlError, meant

_ODD = 0.05
"""Share of the rows in which a column of 0 and 1 may have something else, unasked."""

_ASKED = 12
"""Columns that are named in a question."""


@dataclass(frozen=True, slots=True)
class Hot:
    """Columns of 0 and 1 of a list.

    Attributes:
        sure: column -> what else is in it, in a few rows that are left out.
        doubtful: column -> what else is in it, where it may be a class, or ages and counts.
        off: what stands for 0; -1, too, where no column has both.
    """

    sure: Mapping[str, list[str]] = field(default_factory=dict)
    doubtful: Mapping[str, list[str]] = field(default_factory=dict)
    off: tuple[str, ...] = OFF


def likely(values: Mapping[str, Counter[str]]) -> Hot:
    """Return the columns in which cells are 0 or 1, a word for them, or blank, but for some.

    One of 0 alone is among them: a class that no image of this list has. One without a word is not.
    Few odd cells that are words (?), or numbers from -1 to 1 (uncertain, undecided), make no doubt.

    Args:
        values: column -> its cells, how often each is there.
    """
    sure: dict[str, list[str]] = {}
    doubtful: dict[str, list[str]] = {}
    off = (*OFF, *MINUS) if _has_minus_for_0(values) else OFF
    for name, cells in values.items():
        plain = [cell for cell in cells if cell.lower() in (*ON, *off)]
        odd = sorted(cells.keys() - set(plain))
        if not any(plain) or splits.flag(name, plain):
            continue
        count = sum(cells[cell] for cell in odd)
        few = count <= _ODD * cells.total()
        if few and not any(map(_is_large, odd)):
            sure[name] = odd
        elif few or (2 * count <= cells.total() and _has_both(plain, signed=_is_signed(odd))):
            doubtful[name] = odd
    return Hot(sure, doubtful, off)


def _has_minus_for_0(values: Mapping[str, Collection[str]]) -> bool:
    """Tell whether two columns or more are of 1 and -1, and none has -1 beside 0 or blank."""
    signed = [{cell.lower() for cell in cells} for cells in values.values()]
    signed = [cells for cells in signed if cells & set(MINUS) and cells & set(ON)]
    return len(signed) > 1 and all(cells <= {*ON, *MINUS} for cells in signed)


def _is_large(cell: str) -> bool:
    """Tell whether a cell is a number as ages and counts are: 2, 37, 1.5."""
    value = number(cell)
    return value is not None and not -1 <= value <= 1


def _is_signed(cells: Iterable[str]) -> bool:
    return any(number(cell) == -1 for cell in cells)


def _has_both(cells: Collection[str], signed: bool = False) -> bool:
    """Tell whether both 0 and 1 are there, in whatever words; beside x or -1, blank may be 0."""
    low = {cell.lower() for cell in cells}
    words = {*OFF, *MINUS} - (set() if signed or low & set(MARKS) else {""})
    return bool(low & set(ON)) and bool(low & words)


def may_be_meant(values: Iterable[Collection[str]]) -> bool:
    """Tell whether it is worth asking: two columns or more have both, 0 and 1."""
    return sum(map(_has_both, values)) > 1


def meant_by(values: Mapping[str, Counter[str]]) -> list[str]:
    """Return the columns of a list without labels that may be classes; none where it is no such."""
    hot = likely(values)
    for names in ([*hot.sure], [*hot.sure, *hot.doubtful]):
        if may_be_meant(values[name] for name in names):
            return names
    return []


def classes(
    file: str, peek: Peek, answers: Answers
) -> tuple[list[str], Question | None, list[str]]:
    """Return (columns that are classes, what is asked about them, what should be known).

    Where a person named a column of 0 and 1, all those named are the classes, and no other.

    Args:
        file: what messages call the list.
        peek: the list.
        answers: what a person said already.

    Raises:
        LnlError: a column that was named is not there.
    """
    values = peek.counts
    hot = likely(values)
    said = _said(file, peek, hot, answers)
    if answers.class_columns and "all" not in answers.class_columns and {*said} & {*hot.sure}:
        taken, asked = said, _ask_chosen(hot, answers)
    else:
        taken, asked = [*hot.sure], None
        alone = len(taken) > 1 and _each_has_one(peek.cells(taken), taken, hot.off)
        if hot.doubtful and (answers.class_columns or not alone):
            asked = _ask_doubtful(file, hot, values, answers)
            taken += said
        elif len(taken) > 2 and not alone and _some_have_several(peek.cells(taken), taken):
            asked = _ask_chosen(hot, answers)
    odd, read = {**hot.doubtful, **hot.sure}, set(taken)
    notes = []
    for name in peek.names if asked is None or not asked.is_open else ():
        if odd.get(name):
            then = "such rows are left out" if name in read else "it is not read as a class"
            other = visible(odd[name][0])[:40]
            notes.append(f"Column “{visible(name)[:40]}” has “{other}” beside 0 and 1: {then}.")
    return [name for name in peek.names if name in read], asked, notes


def _said(file: str, peek: Peek, hot: Hot, answers: Answers) -> list[str]:
    """Return the columns that a person called classes; all in doubt where nobody said anything."""
    said = answers.class_columns
    if not said or "all" in said:
        return list(hot.doubtful)
    by_name = {name.lower(): name for name in reversed(peek.names)}
    wanted = [each for each in said if each != "none"]
    for each in wanted:
        if each.lower() not in by_name:
            raise LnlError(
                f"{file} has no column “{each[:40]}”.{meant(each, peek.names)} "
                f"Its columns: {peek.shown()}."
            )
    return [by_name[each.lower()] for each in wanted]


def _each_has_one(
    rows: Iterable[Mapping[str, str]], names: Sequence[str], off: Sequence[str]
) -> bool:
    """Tell whether every row has a single 1 in columns: then no other column is a class.

    Rows with something else in one of them say nothing.
    """
    for cells in rows:
        low = [cells.get(name, "").lower() for name in names]
        if all(cell in (*ON, *off) for cell in low) and sum(cell in ON for cell in low) != 1:
            return False
    return bool(names)


def _some_have_several(rows: Iterable[Mapping[str, str]], names: Sequence[str]) -> bool:
    """Tell whether a row has a 1 in more than one of columns."""
    return any(sum(cells.get(name, "").lower() in ON for name in names) > 1 for cells in rows)


def question(file: str, hot: Sequence[str]) -> Question:
    """Ask whether each such column of a file is a class."""
    shown = ", ".join(f"“{visible(each)[:24]}”" for each in hot[:6])
    return Question(
        "one_hot",
        f"{file} has no column “label”, but {len(hot)} columns of 0 and 1: {shown}. Is each of "
        "them a class?",
        (Choice("yes", "a column per class"),),
        stops=True,
    )


def _ask_chosen(hot: Hot, answers: Answers) -> Question:
    """Ask which columns of 0 and 1 are classes, where rows have several of them: some may be flags.

    All are where nobody says anything: labels that an image has several of are asked about.
    """
    names = [*hot.sure]
    shown = ", ".join(f"“{visible(name)[:24]}”" for name in names[:6])
    more = f" and {len(names) - 6:,} more" if len(names) > 6 else ""
    return Question(
        "class_columns",
        f"Some rows have several of the columns {shown}{more}. Is each of them a class?",
        (
            Choice("all", "all of them"),
            *(Choice(name, f"“{visible(name)[:60]}”") for name in names[:_ASKED]),
        ),
        default="all",
        answer=", ".join(answers.class_columns),
        several=True,
    )


def _ask_doubtful(
    file: str, hot: Hot, values: Mapping[str, Counter[str]], answers: Answers
) -> Question:
    """Ask which of the columns that have more than 0 and 1 are classes."""
    names = list(hot.doubtful)
    shown = []
    for name in names[:6]:
        odd = hot.doubtful[name]
        count = sum(values[name][cell] for cell in odd)
        shown.append(
            f"“{visible(name)[:24]}” has “{visible(odd[0])[:24]}” or the like in {count:,} of "
            f"{values[name].total():,} rows"
        )
    more = f", {len(names) - 6:,} more" if len(names) > 6 else ""
    return Question(
        "class_columns",
        f"Beside 0 and 1, {'; '.join(shown)}{more} of {file}. Which of them are classes? Rows in "
        "which one has neither 0 nor 1 are then left out.",
        (
            Choice("all", "all of them"),
            *(Choice(name, f"“{visible(name)[:60]}”") for name in names[:_ASKED]),
            Choice("none", "none of them: they are not read"),
        ),
        answer=", ".join(answers.class_columns),
        stops=True,
        several=True,
    )
