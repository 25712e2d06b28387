"""Data: what there is, how far each review is, and how to add one."""

import streamlit as st

from lnl_core.services.datasets import catalog
from pages import _rescue, _ui
from pages._data import arriving, demo, first, sets
from pages._data import cards as _cards
from pages._data import incoming as _import

if st.session_state.pop("open_demo", False):
    demo.open_demo()

with _ui.computing("cards", 258):
    cards = catalog.overview(_ui.workspace())
_rescue.say_broken()
if not cards:
    first.draw()
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
arriving.draw()
_cards.draw(cards)
info = _ui.dataset()
if info is not None:
    sets.draw(info)
_import.show_dialog()
