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

GROWN = "grown"

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


def risks(info: DatasetInfo, now: Standing) -> Risks:
    """Return the risks of a set in the state that it is in.

    Args:
        info: the data set.
        now: the decisions in force; what plans changed later does not count.
    """
    if not (now.auto_since or info.additions):
        return Risks(risk(), risk(), None)
    changes = _changes(info, now.auto_since, int((now.auto >= 0).sum()))
    told = states([each for each in changes if each[0] <= now.last_id or each[1] == GROWN])
    grown, _ = state = list(told)[-1]
    return Risks(risk(told[state]), *(_known(told, (times, ())) for times in (grown, grown - 1)))


@lru_cache(maxsize=64)
def _changes(info: DatasetInfo, _plans_since: int, _changed: int) -> list[tuple[int, str, int]]:
    """Return the changes of a set in their order, as `states` takes them.

    That is the order of the decisions: a clock may have been set meanwhile. Of additions by earlier
    programs only the time is known.
    """
    times = plans.changes(info)
    changes = [(first, kind, plan) for first, kind, plan, _ in times]
    for at, after in zip(info.grown_at, info.grown_after, strict=True):
        by_time = max((first for first, _, _, when in times if when <= at), default=0)
        changes.append((by_time if after is None else after[1], GROWN, 0))
    return sorted(changes, key=lambda each: (each[0], each[1] == GROWN))


def _known(told: dict[State, int], state: State) -> float | None:
    return risk(told[state]) if state in told else None


def states(changes: list[tuple[int, str, int]]) -> dict[State, int]:
    """Return state -> its number, that of the last change standing last.

    Args:
        changes: the decision that it began with, kind and plan of each, in their order; `GROWN`
            where images were added, behind which decision.
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
