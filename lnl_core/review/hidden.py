"""Hidden looks: where they stand among a reviewer's answers, and which image is shown there.

Of every hundred answers about three each are given for a second opinion, a control, gold and a
repeat. Which places those are follows from a key of the data set, the reviewer and the number of
answers that this person has ever given: a page that is loaded anew shows the same, and nobody
without the key can tell. The image is the first by rendezvous hashing (Thaler and Ravishankar,
"Using name-based mappings to increase hit rates", 1998): what becomes eligible or drops out moves
nothing else.

Routes are never merged, since each asks something else of people:

* `second`: an image drawn at random that somebody else has called wrong. Asked without its label.
* `confirm`: as `second`, of the queue; in its place while no drawn one waits.
* `control`: an image whose label somebody else has found right. Asked without its label.
* `gold`: an image on which two people agree, or that somebody entitled has settled. It looks like
  any other of the queue.
* `repeat`: one that the same person answered `APART` answers ago or earlier. It looks like any
  other as well.

Sensitivity is a matter of the question that is asked, so it is measured on `gold` alone, which
asks the ordinary one. What is asked without a label cannot be agreed to out of habit: it tells
whether a label that was called wrong is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.types import BoolArray, IntArray

SECOND, CONFIRM, CONTROL, GOLD, REPEAT = "second", "confirm", "control", "gold", "repeat"
SLOTS = (SECOND, CONTROL, GOLD, REPEAT)
"""What a place is for; `CONFIRM` stands in for `SECOND`."""

ROUTES = (*SLOTS, CONFIRM)
BLIND = frozenset({SECOND, CONFIRM, CONTROL})
"""Routes that ask what an image shows, without the label that it came with."""

SHARE = 0.03
"""Share of the answers that each of the four takes."""

LEAST, MOST = 0.001, 0.1
"""Smallest and largest share that can be chosen."""

APART = 50
"""Answers of one's own between an image and its repeat (review science 7.1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of every label when a look is placed.

    Attributes:
        wrong: (n,) how many people have called it wrong, with the label shown or without.
        right: (n,) how many have called it right.
        ruled: (n,) somebody entitled has settled it, `ruled_wrong` as wrong.
        ruled_wrong: see `ruled`.
        drawn: (n,) chance has drawn it.
        out: (n,) not to be used for anything.
    """

    wrong: IntArray
    right: IntArray
    ruled: BoolArray
    ruled_wrong: BoolArray
    drawn: BoolArray
    out: BoolArray

    @property
    def surely_wrong(self) -> BoolArray:
        """(n,) True where two agree that it is wrong, or it was settled so."""
        two: BoolArray = (self.wrong >= 2) & (self.right == 0)
        return np.where(self.ruled, self.ruled_wrong, two)

    @property
    def surely_right(self) -> BoolArray:
        """(n,) True where two agree that it is right, or it was settled so."""
        two: BoolArray = (self.right >= 2) & (self.wrong == 0)
        return np.where(self.ruled, ~self.ruled_wrong, two)


@dataclass(frozen=True, slots=True, eq=False)
class Mine:
    """What a reviewer has had.

    Attributes:
        seen: (n,) images that this person has answered, for whatever purpose.
        answered: rows that this person has answered as decisions, the latest last.
        repeated: (n,) those of them that were repeated.
        foreign: (n,) images that this person's part does not have; they are blind looks only.
    """

    seen: BoolArray
    answered: IntArray
    repeated: BoolArray
    foreign: BoolArray


def places(key: bytes, who: str, share: float, first: int, count: int) -> dict[int, str]:
    """Return place -> what it is for, of `count` places of which the next one is the `first`-th.

    Each turn of 1 / share answers has one place for each of `SLOTS`; in the first one nobody is
    measured yet.

    Args:
        key: of the data set.
        who: the reviewer.
        share: of the answers, for each of `SLOTS`; 0 for none.
        first: how many answers this person has ever given.
        count: how many places to look at.
    """
    if share <= 0:
        return {}
    turn = round(1 / min(share, MOST))
    found = {}
    for number in range(max(1, first // turn), (first + count - 1) // turn + 1):
        for slot, at in zip(SLOTS, _turn(key, who, turn, number), strict=True):
            place = number * turn + at - first
            if 0 <= place < count:
                found[place] = slot
    return dict(sorted(found.items()))


@lru_cache(maxsize=1024)
def _turn(key: bytes, who: str, turn: int, number: int) -> tuple[int, ...]:
    rng = np.random.default_rng(_number(key, f"{number} {who}"))
    return tuple(int(at) for at in rng.permutation(turn)[: len(SLOTS)])


def _number(key: bytes, words: str) -> int:
    return int.from_bytes(hashlib.blake2b(words.encode(), key=key, digest_size=8).digest(), "big")


def choose(
    slot: str,
    key: bytes,
    who: str,
    known: Known,
    mine: Mine,
    place: int,
    taken: Collection[int] = (),
) -> tuple[int, str] | None:
    """Return the row and the route of a place; None where no image is eligible.

    Args:
        slot: one of `SLOTS`.
        key: of the data set.
        who: the reviewer.
        known: what is known of every label.
        mine: what this reviewer has had.
        place: number of the place among this person's answers: of two gold places one asks for
            a wrong label, one for a right one, as far as there are any.
        taken: rows that stand at other places.
    """
    for route, eligible in _eligible(slot, known, mine, place):
        free = eligible & ~known.out
        free[list(taken)] = False
        rows = np.flatnonzero(free)
        if len(rows):
            return int(rows[_order(_number(key, f"{route} {who}"), rows).argmin()]), route
    return None


def _eligible(slot: str, known: Known, mine: Mine, place: int) -> list[tuple[str, BoolArray]]:
    """Return routes and (n,) the images that may be shown, the best first."""
    if slot == SECOND:
        alone = (known.wrong == 1) & (known.right == 0) & ~known.ruled & ~mine.seen
        return [(SECOND, alone & known.drawn), (CONFIRM, alone & ~known.drawn)]
    if slot == CONTROL:
        found_right = (known.right >= 1) & (known.wrong == 0) & ~known.ruled
        return [(CONTROL, found_right & ~mine.seen)]
    if slot == GOLD:
        out = mine.seen | mine.foreign
        both = [(GOLD, known.surely_wrong & ~out), (GOLD, known.surely_right & ~out)]
        return both if place % 2 else both[::-1]
    again = np.zeros(len(mine.seen), bool)
    again[mine.answered[:-APART]] = True
    return [(REPEAT, again & ~mine.repeated & ((known.right > 0) | (known.wrong > 0)))]


def _order(salt: int, rows: IntArray) -> IntArray:
    """Return (m,) hashes of rows (splitmix64), of which the least comes first."""
    with np.errstate(over="ignore"):
        x = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(salt)
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    hashed: IntArray = x ^ (x >> np.uint64(31))
    return hashed
