"""How Compare shows a figure: in the theme's colours, with a camera that saves it."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from lnl_core.services.figures import TONES
from lnl_core.store.datasets import DatasetInfo


def tone() -> dict[str, Any]:
    """Return the colours of the theme that the browser shows."""
    return TONES["dark" if st.context.theme.type == "dark" else "light"]


def draw(figure: Any, name: str, info: DatasetInfo, alt: str, *, key: str = "") -> None:
    """Show a figure with the one button of its tool bar: save the picture.

    Args:
        figure: of `services.figures`.
        name: of the file, beside the data set's.
        info: the data set.
        alt: what it shows, for who cannot see it.
        key: where the same figure is drawn twice on a page.
    """
    form = str(st.session_state.get("picture_format") or "SVG").lower()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{info.name} {name}").strip("-")[:80]
    st.plotly_chart(
        figure,
        theme=None,
        key=key or name,
        alt=alt,
        config={
            "displaylogo": False,
            "displayModeBar": "hover",
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": form, "filename": stem, "scale": 2},
            "scrollZoom": False,
        },
    )
