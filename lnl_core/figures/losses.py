"""The spread of one run's losses, with its two groups and a threshold."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.frame import new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.views import Losses, chance

if TYPE_CHECKING:
    import plotly.graph_objects as go


BINS = 60


SPLITS = {"agreement": "agrees / disagrees", "verdict": "verdict", "truth": "truth"}


def _groups(losses: Losses, split: str) -> list[tuple[str, Any, str]]:
    """Return (words, mask, name of the colour) of the parts of a histogram."""
    if split == "verdict":
        return [
            ("not reviewed", losses.verdict == 0, "bar"),
            ("label right", losses.verdict == 1, "green"),
            ("label wrong", losses.verdict == 2, "red"),
        ]
    if split == "truth" and losses.wrong is not None:
        return [
            ("label right", ~losses.wrong, "bar"),
            ("label wrong", losses.wrong, "red"),
        ]
    return [
        ("agrees with the label", losses.agrees, "bar"),
        ("disagrees", ~losses.agrees, "blue"),
    ]


@lru_cache(maxsize=32)
def _bars(losses: Losses, split: str, low: float, high: float) -> list[tuple[str, str, int, Any]]:
    """Return (words, tone, images, counts by bin) of every part: a slider draws them often."""
    return [
        (words, tone, int(mask.sum()), np.histogram(losses.x[mask], BINS, (low, high))[0])
        for words, part, tone in _groups(losses, split)
        for mask in (part & losses.counted,)
    ]


def histogram(
    losses: Losses, tone: Tone, *, split: str = "agreement", threshold: float | None = None,
    height: int = 340, small: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw a run's losses in bins, split; the two fitted groups, the chance, the threshold.

    `small` leaves out what a narrow column has no room for: title, chance, and the legend's counts.
    """
    two = losses.mixture is not None and losses.mixture.separate
    figure = new_figure(
        f"{text(losses.candidate.title, 30 if small else 40)}: {losses.quantity} of each image",
        _sentence(two, split, small),
        tone,
        height,
        r=8 if small else 52,
        t=62 if small else 104 if two else 86,  # the legend has a line more with the mixture
        b=40 if small else 46,
    )
    low, high = float(losses.x.min()), float(losses.x.max())
    if high - low < 1e-6:  # all alike: one bar in the middle of an axis of width 1
        low, high = low - 0.5, high + 0.5
    bars = _bars(losses, split, low, high)
    heights = np.sum([counts for *_, counts in bars], axis=0)
    tallest = max(float(heights.max()), 1.0)
    # A pile of easy images would press the interesting rest flat: its bars are cut, and say so.
    top = float(min(tallest, max(6 * heights[BINS // 2 :].max(), 0.08 * tallest)))
    _add_bars(figure, losses, bars, low, high, tone)
    if two:
        _add_mixture(figure, losses, low, high, top, tone, small)
    if threshold is not None:
        _add_threshold(figure, losses, threshold, low, high, tone, small)
    cut = f"tallest bar: {int(tallest):,}" if tallest > top else ""
    _lay_out(figure, losses, low, high, top, cut, tone, small)
    return figure


def _sentence(two: bool, split: str, small: bool) -> str:
    if small:
        words = "Blue: the method says another class." if split == "agreement" else ""
        return words + (" Dotted: two fitted groups." if two else " One group fits as well as two.")
    if two:
        return (
            "Dotted: two fitted groups. Line, right axis: chance of the upper one, a model's guess."
        )
    return "One group describes the values as well as two: no threshold suggests itself."


def _add_bars(
    figure: go.Figure,
    losses: Losses,
    bars: list[tuple[str, str, int, Any]],
    low: float,
    high: float,
    tone: Tone,
) -> None:
    edges = np.linspace(low, high, BINS + 1)
    middle = (edges[:-1] + edges[1:]) / 2
    labels = [_value(losses.value(float(x))) for x in middle]
    for words, colour, images, counts in bars:
        figure.add_bar(
            x=middle,
            y=counts,
            width=edges[1] - edges[0],
            name=f"{words} ({images:,})",
            marker={"color": tone[colour], "line_width": 0},
            customdata=labels,
            hovertemplate=f"{words}: %{{y:,}} near %{{customdata}}<extra></extra>",
        )


def _add_mixture(
    figure: go.Figure,
    losses: Losses,
    low: float,
    high: float,
    top: float,
    tone: Tone,
    small: bool,
) -> None:
    """Draw the two groups on the scale of the bars, and the chance of the upper one beside them."""
    mixture = losses.mixture
    assert mixture is not None
    grid = np.linspace(low, high, 200)
    scale = (
        int(losses.counted.sum()) * (high - low) / BINS
    )  # a density times images times the width of a bin
    colours = (tone["edge"], tone["brown"])
    for density, colour in zip(mixture.densities(grid), colours, strict=True):
        figure.add_scatter(
            x=grid,
            y=np.minimum(density * scale, 1.1 * top),
            mode="lines",
            line={"color": colour, "width": 1.8, "dash": "dot"},
            hoverinfo="skip",
            showlegend=False,
        )
    if not small:
        figure.add_scatter(
            x=grid,
            y=mixture.posterior(grid),
            yaxis="y2",
            mode="lines",
            line={"color": tone["brown"], "width": 2.4},
            name="chance of the upper group",
            customdata=[escape(chance(float(p))) for p in mixture.posterior(grid)],
            hovertemplate="chance %{customdata}<extra></extra>",
        )


def _add_threshold(
    figure: go.Figure,
    losses: Losses,
    threshold: float,
    low: float,
    high: float,
    tone: Tone,
    small: bool,
) -> None:
    """Draw the threshold, its words on the side that has room."""
    beside = threshold < low + (0.55 if small else 0.75) * (high - low)
    figure.add_vline(x=threshold, line={"color": tone["accent"], "width": 2})
    figure.add_annotation(
        x=threshold,
        y=1,
        yref="paper",
        text=f"<b>threshold {_value(losses.value(threshold))}</b>",
        showarrow=False,
        xanchor="left" if beside else "right",
        xshift=5 if beside else -5,
        yanchor="top",
        font={"color": tone["accent"], "size": 13},
    )


def _lay_out(
    figure: go.Figure,
    losses: Losses,
    low: float,
    high: float,
    top: float,
    cut: str,
    tone: Tone,
    small: bool,
) -> None:
    short = losses.quantity + (", nats" if losses.quantity == "loss" else "")
    places = np.linspace(low, high, 5 if small else 7)
    half = (high - low) / BINS / 2
    figure.update_xaxes(
        title_text="; ".join(filter(None, (short if small else losses.axis, cut))),
        range=[low - half, high + half],
        tickvals=places.tolist(),
        ticktext=[_value(losses.value(float(x))) for x in places],
        showgrid=False,
    )
    figure.update_yaxes(title_text="images", tickformat=",", range=[0, 1.12 * top])
    legend = {
        "orientation": "h",
        "x": 0,
        "y": 1.0,
        "yanchor": "bottom",
        "xanchor": "left",
        "traceorder": "normal",
    }
    chance = {
        "overlaying": "y",
        "side": "right",
        "range": [0, 1.12],
        "tickvals": [0, 0.5, 1],
        "showgrid": False,
        "title": {"text": "chance", "font": {"size": 12, "color": tone["muted"]}},
        "fixedrange": True,
        "visible": not small,
    }
    figure.update_layout(
        barmode="stack", bargap=0, showlegend=not small, legend=legend, yaxis2=chance
    )


def _value(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"
