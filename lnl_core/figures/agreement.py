"""Where runs agree: a matrix with its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lnl_core.figures.frame import new_figure, text, wrapped
from lnl_core.figures.palette import Tone
from lnl_core.types import FloatArray
from lnl_core.views import Candidate

if TYPE_CHECKING:
    import plotly.graph_objects as go


_CELL = 16
"""Pixels of a column on a telephone, at least."""


def matrix(
    values: FloatArray,
    candidates: Sequence[Candidate],
    tone: Tone,
    *,
    title: str,
    sentence: str,
    height: int = 0,
) -> go.Figure:
    """Draw an agreement or overlap matrix with its numbers; the diagonal is left out."""
    m = len(candidates)
    names = [wrapped(each.short) for each in candidates]
    slanted = [text(each.short, 12) for each in candidates]  # the rows have them in full
    after = enumerate(reversed(slanted))  # columns to the right of each
    row = max(27, 6 + 15 * max((name.count("<br>") + 1 for name in names), default=1))
    right = max([14, *(round(5.4 * len(name)) - 6 - _CELL * i for i, name in after)])
    height = height or max(200, row * m + 106)
    figure = new_figure(title, sentence, tone, height, l=70, r=right, t=94, b=8)
    shown = np.array(values, np.float64)
    np.fill_diagonal(shown, np.nan)
    titles = [text(each.title, 40) for each in candidates]
    words = [
        [_two(value) if i != j else "" for j, value in enumerate(line)]
        for i, line in enumerate(np.asarray(values, np.float64))
    ]
    low = min(0.0, float(np.nanmin(shown))) if np.isfinite(shown).any() else 0.0
    figure.add_heatmap(
        z=shown,
        x=list(range(m)),
        y=list(range(m)),
        zmin=low,
        zmax=1,
        colorscale=tone["scale"],
        showscale=False,
        xgap=3,
        ygap=3,
        customdata=[
            [f"{a} and {b}: {_two(float(value))}" for b, value in zip(titles, line, strict=True)]
            for a, line in zip(titles, shown, strict=True)
        ],
        hovertemplate="%{customdata}<extra></extra>",
        hoverongaps=False,
    )
    places = [(i, j) for i in range(m) for j in range(m)]
    strong = np.nan_to_num(shown) > 0.72
    figure.update_layout(  # at once: one by one each looks through all before it
        annotations=[
            {
                "x": j,
                "y": i,
                "text": words[i][j],
                "showarrow": False,
                "font": {"color": tone["page"] if strong[i, j] else tone["text"], "size": 12},
            }
            for i, j in places
        ]
    )
    for axis, extra in (
        (figure.update_xaxes, {"side": "top", "tickangle": -40, "ticktext": slanted}),
        (figure.update_yaxes, {"range": [m - 0.5, -0.5], "ticktext": names}),
    ):
        axis(
            tickvals=list(range(m)),
            showgrid=False,
            tickfont={"size": 12, "color": tone["text"]},
            **extra,
        )
    # a name that leaves the axis is hidden otherwise
    figure.update_xaxes(range=[-0.5, m - 0.5], ticklabeloverflow="allow")
    return figure


def _two(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    if abs(value) == 1:
        return f"{value:.0f}"
    return f"{min(max(value, -0.99), 0.99):.2f}".replace("0.", ".", 1)
