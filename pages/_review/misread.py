"""What an address asks for and the set does not have, in one line, and what is shown instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages._words import plain, short

_NOTES = "misread"
"""What was not understood in this run of the script."""

_KEPT = "misread_kept"
"""What stays said, and the view that it was said of."""

MOST = 4
"""Parts that are named; of more, how many there are."""


def note(what: str, value: str) -> None:
    """Keep that a value of the address was not understood, for the line that says so.

    Args:
        what: it would be, as "class".
        value: as it stands in the address.
    """
    st.session_state.setdefault(_NOTES, []).append(f"{what} “{plain(short(value, 40))}”")


def draw(view: Any, instead: str) -> None:
    """Say what was not understood, until something else is chosen.

    Args:
        view: what is shown now; once it is another one the line goes.
        instead: what is shown, in words.
    """
    new: Sequence[str] = st.session_state.pop(_NOTES, [])
    if new:
        st.session_state[_KEPT] = (view, words(new))
    kept = st.session_state.get(_KEPT)
    if kept is None:
        return
    if kept[0] != view:
        del st.session_state[_KEPT]
        return
    st.caption(f":material/info: {kept[1]} {instead}")


def words(notes: Sequence[str]) -> str:
    """Return the sentence on what was not understood."""
    some = list(dict.fromkeys(notes))
    rest = len(some) - MOST
    more = f" and {rest} more" if rest > 0 else ""
    return f"The address was not understood in full: {', '.join(some[:MOST])}{more} left out."
