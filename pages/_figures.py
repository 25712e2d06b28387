"""How Compare shows a figure: in the theme's colours, with a camera that saves it."""

from __future__ import annotations

import re
import textwrap
from typing import Any, Literal

import streamlit as st

from lnl_core.figures import frame
from lnl_core.figures.palette import TONES
from lnl_core.types import DatasetInfo
from pages import _ui

_TIMES = 4 / 3
"""How much larger text is on a wide window: 16 px in place of 12 (UI, section 4)."""

_GROWS = """<style>@container main (min-width:640px){{
.st-key-{}{{height:clamp({}px,100vh - {}px,{}px)}}}}</style>"""
"""For a figure of as many rows as there are: `_shell` knows the others' heights beforehand."""

_SPAN = re.compile(r"font-size:(\d+)px")


def tone() -> dict[str, Any]:
    """Return the colours of the theme that the browser shows."""
    return TONES["dark" if st.context.theme.type == "dark" else "light"]


Part = Literal["column", "half", "whole"]
"""How much of the page's width a figure has: a narrow column, half of it, or all."""

_LETTERS: dict[Part, tuple[int, int]] = {"column": (42, 56), "half": (50, 66), "whole": (64, 92)}
"""On a line of the title and of the sentence: what the narrowest window has room for that still
sets figures side by side, or, for whole ones, one of 853 px, zoomed to 150 %."""

_WIDE_LETTERS: dict[Part, tuple[int, int]] = {
    "column": (52, 68),
    "half": (60, 80),
    "whole": (100, 130),
}
_PRESENTED_LETTERS: dict[Part, tuple[int, int]] = {
    "column": (25, 34),
    "half": (34, 46),
    "whole": (50, 70),
}
_NARROW_LETTERS = (36, 50)
_TICKS = 5
"""Numbers below the axis on a telephone."""
_NUMBER = re.compile(r"[0-9.e+-]+")
_CELLS = 49
"""Cells of a matrix whose numbers a telephone has room for."""
_AXIS = 40
"""Letters below the axis on a telephone."""


def draw(
    figure: Any,
    name: str,
    info: DatasetInfo,
    alt: str,
    *,
    key: str = "",
    height: Literal["content", "stretch"] = "content",
    part: Part = "half",
    grows: int = 0,
    beside: int = 0,
) -> None:
    """Show a figure with the one button of its tool bar: save the picture.

    Args:
        figure: of `lnl_core.figures`.
        name: of the file, beside the data set's.
        info: the data set.
        alt: what it shows, for who cannot see it.
        key: where the same figure is drawn twice on a page.
        part: of the page's width that it has, and so have its heading's lines.
        height: `stretch` where the frame's style gives the element a height by the window's.
        grows: px that it may be higher than by itself, where the window has them.
        beside: px of the window that stand above and below it.
    """
    figure = fitted(figure, part)
    if grows and not _ui.narrow():
        height, least = "stretch", round(figure.layout.height)
        st.html(_GROWS.format(key or name, least, beside, least + grows))
    form = str(st.session_state.get("picture_format") or "SVG").lower()
    stem = re.sub(r"[^A-Za-z0-9]+", "-", f"{info.name} {name}").strip("-")[:80]
    st.plotly_chart(
        figure,
        theme=None,
        key=key or name,
        alt=alt,
        height=height,
        config={
            "displaylogo": False,
            "displayModeBar": "hover",
            "modeBarButtons": [["toImage"]],
            "toImageButtonOptions": {"format": form, "filename": stem, "scale": 2},
            "scrollZoom": False,
        },
    )


def fitted(figure: Any, part: Part = "half") -> Any:
    """Return the figure for the window there is: heading on lines that fit, text by its width."""
    if _ui.narrow():
        return beneath(frame.folded(figure, _NARROW_LETTERS))
    if _ui.wide():
        return enlarged(frame.folded(figure, _WIDE_LETTERS[part]))
    if _ui.presents():
        return enlarged(frame.folded(figure, _PRESENTED_LETTERS[part]))
    return frame.folded(figure, _LETTERS[part])


def beneath(figure: Any) -> Any:
    """Return the figure with its legend below the plot and long axes' names on two lines."""
    layout = figure.layout
    title = layout.xaxis.title.text or ""
    lines = textwrap.wrap(title, _AXIS) or [""]
    figure.update_xaxes(title_text="<br>".join(lines))
    ticks, said = layout.xaxis.tickvals, layout.xaxis.ticktext or ()
    if ticks is not None and len(said) > _TICKS and all(map(_NUMBER.fullmatch, said)):
        figure.update_xaxes(tickvals=ticks[::2], ticktext=said[::2])  # side by side they meet
    below = layout.margin.b + 15 * (len(lines) - 1)
    if layout.showlegend:
        names = [each.name for each in figure.data if each.name and each.showlegend is not False]
        rows = 19 * sum(1 + name.count("<br>") for name in names) + 24
        whole = layout.height + rows + 15 * (len(lines) - 1)
        below += rows
        figure.update_layout(
            legend={"orientation": "v", "x": 0, "y": rows / whole, "yref": "container"}
            | {"yanchor": "top", "xanchor": "left"},
        )
    figure.update_layout(height=layout.height + below - layout.margin.b, margin_b=below)
    if layout.showlegend and layout.margin.r > 60:
        figure.update_layout(margin_r=8)  # the legend stood there
    if len(layout.annotations) > _CELLS:
        figure.update_layout(annotations=[])  # numbers wider than their cells; a tap says them
    return figure


def enlarged(figure: Any) -> Any:
    """Return a copy whose text is at least 16 px high, with margins, and a height, that fit it."""
    import plotly.graph_objects as go

    layout = _larger(figure.layout.to_plotly_json())
    margin = figure.layout.margin.to_plotly_json()
    if margin:
        layout["margin"] = {side: round(_TIMES * width) for side, width in margin.items()}
        upright = sum(layout["margin"].get(side, 0) - margin.get(side, 0) for side in "tb")
        layout["height"] = figure.layout.height + upright
    copy = go.Figure(figure)
    copy.layout = layout
    for trace in copy.data:
        for font in ("textfont", "colorbar"):
            if font in trace and trace[font] is not None:
                trace[font] = _larger({font: trace[font].to_plotly_json()})[font]
    return copy


def _larger(part: Any, font: bool = False) -> Any:
    """Return a part of a layout with every font enlarged, in words with styles of their own too."""
    if isinstance(part, dict):
        return {
            key: round(_TIMES * value)
            if font and key == "size" and isinstance(value, int | float)
            else _larger(value, key.endswith("font"))
            for key, value in part.items()
        }
    if isinstance(part, list | tuple):
        return [_larger(each) for each in part]
    if isinstance(part, str):
        return _SPAN.sub(lambda match: f"font-size:{round(_TIMES * int(match[1]))}px", part)
    return part
