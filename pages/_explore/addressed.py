"""Explore's filters in the address, in the words that Review's address has for them.

A part may have several values: `given=1&given=3`. What the page itself wrote there is not read
again; what somebody else wrote, a link or a saved filter, is.
"""

from __future__ import annotations

import streamlit as st

from lnl_core.services.datasets.copied import KINDS
from lnl_core.services.explore import filters
from lnl_core.services.explore.embedding import VERDICTS
from lnl_core.services.in_force import scored
from lnl_core.services.review.filtering import BANDS
from lnl_core.services.workspace import reviewers
from lnl_core.types import DatasetInfo

LISTS = {
    "given": "given",
    "suggested": "suggested",
    "levels": "p",
    "verdicts": "verdict",
    "copies": "copies",
    "splits": "split",
}
"""Filter with any number of values -> its part of the address."""

ONES = {"caller": "by_method", "who": "by", "path": "path"}
"""Filter with one value -> its part of the address."""

OPEN = "open"
"""The verdict of an image that nobody has answered."""

UNJUDGED = "unjudged"
"""The level of an image that no method has judged without being told."""

COLOUR, OF = "colour", "of"
"""What colours the map, and whose suspicion it is: levels are of the same method."""

_PUBLISHED = "explore_published"


def key(info: DatasetInfo, name: str) -> str:
    """Return the key of a filter's widget."""
    return f"explore_{name}_{info.id}"


def words(info: DatasetInfo, name: str) -> list[str]:
    """Return what the address calls the values of a filter, in their order."""
    classes = [str(label) for label in range(info.class_count)]
    return {
        "given": classes,
        "suggested": classes,
        "levels": [*BANDS, UNJUDGED],
        "verdicts": [OPEN if each is None else str(each) for each in VERDICTS],
        "copies": list(KINDS),
        "splits": filters.splits(info),
    }[name]


def adopt(info: DatasetInfo) -> None:
    """Set the filters that a link carries; what the set does not have is dropped."""
    said = {part: st.query_params.get_all(part) for part in (*LISTS.values(), *ONES.values())}
    if said == st.session_state.get(_PUBLISHED):
        return
    for name, part in LISTS.items():
        if said[part]:
            there = words(info, name)
            places = [place for place, word in enumerate(there) if word in said[part]]
            st.session_state[key(info, name)] = places
    ranked = scored(info)
    known = {
        "caller": [] if ranked is None else list(ranked.run_ids),
        "who": reviewers(info.workspace),
        "path": said["path"],
    }
    for name, part in ONES.items():
        if said[part] and said[part][-1] in known[name]:
            st.session_state[key(info, name)] = said[part][-1]


def adopt_colour(info: DatasetInfo, kinds: list[str], scorers: list[str]) -> None:
    """Set the colours that a link carries."""
    if (colour := st.query_params.get(COLOUR)) in kinds:
        st.session_state["explore_colour"] = colour
    if (method := st.query_params.get(OF)) in scorers:
        st.session_state[key(info, "method")] = method
    for part in (COLOUR, OF):
        st.query_params.pop(part, None)


def publish(info: DatasetInfo, colour: str | None, method: str | None) -> None:
    """Write the filters in force into the address, so that it can be shared.

    Args:
        info: the data set.
        colour: of the map; None where it is the usual one.
        method: whose suspicion colours it; None for all.
    """
    published: dict[str, list[str]] = {}
    for name, part in LISTS.items():
        there = words(info, name)
        places = st.session_state.get(key(info, name)) or []
        published[part] = [there[place] for place in sorted(places) if place < len(there)]
    for name, part in ONES.items():
        value = str(st.session_state.get(key(info, name)) or "").strip()
        published[part] = [value] if value else []
    for part, values in published.items():
        _write(part, values)
    st.session_state[_PUBLISHED] = published
    _write(COLOUR, [colour] if colour else [])
    _write(OF, [method] if method else [])


def _write(part: str, values: list[str]) -> None:
    if values:
        st.query_params[part] = values
    else:
        st.query_params.pop(part, None)


def forget(info: DatasetInfo) -> None:
    """Take all filters away, from the widgets and from the address."""
    for name in LISTS:
        st.session_state[key(info, name)] = []
    for name in ("caller", "who"):
        st.session_state[key(info, name)] = None
    st.session_state[key(info, "path")] = ""
    for part in (*LISTS.values(), *ONES.values(), OF):
        st.query_params.pop(part, None)
