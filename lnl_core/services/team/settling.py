"""Contradictions and how they end: somebody entitled says what is right, and that alone counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lnl_core.services.in_force import loaded, scored, standing
from lnl_core.services.review.looks import waiting_for_a_word
from lnl_core.services.team.roles import Act, require
from lnl_core.store import decisions, meaning
from lnl_core.types import Action, DatasetInfo, Decision, LnlError

_MODE = "settle"


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An image on which people contradict each other; `answers` are theirs, oldest first."""

    row: int
    given: int
    id: str
    answers: tuple[Decision, ...]


def contradictions(info: DatasetInfo) -> list[Contradiction]:
    """Return the images on which people contradict each other, the surest errors first.

    A second look without the label counts where it contradicts the person who called it wrong.
    """
    data, ranked = loaded(info), scored(info)
    p_wrong = np.zeros(info.n) if ranked is None else np.asarray(ranked.ranking.p_wrong)
    again = waiting_for_a_word(info, standing(info))
    found = [
        Contradiction(
            row,
            int(data.given_labels[row]),
            str(data.ids[row]),
            _opinions([*several, *again.get(row, [])]),
        )
        for row, several in decisions.in_force(info).items()
        if row in again or not decisions.verdict(several).agreed
    ]
    return sorted(found, key=lambda each: (-float(p_wrong[each.row]), each.row))


def _opinions(several: Sequence[Decision]) -> tuple[Decision, ...]:
    return tuple(d for d in several if d.action not in (Action.UNSURE, Action.SKIP))


def sides(found: Contradiction) -> list[tuple[Decision, ...]]:
    """Return the answers by what they say, the one that most people gave first.

    Of as many, the order is that of what they say: no answer, given again, changes places.
    """
    by: dict[tuple[Action, int | None, tuple[int, ...]], list[Decision]] = {}
    for each in found.answers:
        by.setdefault((each.action, each.label, tuple(sorted(each.labels))), []).append(each)
    said = sorted(by, key=lambda what: (str(what[0]), -1 if what[1] is None else what[1], what[2]))
    said.sort(key=lambda what: -len(by[what]))
    return [tuple(by[what]) for what in said]


def unsure(info: DatasetInfo) -> dict[str, list[int]]:
    """Return reviewer -> images that this person is unsure of and nobody has settled."""
    found: dict[str, list[int]] = {}
    for row, several in decisions.in_force(info).items():
        if decisions.verdict(several).waiting:
            for each in several:
                if each.action is Action.UNSURE:
                    found.setdefault(each.reviewer, []).append(row)
    return found


def settle(
    info: DatasetInfo,
    who: str,
    row: int,
    action: Action,
    label: int | None = None,
    labels: Sequence[int] = (),
) -> None:
    """Say what is right of an image on which others contradict each other.

    Raises:
        NotAllowed: the person may not settle.
        LnlError: nobody contradicts anybody there, or the answer is none.
    """
    require(info.workspace, who, Act.SETTLE)
    several = decisions.in_force(info, rows=[row]).get(row, [])
    verdict = decisions.verdict(several)
    again = waiting_for_a_word(info, standing(info))
    if verdict.agreed and not verdict.waiting and row not in again:
        raise LnlError("This image is settled already.")
    if action not in (Action.KEEP, Action.RELABEL, Action.MULTIPLE, Action.NONE):
        raise LnlError(f"“{action}” settles nothing.")
    made = Decision(
        row,
        action,
        who,
        label=label,
        labels=tuple(labels),
        given_label=int(loaded(info).given_labels[row]),
        mode=_MODE,
        route=decisions.SETTLED,
    )
    decisions.append(info, [made])


def take_back(info: DatasetInfo, who: str, row: int) -> None:
    """Undo one's own settling of an image: the contradiction is open again.

    What the same person had answered before, and not taken back, counts again too.

    Raises:
        NotAllowed: the person may not settle.
        LnlError: it is not this person who settled it.
    """
    require(info.workspace, who, Act.SETTLE)
    several = decisions.in_force(info, rows=[row]).get(row, [])
    if not any(d.route == decisions.SETTLED and d.reviewer == who for d in several):
        raise LnlError("You have not settled this image.")
    mine = [
        d
        for d in decisions.history(info, reviewer=who)
        if d.row == row and d.route != decisions.SETTLED and d.mode != _MODE
    ]
    again = [Decision(row, Action.REOPEN, who, mode=_MODE)]
    last = [each for each in mine[-1:] if not meaning.is_void(meaning.meant(each), info.no_classes)]
    if last and last[0].action is not Action.REOPEN:  # as it was given, what was shown included
        again.append(replace(last[0], id=0, cid="", decided_at=""))
    decisions.append(info, again)
