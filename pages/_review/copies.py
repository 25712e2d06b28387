"""The queue's filter for pictures that a set holds more than once."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.datasets import copied
from lnl_core.types import DatasetInfo
from pages._review import addressed

KEY, NAME = "review_copies", "copies"
"""The widget, and its part of the address."""

COUNTS = {"all": "pictures", "labels": "different_labels", "splits": "across_splits"}
"""Kind of copies -> what counts the pictures of that kind."""


def kinds(info: DatasetInfo) -> dict[str, str]:
    """Return the kinds of copies that a set holds, in words; empty where nothing comes twice."""
    counts = copied.known(info)
    return {
        kind: f"{words[0].upper()}{words[1:]} ({counts[COUNTS[kind]]:,})"
        for kind, words in copied.KINDS.items()
        if counts.get(COUNTS[kind])
    }


def from_address(info: DatasetInfo) -> None:
    """Set the filter that a link carries; drop one that the set has no images for."""
    addressed.adopt(KEY, NAME, kinds(info), "kind of copies")


def choose(info: DatasetInfo) -> str | None:
    """Draw the filter, where there are copies, and return the kind that is chosen."""
    there = kinds(info)
    if not there:
        return None
    return st.selectbox(
        "Pictures",
        list(there),
        index=None,
        format_func=lambda kind: there.get(kind, kind),
        placeholder="Any",
        key=KEY,
        persist_state="session",
        on_change=addressed.publish,
        args=(KEY, NAME),
    )
