"""The spread of one run's losses, epoch by epoch: a slider, and a button that plays it.

Bars jump from step to step, nothing slides, and nothing plays by itself; whoever asks for less
motion gets the slider alone (`pages/_frame.py`, and the report's script).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.frame import legend_above, new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.views import LossCourse

if TYPE_CHECKING:
    import plotly.graph_objects as go

_STILL = {"mode": "immediate", "transition": {"duration": 0}}
STEP_MS = 450
"""How long each step stands while it plays."""


def course(spread: LossCourse, tone: Tone, height: int = 480) -> go.Figure:
    """Draw the last step, with the others behind a slider; frames are named by their step."""
    import plotly.graph_objects as go

    part = "" if spread.of[0] == spread.of[1] else f" {spread.of[0]:,} of {spread.of[1]:,} images."
    figure = new_figure(
        f"{text(spread.candidate.title, 40)}: losses by {spread.step}",
        f"Labels learnt late, or never, stay at the right. Colour: what it says in the end.{part}",
        tone,
        height,
        b=158,
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
    _lay_out(figure, spread, tone)
    return figure


def _lay_out(figure: go.Figure, spread: LossCourse, tone: Tone) -> None:
    whole = spread.counts.sum(axis=1)  # (t, b)
    # a pile of easy images would press the rest flat: its bars are cut, and the axis says so
    rest = whole[:, whole.shape[1] // 2 :].max(initial=0)
    top = float(min(whole.max(), max(6 * rest, 0.25 * whole.max())))
    places = np.linspace(spread.edges[0], spread.edges[-1], 7)
    cut = f"; tallest bar: {int(whole.max()):,}" if whole.max() > top else ""
    figure.update_xaxes(
        title_text=f"loss of the given label, nats, logarithmic{cut}",
        range=[spread.edges[0], spread.edges[-1]],
        tickvals=places,
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
        sliders=[_slider(spread, tone)],
        updatemenus=[_buttons(tone)],
    )


def _slider(spread: LossCourse, tone: Tone) -> dict[str, Any]:
    return {
        "active": len(spread.steps) - 1,
        "x": 0,
        "len": 1,
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 52, "b": 0},
        "currentvalue": {"visible": False},
        "bgcolor": tone["track"],
        "activebgcolor": tone["accent"],
        "bordercolor": tone["edge"],
        "borderwidth": 1,
        "tickcolor": tone["edge"],
        "font": {"size": 12, "color": tone["muted"]},
        "steps": [
            {
                "label": str(step) if place else f"{spread.step} {step}",
                "method": "animate",
                "args": [[str(step)], _STILL | {"frame": {"duration": 0, "redraw": True}}],
            }
            for place, step in enumerate(spread.steps)
        ],
    }


def _buttons(tone: Tone) -> dict[str, Any]:
    play = {"frame": {"duration": STEP_MS, "redraw": True}, "transition": {"duration": 0}}
    return {
        "type": "buttons",
        "direction": "left",
        "showactive": False,
        "x": 0,
        "xanchor": "left",
        "y": 0,
        "yanchor": "top",
        "pad": {"t": 116},  # below the slider and its words: beside it they met on narrow plots
        "bgcolor": tone["ground"],
        "bordercolor": tone["edge"],
        "font": {"size": 12, "color": tone["text"]},
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play | {"mode": "immediate"}]},
            {
                "label": "Pause",
                "method": "animate",
                "args": [[None], _STILL | {"frame": {"duration": 0, "redraw": False}}],
            },
        ],
    }


def _value(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"
