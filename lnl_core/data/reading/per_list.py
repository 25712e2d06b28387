"""The columns of lists that are read together: each list may call them otherwise."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lnl_core.data import tables
from lnl_core.data.reading import classes_files, columns, one_hot, surveying
from lnl_core.data.reading.column_names import COLUMNS, Columns, plain_names
from lnl_core.data.reading.outline import UNLABELLED
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice, Question
from lnl_core.said import many
from lnl_core.types import LnlError

_NAMES = "Name the classes of the numbers in a file with --classes, or are they classes?"

_SAID = ("image_column", "label_column", "id_column", "split_column")


def decide(files: Sequence[Path], home: Path, answers: Answers) -> dict[Path, Columns]:
    """Say which columns of each list are what; lists of the same header are decided as one.

    Args:
        files: the lists.
        home: the folder that their paths start from.
        answers: what a person said; a column that a list does not have is not meant there, as long
            as another list has it. Of several (`class,target`) each takes the first that it has;
            those of 0 and 1 that every list has are a class each.

    Raises:
        LnlError: one is no table, or none has a column that was named.
    """
    has_header = answers.header != "none"
    names = {
        file: [name.lower() for name in tables.names(file, COLUMNS, has_header=has_header)]
        for file in files
    }
    said = {key: _parts(getattr(answers, key), names) for key in _SAID}
    if _are_classes(names, said["label_column"], answers):
        of_classes = said.pop("label_column")
        answers = replace(answers, label_column="", one_hot="yes", class_columns=of_classes)
    own = {file: _own(answers, said, names[file], names.values()) for file in files}
    decided: dict[Path, Columns] = {}
    known: dict[tuple[str, ...], Columns] = {}
    for file in files:
        key = tuple(names[file])
        if key not in known:
            alike = [each for each in files if each != file and tuple(names[each]) == key]
            found = columns.decide(file, home, own[file], alike)
            known[key] = _with_what_was_said(file.name, found, answers, own[file])
        decided[file] = known[key]
    for kind in ("image", "label"):
        shared = "" if getattr(answers, f"{kind}_column") else _shared(kind, decided, names)
        for file, each in decided.items():
            asks = any(question.key == f"{kind}_column" for question in each.questions)
            if shared and not asks and each.used[kind].lower() != shared:
                pinned: dict[str, Any] = {f"{kind}_column": shared}
                own[file] = replace(own[file], **pinned)
                again = columns.decide(file, home, own[file])
                note = f"“{visible(shared)[:40]}” is the column of {kind}s: all lists have it."
                decided[file] = replace(again, notes=[*again.notes, note])
    return decided


def _are_classes(
    names: Mapping[Path, Sequence[str]], parts: Sequence[str], answers: Answers
) -> bool:
    """Tell whether columns that were named for the labels are classes, each of 0 and 1.

    So it is where a person said so, or where every list has all of them and none is called as
    labels are: then no list could take another one than the first.

    Args:
        names: the columns of each list, in small letters.
        parts: the columns that were named.
        answers: what a person said.
    """
    if answers.one_hot:
        return any(sum(part in own for part in parts) > 1 for own in names.values())
    if len(parts) < 2 or not all(part in own for own in names.values() for part in parts):
        return False
    if _has_labels(parts):
        return False
    hot = one_hot.likely(surveying.counts([*names], parts, answers.header != "none"))
    return bool(hot.sure) and {*parts} == {*hot.sure, *hot.doubtful}


def _parts(said: str, names: Mapping[Path, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns that an answer names, in small letters: one, or `class,target`.

    A comma may belong to a name: the longest text that is one is taken.

    Raises:
        LnlError: a number is one column here and another there.
    """
    known = {name for own in names.values() for name in own}
    pieces = said.lower().split(",")
    parts: list[str] = []
    while pieces:
        starts = (",".join(pieces[:count]).strip() for count in range(len(pieces), 0, -1))
        part = next((start for start in starts if start in known), pieces[0].strip())
        del pieces[: part.count(",") + 1]
        parts += [part] if part else []
    return tuple(_named(part, names) for part in parts)


def _named(part: str, names: Mapping[Path, Sequence[str]]) -> str:
    """Return the name of a column that was given by its number; the number where it has none."""
    if not part.isdecimal() or any(part in own for own in names.values()):
        return part
    at = int(part) - 1
    there = [(file, own[at]) for file, own in names.items() if 0 <= at < len(own)]
    for file, name in there[1:]:
        if name != there[0][1]:
            raise LnlError(
                f"Column {part} is {_called(there[0][1])} in {visible(there[0][0].name)[:60]} and "
                f"{_called(name)} in {visible(file.name)[:60]}. Give it by its name."
            )
    name = there[0][1] if there else ""
    unique = all(own.count(name) <= 1 for own in names.values())
    return name if name and unique else part


def _called(name: str) -> str:
    return f"“{visible(name)[:40]}”" if name else "one without a name"


def _shared(kind: str, decided: Mapping[Path, Columns], names: Mapping[Path, list[str]]) -> str:
    """Return the column that all lists have and some were decided for; "" where all agree.

    A list with `label` and `label_name` has its names as classes, another has `label` alone.
    """
    used = dict.fromkeys(each.used.get(kind, "").lower() for each in decided.values())
    if len(used) < 2 or not all(used):
        return ""
    return next((each for each in used if all(each in own for own in names.values())), "")


def _own(
    answers: Answers,
    said: Mapping[str, Sequence[str]],
    names: Sequence[str],
    all_names: Collection[Sequence[str]],
) -> Answers:
    """Return the answers as one list takes them: of columns the first that it has.

    A column that only another list has is not meant here; one that none has stays, and is refused.
    """
    own: dict[str, Any] = {}
    for key, parts in said.items():
        unknown = [part for part in parts if not any(_has(each, part) for each in all_names)]
        here = [part for part in parts if _has(names, part)]
        own[key] = next(iter([*unknown, *here]), "")
    worded = [_has_labels(each) for each in all_names]
    if answers.one_hot and _has_labels(names) and not all(worded):
        own["one_hot"] = ""  # the list without a column of labels is meant
    return replace(answers, **own)


def _has_labels(names: Sequence[str]) -> bool:
    known = plain_names(names)
    return any(word in known for word in COLUMNS["label"])


def _has(names: Sequence[str], part: str) -> bool:
    return part in names or part == "none" or (part.isdecimal() and 1 <= int(part) <= len(names))


def _with_what_was_said(
    list_name: str, decided: Columns, answers: Answers, own: Answers
) -> Columns:
    """Let the answers to what a list asks keep a column that was said and that it does not have."""
    asked = []
    for each in decided.questions:
        said = getattr(answers, each.key) if each.key in _SAID else ""
        if said and not getattr(own, each.key):
            more = [replace(one, value=f"{said},{one.value}") for one in each.choices]
            first = f"{said},{each.default}" if each.default else ""
            text = f"{visible(list_name)[:60]} has no “{visible(said)[:40]}”. {each.text}"
            each = replace(each, text=text, choices=tuple(more), default=first)
        asked.append(each)
    return replace(decided, questions=asked)


def questions(decided: Mapping[Path, Columns]) -> list[Question]:
    """Return what is asked about columns: of each kind the first list's that has to be told."""
    asked: dict[str, Question] = {}
    for each in decided.values():
        for question in each.questions:
            known = asked.setdefault(question.key, question)
            if question.is_open and not known.is_open:
                asked[question.key] = question
    return list(asked.values())


def may_mix(
    decided: Mapping[Path, Columns], written: Iterable[str], named: Callable[[str], str]
) -> bool:
    """Tell whether lists have numbers and words as classes, or more than two numbers.

    Args:
        decided: the columns of each list.
        written: the labels of all lists together.
        named: label as written -> what it is called.
    """
    if len(decided) < 2:
        return False
    labels = [label for label in written if label.strip() not in ("", UNLABELLED)]
    kinds = {named(label): named(label).isdecimal() for label in labels}
    numbers = sum(classes_files.whole(label) is not None for label in labels)
    return (len(set(kinds.values())) > 1) or numbers > 2


def ask_words_or_numbers(
    asked: list[Question],
    decided: Mapping[Path, Columns],
    rows: Iterable[tuple[Any, int, Mapping[str, str] | BadRow]],
    named: Callable[[str], str],
    answers: Answers,
) -> None:
    """Ask where lists mix words and numbers, or count the same numbers from 0 and from 1.

    Words are what labels are called in the end; numbers count as they are written, for names of
    a file would hide that one list counts otherwise.

    Args:
        asked: the questions so far; this one takes the place of another about the column.
        decided: the columns of each list.
        rows: list, number and cells of each row; gone through where it has to be.
        named: label as written -> what it is called.
        answers: what a person said already.
    """
    labels: dict[Path, set[str]] = {}
    blank = {"", UNLABELLED} if answers.unlabelled == "keep" else {""}
    for listing, _, cells in rows:
        own = labels.setdefault(listing.file, set())
        if not isinstance(cells, BadRow) and cells["label"].strip() not in blank:
            own.add(visible(cells["label"]))
    called = {file: {named(label) for label in own} for file, own in labels.items()}
    question = _words_and_numbers(decided, called, answers)
    question = question or _counted_otherwise(decided, labels, answers)
    if question is not None:
        asked[:] = [*(each for each in asked if each.key != question.key), question]


def _words_and_numbers(
    decided: Mapping[Path, Columns], labels: Mapping[Path, Collection[str]], answers: Answers
) -> Question | None:
    numbers = [file for file, own in labels.items() if own and all(map(str.isdecimal, own))]
    words = [file for file, own in labels.items() if own and not any(map(str.isdecimal, own))]
    if not numbers or not words:
        return None
    first, other = words[0], numbers[0]
    named, counted = decided[first].used["label"], decided[other].used["label"]

    def shown(file: Path) -> str:
        some = ", ".join(f"“{visible(each)[:24]}”" for each in sorted(labels[file])[:3])
        return f"{some} in {_called(decided[file].used['label'])} of {_shown(file, labels)}"

    same = named.lower() == counted.lower()  # then the other column comes first: it is in one list
    which = "Which columns have the labels?" if not same or decided[other].unused else ""
    return Question(
        "label_column",
        f"Labels are words in one list and numbers in another: {shown(first)}, {shown(other)}. "
        f"They would be classes of their own. {which or _NAMES}",
        (
            *(
                Choice(
                    f"{each},{named}" if same else f"{named},{each}",
                    f"{_called(each)} of {visible(other.name)[:60]}",
                )
                for each in decided[other].unused[:12]
            ),
            Choice(named if same else f"{named},{counted}", "as they are: each number is a class"),
        ),
        answer=answers.label_column,
        stops=True,
    )


def _shown(file: Path, files: Collection[Path]) -> str:
    """Return a list's name, with its folder where others of the files are called so, too."""
    alone = sum(each.name == file.name for each in files) < 2
    return visible(file.name if alone else f"{file.parent.name}/{file.name}")[:60]


def _counted_otherwise(
    decided: Mapping[Path, Columns], labels: Mapping[Path, Collection[str]], answers: Answers
) -> Question | None:
    """Ask where one list has the numbers 0, 1, 2 as classes and another one 1, 2, 3."""
    sets: dict[Path, set[int]] = {}
    for file, own in labels.items():
        values = {classes_files.whole(each) for each in own}
        numbers = {value for value in values if value is not None}
        if numbers != values:
            return None
        sets |= {file: numbers} if len(numbers) > 1 else {}
    if set().union(*sets.values()) in sets.values():  # then that list shows how all count
        return None
    pair = next(((a, b) for a in sets for b in sets if _is_shifted(sets[a], sets[b])), None)
    if pair is None:
        return None
    zero, one = pair
    column, second = decided[zero].used["label"], decided[one].used["label"]
    k = max(sets[one])
    return Question(
        "label_column",
        f"Labels of {_shown(zero, labels)} count from 0 to {k - 1:,}, those of "
        f"{_shown(one, labels)} from {min(sets[one]):,} to {k:,}. If they are the same {k:,} "
        f"classes, count them alike in both. Or are they {k + 1:,} classes?",
        (
            Choice(
                column if column.lower() == second.lower() else f"{column},{second}",
                "as they are: each number is a class",
            ),
        ),
        answer=answers.label_column,
        stops=True,
    )


def _is_shifted(zero: Collection[int], one: Collection[int]) -> bool:
    """Tell whether numbers may be the same classes, counted from 0 and from 1.

    One of both has all of them; the other may lack some, but for the end that shows it.
    """
    k = max(one)
    if min(zero) != 0 or max(zero) != k - 1 or min(one) < 1:
        return False
    return k in (len(zero), len(one)) and 2 * min(len(zero), len(one)) > k


def notes(decided: Mapping[Path, Columns]) -> list[str]:
    """Say which lists call image and label otherwise than the first one."""
    first = next(iter(decided.values())).used
    return [
        f"{_shown(file, decided)} has other columns: "
        + ", ".join(f"{key} = {visible(name)[:40]}" for key, name in each.used.items())
        + "."
        for file, each in decided.items()
        if any(each.used.get(key) != first.get(key) for key in ("image", "label"))
    ]


def splits_apart(rows: Mapping[tuple[str, str], int]) -> list[str]:
    """Say which lists are called like another split than their column of splits says.

    Args:
        rows: (list, split in its column) -> rows.
    """
    if not rows:
        return []
    first = ", ".join(
        f"{visible(name)[:60]}: {count:,} in “{visible(split)[:24]}”"
        for (name, split), count in list(rows.items())[:4]
    )
    return [
        f"{many(sum(rows.values()), 'row says', 'rows say')} another split than the list's name "
        f"({first}). The column is read; --split-column none: the lists' names are the splits."
    ]
