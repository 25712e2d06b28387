"""The first visit: two demos in one press each, five ways to bring data, what happens then."""

from __future__ import annotations

import json

import streamlit as st

from lnl_core.services.datasets import catalog
from pages import _tour, _ui
from pages._data import arriving, demo, incoming

_STEPS = (
    (
        "Score",
        "Methods learn from your images and mark labels that do not fit. The first queue takes "
        "under a minute.",
    ),
    (
        "Review",
        "One key per image: right, wrong or unsure. What you find is saved at once and can be "
        "undone.",
    ),
    ("Export", "Corrections as CSV, with who decided what and when. Originals are never changed."),
)


def draw() -> None:
    """Draw the whole page."""
    _ui.title_row("Find the wrong labels in an image set")
    arriving.draw()
    if arriving.awaited() is not None:
        incoming.show_dialog()
        return
    busy = arriving.underway()
    left, right = st.columns([1.35, 1], gap="small")
    with left, st.container(height="stretch", gap="small", key="demo_cards"):
        with st.container(border=True, height="stretch", key="demo_card", gap="small"):
            _photographs_card(quiet=busy or incoming.asked() is not None)
        with st.container(border=True, key="digits_card", gap="xsmall"):
            _digits_card()
    with right.container(border=True, height="stretch", key="own_card", gap="xsmall"):
        _own_card()
    _steps()
    st.caption("Everything stays on this computer. No account, no telemetry.")
    incoming.show_dialog()


def _photographs_card(quiet: bool) -> None:
    st.header("Try it on real photographs", anchor=False)
    st.markdown(
        "600 photographs of clothing, with the labels and the mistakes of the people who "
        "labelled them. Already on your disk, works offline.",
        width=460,
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        # Enter must not reach this button while a dialog is open in front of it.
        pressed = st.button(
            "Open the demo",
            icon=":material/play_arrow:",
            type="primary",
            width=170,
            shortcut=None if quiet else "Enter",
            key="demo",
        )
        toured = st.button(
            "Tour in seven steps",
            type="tertiary",
            key="tour_start",
            help=_tour.WHAT,
        )
        st.caption("First queue in under a minute.", width="content")
    if toured:
        _tour.start()
    if pressed:
        demo.open_demo()
    st.space("stretch")
    st.markdown("**Four of these labels are wrong.**")
    tiles = json.loads((_ui.ASSETS / "demo_clothing.json").read_text())
    with st.grid(6, min_column_width=70, gap=(2, 10), key="photographs"):
        for tile in tiles:
            st.image(
                str(_ui.ASSETS / "clothing" / tile["file"]),
                caption=tile["label"],
                width="stretch",
                alt=f"a photograph labelled {tile['label']}",
            )


def _digits_card() -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
        st.markdown(
            "**Or handwritten digits**  \n:gray[:small[1,797 of them, 15\u202f% wrong on "
            "purpose: all of the truth is known.]]",
            width="stretch",
        )
        if st.button("Open the digits", icon=":material/play_arrow:", key="digits"):
            demo.open_demo(catalog.DIGITS)
    tiles = json.loads((_ui.ASSETS / "demo_digits.json").read_text())
    with st.container(horizontal=True, gap="xsmall", wrap=False, key="digits_strip"):
        for tile in tiles[:12]:
            st.image(
                str(_ui.ASSETS / "demo" / tile["file"]),
                width=33,
                alt=f"a digit labelled {tile['label']}",
            )


def _own_card() -> None:
    st.header("Or bring your own", anchor=False)
    st.caption("Read in place; the originals are never changed.")
    with st.container(key="ways", gap=None):
        for kind, way in incoming.WAYS.items():
            if way.public:
                continue
            st.button(
                f"{way.title}  \n:gray[:small[{way.caption}]]",
                icon=f":material/{way.icon}:",
                type="tertiary",
                width="stretch",
                wrap=True,
                key=f"way_{kind}",
                on_click=incoming.ask,
                args=(kind,),
            )
    st.space("stretch")
    st.caption("Not sure? Choose a folder; the form is recognised and shown before the import.")
    st.button(
        ":small[:gray[No images at hand? CIFAR-10 with human labels, by network]]",
        type="tertiary",
        key="public_ask",
        on_click=incoming.ask,
        args=("public",),
    )


def _steps() -> None:
    for number, (column, (title, text)) in enumerate(zip(st.columns(3), _STEPS, strict=True)):
        with column.container(horizontal=True, gap="small", wrap=False):
            st.markdown(f":gray-badge[**{number + 1}**]", width="content")
            st.markdown(f"**{title}**  \n:gray[:small[{text}]]")
