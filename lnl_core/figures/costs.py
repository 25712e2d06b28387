"""What each run cost, in four panels of bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lnl_core.figures.frame import legend_room, new_figure, strokes, text, wrapped
from lnl_core.figures.palette import Tone
from lnl_core.views import Candidate

if TYPE_CHECKING:
    import plotly.graph_objects as go


_COSTS = (
    ("seconds", "wall clock, s", 1.0, ",.0f"),
    ("cpu_seconds", "CPU time, s", 1.0, ",.0f"),
    ("peak_memory_bytes", "memory, GB", 1e-9, ".2f"),
    ("images", "1,000 images", 1e-3, ",.0f"),
)


_BETWEEN = 44
"""Pixels between two panels, one above the other."""


def _amount(value: float, form: str) -> str:
    """Write a cost; what would round to nothing keeps a digit."""
    return format(value, form) if value == 0 or value >= 1 else f"{value:.2g}"


def costs(
    candidates: Sequence[Candidate], tone: Tone, *, columns: int = len(_COSTS), bar: int = 28
) -> go.Figure | None:
    """Draw what each run cost, a panel of bars each; None where no run knows its cost.

    Args:
        candidates: runs, and those without a cost, which are left out.
        tone: of `palette.TONES`.
        columns: panels side by side; a telephone has room for one.
        bar: pixels for each run.
    """
    from plotly.subplots import make_subplots

    runs = [each for each in candidates if each.cost]
    if not runs:
        return None
    rows = -(-len(_COSTS) // columns)
    base = new_figure(
        "Cost of each run",
        "Measured while it ran, without shared features. Memory: its peak on top of the worker's.",
        tone,
        130 + max(70, bar * len(runs)) + (rows - 1) * (bar * len(runs) + _BETWEEN),
    )
    figure = make_subplots(
        rows,
        columns,
        shared_yaxes=True,
        horizontal_spacing=0.045,
        vertical_spacing=_BETWEEN / (bar * len(runs) + _BETWEEN) / max(rows, 2),
        subplot_titles=[each[1] for each in _COSTS],
    )
    kept = {k: v for k, v in base.layout.to_plotly_json().items() if not k.endswith("axis")}
    figure.update_layout(**kept)
    figure.update_layout(margin={"l": legend_room(runs), "r": 34, "t": 84, "b": 10})
    figure.update_annotations(font={"size": 12, "color": tone["muted"]}, yshift=2)
    lines = strokes(candidates, tone)
    colours = [lines[each.key]["color"] for each in runs]
    for place, (key, _, scale, form) in enumerate(_COSTS):
        row, column = 1 + place // columns, 1 + place % columns
        values = [each.cost.get(key) for each in runs]
        if key == "peak_memory_bytes":
            values = [value or None for value in values]  # too short to be measured
        shown = [None if value is None else value * scale for value in values]
        figure.add_bar(
            x=shown,
            y=list(range(len(runs))),
            orientation="h",
            width=0.62,
            marker={"color": colours, "cornerradius": 2},
            text=["" if value is None else _amount(value, form) for value in shown],
            textposition="outside",
            cliponaxis=False,
            textfont={"size": 12, "color": tone["text"]},
            customdata=[text(each.title, 40) for each in runs],
            hovertemplate="%{customdata}: %{x:,.2f}<extra></extra>",
            row=row,
            col=column,
        )
        largest = max((value for value in shown if value is not None), default=1) or 1
        figure.update_xaxes(range=[0, 1.28 * largest], row=row, col=column)
    figure.update_xaxes(
        showticklabels=False, showgrid=False, zeroline=True, zerolinecolor=tone["grid"],
        fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(runs))),
        ticktext=[wrapped(each.short) for each in runs],
        ticklabelstandoff=6,
        range=[len(runs) - 0.4, -0.6],
        showgrid=False,
        fixedrange=True,
        tickfont={"size": 12, "color": tone["text"]},
    )
    return figure
