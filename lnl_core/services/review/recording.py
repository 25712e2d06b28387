"""Answers that a browser sent, on their way into the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lnl_core.services.in_force import Scored, loaded, scored
from lnl_core.services.review import advised, again, blind, groups, known_copies, looks, second
from lnl_core.services.review.goals import begin
from lnl_core.services.review.new_classes import add_class, retired
from lnl_core.services.workspace import dataset_by_id
from lnl_core.store import checking, decisions
from lnl_core.store import looks as stored_looks
from lnl_core.store.db import now
from lnl_core.types import (
    Action,
    Busy,
    Damaged,
    DatasetInfo,
    Decision,
    LnlError,
    NoAnswer,
    NotFound,
    ReadOnly,
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of answers: `acked` need not be sent again, `problems` in words.

    `meanwhile` are those to images that somebody had answered, see `second`.
    """

    acked: list[str]
    problems: list[str]
    meanwhile: list[dict[str, Any]] = field(default_factory=list)


def record(info: DatasetInfo, reviewer: str, entries: Sequence[Mapping[str, Any]]) -> Recorded:
    """Store answers that a browser sent; a journal may be sent again and is stored once.

    Each entry has `cid`, `row`, `action`, and as the action needs `label` or `labels`. A class that
    somebody added goes by its name, for two may add one at the same moment: `new_class` in place of
    `label`, `named` beside `labels` ("" where the number stands). `ms`, `revealed`, `mode`,
    `position`, `at` say how it came about; `together`, that the answer goes to
    the copies of the picture as well (`groups`); taking it back takes it back there, too, and
    what it had replaced stands again (`again`). `back` is the `cid` of what is taken back; where
    there is none, it is the last answer to the image. A skip leaves the person's own answer as it
    is. An entry that cannot be understood is reported in `problems` and acknowledged, so that it
    does not block the rest. A blind answer names a class: it is a keep where that is the given one.
    The route is `audit` where the row was drawn at random, else `queue`, whatever the browser says.
    One with the token of a hidden look (`look`) is stored apart and decides nothing.

    Raises:
        NotFound: the set is gone.
        Busy, ReadOnly, Damaged, NoAnswer: nothing can be saved now; what is not stored yet is to
            be sent again.
    """
    info = dataset_by_id(info.workspace, info.id)  # it may have got classes or images meanwhile
    ranked = scored(info)
    led = advised.rows_of(info, reviewer, entries)
    good, seen = list[Decision](), list[Decision]()
    acked, problems, meanwhile = [], [], []

    def store(more: Sequence[Decision] = ()) -> None:
        decisions.append(info, [*good, *more])
        good.clear()

    for entry in entries:
        cid = str(entry.get("cid", ""))[:80]
        try:
            look = _look(info, ranked, reviewer, entry, cid)
            if look is None:
                entry, changed = _with_class(info, entry)
                if changed is not info:
                    store()
                    info, ranked = changed, scored(changed)
                decision = advised.led(_decision(info, ranked, reviewer, entry, cid), led)
                checking.check(info, decision)
                numbers = _by_number(entry, decision).intersection(info.new_classes)
                if numbers and not decisions.is_stored(info, reviewer, cid):
                    store()  # what was answered a moment ago may have brought a class back
                    _offered(info, numbers)
        except (Busy, ReadOnly, NotFound, Damaged, NoAnswer):  # no fault of the entry
            raise
        except (LnlError, ValueError, TypeError, KeyError) as error:
            problems.append(f"An answer could not be stored: {error}")
            acked.append(cid)
        else:
            acked.append(cid)
            back = _back(entry)
            if look is not None:
                seen, more = _with_look(info, seen, look, back)
                meanwhile += more
                continue
            if decision.action is Action.SKIP:
                store()  # this person's answer may be among them
                if _has_answered(info, decision):
                    continue
            meanwhile += second.answered_before(info, decision)
            together = entry.get("together") is True
            if not together and decision.action is not Action.REOPEN:
                good.append(decision)
            elif not decisions.is_stored(info, reviewer, cid):
                store()  # what goes to copies, or is taken back there, depends on it
                if together:
                    store(groups.with_copies(info, decision, ranked))
                else:
                    there = decisions.of_rows(info, reviewer, [decision.row]).get(decision.row, [])
                    meanwhile += second.left_standing(decision, again.answers(there), back)
                    store(groups.taken_back(info, decision, back))
    store()
    stored_looks.append(info, seen)
    begin(info)
    return Recorded(acked, problems, meanwhile)


def _has_answered(info: DatasetInfo, skip: Decision) -> bool:
    """Tell whether whoever skips has said more of this image."""
    there = decisions.in_force(info, rows=[skip.row]).get(skip.row, [])
    return any(d.reviewer == skip.reviewer and d.action is not Action.SKIP for d in there)


def _back(entry: Mapping[str, Any]) -> str | None:
    cid = entry.get("back")
    return cid[:80] if isinstance(cid, str) else None


def _with_look(
    info: DatasetInfo, seen: list[Decision], look: Decision, back: str | None
) -> tuple[list[Decision], list[dict[str, Any]]]:
    """Return the hidden looks that are to be stored, and what is told of one that is taken back.

    Those before it are stored, where it depends on them.
    """
    if look.action not in (Action.REOPEN, Action.SKIP):
        return [*seen, look], []
    stored_looks.append(info, seen)
    if look.action is Action.SKIP:
        return [] if again.is_answered_look(info, look) else [look], []
    if again.is_stored_look(info, look):
        return [], []
    told = second.left_standing(look, again.of_look(info, look), back)
    return again.looks_back(info, look, back), told


def _look(
    info: DatasetInfo, ranked: Scored | None, reviewer: str, entry: Mapping[str, Any], cid: str
) -> Decision | None:
    """Return an answer as the hidden look that its token stands for; None where it is none."""
    route = looks.route_of(info, reviewer, int(entry["row"]), entry.get("look"))
    if route is None:
        return None
    entry, info = _with_class(info, looks.said(info, entry, route))
    decision = _decision(info, ranked, reviewer, entry, cid)
    checking.check(info, decision)
    return looks.look_of(decision, route)


def _with_class(
    info: DatasetInfo, entry: Mapping[str, Any]
) -> tuple[Mapping[str, Any], DatasetInfo]:
    """Return an entry with the numbers of the classes that it names, and the set that has them.

    The browser may have counted them otherwise. In journals of earlier versions `new_class` was the
    last of several classes that are right (`multiple`), too.
    """
    action, name = entry.get("action"), entry.get("new_class")
    if action == str(Action.RELABEL) and isinstance(name, str):
        info, label = add_class(info, name)
        return {**entry, "label": label}, info
    if action != str(Action.MULTIPLE):
        return entry, info
    labels = list(entry.get("labels") or [])
    for place, each in enumerate(_names(entry, len(labels))):
        if each:
            info, labels[place] = add_class(info, each)
    return {**entry, "labels": labels}, info


def _names(entry: Mapping[str, Any], n: int) -> list[str]:
    """Return what an entry calls each of its n labels; "" where the number stands.

    Raises:
        LnlError: they are no n texts.
    """
    last = entry.get("new_class")
    names = entry.get("named") or ([""] * (n - 1) + [last] if isinstance(last, str) and n else [])
    if names and (len(names) != n or not all(isinstance(each, str) for each in names)):
        raise LnlError("the names do not go with the labels.")
    return list(names)


def _by_number(entry: Mapping[str, Any], said: Decision) -> set[int]:
    """Return the classes that an answer gives by their numbers alone."""
    if said.action is Action.RELABEL:
        return set() if isinstance(entry.get("new_class"), str) else {int(said.label or 0)}
    names = _names(entry, len(said.labels)) or [""] * len(said.labels)
    return {label for label, name in zip(said.labels, names, strict=True) if not name}


def _offered(info: DatasetInfo, labels: set[int]) -> None:
    """Refuse a number whose class is offered no more: nobody is known to have meant it.

    Raises:
        LnlError: one of them is.
    """
    for label in labels.intersection(retired(info)):
        raise LnlError(
            f"“{info.class_names[label]}” is offered no more: its answers were taken back. Choose "
            "it by its name to bring it back."
        )


def _decision(
    info: DatasetInfo, ranked: Scored | None, reviewer: str, entry: Mapping[str, Any], cid: str
) -> Decision:
    """Make a decision of a browser's entry and add what the server knows was shown."""
    if not cid:
        raise LnlError("the entry has no cid.")
    row = int(entry["row"])
    if not 0 <= row < info.n:
        raise LnlError(f"row {row} is not in “{info.name}”.")
    if ranked is not None and not ranked.is_scored(row):
        ranked = None  # not scored yet: no method had a say
    label, labels = entry.get("label"), entry.get("labels") or []
    mode = str(entry.get("mode", "commit"))[:20]
    milliseconds = entry.get("ms")
    position = entry.get("position")
    score, suggested = None, None
    if ranked is not None:
        score, suggested = known_copies.score_and_class(info, ranked, row)
    said = Decision(
        row=row,
        action=Action(str(entry["action"])),
        reviewer=reviewer,
        label=None if label is None else int(label),
        labels=tuple(int(each) for each in labels),
        cid=cid,
        decided_at=_when(entry.get("at")),
        seconds=None if milliseconds is None else min(max(0.0, float(milliseconds) / 1000), 86400),
        given_label=int(loaded(info).given_labels[row]),
        suggested_label=suggested,
        p_wrong=score,
        run_ids=() if ranked is None else tuple(sorted(ranked.run_ids.values())),
        position=None if position is None else min(max(0, int(position)), info.n),
        mode=mode,
        revealed=bool(entry.get("revealed", False)),
    )
    return blind.judged(said)


def _when(value: Any) -> str:
    """Trust the browser's clock within a month back; the journal may be sent days later."""
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00")).astimezone(UTC)
    except ValueError:
        return now()
    present = datetime.now(UTC)
    if not present - timedelta(days=30) <= moment <= present:
        return now()
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
