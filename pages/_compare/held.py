"""Before a person's own answer, what methods say of one image is held back on Compare, too."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.in_force import loaded
from lnl_core.types import DatasetInfo
from pages import _ui
from pages._review import unseen
from pages._ui import plain


def back(info: DatasetInfo, row: int, place: str) -> bool:
    """Draw the image alone where an answer is still owed; else remember that it is seen.

    Args:
        place: the view, a word for the keys of its buttons.
    """
    if not unseen.holds_back(info, row):
        unseen.note(info, row)
        return False
    _alone(info, row, place)
    return True


def _alone(info: DatasetInfo, row: int, place: str) -> None:
    data = loaded(info)
    given = info.class_names[int(data.given_labels[row])]
    card = st.container(
        border=True,
        horizontal=True,
        vertical_alignment="center",
        gap="medium",
        key=f"{place}_held",
    )
    with card.container(width=148):
        _ui.thumbs(info, [row], side=140)
    with card.container(width="stretch", gap="small"):
        st.markdown(f"Labelled **{plain(_ui.short_name(given))}**")
        st.markdown(
            "You have not answered this image yet, and Review is in Commit first: what the methods "
            "say would sway your answer."
        )
        with st.container(horizontal=True, gap="small"):
            answer = "Answer it in Review"
            if st.button(answer, icon=":material/rate_review:", key=f"{place}_answer"):
                _ui.go("review", dataset=info.name, id=str(data.ids[row]))
            st.button(
                "Show all the same",
                key=f"{place}_show",
                on_click=unseen.show_all,
                args=(info,),
                help="For this visit. Your answer to an image seen here is recorded as one that "
                "had seen the suggestion.",
            )
