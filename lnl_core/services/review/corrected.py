"""The guarantee where people err: what hidden looks let one say of labels that were passed over.

The plain limit takes every answer for the truth. Once gold says how much people miss, there is a
second one, which counts what may have been passed over as left. The larger of the two is shown
beside the plain one; until then it is said that nobody is supposed to err.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.auditing import ALPHA
from lnl_core.review.evidence import Audit
from lnl_core.review.hidden import GOLD
from lnl_core.review.measured import Measured
from lnl_core.review.missed import Looks, corrected_limit
from lnl_core.review.sensitivity import Known, corrected_rate
from lnl_core.said import percents
from lnl_core.services.in_force import Standing, standing, standing_at
from lnl_core.services.moment import moment
from lnl_core.services.review import measuring
from lnl_core.services.review.auditing import ErrorsLeft
from lnl_core.services.review.draws import (
    OPEN,
    RIGHT,
    WRONG,
    Replay,
    about_given,
    replay,
    replay_before,
    replay_of_given,
    said_of,
)
from lnl_core.services.review.risks import risks
from lnl_core.store import looks
from lnl_core.types import DatasetInfo, IntArray

ENOUGH = 20
"""Gold images with a wrong label before the limit is shown: with fewer almost all may be missed."""

NO_ERRORS = "It supposes that nobody errs"
ASSUMPTION = (
    "People notice a wrong label as often as among the images on which two agree or that were "
    "settled, and call right ones wrong as often in the queue as among the images drawn."
)


@dataclass(frozen=True, slots=True)
class Until:
    """What gold rests on: the last look and the last decision that count, by their numbers."""

    last_look: int
    last_answer: int


def until_now(info: DatasetInfo) -> Until:
    """Return the last look and decision there are."""
    return Until(looks.last_id(info), standing(info).last_id)


@dataclass(frozen=True, slots=True)
class Corrected:
    """What is left where people err.

    Attributes:
        limit: wrong labels left at most, those that people passed over among them, 95 % sure at
            every moment; None before `ENOUGH` gold images, or where there is no plain one. It
            rests on the draws that the plain one rests on: where images were added since, each of
            them that nobody calls wrong counts as left, and so does each label that a plan gave.
        gold: what hidden gold images say of everybody.
        taken_back: drawn images that were called wrong and settled as right.
        passed_over: about how many labels that people called right are wrong, an estimate by the
            rates of gold (`review.sensitivity`); None before `ENOUGH` gold images.
        too_few: what is said where the set does not hold enough wrong labels for that; else empty.
        reviewers: how many people have answered.
    """

    limit: int | None
    gold: Measured
    taken_back: int
    passed_over: int | None = None
    too_few: str = ""
    reviewers: int = 1

    @property
    def needed(self) -> int:
        """Gold images with a wrong label until there is a limit."""
        return max(0, ENOUGH - self.gold.known.wrong)

    @property
    def words(self) -> str:
        """What a line beside the plain limit says."""
        seen = self.gold.sensitivity
        if self.limit is None or seen is None:
            if self.too_few and self.needed:
                return f"{NO_ERRORS}. {self.too_few}"
            more = f"{self.needed} more look{'' if self.needed == 1 else 's'}"
            why = f": {more} at gold images with a wrong label are needed" if self.needed else ""
            return NO_ERRORS + why
        return (
            f"At most {self.limit:,} left with what people passed over, about {self.passed_over:,}:"
            f" they noticed {seen.count} of {seen.of} wrong gold labels "
            f"(95 %: {percents(seen.low, seen.high, ' to ')})"
        )

    @property
    def short(self) -> str:
        """What the panel says: without counts, which would tell what was gold a moment ago.

        Of a team it says beside the plain limit already what that one supposes.
        """
        if self.limit is None:
            return NO_ERRORS if self.reviewers < 2 else ""
        return f"At most {self.limit:,} with what people pass over"

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON has it."""
        known = self.gold.known
        counts = {name: getattr(known, name) for name in ("wrong", "caught", "right", "alarms")}
        return {
            "at_most_left": self.limit,
            "passed_over": self.passed_over,
            "gold": counts,
            "taken_back": self.taken_back,
            "needed": self.needed,
            "too_few": self.too_few,
            "assumption": ASSUMPTION,
            "reviewers": self.reviewers,
        }


def corrected(
    info: DatasetInfo,
    left: ErrorsLeft,
    now: Standing | None = None,
    until: Until | None = None,
) -> Corrected:
    """Return the limit where people err, at least the plain one.

    Args:
        info: the data set.
        left: what is said where nobody errs.
        now: the decisions to rest on; those of the last moment when None.
        until: what gold rests on; all looks and decisions when None.
    """
    now = now or moment(info)
    if until is None:
        team = measuring.team(info)
    else:
        team = measuring.team(info, standing_at(info, until.last_answer), until.last_look)
    gold, rests = team[GOLD], _rests_on(info, left, now)
    past = rests.draws
    back = int((now.ruled & (now.wrong_by > 0) & ~now.wrong)[past.rows].sum())
    if left.limit is None or rests.risk is None or gold.known.wrong < ENOUGH:
        few = too_few(left, len(now.touched))
        return Corrected(None, gold, back, too_few=few, reviewers=len(now.touched))
    upper = past.part(np.ones(len(past.rows), bool), past.said != RIGHT, careful=True)
    found, kept = (int((rests.said == what).sum()) for what in (WRONG, RIGHT))
    size = len(rests.said)
    limit = limit_of(upper, past.said, size, found, kept, gold.known, back, rests.risk)
    limit += rests.beside
    said = said_of(now)
    found, kept = (int((said == what).sum()) for what in (WRONG, RIGHT))
    over = _passed_over(found, kept, gold.known)
    return Corrected(max(limit, left.limit), gold, back, over, reviewers=len(now.touched))


def too_few(left: ErrorsLeft, people: int) -> str:
    """Say that a set holds too few wrong labels to measure how often people notice one.

    Two have to agree on a label before others can be shown it as gold, so each of them counts once
    for everybody beyond two.

    Args:
        left: what is left; where it has no limit, nobody knows how many are wrong.
        people: who answer.
    """
    if left.limit is None:
        return ""
    most, each = left.found + left.limit, max(1, people - 2)
    if most * each >= ENOUGH:
        return ""
    wrong = f"At most {most:,} label{' is' if most == 1 else 's are'} wrong"
    return (
        f"{wrong} here, too few for the {ENOUGH} looks that tell how often people notice one. "
        "Second answers by somebody else to images called right find what was passed over"
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Rests:
    """What a limit rests on, the same as the plain one does.

    Attributes:
        draws: the draws.
        said: what people say of each label that they chose from.
        risk: what of the 5 % is its own; None where the plain one has none either.
        beside: labels that those draws say nothing of and that nobody has called wrong: added
            later, or given by a plan and not looked at. Each is taken for wrong.
    """

    draws: Replay
    said: IntArray
    risk: float | None
    beside: int = 0


def _rests_on(info: DatasetInfo, left: ErrorsLeft, now: Standing) -> _Rests:
    labelled, own = ~now.no_class, risks(info, now)
    given, unseen_auto = about_given(now), now.auto_open
    if left.before:
        return _Rests(
            replay_of_given(info, now), given[labelled], own.given, int(unseen_auto.sum())
        )
    past = replay(info, now)
    if info.additions and int((past.said != OPEN).sum()) < left.enough:
        first = info.additions[-1]
        old, new = labelled[:first], labelled[first:]
        beside = int((given[first:] != WRONG)[new].sum()) + int(unseen_auto[:first].sum())
        return _Rests(replay_before(info, now), given[:first][old], own.before, beside)
    return _Rests(past, said_of(now)[labelled], own.now)


def _passed_over(found: int, kept: int, gold: Known) -> int:
    """Return about how many of the labels that were called right are wrong."""
    if not found + kept:
        return 0
    wrong = corrected_rate(found, found + kept, gold).share * (found + kept)
    return min(kept, round(wrong * (gold.wrong - gold.caught + 0.5) / (gold.wrong + 1)))


def limit_of(
    upper: Audit,
    said: IntArray,
    n: int,
    found: int,
    kept: int,
    gold: Known,
    taken_back: int,
    risk: float = ALPHA,
) -> int:
    """Return how many wrong labels are left at most, those passed over among them.

    Args:
        upper: all draws, what is unclear or open taken for wrong.
        said: (d,) what people say of them; those behind the last answer say nothing yet.
        n: labels of the set.
        found: labels called wrong.
        kept: labels called right.
        gold: what people said of gold.
        taken_back: drawn images that were called wrong and settled as right.
        risk: chance that it is ever too low.
    """
    answered = np.flatnonzero(said != OPEN)
    end = int(answered[-1]) + 1 if len(answered) else 0
    audit = Audit(upper.unreviewed[:end], upper.found[:end], upper.wrong[:end], upper.routes[:end])
    said_of_gold = Looks(gold, taken_back=taken_back)
    return corrected_limit(audit, n, found, n - found - kept, kept, said_of_gold, risk)
