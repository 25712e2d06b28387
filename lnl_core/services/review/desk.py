"""The review desk: what comes next, what was decided, how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.review import queue as orders
from lnl_core.services.datasets import copied
from lnl_core.services.explore.selections import selection_rows
from lnl_core.services.in_force import (
    Scored,
    closed_to,
    labelled_count,
    loaded,
    scored,
    signals,
    standing,
)
from lnl_core.services.review import groups
from lnl_core.services.review.auditing import ErrorsLeft, errors_left
from lnl_core.services.review.draws import mixed
from lnl_core.services.review.new_classes import add_class
from lnl_core.services.review.planning import Forecast, begin, forecast, planned
from lnl_core.store import datasets, decisions
from lnl_core.store.db import now
from lnl_core.types import Action, BoolArray, DatasetInfo, Decision, IntArray, LnlError

PAGE_SIZE = 12
EXEMPLARS = 20
RECENT = 16


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue is narrowed to; empty means everything that is open.

    Attributes:
        given: only this given class.
        suggested: only this suggested class.
        method: only rows that this method, alone, calls wrong.
        include_reviewed: also what has an answer already.
        rows: only these rows (a selection made elsewhere).
        selection: only the rows of the stored selection of this name; nothing where it is gone.
        to_label: only images whose given label is no class; other queues hold none of them, unless
            rows, a selection or such a label are asked for.
        split: only images that came in this split, blank for those in none.
        copies: only images whose picture comes more than once, of a kind (`copied.KINDS`).
    """

    given: int | None = None
    suggested: int | None = None
    method: str | None = None
    include_reviewed: bool = False
    rows: tuple[int, ...] = ()
    selection: str | None = None
    to_label: bool = False
    copies: str | None = None
    split: str | None = None


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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of answers: `acked` need not be sent again, `problems` in words."""

    acked: list[str]
    problems: list[str]


def _ready(info: DatasetInfo) -> tuple[DatasetInfo, Scored | None]:
    return info, scored(info)


def _excluded(info: DatasetInfo, ranked: Scored, reviewer: str, filters: Filters) -> BoolArray:
    """Return (n,) True where a row is not to be shown."""
    n = info.n
    out = (
        np.zeros(n, dtype=bool) if filters.include_reviewed else closed_to(standing(info), reviewer)
    )
    no_class = standing(info).no_class
    if filters.to_label:
        out |= ~no_class
    elif not filters.rows and filters.selection is None and filters.given not in info.no_classes:
        out |= no_class
    if filters.rows:
        wanted = np.zeros(n, dtype=bool)
        wanted[[row for row in filters.rows if 0 <= row < n]] = True
        out |= ~wanted
    if filters.selection is not None:
        outside = np.ones(n, dtype=bool)
        outside[selection_rows(info, filters.selection)] = False
        out |= outside
    if filters.split is not None and (divided := datasets.splits(info)) is not None:
        names, codes = divided
        there = {name: code for code, name in enumerate(names)} | {"": -1}
        out |= codes != there.get(filters.split, len(names))
    if filters.copies is not None:
        once = np.ones(n, dtype=bool)
        once[copied.rows_of(info, filters.copies)] = False
        out |= once
    if filters.given is not None:
        out |= np.asarray(loaded(info).given_labels) != filters.given
    if filters.suggested is not None:
        out |= np.asarray(ranked.ranking.suggested_labels) != filters.suggested
    if filters.method is not None:
        run = signals(info, ranked.run_ids.get(filters.method, -1))
        if run is not None:
            out |= np.asarray(run.suspicion) <= 0.5
    return out


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
    info, ranked = _ready(info)
    recent = _recent(info, reviewer)
    if ranked is None:
        return ReviewState([], recent, progress(info, reviewer), ready=False)
    filters = filters or Filters()
    excluded = _excluded(info, ranked, reviewer, filters)
    drawn: dict[int, int] = {}
    if not focus and filters == Filters():
        drawn = mixed(info, reviewer, standing(info), limit, only=audits_only(info, order))
        excluded[list(drawn.values())] = True
    rows = orders.next_rows(_order(ranked, info, order, info.id), excluded, limit)
    first = [row for row in dict.fromkeys(focus) if 0 <= row < info.n]
    chosen = [*first, *(int(row) for row in rows if int(row) not in set(first))]
    for place, row in drawn.items():
        chosen.insert(place, row)
    items = _items(info, ranked, chosen[:limit])
    return ReviewState(items, recent, progress(info, reviewer), ready=True)


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
    info, ranked = _ready(info)
    now_at = progress(info, reviewer)
    if ranked is None:
        return PageState(None, [], [], 0, now_at, ready=False)
    excluded = _excluded(info, ranked, reviewer, filters or Filters())
    excluded[list(passed)] = True
    label, rows = orders.next_page(
        np.asarray(ranked.ranking.p_wrong),
        np.asarray(loaded(info).given_labels),
        excluded,
        PAGE_SIZE,
    )
    if label is None:
        return PageState(None, [], [], 0, now_at, ready=True)
    # Inside a page the order says nothing about suspicion (review science 7.2, point 4).
    rows = np.random.default_rng(int(rows[0])).permutation(rows)
    exemplars, confirmed = class_exemplars(info, ranked, label)
    items = _items(info, ranked, [int(row) for row in rows])
    return PageState(label, items, exemplars, confirmed, now_at, ready=True)


def _items(info: DatasetInfo, ranked: Scored, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Describe rows for the browser: nothing here tells what the models think."""
    data = loaded(info)
    guides = datasets.read_meta(info).get("guides", {})
    known: dict[int, tuple[list[int], int]] = {}
    now_at = standing(info)
    items: list[dict[str, Any]] = []
    for position, row in enumerate(rows):
        given = int(data.given_labels[row])
        if given not in known:
            known[given] = class_exemplars(info, ranked, given)
        exemplars, confirmed = known[given]
        items.append(
            {
                "row": int(row),
                "id": data.ids[row],
                "given": given,
                "path": (data.paths[row] if data.paths is not None else data.ids[row]) or "",
                "w": info.width,
                "h": info.height,
                "position": position,
                "exemplars": [other for other in exemplars if other != row],
                "confirmed": confirmed,
                "guide": guides.get(info.class_names[given], ""),
            }
            | ({"no_class": True} if given in info.no_classes else {})
            | groups.facts(info, int(row), now_at)
            | ({"unscored": True} if row >= ranked.seen else {})
        )
    return items


@lru_cache(maxsize=4096)
def _typical(ranked: Scored, info: DatasetInfo, label: int) -> IntArray:
    """Return the least suspicious rows of a given class, best first."""
    rows = np.flatnonzero(np.asarray(loaded(info).given_labels) == label)
    suspicion = np.asarray(ranked.ranking.suspicion)[rows]
    best: IntArray = rows[np.argsort(suspicion, kind="stable")[: EXEMPLARS + 1]]
    return best


def class_exemplars(info: DatasetInfo, ranked: Scored, label: int) -> tuple[list[int], int]:
    """Return rows that show what a class means here, and how many of them people confirmed.

    Confirmed images come first; the rest are those of the class that the models find least
    suspicious and that nobody has called wrong.
    """
    now_at = standing(info)
    given = loaded(info).given_labels
    kept = np.flatnonzero(now_at.kept)
    confirmed = [int(row) for row in kept[np.asarray(given)[kept] == label][-EXEMPLARS:]]
    typical = [
        int(row)
        for row in _typical(ranked, info, label)
        if not now_at.wrong[row] and int(row) not in confirmed
    ]
    return [*confirmed, *typical][:EXEMPLARS], len(confirmed)


def _recent(info: DatasetInfo, reviewer: str) -> list[dict[str, Any]]:
    """Return this reviewer's last answers that still stand, newest first."""
    data = loaded(info)
    seen: set[int] = set()
    answers: list[dict[str, Any]] = []
    now_at = standing(info)
    newest = list(decisions.history(info, reviewer=reviewer, limit=4 * RECENT, looks=True))
    went = _on_copies(info, reviewer, newest)
    for d in newest:
        if d.row in seen:
            continue
        seen.add(d.row)
        if d.action is Action.REOPEN:
            continue
        answers.append(
            {
                "row": d.row,
                "id": data.ids[d.row],
                "given": int(data.given_labels[d.row]),
                "path": (data.paths[d.row] if data.paths is not None else data.ids[d.row]) or "",
                "w": info.width,
                "h": info.height,
                "position": d.position or 0,
                "exemplars": [],
                "confirmed": 0,
                "guide": "",
                "action": str(d.action),
                "label": d.label,
                "labels": list(d.labels),
                "cid": d.cid,
            }
            | ({"no_class": True} if data.given_labels[d.row] in info.no_classes else {})
            | groups.facts(info, d.row, now_at)
            | ({"others": went[start]} if (start := groups.copy_id(d.cid)) in went else {})
        )
        if len(answers) == RECENT:
            break
    return answers


def _on_copies(info: DatasetInfo, reviewer: str, newest: Sequence[Decision]) -> dict[str, int]:
    """Return how many copies the last answers went to, by what their client ids begin with."""
    known = groups.groups_of(info)
    if known is None or not len(known.rows) or not newest:
        return {}
    return decisions.on_copies(info, reviewer, newest[-1].id)


def progress(info: DatasetInfo, reviewer: str) -> Progress:
    """Return how far the review of a data set is."""
    info, ranked = _ready(info)
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


def record(info: DatasetInfo, reviewer: str, entries: Sequence[Mapping[str, Any]]) -> Recorded:
    """Store answers that a browser sent; a journal may be sent again and is stored once.

    Each entry has `cid`, `row`, `action`, and as the action needs `label` or `labels`, or for a
    relabel `new_class`, the name of a class that the set does not have yet; `ms`,
    `revealed`, `mode`, `position`, `at` say how it came about; `together`, that the answer goes to
    the copies of the picture as well (`groups`); taking it back takes it back there, too. An entry
    that cannot be understood is reported in `problems` and acknowledged, so that it does not block
    the rest. The route is `audit` where the row was drawn at random, else `queue`, whatever the
    browser says.
    """
    info, ranked = _ready(info)
    good: list[Decision] = []
    acked, problems = [], []

    def store(more: Sequence[Decision] = ()) -> None:
        decisions.append(info, [*good, *more])
        good.clear()

    for entry in entries:
        cid = str(entry.get("cid", ""))[:80]
        try:
            entry, changed = _with_class(info, entry)
            if changed is not info:
                store()
                info, ranked = _ready(changed)
            decision = _decision(info, ranked, reviewer, entry, cid)
            decisions.check(info, decision)
        except (LnlError, ValueError, TypeError, KeyError) as error:
            problems.append(f"An answer could not be stored: {error}")
        else:
            together = entry.get("together") is True
            if not together and decision.action is not Action.REOPEN:
                good.append(decision)
            elif not decisions.is_stored(info, reviewer, cid):
                store()  # what goes to copies, or is taken back there, depends on it
                if together:
                    store(groups.with_copies(info, decision, ranked))
                else:
                    store(groups.taken_back(info, decision))
        acked.append(cid)
    store()
    begin(info)
    return Recorded(acked, problems)


def _with_class(
    info: DatasetInfo, entry: Mapping[str, Any]
) -> tuple[Mapping[str, Any], DatasetInfo]:
    """Return an entry with the number of the class that it adds, and the set that has it."""
    name = entry.get("new_class")
    if not isinstance(name, str) or entry.get("action") != str(Action.RELABEL):
        return entry, info
    info, label = add_class(info, name)
    return {**entry, "label": label}, info


def _decision(
    info: DatasetInfo, ranked: Scored | None, reviewer: str, entry: Mapping[str, Any], cid: str
) -> Decision:
    """Make a decision of a browser's entry and add what the server knows was shown."""
    if not cid:
        raise LnlError("the entry has no cid.")
    row = int(entry["row"])
    if not 0 <= row < info.n:
        raise LnlError(f"row {row} is not in “{info.name}”.")
    if ranked is not None and row >= ranked.seen:
        ranked = None  # not scored yet: no method had a say
    label, labels = entry.get("label"), entry.get("labels") or []
    mode = str(entry.get("mode", "commit"))[:20]
    milliseconds = entry.get("ms")
    position = entry.get("position")
    return Decision(
        row=row,
        action=Action(str(entry["action"])),
        reviewer=reviewer,
        label=None if label is None else int(label),
        labels=tuple(int(each) for each in labels),
        cid=cid,
        decided_at=_when(entry.get("at")),
        seconds=None if milliseconds is None else min(max(0.0, float(milliseconds) / 1000), 86400),
        given_label=int(loaded(info).given_labels[row]),
        suggested_label=None if ranked is None else int(ranked.ranking.suggested_labels[row]),
        p_wrong=None if ranked is None else round(float(ranked.ranking.p_wrong[row]), 6),
        run_ids=() if ranked is None else tuple(sorted(ranked.run_ids.values())),
        position=None if position is None else min(max(0, int(position)), info.n),
        mode=mode,
        revealed=bool(entry.get("revealed", False)),
    )


def _when(value: Any) -> str:
    """Trust the browser's clock within a month back; the journal may be sent days later."""
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return now()
    present = datetime.now(UTC)
    if not present - timedelta(days=30) <= moment <= present:
        return now()
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
