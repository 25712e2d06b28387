"""The decisions in force as masks, kept up to date by what was decided since: no fetch reads all.

Of each image and reviewer the latest decision counts. Where somebody entitled has settled an image
(route `settled`), that alone counts. What plans decided unseen (`store.plans`) stands apart: it is
no answer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from lnl_core.store import found
from lnl_core.store.decisions import AUTO_FIX, SETTLED
from lnl_core.store.found import SETTLING_ACTIONS as SETTLING_ACTIONS
from lnl_core.store.found import WRONG_ACTIONS as WRONG_ACTIONS
from lnl_core.types import Action, BoolArray, IntArray

Change = tuple[int, int, str, str, str, int | None]
"""Number of a decision, its row, reviewer, action, route and label."""


class Ledger:
    """What everybody says of every row, and the masks of it.

    Attributes:
        no_class: (n,) the given label is no class: it can be neither wrong nor kept.
        settled, wrong, unsure, kept: (n,) what at least one person says, see `in_force.Standing`.
        found_wrong: (n,) see `store.found`.
        looks: (n,) how many people have an answer in force other than skip.
        right_by, wrong_by: (n,) how many people say so of the given label, whoever settled it.
        ruled: (n,) somebody entitled has settled it.
        touched: reviewer -> rows that this person has answered, skips included.
        auto: (n,) label that a plan in force gave unseen, -1 where none did.
        auto_right, auto_wrong: (n,) at least one person has said so of that label.
        last_id: number of the newest decision that is in it.
    """

    def __init__(self, no_class: BoolArray) -> None:
        n = len(no_class)
        self.no_class = no_class
        self.settled, self.wrong, self.unsure, self.kept = (np.zeros(n, bool) for _ in range(4))
        self.found_wrong, self.ruled = np.zeros(n, bool), np.zeros(n, bool)
        self.looks, self.right_by, self.wrong_by = (np.zeros(n, np.int16) for _ in range(3))
        self.touched: dict[str, IntArray] = {}
        self.auto: IntArray = np.full(n, -1, np.int32)
        self.auto_right, self.auto_wrong = np.zeros(n, bool), np.zeros(n, bool)
        self.last_id = 0
        self._auto_since: dict[int, int] = {}
        self._said: dict[int, dict[str, tuple[Action, bool, int | None]]] = {}
        self._rows: dict[str, dict[int, None]] = {}

    def add(self, changes: Iterable[Change]) -> None:
        """Take decisions in the order of their numbers; those that are in it are passed over."""
        rows, people = set(), set()
        for number, row, who, action, route, label in changes:
            if number <= self.last_id or row >= len(self.no_class):
                continue
            self.last_id = number
            rows.add(row)
            if who == AUTO_FIX:
                self._decide(number, row, label if action == Action.AUTO else None)
                continue
            self._say(row, who, Action(action), route == SETTLED, label)
            people.add(who)
        for row in rows:
            self._judge(row)
        for who in people:
            self.touched[who] = np.array(list(self._rows[who]), np.int64)

    @property
    def auto_since(self) -> int:
        """Number of the newest decision by a plan that is in force; 0 without any."""
        return max(self._auto_since.values(), default=0)

    def _decide(self, number: int, row: int, label: int | None) -> None:
        self.auto[row] = -1 if label is None else label
        self._auto_since.pop(row, None)
        if label is not None:
            self._auto_since[row] = number

    def _say(self, row: int, who: str, action: Action, settles: bool, label: int | None) -> None:
        said, mine = self._said.setdefault(row, {}), self._rows.setdefault(who, {})
        said.pop(who, None)  # so that the latest one stands last
        mine.pop(row, None)
        if action is not Action.REOPEN:
            said[who] = (action, settles, label)
            mine[row] = None

    def _judge(self, row: int) -> None:
        said = list(self._said.get(row, {}).values())
        counted = [each for each in said if each[1]][-1:] or said
        actions = [action for action, _, _ in counted]
        labelled = not self.no_class[row]
        self.settled[row] = any(each in SETTLING_ACTIONS for each in actions)
        self.wrong[row] = labelled and any(each in WRONG_ACTIONS for each in actions)
        self.found_wrong[row] = labelled and found.found_wrong(actions)
        self.kept[row] = Action.KEEP in actions
        self.unsure[row] = Action.UNSURE in actions
        self.looks[row] = sum(each is not Action.SKIP for each, _, _ in said)
        self.right_by[row] = sum(each is Action.KEEP for each, _, _ in said)
        self.wrong_by[row] = labelled * sum(each in WRONG_ACTIONS for each, _, _ in said)
        self.ruled[row] = any(settles for _, settles, _ in said)
        opinions = [
            action is Action.RELABEL and label == self.auto[row]
            for action, _, label in counted
            if self.auto[row] >= 0 and action in SETTLING_ACTIONS
        ]
        self.auto_right[row] = any(opinions)
        self.auto_wrong[row] = not all(opinions)
