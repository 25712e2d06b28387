"""Runs: images that came after the runs behind the ranking, and the press that scores them."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.runs import again, control, running
from lnl_core.types import DatasetInfo
from pages import _ui, _words


def draw(info: DatasetInfo) -> None:
    """Say how many images have no score and offer to score them; nothing where all have one."""
    images = again.unscored(info)
    if not images:
        return
    with st.container(
        border=True, horizontal=True, vertical_alignment="center", gap="small", key="added_card"
    ):
        has = "has" if images == 1 else "have"
        words = f"**{_words.plural(images, 'image')} {has} no score**: added since the runs ended."
        if control.underway(info):
            st.markdown(f"{words}  \n:gray[:small[Runs are on their way.]]", width="stretch")
            return
        told = running.told_words(info)
        small = f"The runs of the ranking start again. {told}".strip()
        st.markdown(f"{words}  \n:gray[:small[{small}]]", width="stretch")
        if st.button(
            "Score it" if images == 1 else "Score them",
            icon=":material/play_arrow:",
            type="primary",
            key="score_added",
        ) and _ui.act(again.score_added, info, _ui.reviewer()):
            st.rerun()
