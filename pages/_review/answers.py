"""Answers between the browser and the store, and what the address or the browser asks to see."""

from __future__ import annotations

from collections.abc import Mapping, Set
from functools import lru_cache
from typing import Any

import streamlit as st

from lnl_core.services.in_force import loaded
from lnl_core.services.review.desk import is_open
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.recording import record
from lnl_core.types import DatasetInfo, LnlError
from pages._review import misread, narrowing, unseen
from pages._words import plain, told

LONGEST_LOG = 5000
ASKED = "review_asked"
"""The row that a tab showed before a reload, and asked for."""

ANEW = "review_anew"
"""How often what was skipped or is unsure was asked for: each time all of it comes."""

TOLD = 20
"""Answers to images that had been answered elsewhere that the browser is told of, the last ones."""


def _log(key: str) -> list[Mapping[str, Any]]:
    """Return the answers that a component holds; whatever else a browser sends is left out."""
    state = st.session_state.get(key) or {}
    log = state.get("log")
    if not isinstance(log, list):
        return []
    return [entry for entry in log[:LONGEST_LOG] if isinstance(entry, dict)]


def store(info: DatasetInfo, who: str, key: str) -> list[str]:
    """Store the answers that are new and return the ids of all that are stored."""
    entries = _log(key)
    stored: dict[str, int] = st.session_state.setdefault(f"{key}-stored", {})
    fresh = [entry for entry in entries if str(entry.get("cid", ""))[:80] not in stored]
    if fresh:
        try:
            done = record(info, who, [unseen.with_seen(info, entry) for entry in fresh])
        except LnlError as error:  # the browser keeps them and sends them again
            st.error(told(error), icon=":material/error:")
            return []
        for problem in done.problems[:3]:
            st.toast(plain(problem), icon=":material/error:")
        if done.meanwhile:
            st.session_state[f"{key}-meanwhile"] = [*meanwhile(key), *done.meanwhile][-TOLD:]
        for cid, entry in zip(done.acked, fresh, strict=True):
            row = entry.get("row")
            stored[cid] = row if isinstance(row, int) else -1
        rows = (entry.get("row") for entry in fresh)
        _let_go(info, who, {row for row in rows if isinstance(row, int)})
    return [str(entry.get("cid", "")) for entry in entries]


def _let_go(info: DatasetInfo, who: str, answered: Set[Any]) -> None:
    """Take an image out of the address with its answer, or the next one where it has its own."""
    if any(row in answered or not is_open(info, who, row) for row in focus_of(info)):
        point_at_none()


def meanwhile(key: str) -> list[dict[str, Any]]:
    """Return the last answers to images that had been answered elsewhere, with those answers."""
    told: list[dict[str, Any]] = st.session_state.get(f"{key}-meanwhile", [])
    return told


def come_back(info: DatasetInfo, who: str, row: int) -> None:
    """Show the image again that a tab showed before, unless it has its answer."""
    st.session_state[ASKED] = row
    if row < info.n and is_open(info, who, row):
        point_at(info, row)


def point_at(info: DatasetInfo, row: int) -> None:
    """Put an image into the address: by its id, in Blind by its number, for an id may tell."""
    point_at_none()
    if narrowing.hides_labels():
        st.query_params["row"] = str(row)
    else:
        st.query_params["id"] = str(loaded(info).ids[row])


def point_at_none() -> None:
    """Take the image out of the address."""
    st.query_params.pop("id", None)
    st.query_params.pop("row", None)


def answered_under(key: str, filters: Filters) -> set[int]:
    """Return the rows answered since filters are in force, which their queue need not repeat."""
    rows = list(st.session_state.get(f"{key}-stored", {}).values())
    before, count = st.session_state.get(f"{key}-under", (None, 0))
    if before != filters:
        count = len(rows)
        st.session_state[f"{key}-under"] = (filters, count)
    return set(rows[count:])


def left_as_it_was(info: DatasetInfo, key: str, view: str) -> set[int]:
    """Return the rows that the person passed by in a queue, leaving their answers as they were."""
    left = (st.session_state.get(key) or {}).get("left")
    if not isinstance(left, dict) or left.get("view") != view:
        return set()
    rows = left.get("rows")
    rows = rows if isinstance(rows, list) else []
    return {row for row in rows if isinstance(row, int) and 0 <= row < info.n}


def ask_anew(key: str) -> None:
    """Have the queue under its filters begin anew, with what was answered under them, too."""
    st.session_state.pop(f"{key}-under", None)
    st.session_state[ANEW] = st.session_state.get(ANEW, 0) + 1


def note_unknown(info: DatasetInfo) -> None:
    """Note an image that the address names and the set does not have, and take it out."""
    asked, number = st.query_params.get("id"), st.query_params.get("row")
    known = row_of(info, asked) if asked is not None else _row(info, number)
    if known < 0 and (asked, number) != (None, None):
        misread.note("image", str(number if asked is None else asked))
        point_at_none()


def _row(info: DatasetInfo, number: str | None) -> int:
    """Return the row of a number in an address; -1 where there is none."""
    text = number or ""
    return int(text) if text.isdecimal() and len(text) < 12 and int(text) < info.n else -1


def focus_of(info: DatasetInfo) -> list[int]:
    """Return the row that the address asks for (`?id=` or `?row=`), until it has its answer."""
    asked, number = st.query_params.get("id"), st.query_params.get("row")
    if asked is None and number is None:
        return []
    row = _row(info, number) if asked is None else row_of(info, asked)
    if row < 0:
        point_at_none()
        return []
    return [row]


@lru_cache(maxsize=256)
def row_of(info: DatasetInfo, identity: str) -> int:
    """Return the row of an image's id, -1 where there is none; it takes a while in large sets."""
    ids: Any = loaded(info).ids
    return int(ids.positions([identity])[0])


def follow_up(info: DatasetInfo, key: str) -> list[int]:
    """Return the rows marked on the page committed last, as far as the browser's word is good.

    They lie under the component's key, of one set and one reviewer: nobody else in this browser is
    asked about them.
    """
    marked = (st.session_state.get(key) or {}).get("marked")
    if isinstance(marked, dict) and marked.get("time") != st.session_state.get(f"{key}-marked"):
        st.session_state[f"{key}-marked"] = marked.get("time")
        rows = marked.get("rows")
        if isinstance(rows, list):
            good = [row for row in rows[:12] if isinstance(row, int) and 0 <= row < info.n]
            st.session_state[f"{key}-follow"] = good
    return list(st.session_state.get(f"{key}-follow", ()))


def follow_no_more(key: str) -> None:
    """Leave the rows marked on a page for later."""
    st.session_state.pop(f"{key}-follow", None)
