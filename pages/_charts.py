"""Plotly figures in the colours of the theme; user text in them is escaped."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from lnl_core.figures.palette import TONES
from pages._words import chart_text, count


def colours() -> Mapping[str, Any]:
    """Return the colours of the theme that the browser shows."""
    return TONES["dark" if st.context.theme.type == "dark" else "light"]


def layout(figure: go.Figure, height: int, **margin: int) -> None:
    """Give a figure the look of the page."""
    figure.update_layout(**_look(height, **margin))


def _look(height: int, **margin: int) -> dict[str, Any]:
    tone = colours()
    return {
        "height": height,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0} | margin,
        "paper_bgcolor": tone["page"],  # a saved picture keeps the ground its text is made for
        "plot_bgcolor": tone["page"],
        "modebar": {
            "bgcolor": "rgba(0,0,0,0)",
            "color": tone["muted"],
            "activecolor": tone["text"],
        },
        "showlegend": False,
        "font": {"family": "Source Sans, sans-serif", "size": 12, "color": tone["muted"]},
        "hoverlabel": {"font": {"family": "Source Sans, sans-serif", "size": 13}},
        "dragmode": False,
    }


def draw(figure: go.Figure, key: str, alt: str) -> None:
    """Show a figure; the one button of its tool bar saves it, as the format chosen on Compare."""
    st.plotly_chart(
        figure,
        theme=None,
        key=key,
        alt=alt,
        config={
            "displaylogo": False,
            "displayModeBar": "hover",
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {
                "format": str(st.session_state.get("picture_format") or "SVG").lower(),
                "filename": key.replace("_", "-"),
                "scale": 2,
            },
            "scrollZoom": False,
        },
    )


_ALL_BARS = 860
"""Pixels that all bars together have at most where they are drawn large."""


def class_balance(classes: Sequence[Mapping[str, Any]], *, large: bool = False) -> go.Figure:
    """Draw images per class; the part that is wrong, where anything is known, at the bar's end.

    Args:
        classes: see `catalog.class_counts`.
        large: thicker bars and larger text, for a large screen.
    """
    if "pandas" in sys.modules:  # Plotly asks for parts of what another thread has half loaded:
        importlib.import_module("pandas")  # waits for it; nothing here needs it

    tone = colours()
    names = [chart_text(each["name"], 18) for each in classes]
    counts = [each["count"] for each in classes]
    wrong = [each["said"] or 0 for each in classes]  # as the words beside it
    places = list(range(len(classes)))
    step = max(29, min(46, _ALL_BARS // max(len(classes), 1))) if large else 29
    letters = 16 if large else 13
    whole = [
        f"{chart_text(each['name'], 200)}:{'' if each['exact'] else ' about'}" for each in classes
    ]
    figure = go.Figure()
    for values, colour, label in (
        ([c - w for c, w in zip(counts, wrong, strict=True)], tone["bar"], "right"),
        (wrong, tone["red"], "wrong"),
    ):
        figure.add_bar(
            y=places,
            x=values,
            orientation="h",
            marker={"color": colour, "line_width": 0, "cornerradius": 2},
            width=0.56,
            customdata=whole,
            hovertemplate=f"%{{customdata}} %{{x:,.0f}} {label}<extra></extra>",
        )
    figure.layout = _look(
        max(106, step * len(classes) + 50), r=5 * letters + 5, b=3 * letters - 1
    ) | {
        "barmode": "stack",
        "bargap": 0,
        "annotations": [
            _count_beside(place, each, tone) | {"font": {"size": letters - 1}}
            for place, each in enumerate(classes)
        ],
        "yaxis": {
            "tickvals": places,
            "ticktext": names,
            "range": [len(classes) - 0.4, -0.6],
            "tickfont": {"size": letters, "color": tone["text"]},
            "ticklabelstandoff": 6,
            "showgrid": False,
            "zeroline": False,
            "automargin": True,
            "fixedrange": True,
        },
        "xaxis": {
            "gridcolor": tone["grid"],
            "zeroline": True,
            "zerolinecolor": tone["grid"],
            "nticks": 5,
            "range": [0, 1.12 * max(counts, default=1)],
            "tickformat": ",",
            "tickfont": {"size": letters - 1},
            "title": {"text": "images", "font": {"size": letters - 1}, "standoff": 4},
            "fixedrange": True,
        },
    }
    return figure


def _count_beside(place: int, one: Mapping[str, Any], tone: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words at a bar's end: images, and about how many of them are wrong."""
    known = ""
    if one["said"] is not None and one["count"]:
        known = f", {count(one['said'])} wrong" if one["exact"] else f", about {count(one['said'])}"
    known = ", no class" if one.get("no_class") else known
    return {
        "x": one["count"],
        "y": place,
        "text": f'<span style="color:{tone["text"]}">{count(one["count"])}</span>{known}',
        "showarrow": False,
        "xanchor": "left",
        "xshift": 6,
    }


def loss_curve(curves: Mapping[str, Sequence[float]], epochs: int) -> go.Figure:
    """Draw a run's curves over the epochs, each named at its end.

    Args:
        curves: `train` and, where there is one, `held out`: one value per finished epoch.
        epochs: how many there will be.
    """
    tone = colours()
    figure = go.Figure()
    styles = (("blue", "solid", 2.0), ("grey", "dot", 1.8))
    drawn = [(name, list(values)) for name, values in curves.items() if len(values)]
    for (name, values), (colour, dash, width) in zip(drawn, styles, strict=False):
        figure.add_scatter(
            x=list(range(1, len(values) + 1)),
            y=values,
            mode="lines" if len(values) > 1 else "markers",
            line={"color": tone[colour], "dash": dash, "width": width},
            hovertemplate=f"{chart_text(name)}, epoch %{{x}}: %{{y:.3g}}<extra></extra>",
        )
        figure.add_annotation(
            x=len(values),
            y=values[-1],
            text=f"<b>{chart_text(name)}</b>",
            font={"color": tone[colour]},
            showarrow=False,
            xanchor="left",
            xshift=6,
            yshift=7 if name != drawn[0][0] else -5,
        )
    layout(figure, 124, l=44, r=62, t=6, b=20)
    last = max(epochs, max((len(values) for _, values in drawn), default=1), 2)
    figure.update_xaxes(
        range=[1, last],
        tickvals=[1, last],
        ticktext=["epoch 1", str(last)],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        gridcolor=tone["grid"],
        zeroline=False,
        nticks=4,
        rangemode="tozero",
        title={"text": "loss", "font": {"size": 12}, "standoff": 4},
        fixedrange=True,
    )
    return figure


def format_select() -> None:
    """Let a person choose what the camera above each figure saves, on every page at once."""
    st.segmented_control(
        "Pictures",
        ["SVG", "PNG"],
        default="SVG",
        required=True,
        key="picture_format",
        label_visibility="collapsed",
        help="What the camera above each figure saves.",
        persist_state="session",
    )
