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
from lnl_core.services.review.filtering import BANDS, chance_ends, chance_text
from lnl_core.services.workspace import reviewers
from lnl_core.types import DatasetInfo
from pages._review import misread

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

CHANCE = ("low", "high")
"""Ends of a range of chances, free where they are None; it stands in the part of the levels."""

OPEN = "open"
"""The verdict of an image that nobody has answered."""

UNJUDGED = "unjudged"
"""The level of an image that no method has judged without being told."""

COLOUR, OF = "colour", "of"
"""What colours the map, and whose suspicion it is: levels are of the same method."""

_WHAT = {
    "given": "class",
    "suggested": "class",
    "levels": "chance",
    "verdicts": "answer",
    "copies": "kind of copies",
    "splits": "split",
    "caller": "method",
    "who": "reviewer",
    "path": "path",
}
"""What a value of a filter would be, in the words of a note."""

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
    """Set the filters that a link carries; what the set does not have is noted and dropped."""
    for name in (*LISTS, *CHANCE, *ONES):
        if (field := key(info, name)) in st.session_state:  # told to fields drawn late, too
            st.session_state[field] = st.session_state[field]
    said = {part: st.query_params.get_all(part) for part in (*LISTS.values(), *ONES.values())}
    if said == st.session_state.get(_PUBLISHED):
        return
    for name, part in LISTS.items():
        if said[part]:
            there = words(info, name)
            places = [place for place, word in enumerate(there) if word in said[part]]
            st.session_state[key(info, name)] = places
            unknown = [word for word in said[part] if word not in there]
            if name == "levels":
                unknown = _adopt_chance(info, unknown)
            for word in unknown:
                misread.note(_WHAT[name], word)
    ranked = scored(info)
    known = {
        "caller": [] if ranked is None else list(ranked.run_ids),
        "who": reviewers(info.workspace),
        "path": said["path"],
    }
    for name, part in ONES.items():
        if said[part] and said[part][-1] in known[name]:
            st.session_state[key(info, name)] = said[part][-1]
        elif said[part]:
            misread.note(_WHAT[name], said[part][-1])


def _adopt_chance(info: DatasetInfo, words: list[str]) -> list[str]:
    """Set the range of chances that is among some words; return the others."""
    rest = []
    for word in words:
        if (ends := chance_ends(word)) is None:
            rest.append(word)
            continue
        for name, end in zip(CHANCE, ends, strict=True):
            st.session_state[key(info, name)] = end
    return rest


def adopt_colour(info: DatasetInfo, kinds: list[str], scorers: list[str]) -> None:
    """Set the colours that a link carries."""
    if (colour := st.query_params.get(COLOUR)) in kinds:
        st.session_state["explore_colour"] = colour
    elif colour is not None:
        misread.note("colour", colour)
    if (method := st.query_params.get(OF)) in scorers:
        st.session_state[key(info, "method")] = method
    elif method is not None:
        misread.note("method", method)
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
    low, high = (st.session_state.get(key(info, name)) for name in CHANCE)
    published["p"] += [text] if (text := chance_text(low, high)) else []
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
    for name in ("caller", "who", *CHANCE):
        st.session_state[key(info, name)] = None
    st.session_state[key(info, "path")] = ""
    for part in (*LISTS.values(), *ONES.values(), OF):
        st.query_params.pop(part, None)
