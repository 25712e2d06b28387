"""Where two classes meet: what people disagree on, and the guide of both, asked for there."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from lnl_core.services.datasets import settings
from lnl_core.services.explore import definitions
from lnl_core.services.explore.definitions import Definition
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._words import count, plain, plural, short, short_name

MOST = 3
"""Disputed pairs shown beside the most frequent ones."""


def draw(info: DatasetInfo, given: int, other: int) -> None:
    """Draw the way into one pair's definition; of the two directions only once on a page."""
    definition = definitions.definition(info, given, other)
    label = "Unclear" if definition.disputed else "Guide"
    icon = ":material/forum:" if definition.disputed else ":material/menu_book:"
    key = f"pair_{definition.one}_{definition.two}"
    with st.popover(label, icon=icon, type="tertiary", key=key):
        _body(info, definition)


def draw_others(info: DatasetInfo, shown: Collection[frozenset[int]]) -> None:
    """Draw the disputed pairs that are not shown yet."""
    rest = [each for each in definitions.disputed(info) if {each.one, each.two} not in shown]
    for pair in rest[:MOST]:
        one, two = _names(info, pair)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            st.markdown(f":small[{one} or {two}]", width="content")
            draw(info, pair.one, pair.two)


def _body(info: DatasetInfo, pair: Definition) -> None:
    st.markdown(words(info, pair))
    known = settings.guides(info)
    with st.form(f"guide_{pair.one}_{pair.two}", border=False):
        texts = {
            name: st.text_area(
                f"What belongs to {plain(short(name, 30))}, and what does not",
                value=known.get(name, ""),
                max_chars=settings.GUIDE_LENGTH,
                height=80,
            )
            for name in (info.class_names[pair.one], info.class_names[pair.two])
        }
        pressed = st.form_submit_button("Save the guide", icon=":material/save:")
    if pressed:
        _ui.act(settings.set_guides, info, known | texts, done="Review shows the guide now.")


def _names(info: DatasetInfo, pair: Definition) -> tuple[str, str]:
    one, two = (plain(short_name(info.class_names[label], 20)) for label in (pair.one, pair.two))
    return one, two


def words(info: DatasetInfo, pair: Definition) -> str:
    """Say which way the reviewed images of a pair went, and whether people agree."""
    one, two = _names(info, pair)
    if not pair.reviewed:
        return (
            f"**{one} or {two}**: no image of this pair has an answer yet. A sentence for each "
            "class, seen beside every image in Review, settles most doubts before they arise."
        )
    parts = [
        f"{count(pair.kept.get(label, 0))} stayed {name}, {count(pair.moved.get(label, 0))} of "
        f"{name} went to {other}"
        for label, name, other in ((pair.one, one, two), (pair.two, two, one))
        if pair.kept.get(label) or pair.moved.get(label)
    ]
    for number, what in (
        (pair.both, "are both"),
        (pair.unsure, "are unsure"),
        (pair.split, "are answered differently by two people"),
    ):
        if number:
            parts.append(f"{count(number)} {what}")
    said = f"**{one} or {two}**: of {plural(pair.reviewed, 'answered image')}, {'; '.join(parts)}."
    if pair.twice:
        said += f" Of {count(pair.twice)} seen by two people, they agree on {count(pair.agreed)}."
    if pair.disputed:
        said += (
            f"  \n{pair.words(one, two)} Say here what belongs to which: it is shown beside every "
            "image of the two in Review."
        )
    return said
