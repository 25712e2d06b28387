"""Alarms about people, from hidden looks and the time of their answers."""

from __future__ import annotations

from dataclasses import dataclass, field

from lnl_core.review.alarms import Suspicion, alarming, suspicions
from lnl_core.services.review import measuring
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, Decision

PAGE = "page"
"""The mode of what page mode records."""

PAUSE = 60.0
"""Seconds from which on the gap before an answer is a pause."""


def alarms(info: DatasetInfo) -> list[Suspicion]:
    """Return what is to be said of people's answers, the surest first; see `review.alarms`."""
    looks = measuring.judged(info)
    paces: dict[str, _Pace] = {}
    for each in decisions.history(info, looks=True):
        paces.setdefault(each.reviewer, _Pace()).note(each)
    every = []
    for who in sorted({*paces, *(each.who for each in looks)}):
        mine = [each for each in looks if each.who == who]
        pace = paces.get(who, _Pace())
        every += suspicions(who, mine, pace.single, pace.pages)
    return alarming(every)


@dataclass(slots=True)
class _Pace:
    """Times of one person's answers; what page mode says of an image is its share of the page."""

    single: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    page: float | None = None

    def note(self, said: Decision) -> None:
        """Take one answer in; pauses, and what was taken back or put off, are none."""
        at_once, self.page = self.page, None
        seconds = said.seconds or 0.0
        if not 0 < seconds <= PAUSE or said.action in (Action.REOPEN, Action.SKIP):
            return
        if said.mode != PAGE:
            self.single.append(seconds)
        elif said.action is Action.KEEP:  # what a marked one is is asked once it was looked at
            self.page = seconds
            if at_once != seconds:
                self.pages.append(seconds)
