"""What a review is to reach, in words that a person chose, and how far it is from there.

A goal is fixed when it is set and never moves by itself. Errors left rests on the live limit; share
found on a sample of errors and an order that is fixed before it (`lnl_core.review.recall`); time on
nothing: the guarantee is then what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from lnl_core.services import in_force
from lnl_core.services.in_force import Standing, goal_set, standing
from lnl_core.services.review import planning, sharing
from lnl_core.services.review.auditing import ErrorsLeft, errors_left
from lnl_core.store import datasets, goals
from lnl_core.store.goals import LEFT as LEFT
from lnl_core.store.goals import RECALL as RECALL
from lnl_core.store.goals import REVIEWS as REVIEWS
from lnl_core.store.goals import SECONDS as SECONDS
from lnl_core.store.goals import Goal
from lnl_core.types import DatasetInfo, LnlError

PAUSE = 60.0
"""Seconds that one answer counts at most: longer gaps are pauses."""

LONGEST = 360_000.0
"""Seconds that a goal of time may be: a hundred hours."""

PACE = 4.0
"""Seconds per answer where nobody has answered yet."""


# What is to be reached ------------------------------------------------------------------------


def words(kind: str, value: float) -> str:
    """Return a goal in words, as they follow "Review"."""
    if kind == LEFT:
        n = int(value)
        return f"until at most {n:,} wrong label{' is' if n == 1 else 's are'} left"
    if kind == RECALL:
        return f"until {100 * value:g} % of the wrong labels are found"
    if kind == REVIEWS:
        n = int(value)
        return f"until {n:,} {'image more has' if n == 1 else 'images more have'} an answer"
    spent = duration(value)
    return f"until {spent} {'is' if spent in ('1 min', '1 h') else 'are'} spent"


def duration(seconds: float) -> str:
    """Return a time in hours and minutes."""
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours} h"] * bool(hours) + [f"{rest} min"] * bool(rest or not hours)
    return " ".join(parts)


def set_goal(info: DatasetInfo, kind: str, value: float | None, reviewer: str | None) -> Goal:
    """Set the goal of a set; it takes the place of the one before.

    Args:
        info: the data set.
        kind: `left`, `recall`, `reviews` or `seconds`.
        value: wrong labels (None: one in a hundred images), a share, images, or seconds.
        reviewer: who sets it.

    Raises:
        LnlError: a value that makes no sense, or a share before anything is scored.
    """
    if value is not None and not math.isfinite(value):
        raise LnlError(f"{value} is no goal. Write a number.")
    if kind in (LEFT, REVIEWS) and value is not None and value != int(value):
        raise LnlError(f"{value:g} is no number of images. Write a whole one.")
    if kind == LEFT:
        if value is not None and not 0 <= value < info.n:
            raise LnlError(f"The goal must lie between 0 and {info.n - 1} wrong labels left.")
        made = goals.add(info, kind, value, reviewer)
    elif kind == RECALL:
        made = sharing.set_share(info, value, reviewer)
    elif kind in (REVIEWS, SECONDS):
        if value is None or value < 1 or (kind == REVIEWS and value > _unseen(standing(info))):
            raise LnlError(
                "Say how many images or how much time; more than none, and no more images than "
                "have no answer yet."
            )
        if kind == SECONDS and value > LONGEST:
            raise LnlError(f"A goal of time is at most {LONGEST / 3600:g} hours.")
        before = {"reviewed": standing(info).reviewed}
        made = goals.add(info, kind, value, reviewer, lambda *_: before)
    else:
        raise LnlError(f"“{kind}” is no kind of goal: left, recall, reviews or seconds.")
    datasets.update_meta(info, goal_at_start=None, planned_reviews=None)
    return made


def _unseen(now: Standing) -> int:
    return int((~now.answered & ~now.no_class).sum())


# How far it is --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stand:
    """A goal and where the review stands.

    Attributes:
        goal: as a person set it; None for one in a hundred, which nobody set.
        kind: see `store.goals.Goal`.
        words: the goal in words, after "Review".
        holds: whether it is reached.
        more: reviews that it is expected to take; None where nothing says so.
        said: how far it is, in words; empty for `left`, whose figures stand beside it.
        reached: what may be said once it holds, in words.
    """

    goal: Goal | None
    kind: str
    words: str
    holds: bool
    more: int | None
    said: str = ""
    reached: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return what the review component shows.

        In tens: what moves with every answer but a hidden look would tell one.
        """
        more, said = self.more, self.said
        if self.kind == REVIEWS and self.goal is not None and self.goal.value and more:
            done = (int(self.goal.value) - more) // 10 * 10
            said = f"about {done:,} of {int(self.goal.value):,} answered"
        return {
            "kind": self.kind,
            "words": self.words,
            "holds": self.holds,
            "more": None if more is None else self._tens(more),
            "said": said,
            "reached": self.reached,
        }

    def _tens(self, more: int) -> int:
        rounded = 10 * -(-more // 10)
        if self.kind == REVIEWS and self.goal is not None and self.goal.value:
            return min(rounded, int(self.goal.value))
        return rounded


def stand(
    info: DatasetInfo,
    left: ErrorsLeft | None = None,
    now: Standing | None = None,
    *,
    late: bool = False,
) -> Stand:
    """Return where a review stands before its goal.

    Args:
        info: the data set.
        left: what is said of the errors left; looked up when None.
        now: the decisions in force; looked up when None.
        late: as for `expected`.
    """
    now = now or standing(info)
    left = left or errors_left(info, now=now, late=late)
    goal = goal_set(info)
    if goal is None or goal.kind == LEFT:
        ahead = planning.forecast(info, now=now, late=late)
        more = None if ahead is None else ahead.more(now.reviewed)
        errors = "error" if left.limit == 1 else "errors"
        reached = f"at most {left.limit:,} {errors} left" if left.limit is not None else ""
        said = words(LEFT, left.goal)
        return Stand(goal, LEFT, said, left.may_stop, more, reached=reached)
    assert goal.value is not None
    about = words(goal.kind, goal.value)
    if goal.kind == RECALL:
        sample = sharing.sampled(info, goal, now)
        return Stand(
            goal,
            RECALL,
            about,
            sample.holds,
            sharing.more_to_share(info, goal, sample, now),
            sample.said,
            f"{100 * goal.value:g} % of the wrong labels are found",
        )
    limit = "" if left.limit is None else f": at most {left.limit:,} errors left"
    done = max(0, now.reviewed - int(goal.facts["reviewed"]))
    if goal.kind == REVIEWS:
        said = f"{done:,} of {int(goal.value):,} answered"
        rest = min(_unseen(now), max(0, int(goal.value) - done))
        return Stand(goal, REVIEWS, about, rest == 0, rest, said, f"all is answered{limit}")
    spent = goals.seconds_since(info, goal.last_decision, now.last_id, PAUSE)
    pace = spent / done if done and spent else PACE
    rest = min(_unseen(now), max(0, round((goal.value - spent) / pace)))
    said = f"{duration(spent)} of {duration(goal.value)} spent"
    over = spent >= goal.value
    return Stand(goal, SECONDS, about, over, rest, said, f"the time is spent{limit}")


def as_record(here: Stand) -> dict[str, Any]:
    """Return a goal as exports, certificates and programs get it."""
    goal = here.goal
    return {
        "goal": here.words,
        "kind": here.kind,
        "value": None if goal is None else goal.value,
        "set_by": None if goal is None else goal.reviewer,
        "set_at": None if goal is None else goal.set_at,
        "reached": here.holds,
        "said": here.reached if here.holds else here.said,
    }


def begin(info: DatasetInfo) -> None:
    """Fix the goal, and how many images the review is to take, where a ranking says it."""
    if planning.planned(info) is None and (here := stand(info)).more is not None:
        reviews = standing(info).reviewed + here.more
        datasets.update_meta(info, planned_reviews=reviews, goal_at_start=in_force.goal(info))
