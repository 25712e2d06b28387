"""The range of chances of a wrong label: two fields with free ends, one part of the address."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.review.filtering import BANDS, chance_ends, chance_text
from pages._review import misread

NAME = "p"
"""Part of the address."""

NAMED = {name: (low or None, high if high <= 1 else None) for name, (low, high) in BANDS.items()}
"""Ranges that have a name in the address."""

Ends = tuple[float | None, float | None]
"""From, and up to; None where it is free."""


def ends_of(text: str) -> Ends | None:
    """Return the range that a part of an address names; None where it names none."""
    return NAMED.get(text) or chance_ends(text)


def adopt(keys: tuple[str, str]) -> None:
    """Set the range that a link carries; what is none is noted and dropped."""
    asked = st.query_params.get(NAME)
    if asked is None:
        return
    found = ends_of(asked)
    if found is None:
        misread.note("chance", asked)
        del st.query_params[NAME]
        return
    for key, end in zip(keys, found, strict=True):
        st.session_state[key] = end


def publish(keys: tuple[str, str]) -> None:
    """Write the range into the address."""
    ends = st.session_state.get(keys[0]), st.session_state.get(keys[1])
    named = next((name for name, each in NAMED.items() if each == ends), "")
    if text := named or chance_text(*ends):
        st.query_params[NAME] = text
    else:
        st.query_params.pop(NAME, None)


def choose(keys: tuple[str, str], disabled: bool = False, keep: bool = True) -> Ends:
    """Draw the two fields and return the ends.

    Args:
        keys: of the two.
        disabled: nothing is scored yet.
        keep: the address and the session hold them by the rules of Review; else the page does.
    """
    low, high = (
        column.number_input(
            title,
            min_value=0.0,
            max_value=1.0,
            value=None,
            step=0.05,
            format="%g",
            placeholder="Any",
            key=key,
            disabled=disabled,
            persist_state="session" if keep else None,
            on_change=publish if keep else None,
            args=(keys,) if keep else (),
        )
        for column, title, key in zip(
            st.columns(2), ("Chance of a wrong label from", "up to"), keys, strict=True
        )
    )
    return low, high
