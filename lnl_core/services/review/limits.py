"""Limits of the wrong labels of a set, worked out from its draws once and kept.

A drawn row without a clear answer is wrong for the upper limits and right for the lower ones. The
limits hold at every moment, whatever the queue does (`lnl_core.review.auditing`).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from lnl_core.review import auditing
from lnl_core.review.auditing import ALPHA, Limits
from lnl_core.review.evidence import Audit, Evidence, possible_totals
from lnl_core.review.growing import Growing
from lnl_core.services.in_force import Standing, labelled_count
from lnl_core.services.moment import moment
from lnl_core.services.review.draws import (
    OPEN,
    RIGHT,
    UNCLEAR,
    WRONG,
    Replay,
    draws,
    put_off_rows,
    replay,
    said_of,
)
from lnl_core.services.review.risks import risks
from lnl_core.types import BoolArray, DatasetInfo, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What all draws say of the wrong labels of the set, and the clear ones of any total."""

    totals: Limits
    evidence: Evidence


def key_of(info: DatasetInfo, now: Standing) -> tuple[object, ...]:
    """Return what the draws of a set are kept under: another one where they mean another thing."""
    where = (info.workspace.url, info.id, info.created_at)
    return (*where, info.no_classes, info.additions, now.auto_since)


@lru_cache(maxsize=16)
def limits_of(info: DatasetInfo, now: Standing) -> Known:
    """Return what the draws of a moment say, at the risk of the limit in force."""
    risk, past = risks(info, now).now, replay(info, now)
    return from_draws(key_of(info, now), past, said_of(now), labelled_count(info), risk)


@lru_cache(maxsize=32)
def _growing(_key: tuple[object, ...], _kind: str, n: int) -> Growing:
    """Return what is kept of one way to read a set's draws."""
    return Growing(possible_totals(n))


def from_draws(
    key: tuple[object, ...],
    past: Replay,
    said: IntArray,
    n: int,
    alpha: float = ALPHA,
) -> Known:
    """Return what draws say of the wrong labels of a set.

    Args:
        key: what they are kept under, their own for each way to read them.
        past: the draws.
        said: (n,) RIGHT, WRONG, UNCLEAR or OPEN of each row.
        n: labels of the set.
        alpha: chance that the limit is ever too low; that the interval ever misses.
    """
    least = int((said == WRONG).sum())
    most = n - int((said == RIGHT).sum())

    def look(now_said: Evidence) -> Limits:
        return auditing.live_limits(now_said, least, most, alpha)

    counted, every = past.counted, np.ones(len(past.said), bool)
    lower = past.part(every, past.said == WRONG, careful=False)
    upper = past.part(every, past.said != RIGHT, careful=True)
    high, limit = highest(upper, past.said, n, least, most, alpha, _growing(key, "upper", n))
    lows = _growing(key, "lower", n).looks(lower, _ends(past.said), look)
    low = max([least, *(each.low for each in lows)])
    (middle,) = _growing(key, "counted", n).looks(counted, [len(counted)], copy.copy)
    mean = auditing.live_limits(middle, least, most).mean
    return Known(Limits(mean, min(low, high), high, limit), middle)


def highest(
    upper: Audit,
    said: IntArray,
    n: int,
    least: int,
    most: int,
    alpha: float = ALPHA,
    kept: Growing | None = None,
) -> tuple[int, int]:
    """Return the interval's upper end and the one-sided limit of all wrong labels, 95 % each.

    Args:
        upper: all draws, what is unclear or open taken for wrong.
        said: (d,) RIGHT, WRONG, UNCLEAR or OPEN.
        n: labels of the set.
        least: wrong labels found.
        most: those and every label that was not called right.
        alpha: chance that the limit is ever too low; that the interval ever misses.
        kept: what earlier looks at these draws left; everything is worked out anew where None.
    """
    looks = (kept or Growing(possible_totals(n))).looks(
        upper, _ends(said), lambda now_said: auditing.live_limits(now_said, least, most, alpha)
    )
    return min([most, *(x.high for x in looks)]), min([most, *(x.limit for x in looks)])


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What the draws say where those that still wait for their first answer are drawn again.

    Chance chose them like any other, and nobody has said anything of them: a forecast has them
    before it. What people put off waits for them; nothing shows it again by itself.

    Attributes:
        said: what the draws say, unclear answers as wrong.
        audits: draws with an answer.
        coming: draws that wait for their first answer.
        found: wrong labels outside of what is drawn from, and those that count as wrong there.
        stuck: those that count as wrong until people settle them: unclear or put off.
        outside: (n,) True where a row is out of what is drawn from.
    """

    said: Evidence
    audits: int
    coming: int
    found: int
    stuck: int
    outside: BoolArray


def ahead(info: DatasetInfo, now: Standing | None = None) -> Ahead:
    """Return what a forecast begins with.

    Args:
        info: the data set.
        now: the decisions to rest on; those of the last moment when None.
    """
    now = now or moment(info)
    past, said = replay(info, now), said_of(now)
    answered, off = past.said != OPEN, put_off_rows(now)
    comes = ~answered & ~off[past.rows]
    before = np.r_[0, np.cumsum(comes)[:-1]].astype(np.int64)[: len(comes)]
    past = replace(
        past, unreviewed=past.unreviewed + before, unclear=np.maximum(0, past.unclear - before)
    )
    kept = _growing(key_of(info, now), "answered", labelled_count(info))
    known = past.part(answered, past.said != RIGHT, careful=True)
    (evidence,) = kept.looks(known, [len(known)], copy.copy)

    drawn = np.zeros(info.n, bool)
    drawn[[each.row for each in draws(info)]] = True
    outside = (said != OPEN) | drawn
    outside[past.rows[comes]] = False
    counts = outside & ~now.no_class
    stuck = np.zeros(info.n, bool)
    stuck[past.rows[~answered & ~comes]] = True
    stuck = (stuck | (said == UNCLEAR)) & counts
    return Ahead(
        said=evidence,
        audits=int(answered.sum()),
        coming=int(comes.sum()),
        found=int((counts & (said != RIGHT)).sum()),
        stuck=int(stuck.sum()),
        outside=outside,
    )


def _ends(said: IntArray) -> set[int]:
    """Return how many draws to look at: all promises hold after every one of them.

    A draw that waits for its answer counts as wrong above and as right below, so the best limit
    stands before the first of them or after a few.
    """
    answered = np.flatnonzero(said != OPEN)
    if not len(answered):
        return set()
    last = int(answered[-1]) + 1
    waiting = np.flatnonzero(said[:last] == OPEN)
    chosen = {int(waiting[i]) for i in (0, 1, 2, 4, 8, 16) if i < len(waiting)}
    return {last, *chosen} - {0}
