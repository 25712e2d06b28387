"""What a team has done: who, how much, how well, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations

import numpy as np

from lnl_core.review import agreement
from lnl_core.review.agreement import SHARED as SHARED
from lnl_core.review.agreement import Agreement
from lnl_core.review.hidden import BLIND
from lnl_core.services.in_force import standing
from lnl_core.services.team.roles import Role, roles
from lnl_core.store import decisions, looks, meaning
from lnl_core.store.decisions import AUTO_FIX as AUTO_FIX
from lnl_core.store.decisions import SETTLED as SETTLED
from lnl_core.types import Action, DatasetInfo, Decision, IntArray

__all__ = ["Agreement", "Person", "Team", "independent", "kept", "ratings", "team", "trail"]

_NONE, _SEVERAL = -1, -2  # no class fits; several do


@dataclass(frozen=True, slots=True)
class Person:
    """One reviewer of a data set.

    Attributes:
        name: who.
        role: what they may do.
        answers: images on which an answer of theirs is in force.
        seconds: median time of an answer, None where none has one.
        unsure: how many of the answers are unsure.
        accuracy: chance that an answer is right, as the answers of all let one estimate (Dawid and
            Skene); None below `agreement.SHARED` images shared with others, or where fewer than
            three share any: of two who differ nobody can tell which is right.
        shared: images that somebody else has answered as well, in hidden looks too.
        last_seen: time of the last answer.
    """

    name: str
    role: Role
    answers: int
    seconds: float | None
    unsure: int
    accuracy: float | None
    shared: int
    last_seen: str


@dataclass(frozen=True, slots=True)
class Team:
    """Everybody who has answered, and how far they agree: pairs (Cohen), all (Fleiss, alpha).

    `reviewed` and `found` are the images that have an answer, and the labels found wrong;
    `copied` of the images have the answer to a copy alone, which is among nobody's answers.
    """

    people: tuple[Person, ...]
    pairs: tuple[tuple[str, str, Agreement], ...]
    fleiss: Agreement
    alpha: Agreement
    reviewed: int
    found: int
    copied: int


def team(info: DatasetInfo) -> Team:
    """Return who reviewed a data set, how much, how well, and how far they agree.

    It is worked out once after each answer; roles are those of now.
    """
    known = roles(info.workspace)
    found = _team(info, decisions.last_id(info), looks.last_id(info))
    named = (replace(each, role=known.get(each.name, Role.REVIEWER)) for each in found.people)
    return replace(found, people=tuple(named))


@lru_cache(maxsize=4)
def _team(info: DatasetInfo, _last_id: int, _last_look: int) -> Team:
    own = independent(info)
    names = list(dict.fromkeys(d.reviewer for d in own))
    answers = ratings([*own, *_second(info, own)], names)
    k = int(answers.max(initial=0)) + 1
    shared = answers[:, (answers >= 0).sum(axis=0) >= 2]
    accuracy = agreement.dawid_skene(shared, k).accuracy if shared.size else np.zeros(len(names))
    several = np.count_nonzero((shared >= 0).any(axis=1)) > 2
    people, now = [], standing(info)
    for index, name in enumerate(names):
        mine = [d for d in own if d.reviewer == name]
        times = [d.seconds for d in mine if d.seconds is not None and d.seconds <= 60]
        common = int((shared[index] >= 0).sum())
        people.append(
            Person(
                name=name,
                role=Role.REVIEWER,
                answers=len(mine),
                seconds=float(np.median(times)) if times else None,
                unsure=sum(d.action is Action.UNSURE for d in mine),
                accuracy=float(accuracy[index]) if several and common >= agreement.SHARED else None,
                shared=common,
                last_seen=max(d.decided_at for d in mine),
            )
        )
    pairs = tuple(
        (names[a], names[b], agreement.with_interval(answers[[a, b]], agreement.cohen))
        for a, b in combinations(range(len(names)), 2)
    )
    return Team(
        people=tuple(sorted(people, key=lambda each: -each.answers)),
        pairs=tuple(sorted(pairs, key=lambda each: -each[2].images)),
        fleiss=agreement.with_interval(answers, agreement.fleiss, everybody=True),
        alpha=agreement.with_interval(answers, agreement.krippendorff),
        reviewed=now.reviewed,
        found=now.found,
        copied=sum(
            all(each.mode == decisions.COPIES for each in several)
            for several in decisions.in_force(info).values()
        ),
    )


def independent(info: DatasetInfo) -> list[Decision]:
    """Return what each person says of each image by themselves: no settling, no copies, no skip."""
    latest: dict[tuple[int, str], Decision] = {}
    for each in decisions.history(info, looks=True):
        if each.route == decisions.SETTLED or each.mode == "settle":
            continue
        latest.pop((each.row, each.reviewer), None)
        nothing = each.action in (Action.REOPEN, Action.SKIP)
        if not nothing and not meaning.is_void(meaning.meant(each), info.no_classes):
            latest[each.row, each.reviewer] = each
    return list(latest.values())


def _second(info: DatasetInfo, own: Sequence[Decision]) -> list[Decision]:
    """Return what people said of an image without its label, in hidden looks.

    They change no label, and are what the queue gives a second person of its own accord.

    Args:
        info: the data set.
        own: answers; who has given one is not counted again.
    """
    known = {(each.row, each.reviewer) for each in own}
    people = {each.reviewer for each in own}
    return [
        each
        for each in looks.in_force(info)
        if each.route in BLIND
        and each.reviewer in people
        and (each.row, each.reviewer) not in known
    ]


def ratings(own: list[Decision], names: list[str]) -> IntArray:
    """Return (m people, n images) categories of what was answered, -1 where nothing or unsure.

    A category is what the image shows: a class, several, or none of them.
    """
    rows = {row: i for i, row in enumerate(sorted({d.row for d in own}))}
    shown = [_shows(d) for d in own]
    codes = {each: i for i, each in enumerate(sorted({s for s in shown if s is not None}))}
    answers = np.full((len(names), len(rows)), -1, np.int64)
    place = {name: i for i, name in enumerate(names)}
    for each, what in zip(own, shown, strict=True):
        if what is not None:
            answers[place[each.reviewer], rows[each.row]] = codes[what]
    return answers


def _shows(said: Decision) -> int | None:
    said = meaning.meant(said)
    if said.action is Action.KEEP:
        return said.given_label
    if said.action is Action.RELABEL:
        return said.label
    return {Action.NONE: _NONE, Action.MULTIPLE: _SEVERAL}.get(said.action)


def trail(info: DatasetInfo, who: str | None, limit: int = 50) -> list[Decision]:
    """Return the last decisions, newest first; of one person, or of all."""
    return list(decisions.history(info, reviewer=who, limit=limit))


def kept(info: DatasetInfo, who: str | None) -> int:
    """Return how many decisions are stored, taken back ones too; of one person, or of all."""
    return _kept(info, who, decisions.last_id(info))


@lru_cache(maxsize=16)
def _kept(info: DatasetInfo, who: str | None, _last_id: int) -> int:
    return sum(who in (None, reviewer) for _, _, reviewer, _ in decisions.log(info))
