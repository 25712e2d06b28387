"""A review by pages of one class: drawn images wait for their page, and answers to them come late.

Ten classes differ in how wrong they are, and pages of the worst come first, so which draws are
answered early is no fair part of them. At every look a draw without an answer counts as wrong, as
in the product. A look says something new only where a draw was answered since the last one.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from lnl_core.review import auditing

KINDS, PAGE, OVERDUE, AHEAD = 10, 12, 12, 24
"""Classes; images of a page; answers after which a draw's class comes next; places drawn ahead."""

LATEST = 60
"""Answers that a hostile person lets a drawn image of one kind wait at most."""


class Draws:
    """Draws in their order, answered in any, and what they say against the true total."""

    def __init__(self, said: Any, n: int) -> None:
        self.said, self.n = said, n
        self.open_: list[int] = []  # labels that each draw chose from
        self.outside: list[int] = []  # wrong ones among the others, as they truly are
        self.wrong: list[bool] = []
        self.answered: list[bool] = []
        self.first, self.last = 0, -1  # first without an answer, last with one

    def add(self, open_: int, outside: int, wrong: bool) -> int:
        """Take a draw; return its number."""
        for each, value in zip(
            (self.open_, self.outside, self.wrong, self.answered),
            (open_, outside, wrong, False),
            strict=True,
        ):
            each.append(value)  # type: ignore[attr-defined]
        return len(self.wrong) - 1

    def answer(self, number: int) -> None:
        """Take the answer to a draw."""
        self.answered[number] = True
        self.last = max(self.last, number)

    def peak(self) -> float:
        """Return the most that bets against the true total have won, as it looks now."""
        while self.first < len(self.wrong) and self.answered[self.first]:
            k = self.first
            self.said.draw(self.open_[k], self.outside[k], self.wrong[k])
            self.first += 1
        if self.last < self.first:
            return float(self.said.peak)
        said, taken = copy.copy(self.said), 0
        said._said = said._said.copy()
        for k in range(self.first, self.last + 1):
            found = self.outside[k] + taken
            if found >= said.total:  # more seem wrong than are
                break
            said.draw(self.open_[k], found, self.wrong[k] or not self.answered[k])
            taken += not (self.answered[k] or self.wrong[k])
        return float(said.peak)


def paged(
    said: Any, wrong: int, n: int, rng: np.random.Generator, late: str, risk: float
) -> tuple[bool, int]:
    """Review by pages; return whether the limit was ever below the truth, and the draws.

    Args:
        said: bets against the true total.
        wrong: that total.
        n: labels.
        rng: of the review.
        late: `fair`, or which drawn images are put off: `right` or `wrong` ones.
        risk: of the limit.
    """
    given, truth, score, lists = _made(wrong, n, rng)
    free, open_, draws = _Set(n, rng), np.ones(n, bool), Draws(said, n)
    waiting: dict[int, tuple[int, int]] = {}  # row -> number of its draw, answers when it was made
    places, done, outside = [0] * KINDS, 0, 0
    while done < n:
        every = auditing.DENSE if _answered(draws) < auditing.FIRST_AUDITS else auditing.SPARSE
        while len(waiting) < AHEAD // every and len(free):
            row = free.draw()
            waiting[row] = draws.add(len(free) + 1, outside, bool(truth[row])), done
            outside += int(truth[row])
        due = [row for row, (_, made) in waiting.items() if done - made >= OVERDUE]
        label = int(given[due[0]]) if due else _next_class(lists, places, score)
        page = [row for row in waiting if given[row] == label]
        new, before = False, done
        for row in page:
            put_off = late != "fair" and truth[row] == (late == "wrong")
            if put_off and done - waiting[row][1] < LATEST and done < n - len(waiting):
                continue  # skipped
            draws.answer(waiting.pop(row)[0])
            open_[row] = False
            done, new = done + 1, True
        order, taken = lists[label], len(page)
        while taken < PAGE and places[label] < len(order):
            row = order[places[label]]
            places[label] += 1
            if not open_[row] or row in waiting:
                continue
            free.remove(row)
            open_[row] = False
            outside += int(truth[row])
            done, taken = done + 1, taken + 1
        if done == before:  # nothing but skipped images: they are answered after all
            for row in list(waiting):
                draws.answer(waiting.pop(row)[0])
                open_[row] = False
                done, new = done + 1, True
        if new and draws.peak() >= -np.log(risk):
            return True, len(draws.wrong)
    return False, len(draws.wrong)


def _answered(draws: Draws) -> int:
    """Return how many draws have an answer."""
    return draws.first + sum(draws.answered[draws.first :])


def _made(
    wrong: int, n: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[list[int]]]:
    """Return given classes, which labels are wrong, scores, and each class's rows as shown."""
    given = rng.integers(0, KINDS, n)
    weight = np.geomspace(8, 1, KINDS)[given]
    rows = np.argsort(rng.exponential(size=n) / weight)[:wrong]  # without replacement
    truth = np.zeros(n, bool)
    truth[rows] = True
    score = rng.normal(size=n) + 1.5 * (truth & (rng.random(n) >= 0.15)) + 0.3 * np.log(weight)
    order = np.argsort(-score)
    return given, truth, score, [order[given[order] == k].tolist() for k in range(KINDS)]


def _next_class(lists: list[list[int]], places: list[int], score: np.ndarray) -> int:
    """Return the class whose next image is the most suspicious."""
    left = [k for k in range(KINDS) if places[k] < len(lists[k])]
    return max(left, key=lambda k: float(score[lists[k][places[k]]]), default=0)


class _Set:
    """Rows to draw from: drawing and taking out cost nothing."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.rows, self.at = list(range(n)), list(range(n))

    def __len__(self) -> int:
        return len(self.rows)

    def remove(self, row: int) -> None:
        place, last = self.at[row], self.rows[-1]
        self.rows[place], self.at[last] = last, place
        self.rows.pop()

    def draw(self) -> int:
        row = self.rows[int(self.rng.integers(len(self.rows)))]
        self.remove(row)
        return row
