"""Hidden looks at the desk: placed among a reviewer's images, known again by a token, stored apart.

Every item that is sent carries a token; it is the same for the same person, image and purpose, and
without the key of the data set nobody can tell what it stands for. An answer comes back with it.
One without, from an older page, is an ordinary answer.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from lnl_core.review import hidden
from lnl_core.review.hidden import BLIND, CONFIRM, LEAST, REPEAT, ROUTES, SECOND, SHARE, Known, Mine
from lnl_core.review.hidden import MOST as MOST
from lnl_core.services.in_force import Standing
from lnl_core.services.ledger import WRONG_ACTIONS
from lnl_core.services.review import again, blind, groups, items
from lnl_core.services.review.draws import draws
from lnl_core.services.team import parts
from lnl_core.services.team.roles import Act, require
from lnl_core.store import datasets, faults, looks
from lnl_core.types import Action, BoolArray, Busy, DatasetInfo, Decision, LnlError, ReadOnly

AHEAD = 16
"""Places of the window in which looks are placed; the further ones when they are near."""


# Whether, and how many -------------------------------------------------------------------------


def share(info: DatasetInfo) -> float:
    """Return the share of the answers that each kind of hidden look takes, 0 for none."""
    return float(datasets.read_meta(info).get("hidden_looks", SHARE))


def set_share(info: DatasetInfo, who: str | None, value: float) -> None:
    """Choose the share of the answers that each kind of hidden look takes; 0 switches them off.

    Args:
        info: the data set.
        who: chooses; None for the command line, which is whoever has the files.
        value: the share.

    Raises:
        NotAllowed: the person may not choose it.
        LnlError: it is no share from 0 to `MOST`.
    """
    if who is not None:
        require(info.workspace, who, Act.CHECK)
    if value != 0 and not LEAST <= value <= MOST:
        least, most = (f"{100 * each:g}" for each in (LEAST, MOST))
        raise LnlError(
            f"Hidden looks take {least} to {most} % of the answers each, or 0, "
            f"not {100 * value:g} %."
        )
    datasets.update_meta(info, hidden_looks=value)


def _key(info: DatasetInfo) -> bytes:
    """Return the key of a data set, made when it is first asked for.

    Raises:
        Busy, ReadOnly: it is not there yet and cannot be stored.
    """

    found = _stored_key(info)
    if found is None:
        datasets.change_meta(info, _with_key, faults.AT_ONCE)
        _stored_key.cache_clear()
        found = _stored_key(info)
    assert found is not None
    return found


@lru_cache(maxsize=64)
def _stored_key(info: DatasetInfo) -> bytes | None:
    found = datasets.read_meta(info).get("looks_key")
    return None if found is None else bytes.fromhex(str(found))


def _with_key(meta: dict[str, Any]) -> dict[str, Any]:
    return {"looks_key": meta.get("looks_key") or secrets.token_hex(16)}  # one may be there by now


# Placed ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Placed:
    """A hidden look in a reviewer's window: what it is for, and of which row."""

    row: int
    route: str


def placed(info: DatasetInfo, reviewer: str, now: Standing) -> dict[int, Placed]:
    """Return place -> hidden look, of a reviewer's next places.

    Whoever has answered an image first is never given its second look, nor a control or gold; own
    images come as repeats alone.
    """
    value = share(info)
    if not value:
        return {}
    first = looks.answers_ever(info, reviewer)
    try:
        key = _key(info)
    except (Busy, ReadOnly):
        return {}
    slots = hidden.places(key, reviewer, value, first, AHEAD)
    if not slots:
        return {}
    known, mine = known_of(info, now), _mine(info, reviewer, now)
    found: dict[int, Placed] = {}
    for place, slot in slots.items():
        taken = [each.row for each in found.values()]
        chosen = hidden.choose(slot, key, reviewer, known, mine, first + place, taken)
        if chosen is not None:
            found[place] = Placed(*chosen)
    return found


def known_of(info: DatasetInfo, now: Standing, until: int | None = None) -> Known:
    """Return what is known of every label: by decisions, and by looks without the label.

    Args:
        info: the data set.
        now: the decisions in force.
        until: number of the last look that counts; all when None.
    """
    wrong, right = now.wrong_by.copy(), now.right_by.copy()
    for each in looks.in_force(info, until):
        if each.route in BLIND and each.row < info.n and (said := calls_wrong(each)) is not None:
            (wrong if said else right)[each.row] += 1
    drawn = np.zeros(info.n, bool)
    drawn[[each.row for each in draws(info)]] = True
    out = now.no_class | (now.auto >= 0) | now.waiting
    copies = groups.groups_of(info)
    if copies is not None:  # one answer may go to all copies, and a copy gives an image away
        out[copies.rows] = True
    return Known(wrong, right, now.ruled, now.wrong, drawn, out)


def _mine(info: DatasetInfo, reviewer: str, now: Standing) -> Mine:
    n = info.n
    answered = now.touched.get(reviewer, np.zeros(0, np.int64))
    seen, repeated = np.zeros(n, bool), np.zeros(n, bool)
    seen[answered] = True
    for each in looks.every(info):
        if each.reviewer == reviewer and each.row < n:
            seen[each.row] = True
            repeated[each.row] |= each.route == REPEAT
    foreign: BoolArray | None = parts.outside(info, reviewer)
    return Mine(seen, answered, repeated, np.zeros(n, bool) if foreign is None else foreign)


def seen_by(info: DatasetInfo, reviewer: str, now: Standing) -> BoolArray:
    """Return (n,) the images that a person has answered, for whatever purpose."""
    return _mine(info, reviewer, now).seen


def calls_wrong(look: Decision) -> bool | None:
    """Return whether a look calls the given label wrong; None where it says neither."""
    if look.action is Action.KEEP:
        return False
    return True if look.action in WRONG_ACTIONS else None


# Sent ------------------------------------------------------------------------------------------


def token(key: bytes, reviewer: str, row: int, route: str = "queue") -> str:
    """Return what an item is known again by."""
    words = f"{route} {row} {reviewer}".encode()
    return hmac.new(key, words, hashlib.sha256).hexdigest()[:20]


def signed(
    info: DatasetInfo,
    reviewer: str,
    plain: Sequence[dict[str, Any]],
    there: Mapping[int, Placed],
) -> list[dict[str, Any]]:
    """Return items as they are sent: with a token each, blind ones without what tells the label.

    Args:
        info: the data set.
        reviewer: who gets them.
        plain: what `items.items_of` and `recent` say.
        there: place -> hidden look, where an item is one.
    """
    try:
        key = _key(info)
    except (Busy, ReadOnly):
        return list(plain)
    rows = {each.row for each in there.values()}
    sent = []
    for place, item in enumerate(plain):
        look = there.get(place)
        route = "queue" if look is None else look.route
        some = [row for row in item["exemplars"] if row not in rows]  # its class would stand beside
        item = {**item, "exemplars": some, "look": token(key, reviewer, item["row"], route)}
        if route in BLIND:
            item = blind.answered(item) if "action" in item else blind.item(item)
        sent.append(item)
    return sent


# Answered --------------------------------------------------------------------------------------


def route_of(info: DatasetInfo, reviewer: str, row: int, sent: object) -> str | None:
    """Return which hidden look a token stands for; None for an ordinary answer."""
    if not isinstance(sent, str) or not sent.isascii():
        return None
    key = _stored_key(info)
    if key is None:
        return None
    return next(
        (r for r in ROUTES if hmac.compare_digest(token(key, reviewer, row, r), sent)), None
    )


def said(info: DatasetInfo, entry: Mapping[str, Any], route: str) -> Mapping[str, Any]:
    """Return an answer to a hidden look that adds no class: where it would, none there fits.

    Raises:
        LnlError: it keeps a label that was not shown.
    """
    if route in BLIND and entry.get("action") == str(Action.KEEP):
        raise LnlError("no label was shown: say what the image is.")
    names = [entry.get("new_class"), *(entry.get("named") or ())]
    if all(not name or name in info.class_names for name in names):
        return entry
    blank: dict[str, Any] = {"label": None, "labels": [], "new_class": None, "named": []}
    return {**entry, **blank, "action": str(Action.NONE)}


def look_of(decision: Decision, route: str) -> Decision:
    """Return an answer as the look that it is."""
    if route not in BLIND:
        return replace(decision, route=route)
    return replace(decision, route=route, mode=blind.BLIND, revealed=False)


# Seen by the person who answers ----------------------------------------------------------------


def with_recent(
    info: DatasetInfo, reviewer: str, answers: Sequence[dict[str, Any]], limit: int
) -> list[dict[str, Any]]:
    """Return a reviewer's last answers, hidden looks among them: what they cannot tell apart.

    Args:
        info: the data set.
        reviewer: whose answers.
        answers: the ordinary ones, newest first, with `at`, their time.
        limit: how many.
    """
    found = list[dict[str, Any]]()
    mine = [each for each in looks.in_force(info) if each.reviewer == reviewer][-limit:]
    there = {}
    shown = [*((each, "queue") for each in answers)]
    shown += [
        (items.answer_of(info, each) | again.before_look(info, each), each.route) for each in mine
    ]
    every = [(str(each.pop("at")), each, route) for each, route in shown]
    if mine:
        every.sort(key=lambda each: each[0], reverse=True)
    rows: set[int] = set()
    for _, item, route in every:
        if item["row"] in rows:
            continue
        rows.add(item["row"])
        if route != "queue":
            there[len(found)] = Placed(item["row"], route)
        found.append(item)
    return signed(info, reviewer, found[:limit], there)


def answers_since(
    info: DatasetInfo, reviewer: str, last: int, newest: Sequence[Decision], now: Standing
) -> tuple[int, int]:
    """Return a reviewer's answers since a decision, and how many call the label wrong.

    Hidden looks are among them, images count once. Of a blind answer nobody is told whether it
    agrees with the label: it calls nothing wrong here.

    Args:
        info: the data set.
        reviewer: whose answers.
        last: number of the decision.
        newest: this person's last looks at images, newest first.
        now: the decisions in force.
    """
    said: dict[int, Decision] = {}
    for each in newest:
        if each.id > last and not now.no_class[each.row]:
            said.setdefault(each.row, each)
    began = next((each.decided_at for each in newest if each.id <= last), "")
    for each in looks.in_force(info):
        if each.reviewer == reviewer and each.decided_at > began:
            said.setdefault(each.row, each)
    answers = [d for d in said.values() if d.action not in (Action.SKIP, Action.REOPEN)]
    told = [d for d in answers if d.mode != blind.BLIND and d.route not in BLIND]
    return len(answers), sum(calls_wrong(d) is True for d in told)


def waiting_for_a_word(info: DatasetInfo, now: Standing) -> dict[int, list[Decision]]:
    """Return row -> second looks that contradict the one who called its label wrong.

    They are for somebody entitled to settle; until then the label counts as wrong.
    """
    found: dict[int, list[Decision]] = {}
    for each in looks.in_force(info):
        if each.route in (SECOND, CONFIRM) and each.row < info.n and calls_wrong(each) is False:
            alone = now.wrong[each.row] and not now.ruled[each.row] and not now.right_by[each.row]
            if alone:
                found.setdefault(each.row, []).append(each)
    return found
