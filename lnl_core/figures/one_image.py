"""One image's own course through a run: by epoch, by round, by part of the loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.frame import heading, legend_above, new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.views import Losses, chance, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go


def course(
    losses: Losses, curves: Mapping[str, Sequence[float]], tone: Tone, words: Mapping[str, str],
    *, rounds: bool = False, height: int = 230,
) -> go.Figure | None:  # fmt: skip
    """Draw one image's probabilities by epoch; its loss where there are none; None without both.

    Args:
        losses: whose run.
        curves: name -> values by epoch: `given`, `other`, `loss`.
        tone: of `palette.TONES`.
        words: `given`, the name of the given class.
        rounds: True where the steps are rounds of removal.
        height: in pixels.
    """
    step = "round" if rounds else "epoch"
    figure = new_figure(
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
            customdata=_said(values, unit),
            hovertemplate=f"{title}, {step} %{{x}}: %{{customdata}}<extra></extra>",
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


def _said(values: Iterable[float], unit: str = "probability") -> list[str]:
    """Return values as they are said under the pointer; a probability never as certain."""
    return [escape(chance(p)) if unit == "probability" else f"{p:.2f}" for p in map(float, values)]


def sub_losses(facts: Mapping[str, Any], tone: Tone, method: str, height: int = 230) -> go.Figure:
    """Draw the sub-losses of one image's code beside those of unsuspicious ones."""
    figure = new_figure(
        f"{text(method)}: sub-losses of its code",
        f"Uneven bars mean doubt: variance {facts['variance']:.3g}, above "
        f"{escape(percent(facts['variance_rank']))} of the images.",
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
    legend_above(figure)
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
    figure = new_figure(
        f"{text(method)}: sharpened probabilities",
        f"Confidence {escape(chance(facts['confidence']))}, above "
        f"{escape(percent(facts['confidence_rank']))} of the images; dotted: as sure as it can be.",
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
        customdata=_said(own[shown]), hovertemplate="%{x}: sharpened %{customdata}<extra></extra>",
    )  # fmt: skip
    if plain is not None:
        figure.add_bar(
            x=names, y=plain[shown], marker={"color": tone["bar"]}, name=text(facts["plain_title"]),
            customdata=_said(plain[shown]),
            hovertemplate="%{x}: plain %{customdata}<extra></extra>",
        )  # fmt: skip
    figure.add_hline(y=facts["p_max"], line={"color": tone["edge"], "width": 1.4, "dash": "dot"})
    figure.update_xaxes(showgrid=False, type="category", automargin=True)
    figure.update_yaxes(title_text="probability", range=[0, 1.04])
    legend_above(figure)
    return figure


def rounds(facts: Mapping[str, Any], tone: Tone, method: str, height: int = 250) -> go.Figure:
    """Draw how many labels each round removed, and when this image went."""
    went = int(facts["round_removed"])
    when = f"This image went in round {went}." if went else "This image was never removed."
    figure = new_figure(
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
                customdata=[escape(percent(each)) for each in tail],
                hovertemplate=f"{title}, round %{{x}}: %{{customdata}}<extra></extra>",
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
    legend_above(figure)
    return figure
