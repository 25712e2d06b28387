"""The columns of lists that are read together: each list may call them otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lnl_core.data import tables
from lnl_core.data.reading import columns
from lnl_core.data.reading.column_names import COLUMNS, Columns
from lnl_core.data.tables import visible
from lnl_core.readings import Answers, Question

_SAID = ("image_column", "label_column", "id_column", "split_column")


def decide(files: Sequence[Path], home: Path, answers: Answers) -> dict[Path, Columns]:
    """Say which columns of each list are what; lists of the same header are decided as one.

    Args:
        files: the lists.
        home: the folder that their paths start from.
        answers: what a person said; a column that a list does not have is not meant there, as long
            as another list has it.

    Raises:
        LnlError: one is no table, or none has a column that was named.
    """
    has_header = answers.header != "none"
    names = {
        file: [name.lower() for name in tables.names(file, COLUMNS, has_header=has_header)]
        for file in files
    }
    own = {
        file: _own(answers, names[file], [names[each] for each in files if each != file])
        for file in files
    }
    decided: dict[Path, Columns] = {}
    known: dict[tuple[str, ...], Columns] = {}
    for file in files:
        key = tuple(names[file])
        if key not in known:
            known[key] = columns.decide(file, home, own[file])
        decided[file] = known[key]
    for kind in ("image", "label"):
        shared = "" if getattr(answers, f"{kind}_column") else _shared(kind, decided, names)
        for file, each in decided.items():
            if shared and each.used[kind].lower() != shared:
                pinned: dict[str, Any] = {f"{kind}_column": shared}
                own[file] = replace(own[file], **pinned)
                again = columns.decide(file, home, own[file])
                said = f"“{visible(shared)[:40]}” is the column of {kind}s: all lists have it."
                decided[file] = replace(again, notes=[*again.notes, said])
    return decided


def _shared(kind: str, decided: Mapping[Path, Columns], names: Mapping[Path, list[str]]) -> str:
    """Return the column that all lists have and some were decided for; "" where all agree.

    A list with `label` and `label_name` has its names as classes, another has `label` alone.
    """
    used = dict.fromkeys(each.used.get(kind, "").lower() for each in decided.values())
    if len(used) < 2 or not all(used):
        return ""
    return next((each for each in used if all(each in own for own in names.values())), "")


def _own(answers: Answers, names: Sequence[str], others: Sequence[Sequence[str]]) -> Answers:
    """Return the answers without columns that only another list has."""
    said = {key: getattr(answers, key).lower() for key in _SAID}
    foreign = [
        key
        for key, name in said.items()
        if name not in names and any(name in other for other in others)
    ]
    unsaid: dict[str, Any] = dict.fromkeys(foreign, "")
    return replace(answers, **unsaid)


def questions(decided: Mapping[Path, Columns]) -> list[Question]:
    """Return what is asked about columns: of each kind the first list's that asks."""
    asked: dict[str, Question] = {}
    for each in decided.values():
        for question in each.questions:
            asked.setdefault(question.key, question)
    return list(asked.values())


def notes(decided: Mapping[Path, Columns]) -> list[str]:
    """Say which lists call image and label otherwise than the first one."""
    first = next(iter(decided.values())).used
    return [
        f"{visible(file.name)[:60]} has other columns: "
        + ", ".join(f"{key} = {visible(name)[:40]}" for key, name in each.used.items())
        + "."
        for file, each in decided.items()
        if any(each.used.get(key) != first.get(key) for key in ("image", "label"))
    ]
