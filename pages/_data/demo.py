"""The demo sets, in one press: register, score, and go to where the queue opens."""

from __future__ import annotations

import streamlit as st

from lnl_core.services.datasets import catalog
from pages import _ui
from pages._data import arriving


def open_demo(name: str = catalog.PHOTOGRAPHS) -> None:
    """Register a demo set, start scoring it, and go to Review."""
    with st.spinner("Opening the demo…"):
        info = catalog.add_demo(_ui.workspace(), name)
    arriving.score(info)
