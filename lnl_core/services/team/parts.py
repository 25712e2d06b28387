"""Dividing a data set among people: by class, split or equal shares; else all share one queue.

A part narrows a person's queue and pages. It does not narrow what chance draws: random checks
come from the whole set, or they would say nothing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.records import LnlError
from lnl_core.services.in_force import Standing, closed_to, loaded, standing
from lnl_core.services.team.roles import Act, require
from lnl_core.store import datasets
from lnl_core.store import parts as stored
from lnl_core.types import BoolArray, DatasetInfo, IntArray


class Kind(StrEnum):
    """What a part is made of."""

    CLASSES = "class"
    SPLIT = "split"
    SHARE = "share"


Part = tuple[Kind, Any]
"""Kind, and given classes (numbers), a split's name, or which of how many shares."""

_DEAL = 2
"""Stored third with a share: how it was dealt; one without is of an earlier version."""


def parts(info: DatasetInfo) -> dict[str, Part]:
    """Return reviewer -> part; who is not in it gets images of the whole set."""
    return {who: (Kind(kind), value) for who, (kind, value) in stored.parts(info).items()}


def outside(info: DatasetInfo, reviewer: str) -> BoolArray | None:
    """Return (n,) True where an image is not in a reviewer's part; None where they have none."""
    part = parts(info).get(reviewer)
    if part is None:
        return None
    kind, value = part
    if kind is Kind.CLASSES:
        return ~np.isin(np.asarray(loaded(info).given_labels), value)
    if kind is Kind.SPLIT:
        divided = datasets.splits(info)
        names, codes = divided or ((), np.full(info.n, -1))
        there = {name: code for code, name in enumerate(names)} | {"": -1}
        out: BoolArray = codes != there.get(value, len(names))
        return out
    which, of, *kept = value
    deal = _shares if kept == [_DEAL] else _shares_before
    out = deal(info.id, info.n, of) != which
    return out


def open_in(info: DatasetInfo, people: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return reviewer -> images of their part that wait for them, and images in it."""
    now, counted = standing(info), {}
    for who in people:
        foreign = outside(info, who)
        inside = np.ones(info.n, bool) if foreign is None else ~foreign
        inside &= ~now.no_class
        waiting = inside & ~closed_to(now, who) & ~now.auto_open
        counted[who] = int(waiting.sum()), int(inside.sum())
    return counted


@lru_cache(maxsize=8)
def _shares(seed: int, n: int, of: int) -> IntArray:
    """Return (n,) whose share each image is, 0..of-1, drawn once and equal in number but for one.

    Each `of` images that follow each other are dealt out by themselves, so what comes to the set
    later leaves those before where they are.
    """
    drawn = np.random.default_rng([seed, of]).random((-(-n // of), of))
    whose: IntArray = np.argsort(drawn, axis=1).ravel()[:n]
    return whose


@lru_cache(maxsize=8)
def _shares_before(seed: int, n: int, of: int) -> IntArray:
    """Return `_shares` as an earlier version dealt them: what is somebody's stays theirs."""
    whose: IntArray = np.random.default_rng([seed, of]).permutation(n) % of
    return whose


def passed_on(info: DatasetInfo, now: Standing) -> IntArray:
    """Return rows without an answer that everybody whose part they are in has skipped."""
    people = list(parts(info))
    skipped = np.zeros(info.n, bool)
    for who in people:
        skipped[now.touched.get(who, [])] = True
    rows: IntArray = np.flatnonzero(skipped & ~now.answered)
    somebody_s = np.zeros(info.n, bool)  # what is in nobody's part stays there
    for who in people if len(rows) else ():
        foreign, own = outside(info, who), np.zeros(info.n, bool)
        own[now.touched.get(who, [])] = True
        if foreign is not None:
            somebody_s |= ~foreign
            rows = rows[(foreign | own)[rows]]
    return rows[somebody_s[rows]]


def give(info: DatasetInfo, by: str, who: str, part: Part | None) -> None:
    """Give a reviewer a part, or with None the whole set again.

    Raises:
        NotAllowed: `by` may not divide the set.
        LnlError: there is no such class or split.
    """
    require(info.workspace, by, Act.DIVIDE)
    if part is not None:
        _check(info, part)
        if part[0] is Kind.SHARE:
            part = (part[0], [*part[1][:2], _DEAL])
    stored.assign(info, {who: None if part is None else (str(part[0]), part[1])})


def share_out(info: DatasetInfo, by: str, people: Sequence[str]) -> None:
    """Give each of several people an equal share, drawn once.

    Raises:
        NotAllowed: `by` may not divide the set.
        LnlError: there is nobody.
    """
    require(info.workspace, by, Act.DIVIDE)
    if not people:
        raise LnlError("Name who is to get a share.")
    shares = {who: (str(Kind.SHARE), [i, len(people), _DEAL]) for i, who in enumerate(people)}
    stored.assign(info, dict(shares))


def join(info: DatasetInfo, by: str, people: Sequence[str]) -> None:
    """Give several people the whole set again: one queue for all of them.

    Raises:
        NotAllowed: `by` may not divide the set.
    """
    require(info.workspace, by, Act.DIVIDE)
    stored.assign(info, dict.fromkeys(people))


def _check(info: DatasetInfo, part: Part) -> None:
    kind, value = part
    if kind is Kind.CLASSES and not (value and all(0 <= k < info.class_count for k in value)):
        raise LnlError("Choose at least one class of this set.")
    if kind is Kind.SPLIT:
        names = (datasets.splits(info) or ((), None))[0]
        if value not in names:
            raise LnlError(f"There is no split “{value}” in this set.")
    if kind is Kind.SHARE and not 0 <= value[0] < value[1]:
        raise LnlError("A share is one of so many, counted from 0.")
