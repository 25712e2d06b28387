"""Plotly figures of one run: the spread of its losses with two groups, and one image's course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.comparison import _figure, heading, text
from lnl_core.figures.palette import Tone
from lnl_core.methods import yardstick
from lnl_core.services.compare.losses import Losses
from lnl_core.services.review.looking import STATISTICS, Observation

if TYPE_CHECKING:
    import plotly.graph_objects as go

BINS = 60
SPLITS = {"agreement": "agrees / disagrees", "verdict": "verdict", "truth": "truth"}


def _groups(found: Losses, split: str) -> list[tuple[str, Any, str]]:
    """Return (words, mask, name of the colour) of the parts of a histogram."""
    if split == "verdict":
        return [
            ("not reviewed", found.verdict == 0, "bar"),
            ("label right", found.verdict == 1, "green"),
            ("label wrong", found.verdict == 2, "red"),
        ]
    if split == "truth" and found.wrong is not None:
        return [
            ("label right", ~found.wrong, "bar"),
            ("label wrong", found.wrong, "red"),
        ]
    return [
        ("agrees with the label", found.agrees, "bar"),
        ("disagrees", ~found.agrees, "blue"),
    ]


@lru_cache(maxsize=32)
def _bars(found: Losses, split: str, low: float, high: float) -> list[tuple[str, str, int, Any]]:
    """Return (words, tone, images, counts by bin) of every part: a slider draws them often."""
    return [
        (words, tone, int(mask.sum()), np.histogram(found.x[mask], BINS, (low, high))[0])
        for words, mask, tone in _groups(found, split)
    ]


def histogram(
    found: Losses, tone: Tone, *, split: str = "agreement", threshold: float | None = None,
    height: int = 340, small: bool = False,
) -> go.Figure:  # fmt: skip
    """Draw a run's losses in bins, split; the two fitted groups, the chance, the threshold.

    `small` leaves out what a narrow column has no room for: title, chance, and the legend's counts.
    """
    two = found.mixture is not None and found.mixture.separate
    sentence = "One group describes the values as well as two: no threshold suggests itself."
    if two:
        sentence = "Dotted: two fitted groups. "
        sentence += "Line, right axis: chance of the upper one, a model's guess."
    if small:
        sentence = "Blue: the method says another class." if split == "agreement" else ""
        sentence += " Dotted: two fitted groups." if two else " One group fits as well as two."
    figure = _figure(
        f"{text(found.candidate.title, 30 if small else 40)}: {found.quantity} of each image",
        sentence,
        tone,
        height,
        r=8 if small else 52,
        t=62 if small else 86,
        b=40 if small else 46,
    )
    low, high = float(found.x.min()), float(found.x.max())
    if high - low < 1e-6:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    middle, width = (edges[:-1] + edges[1:]) / 2, edges[1] - edges[0]
    labels = [_value(found.value(float(x))) for x in middle]
    bars = _bars(found, split, low, high)
    heights = np.sum([counts for *_, counts in bars], axis=0)
    tallest = max(float(heights.max()), 1.0)
    # A pile of easy images would press the interesting rest flat: its bars are cut, and say so.
    top = float(min(tallest, max(6 * heights[BINS // 2 :].max(), 0.08 * tallest)))
    cut = f"tallest bar: {int(tallest):,}" if tallest > top else ""
    for words, colour, images, counts in bars:
        figure.add_bar(
            x=middle,
            y=counts,
            width=width,
            name=f"{words} ({images:,})",
            marker={"color": tone[colour], "line_width": 0},
            customdata=labels,
            hovertemplate=f"{words}: %{{y:,}} near %{{customdata}}<extra></extra>",
        )
    if two and found.mixture is not None:
        grid = np.linspace(low, high, 200)
        scale = len(found.x) * width
        for density, colour in zip(
            found.mixture.densities(grid), (tone["edge"], tone["brown"]), strict=True
        ):
            figure.add_scatter(
                x=grid,
                y=np.minimum(density * scale, 1.1 * top),
                mode="lines",
                line={"color": colour, "width": 1.8, "dash": "dot"},
                hoverinfo="skip",
                showlegend=False,
            )
    if two and found.mixture is not None and not small:
        grid = np.linspace(low, high, 200)
        figure.add_scatter(
            x=grid,
            y=found.mixture.posterior(grid),
            yaxis="y2",
            mode="lines",
            line={"color": tone["brown"], "width": 2.4},
            name="chance of the upper group",
            hovertemplate="chance %{y:.2f}<extra></extra>",
        )
    if threshold is not None:
        beside = threshold < low + (0.55 if small else 0.75) * (high - low)
        figure.add_vline(x=threshold, line={"color": tone["accent"], "width": 2})
        figure.add_annotation(
            x=threshold,
            y=1,
            yref="paper",
            text=f"<b>threshold {_value(found.value(threshold))}</b>",
            showarrow=False,
            xanchor="left" if beside else "right",
            xshift=5 if beside else -5,
            yanchor="top",
            font={"color": tone["accent"], "size": 13},
        )
    short = found.quantity + (", nats" if found.quantity == "loss" else "")
    places = np.linspace(low, high, 5 if small else 7)
    figure.update_xaxes(
        title_text="; ".join(filter(None, (short if small else found.axis, cut))),
        range=[low - width / 2, high + width / 2],
        tickvals=places,
        ticktext=[_value(found.value(float(x))) for x in places],
        showgrid=False,
    )
    figure.update_yaxes(title_text="images", tickformat=",", range=[0, 1.12 * top])
    figure.update_layout(
        barmode="stack",
        bargap=0,
        showlegend=not small,
        legend={
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "yanchor": "bottom",
            "xanchor": "left",
            "traceorder": "normal",
        },
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.12],
            "tickvals": [0, 0.5, 1],
            "showgrid": False,
            "title": {"text": "chance", "font": {"size": 12, "color": tone["muted"]}},
            "fixedrange": True,
            "visible": not small,
        },
    )
    return figure


def _value(value: float) -> str:
    return f"{value:.2f}" if value >= 0.095 else f"{value:.2g}"


def course(
    found: Losses, curves: Mapping[str, Sequence[float]], tone: Tone, words: Mapping[str, str],
    *, rounds: bool = False, height: int = 230,
) -> go.Figure | None:  # fmt: skip
    """Draw one image's probabilities by epoch; its loss where there are none; None without both.

    Args:
        found: whose run.
        curves: as `loss_views.trajectory` gives them.
        tone: of `palette.TONES`.
        words: `given`, the name of the given class.
        rounds: True where the steps are rounds of removal.
        height: in pixels.
    """
    step = "round" if rounds else "epoch"
    figure = _figure(
        "The image's own course",
        f"Probability of the given label and of the best other class by {step}.",
        tone,
        height,
    )
    drawn = [
        (curves[name], colour, dash, title)
        for name, colour, dash, title in (
            ("given", tone["brown"], "dash", f"given: {text(words.get('given', ''))}"),
            ("other", tone["blue"], "solid", "best other class"),
        )
        if curves.get(name)
    ]
    unit = "probability"
    if not drawn:
        if not curves.get("loss"):
            return None
        unit = "loss, nats"
        drawn = [(curves["loss"], tone["curves"][0], "solid", "loss")]
        words_now = f"Loss of the given label by {step}."
        figure.update_layout(title_text=heading("The image's own course", words_now, tone))
    start = 0 if rounds else 1
    for values, colour, dash, title in drawn:
        figure.add_scatter(
            x=list(range(start, start + len(values))),
            y=list(values),
            mode="lines+markers" if len(values) < 25 else "lines",
            marker={"size": 4},
            line={"color": colour, "dash": dash, "width": 2.2},
            name=title,
            hovertemplate=f"{title}, {step} %{{x}}: %{{y:.2f}}<extra></extra>",
        )
    figure.update_xaxes(title_text=step, nticks=8)
    figure.update_yaxes(title_text=unit, rangemode="tozero")
    if unit == "probability":
        figure.update_yaxes(range=[0, 1.04])
    figure.update_layout(
        showlegend=True,
        margin_t=84,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
    )
    return figure


def sub_losses(facts: Mapping[str, Any], tone: Tone, method: str, height: int = 230) -> go.Figure:
    """Draw the sub-losses of one image's code beside those of unsuspicious ones."""
    figure = _figure(
        f"{text(method)}: sub-losses of its code",
        f"Uneven bars mean doubt: variance {facts['variance']:.3g}, above "
        f"{100 * facts['variance_rank']:.0f}{NARROW_SIGN} of the images.",
        tone,
        height,
    )
    places = list(range(1, len(facts["values"]) + 1))
    figure.add_bar(
        x=places,
        y=facts["values"],
        marker={"color": tone["curves"][0]},
        name="this image",
        hovertemplate="bit %{x}: %{y:.2f}<extra></extra>",
    )
    figure.add_scatter(
        x=places,
        y=facts["typical"],
        mode="lines",
        line={"color": tone["edge"], "width": 2, "shape": "hvh"},
        name="unsuspicious images, mean",
        hovertemplate="bit %{x}, mean: %{y:.2f}<extra></extra>",
    )
    figure.update_xaxes(title_text="bit of the codeword", showgrid=False)
    figure.update_yaxes(title_text="sub-loss, nats", rangemode="tozero")
    _legend_above(figure)
    return figure


def sharpened(
    facts: Mapping[str, Any],
    class_names: Sequence[str],
    given: int,
    tone: Tone,
    method: str,
    height: int = 260,
) -> go.Figure:
    """Draw sharpened probabilities beside plain training's, the largest classes."""
    figure = _figure(
        f"{text(method)}: sharpened probabilities",
        f"Confidence {facts['confidence']:.2f}, above {100 * facts['confidence_rank']:.0f}"
        f"{NARROW_SIGN} of the images; dotted: as sure as it can be.",
        tone,
        height,
    )
    own = np.asarray(facts["own"], np.float64)
    plain = None if facts["plain"] is None else np.asarray(facts["plain"], np.float64)
    weight = own if plain is None else np.maximum(own, plain)
    shown = list(dict.fromkeys([given, *np.argsort(-weight)[:9].tolist()]))
    shown.sort()
    names = [text(class_names[each], 14) + (" (given)" if each == given else "") for each in shown]
    figure.add_bar(
        x=names, y=own[shown], marker={"color": tone["curves"][0]},
        name=f"{text(method)}, mean of epochs",
        hovertemplate="%{x}: sharpened %{y:.2f}<extra></extra>",
    )  # fmt: skip
    if plain is not None:
        figure.add_bar(
            x=names, y=plain[shown], marker={"color": tone["bar"]}, name=yardstick().title.lower(),
            hovertemplate="%{x}: plain %{y:.2f}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=facts["p_max"], line={"color": tone["edge"], "width": 1.4, "dash": "dot"})
    figure.update_xaxes(showgrid=False, type="category", automargin=True)
    figure.update_yaxes(title_text="probability", range=[0, 1.04])
    _legend_above(figure)
    return figure


_MEANS = {
    "doubt_given": "Wrong labels lie further right",
    "logit_margin": "Above 0 the other class wins; no map ranks better",
    "energy_gap": "Above 0 the other class's map has more in all",
    "overlap_gap": "Above 0 the other class's map is the stronger one",
    "energy_share": "Wrong labels lie further right",
    "peak_given": "Wrong labels lie further left",
    "support": "Wrong labels lie further left",
    "divergence": "0: both maps have one shape; 0.69: nothing in common",
    "mask_iou": "1: both maps mark the same place, 0: none in common",
    "entropy_given": "It turns from set to set: never a score",
    "foreground_fraction": "Small: few places of the image decide",
}
"""What a statistic of `looking.STATISTICS` says, for the line below a figure's title."""


def activations(
    found: Observation, name: str, tone: Tone, method: str, height: int = 250
) -> go.Figure:
    """Draw one activation statistic's spread in both groups, each as shares of its group."""
    first, second = (np.asarray(values, np.float64) for values in found.groups[name])
    figure = _figure(
        f"{text(method)}: {STATISTICS[name]}",
        f"{_MEANS[name]}; AUROC {found.auroc[name]:.2f}, by chance 0.5.",
        tone,
        height,
        t=86,
    )
    everything = np.concatenate([first, second])
    low, high = float(everything.min()), float(everything.max())
    edges = np.linspace(low, high if high - low > 1e-9 else low + 1, 31)
    for words, values, colour in zip(
        found.names, (first, second), (tone["edge"], tone["red"]), strict=True
    ):
        share = 100 * np.histogram(values, edges)[0] / max(len(values), 1)
        figure.add_bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=share,
            width=edges[1] - edges[0],
            marker={"color": colour, "opacity": 0.72 if colour == tone["red"] else 1},
            name=f"{words} ({len(values):,})",
            hovertemplate=f"{words}: %{{y:.1f}}{NARROW_SIGN} near %{{x:.2f}}<extra></extra>",
        )
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title_text=STATISTICS[name], showgrid=False)
    figure.update_yaxes(title_text="share of the group", ticksuffix=NARROW_SIGN)
    _legend_above(figure)
    return figure


def rounds(facts: Mapping[str, Any], tone: Tone, method: str, height: int = 250) -> go.Figure:
    """Draw how many labels each round removed, and when this image went."""
    went = int(facts["round_removed"])
    when = f"This image went in round {went}." if went else "This image was never removed."
    figure = _figure(
        f"{text(method)}: rounds of removal",
        f"{when} Lines: shares of the removed.",
        tone,
        height,
        r=48,
    )
    places = list(range(1, len(facts["removed"]) + 1))
    figure.add_bar(
        x=places,
        y=facts["removed"],
        marker={"color": [tone["accent"] if i == went else tone["bar"] for i in places]},
        name="removed",
        hovertemplate="round %{x}: %{y:,} removed<extra></extra>",
    )
    for values, colour, dash, title in (
        (facts["given_back"], tone["brown"], "dash", "label given back"),
        (facts["true"], tone["red"], "solid", "really wrong"),
    ):
        if values:
            tail = values[-len(places) :]
            figure.add_scatter(
                x=places[-len(tail) :],
                y=tail,
                yaxis="y2",
                mode="lines+markers",
                marker={"size": 5},
                line={"color": colour, "dash": dash, "width": 2},
                name=title,
                hovertemplate=f"{title}, round %{{x}}: %{{y:.2f}}<extra></extra>",
            )
    figure.update_xaxes(title_text="round", showgrid=False, dtick=max(1, len(places) // 10))
    figure.update_yaxes(title_text="images removed", tickformat=",")
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "range": [0, 1.04],
            "tickvals": [0, 0.5, 1],
            "showgrid": False,
            "title": {"text": "share", "font": {"size": 12, "color": tone["muted"]}},
            "fixedrange": True,
        }
    )
    _legend_above(figure)
    return figure


NARROW_SIGN = "\u202f%"


def _legend_above(figure: go.Figure) -> None:
    figure.update_layout(
        showlegend=True,
        margin_t=84,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
    )
