"""Page mode: twelve images of one given class, and which of them are not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._components._assets import sent, stub

_HTML = """
<div class="room">
<div class="desk" tabindex="0" role="group" aria-label="Review, twelve images of one class">
<div class="strip" role="status" aria-live="off"></div>
<div class="wrap">
<section class="stagecol" aria-label="Images to review">
<div class="q"></div><div class="page12" role="group"></div><div class="legend"></div>
</section>
<section class="panel" aria-label="Page"></section>
</div>
<div class="live" role="status" aria-live="polite"></div>
</div>
</div>
"""

_COMPONENT = st.components.v2.component(
    "lnl_page_grid",
    html=_HTML,
    js=stub("page"),
)


def page_grid(key: str, data: Mapping[str, Any]) -> str | None:
    """Draw the page.

    Args:
        key: state lies under this key: `log`, the answers that the browser still holds, and
            `marked`, the rows of the last committed page that are to follow one by one.
        data: pages of items, classes, acknowledged answers, addresses.

    Returns:
        `single`, `clear`, `export`, `team` or `goal` where the person asks for single mode, for no
        filters, for the Export page, for Team or for another goal, else None.
    """
    result = _COMPONENT(
        key=key,
        data=sent(data),
        on_log_change=lambda: None,
        on_marked_change=lambda: None,
        on_go_change=lambda: None,
    )
    go = result.get("go")
    return go if isinstance(go, str) else None
