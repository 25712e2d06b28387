"""What the methods say is held back until a person's own answer, outside of Review too.

In the mode Commit first a view of one image opens once the image has the reviewer's answer, or when
asked for; whoever asked has seen the suggestion, and later answers say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lnl_core.services.review import advised
from lnl_core.services.review.desk import is_open
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._review import narrowing

_ASKED, _SEEN = "unseen_asked", "unseen_seen"


def _of(info: DatasetInfo, row: int | None = None) -> tuple[str, int, int | None]:
    """Return what this reviewer has asked for or seen: another in this browser has not."""
    return _ui.reviewer(), info.id, row


def holds_back(info: DatasetInfo, row: int) -> bool:
    """Tell whether an image's views wait for this reviewer's answer."""
    asked = {_of(info), _of(info, row)} & st.session_state.get(_ASKED, set())
    return not narrowing.advises() and not asked and is_open(info, _ui.reviewer(), row)


def show_all(info: DatasetInfo) -> None:
    """Hold nothing back in this session, as the person has asked."""
    st.session_state.setdefault(_ASKED, set()).add(_of(info))


def allow(info: DatasetInfo, row: int) -> None:
    """Hold nothing of one image back: the person has its evidence on the screen already."""
    st.session_state.setdefault(_ASKED, set()).add(_of(info, row))


def note(info: DatasetInfo, row: int) -> None:
    """Remember that the person has seen what the methods say of an image without an answer."""
    if is_open(info, _ui.reviewer(), row):
        st.session_state.setdefault(_SEEN, set()).add(_of(info, row))
        advised.note_by(info, _ui.reviewer(), row)


def with_seen(info: DatasetInfo, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an answer as it came about: `revealed` where its views were seen before it."""
    row = entry.get("row")
    if isinstance(row, int) and _of(info, row) in st.session_state.get(_SEEN, set()):
        return {**entry, "revealed": True}
    return entry
