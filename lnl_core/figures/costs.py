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
    ("peak_memory_bytes", "peak memory, GB", 1e-9, ".2f"),
    ("images", "images shown, thousands", 1e-3, ",.0f"),
)


def _amount(value: float, form: str) -> str:
    """Write a cost; what would round to nothing keeps a digit."""
    return format(value, form) if value == 0 or value >= 1 else f"{value:.2g}"


def costs(candidates: Sequence[Candidate], tone: Tone) -> go.Figure | None:
    """Draw what each run cost, four panels of bars; None where no run knows its cost."""
    from plotly.subplots import make_subplots

    runs = [each for each in candidates if each.cost]
    if not runs:
        return None
    base = new_figure(
        "Cost of each run",
        "Measured while it ran, without features that runs share. Memory: on top of the worker's.",
        tone,
        max(200, 28 * len(runs) + 130),
    )
    figure = make_subplots(
        1, 4, shared_yaxes=True, horizontal_spacing=0.045, subplot_titles=[c[1] for c in _COSTS]
    )
    kept = {k: v for k, v in base.layout.to_plotly_json().items() if not k.endswith("axis")}
    figure.update_layout(**kept)
    figure.update_layout(margin={"l": legend_room(runs), "r": 34, "t": 84, "b": 10})
    figure.update_annotations(font={"size": 12, "color": tone["muted"]}, yshift=2)
    lines = strokes(candidates, tone)
    colours = [lines[each.key]["color"] for each in runs]
    for column, (key, _, scale, form) in enumerate(_COSTS, start=1):
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
            row=1,
            col=column,
        )
        largest = max((value for value in shown if value is not None), default=1) or 1
        figure.update_xaxes(range=[0, 1.28 * largest], row=1, col=column)
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
