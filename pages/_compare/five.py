"""Compare, five views: one image as every published method sees it."""

from __future__ import annotations

import streamlit as st

from lnl_core.figures import panel as drawing
from lnl_core.services.compare import five_views
from lnl_core.services.compare.five_views import ALL, SPLIT, Lists
from lnl_core.services.in_force import loaded, scored
from lnl_core.types import DatasetInfo, IntArray
from lnl_core.views import Comparison
from pages import _figures, _ui, _urls, _words
from pages._compare import held
from pages._components.markup import panel
from pages._review.answers import row_of
from pages._ui import plain

QUEUE = "queue"
"""The list of all images in the order of the consensus."""


def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw a list to walk through, and the panel of the image at hand."""
    there = five_views.lists(info)
    rows = _list(info, there)
    row = _image(info, rows)
    if row is None:
        st.info("No image in this list. Choose another one.", icon=":material/info:")
        return
    _start_absent(info)
    if held.back(info, row, "five"):
        return
    html = drawing.panel(
        five_views.views(info, row),
        lambda other, size: _urls.image_url(info.id, info.version, size).replace(
            "{row}", str(other)
        ),
        _figures.tone(),
        large=_ui.presents(),
    )
    panel(html, key=f"five_panel_{info.id}")


def _start_absent(info: DatasetInfo) -> None:
    """Offer to run the published methods that have no run, with what that costs."""
    there = five_views.absent(info)
    if not there.runs:
        return
    names = ", ".join(plain(title) for title in there.titles)
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="small", key="five_absent"
    ):
        one = len(there.runs) == 1
        label = "Run it" if one else f"Run these {len(there.runs)}"
        pressed = st.button(label, icon=":material/play_arrow:", type="primary", key="five_run")
        st.markdown(
            f"**about {_words.about(there.seconds)}** in all, {_words.gigabytes(there.held)} at "
            f"most, preset {five_views.PRESET}: {names}.  \n"
            ":gray[:small[Estimated for the processor here. They run one after another, and their "
            "columns fill as they end.]]",
            width="stretch",
        )
    if pressed and _ui.act(five_views.start_absent, info, by=_ui.reviewer()):
        st.rerun()


# Which image ----------------------------------------------------------------------------------


def _list(info: DatasetInfo, there: Lists) -> IntArray:
    """Let a person choose what to walk through: rows, the most suspicious first."""
    ranked = scored(info)
    assert ranked is not None
    words = {QUEUE: "All images, most suspicious first"}
    for name, rows in there.rows.items():
        if len(rows):
            words[name] = _named(name, rows, there)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="five_row"):
        chosen = st.selectbox(
            "Images",
            list(words),
            format_func=lambda name: words.get(name, name),
            key=f"five_list_{info.id}",
            label_visibility="collapsed",
            width=380,
            on_change=_leave_image,
        )
        _steps(info)
    if there.left_words:
        st.caption(there.left_words)
    return there.rows.get(chosen, ranked.ranking.order)


def _named(name: str, rows: IntArray, there: Lists) -> str:
    title = {
        ALL: f"All {there.asked} expect another class",
        SPLIT: "Methods disagree",
    }.get(name, f"Only {name} expects another class")
    known = there.right.get(name)
    known_words = "" if known is None else f", {_words.percent(known)} really wrong"
    return f"{title}: {_words.count(len(rows))}{known_words}"


def _leave_image() -> None:
    st.query_params.pop("id", None)


def _steps(info: DatasetInfo) -> None:
    """Draw the two buttons; what they do is worked out once the list is known."""
    for step, label, icon in (
        (-1, "Previous", ":material/arrow_back:"),
        (1, "Next", ":material/arrow_forward:"),
    ):
        if st.button(label, icon=icon, key=f"five_step_{step}"):
            st.session_state["five_step"] = step
    asked = st.query_params.get("id")
    if asked is not None and st.button("Open in Review", type="tertiary", key="five_review"):
        _ui.go("review", dataset=info.name, id=asked)


def _image(info: DatasetInfo, rows: IntArray) -> int | None:
    """Return the row that the address names, moved by a button; the list's first without one."""
    step = st.session_state.pop("five_step", 0)
    asked = st.query_params.get("id")
    row = -1 if asked is None else row_of(info, asked)
    if asked is not None and row < 0:
        st.toast(f"There is no image “{plain(_ui.short(asked, 40))}” in this set.")
    if not len(rows):
        return row if row >= 0 else None
    at = (rows == row).nonzero()[0] if row >= 0 else []
    if row < 0 or step:
        place = (int(at[0]) + step) % len(rows) if len(at) else 0
        row = int(rows[place])
    identity = str(loaded(info).ids[row])
    if asked != identity:
        st.query_params["id"] = identity
    return row
