"""A filter of the queue that the address carries, so that a link shows what its sender saw."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from pages._review import misread


def adopt(key: str, name: str, there: Collection[str], what: str) -> None:
    """Set a filter that a link carries; note and drop one that the set has no images for.

    Args:
        key: of the widget.
        name: in the address.
        there: what can be chosen.
        what: it is, in the words of a note.
    """
    asked = st.query_params.get(name)
    if asked in there:
        st.session_state[key] = asked
    elif asked is not None:
        misread.note(what, asked)
        del st.query_params[name]
    if st.session_state.get(key) not in (None, *there):
        del st.session_state[key]


def publish(key: str, name: str) -> None:
    """Write what is chosen into the address."""
    chosen = st.session_state.get(key)
    if isinstance(chosen, str):
        chosen = chosen.strip()
    if chosen is None or (chosen == "" and key == "review_path"):
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = chosen
