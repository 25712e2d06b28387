"""Which goal fits a set: what each kind is expected to take here, and which cannot pay off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from lnl_core.review import recall
from lnl_core.said import many
from lnl_core.services.in_force import labelled_count, standing
from lnl_core.services.moment import moment
from lnl_core.services.review import planning
from lnl_core.services.review.expecting import expected
from lnl_core.services.review.goals import LEFT, NEARLY, PACE, PAUSE, RECALL, REVIEWS, SECONDS
from lnl_core.store import decisions, goals
from lnl_core.types import DatasetInfo

WIDER = (0.02, 0.03, 0.05, 0.1)
"""Shares that are looked at where the usual one takes nearly every image."""

HALF = 0.5
"""Of the open images: what a wider goal may take."""

SHARE = 0.9
"""The share of errors that is held against the other goals."""


TIMED = 5
"""Answers of a person from which on their own pace is known."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a goal is expected to take here.

    Attributes:
        reviews: how many; None where nothing says so.
        open: images without an answer.
        errors: wrong labels that are expected among those.
        needed: wrong labels that its sample needs; 0 for goals without one.
        instead: wrong labels left that promise about as much, and reviews that those take; None for
            goals without a sample.
    """

    reviews: int | None
    open: int
    errors: int = 0
    needed: int = 0
    instead: tuple[int, int] | None = None

    @property
    def pays(self) -> bool:
        """Whether it spares reviews, and no other kind promises as much for fewer."""
        if self.reviews is None:
            return True
        if self.needed > self.errors or self.reviews >= self.open:
            return False
        return self.instead is None or self.reviews <= self.instead[1]

    @property
    def takes_nearly_all(self) -> bool:
        """Whether looking at every image is about as short."""
        return self.reviews is not None and self.reviews >= NEARLY * self.open

    @property
    def words(self) -> str:
        """What is to be said below the goal; empty where nothing is expected yet."""
        if self.reviews is None or not self.open:
            return ""
        if self.needed > self.errors:
            said = (
                f"It cannot pay off here: its sample needs {self.needed:,} wrong labels, and about "
                f"{self.errors:,} are expected, so every image would have to be looked at."
            )
        elif self.reviews >= self.open:
            said = f"It takes every image here, all {self.open:,} without an answer."
        elif self.takes_nearly_all:
            said = (
                f"It takes {self.reviews:,} of {many(self.open, 'image')}: looking at all of "
                f"them is "
                "nearly as short, and leaves nothing to guess."
            )
        else:
            are = "is" if self.reviews == 1 else "are"
            said = f"About {self.reviews:,} of {many(self.open, 'image')} {are} expected."
        if self.instead is None or self.pays or self.instead[1] >= self.open:
            return said
        left, reviews = self.instead
        return f"{said} At most {left:,} left promises about as much, for about {reviews:,}."


@dataclass(frozen=True, slots=True)
class Advice:
    """The goal that fits a set, with what it is expected to take; `kind` and `value` as goals."""

    kind: str
    value: float
    outlook: Outlook


def outlook(info: DatasetInfo, kind: str, value: float | None, who: str | None = None) -> Outlook:
    """Return what a goal is expected to take if it is set now.

    Args:
        info: the data set.
        kind: `left`, `recall`, `reviews` or `seconds`.
        value: as for `goals.set_goal`.
        who: at whose pace a goal of time is; everybody's where None.
    """
    now = standing(info) if kind in (REVIEWS, SECONDS) else moment(info)
    open_ = int((~now.answered & ~now.no_class).sum())
    if kind == LEFT:
        return Outlook(_left(info, usual(info) if value is None else int(value), open_), open_)
    if kind == RECALL:
        return _share(info, value or SHARE, open_)
    if value is None:
        return Outlook(None, open_)
    return Outlook(
        min(open_, round(value if kind == REVIEWS else value / pace(info, who).seconds)), open_
    )


def usual(info: DatasetInfo) -> int:
    """Return one in a hundred images: the wrong labels that may be left where nobody says so."""
    return max(1, labelled_count(info) // 100)


def _left(info: DatasetInfo, errors: int, open_: int) -> int | None:
    ahead = planning.forecast(info, errors)
    return None if ahead is None else min(open_, ahead.plan.total)


def _share(info: DatasetInfo, share: float, open_: int) -> Outlook:
    ahead = expected(info)
    if ahead is None:
        return Outlook(None, open_)
    p = ahead.p[ahead.open]
    tries = sum(each.kind == RECALL for each in goals.goals(info))
    alpha = recall.ALPHA / 2 ** (tries + 1)
    noise = ahead.total / max(1, labelled_count(info))
    r = recall.sample_size(share, noise, labelled_count(info), alpha)
    j = recall.needed(r, share, alpha)
    assert j is not None  # sample_size gives enough
    errors = float(p.sum())
    more = recall.reviews_expected(p, np.ones(len(p), bool), r, j)
    left = math.floor((1 - share) * errors)
    reviews = _left(info, left, open_)
    instead = None if reviews is None else (left, reviews)
    return Outlook(open_ if more is None else more, open_, math.floor(errors), r, instead)


def advised(info: DatasetInfo) -> Advice | None:
    """Return the goal that fits a set; None before anything is scored, or once all is answered.

    One in a hundred left; where that takes nearly every image, the least wider one that takes half
    of them; a share of the errors only where it promises as much for fewer reviews.
    """
    share = outlook(info, RECALL, SHARE)
    if share.reviews is None or not share.open:
        return None
    if share.pays:
        return Advice(RECALL, SHARE, share)
    first = Advice(LEFT, usual(info), outlook(info, LEFT, None))
    if not first.outlook.takes_nearly_all:
        return first
    for wider in WIDER:
        left = math.ceil(wider * labelled_count(info))
        found = outlook(info, LEFT, left)
        if (found.reviews or 0) <= HALF * found.open:
            return Advice(LEFT, left, found)
    return first


@dataclass(frozen=True, slots=True)
class Pace:
    """The seconds that an answer takes, and whose they are, in words."""

    seconds: float
    whose: str


def pace(info: DatasetInfo, who: str | None = None) -> Pace:
    """Return how fast answers come: the median of the last ones, breaks left out.

    Args:
        info: the data set.
        who: of this person, where five answers of theirs are timed; else of everybody.
    """
    own = _timed(info, who) if who is not None else []
    if len(own) >= TIMED:
        return Pace(float(np.median(own)), "your pace here")
    every = _timed(info, None)
    if len(every) >= TIMED:
        return Pace(float(np.median(every)), "everybody's pace here")
    return Pace(PACE, f"assumed until {TIMED} answers are timed")


def _timed(info: DatasetInfo, who: str | None) -> list[float]:
    looks = decisions.history(info, reviewer=who, limit=200, looks=True)
    return [each.seconds for each in looks if each.seconds and each.seconds <= PAUSE]
