"""Splits: names that differ in their spelling alone, and columns that say yes or no to one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from lnl_core.data.reading.spellings import plain, quoted
from lnl_core.readings import Answers, Choice, Question

ON = frozenset({"1", "1.0", "true", "yes", "y", "t"})
OFF = frozenset({"0", "0.0", "false", "no", "n", "f", ""})
_FLAG = re.compile(
    r"(is|in|for)?_?(train|training|val|valid|validation|test|testing|eval|dev|holdout)"
    r"(_?(set|split|image|img|data|flag))?"
)
_TRAIN = ("train", "training")
_NAMED = ("train", "val", "test")
_YES, _NO = frozenset({"true", "yes", "t", "y"}), frozenset({"false", "no", "f", "n"})


def flag(name: str, values: Collection[str]) -> str:
    """Return the split that a column says yes or no to (is_train: train); "" where it is none."""
    found = _FLAG.fullmatch(re.sub(r"[\s.\-]+", "_", name.strip().lower()))
    said = {value.strip().lower() for value in values}
    if found is None or not said <= ON | OFF or not said & ON or not said & OFF:
        return ""
    return str(found[2])


def of_flags(flags: Mapping[str, str], cells: Mapping[str, str]) -> str:
    """Return the split of a row; of a lone column that says no, the other of train and test.

    Args:
        flags: split -> the cell that says yes or no to it.
        cells: of the row.
    """
    on = [split for split, cell in flags.items() if cells.get(cell, "").strip().lower() in ON]
    return "+".join(on) if on or len(flags) > 1 else other(next(iter(flags)))


def of_bools(
    values: Iterable[str], where: str, answers: Answers
) -> tuple[dict[str, str], Question | None]:
    """Return value in small letters -> split, and the question, of splits called True and False.

    Args:
        values: as they are written.
        where: what messages call the column.
        answers: what a person said already.
    """
    said = {value.strip().lower() for value in values} - {""}
    if len(said) < 2 or not said <= _YES | _NO:
        return {}, None
    first, second = sorted(said & _YES)[:1], sorted(said & _NO)[:1]
    question = Question(
        "split_true",
        f"{where} says only {' and '.join((*first, *second))}. Which images are the ones of "
        f"{''.join(first)}?",
        (
            *(Choice(name, f"{name}; the others are {other(name)}") for name in _NAMED),
            Choice("names", "no split: the words are kept as they are"),
        ),
        default="names",
        answer=answers.split_true,
    )
    if question.taken == "names":
        return {}, question
    split = question.taken
    return {value: split if value in _YES else other(split) for value in said}, question


def other(split: str) -> str:
    """Return what images are in that a lone column says no to."""
    return "test" if split in _TRAIN else "train"


def spelled_alike(
    counts: Mapping[str, int], answers: Answers
) -> tuple[dict[str, str], Question | None]:
    """Return split as written -> split that it is read as, and the question about them.

    Args:
        counts: split as written -> images.
        answers: what a person said already.
    """
    groups = defaultdict[str, list[str]](list)
    for name in counts:
        groups[plain(name)].append(name)
    same = [group for group in groups.values() if len(group) > 1]
    if not same:
        return {}, None
    best = {name: max(group, key=lambda each: counts[each]) for group in same for name in group}
    named = "; ".join(", ".join(map(quoted, group)) for group in same[:3])
    question = Question(
        "split_spellings",
        f"These splits differ only in case, blanks or accents' form: {named}.",
        (Choice("merge", "one split each"), Choice("keep", "splits of their own")),
        default="merge",
        answer=answers.split_spellings,
    )
    return (best if question.taken == "merge" else {}), question
