"""Accuracy of a network before and after its labels were corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lnl_core.figures.frame import new_figure
from lnl_core.figures.palette import Tone

if TYPE_CHECKING:
    import plotly.graph_objects as go


LABELS = ("given labels", "corrected labels")


def before_after(result: Mapping[str, Any] | None, tone: Tone, height: int = 300) -> go.Figure:
    """Draw a network's accuracy on held-out images, trained on given and on corrected labels.

    Args:
        result: as the task `retrain` writes it; where there is none the axes wait for it.
        tone: of `palette.TONES`.
        height: in pixels.
    """
    figure = new_figure(
        "Accuracy before and after",
        "The same small network, the same seed, the same held-out images; whiskers: 95 % "
        "binomial interval.",
        tone,
        height,
        l=52,
        b=34,
    )
    if result is None:
        figure.add_annotation(
            x=0.5, y=0.5, xref="paper", yref="paper", text="No result yet", showarrow=False
        )
        figure.update_xaxes(type="category", range=[-0.5, 1.5], tickvals=[0, 1], ticktext=LABELS)
    else:
        _bars(figure, [result["before"], result["after"]], tone)
    figure.update_yaxes(
        title_text="share of held-out images right",
        range=[0, 1.12],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
    )
    figure.update_xaxes(showgrid=False, tickfont={"size": 13, "color": tone["text"]})
    return figure


def _bars(figure: go.Figure, parts: Sequence[Mapping[str, Any]], tone: Tone) -> None:
    """Draw a bar with its interval for each training."""
    share = [each["accuracy"] for each in parts]
    figure.add_bar(
        x=LABELS,
        y=share,
        width=0.46,
        marker={"color": [tone["bar"], tone["blue"]], "cornerradius": 3},
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [p["high"] - p["accuracy"] for p in parts],
            "arrayminus": [p["accuracy"] - p["low"] for p in parts],
            "color": tone["text"],
            "thickness": 1.6,
            "width": 7,
        },
        customdata=[[p["correct"], p["n"], p["low"], p["high"]] for p in parts],
        hovertemplate=(
            "%{x}: %{customdata[0]:,} of %{customdata[1]:,} right, %{y:.3f} "
            "(95 %: %{customdata[2]:.3f}–%{customdata[3]:.3f})<extra></extra>"
        ),
    )
    for x, part in zip(LABELS, parts, strict=True):
        figure.add_annotation(
            x=x,
            y=part["high"],
            text=f"<b>{part['accuracy']:.3f}</b>",
            showarrow=False,
            yshift=12,
            font={"size": 15, "color": tone["text"]},
        )
