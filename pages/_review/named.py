"""What narrows the queue, in a few words each, for the button that opens the filters."""

from __future__ import annotations

import streamlit as st

from lnl_core.services import methods
from lnl_core.types import DatasetInfo
from pages._review import copies, narrowing, splits
from pages._words import plain, plural


def in_force(info: DatasetInfo, images: int) -> list[str]:
    """Return the filters that are set, one each; a range of chances is one.

    Args:
        images: of the selection that is shown, 0 where none is.
    """
    of = st.session_state.get
    classes = {key: of(key) for key in ("review_given", "review_suggested")}
    named = [
        plural(images, "selected image") if images else "",
        *("" if label is None else info.class_names[label] for label in classes.values()),
        methods.title(method) if (method := of(narrowing.METHOD[0])) else "",
        narrowing.VERDICTS.get(of(narrowing.VERDICT[0]) or "", ""),
        _range(*(of(key) for key in narrowing.CHANCE)),
        of(narrowing.WHO[0]) or "",
        f"“{text}”" if (text := (of(narrowing.PATH[0]) or "").strip()) else "",
        copies.kinds(info).get(of(copies.KEY) or "", ""),
        "" if (split := of(splits.KEY)) is None else split or "in no split",
        "answered too" if of("review_again") else "",
        "to be labelled" if of("review_to_label") else "",
    ]
    return [each for each in named if each]


def label(named: list[str]) -> str:
    """Return the button's label: how many there are, for the row has no room for more."""
    return f"Filters ({len(named)})" if named else "Filters"


def whole(named: list[str]) -> str | None:
    """Return all of them for the button's tooltip, None where there are none."""
    return "In force: " + ", ".join(plain(each) for each in named) if named else None


def _range(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if low is None or high is None:
        return f"p up to {high:g}" if low is None else f"p from {low:g}"
    return f"p {low:g} to {high:g}"
