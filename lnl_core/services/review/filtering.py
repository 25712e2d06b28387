"""What the queue can be narrowed to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.services.datasets import copied
from lnl_core.services.explore.selections import selection_rows
from lnl_core.services.in_force import (
    Scored,
    Standing,
    answered_by,
    closed_to,
    loaded,
    scored,
    signals,
    standing,
    told_of,
    unjudged,
)
from lnl_core.services.team import parts
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, BoolArray, DatasetInfo
from lnl_core.views import DOUBTFUL, SUSPECTED


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
        chance: only images whose label is wrong with a chance in [low, high); none without one,
            because a run was told the answer or has not judged the image.
        verdict: only images with this answer in force, of anybody or of `who`; `WAITS` for those
            that were skipped, or somebody is unsure of, and that nobody has settled.
        who: only images that this reviewer has answered.
        path: only images with this text in their path, whatever its case.
        second: also what others have settled, for an answer that knows nothing of theirs.
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
    chance: tuple[float, float] | None = None
    verdict: str | None = None
    who: str | None = None
    path: str = ""
    second: bool = False

    @property
    def answered(self) -> bool:
        """Whether images that have an answer are among what is asked for."""
        return self.include_reviewed or self.asks_for_answers

    @property
    def asks_for_answers(self) -> bool:
        """Whether images are chosen by what people answered."""
        return self.verdict is not None or self.who is not None


WAITS = "waits"
"""In place of an answer: put off, and still without one that settles the image."""

BANDS = {"low": (0.0, DOUBTFUL), "middle": (DOUBTFUL, SUSPECTED), "high": (SUSPECTED, 1.01)}
"""Chances that the queue can be narrowed to, as Explore's map names them."""


def chance_text(low: float | None, high: float | None) -> str:
    """Return a range of chances as an address holds it, `0.2-0.7`; an end that is free is blank.

    All digits of an end are written, and none as a power: `chance_ends` reads the same number.
    """
    ends = ("" if end is None else np.format_float_positional(end, trim="-") for end in (low, high))
    return "-".join(ends) if (low, high) != (None, None) else ""


def chance_ends(text: str) -> tuple[float | None, float | None] | None:
    """Return the ends that `chance_text` wrote, None for free ones; None where it did not."""
    found = re.fullmatch(r"(\d?\.?\d{0,400})-(\d?\.?\d{0,400})", text, re.ASCII)
    if found is None or not any(found.groups()) or "." in found.groups():
        return None
    low, high = (float(end) if end else None for end in found.groups())
    return (low, high) if all(end is None or end <= 1 for end in (low, high)) else None


def chance_limits(low: float | None, high: float | None) -> tuple[float, float] | None:
    """Return [low, high) for `Filters.chance`; None where both ends are free. 1 is in the last."""
    if low is None and high is None:
        return None
    return low or 0.0, 1.01 if high is None or high >= 1 else high


def in_chance(info: DatasetInfo, ranked: Scored, limits: tuple[float, float]) -> BoolArray:
    """Return (n,) True where the chance of a wrong label lies in [low, high)."""
    p = np.asarray(ranked.ranking.p_wrong)
    inside: BoolArray = (p >= limits[0]) & (p < limits[1]) & ~unjudged(info)
    return inside


def matching(info: DatasetInfo, reviewer: str, filters: Filters) -> int:
    """Return how many images a queue with these filters holds now, other reviewers' among them."""
    ranked = scored(info)
    if ranked is None:
        return 0
    return int(np.count_nonzero(~excluded(info, ranked, reviewer, filters, standing(info))))


def unnarrowed(info: DatasetInfo, filters: Filters) -> Filters:
    """Return the queue that filters narrow: images without a class and selections are apart."""
    apart = filters.to_label or filters.given in info.no_classes
    return Filters(
        rows=filters.rows, selection=filters.selection, to_label=apart, second=filters.second
    )


def _closed(reviewer: str, filters: Filters, now: Standing) -> BoolArray:
    """Return (n,) True where filters ask for no further answer of this reviewer."""
    if filters.answered:
        return np.zeros(len(now.settled), dtype=bool)
    return answered_by(now, reviewer) if filters.second else closed_to(now, reviewer)


def excluded(
    info: DatasetInfo, ranked: Scored, reviewer: str, filters: Filters, now: Standing
) -> BoolArray:
    """Return (n,) True where a row is not to be shown, by the decisions of `now`."""
    n = info.n
    out = _closed(reviewer, filters, now)
    if not filters.answered:  # decided, though not by a person: the random check alone shows them
        out |= now.auto_open
    no_class = now.no_class
    chosen = bool(filters.rows) or filters.selection is not None  # by hand: whoever's part it is
    if not chosen and (foreign := parts.outside(info, reviewer)) is not None:
        foreign &= ~now.waiting  # that is for somebody else than whose part it is
        if filters.verdict == WAITS:  # what chance drew may lie in anybody's part
            foreign[now.touched.get(reviewer, [])] = False
        foreign[parts.passed_on(info, now)] = False
        out |= foreign
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
        out |= ~called_wrong(info, ranked, filters.method)
    if filters.chance is not None:
        out |= ~in_chance(info, ranked, filters.chance)
    if filters.verdict is not None or filters.who is not None:
        out |= ~said(info, now, filters.verdict, filters.who)
    if filters.path:
        out |= ~in_path(info, filters.path)
    return out


def said(info: DatasetInfo, now: Standing, verdict: str | None, who: str | None) -> BoolArray:
    """Return (n,) True where such an answer is in force."""
    found = np.zeros(info.n, dtype=bool)
    wanted = (str(Action.SKIP), str(Action.UNSURE)) if verdict == WAITS else (verdict,)
    for row, reviewer, action, _ in decisions.states(info):
        if (verdict is None or str(action) in wanted) and who in (None, reviewer):
            found[row] = True
    if verdict == WAITS:
        found &= ~now.settled
    if verdict == Action.AUTO and who is None:
        found |= now.auto_open
    return found


def called_wrong(info: DatasetInfo, ranked: Scored, method: str) -> BoolArray:
    """Return (n,) True where a run, alone, calls the label wrong; everywhere where it is gone.

    Nowhere that it was told the answer.
    """
    number = ranked.run_ids.get(method, -1)
    run = signals(info, number)
    if run is None:
        return np.ones(info.n, dtype=bool)
    wrong: BoolArray = (np.asarray(run.suspicion) > 0.5) & ~told_of(info, [str(number)])
    return wrong


def in_path(info: DatasetInfo, text: str) -> BoolArray:
    """Return (n,) True where a path, or the id where there is none, holds a text in any case."""
    return _in_path(info, text.casefold())


@lru_cache(maxsize=8)
def _in_path(info: DatasetInfo, text: str) -> BoolArray:
    data = loaded(info)
    paths = data.ids if data.paths is None else data.paths
    pairs = zip(paths, data.ids, strict=True)
    return np.array([text in str(path or one).casefold() for path, one in pairs], dtype=bool)
