"""Labels that are numbers or codes: the names that a file beside them has for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lnl_core.data.reading import classes_files, measured, numbers
from lnl_core.data.reading.column_names import inside
from lnl_core.data.reading.missing import is_missing
from lnl_core.data.reading.spellings import quoted
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError


@dataclass(frozen=True, slots=True)
class Naming:
    """What labels stand for.

    Attributes:
        names: label as written -> name; empty where labels are their own names.
        order: the names, as the file has them.
        files: the file that is read.
        questions: what is asked of it.
        notes: what should be known of it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    files: Sequence[str] = ()
    questions: Sequence[Question] = ()
    notes: Sequence[str] = ()

    def of(self, label: str) -> str:
        """Return the name that a label stands for, itself where there is none."""
        return self.names.get(label, label)

    def sorted(self, found: Sequence[str]) -> list[str]:
        """Return names that are in use in the order of the file, others behind."""
        used, known = set(found), set(self.order)
        return [*(n for n in self.order if n in used), *(n for n in found if n not in known)]


def named(labels: Collection[str], folders: Sequence[Path], answers: Answers) -> Naming:
    """Find the names that labels stand for.

    Args:
        labels: as they are written.
        folders: where a file of names may lie; what is called in a reading starts from the first.
        answers: what a person said: the file, or `none`.

    Raises:
        LnlError: a file that was asked for is not there, or names no classes.
    """
    said = answers.classes_file
    commas = measured.decimal_commas(dict.fromkeys(labels, 1))
    whole = {
        label: classes_files.whole(commas.get(label, label))
        for label in labels
        if not is_missing(label)
    }
    if said == "none" or not labels:
        return Naming()
    if said:
        file = classes_files.around(folders, answers)
        if file is None:
            raise LnlError(f"There is no file {said}. Check the path of --classes.")
        return _used(file, classes_files.classes_of(file), whole, folders[0], answers)
    file = classes_files.classes_file(*folders)
    if file is None:
        return Naming()
    try:
        known = classes_files.classes_of(file)
    except LnlError:
        words = all(value is None for value in whole.values())
        unread = f"“{file.name}” is not used: it names no classes, or one twice."
        return Naming(notes=() if words else (unread,))
    if None in whole.values() and not known.by_code:
        return Naming()
    _hold_one(file, known, folders)
    return _used(file, known, whole, folders[0], answers)


def _hold_one(file: Path, known: classes_files.Names, folders: Sequence[Path]) -> None:
    """Refuse lists beside which files give the same numbers other names.

    Raises:
        LnlError: two differ.
    """
    for other in filter(None, (classes_files.classes_file(folder) for folder in folders)):
        try:
            same = classes_files.classes_of(other) == known
        except LnlError:
            continue
        if not same:
            shown = " and ".join(f"“{inside(folders[0], each)}”" for each in (file, other))
            raise LnlError(
                f"{shown} name the classes otherwise. Import each list with its own, or name one "
                "for all with --classes."
            )


def _used(
    file: Path,
    known: classes_files.Names,
    labels: Mapping[str, int | None],
    home: Path,
    answers: Answers,
) -> Naming:
    """Let labels, each with the whole number that it is, stand for the names of a file."""
    coded = {label: known.by_code[label] for label in labels if label in known.by_code}
    if 2 * len(coded) > len(labels):
        asked = [_ask(file, "codes", answers)]
        return Naming(coded, list(known.by_code.values()), [inside(home, file)], asked)
    values = {label: value for label, value in labels.items() if value is not None}
    largest = max(known.by_number, default=-1)
    lines = "numbers" if known.counted else "numbers of its lines"
    shift, question = 0, None
    if known.counted and values:
        shift, question = numbers.beside_names(values.values(), known.by_number, answers)
    top = largest if known.counted and question is None else largest + 1
    if not values or min(values.values()) < 0 or max(values.values()) > top:
        if len(values) < len(labels) and not answers.classes_file:
            return Naming()
        return Naming(notes=[f"{file.name} is not used: {_why(values, known.by_number, lines)}."])
    if not known.counted:
        names_of = tuple(known.by_number[at] for at in sorted(known.by_number))
        low, high = min(values.values()), max(values.values())
        base, question = numbers.count_from(low, high, len(names_of), answers, names_of)
        shift = -base
    names = {
        label: known.by_number[value + shift]
        for label, value in values.items()
        if value + shift in known.by_number
    }
    notes = []
    if known.header:
        notes.append(
            f"The first line of {file.name}, “{known.header[:40]}”, is its header and no class. If "
            "it is one, write the number before each name."
        )
    without = [label for label in values if label not in names]
    if without and (question is None or not question.is_open):
        notes.append(f"{file.name} has no name for {', '.join(map(quoted, without[:6]))}.")
    order = [known.by_number[at] for at in sorted(known.by_number)]
    some = [f"{at} is “{known.by_number[at][:24]}”" for at in sorted(known.by_number)[:3]]
    unsure = not known.counted and question is None and len(names) < len(known.by_number)
    some += ["…"] if len(known.by_number) > len(some) else []
    of_file = _ask(file, "numbers", answers, some if unsure else ())
    questions = [of_file, *([question] if question is not None else [])]
    return Naming(names, order, [inside(home, file)], questions, notes)


def _why(values: Mapping[str, int], names: Collection[int], lines: str) -> str:
    """Say why numbers, or labels that are none, have no names in a file."""
    if not values or not names:
        return f"labels are no {lines}"
    low, high = min(values.values()), max(values.values())
    return f"labels go from {low:,} to {high:,}, and it has {many(len(names), 'name')}"


def _ask(file: Path, what: str, answers: Answers, some: Sequence[str] = ()) -> Question:
    """Say that a file has the names of labels, which may be their own names instead.

    Args:
        file: of the names.
        what: what labels are.
        answers: what a person said already.
        some: what the first numbers stand for, where that is not sure by itself.
    """
    value = answers.classes_file or file.name
    shown = f": {', '.join(some)}" if some else ""
    return Question(
        "classes_file",
        f"Labels are {what}; {file.name} has their names{shown}.",
        (Choice(value, f"the names of {file.name}"), Choice("none", f"the {what} are the names")),
        default=value,
        answer=answers.classes_file,
    )
