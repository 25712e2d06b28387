"""Runs: the recipe and more methods, their cost before they start, watching, the history."""

from contextlib import nullcontext

import streamlit as st

from pages import _ui
from pages._runs import added, history, live, methods, own, recipe

row = _ui.title_row("Runs")
info = _ui.need_dataset()
device = methods.machine(row)
added.draw(info)
with st.container(key="runs_columns"):
    left, right = st.columns([1, 1] if _ui.roomy() else [596, 362], gap="small")
with left:
    recipe.draw(info, device)
    methods.draw(info, device)
    own.draw(info)
with right:
    live.draw(info)
with right if _ui.roomy() else nullcontext():
    history.draw(info)
