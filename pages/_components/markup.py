"""Markup that our own figures made, inline drawings included, which `st.html` would take out.

Whoever makes the markup escapes what people typed: `lnl_core.figures.panel` does.
"""

from __future__ import annotations

import streamlit as st

from lnl_core.figures.panel import STYLE

_PANEL = st.components.v2.component(
    "lnl_panel",
    html='<div class="place"></div>',
    css=STYLE,
    js=r"""
export default function ({ data, parentElement }) {
  const place = parentElement.querySelector(".place");
  if (place.dataset.shown === data.html) return;
  place.dataset.shown = data.html;
  place.innerHTML = data.html;
}
""",
)


def panel(html: str, key: str) -> None:
    """Show a panel of `figures.panel`; it is drawn again only where it has changed."""
    _PANEL(key=key, data={"html": html})
