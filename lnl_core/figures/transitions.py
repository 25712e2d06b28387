"""Which class is given as which: expected images of each true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lnl_core.figures.frame import new_figure, text, write_cells
from lnl_core.figures.palette import Tone
from lnl_core.types import IntArray
from lnl_core.views import FEWEST_ERRORS, Matrix

if TYPE_CHECKING:
    import plotly.graph_objects as go


def tells(matrix: Matrix) -> bool:
    """Tell whether a matrix has anything to show beside its diagonal."""
    return bool(matrix.says.any())


def transitions(matrix: Matrix, class_names: Sequence[str], of: int, tone: Tone) -> go.Figure:
    """Draw the expected images of each true class among those given as one of `of` classes."""
    s = len(matrix.labels)
    own = np.eye(s, dtype=bool)
    many = matrix.says
    shown = np.where(many, matrix.share, np.nan)
    names = [text(class_names[label], 14) for label in matrix.labels]
    above = 106 + round(min(4.6 * max(2, *map(len, names)), 50))  # two lines, slanted names
    some = "" if s >= of else f" The {s} of {of:,} classes with most expected errors."
    sure = "95 % intervals under the pointer" if matrix.audits else "By the methods, not checked"
    figure = new_figure(
        "Given and true classes",
        f"Expected images of each true class (column) among those given as one (row).<br>{sure}; "
        f"empty: fewer than {FEWEST_ERRORS}, none found.{some}",
        tone,
        max(240, above + 14 + 27 * s),
        l=90,
        r=44,
        t=above,
        b=8,
    )
    figure.add_heatmap(
        z=np.where(own, 1.0, np.nan),
        colorscale=[[0, tone["grid"]], [1, tone["grid"]]],
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    most = max(float(np.nanmax(shown, initial=0.0)), 0.02)
    figure.add_heatmap(
        z=shown,
        zmin=0,
        zmax=most,
        colorscale=tone["scale"],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        customdata=[[_cell(matrix, i, j, names) for j in range(s)] for i in range(s)],
        hovertemplate="%{customdata}<extra></extra>",
    )
    if s <= 14:
        counts = np.where(many, matrix.images.astype(str), "")
        write_cells(figure, shown / most, counts.tolist(), tone)
    places: IntArray = np.arange(s)
    ticks = {"tickvals": places, "ticktext": names, "showgrid": False}
    ticks |= {"tickfont": {"size": 12, "color": tone["text"]}}
    figure.update_xaxes(
        side="top", tickangle=-40, title_text="true class", range=[-0.5, s - 0.5], **ticks
    )
    figure.update_yaxes(
        title_text="given class", ticklabelstandoff=4, range=[s - 0.5, -0.5], **ticks
    )
    return figure


def _cell(matrix: Matrix, i: int, j: int, names: list[str]) -> str:
    size = max(float(matrix.size[i]), 1)
    found = f"given {names[i]}, truly {names[j]}<br>{matrix.images[i, j]:,}"
    if matrix.audits:
        low, high = (size * float(end[i, j]) for end in (matrix.low, matrix.high))
        found += f" (95 %: {low:,.0f}–{high:,.0f})"
    return f"{found} of {size:,.0f} images"
