"""Hidden looks held against what others say: how well each person looks."""

from __future__ import annotations

import numpy as np

from lnl_core.review.hidden import CONTROL, GOLD, REPEAT, ROUTES
from lnl_core.review.measured import Look, Measured, measured, together
from lnl_core.services.in_force import Standing, standing
from lnl_core.services.review.looks import calls_wrong, known_of
from lnl_core.store import decisions, looks
from lnl_core.types import DatasetInfo, Decision


def judged(info: DatasetInfo, now: Standing | None = None) -> list[Look]:
    """Return the hidden looks in force whose truth is known, in the order they were made.

    * `gold`: two others agree, or somebody entitled has settled it.
    * `second`, `confirm`: the first person called the label wrong. Where the second does too it is;
      where not, it is open until somebody entitled has settled it, and not among these.
    * `control`: somebody found the label right, and it is, unless settled otherwise.
    * `repeat`: what the same person's answer in force says.

    What the person who looked has also answered as a decision says nothing of them, repeats apart.
    """
    now = now or standing(info)
    own = {who: set(rows.tolist()) for who, rows in now.touched.items()}
    first = _own_answers(info)
    known = known_of(info, now)
    wrong, right = known.surely_wrong, known.surely_right
    found = []
    for each in looks.in_force(info):
        called = calls_wrong(each)
        if called is None or each.row >= info.n:
            continue
        truth: bool | None
        if each.route == REPEAT:
            truth = first.get((each.row, each.reviewer))
        elif each.row in own.get(each.reviewer, ()):
            truth = None
        elif now.ruled[each.row]:
            truth = bool(now.wrong[each.row])
        elif each.route == GOLD:
            truth = True if wrong[each.row] else False if right[each.row] else None
        elif each.route == CONTROL:
            truth = False if now.kept[each.row] else None
        else:
            truth = True if called and now.wrong[each.row] else None
        if truth is not None:
            found.append(_look(each, called, truth))
    return found


def _look(each: Decision, called: bool, truth: bool) -> Look:
    return Look(each.reviewer, each.route, called, truth, each.mode, each.decided_at, each.seconds)


def _own_answers(info: DatasetInfo) -> dict[tuple[int, str], bool]:
    """Return (row, reviewer) -> whether the person calls the label wrong, of rows with a repeat."""
    rows = np.unique([each.row for each in looks.in_force(info) if each.route == REPEAT])
    if not len(rows):
        return {}
    found = {}
    for row, several in decisions.in_force(info, rows=[int(row) for row in rows]).items():
        for each in several:
            said = calls_wrong(each)
            if said is not None and each.route != decisions.SETTLED:
                found[row, each.reviewer] = said
    return found


def people(info: DatasetInfo) -> dict[str, dict[str, Measured]]:
    """Return reviewer -> route -> what the hidden looks say of this person."""
    return measured(judged(info))


def team(info: DatasetInfo) -> dict[str, Measured]:
    """Return route -> what the hidden looks say of everybody."""
    everybody = people(info).values()
    return {route: together(everybody, route) for route in ROUTES}
