"""As of which answer numbers are said: at one time the same one for every page, program and file.

What is left, what is guaranteed, what a goal takes and how far it is are all made as of one answer,
which the decisions alone tell: no process keeps one of its own. Between two such moments none of
these numbers moves. So they cannot tell by moving, or by standing still, whether an image was
drawn at random or is a hidden look.
"""

from __future__ import annotations

import threading
from functools import lru_cache

from lnl_core.services.in_force import Standing, masks, standing, without_class
from lnl_core.services.ledger import Change, Ledger
from lnl_core.store import decisions
from lnl_core.store.decisions import AUTO_FIX, IMPORT, SETTLED
from lnl_core.types import DatasetInfo

SMALL = 2000
"""Images of a set below which moments follow each other faster."""

FAST, EVERY = 10, 25
"""Decisions between two moments, in a small set and in others."""

AT_ONCE = (IMPORT, SETTLED)
"""Routes of decisions that count at once: nobody answers what the desk shows by them."""


def step(info: DatasetInfo) -> int:
    """Return how many decisions lie between two moments of a set."""
    return FAST if info.n < SMALL else EVERY


class _Behind:
    """The decisions up to the last moment, and those since."""

    def __init__(self, info: DatasetInfo) -> None:
        self.ledger, self._since = Ledger(without_class(info)), list[Change]()
        self._count, self._step = 0, step(info)
        self.seen = 0
        self.said = masks(self.ledger)

    def add(self, changes: list[Change]) -> None:
        """Take decisions in the order of their numbers; go on to the last moment among them."""
        last = 0
        for number, row, who, action, route, label in changes:
            self._since.append((number, row, who, action, route, label))
            self.seen, self._count = number, self._count + 1
            if self._count % self._step == 0 or who == AUTO_FIX or route in AT_ONCE:
                last = len(self._since)
        if last:
            self.ledger.add(self._since[:last])
            del self._since[:last]
            self.said = masks(self.ledger)


@lru_cache(maxsize=16)
def _kept_up(info: DatasetInfo) -> _Behind:
    """Return a set's decisions up to the last moment; guarded by `_keeping`."""
    return _Behind(info)


_keeping = threading.Lock()


def moment(info: DatasetInfo) -> Standing:
    """Return the decisions that were in force at the last moment.

    A moment comes with every `step`-th decision, with those that a file brought or a plan made, and
    with the answer after which none is missing.
    """
    now = standing(info)
    if (now.answered | now.no_class).all():
        return now
    with _keeping:
        known = _kept_up(info)
        if now.last_id < known.seen and decisions.last_id(info) < known.seen:
            # an older copy of the database was restored
            _kept_up.cache_clear()
            known = _kept_up(info)
        if now.last_id > known.seen:
            known.add(list(decisions.changes(info, known.seen)))
        return known.said
