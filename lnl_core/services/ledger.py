"""The decisions in force as masks, kept up to date by what was decided since: no fetch reads all.

Of each image and reviewer the latest decision counts. Where somebody entitled has settled an image
(route `settled`), that alone counts.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lnl_core.store.decisions import SETTLED
from lnl_core.types import Action, BoolArray, IntArray

WRONG_ACTIONS = (Action.RELABEL, Action.MULTIPLE, Action.NONE)
"""Verdicts that say that the given label, alone, is not right."""

SETTLING_ACTIONS = (Action.KEEP, *WRONG_ACTIONS)

Change = tuple[int, int, str, str, str]
"""Number of a decision, its row, reviewer, action and route."""


class Ledger:
    """What everybody says of every row, and the masks of it.

    Attributes:
        no_class: (n,) the given label is no class: it can be neither wrong nor kept.
        settled, wrong, unsure, kept: (n,) what at least one person says, see `in_force.Standing`.
        looks: (n,) how many people have an answer in force other than skip.
        touched: reviewer -> rows that this person has answered, skips included.
        last_id: number of the newest decision that is in it.
    """

    def __init__(self, no_class: BoolArray) -> None:
        n = len(no_class)
        self.no_class = no_class
        self.settled, self.wrong, self.unsure, self.kept = (np.zeros(n, bool) for _ in range(4))
        self.looks = np.zeros(n, np.int16)
        self.touched: dict[str, IntArray] = {}
        self.last_id = 0
        self._said: dict[int, dict[str, tuple[Action, bool]]] = {}
        self._rows: dict[str, dict[int, None]] = {}

    def add(self, changes: Iterable[Change]) -> None:
        """Take decisions in the order of their numbers; those that are in it are passed over."""
        rows, people = set(), set()
        for number, row, who, action, route in changes:
            if number <= self.last_id or row >= len(self.no_class):
                continue
            self.last_id = number
            self._say(row, who, Action(action), route == SETTLED)
            rows.add(row)
            people.add(who)
        for row in rows:
            self._judge(row)
        for who in people:
            self.touched[who] = np.array(list(self._rows[who]), np.int64)

    def _say(self, row: int, who: str, action: Action, settles: bool) -> None:
        said, mine = self._said.setdefault(row, {}), self._rows.setdefault(who, {})
        said.pop(who, None)  # so that the latest one stands last
        mine.pop(row, None)
        before_its_label_was_none = self.no_class[row] and action is Action.KEEP
        if action is not Action.REOPEN and not before_its_label_was_none:
            said[who] = (action, settles)
            mine[row] = None

    def _judge(self, row: int) -> None:
        said = list(self._said[row].values())
        last = [action for action, settles in said if settles][-1:]
        actions = last or [action for action, _ in said]
        labelled = not self.no_class[row]
        self.settled[row] = any(each in SETTLING_ACTIONS for each in actions)
        self.wrong[row] = labelled and any(each in WRONG_ACTIONS for each in actions)
        self.kept[row] = Action.KEEP in actions
        self.unsure[row] = Action.UNSURE in actions
        self.looks[row] = sum(each is not Action.SKIP for each, _ in said)
