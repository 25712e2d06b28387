"""Single mode: one picture, its given label, one key per answer; evidence after the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages._components._assets import sent, stub

_HTML = """
<div class="room">
<div class="desk" tabindex="0" role="group" aria-label="Review, one image at a time">
<div class="strip" role="status" aria-live="off"></div>
<div class="wrap">
<section class="stagecol" aria-label="Image to review">
<div class="q"></div><div class="stage"></div><div class="keys"></div><div class="legend"></div>
</section>
<section class="panel" aria-label="Context"></section>
</div>
<div class="live" role="status" aria-live="polite"></div>
</div>
</div>
"""

_COMPONENT = st.components.v2.component(
    "lnl_review_queue",
    html=_HTML,
    js=stub("review"),
)


def review_queue(key: str, data: Mapping[str, Any]) -> str | None:
    """Draw the queue.

    Args:
        key: state lies under this key: `log`, the answers that the browser still holds, and
            `left`, the rows of a view that the person left as they were.
        data: items, classes, acknowledged answers, addresses: what `pages/review.py` sends.

    Returns:
        `page`, `clear`, `waits`, `export`, `team` or `goal` where the person asks for page mode,
        for no filters, for what was put off, for the Export page, for Team or for another goal,
        `row:N` for an image out of turn and `back` from it; else None.
    """
    result = _COMPONENT(
        key=key,
        data=sent(data),
        on_log_change=lambda: None,
        on_left_change=lambda: None,
        on_go_change=lambda: None,
    )
    go = result.get("go")
    return go if isinstance(go, str) else None
