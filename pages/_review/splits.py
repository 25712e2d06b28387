"""The queue's filter for the split that an image came in."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.explore import filters
from lnl_core.types import DatasetInfo
from pages._review import addressed
from pages._words import short

KEY, NAME = "review_split", "split"
"""The widget, and its part of the address."""


def names(info: DatasetInfo) -> list[str]:
    """Return the splits that a set's images came in, `(none)` last where some came in none."""
    return [name or "(none)" for name in filters.splits(info)]


def from_address(info: DatasetInfo) -> None:
    """Set the filter that a link carries; drop one that the set does not have."""
    addressed.adopt(KEY, NAME, filters.splits(info), "split")


def choose(info: DatasetInfo) -> str | None:
    """Draw the filter, where there are splits, and return the one that is chosen."""
    there = filters.splits(info)
    if not there:
        return None
    chosen: str | None = st.selectbox(
        "Split",
        there,
        index=None,
        format_func=lambda name: short(name, 40) if name else "(none)",
        placeholder="Any",
        key=KEY,
        persist_state="session",
        on_change=addressed.publish,
        args=(KEY, NAME),
    )
    return chosen
