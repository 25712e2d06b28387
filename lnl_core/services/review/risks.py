"""Which part of the risk a limit takes where a set is changed while people review it.

Images that are added and labels that a plan changes make another number of wrong labels. Every such
state of a set has its own part (`lnl_core.review.auditing.risk`), so that no limit of the whole
review is ever too low, sure to 95 %, however often it is changed. A state that comes back, because
a plan was taken back, goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from lnl_core.review.auditing import risk
from lnl_core.services.in_force import Standing
from lnl_core.store import plans
from lnl_core.store.plans import ACCEPTED, UNDONE
from lnl_core.types import DatasetInfo

State = tuple[int, tuple[int, ...]]
"""How often images were added, and the plans in force in the order they were accepted."""


@dataclass(frozen=True, slots=True)
class Risks:
    """Chances that limits of one kind are ever too low.

    Attributes:
        now: of limits on the labels as they are.
        given: of limits on the labels that the images came with, by draws since images were added
            last; None where a plan has been in force ever since.
        before: the same by draws from before that; None where no images were added, too.
    """

    now: float
    given: float | None
    before: float | None


def risks(info: DatasetInfo, now: Standing, until: str | None = None) -> Risks:
    """Return the risks of a set in the state that it is in.

    Args:
        info: the data set.
        now: the decisions in force.
        until: ISO 8601; what was changed later does not count.
    """
    if not (now.auto_since or info.additions):
        return Risks(risk(), risk(), None)
    return _risks(info, now.auto_since, int((now.auto >= 0).sum()), until)


@lru_cache(maxsize=64)
def _risks(info: DatasetInfo, _plans_since: int, _changed: int, until: str | None) -> Risks:
    changes = [(at, "grown", 0) for at in info.grown_at]
    changes += [
        (event.at, event.kind, plan.number)
        for plan in plans.plans(info)
        for event in plan.events
        if event.kind in (ACCEPTED, UNDONE)
    ]
    told = states([each for each in sorted(changes) if until is None or each[0] <= until])
    grown, _ = state = list(told)[-1]
    return Risks(risk(told[state]), *(_known(told, (times, ())) for times in (grown, grown - 1)))


def _known(told: dict[State, int], state: State) -> float | None:
    return risk(told[state]) if state in told else None


def states(changes: list[tuple[str, str, int]]) -> dict[State, int]:
    """Return state -> its number, that of the last change standing last.

    Args:
        changes: time, kind and plan of each, in their order; `grown` where images were added.
    """
    grown, accepted = 0, list[int]()
    told: dict[State, int] = {(0, ()): 0}
    for _, kind, plan in changes:
        if kind == ACCEPTED:
            accepted.append(plan)
        elif kind == UNDONE:
            accepted.remove(plan)
        else:
            grown += 1
        state = grown, tuple(accepted)
        told[state] = told.pop(state, len(told))
    return told
