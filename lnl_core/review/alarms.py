"""Alarms about how a person reviews: led by advice, hasty, or worse than before.

Each is one exact test of two shares (Fisher, one-sided) of the same person, so nobody is compared
with anybody else. All people and kinds are looked at together and again and again: Holm's procedure
("A simple sequentially rejective multiple test procedure", 1979) keeps the chance of any false
alarm at one look below `RISK`, which is a fifth of the usual five per cent because one looks more
than once. An alarm is a reason to talk to somebody, no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lnl_core.review.hidden import GOLD
from lnl_core.review.measured import Look
from lnl_core.types import FloatArray

RISK = 0.01
LAST = 50
"""Answers, or looks, that are held against those before them (review science 7.2)."""

LEAST = 10
"""Looks that either side needs."""

HASTY = 0.4
"""Faster than this share of one's own median is hasty (review science 7.2)."""

BIAS, SPEED, DRIFT = "bias", "speed", "drift"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Two shares of one person that are held against each other.

    Attributes:
        who: the reviewer.
        kind: `BIAS`, `SPEED` or `DRIFT`.
        seen: how many of how many, where it may be worse.
        before: how many of how many, where it is as it should be.
        chance: that the shares differ so much where nothing is wrong.
        words: what it means, in a sentence.
    """

    who: str
    kind: str
    seen: tuple[int, int]
    before: tuple[int, int]
    chance: float
    words: str


def suspicions(
    who: str, looks: Iterable[Look], seconds: Sequence[float], pages: Sequence[float] = ()
) -> list[Suspicion]:
    """Return what can be tested of one person; alarms are those that `alarming` leaves.

    Args:
        who: the reviewer.
        looks: hidden looks of this person, in their order.
        seconds: time of each answer to a single image, in their order.
        pages: time an image of each page of page mode; a glance at each of twelve is no haste.
    """
    gold = [each for each in looks if each.route == GOLD]
    found = [
        _bias(who, gold),
        _drift(who, gold),
        _speed(who, np.asarray(seconds, np.float64), "answers"),
        _speed(who, np.asarray(pages, np.float64), "pages"),
    ]
    return [each for each in found if each is not None]


def alarming(every: Iterable[Suspicion], risk: float = RISK) -> list[Suspicion]:
    """Return the suspicions that stand when all of them are tested together, the surest first."""
    ordered = sorted(every, key=lambda each: each.chance)
    left = []
    for place, each in enumerate(ordered):
        if each.chance > risk / (len(ordered) - place):
            break
        left.append(each)
    return left


def _bias(who: str, gold: Sequence[Look]) -> Suspicion | None:
    """Wrong gold labels that were passed over: with advice against without."""
    wrong = [each for each in gold if each.wrong]
    with_it = [not each.called for each in wrong if each.mode == "assisted"]
    alone = [not each.called for each in wrong if each.mode != "assisted"]
    return _held(
        who,
        BIAS,
        with_it,
        alone,
        "passes over {0} of {1} wrong labels with the suggestion on the screen, {2} of {3} without",
    )


def _drift(who: str, gold: Sequence[Look]) -> Suspicion | None:
    """Gold answers that were not right: the last ones against those before."""
    missed = [each.called != each.wrong for each in gold]
    words = "answered {0} of the last {1} gold images wrongly, {2} of {3} before"
    recent = min(LAST, len(missed) // 2)
    return _held(who, DRIFT, missed[len(missed) - recent :], missed[: len(missed) - recent], words)


def _speed(who: str, seconds: FloatArray, what: str) -> Suspicion | None:
    """Hasty answers or pages: the last ones against those before, by the median of the latter."""
    if len(seconds) < 2 * LAST:
        return None
    before, last = seconds[:-LAST], seconds[-LAST:]
    hasty = HASTY * float(np.median(before))
    words = (
        f"gave {{0}} of the last {{1}} {what} in less than {hasty:.1f} s"
        f"{' an image' if what == 'pages' else ''}, {HASTY:.0%} of the median before, when it was "
        "{2} of {3}"
    )
    return _held(who, SPEED, (last < hasty).tolist(), (before < hasty).tolist(), words)


def _held(
    who: str, kind: str, worse: Sequence[bool], before: Sequence[bool], words: str
) -> Suspicion | None:
    from scipy.stats import fisher_exact

    if min(len(worse), len(before)) < LEAST:
        return None
    a, b = sum(worse), sum(before)
    table = [[a, len(worse) - a], [b, len(before) - b]]
    chance = float(fisher_exact(table, alternative="greater").pvalue)
    said = words.format(a, len(worse), b, len(before))
    return Suspicion(who, kind, (a, len(worse)), (b, len(before)), chance, said)
