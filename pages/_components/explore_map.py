"""The map of Explore: a canvas that draws a million points, and sends loops instead of points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._components._assets import sent, stub

_HTML = """
<div class="room">
<div class="desk map">
<div class="maphead"></div>
<div class="fieldbox">
<div class="tools" role="toolbar" aria-label="Map"></div>
<div class="field" tabindex="0" role="application">
<canvas class="dots"></canvas><div class="names" aria-hidden="true"></div>
<canvas class="over"></canvas>
<div class="card" hidden></div>
<div class="note"></div>
</div>
</div>
<div class="live" role="status" aria-live="polite"></div>
</div>
</div>
"""

_COMPONENT = st.components.v2.component(
    "lnl_explore_map",
    html=_HTML,
    js=stub("map"),
)

_NEAR = st.components.v2.component(
    "lnl_explore_neighbours",
    html='<div class="room"><div class="desk near"></div></div>',
    js=stub("near"),
)


def explore_map(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the map and return its state: `loop` (`id`, `points`) and `chosen` (`id`, `row`).

    Args:
        key: state lies under this key.
        data: addresses of points, colours, one point and thumbnails; title, legend, class names.
    """
    result = _COMPONENT(
        key=key,
        data=sent(data),
        on_loop_change=lambda: None,
        on_chosen_change=lambda: None,
    )
    return {"loop": result.get("loop"), "chosen": result.get("chosen")}


def neighbours(key: str, data: Mapping[str, Any]) -> int | None:
    """Draw an image with its neighbours; return the row that was just asked for.

    Args:
        key: of the component.
        data: `chosen`, `groups` of images with a sentence each, address of thumbnails.
    """
    row = _NEAR(key=key, data=sent(data), on_opened_change=lambda: None).get("opened")
    return row if isinstance(row, int) else None
