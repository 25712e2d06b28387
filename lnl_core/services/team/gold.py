"""Gold: images whose truth is known, by which people are measured; how many, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.hidden import GOLD
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, corrected, looks, measuring
from lnl_core.services.review.corrected import ENOUGH
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, IntArray

AT_ONCE = 40
"""Images that are offered for a second answer at once."""


@dataclass(frozen=True, slots=True)
class Gold:
    """How much gold a set has.

    Attributes:
        wrong: images whose label is surely wrong: two agree, or somebody entitled settled it.
        right: those whose label is surely right.
        looked: looks at wrong ones by people who had not seen them.
        people: how many have an answer in force; a skip is none.
        share: of the answers that hidden looks take, for each purpose; 0 where they are off.
        too_few: what is said where the set does not hold enough wrong labels; else empty.
    """

    wrong: int
    right: int
    looked: int
    people: int
    share: float
    too_few: str = ""

    @property
    def needed(self) -> int:
        """Looks at wrong ones that are missing for the limit where people err."""
        return max(0, ENOUGH - self.looked)

    @property
    def missing(self) -> int:
        """Wrong ones that are missing, where one person were to give all those looks."""
        return max(0, ENOUGH - self.wrong)

    @property
    def words(self) -> str:
        """How it stands, and what is to be done."""
        stands = (
            f"Gold (two agree, or it was settled): {_labels(self.wrong, 'wrong')} and "
            f"{_labels(self.right, 'right')}. "
        )
        if not self.needed:
            return f"{stands}{_looks(self.looked)} at wrong ones, enough to count people's errors."
        if self.too_few:
            return f"{stands}{self.too_few}."
        stands += (
            f"What is guaranteed counts people's errors from {ENOUGH} looks at wrong ones on; so "
            f"far there {'is' if self.looked == 1 else 'are'} {self.looked:,}. "
        )
        if not self.share:
            return f"{stands}Hidden looks are off: nobody is shown any."
        if self.people < 3:
            return (
                f"{stands}It takes a third person: two agree on an image, or an owner or "
                "adjudicator settles it, and somebody who has not seen it is shown it."
            )
        if self.missing:
            return f"{stands}More come from second answers to images that one person calls wrong."
        return f"{stands}They come as people go on reviewing."


def _labels(count: int, kind: str) -> str:
    return f"{count:,} {kind} label{'' if count == 1 else 's'}"


def _looks(count: int) -> str:
    return f"{count:,} look{'' if count == 1 else 's'}"


def gold(info: DatasetInfo) -> Gold:
    """Return how much gold a set has."""
    now = standing(info)
    known = looks.known_of(info, now)
    return Gold(
        wrong=int((known.surely_wrong & ~known.out).sum()),
        right=int((known.surely_right & ~known.out).sum()),
        looked=measuring.team(info)[GOLD].known.wrong,
        people=_people(info),
        share=looks.share(info),
        too_few=corrected.too_few(auditing.errors_left(info), _people(info)),
    )


def _people(info: DatasetInfo) -> int:
    every = (each for several in decisions.in_force(info).values() for each in several)
    return len({each.reviewer for each in every if each.action is not Action.SKIP})


def to_answer(info: DatasetInfo, who: str) -> IntArray:
    """Return images that one other person calls wrong and this one has not seen, drawn ones first.

    An answer that agrees makes each of them gold for everybody else.
    """
    now = standing(info)
    known = looks.known_of(info, now)
    open_ = (known.wrong == 1) & (known.right == 0) & ~known.ruled & ~known.out
    open_ &= ~looks.seen_by(info, who, now)
    rows = np.flatnonzero(open_)
    return rows[np.argsort(~known.drawn[rows], kind="stable")][:AT_ONCE]
