"""Plotly figures of Explore for the report: the map of the set, and which class is given as which.

Up to 50,000 points the map is drawn point by point; above, all points together make one picture,
in which how many lie on a spot is how dense it looks.
"""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures.comparison import _figure, text
from lnl_core.figures.palette import Tone
from lnl_core.services.explore import embedding
from lnl_core.services.explore.confusions import FEWEST_ERRORS, Matrix
from lnl_core.services.explore.embedding import Layout
from lnl_core.services.in_force import Scored, loaded
from lnl_core.types import Array, ByteArray, DatasetInfo, FloatArray, IntArray

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST = 50_000
"""Points drawn one by one at most."""

TOLD = 5_000
"""Suspected points that say their labels under the pointer at most."""

WIDE, HIGH = 1400, 860
"""Pixels of the picture of a larger set."""

LEVELS = ("below 0.25", "0.25–0.5", "above 0.5")
_SIZES = (3.0, 4.5, 6.5)


def colours(tone: Tone) -> tuple[str, str, str]:
    """Return what a point is drawn in: hardly suspected, doubtful, suspected."""
    return tone["dot"], tone["orange"], tone["red"]


def embedding_map(
    info: DatasetInfo, map_: Layout, ranked: Scored | None, tone: Tone, height: int = 620
) -> go.Figure:
    """Draw a map, coloured by the chance that a label is wrong; the caption says how.

    Args:
        info: the data set.
        map_: of `exploring.layout`.
        ranked: the ranking in force; without it all points are grey.
        tone: of `palette.TONES`.
        height: in pixels.
    """
    n = len(map_.points)
    p = np.zeros(n, np.float32) if ranked is None else np.asarray(ranked.ranking.p_wrong)
    level = (p >= embedding.DOUBTFUL).astype(np.uint8) + (p >= embedding.SUSPECTED)
    drawn = "each a point" if n <= MOST else f"too many for points: a picture of all {n:,}"
    figure = _figure(
        "Map of the images",
        f"Images that look alike lie close together; {n:,} images, {drawn}. Colour: chance that "
        f"the given label is wrong. {text(_made_of(map_), 90)}",
        tone,
        height,
        l=8,
        b=8,
        t=80,
    )
    if n <= MOST:
        _points(figure, info, map_, level, ranked, tone)
    else:
        _picture(figure, map_.points, level, tone)
    for each in embedding.class_names(info, map_):
        figure.add_annotation(
            x=each["x"],
            y=each["y"],
            text=f"<b>{text(each['name'], 18)}</b>",
            showarrow=False,
            font={"size": 13, "color": tone["text"]},
            bgcolor=f"rgba({','.join(f'{part:.0f}' for part in _rgb(tone['page']))},.6)",
        )
    plain = {"visible": False, "showgrid": False, "automargin": False}
    figure.update_xaxes(range=[0, 1], **plain)
    figure.update_yaxes(range=[1, 0], **plain)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
    )
    return figure


def _made_of(map_: Layout) -> str:
    facts = map_.facts
    source = str(facts["source"])
    what = f"run {source[4:]}" if source.startswith("run:") else f"{source} features"
    return (
        f"UMAP of {what}, {facts['neighbours']} neighbours, least distance "
        f"{facts['min_dist']:g}, seed {facts['seed']}."
    )


def _points(
    figure: go.Figure,
    info: DatasetInfo,
    map_: Layout,
    level: ByteArray,
    ranked: Scored | None,
    tone: Tone,
) -> None:
    place = (map_.points / np.float32(65535)).astype(np.float32)
    for each, (name, colour, size) in enumerate(zip(LEVELS, colours(tone), _SIZES, strict=True)):
        rows = np.flatnonzero(level == each)
        told: dict[str, Any] = {"hoverinfo": "skip"}
        if each and ranked is not None and len(rows) <= TOLD:
            words = [_words(info, ranked, int(row)) for row in rows]
            told = {"text": words, "hovertemplate": "%{text}<extra></extra>"}
        figure.add_scattergl(
            x=place[rows, 0],
            y=place[rows, 1],
            mode="markers",
            marker={"color": colour, "size": size, "opacity": 0.85 if each else 0.55},
            name=f"{name} ({len(rows):,})",
            **told,
        )


def _words(info: DatasetInfo, ranked: Scored, row: int) -> str:
    given = info.class_names[int(loaded(info).given_labels[row])]
    label = int(ranked.ranking.suggested_labels[row])
    other = info.class_names[label] if label >= 0 else "–"
    chance = float(ranked.ranking.p_wrong[row])
    return f"{text(given)} → {text(other)}, {chance:.2f}<br>{text(loaded(info).ids[row], 40)}"


def _picture(figure: go.Figure, points: Array, level: ByteArray, tone: Tone) -> None:
    data = base64.b64encode(picture(points, level, tone)).decode()
    figure.add_layout_image(
        source=f"data:image/png;base64,{data}",
        x=0,
        y=0,
        xref="x",
        yref="y",
        sizex=1,
        sizey=1,
        sizing="stretch",
        layer="below",
    )
    counts = np.bincount(level, minlength=3)
    for name, colour, size, number in zip(LEVELS, colours(tone), _SIZES, counts, strict=True):
        figure.add_scatter(  # for the legend alone
            x=[None],
            y=[None],
            mode="markers",
            marker={"color": colour, "size": size + 3},
            name=f"{name} ({number:,})",
        )


def picture(points: Array, level: ByteArray, tone: Tone) -> bytes:
    """Draw very many points as one PNG of 1400 x 860 pixels.

    Args:
        points: (n, 2) uint16; 0..65535 spans the picture, y points down.
        level: (n,) 0 hardly suspected, 1 doubtful, 2 suspected; higher ones lie on top.
        tone: of `palette.TONES`.
    """
    from PIL import Image

    canvas = np.tile(_rgb(tone["page"]), (HIGH, WIDE, 1))
    x = (points[:, 0].astype(np.int64) * WIDE) >> 16
    y = (points[:, 1].astype(np.int64) * HIGH) >> 16
    cell = y * WIDE + x
    for each, colour in enumerate(colours(tone)):
        found = np.bincount(cell[level == each], minlength=WIDE * HIGH).reshape(HIGH, WIDE)
        count = found.astype(np.float32)
        if not each:
            cover = 1 - np.exp(-0.35 * count)
        else:  # wider, so that single ones are seen
            wide = count.copy()
            for axis in (0, 1):
                wide += np.roll(count, 1, axis) + np.roll(count, -1, axis)
            cover = 0.95 * (1 - np.exp(-2.5 * wide))
        canvas += cover[:, :, None] * (_rgb(colour) - canvas)
    image = Image.fromarray(canvas.round().astype(np.uint8)).quantize(48, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _rgb(colour: str) -> FloatArray:
    found: FloatArray = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    return found


# Which class is given as which ------------------------------------------------------------------


def transitions(info: DatasetInfo, found: Matrix, tone: Tone) -> go.Figure:
    """Draw the expected images of each true class among those given as one class."""
    s = len(found.labels)
    own = np.eye(s, dtype=bool)
    many = (found.count >= FEWEST_ERRORS) & ~own
    shown = np.where(many, found.share, np.nan)
    names = [text(info.class_names[label], 14) for label in found.labels]
    above = 106 + round(min(4.6 * max(2, *map(len, names)), 50))  # two lines, slanted names
    some = "" if s == info.class_count else f" The {s} classes with most expected errors."
    figure = _figure(
        "Given and true classes",
        "Expected images of each true class (column) among those given as one (row).<br>95 % "
        f"intervals under the pointer; empty: fewer than {FEWEST_ERRORS}.{some}",
        tone,
        max(240, above + 14 + 27 * s),
        l=90,
        r=44,
        t=above,
        b=8,
    )
    figure.add_heatmap(
        z=np.where(own, 1.0, np.nan),
        colorscale=[[0, tone["grid"]], [1, tone["grid"]]],
        showscale=False,
        hoverinfo="skip",
        xgap=2,
        ygap=2,
    )
    figure.add_heatmap(
        z=shown,
        zmin=0,
        zmax=max(float(np.nanmax(shown, initial=0.0)), 0.02),
        colorscale=tone["scale"],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        text=np.where(many, np.char.mod("%.0f", found.count), ""),
        texttemplate="%{text}" if s <= 14 else None,
        customdata=[[_cell(found, i, j, names) for j in range(s)] for i in range(s)],
        hovertemplate="%{customdata}<extra></extra>",
    )
    places: IntArray = np.arange(s)
    ticks = {"tickvals": places, "ticktext": names, "showgrid": False}
    ticks |= {"tickfont": {"size": 12, "color": tone["text"]}}
    figure.update_xaxes(
        side="top", tickangle=-40, title_text="true class", range=[-0.5, s - 0.5], **ticks
    )
    figure.update_yaxes(
        title_text="given class", ticklabelstandoff=4, range=[s - 0.5, -0.5], **ticks
    )
    return figure


def _cell(found: Matrix, i: int, j: int, names: list[str]) -> str:
    size = max(float(found.size[i]), 1)
    low, high = (size * float(end[i, j]) for end in (found.low, found.high))
    return (
        f"given {names[i]}, truly {names[j]}<br>{found.count[i, j]:,.0f} "
        f"(95 %: {low:,.0f}–{high:,.0f}) of {size:,.0f} images"
    )
