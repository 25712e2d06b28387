"""Hidden looks held against what others say: how well each person looks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lnl_core import said
from lnl_core.review.hidden import CONFIRM, CONTROL, GOLD, REPEAT, ROUTES, SECOND
from lnl_core.review.measured import Look, Measured, Share, measured, together
from lnl_core.services.in_force import Standing, standing
from lnl_core.services.review.looks import calls_wrong, known_of, share
from lnl_core.store import decisions, looks
from lnl_core.types import DatasetInfo, Decision


def judged(info: DatasetInfo, now: Standing | None = None, until: int | None = None) -> list[Look]:
    """Return the hidden looks in force whose truth is known, in the order they were made.

    * `gold`: two others agree, or somebody entitled has settled it.
    * `second`, `confirm`: the first person called the label wrong. Where the second does too it is;
      where not, it is open until somebody entitled has settled it, and not among these.
    * `control`: somebody found the label right, and it is, unless settled otherwise.
    * `repeat`: what the same person's answer in force says.

    What the person who looked has also answered as a decision says nothing of them, repeats apart.
    `until` is the number of the last look that counts.
    """
    now = now or standing(info)
    own = {who: set(rows.tolist()) for who, rows in now.touched.items()}
    first = _own_answers(info)
    known = known_of(info, now, until)
    wrong, right = known.surely_wrong, known.surely_right
    found = []
    for each in looks.in_force(info, until):
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


def nobody_yet(info: DatasetInfo) -> str:
    """Say why nobody has been measured: answers that came in a file are no looks."""
    if not share(info):
        return "Nobody is measured: hidden looks are switched off."
    return (
        "Nobody has been measured yet: it begins with what a person answers in Review, where "
        "hidden looks come among the images."
    )


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


def people(
    info: DatasetInfo, now: Standing | None = None, until: int | None = None
) -> dict[str, dict[str, Measured]]:
    """Return reviewer -> route -> what the hidden looks say of this person; see `judged`."""
    return measured(judged(info, now, until))


_ASKED = {
    GOLD: ("gold images", "notices", "calls right ones wrong in"),
    SECOND: ("second looks at drawn images, label hidden", "agrees in", "objects in"),
    CONFIRM: ("second looks at the queue's, label hidden", "agrees in", "objects in"),
    CONTROL: ("controls, label hidden", "notices", "calls right ones wrong in"),
    REPEAT: ("repeats", "calls wrong again", "changes a right to wrong in"),
}
"""Route -> what it is, and how its two shares are said."""


def words(routes: Mapping[str, Measured]) -> list[str]:
    """Return a line for each route of one person, with exact intervals."""
    lines = []
    for route, (what, caught, alarms) in _ASKED.items():
        if route not in routes:
            continue
        pairs = ((caught, routes[route].sensitivity), (alarms, routes[route].false_alarms))
        said = [f"{verb} {share_words(each)}" for verb, each in pairs if each is not None]
        lines.append(f"{what}: {', '.join(said)}")
    return lines


def row(routes: Mapping[str, Measured]) -> dict[str, str]:
    """Return what a table says of one person: column -> seen of how many, and the interval."""
    gold, blind, own = (routes.get(route) for route in (GOLD, CONTROL, REPEAT))
    return {
        "Notices": _short(gold.sensitivity if gold else None),
        "Accuses": _short(gold.false_alarms if gold else None),
        "Accuses blind": _short(blind.false_alarms if blind else None),
        "Steady": _short(own.same if own else None),
    }


def _short(each: Share | None) -> str:
    if each is None:
        return ""
    return f"{each.count} of {each.of} ({said.percents(each.low, each.high)})"


def share_words(each: Share) -> str:
    """Return a share as people read it: 18 of 20 (95 %: 68 to 99 %)."""
    return f"{each.count} of {each.of} (95 %: {said.percents(each.low, each.high, ' to ')})"


def team(
    info: DatasetInfo, now: Standing | None = None, until: int | None = None
) -> dict[str, Measured]:
    """Return route -> what the hidden looks say of everybody; see `judged`."""
    everybody = people(info, now, until).values()
    return {route: together(everybody, route) for route in ROUTES}
