"""The spread of one run's losses, epoch by epoch, for the controls of `stepper.js` below it.

Bars jump from step to step, nothing slides, and nothing plays by itself; whoever asks for less
motion gets the slider alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.frame import legend_above, new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.views import LossCourse

if TYPE_CHECKING:
    import plotly.graph_objects as go

STEP_MS = 450
"""How long each step stands while it plays."""

STEPPER = Path(__file__).with_name("stepper.js").read_text("utf-8")
STEPPER_STYLE = Path(__file__).with_name("stepper.css").read_text("utf-8")
"""The function `stepper` and the look of its controls, for every page that draws frames."""


def controls(spread: LossCourse) -> dict[str, Any]:
    """Return what `stepper` is told of a course."""
    return {"step": spread.step, "steps": [int(step) for step in spread.steps], "ms": STEP_MS}


def course(spread: LossCourse, tone: Tone, height: int = 380) -> go.Figure:
    """Draw the last step, with the others as frames that are named by their step.

    What `stepper` is told lies in the layout's `meta`.
    """
    import plotly.graph_objects as go

    part = "" if spread.of[0] == spread.of[1] else f" {spread.of[0]:,} of {spread.of[1]:,} images."
    figure = new_figure(
        f"{text(spread.candidate.title, 40)}: losses by {spread.step}",
        f"Labels learnt late, or never, stay at the right. Colour: what it says in the end.{part}",
        tone,
        height,
        b=58,
        r=18,
    )
    middle = (spread.edges[:-1] + spread.edges[1:]) / 2
    losses = [_value(10**x) for x in middle]
    for words, colour, counts, images in zip(
        ("agrees with the label", "disagrees"),
        ("bar", "blue"),
        spread.counts[-1],
        spread.images,
        strict=True,
    ):
        figure.add_bar(
            x=middle,
            y=counts,
            width=spread.edges[1] - spread.edges[0],
            name=f"{words} ({images:,})",
            marker={"color": tone[colour], "line_width": 0},
            customdata=losses,
            hovertemplate=f"{words}: %{{y:,}} near %{{customdata}}<extra></extra>",
        )
    figure.frames = [
        go.Frame(
            data=[go.Bar(y=part) for part in counts],
            traces=[0, 1],
            name=str(step),
        )
        for step, counts in zip(spread.steps, spread.counts, strict=True)
    ]
    _lay_out(figure, spread)
    return figure


def _lay_out(figure: go.Figure, spread: LossCourse) -> None:
    whole = spread.counts.sum(axis=1)  # (t, b)
    # a pile of easy images would press the rest flat: its bars are cut, and the axis says so
    rest = whole[:, whole.shape[1] // 2 :].max(initial=0)
    top = float(min(whole.max(), max(6 * rest, 0.25 * whole.max())))
    places = np.linspace(spread.edges[0], spread.edges[-1], 7)
    cut = f"; tallest bar: {int(whole.max()):,}" if whole.max() > top else ""
    figure.update_xaxes(
        title_text=f"loss of the given label, nats, logarithmic{cut}",
        range=[spread.edges[0], spread.edges[-1]],
        tickvals=places.tolist(),
        ticktext=[_value(10**x) for x in places],
        showgrid=False,
        ticklabeloverflow="allow",  # the last one leaves the axis by half of itself
    )
    figure.update_yaxes(title_text="images", tickformat=",", range=[0, 1.08 * top])
    legend_above(figure)
    figure.update_layout(
        barmode="stack",
        bargap=0,
        legend_traceorder="normal",
        meta=controls(spread),
    )


def _value(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"
