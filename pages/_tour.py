"""A lab meeting in seven captions: the photographs, page by page, with what to look at on each."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from lnl_core.services import touring
from pages import _ui

WHAT = "For a lab meeting: every method on the photographs, page by page."
"""What the button that starts it says."""


class Stop(NamedTuple):
    """One caption: the page it belongs to, its title, what to look at there."""

    page: str
    title: str
    words: str


STOPS = (
    Stop(
        "data",
        "A set as people labelled it",
        "600 photographs of clothing in 17 classes, one twelve times another. Nobody made a label "
        "wrong on purpose: the mistakes are those of the people who labelled.",
    ),
    Stop(
        "runs",
        "Five methods, one machine",
        "They run here, one after the other, beside the usual baselines, on features of a network "
        "that knows ImageNet. Two are reconstructions from their abstracts, and are called so.",
    ),
    Stop(
        "review",
        "Answer first",
        "Is the label right? K or W. Nobody sees a suggestion before the answer: shown first, it "
        "pulls people along even where it is wrong.",
    ),
    Stop(
        "review",
        "Then the evidence",
        "Press W: likely classes, where the network looks (C lays it over the image), the "
        "probability by epoch, what each method says, the nearest images. Z takes it back.",
    ),
    Stop(
        "explore",
        "Where the suspects lie",
        "Every image by what it looks like: suspects sit in the cloud of another class. Draw a "
        "loop around them, and they become a queue.",
    ),
    Stop(
        "compare",
        "Who found them",
        "324 labels were judged by hand before, 33 of them wrong; no method saw that. The curves "
        "are about these alone. Where plain cross-entropy is as good, the page says so.",
    ),
    Stop(
        "export",
        "Take it home",
        "Accepted corrections as CSV, or as a folder, cleanlab, FiftyOne or Label Studio files. "
        "Now bring a set of your own: Data, Add data set.",
    ),
)


def start() -> None:
    """Register the photographs, start what is not done yet, and go to the first stop."""
    with st.spinner("Opening the demo…"):
        info = touring.start_tour(_ui.workspace())
    st.session_state["dataset"] = info.name
    _ui.go(STOPS[0].page, dataset=info.name, tour="1")


def bar(page: str) -> None:
    """Draw the caption of the stop that the address names, above the page that it belongs to."""
    asked = st.query_params.get("tour", "")
    if asked.isdecimal() and 1 <= int(asked) <= len(STOPS):
        st.session_state["tour"] = int(asked)
    number = st.session_state.get("tour", 0)
    if not number:
        st.query_params.pop("tour", None)
        return
    st.query_params["tour"] = str(number)  # the navigation drops it
    stop = STOPS[number - 1]
    last = number == len(STOPS)
    with st.container(border=True, key="tour"):
        words, buttons = st.columns([1, 0.34 if number > 1 and not last else 0.24], gap="small")
        words.markdown(f":primary-badge[{number} of {len(STOPS)}] **{stop.title}.** {stop.words}")
        with buttons.container(
            horizontal=True,
            horizontal_alignment="right",
            vertical_alignment="center",
            gap="xsmall",
            height="stretch",
        ):
            if number > 1:
                st.button("Back", key="tour_back", on_click=_turn, args=(number - 1,))
            if page != stop.page:
                st.button("Go there", key="tour_to_page", on_click=_turn, args=(number,))
            elif not last:
                to = number + 1
                st.button("Next", key="tour_next", type="primary", on_click=_turn, args=(to,))
            st.button("End", key="tour_end", type="tertiary", on_click=_end)
    if "tour_to" in st.session_state:
        to = st.session_state.pop("tour_to")
        _ui.go(STOPS[to - 1].page, dataset=st.session_state["dataset"], tour=str(to))


def _turn(number: int) -> None:
    st.session_state["tour_to"] = number


def _end() -> None:
    st.session_state["tour"] = 0
    st.query_params.pop("tour", None)
