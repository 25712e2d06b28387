"""Plotly figures of the comparison, for the page and for the report alike.

Each carries its title and one sentence on what it shows, so that a saved picture still explains
itself. `tone` is one of `palette.TONES`; text of people is escaped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures import palette
from lnl_core.figures.palette import Tone
from lnl_core.services.compare.comparing import CONSENSUS, Candidate, Comparison
from lnl_core.types import FloatArray

if TYPE_CHECKING:
    import plotly.graph_objects as go


def text(value: object, limit: int = 24) -> str:
    """Return text of people for a figure, which would take tags for formatting."""
    line = " ".join(str(value).split())
    line = "".join(each for each in line if each.isprintable())
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") or "–"


def strokes(candidates: Sequence[Candidate], tone: Tone) -> dict[str, dict[str, Any]]:
    """Hand out a line to each candidate, in order: key -> `color`, `width`, `dash`.

    The consensus is thick ink; baselines, models of one's own and older runs are dashed.
    """
    single = [each for each in candidates if each.key != CONSENSUS]
    lines = palette.strokes([each.baseline or not each.newest for each in single], tone)
    found = {each.key: line for each, line in zip(single, lines, strict=True)}
    return {CONSENSUS: {"color": tone["text"], "width": 3.5, "dash": "solid"}} | found


def heading(title: str, sentence: str, tone: Tone) -> str:
    """Return a figure's title above the sentence that explains it."""
    small = f'<span style="font-size:12px;color:{tone["muted"]}">{sentence}</span>'
    return f"<b>{title}</b><br>{small}"


def _figure(title: str, sentence: str, tone: Tone, height: int, **margin: int) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.update_layout(
        title={
            "text": heading(title, sentence, tone),
            "font": {"size": 15, "color": tone["text"]},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 17, "l": 2},
        },
        height=height,
        margin={"l": 44, "r": 8, "t": 58, "b": 40} | margin,
        paper_bgcolor=tone["page"],
        plot_bgcolor=tone["page"],
        font={"family": "Source Sans, Segoe UI, Roboto, sans-serif", "size": 12,
              "color": tone["muted"]},
        hoverlabel={"font": {"family": "Source Sans, Segoe UI, sans-serif", "size": 13}},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": tone["edge"], "activecolor": tone["text"]},
        dragmode=False,
        showlegend=False,
        legend={
            "font": {"size": 12},
            "x": 1.01,
            "y": 1.03,
            "yanchor": "top",
            "maxheight": 600,
            "tracegroupgap": 0,
            "bgcolor": "rgba(0,0,0,0)",
            "itemsizing": "trace",
            "itemwidth": 30,
        },
    )  # fmt: skip
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(
            gridcolor=tone["grid"],
            zeroline=False,
            fixedrange=True,
            title_font={"size": 12, "color": tone["muted"]},
            title_standoff=6,
            ticks="",
        )
    figure.update_yaxes(automargin=True)  # long numbers push the title aside, not under themselves
    return figure


def _line(
    figure: go.Figure, candidate: Candidate, x: Any, y: Any, line: Mapping[str, Any], hover: str
) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line=dict(line),
        name=_wrapped(candidate.short),
        hovertemplate=f"{text(candidate.title, 40)}: {hover}<extra></extra>",
    )


# Detection ------------------------------------------------------------------------------------


def precision_recall(found: Comparison, tone: Tone, height: int = 286) -> go.Figure:
    """Draw precision against recall, the best on top of the legend."""
    drawn, lines = _drawn(found), strokes(found.candidates, tone)
    figure = _figure(
        "Precision and recall",
        "How pure the queue is, by the share of wrong labels found: higher is better.",
        tone,
        max(height, _legend_height(drawn)),
    )
    for each in drawn:
        d = found.detections[each.key]
        _line(figure, each, d.found[1:] / d.total, d.precision[1:], lines[each.key],
              "precision %{y:.2f} at recall %{x:.2f}")  # fmt: skip
    figure.update_xaxes(
        title_text="recall: share of wrong labels found", range=[0, 1.01], dtick=0.25
    )
    figure.update_yaxes(title_text="precision", range=[0, 1.04], dtick=0.25)
    figure.update_layout(showlegend=True, margin_r=_legend_room(drawn))
    return figure


def effort(found: Comparison, tone: Tone, height: int = 286) -> go.Figure:
    """Draw wrong labels found against images reviewed, beside chance."""
    drawn, lines = _drawn(found), strokes(found.candidates, tone)
    figure = _figure(
        "Wrong labels found for the effort",
        "What a reviewer finds who goes down the list: steeper is better.",
        tone,
        max(height, _legend_height(drawn)),
    )
    first = found.detections[drawn[0].key]
    reach = min(first.size, max(5 * first.total, found.reviewed[0] * 1.1, 10))
    for each in drawn:
        d = found.detections[each.key]
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
    seen, wrong = found.reviewed
    if 0 < seen <= reach:
        figure.add_scatter(
            x=[seen],
            y=[wrong],
            mode="markers+text",
            marker={"size": 11, "color": tone["accent"]},
            text=[f"<b>people: {seen:,} seen, {wrong:,} found</b>"],
            textposition="bottom right",
            textfont={"color": tone["text"]},
            name="people",
            hovertemplate="people: %{x:,} seen, %{y:,} found<extra></extra>",
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
    figure.update_layout(showlegend=True, margin_r=_legend_room(drawn))
    return figure


_LEGEND_WIDTH = 16
"""Characters on a line of the legend."""


def _wrapped(name: str) -> str:
    """Return a name in full for the legend, on as many lines as it takes."""
    return "<br>".join(map(text, textwrap.wrap(" ".join(name.split()), _LEGEND_WIDTH))) or "–"


def _legend_room(drawn: Sequence[Candidate]) -> int:
    """Return the pixels that the legend's longest line takes, with its sample."""
    lines = [line for each in drawn for line in textwrap.wrap(each.short, _LEGEND_WIDTH)]
    return 50 + round(6.4 * max(9, *map(len, lines), 0))


def _legend_height(drawn: Sequence[Candidate]) -> int:
    """Return the pixels of a figure whose legend has room: all that is drawn, and chance."""
    names = sum(3 + 16 * len(textwrap.wrap(each.short, _LEGEND_WIDTH)) for each in drawn)
    return 58 + names + 3 * 19


def _drawn(found: Comparison) -> list[Candidate]:
    return [each for each in found.ordered() if each.key in found.detections]


# Agreement and cost ---------------------------------------------------------------------------


def matrix(
    values: FloatArray,
    candidates: Sequence[Candidate],
    tone: Tone,
    *,
    title: str,
    sentence: str,
    height: int = 0,
) -> go.Figure:
    """Draw an agreement or overlap matrix with its numbers; the diagonal is left out."""
    m = len(candidates)
    names = [_wrapped(each.short) for each in candidates]
    slanted = [text(each.short, 12) for each in candidates]  # the rows have them in full
    row = max(27, 6 + 15 * max((name.count("<br>") + 1 for name in names), default=1))
    right = max([14, *(round(4.9 * len(name)) - 14 for name in slanted[-1:])])
    height = height or max(200, row * m + 106)
    figure = _figure(title, sentence, tone, height, l=70, r=right, t=94, b=8)
    shown = np.array(values, np.float64)
    np.fill_diagonal(shown, np.nan)
    titles = [text(each.title, 40) for each in candidates]
    words = [
        [_two(value) if i != j else "" for j, value in enumerate(line)]
        for i, line in enumerate(np.asarray(values, np.float64))
    ]
    low = min(0.0, float(np.nanmin(shown))) if np.isfinite(shown).any() else 0.0
    figure.add_heatmap(
        z=shown,
        x=list(range(m)),
        y=list(range(m)),
        zmin=low,
        zmax=1,
        colorscale=tone["scale"],
        showscale=False,
        xgap=3,
        ygap=3,
        customdata=[[f"{a} and {b}" for b in titles] for a in titles],
        hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
        hoverongaps=False,
    )
    for i in range(m):
        for j in range(m):
            strong = np.isfinite(shown[i, j]) and shown[i, j] > 0.72
            colour = tone["page"] if strong else tone["text"]
            figure.add_annotation(
                x=j, y=i, text=words[i][j], showarrow=False, font={"color": colour, "size": 12}
            )
    for axis, extra in (
        (figure.update_xaxes, {"side": "top", "tickangle": -40, "ticktext": slanted}),
        (figure.update_yaxes, {"range": [m - 0.5, -0.5], "ticktext": names}),
    ):
        axis(
            tickvals=list(range(m)),
            showgrid=False,
            tickfont={"size": 12, "color": tone["text"]},
            **extra,
        )
    # a name that leaves the axis is hidden otherwise
    figure.update_xaxes(range=[-0.5, m - 0.5], ticklabeloverflow="allow")
    return figure


def _two(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 0.995 else f"{value:.0f}"


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
    base = _figure(
        "Cost of each run",
        "Measured while it ran; cheaper is shorter. Features that runs share are paid by the "
        "first.",
        tone,
        max(200, 28 * len(runs) + 130),
    )
    figure = make_subplots(
        1, 4, shared_yaxes=True, horizontal_spacing=0.045, subplot_titles=[c[1] for c in _COSTS]
    )
    kept = {k: v for k, v in base.layout.to_plotly_json().items() if not k.endswith("axis")}
    figure.update_layout(**kept)
    figure.update_layout(margin={"l": _legend_room(runs), "r": 34, "t": 84, "b": 10})
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
        ticktext=[_wrapped(each.short) for each in runs],
        ticklabelstandoff=6,
        range=[len(runs) - 0.4, -0.6],
        showgrid=False,
        fixedrange=True,
        tickfont={"size": 12, "color": tone["text"]},
    )
    return figure


# Before and after -----------------------------------------------------------------------------


def before_after(result: Mapping[str, Any], tone: Tone, height: int = 300) -> go.Figure:
    """Draw a network's accuracy on held-out images, trained on given and on corrected labels.

    Args:
        result: as the task `retrain` writes it.
        tone: of `palette.TONES`.
        height: in pixels.
    """
    figure = _figure(
        "Accuracy before and after",
        "The same small network, the same seed, the same held-out images; whiskers: 95 % "
        "binomial interval.",
        tone,
        height,
        l=52,
        b=34,
    )
    parts = [result["before"], result["after"]]
    share = [each["accuracy"] for each in parts]
    figure.add_bar(
        x=["given labels", "corrected labels"],
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
    for x, part in zip(("given labels", "corrected labels"), parts, strict=True):
        figure.add_annotation(
            x=x,
            y=part["high"],
            text=f"<b>{part['accuracy']:.3f}</b>",
            showarrow=False,
            yshift=12,
            font={"size": 15, "color": tone["text"]},
        )
    figure.update_yaxes(
        title_text="share of held-out images right",
        range=[0, 1.12],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
    )
    figure.update_xaxes(showgrid=False, tickfont={"size": 13, "color": tone["text"]})
    return figure
