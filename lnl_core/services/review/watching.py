"""Alarms about people, from hidden looks and the time of their answers."""

from __future__ import annotations

from lnl_core.review.alarms import Suspicion, alarming, suspicions
from lnl_core.services.review import measuring
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo

PAUSE = 60.0
"""Seconds from which on the gap before an answer is a pause."""


def alarms(info: DatasetInfo) -> list[Suspicion]:
    """Return what is to be said of people's answers, the surest first; see `review.alarms`."""
    looks = measuring.judged(info)
    times: dict[str, list[float]] = {}
    for each in decisions.history(info, looks=True):
        answers = each.action not in (Action.REOPEN, Action.SKIP)
        if answers and each.seconds is not None and 0 < each.seconds <= PAUSE:
            times.setdefault(each.reviewer, []).append(each.seconds)
    every = []
    for who in sorted({*times, *(each.who for each in looks)}):
        mine = [each for each in looks if each.who == who]
        every += suspicions(who, mine, times.get(who, []))
    return alarming(every)
