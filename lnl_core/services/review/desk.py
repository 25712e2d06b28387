"""The review desk: what comes next, what was decided, how far it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.review import queue as orders
from lnl_core.services.in_force import Scored, closed_to, labelled_count, loaded, scored, standing
from lnl_core.services.review.auditing import ErrorsLeft, errors_left
from lnl_core.services.review.draws import mixed
from lnl_core.services.review.filtering import Filters, excluded
from lnl_core.services.review.items import class_exemplars, items_of, recent
from lnl_core.services.review.planning import Forecast, forecast, planned
from lnl_core.store import decisions
from lnl_core.types import DatasetInfo, IntArray

PAGE_SIZE = 12


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the review is.

    Attributes:
        reviewed: images with an answer other than skip, by anybody.
        planned: how many were expected to be needed when the review began.
        wrong: images whose given label was found wrong.
        total: images in the set that came with a class; the others are counted by `to_label`.
        left: open images in the queue for this reviewer, filters ignored.
        seconds_per_image: median of this reviewer's last hundred answers, None before five.
        errors_left: what the random audit says of the labels that nobody has looked at.
        expected: what the scores and the answers let one expect; None without a ranking.
    """

    reviewed: int
    planned: int
    wrong: int
    total: int
    left: int
    seconds_per_image: float | None
    errors_left: ErrorsLeft
    expected: Forecast | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what the review component shows."""
        ahead = self.expected
        return {
            "reviewed": self.reviewed,
            "planned": self.planned,
            "wrong": self.wrong,
            "total": self.total,
            "left": self.left,
            "seconds_per_image": self.seconds_per_image,
            "errors_left": self.errors_left.as_dict(),
            "reviews_to_goal": None if ahead is None else ahead.plan.total,
        }


@dataclass(frozen=True, slots=True)
class ReviewState:
    """What single mode shows: the next items, the last answers, the progress.

    `items` and `recent` hold no suggestion, score or probability: commit-first mode may send them
    to the browser before the answer (review science 7.2). Nor do they tell which rows chance drew.
    """

    items: list[dict[str, Any]]
    recent: list[dict[str, Any]]
    progress: Progress
    ready: bool


@dataclass(frozen=True, slots=True)
class PageState:
    """What page mode shows: up to twelve images of one given class."""

    label: int | None
    items: list[dict[str, Any]]
    exemplars: list[int]
    confirmed: int
    progress: Progress
    ready: bool


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


def review_state(
    info: DatasetInfo,
    reviewer: str,
    *,
    order: str = "suspicious",
    filters: Filters | None = None,
    focus: Sequence[int] = (),
    limit: int = 50,
) -> ReviewState:
    """Return what single mode needs: the next `limit` open items in the order asked for.

    Rows drawn at random are mixed in, every fifth at first, later every twentieth, and look like
    all others; in random order there is nothing else. A queue that is narrowed by filters or a
    focus is not the set: it gets none.

    Args:
        info: the data set.
        reviewer: whose queue it is.
        order: `suspicious`, `pair`, `diverse` or `random`.
        filters: what to narrow the queue to.
        focus: rows to show first, whatever the order says (a shared link, marked tiles).
        limit: how many items.
    """
    ranked = scored(info)
    answers = recent(info, reviewer)
    if ranked is None:
        return ReviewState([], answers, progress(info, reviewer), ready=False)
    filters = filters or Filters()
    out = excluded(info, ranked, reviewer, filters)
    drawn: dict[int, int] = {}
    if not focus and filters == Filters():
        drawn = mixed(info, reviewer, standing(info), limit, only=audits_only(info, order))
        out[list(drawn.values())] = True
    rows = orders.next_rows(_order(ranked, info, order, info.id), out, limit)
    first = [row for row in dict.fromkeys(focus) if 0 <= row < info.n]
    chosen = [*first, *(int(row) for row in rows if int(row) not in set(first))]
    for place, row in drawn.items():
        chosen.insert(place, row)
    items = items_of(info, ranked, chosen[:limit])
    return ReviewState(items, answers, progress(info, reviewer), ready=True)


def audits_only(info: DatasetInfo, order: str) -> bool:
    """Tell whether every image is to be drawn at random: asked for, or the sooner way to the goal.

    Once what is left pays less than it costs, images drawn at random certify sooner than the queue
    gets there; the forecast says when (review science 5.4).
    """
    if order == "random":
        return True
    expected = forecast(info)
    return expected is not None and expected.audits_alone


def page_state(
    info: DatasetInfo,
    reviewer: str,
    *,
    filters: Filters | None = None,
    passed: Sequence[int] = (),
) -> PageState:
    """Return the next page: the twelve most suspicious open images of one given class.

    The class is the one whose page holds the most expected errors (review science 4.2). `passed`
    are rows to leave out: those of the page on screen, when the one after it is fetched ahead.

    A page gets no rows drawn at random: a uniform draw is of the page's class once in k times, and
    answering only those first would favour the classes that are paged through. Rows that were
    drawn wait for single mode; one that a page shows all the same counts as drawn.
    """
    ranked = scored(info)
    now_at = progress(info, reviewer)
    if ranked is None:
        return PageState(None, [], [], 0, now_at, ready=False)
    out = excluded(info, ranked, reviewer, filters or Filters())
    out[list(passed)] = True
    label, rows = orders.next_page(
        np.asarray(ranked.ranking.p_wrong),
        np.asarray(loaded(info).given_labels),
        out,
        PAGE_SIZE,
    )
    if label is None:
        return PageState(None, [], [], 0, now_at, ready=True)
    # Inside a page the order says nothing about suspicion (review science 7.2, point 4).
    rows = np.random.default_rng(int(rows[0])).permutation(rows)
    exemplars, confirmed = class_exemplars(info, ranked, label)
    items = items_of(info, ranked, [int(row) for row in rows])
    return PageState(label, items, exemplars, confirmed, now_at, ready=True)


def progress(info: DatasetInfo, reviewer: str) -> Progress:
    """Return how far the review of a data set is."""
    ranked = scored(info)
    now_at = standing(info)
    ahead = forecast(info)
    times = [
        d.seconds
        for d in decisions.history(info, reviewer=reviewer, limit=100, looks=True)
        if d.seconds is not None and d.seconds <= 60  # longer gaps are pauses
    ]
    return Progress(
        reviewed=now_at.reviewed,
        planned=planned(info) or now_at.reviewed + (ahead.plan.total if ahead else 0),
        wrong=int(now_at.wrong.sum()),
        total=labelled_count(info),
        left=int((~closed_to(now_at, reviewer) & ~now_at.no_class).sum()) if ranked else 0,
        seconds_per_image=float(np.median(times)) if len(times) >= 5 else None,
        errors_left=errors_left(info),
        expected=ahead,
    )


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
