"""Labels that are numbers of classes: what they count from, and the names that they stand for."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lnl_core.readings import Answers, Choice, Question


def count_from(
    low: int, high: int, k: int, answers: Answers, names: tuple[str, ...]
) -> tuple[int, Question | None]:
    """Return what labels count from, 0 or 1, and the question where it can be either.

    Args:
        low: the smallest label.
        high: the largest label.
        k: number of classes that have names.
        answers: what a person said already.
        names: of the classes, for the question.
    """

    def of(at: int) -> str:
        return f"“{names[at][:40]}”" if at < len(names) else "none of them"

    if low > 0 and high > k:
        return int(answers.count_from or 0), Question(
            "count_from",
            f"Labels go from {low:,} to {high:,}, and {k:,} classes have names: counted from 0 or "
            "from 1, some labels are none of them.",
            (
                Choice("0", "counted from 0; rows without a name are left out"),
                Choice("1", "counted from 1; rows without a name are left out"),
            ),
            answer=answers.count_from,
            stops=True,
        )
    if low == 0 and high == k:
        first = of(0)
        return int(answers.count_from or 0), Question(
            "count_from",
            f"Labels go from 0 to {high:,}, and {k:,} classes have names: one label is none of "
            f"them. Which label is {first}: 0, or 1?",
            (
                Choice("0", f"label 0 is {first}, and {high:,} has no name"),
                Choice("1", f"label 1 is {first}, and 0 has no name"),
            ),
            answer=answers.count_from,
            stops=True,
        )
    if low == 0 or (low > 1 and high < k):
        return int(answers.count_from or 0), None
    sure = (
        f"label {high} is none of the {k:,} classes if they count from 0"
        if high == k
        else f"class 0 has no image if they count from 0, and {k - high:,} have none from 1"
    )
    question = Question(
        "count_from",
        f"Labels go from {low:,} to {high:,}: {sure}. Is label {low} {of(low - 1)}, counted from "
        f"1, or {of(low)}, counted from 0?",
        (
            Choice("0", f"label {low} is {of(low)}"),
            Choice("1", f"label {low} is {of(low - 1)}"),
        ),
        answer=answers.count_from,
        stops=True,
    )
    return int(answers.count_from or 0), question


def beside_names(
    labels: Collection[int], names: Mapping[int, str], answers: Answers
) -> tuple[int, Question | None]:
    """Return what is added to labels to find their names in a file that writes the numbers.

    That is 0, unless some have no name, and all have one if they count from 0 and the file from 1,
    or the other way round: that is asked.

    Args:
        labels: numbers.
        names: number -> name.
        answers: what a person said already.
    """
    first = min(names, default=-1)
    if first not in (0, 1) or names.keys() >= set(labels):
        return 0, None
    shift = 1 if first == 1 else -1
    if not names.keys() >= {label + shift for label in labels}:
        return 0, None
    low, lost = min(labels), min(set(labels) - names.keys())
    question = Question(
        "count_from",
        f"Labels go from {low:,} to {max(labels):,}, and the numbers of the names from {first} to "
        f"{max(names):,}: {lost} has no name. Is label {low} “{names[low + shift][:40]}”, counted "
        f"from {1 - first}?",
        tuple(
            Choice(str(base), words)
            for base, words in sorted(
                {
                    1 - first: f"label {low} is “{names[low + shift][:40]}”",
                    first: f"the numbers are as they are, and {lost} has no name",
                }.items()
            )
        ),
        answer=answers.count_from,
        stops=True,
    )
    return shift if answers.count_from == str(1 - first) else 0, question
