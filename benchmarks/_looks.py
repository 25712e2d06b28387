"""A simulated team that is measured as the desk measures: by `review.hidden`, place by place."""

from __future__ import annotations

import numpy as np

from benchmarks import _watching
from lnl_core.review import auditing, hidden
from lnl_core.review.evidence import AUDIT, Audit, possible_totals
from lnl_core.review.growing import Growing
from lnl_core.review.hidden import CONFIRM, GOLD, REPEAT, SECOND, Known, Mine
from lnl_core.review.measured import Look, measured, together
from lnl_core.review.missed import Looks, corrected_limit
from lnl_core.review.sensitivity import Known as Counts

Route = tuple[int, int, str, bool]
"""Who looked, at which row, by which route, and whether they called it wrong."""


class TeamReview:
    """People answer one queue; chance draws; hidden looks come where `hidden.places` says.

    Everybody misses and accuses alike, who settles contradictions too. No truth is given to the
    limits: gold is what two people agree on, or what was settled.
    """

    def __init__(
        self, n: int, rate: float, seed: int, sensitivity: float, alarms: float, people: int = 4
    ) -> None:
        rng = self.rng = np.random.default_rng(seed)
        self.chance = (alarms, sensitivity)
        wrong = np.arange(n) < round(rate * n)
        seen = wrong * (rng.random(n) < 0.85)
        self.wrong = wrong[np.argsort(-(rng.normal(size=n) + 1.5 * seen))]
        self.n, self.people, self.key = n, people, seed.to_bytes(8, "big")
        self.at, self.by = np.full(n, n), np.full(n, -1)  # when a row was answered, and by whom
        self.called, self.drawn = np.zeros(n, bool), np.zeros(n, bool)
        self.wrong_by, self.right_by = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.ruled, self.step_ = np.zeros(n, bool), 0
        self.seen, self.repeated = np.zeros((people, n), bool), np.zeros((people, n), bool)
        self.answered: list[list[int]] = [[] for _ in range(people)]
        self.given = [0] * people
        self.slots = [
            hidden.places(self.key, str(i), hidden.SHARE, 0, 2 * n) for i in range(people)
        ]
        self.looks: list[Route] = []
        self.draws: list[tuple[int, int]] = []  # row, and how many were open
        self.grown = Growing(possible_totals(n))

    @property
    def open(self) -> np.ndarray:
        """(n,) True where nobody has answered."""
        return self.at == self.n

    def calls(self, row: int) -> bool:
        """Return whether somebody calls a label wrong, at one look."""
        return bool(self.rng.random() < self.chance[int(self.wrong[row])])

    def step(self) -> None:
        """Answer a block of the queue and one image drawn at random, by whoever is next."""
        who = int(self.rng.integers(self.people))
        dense = len(self.draws) < auditing.FIRST_AUDITS
        block = (auditing.DENSE if dense else auditing.SPARSE) - 1
        queue = np.flatnonzero(self.open)
        for row in queue[: min(block, len(queue) - 1)]:
            self._answer(who, int(row))
        left = np.flatnonzero(self.open)
        row = int(self.rng.choice(left))
        self.drawn[row] = True
        self.draws.append((row, len(left)))
        self._answer(who, row)

    def _answer(self, who: int, row: int) -> None:
        while slot := self.slots[who].get(self.given[who]):
            self.given[who] += 1
            self._look(who, slot)
        self.given[who] += 1
        self.step_ += 1
        self.at[row], self.by[row] = self.step_, who
        self.called[row] = self.calls(row)
        (self.wrong_by if self.called[row] else self.right_by)[row] += 1
        self.seen[who, row] = True
        self.answered[who].append(row)

    def _look(self, who: int, slot: str) -> None:
        found = hidden.choose(
            slot, self.key, str(who), self._known(), self._mine(who), self.given[who]
        )
        if found is None:
            return
        row, route = found
        said = self.calls(row)
        self.looks.append((who, row, route, said))
        self.seen[who, row] = True
        if route == REPEAT:
            self.repeated[who, row] = True
        elif route != GOLD:
            (self.wrong_by if said else self.right_by)[row] += 1
        if route in (SECOND, CONFIRM) and not said:  # somebody entitled looks, and errs as others
            self.called[row] = self.calls(row)
            self.ruled[row] = True

    def _known(self) -> Known:
        out = np.zeros(self.n, bool)
        return Known(self.wrong_by, self.right_by, self.ruled, self.called, self.drawn, out)

    def _mine(self, who: int) -> Mine:
        rows = np.array(self.answered[who], np.int64)
        return Mine(self.seen[who], rows, self.repeated[who], np.zeros(self.n, bool))

    def judged(self) -> list[Look]:
        """Return the gold looks whose truth two people know, or somebody entitled."""
        known = self._known()
        wrong, right = known.surely_wrong, known.surely_right
        return [
            Look(str(who), route, said, bool(wrong[row]))
            for who, row, route, said in self.looks
            if route == GOLD and (wrong[row] or right[row])
        ]

    def gold(self) -> Counts:
        """Return what gold says of everybody."""
        return together(measured(self.judged()).values(), GOLD).known

    def limits(self) -> tuple[int, int, int]:
        """Return the truth, the plain limit and the corrected one."""
        done = ~self.open
        still, found = int(self.open.sum()), int((done & self.called).sum())
        rows = np.array([row for row, _ in self.draws])
        eligible = np.array([left for _, left in self.draws])
        called = self.called[rows]
        counted = np.cumsum(np.bincount(self.at[done & self.called], minlength=self.n + 1))
        before = counted[self.at[rows] - 1]
        audit = Audit(eligible, before, called, (AUDIT,) * len(rows))
        (plain,) = self.grown.looks(
            audit,
            [len(rows)],
            lambda said: auditing.live_limits(said, found, found + still).limit - found,
        )
        back = int((self.ruled[rows] & ~called).sum())
        kept = self.n - still - found
        looks = Looks(self.gold(), taken_back=back)
        corrected = corrected_limit(audit, self.n, found, still, kept, looks)
        truth = int((self.wrong & ~(done & self.called)).sum())
        return truth, plain, corrected


def review(
    n: int, rate: float, seed: int, sensitivity: float, alarms: float, people: int, look: int
) -> tuple[bool, bool, int, int, int]:
    """Return what `_watching.watched` does, and gold as wrong labels."""
    one = TeamReview(n, rate, seed, sensitivity, alarms, people)
    return *_watching.watched(one, look), one.gold().wrong
