"""Pages of twelve images of one given class, and how images drawn at random come among them.

A drawn image waits until a page of its class is shown, or for `OVERDUE` answers: then the next page
is one of its class. On a page it stands among the class's most suspicious images and looks like
them. So page mode has audits of its own, drawn from all open images like others; which of them is
answered first depends on their classes, and that is no matter: the limits take the draws in the
order they were made, and one without an answer for wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from lnl_core.review import queue as orders
from lnl_core.services.in_force import Scored, Standing, loaded
from lnl_core.services.review.draws import draws, mixed
from lnl_core.types import BoolArray, DatasetInfo, IntArray

PAGE_SIZE = 12

OVERDUE = PAGE_SIZE
"""Answers of anybody after which a drawn image waits no longer for a page of its class."""

Page = tuple[int, list[int]]
"""Given class, and rows."""


def waiting(
    info: DatasetInfo, reviewer: str, now: Standing, count: int, elsewhere: IntArray
) -> tuple[list[int], set[int]]:
    """Return rows drawn for this reviewer that wait for an answer, and those kept waiting too long.

    More are drawn where it is time for them, as many as single mode would show in `count` pages.
    """
    places = mixed(info, reviewer, now, count * PAGE_SIZE, elsewhere=elsewhere)
    made = {each.row: each.last_decision for each in draws(info)}
    rows = list(places.values())
    late = {row for row in rows if now.last_id - made[row] >= OVERDUE}
    return rows, late


def pages(
    info: DatasetInfo,
    ranked: Scored,
    out: BoolArray,
    count: int,
    drawn: Sequence[int] = (),
    late: Collection[int] = (),
) -> list[Page]:
    """Return up to `count` pages of what is not `out`, (n,).

    Args:
        info: the data set.
        ranked: the ranking in force.
        out: (n,) True where a row is not to be shown.
        count: how many pages.
        drawn: rows that chance drew and that wait.
        late: those of them whose classes come first.
    """
    p_wrong, given = np.asarray(ranked.ranking.p_wrong), np.asarray(loaded(info).given_labels)
    left, made = out.copy(), list[Page]()
    for _ in range(count):
        wait = [row for row in drawn if not left[row]]
        first = next((int(given[row]) for row in wait if row in late), None)
        closed = left if first is None else left | (given != first)
        label, rows = orders.next_page(p_wrong, given, closed, PAGE_SIZE)
        if label is None:
            break
        mine = [row for row in wait if given[row] == label]
        page = list(dict.fromkeys([*mine, *rows.tolist()]))[:PAGE_SIZE]
        left[page] = True
        made.append((label, page))
    return made
