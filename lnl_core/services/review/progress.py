"""How far a review is, as of a moment for which all is worked out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lnl_core.services.in_force import Scored, Standing, closed_to, labelled_count, scored, standing
from lnl_core.services.lately import Lately
from lnl_core.services.moment import moment
from lnl_core.services.review import looks
from lnl_core.services.review.auditing import ErrorsLeft, errors_left
from lnl_core.services.review.course import Course, known
from lnl_core.services.review.draws import latest
from lnl_core.services.review.expecting import Guess, guess
from lnl_core.services.review.goals import PAUSE, Stand, expected_reviews, stand
from lnl_core.services.review.planning import forecast
from lnl_core.types import DatasetInfo, Decision


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the review is.

    Attributes:
        reviewed: images with an answer other than skip, by anybody, at the last moment.
        since: this reviewer's answers since then, hidden looks among them.
        wrong_since: how many of these call a label wrong; blind ones do not say.
        expected: those and the reviews to the goal, as they are expected at that moment.
        wrong: images whose given label was found wrong, at the last moment.
        total: images in the set that came with a class; the others are counted by `to_label`.
        left: open images in the queue for this reviewer, filters ignored; for no browser.
        seconds_per_image: median of this reviewer's last hundred answers at the last moment, None
            before five.
        errors_left: what the random audit says of the labels that nobody has looked at.
        goal: what the review is to reach, and how far it is from there.
        guess: wrong labels left by the scores alone, until the random audit has an estimate.
        course: how the guarantee fell and is expected to go on; None until there is one.
    """

    reviewed: int
    since: int
    expected: int
    wrong: int
    wrong_since: int
    total: int
    left: int
    seconds_per_image: float | None
    errors_left: ErrorsLeft
    goal: Stand
    guess: Guess | None = None
    course: Course | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what the review component shows: nothing that moves between two moments."""
        return {
            "reviewed": self.reviewed,
            "since": self.since,
            "expected": self.expected,
            "wrong": self.wrong,
            "wrong_since": self.wrong_since,
            "total": self.total,
            "seconds_per_image": self.seconds_per_image,
            "errors_left": self.errors_left.as_dict() | {"may_stop": self.goal.holds},
            "goal": self.goal.as_dict(),
            "guess": None if self.guess is None else self.guess.left,
            "guess_said": None if self.guess is None else self.guess.said,
            "course": None if self.course is None else self.course.as_dict(),
        }


def progress(
    info: DatasetInfo,
    reviewer: str,
    now: Standing | None = None,
    newest: Sequence[Decision] | None = None,
    then: Standing | None = None,
) -> Progress:
    """Return how far the review of a data set is.

    Args:
        info: the data set.
        reviewer: whose pace.
        now: the decisions in force; looked up when None.
        newest: this reviewer's last looks; looked up when None.
        then: the moment that the numbers are of; the last one when None.
    """
    ranked = scored(info)
    now_at, then = now or standing(info), then or ready(info)
    newest = latest(info, reviewer) if newest is None else newest
    times = [
        d.seconds
        for d in newest
        if d.id <= then.last_id and d.seconds is not None and d.seconds <= PAUSE
    ]
    left = errors_left(info, now=then)
    here = stand(info, left, then, now_at)
    since, wrong_since = looks.answers_since(info, reviewer, then.last_id, newest, now_at)
    return Progress(
        reviewed=then.reviewed,
        since=since,
        wrong_since=wrong_since,
        expected=expected_reviews(here, then),
        wrong=then.found,
        total=labelled_count(info),
        left=int((~closed_to(now_at, reviewer) & ~now_at.no_class & ~now_at.auto_open).sum())
        if ranked
        else 0,
        seconds_per_image=float(np.median(times)) if len(times) >= 5 else None,
        errors_left=left,
        goal=here,
        guess=guess(info, then) if left.estimate is None else None,
        course=known(info, left, then),
    )


READY = Lately[tuple[Standing, Scored | None]]()
BEHIND = 100
"""Reviewed images that the numbers of a fetch may be behind while a thread works out new ones."""


def ready(info: DatasetInfo, *, soon: bool = False) -> Standing:
    """Return the last moment for which all is worked out: the last one, or the one before.

    Whoever comes first to a new moment works it out; who comes meanwhile does not wait for it.

    Args:
        info: the data set.
        soon: nobody is to wait: a thread works it out, and the moment before will do, unless it is
            `BEHIND` or something else than answers has changed what it says.
    """
    then, ranked = moment(info), scored(info)

    def make() -> tuple[Standing, Scored | None]:
        left = errors_left(info, now=then)
        forecast(info, now=then)
        if left.estimate is None:
            guess(info, then)
        return then, ranked

    def will_do(known: tuple[Standing, Scored | None]) -> bool:
        before, by = known
        return (
            by is ranked
            and before.auto_since == then.auto_since
            and 0 <= then.reviewed - before.reviewed <= BEHIND
            and not (then.answered | then.no_class).all()
        )

    known = READY.get(info, (then, ranked), make, will_do if soon else lambda _: False)
    return known[0]
