"""Runs: choose methods, know the cost before it starts, watch, compare the history."""

import streamlit as st

from pages import _history, _live, _methods, _own, _ui

row = _ui.title_row("Runs")
info = _ui.need_dataset()
preset, device = _methods.choices(row)
left, right = st.columns([596, 362], gap="small")
with left:
    _methods.draw(info, preset, device)
    _own.draw(info)
with right:
    _live.draw(info)
_history.draw(info)
