"""Copies of one picture at the desk: which they are, and one answer for all of them.

What a person says is about the picture. So the answer goes to every copy that nobody has settled
yet, as a decision of its own: where the copy already carries the label that was meant it is kept,
else it is relabelled. Such decisions have the mode `copies` and no time: they count as answered
images, not as looks. Their client ids begin with that of the answer, so that taking it back takes
back all of them.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from lnl_core.data import copies as finding
from lnl_core.review.copies import Groups
from lnl_core.services.in_force import Scored, Standing, loaded, score_shown, standing
from lnl_core.services.review import again
from lnl_core.store import datasets, decisions
from lnl_core.store.decisions import COPIES
from lnl_core.types import Action, BoolArray, DatasetInfo, Decision, IntArray

NAMED = 60
"""Copies of an image that the browser is told of, so that it shows none of them again."""

_LONGEST = 64
"""Letters of a client id that still leave room for a row."""

_looking: set[tuple[str, int]] = set()
_lock = threading.Lock()
log = logging.getLogger(__name__)


# Which they are ---------------------------------------------------------------------------------


def groups_of(info: DatasetInfo) -> Groups | None:
    """Return the copies of a data set, None where nobody has looked yet."""
    path = info.arrays / datasets.COPIES
    try:
        modified = path.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _groups(info, modified)


@lru_cache(maxsize=16)
def _groups(info: DatasetInfo, _modified: int) -> Groups | None:
    first = datasets.copies(info)
    return None if first is None else Groups(first)


def look_over(info: DatasetInfo, then: Callable[[], None] | None = None) -> threading.Thread | None:
    """Find the copies of a set from before there were groups, beside what goes on.

    Args:
        info: the data set.
        then: called once they are found.

    Returns:
        The thread that looks; None where they are known, or one is at it.
    """
    key = (str(info.arrays), info.id)
    with _lock:
        if key in _looking or datasets.copies(info) is not None:
            return None
        _looking.add(key)

    def work() -> None:
        try:
            finding.noted_of(info)
            if then is not None:
                then()
        except Exception:  # removed meanwhile, or no room: the next run looks again
            log.exception("copies of %s could not be looked for", info.name)

    thread = threading.Thread(target=work, name="copies", daemon=True)
    thread.start()
    return thread


def others(info: DatasetInfo, row: int) -> IntArray:
    """Return the other rows of an image's picture, rising; none where it comes once."""
    known = groups_of(info)
    if known is None:
        return np.zeros(0, np.int64)
    rows = known.of(row)
    rest: IntArray = rows[rows != row]
    return rest


@lru_cache(maxsize=2)
def own_copies(info: DatasetInfo, reviewer: str, now: Standing) -> BoolArray:
    """Return (n,) True where a reviewer's answer to another copy is all that anybody has said."""
    alone = np.zeros(info.n, bool)
    known = groups_of(info)
    if known is None or not len(known.rows) or not len(now.touched.get(reviewer, ())):
        return alone
    for row, action in decisions.with_cid(info, reviewer, "").items():
        others_said = int(now.looks[row]) - (action is not Action.SKIP)  # a skip is no look
        alone[row] = others_said <= 0 and not now.ruled[row]
    return alone


def facts(
    info: DatasetInfo, row: int, now: Standing, reviewer: str | None = None
) -> dict[str, object]:
    """Return what the browser may know of an image's copies before the answer of a reviewer.

    Keys: `group` (row of the first copy), `copies` (rows of others, the first 60, those without an
    answer first), `copies_total`, `copies_open` (to which an answer would go). Nothing where the
    picture comes once. Labels are not among them: they would tell what to say.
    """
    rest = others(info, row)
    if not len(rest):
        return {}
    settled = now.settled[rest]
    if reviewer is not None and settled.any():
        settled &= ~own_copies(info, reviewer, now)[rest]
    return {
        "group": int(min(row, rest[0])),
        "copies": rest[np.argsort(settled, kind="stable")][:NAMED].tolist(),
        "copies_total": len(rest),
        "copies_open": int((~settled).sum()),
    }


# One answer for all -----------------------------------------------------------------------------


def with_copies(
    info: DatasetInfo, said: Decision, ranked: Scored | None, *, anew: bool = True
) -> list[Decision]:
    """Return an answer, and one for each copy of its picture that is open to it.

    With `anew` it takes the place of what this reviewer said of the copies with another one.
    """
    rows = others(info, said.row)
    rows = rows[_open(info, said, anew)[rows]]
    given = loaded(info).given_labels
    made = [said]
    for row in rows.tolist():
        label = int(given[row])
        made.append(
            replace(
                _for_label(said, label),
                row=row,
                cid=copy_id(said.cid, row),
                seconds=None,
                given_label=label,
                suggested_label=None
                if ranked is None
                else int(ranked.ranking.suggested_labels[row]),
                p_wrong=None if ranked is None else score_shown(info, row),
                position=None,
                mode=COPIES,
                route=decisions.QUEUE if said.route == decisions.AUDIT else said.route,
            )
        )
    return made


def _open(info: DatasetInfo, said: Decision, anew: bool) -> BoolArray:
    """Return (n,) True where an answer that goes to copies as well changes nothing that stands."""
    now = standing(info)
    free = ~now.settled
    if said.action in (Action.UNSURE, Action.SKIP):
        free[now.touched.get(said.reviewer, [])] = False
    if anew and said.action is not Action.SKIP:  # a skip says nothing, so nothing gives way to it
        free |= own_copies(info, said.reviewer, now)
    return free


def _for_label(said: Decision, given: int) -> Decision:
    """Restate what a picture shows for a copy that is labelled `given`."""
    shows = said.given_label if said.action is Action.KEEP else said.label
    if said.action not in (Action.KEEP, Action.RELABEL) or shows is None:
        return said
    if shows == given:
        return replace(said, action=Action.KEEP, label=None)
    return replace(said, action=Action.RELABEL, label=shows)


def taken_back(info: DatasetInfo, said: Decision, cid: str | None) -> list[Decision]:
    """Return the taking back of an answer, and of what went to copies with it and still stands.

    What these had replaced, on the image and on each copy, stands again. `cid` names the answer, as
    `again.taken` has it; nothing where it does not stand.
    """
    there = again.answers(decisions.of_rows(info, said.reviewer, [said.row]).get(said.row, []))
    gone = again.taken(there, cid)
    if cid is not None and not gone:
        return []
    starts = tuple(copy_id(each.cid) for each in gone)
    went = [row for start in starts for row in decisions.with_cid(info, said.reviewer, start)]
    on_copies = decisions.of_rows(info, said.reviewer, went)
    blank = replace(said, seconds=None, position=None, mode=COPIES)
    given = loaded(info).given_labels
    made = again.taking(info, said, there, len(gone))
    for row in went:
        back = replace(blank, row=row, cid=copy_id(said.cid, row), given_label=int(given[row]))
        stand = again.answers(on_copies[row])
        with_it = itertools.takewhile(lambda each: each.cid.startswith(starts), reversed(stand))
        made += again.taking(info, back, stand, len(list(with_it)))
    return made


def spread(info: DatasetInfo, made: Sequence[Decision], named: set[int]) -> list[Decision]:
    """Return an answer for each copy that is open to what was said of its picture.

    Args:
        info: the data set.
        made: answers; of several to one picture by one person, the last that settles it goes to
            the copies, unless they contradict each other.
        named: rows that have answers of their own.
    """
    given = loaded(info).given_labels
    finding.noted_of(info)  # found now in a set from before there were groups
    pictures: dict[tuple[int, str], list[Decision]] = {}
    known = groups_of(info)
    for each in made:
        if known is not None and each.action is not Action.REOPEN:
            pictures.setdefault((int(known.first[each.row]), each.reviewer), []).append(each)
    more: list[Decision] = []
    for answers in pictures.values():
        settling = [each for each in answers if each.action not in (Action.UNSURE, Action.SKIP)]
        meant = {said_of_picture(each, int(given[each.row])) for each in settling}
        if len(meant) > 1:
            continue
        last = (settling or answers)[-1]
        last = replace(last, given_label=int(given[last.row]))
        more += [
            each for each in with_copies(info, last, None, anew=False)[1:] if each.row not in named
        ]
    return more


def said_of_picture(said: Decision, given: int) -> tuple[Action, int | None, frozenset[int]]:
    """Return what an answer says of the picture, whatever the copy is labelled."""
    if said.action is Action.KEEP:
        return Action.RELABEL, given, frozenset()
    return said.action, said.label, frozenset(said.labels)


def copy_id(cid: str, row: int | None = None) -> str:
    """Return the client id of an answer's part for a copy, or what those ids begin with."""
    if len(cid) > _LONGEST:
        cid = hashlib.sha256(cid.encode()).hexdigest()[:_LONGEST]
    return f"{cid}~" if row is None else f"{cid}~{row}"
