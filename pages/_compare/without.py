"""Compare without a truth: what is missing for curves, one press to it, and what shows without."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from lnl_core.services.compare import five_views
from lnl_core.services.compare.five_views import SPLIT
from lnl_core.services.compare.missing import Missing, missing
from lnl_core.services.compare.truth import AUDITS_NEEDED, WRONG_NEEDED
from lnl_core.services.in_force import loaded
from lnl_core.services.review.goals import PACE
from lnl_core.types import DatasetInfo
from lnl_core.views import Comparison
from pages import _ui, _urls, _words
from pages._compare import agreement
from pages._ui import plain

_SHOWN = 10
"""Images of each group at most: one row of a page, more on a telephone."""

_GROUPS = 3


# What is missing ------------------------------------------------------------------------------


def missing_card(info: DatasetInfo, comparison: Comparison) -> None:
    """Say what curves wait for and what it costs, with the press that leads to it."""
    found = missing(info, comparison.candidates, _ui.reviewer())
    with st.container(border=True, key="missing_card"):
        said, act = st.columns([70, 30], gap="medium", vertical_alignment="center")
    said.markdown(
        f"**{_heading(found)}**  \n{plain(_so_far(found))}  \n:small[:gray[{plain(_why(found))}]]"
    )
    with act:
        if st.button(
            "Check images in random order",
            icon=":material/casino:",
            type="primary",
            key="missing_start",
            width="stretch",
        ):
            in_random_order(info)
        st.caption("or make a truth in the noise lab, above")


def in_random_order(info: DatasetInfo) -> None:
    """Open Review in random order, one image at a time, not narrowed by any filter."""
    st.session_state["review_order"] = "random"
    st.session_state["review_view_next"] = "single"
    st.session_state["review_clear"] = True
    _ui.go("review", dataset=info.name)


def _heading(found: Missing) -> str:
    if found.drawn >= AUDITS_NEEDED:
        return "Too few wrong labels are known to tell which method finds them"
    return "Which method finds wrong labels best is not known yet"


def _so_far(found: Missing) -> str:
    words = f"{_words.plural(found.drawn, 'settled random check')} so far"
    if found.drawn:
        words += f", {_words.count(found.wrong)} found wrong"
    if found.told:
        words += f" ({_words.count(found.told)} more that these runs were told of judge nothing)"
    whose = "your pace" if found.own_pace else f"{PACE:.0f} s an image"
    return (
        f"{words}; {_words.count(found.more)} more are needed, about "
        f"{_words.about(max(found.seconds, 1))} at {whose}."
    )


def _why(found: Missing) -> str:
    words = (
        f"Precision needs answers: {AUDITS_NEEDED} images that chance drew, {WRONG_NEEDED} of them "
        "wrong. Answers from the queue alone cannot say it: they are the most suspicious ones."
    )
    if found.share is None:
        return words
    return (
        f"{words} Of the labels without an answer {_words.percent(found.share)} are expected to be "
        "wrong. The same checks tell how many are left."
    )


# Where methods are apart ----------------------------------------------------------------------


def apart(info: DatasetInfo) -> None:
    """Draw the images on which methods disagree, and those that one alone calls wrong."""
    there = five_views.lists(info)
    alone = sorted(
        (name for name in there.rows if name not in (five_views.ALL, SPLIT)),
        key=lambda name: -len(there.rows[name]),
    )
    groups = [name for name in (SPLIT, *alone) if len(there.rows.get(name, ()))][:_GROUPS]
    with st.container(border=True, key="apart_card", gap="small"):
        if not groups:
            st.markdown("**Where methods disagree**")
            st.caption(
                "One method alone has nothing to disagree with; a second run brings images here."
                if there.asked < 2
                else "No image is called wrong by some methods and right by others."
            )
        for name in groups:
            rows = there.rows[name]
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                st.markdown(_title(name, len(rows), there.asked), width="stretch")
                st.button(
                    "Walk through",
                    icon=":material/arrow_forward:",
                    type="tertiary",
                    on_click=_walk,
                    args=(info, name),
                    key=f"apart_{name}",
                )
            _strip(info, rows[:_SHOWN].tolist())
        if there.left_words:
            st.caption(there.left_words)


def _title(name: str, number: int, asked: int) -> str:
    images = _words.plural(number, "image")
    if name == SPLIT:
        return f"**Methods disagree**  :small[:gray[{images}, {asked} methods asked]]"
    return f"**Only {plain(name)} expects another class**  :small[:gray[{images}]]"


def _walk(info: DatasetInfo, name: str) -> None:
    st.session_state["compare_turn"] = st.session_state.get("compare_turn", 0) + 1
    st.query_params["view"] = "five"
    st.session_state[f"five_list_{info.id}"] = name
    st.query_params.pop("id", None)


def view_key() -> str:
    """Return the key of the choice of views: a new one each time that a press leads to a view.

    The browser would show the old choice otherwise: of a known widget it takes no other default.
    """
    turn = st.session_state.get("compare_turn", 0)
    return f"compare_view_{turn}" if turn else "compare_view"


def _strip(info: DatasetInfo, rows: Sequence[int]) -> None:
    given = loaded(info).given_labels
    figures = "".join(_picture(info, row, info.class_names[int(given[row])]) for row in rows)
    columns = f"repeat(auto-fill,minmax(max(64px,(100% - {8 * _SHOWN}px)/{_SHOWN}),1fr))"
    st.html(f'<div style="display:grid;gap:8px;grid-template-columns:{columns}">{figures}</div>')


def _picture(info: DatasetInfo, row: int, given: str) -> str:
    name = escape(_ui.short_name(given), quote=True)
    return (
        f'<figure style="margin:0;min-width:0"><img src="{_urls.thumb_url(info, row)}"'
        f' alt="labelled {name}" loading="lazy" style="width:100%;aspect-ratio:1;object-fit:cover;'
        'border-radius:4px"><figcaption style="font-size:13px;line-height:20px;white-space:nowrap;'
        f'overflow:hidden;text-overflow:ellipsis" title="{name}">{name}</figcaption></figure>'
    )


# Orders and costs -----------------------------------------------------------------------------


def orders_and_costs(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw the agreement of the orders, and below it what each run took."""
    if not agreement.nothing(comparison.correlation):
        with st.container(border=True, key="orders_card"):
            agreement.orders(info, comparison, small=True)
    agreement.draw_costs(info, comparison)
