"""What all figures share: the empty figure with its title and sentence, its legend, its lines.

Each figure carries its title and one sentence on what it shows, so that a saved picture still
explains itself. `tone` is one of `palette.TONES`; text of people is escaped.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lnl_core.figures import palette
from lnl_core.figures.palette import Tone, ink_on
from lnl_core.views import BEFORE, CONSENSUS, TOGETHER, Candidate

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lnl_core.types import FloatArray


PERCENT = "\u202f%"
"""A narrow space and the sign, as numbers carry it."""


LEGEND_WIDTH = 16
"""Characters on a line of the legend."""


def text(value: object, limit: int = 24) -> str:
    """Return text of people for a figure, which would take tags for formatting."""
    line = " ".join(str(value).split())
    line = "".join(each for each in line if each.isprintable())
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") or "–"


def heading(title: str, sentence: str, tone: Tone) -> str:
    """Return a figure's title above the sentence that explains it."""
    small = f'<span style="font-size:12px;color:{tone["muted"]}">{sentence}</span>'
    return f"<b>{title}</b><br>{small}"


_HEADING = re.compile(r"<b>(.*)</b><br>(<span [^>]*>)(.*)</span>", re.S)
_LINES = (20, 16)
"""Pixels of a line of the title and of the sentence."""


def folded(figure: go.Figure, letters: tuple[int, int]) -> go.Figure:
    """Return the figure, its heading on more lines where it is long, and as much higher.

    Args:
        figure: of this room.
        letters: on a line of the title, and of the sentence below it.
    """
    parts = _HEADING.fullmatch(figure.layout.title.text or "")
    if parts is None:
        return figure
    title, sentence = (
        [line for old in words.split("<br>") for line in textwrap.wrap(old, most) or [old]]
        for words, most in zip((parts[1], parts[3]), letters, strict=True)
    )
    more = _LINES[0] * (len(title) - 1)
    more += _LINES[1] * (len(sentence) - 1 - parts[3].count("<br>"))
    layout = figure.layout
    layout.title.text = f"<b>{'<br>'.join(title)}</b><br>{parts[2]}{'<br>'.join(sentence)}</span>"
    layout.height += more
    layout.margin.t += more
    return figure


def new_figure(title: str, sentence: str, tone: Tone, height: int, **margin: int) -> go.Figure:
    """Return an empty figure in the house's look, with its title and the sentence below it."""
    import plotly.graph_objects as go

    axis = {
        "gridcolor": tone["grid"],
        "zeroline": False,
        "fixedrange": True,
        "title": {"font": {"size": 12, "color": tone["muted"]}, "standoff": 6},
        "ticks": "",
        "ticklabelstandoff": 4,  # or the zeros of both axes meet where they cross
    }
    layout = {
        "title": {
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
        "height": height,
        "margin": {"l": 44, "r": 8, "t": 58, "b": 40} | margin,
        "paper_bgcolor": tone["page"],
        "plot_bgcolor": tone["page"],
        "font": {"family": "Source Sans, Segoe UI, Roboto, sans-serif", "size": 12,
                 "color": tone["muted"]},
        "hoverlabel": {"font": {"family": "Source Sans, Segoe UI, sans-serif", "size": 13}},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": tone["edge"], "activecolor": tone["text"]},
        "dragmode": False,
        "showlegend": False,
        "legend": {
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
        "xaxis": axis,
        "yaxis": axis | {"automargin": True},  # long numbers push the title aside
    }  # fmt: skip
    return go.Figure(layout=layout)  # at once: a tenth of the time that updates take


def strokes(candidates: Sequence[Candidate], tone: Tone) -> dict[str, dict[str, Any]]:
    """Hand out a line to each candidate, in order: key -> `color`, `width`, `dash`.

    The consensus is thick ink, that from before the review thinner and dashed; baselines, models of
    one's own and older runs are dashed.
    """
    single = [each for each in candidates if each.key not in TOGETHER]
    lines = palette.strokes([each.baseline or not each.newest for each in single], tone)
    by_key = {each.key: line for each, line in zip(single, lines, strict=True)}
    ink = {"color": tone["text"], "width": 3.5, "dash": "solid"}
    return {CONSENSUS: ink, BEFORE: ink | {"width": 2, "dash": "dash"}} | by_key


def wrapped(name: str) -> str:
    """Return a name in full for the legend, on as many lines as it takes."""
    return "<br>".join(map(text, textwrap.wrap(" ".join(name.split()), LEGEND_WIDTH))) or "–"


def legend_room(drawn: Sequence[Candidate]) -> int:
    """Return the pixels that the legend's longest line takes, with its sample."""
    lines = [line for each in drawn for line in textwrap.wrap(each.short, LEGEND_WIDTH)]
    return 50 + round(6.4 * max(9, *map(len, lines), 0))


def legend_height(drawn: Sequence[Candidate]) -> int:
    """Return the pixels of a figure whose legend has room: all that is drawn, and chance."""
    names = sum(3 + 16 * len(textwrap.wrap(each.short, LEGEND_WIDTH)) for each in drawn)
    return 58 + names + 3 * 19


def legend_above(figure: go.Figure) -> None:
    """Place the legend in one line between the title and the plot."""
    figure.update_layout(
        showlegend=True,
        margin_t=84,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
    )


def write_cells(
    figure: go.Figure, shares: FloatArray, words: Sequence[Sequence[str]], tone: Tone
) -> None:
    """Write into the cells of a heatmap, each in the ink that its colour asks for.

    Plotly's own choice follows the page and fails on the middle of a scale.

    Args:
        figure: has the heatmap, columns and rows from 0.
        shares: (r, c) places on `tone["scale"]`, in [0, 1]; NaN where there is no cell.
        words: (r, c), blank where nothing is to be written.
        tone: of the figure.
    """
    cells = [
        (x, y, word, ink_on(tone["scale"], 0.0 if share != share else float(share)))
        for y, (line, values) in enumerate(zip(words, shares, strict=True))
        for x, (word, share) in enumerate(zip(line, values, strict=True))
        if word
    ]
    x, y, said, inks = zip(*cells, strict=True) if cells else ((), (), (), ())
    figure.add_scatter(
        x=x,
        y=y,
        text=said,
        mode="text",
        textfont={"size": 12, "color": list(inks)},
        hoverinfo="skip",
        showlegend=False,
    )
