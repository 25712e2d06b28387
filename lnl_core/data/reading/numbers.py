"""Labels that are numbers of classes: what they count from, and the names that they stand for."""

from __future__ import annotations

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
        names: some of the names, for the question.
    """
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
        first = f"“{names[0][:40]}”"
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
    if low != 1:
        return int(answers.count_from or 0), None
    sure = (
        f"label {high} is none of the {k:,} classes if they count from 0"
        if high == k
        else f"class 0 has no image if they count from 0, and {k - high:,} have none from 1"
    )
    question = Question(
        "count_from",
        f"Labels go from 1 to {high:,}: {sure}. Is label 1 “{names[0][:40]}”, counted from 1, or "
        f"“{names[min(1, len(names) - 1)][:40]}”, counted from 0?",
        (
            Choice("0", f"label 1 is “{names[min(1, len(names) - 1)][:40]}”"),
            Choice("1", f"label 1 is “{names[0][:40]}”"),
        ),
        answer=answers.count_from,
        stops=True,
    )
    return int(answers.count_from or 0), question
