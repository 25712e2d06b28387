"""What a review is to reach, in words that a person chose, and how far it is from there.

A goal is fixed when it is set and never moves by itself. Errors left rests on the live limit; share
found on a sample of errors and an order that is fixed before it (`lnl_core.review.recall`); time on
nothing: the guarantee is then what it is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from lnl_core.said import many
from lnl_core.services import in_force
from lnl_core.services.in_force import Standing, goal_set, standing
from lnl_core.services.moment import moment
from lnl_core.services.review import planning, sharing
from lnl_core.services.review.auditing import IF, ErrorsLeft, errors_left, is_team
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

NEARLY = 0.9
"""Of the open images: from there on a goal takes nearly all, and looking at all is as short."""

WHOLE = "all is answered"
"""What is said where no image is without an answer."""

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


def reached_words(
    kind: str, value: float, limit: int | None, *, team: bool, whole: bool = False
) -> str:
    """Return what may be said once a goal holds, with the limit of errors left.

    Args:
        kind: of the goal.
        value: what is to be reached.
        limit: wrong labels left at most; None where there is no limit.
        team: whether more than one person has answered; then what it supposes is said.
        whole: whether it holds because no image is without an answer.
    """
    supposes = f" {IF}" if team else ""
    if kind == RECALL:
        return f"{100 * value:g} % of the wrong labels are found{supposes}"
    left = "" if limit is None else _at_most(limit) + supposes
    if kind == LEFT:
        return left
    done = WHOLE if whole else answered_words(value) if kind == REVIEWS else "the time is spent"
    return f"{done}: {left}" if left else done


def answered_words(value: float) -> str:
    """Return what may be said once as many images as were asked for have an answer."""
    n = int(value)
    return "the image is answered" if n == 1 else f"the {n:,} images are answered"


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


def is_whole(now: Standing) -> bool:
    """Tell whether no image is without an answer: images and time are then reached, too."""
    return not _unseen(now)


# How far it is --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stand:
    """A goal and where the review stands.

    Attributes:
        goal: as a person set it; None for one in a hundred, which nobody set.
        kind: see `store.goals.Goal`.
        words: the goal in words, after "Review".
        holds: whether it is reached.
        more: reviews that it is expected to take as of the last moment; None where nothing says so.
        said: how far it is, in words; empty for `left`, whose figures stand beside it.
        reached: what may be said once it holds, in words.
        open: images without an answer, as of the last moment.
        disputed: images whose label some have confirmed and others called wrong, unsettled.
        waiting: images that somebody is unsure of, unsettled.
        settle: images that people have seen and not settled, where the goal needs them first.
    """

    goal: Goal | None
    kind: str
    words: str
    holds: bool
    more: int | None
    said: str = ""
    reached: str = ""
    open: int = 0
    disputed: int = 0
    waiting: int = 0
    settle: int = 0

    @property
    def takes(self) -> str:
        """What it takes from here, in words that every place shows."""
        if self.holds:
            return "reached"
        if self.more is None:
            return "not known before a run"
        if not self.open:
            settle = [f"{many(self.disputed, 'disagreement')} to settle (Team)"] * bool(
                self.disputed
            )
            unsure = ["second answers to unsure images"] * (self.waiting > 0 or not settle)
            return " and ".join(settle + unsure)
        return self._reviews + self._once_settled

    @property
    def _reviews(self) -> str:
        if not self.more:
            return "a few more random images"
        if self.more >= self.open:
            return "all of the " + _images(self.open) + " left"
        if self.takes_nearly_all:
            return "nearly all of the " + _images(self.open) + " left"
        return f"about {self.more:,} more review{'' if self.more == 1 else 's'}"

    @property
    def _once_settled(self) -> str:
        if not self.settle:
            return ""
        are = "is" if self.settle == 1 else "are"
        return f", once {_images(self.settle)} {are} settled (skipped, unsure or disputed)"

    @property
    def takes_nearly_all(self) -> bool:
        """Whether looking at every image is about as short a way to what is promised."""
        if self.kind not in (LEFT, RECALL) or self.holds or not self.more:
            return False
        return self.more >= NEARLY * self.open > 0

    def as_dict(self) -> dict[str, Any]:
        """Return what the review component shows."""
        return {
            "number": 0 if self.goal is None else self.goal.number,
            "kind": self.kind,
            "words": self.words,
            "holds": self.holds,
            "takes": self.takes,
            "said": self.said,
            "reached": self.reached,
            "all": self.takes_nearly_all,
        }


def _images(count: int) -> str:
    return f"{count:,} image{'' if count == 1 else 's'}"


def stand(
    info: DatasetInfo,
    left: ErrorsLeft | None = None,
    now: Standing | None = None,
    latest: Standing | None = None,
) -> Stand:
    """Return where a review stands before its goal, as of the last moment.

    Images and time that were asked for are reached at once, not at the next moment.

    Args:
        info: the data set.
        left: what is said of the errors left; looked up when None.
        now: the decisions to rest on; those of the last moment when None.
        latest: those that say whether images or time are done; `now` when None, or today's.
    """
    latest = latest or now or standing(info)
    now = now or moment(info)
    left = left or errors_left(info, now=now)
    goal = goal_set(info)
    if goal is None or goal.kind == LEFT:
        here = _left(info, goal, left, now)
    elif goal.kind == RECALL:
        here = _share(info, goal, now)
    else:
        here = _spent(info, goal, left, now, latest)
    disputed, waiting = int(now.disputed.sum()), int((now.waiting & ~now.disputed).sum())
    return replace(here, open=_unseen(now), disputed=disputed, waiting=waiting)


def expected_reviews(here: Stand, now: Standing) -> int:
    """Return how many images have an answer once the goal is reached, as expected at a moment.

    What every bar of a review divides by: that of the desk, and that of the set's card.
    """
    return now.reviewed + (0 if here.holds else here.more or 0)


def _left(info: DatasetInfo, goal: Goal | None, left: ErrorsLeft, now: Standing) -> Stand:
    ahead = planning.forecast(info, now=now)
    more = None if ahead is None else 0 if left.may_stop else ahead.plan.total
    reached = reached_words(LEFT, left.goal, left.limit, team=left.team)
    settle = 0 if ahead is None or left.may_stop else ahead.settle
    here = Stand(goal, LEFT, words(LEFT, left.goal), left.may_stop, more, reached=reached)
    return replace(here, settle=settle)


def _at_most(limit: int) -> str:
    if not limit:
        return "no error left"
    return f"at most {limit:,} error{'' if limit == 1 else 's'} left"


def _share(info: DatasetInfo, goal: Goal, now: Standing) -> Stand:
    assert goal.value is not None
    sample = sharing.sampled(info, goal, now)
    more = sharing.more_to_share(info, goal, sample, now)
    reached = reached_words(RECALL, goal.value, None, team=is_team(now))
    about = words(RECALL, goal.value)
    return Stand(goal, RECALL, about, sample.holds, more, sample.said, reached)


def _spent(
    info: DatasetInfo, goal: Goal, left: ErrorsLeft, now: Standing, latest: Standing
) -> Stand:
    """Return how far images or time are: as of the last moment, unless all of it is done."""
    assert goal.value is not None
    value = goal.value
    about, before = words(goal.kind, value), int(goal.facts["reviewed"])

    def reached(whole: bool) -> str:
        return reached_words(goal.kind, value, left.limit, team=left.team, whole=whole)

    def spent(at: Standing) -> float:
        until = max(at.last_id, goal.last_decision)
        return goals.seconds_since(info, goal.last_decision, until, PAUSE)

    whole = is_whole(latest)
    if goal.kind == REVIEWS:
        holds = latest.reviewed - before >= value or whole
        done = max(0, (latest if holds else now).reviewed - before)
        said = f"{done:,} of {int(value):,} answered"
        rest = min(_unseen(now), max(0, int(value) - done))
        return Stand(goal, REVIEWS, about, holds, rest, said, reached(whole))
    enough = spent(latest) >= value
    holds = enough or whole
    at = latest if holds else now
    seconds, done = spent(at), max(0, at.reviewed - before)
    pace = seconds / done if done and seconds else PACE
    rest = min(_unseen(at), max(0, round((value - seconds) / pace)))
    said = f"{duration(seconds)} of {duration(value)} spent"
    return Stand(goal, SECONDS, about, holds, rest, said, reached(whole and not enough))


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
        reviews = moment(info).reviewed + here.more
        datasets.update_meta(info, planned_reviews=reviews, goal_at_start=in_force.goal(info))
