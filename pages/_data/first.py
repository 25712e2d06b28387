"""The first visit: the demo in one press, five ways to bring data, what happens then."""

from __future__ import annotations

import json

import streamlit as st

from pages import _tour, _ui
from pages._data import demo, incoming

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
    busy = incoming.draw_imports() or demo.watching()
    if demo.watching():
        demo.watch()
    left, right = st.columns([1.35, 1], gap="small")
    with left.container(border=True, height="stretch", key="demo_card", gap="small"):
        _demo_card(quiet=busy or incoming.asked() is not None)
    with right.container(border=True, height="stretch", key="own_card", gap="xsmall"):
        _own_card()
    _steps()
    st.caption("Everything stays on this computer. No account, no telemetry.")
    incoming.show_dialog()


def _demo_card(quiet: bool) -> None:
    st.header("Try it on the demo set", anchor=False)
    st.markdown(
        "1,797 handwritten digits, 15\u202f% of the labels made wrong on purpose. "
        "Already on your disk, works offline.",
        width=420,
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
        st.rerun()
    st.space("stretch")
    st.markdown("**Five of these labels are wrong.**")
    tiles = json.loads((_ui.ASSETS / "demo_digits.json").read_text())
    # Three rows of six in a narrow window, two of nine in a wide one.
    with st.grid(9, min_column_width=70, gap=(2, 10), key="digits"):
        for tile in tiles:
            st.image(
                str(_ui.ASSETS / "demo" / tile["file"]),
                caption=str(tile["label"]),
                width="stretch",
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
