"""What a person sees where the workspace is damaged: what, what there is to restore, one button."""

from __future__ import annotations

import streamlit as st

from lnl_core.services import doctor
from lnl_core.types import Damaged, LnlError
from pages import _ui
from pages._words import plain, told


def check() -> None:
    """Let the page go on where the workspace opens; else say why not, and offer to restore it."""
    try:
        _ui.workspace()
    except Damaged as error:
        _draw(error)
        st.stop()


def _draw(error: Damaged) -> None:
    st.title("The database is damaged", anchor=False)
    report = doctor.look()
    damage = [each.problem for each in report.findings if each.restorable]
    words = damage[0] if damage else str(error)  # the button stands for the commands
    st.error(told(words), icon=":material/error:")
    for copy in report.copies[:5]:
        st.markdown(f"Copy {plain(copy.file.name)}: {copy.held}")
    if not report.restorable:
        return
    st.markdown(
        "Restoring starts from the newest whole copy that the database went on from, adds every "
        "answer that the damaged file still gives, and lists every data set whose folder is "
        "there. The damaged file is kept."
    )
    if st.button("Restore", type="primary", icon=":material/healing:", key="restore"):
        try:
            st.session_state["restored"] = doctor.restore()
        except LnlError as refused:
            st.error(told(refused), icon=":material/error:")
        else:
            st.rerun()


def say_broken() -> None:
    """Say on the Data page what was restored, and which sets cannot be opened."""
    for sentence in st.session_state.pop("restored", ()):
        st.success(plain(sentence), icon=":material/healing:")
    for each in doctor.broken(_ui.workspace()):
        name = plain(_ui.short(each.name, 40))
        st.error(f"**{name}** cannot be opened. {told(each.problem)}", icon=":material/error:")
