"""Which rows chance could choose from, and since which decision: kept up as decisions arrive."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from lnl_core.services.ledger import SETTLING_ACTIONS, Change
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, IntArray

ANSWERS = {str(action) for action in (*SETTLING_ACTIONS, Action.UNSURE)}
"""Actions after which a row is drawn no more, until the last of them is taken back."""


class Moves:
    """Rows on their way out of what is drawn from, at their first answer, and back in.

    Attributes:
        last_id: number of the newest decision that is in it.
    """

    def __init__(self) -> None:
        self.last_id = 0
        self._holders: dict[int, set[str]] = {}  # row -> reviewers with an answer in force
        self._ids, self._rows, self._steps = array("q"), array("q"), array("q")

    def add(self, changes: Iterable[Change]) -> None:
        """Take decisions in the order of their numbers; those that are in it are passed over."""
        for number, row, who, action, *_ in changes:
            if number <= self.last_id:
                continue
            self.last_id = number
            held = self._holders.setdefault(row, set())
            before = bool(held)
            (held.add if action in ANSWERS else held.discard)(who)
            if before != bool(held):
                self._ids.append(number)
                self._rows.append(row)
                self._steps.append(1 if held else -1)

    def arrays(self) -> tuple[IntArray, IntArray, IntArray]:
        """Return (m,) numbers of decisions, rows, and 1 for out or -1 for in, by number."""
        ids, rows, steps = (np.array(each, np.int64) for each in self._parts())
        return ids, rows, steps

    def _parts(self) -> tuple[array[int], array[int], array[int]]:
        return self._ids, self._rows, self._steps


@lru_cache(maxsize=16)
def _kept_up(_info: DatasetInfo) -> Moves:
    """Return a set's moves; guarded by `_keeping`."""
    return Moves()


_keeping = threading.Lock()


def moves(info: DatasetInfo) -> tuple[IntArray, IntArray, IntArray]:
    """Return the moves of all decisions so far: see `Moves.arrays`."""
    newest = decisions.last_id(info)
    with _keeping:
        known = _kept_up(info)
        if newest < known.last_id:  # an older copy of the database was restored
            _kept_up.cache_clear()
            known = _kept_up(info)
        if newest > known.last_id:
            known.add(decisions.changes(info, known.last_id))
        return known.arrays()
