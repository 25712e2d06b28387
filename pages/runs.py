"""Runs: choose methods, know the cost before it starts, watch, compare the history."""

import streamlit as st

from pages import _ui
from pages._runs import history, live, methods, own

row = _ui.title_row("Runs")
info = _ui.need_dataset()
preset, device = methods.choices(row)
with st.container(key="runs_columns"):
    left, right = st.columns([596, 362], gap="small")
with left:
    methods.draw(info, preset, device)
    own.draw(info)
with right:
    live.draw(info)
history.draw(info)
