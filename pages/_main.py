"""The frame of every page: navigation, login, and in the sidebar data set, run and reviewer."""

import streamlit as st

from pages import _frame, _rescue, _tour, _ui, _who

st.set_page_config(
    page_title="LNL Review",
    page_icon=str(_ui.ASSETS / "icon.png"),
    layout="wide",
    initial_sidebar_state=240,
)
st.session_state["dialog_open"] = False  # a whole run closes what it does not open itself
_frame.style()
page = st.navigation(_ui.pages())
st.set_page_config(page_title=f"{page.title} · LNL Review")
with _ui.guard():
    _frame.require_login()
    _rescue.check()
    _frame.leave(page.title)
    _frame.sidebar()
    _who.need()
    _tour.bar(page.title.casefold())
    page.run()
