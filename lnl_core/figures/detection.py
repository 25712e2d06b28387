"""How well runs find wrong labels: precision by recall, and labels found for the effort."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.frame import legend_height, legend_room, new_figure, strokes, text, wrapped
from lnl_core.figures.palette import Tone
from lnl_core.views import Candidate, Comparison

if TYPE_CHECKING:
    import plotly.graph_objects as go


def _line(
    figure: go.Figure, candidate: Candidate, x: Any, y: Any, line: Mapping[str, Any], hover: str
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line=dict(line),
        name=wrapped(candidate.short),
        hovertemplate=f"{text(candidate.title, 40)}: {hover}<extra></extra>",
    )


def precision_recall(comparison: Comparison, tone: Tone, height: int = 286) -> go.Figure:
    """Draw precision against recall, the best on top of the legend."""
    drawn, lines = _drawn(comparison), strokes(comparison.candidates, tone)
    figure = new_figure(
        "Precision and recall",
        "How pure the queue is as more is found: higher is better.",
        tone,
        max(height, legend_height(drawn)),
    )
    for each in drawn:
        d = comparison.detections[each.key]
        _line(figure, each, d.found[1:] / d.total, d.precision[1:], lines[each.key],
              "precision %{y:.2f} at recall %{x:.2f}")  # fmt: skip
    figure.update_xaxes(
        title_text="recall: share of wrong labels found", range=[0, 1.01], dtick=0.25
    )
    figure.update_yaxes(title_text="precision", range=[0, 1.04], dtick=0.25)
    figure.update_layout(showlegend=True, margin_r=legend_room(drawn))
    return figure


def _beside(depth: Any, found: Any, seen: int, wrong: int, reach: float) -> dict[str, Any]:
    """Return where the words on what people found stand: off the best curve, and inside.

    They take up to two thirds of the plot's width: beside a dot in its middle, the legend began
    under them, so there they stand above or below it.
    """
    below = wrong < np.interp(seen, depth, found)
    side = "left" if seen < reach / 3 else "right" if seen > 2 * reach / 3 else "center"
    off = 8 if side == "center" else 3
    return {
        "xanchor": side,
        "xshift": {"left": 9, "center": 0, "right": -9}[side],
        "yanchor": "top" if below else "bottom",
        "yshift": -off if below else off,
    }


def effort(comparison: Comparison, tone: Tone, height: int = 286) -> go.Figure:
    """Draw wrong labels found against images reviewed, beside chance."""
    drawn, lines = _drawn(comparison), strokes(comparison.candidates, tone)
    figure = new_figure(
        "Wrong labels found for the effort",
        "What a reviewer finds who goes down the list: steeper is better.",
        tone,
        max(height, legend_height(drawn)),
    )
    first = comparison.detections[drawn[0].key]
    reach = min(first.size, max(5 * first.total, comparison.reviewed[0] * 1.1, 10))
    for each in drawn:
        d = comparison.detections[each.key]
        _line(
            figure, each, d.depth, d.found, lines[each.key], "%{y:,.0f} found after %{x:,} images"
        )
    figure.add_scatter(
        x=[0, first.size],
        y=[0, first.total],
        mode="lines",
        line={"color": tone["edge"], "width": 1.4, "dash": "dot"},
        name="by chance",
        hovertemplate="by chance: %{y:,.0f} found after %{x:,} images<extra></extra>",
    )
    figure.add_hline(
        y=first.total,
        line={"color": tone["edge"], "width": 1, "dash": "dot"},
        annotation={
            "text": f"all {first.total:,.0f}",
            "font": {"color": tone["muted"]},
            "xanchor": "left",
            "x": 0.01,
            "yshift": 0,
        },
    )
    seen, wrong = comparison.reviewed
    if 0 < seen <= reach:
        figure.add_scatter(
            x=[seen],
            y=[wrong],
            mode="markers",
            marker={"size": 11, "color": tone["accent"]},
            name="people",
            hovertemplate="people: %{x:,} seen, %{y:,} found<extra></extra>",
        )
        figure.add_annotation(
            x=seen,
            y=wrong,
            text=f"<b>people: {seen:,} seen, {wrong:,} found</b>",
            showarrow=False,
            font={"color": tone["text"]},
            bgcolor=tone["page"],  # curves run below it
            borderpad=2,
            **_beside(first.depth, first.found, seen, wrong, reach),
        )
    figure.update_xaxes(
        title_text="images reviewed, most suspicious first",
        range=[0, reach],
        tickformat=",",
        nticks=6,
    )
    figure.update_yaxes(
        title_text="wrong labels found", range=[0, 1.1 * first.total], tickformat=",", nticks=6
    )
    figure.update_layout(showlegend=True, margin_r=legend_room(drawn))
    return figure


def _drawn(comparison: Comparison) -> list[Candidate]:
    return [each for each in comparison.ordered() if each.key in comparison.detections]
