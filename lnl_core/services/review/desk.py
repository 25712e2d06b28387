"""The review desk: what comes next, what was decided, how far it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.review import queue as orders
from lnl_core.services.in_force import (
    Scored,
    Standing,
    closed_to,
    loaded,
    scored,
    standing,
)
from lnl_core.services.review import holding, looks, paging
from lnl_core.services.review.advised import flagged
from lnl_core.services.review.again import with_earlier
from lnl_core.services.review.draws import latest, mixed
from lnl_core.services.review.filtering import Filters, excluded
from lnl_core.services.review.items import RECENT, class_exemplars, items_of, recent, with_answers
from lnl_core.services.review.planning import forecast
from lnl_core.services.review.progress import Progress, progress, ready
from lnl_core.services.review.sharing import drawing, order_of
from lnl_core.store.once import at_once
from lnl_core.types import BoolArray, Busy, DatasetInfo, Decision, IntArray

PAGE_SIZE = paging.PAGE_SIZE
SPARE = 24
"""Candidates beyond those asked for: another reviewer may take some between look and fetch."""

TRIES = 5
"""How often a fetch is put together anew where others were faster with some rows."""


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What single mode shows: the next items, the last answers, the progress.

    `held` counts open items that other reviewers have been sent. An item under a filter or of a
    link says what it was answered (`said`, see `items.with_answers`); in the queue none does.
    `items` and `recent` hold no suggestion, score or probability: commit-first mode may send them
    to the browser before the answer (review science 7.2). Nor do they tell which rows chance drew.
    """

    items: list[dict[str, Any]]
    recent: list[dict[str, Any]]
    progress: Progress
    ready: bool
    held: int = 0


@dataclass(frozen=True, slots=True)
class PageState:
    """What page mode shows: up to twelve images of one given class; `held` as in single mode."""

    label: int | None
    items: list[dict[str, Any]]
    exemplars: list[int]
    confirmed: int
    progress: Progress
    ready: bool
    held: int = 0


@lru_cache(maxsize=16)
def _order(scored_now: Scored, info: DatasetInfo, kind: str, seed: int) -> IntArray:
    if kind == "suspicious":
        return scored_now.ranking.order
    return orders.order(
        kind,
        p_wrong=np.asarray(scored_now.ranking.p_wrong),
        given_labels=np.asarray(loaded(info).given_labels),
        suggested_labels=np.asarray(scored_now.ranking.suggested_labels),
        seed=seed,
    )


@at_once()
def review_state(
    info: DatasetInfo,
    reviewer: str,
    *,
    order: str = "suspicious",
    filters: Filters | None = None,
    focus: Sequence[int] = (),
    passed: Collection[int] = (),
    limit: int = 50,
    tab: str | None = None,
) -> ReviewState:
    """Return what single mode needs: the next `limit` open items in the order asked for.

    Rows drawn at random are mixed in, every fifth at first, later every twentieth, and look like
    all others; in random order there is nothing else. Hidden looks are mixed in as well
    (`review.hidden`). A queue that is narrowed by filters or a focus is not the set: it gets none.

    Args:
        info: the data set.
        reviewer: whose queue it is.
        order: `suspicious`, `pair`, `diverse` or `random`.
        filters: what to narrow the queue to.
        focus: rows to show first, whatever the order says (a shared link, marked tiles).
        passed: rows to leave out.
        limit: how many items.
        tab: of which browser: the items are this reviewer's from now on, and no other's until they
            are answered or given back (`holding`). None looks without taking any. Who takes them
            does not wait for numbers of a new moment, see `ready`.
    """
    ranked, now, newest = scored(info), standing(info), latest(info, reviewer)
    answers = with_earlier(info, reviewer, recent(info, reviewer, newest, now))
    answers = flagged(info, reviewer, answers)
    answers = looks.with_recent(info, reviewer, answers, RECENT)
    done = progress(info, reviewer, now, newest, ready(info, soon=tab is not None))
    if ranked is None:
        return ReviewState([], answers, done, ready=False)
    place = tuple(row for row in focus if 0 <= row < info.n)
    fetch = Fetch(info, ranked, reviewer, now, newest, order, filters or Filters(), place)
    out = excluded(info, ranked, reviewer, fetch.filters, now)
    out[list(passed)] = True
    if tab is None:
        chosen = _next(fetch, limit, out.copy(), None)[:limit]
        held = 0
    else:
        chosen, held = _held_rows(fetch, limit, out, tab)
    there = _with_looks(fetch, chosen)
    items = looks.signed(info, reviewer, items_of(info, ranked, chosen, now, reviewer), there)
    items = flagged(info, reviewer, items, {look.row for look in there.values()})
    if not _may_hide(fetch):
        items = with_answers(info, items, reviewer, words=fetch.filters.asks_for_answers)
    return ReviewState(items, answers, done, ready=True, held=held)


@dataclass(frozen=True, slots=True, eq=False)
class Fetch:
    """What a reviewer asks for, see `review_state`, and what is known at that moment."""

    info: DatasetInfo
    ranked: Scored
    reviewer: str
    now: Standing
    newest: list[Decision]
    order: str
    filters: Filters
    focus: tuple[int, ...]


def _next(fetch: Fetch, limit: int, out: BoolArray, others: IntArray | None) -> list[int]:
    """Return the rows that come next, and some to spare; `out`, (n,), is used up."""
    info, now, drawn = fetch.info, fetch.now, dict[int, int]()
    if not fetch.focus and fetch.filters == Filters():
        only = audits_only(info, fetch.order, now, soon=others is not None)
        drawn = mixed(
            info, fetch.reviewer, now, limit, only=only, elsewhere=others, newest=fetch.newest
        )
        out[list(drawn.values())] = True
    order = _order(fetch.ranked, info, fetch.order, info.id)
    if fetch.order == "suspicious" and (fixed := order_of(info, fetch.ranked)) is not None:
        order = fixed
    rows = orders.next_rows(order, out, limit + SPARE)
    chosen = list(dict.fromkeys([*fetch.focus, *rows.tolist()]))
    for place, row in drawn.items():
        chosen.insert(place, row)
    return chosen


def _held_rows(fetch: Fetch, limit: int, out: BoolArray, tab: str) -> tuple[list[int], int]:
    """Return the rows that come next and are this reviewer's now, and how many others have."""
    for _ in range(TRIES):
        free = out.copy()
        others = holding.elsewhere(fetch.info, fetch.reviewer)
        held = _leave(free, others)
        room = holding.room(limit, free, shared=len(others) > 0)
        asked = _next(fetch, room, free, others)
        try:
            had = set(holding.hold(fetch.info, fetch.reviewer, tab, asked, fetch.now, room))
        except Busy:
            had = holding.without_taking(fetch.info, fetch.reviewer, asked)
            return [row for row in asked if row in had or row in fetch.focus][:room], held
        chosen = [row for row in asked if row in had or row in fetch.focus][:room]
        if len(chosen) == min(room, len(asked)):
            break  # else others were faster with some of them
    return chosen, held


def _with_looks(fetch: Fetch, chosen: list[int]) -> dict[int, looks.Placed]:
    """Put hidden looks into the rows that come next; return place -> look. None stands last."""
    if not _may_hide(fetch):
        return {}
    there = {}
    for place, look in looks.placed(fetch.info, fetch.reviewer, fetch.now).items():
        if place < len(chosen) and look.row not in chosen:
            chosen.insert(place, look.row)
            there[place] = look
    return there


def _may_hide(fetch: Fetch) -> bool:
    """Tell whether hidden looks may be among the items; then no item tells of earlier answers."""
    return not fetch.focus and fetch.filters == Filters()


def _leave(out: BoolArray, others: IntArray) -> int:
    """Close in `out`, (n,), what other reviewers have; return how many that are."""
    held = int(np.count_nonzero(~out[others]))
    out[others] = True
    return held


def audits_only(
    info: DatasetInfo, order: str, now: Standing | None = None, *, soon: bool = False
) -> bool:
    """Tell whether every image is to be drawn at random: asked for, or the sooner way to the goal.

    Once what is left pays less than it costs, images drawn at random certify sooner than the queue
    gets there; the forecast says when (review science 5.4).
    """
    if order == "random":
        return True
    now = now or standing(info)
    if drawing(info, now):
        return True
    expected = forecast(info, now=ready(info, soon=soon))
    return expected is not None and expected.audits_alone


def is_open(info: DatasetInfo, reviewer: str, row: int) -> bool:
    """Tell whether an image waits for this reviewer's answer."""
    return not closed_to(standing(info), reviewer)[row]


@at_once()
def page_state(
    info: DatasetInfo,
    reviewer: str,
    *,
    filters: Filters | None = None,
    passed: Sequence[int] = (),
) -> PageState:
    """Return the next page without taking it; `passed` are rows to leave out. See `page_states`."""
    return page_states(info, reviewer, filters=filters, passed=passed)[0]


def page_states(
    info: DatasetInfo,
    reviewer: str,
    *,
    filters: Filters | None = None,
    passed: Sequence[int] = (),
    tab: str | None = None,
    count: int = 1,
) -> list[PageState]:
    """Return the next pages: each the twelve most suspicious open images of one given class.

    The class is the one whose page holds the most expected errors (review science 4.2).

    Without filters, rows drawn at random are among them (`paging`).

    Args:
        info: the data set.
        reviewer: whose pages they are.
        filters: what to narrow them to.
        passed: rows to leave out.
        tab: as for `review_state`.
        count: how many pages; fewer come back where fewer are left, but one.
    """
    ranked = scored(info)
    now = standing(info)
    now_at = progress(info, reviewer, now, then=ready(info, soon=tab is not None))
    if ranked is None:
        return [PageState(None, [], [], 0, now_at, ready=False)]
    out = excluded(info, ranked, reviewer, filters or Filters(), now)
    out[list(passed)] = True
    held = 0
    if tab is None:
        pages = paging.pages(info, ranked, out, count)
    else:
        others = holding.elsewhere(info, reviewer)
        held = _leave(out, others)
        wait = paging.Waiting()
        if filters is None or filters == Filters():
            wait = paging.waiting(info, reviewer, now, count, others, passed)
            out[list(wait.rows)] = False  # whoever's part they are in
        pages = _held_pages(info, ranked, out, count, reviewer, tab, now, wait)
    states = []
    for label, rows in pages:
        # Inside a page the order says nothing about suspicion (review science 7.2, point 4).
        mixed_up = np.random.default_rng(rows[0]).permutation(rows)
        exemplars, confirmed = class_exemplars(info, ranked, label, now)
        items = items_of(info, ranked, [int(row) for row in mixed_up], now, reviewer)
        items = flagged(info, reviewer, items)
        if filters is not None and filters.answered:
            items = with_answers(info, items, reviewer, words=filters.asks_for_answers)
        states.append(PageState(label, items, exemplars, confirmed, now_at, ready=True))
    return states or [PageState(None, [], [], 0, now_at, ready=True, held=held)]


def _held_pages(
    info: DatasetInfo,
    ranked: Scored,
    out: BoolArray,
    count: int,
    reviewer: str,
    tab: str,
    now: Standing,
    wait: paging.Waiting,
) -> list[paging.Page]:
    """Return pages that this reviewer holds; another one may have been faster with some rows."""
    free = int(np.count_nonzero(~out)) // PAGE_SIZE
    count = max(1, min(count, free - 1))  # others are to get a page, too
    for _ in range(TRIES):
        pages = paging.pages(info, ranked, out, count, wait)
        wanted = [row for _, rows in pages for row in rows]
        try:
            had = set(holding.hold(info, reviewer, tab, wanted, now, len(wanted)))
        except Busy:
            had = holding.without_taking(info, reviewer, wanted)
            break
        gone = [row for row in wanted if row not in had]
        if not gone:
            return pages
        out[gone] = True
        if wait.closed is not None:
            wait.closed[gone] = True
    kept = [(label, [row for row in rows if row in had]) for label, rows in pages]
    return [(label, rows) for label, rows in kept if rows]


@dataclass(frozen=True, slots=True)
class ToLabel:
    """Images that came without a class: `total` of them, `done` have got an answer."""

    total: int
    done: int

    @property
    def left(self) -> int:
        """Images that wait for an answer."""
        return self.total - self.done


def to_label(info: DatasetInfo) -> ToLabel:
    """Return how many images came with a label that is no class, and how many of them are done."""
    now_at = standing(info)
    return ToLabel(int(now_at.no_class.sum()), int((now_at.no_class & now_at.settled).sum()))
