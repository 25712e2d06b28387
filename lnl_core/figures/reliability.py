"""Chances beside what was so: a reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lnl_core.figures.frame import new_figure
from lnl_core.figures.palette import Tone
from lnl_core.views import Reliability

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SMALLEST, _LARGEST = 6, 18
"""Pixels across the dots of the smallest and the largest bin."""


def reliability(found: Reliability, tone: Tone, height: int = 286) -> go.Figure:
    """Draw the share of wrong labels against the chance that was promised, with intervals."""
    figure = new_figure(
        "Are the chances true?",
        "Share that is wrong by the chance promised; true on the dotted line.",
        tone,
        height,
    )
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": tone["edge"], "width": 1.4, "dash": "dot"},
        hoverinfo="skip",
    )
    grown = np.sqrt(found.counts / max(int(found.counts.max(initial=1)), 1))
    figure.add_scatter(
        x=found.promised,
        y=found.found,
        mode="markers",
        marker={
            "size": _SMALLEST + (_LARGEST - _SMALLEST) * grown,
            "color": tone["accent"],
            "opacity": 1,
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": found.high - found.found,
            "arrayminus": found.found - found.low,
            "color": tone["muted"],
            "thickness": 1.3,
            "width": 3,
        },
        customdata=np.column_stack([found.counts, found.low, found.high]),
        hovertemplate=(
            "%{customdata[0]:,} images: %{x:.2f} promised, %{y:.2f} wrong "
            "(%{customdata[1]:.2f} to %{customdata[2]:.2f})<extra></extra>"
        ),
    )
    figure.update_xaxes(title_text="p wrong, mean of the bin", range=[-0.02, 1.02], dtick=0.25)
    figure.update_yaxes(title_text="share really wrong", range=[-0.02, 1.04], dtick=0.25)
    return figure
