"""Data: what there is, how far each review is, and how to add one."""

import streamlit as st

from lnl_core import services
from lnl_core.services import incoming
from pages import _cards, _demo, _first, _import, _sets, _ui

if st.session_state.pop("open_demo", False):
    _demo.open_demo()
    st.rerun()

with st.skeleton(height=258):
    cards = services.overview(_ui.workspace())
if not cards:
    _first.draw()
    st.stop()

row = _ui.title_row("Data")
kind = row.menu_button(
    "Add data set",
    list(_import.WAYS),
    icon=":material/add:",
    format_func=lambda key: _import.WAYS[key].title,
    key="add",
)
if kind:
    _import.ask(kind)
if _demo.watching():
    _demo.watch()
if incoming.imports(_ui.workspace()):
    _import.draw_imports()
_cards.draw(cards)
info = _ui.dataset()
if info is not None:
    _sets.draw(info)
_import.show_dialog()
