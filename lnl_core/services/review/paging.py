"""Pages of twelve images of one given class, and how images drawn at random come among them.

A drawn image waits until a page of its class is shown, or for `OVERDUE` answers: then the next page
is one of its class. On a page it stands among the class's most suspicious images and looks like
them. So page mode has audits of its own, drawn from all open images like others; which of them is
answered first depends on their classes, and that is no matter: the limits take the draws in the
order they were made, and one without an answer for wrong. Where a reviewer's part holds none of its
class, suspicious images of other people's parts stand with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from lnl_core.review import queue as orders
from lnl_core.services.in_force import Scored, Standing, closed_to, loaded
from lnl_core.services.review.draws import draws, mixed
from lnl_core.types import BoolArray, DatasetInfo, IntArray

PAGE_SIZE = 12

OVERDUE = PAGE_SIZE
"""Answers of anybody after which a drawn image waits no longer for a page of its class."""

AMONG = 4
"""Images for each drawn one on a page, where the reviewer's own part does not give as many."""

Page = tuple[int, list[int]]
"""Given class, and rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Rows that chance drew and that wait for an answer.

    Attributes:
        rows: of them all.
        late: those that were kept waiting too long: their classes come first.
        closed: (n,) True where the reviewer has nothing to answer, whoever's part it is in; the
            others stand on a page on which a drawn row would be alone, and known for what it is.
    """

    rows: Sequence[int] = ()
    late: Collection[int] = ()
    closed: BoolArray | None = None


def waiting(
    info: DatasetInfo,
    reviewer: str,
    now: Standing,
    count: int,
    elsewhere: IntArray,
    passed: Sequence[int] = (),
) -> Waiting:
    """Return the rows drawn for this reviewer that wait.

    More are drawn where it is time for them, as many as single mode would show in `count` pages.

    Args:
        info: the data set.
        reviewer: whose pages they are.
        now: the decisions in force.
        count: how many pages.
        elsewhere: rows that other reviewers have been sent.
        passed: rows to leave out.
    """
    places = mixed(info, reviewer, now, count * PAGE_SIZE, elsewhere=elsewhere)
    made = {each.row: each.last_decision for each in draws(info)}
    rows = list(places.values())
    late = {row for row in rows if now.last_id - made[row] >= OVERDUE}
    closed = closed_to(now, reviewer)
    closed[[*passed, *elsewhere]] = True
    rows = [row for row in rows if not closed[row]]
    return Waiting(rows, late, closed | now.auto_open | now.no_class)


def pages(
    info: DatasetInfo,
    ranked: Scored,
    out: BoolArray,
    count: int,
    wait: Waiting | None = None,
) -> list[Page]:
    """Return up to `count` pages of what is not `out`, (n,).

    Args:
        info: the data set.
        ranked: the ranking in force.
        out: (n,) True where a row is not to be shown.
        count: how many pages.
        wait: the drawn rows that are to be among them.
    """
    wait = wait or Waiting()
    p_wrong, given = np.asarray(ranked.ranking.p_wrong), np.asarray(loaded(info).given_labels)
    left, made = out.copy(), list[Page]()
    for _ in range(count):
        drawn = [row for row in wait.rows if not left[row]]
        first = next((int(given[row]) for row in drawn if row in wait.late), None)
        other = left if first is None else left | (given != first)
        label, rows = orders.next_page(p_wrong, given, other, PAGE_SIZE)
        if label is None:
            break
        mine = [row for row in drawn if given[row] == label]
        page = list(dict.fromkeys([*mine, *rows.tolist()]))[:PAGE_SIZE]
        among = min(PAGE_SIZE, AMONG * len(mine))
        if wait.closed is not None and len(page) < among:
            taken = wait.closed | (given != label)
            taken[[*page, *(row for _, rows in made for row in rows)]] = True
            _, more = orders.next_page(p_wrong, given, taken, among - len(page))
            page += more.tolist()
        left[page] = True
        made.append((label, page))
    return made
