"""The map of the set, for the report.

Up to 50,000 points the map is drawn point by point; above, all points together make one picture,
in which how many lie on a spot is how dense it looks.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from lnl_core.figures import map_names
from lnl_core.figures.frame import new_figure, text
from lnl_core.figures.palette import Tone
from lnl_core.types import Array, ByteArray, FloatArray
from lnl_core.views import DOUBTFUL, SUSPECTED, Layout, chance

if TYPE_CHECKING:
    import plotly.graph_objects as go


MOST = 50_000
"""Points drawn one by one at most."""


TOLD = 5_000
"""Suspected points that say their labels under the pointer at most."""


WIDE, HIGH = 1400, 860
"""Pixels of the picture of a larger set."""


LEVELS = ("below 0.25", "0.25–0.5", "above 0.5", "told or not judged")
UNJUDGED = 3


_SIZES = (3.0, 4.5, 6.5, 3.0)
"""Pixels of a point among thousands."""


def growth(n: int) -> float:
    """Return how much larger the points of a small set are drawn, and smaller those of a large."""
    return float(min(2.4, max(0.7, (5000 / max(n, 1)) ** 0.28)))


def colours(tone: Tone) -> tuple[str, str, str, str]:
    """Return what a point is drawn in: hardly suspected, doubtful, suspected, without a score."""
    return tone["dot"], tone["orange"], tone["red"], tone["blue"]


def embedding_map(
    map_: Layout,
    p_wrong: FloatArray | None,
    names: Sequence[Mapping[str, Any]],
    told: Callable[[int], tuple[str, str, str]],
    tone: Tone,
    height: int = 620,
) -> go.Figure:
    """Draw a map, coloured by the chance that a label is wrong; the caption says how.

    Args:
        map_: where the images lie.
        p_wrong: (n,) chance that each label is wrong, NaN where a run was told the answer or none
            has judged it; without it all points are grey.
        names: class names to write on the map, each with `name`, `x`, `y`.
        told: row -> (given class, suggested class, id), asked of suspected points only.
        tone: of `palette.TONES`.
        height: in pixels.
    """
    n = len(map_.points)
    p = np.zeros(n, np.float32) if p_wrong is None else np.asarray(p_wrong)
    level = (p >= DOUBTFUL).astype(np.uint8) + (p >= SUSPECTED)
    level = np.where(np.isnan(p), UNJUDGED, level).astype(np.uint8)
    drawn = "each a point" if n <= MOST else f"too many for points: a picture of all {n:,}"
    figure = new_figure(
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
        _points(figure, map_, level, p, told, tone)
    else:
        _picture(figure, map_.points, level, tone)
    _write_names(figure, names, map_.points, tone)
    plain = {"visible": False, "showgrid": False, "automargin": False}
    figure.update_xaxes(range=[0, 1], **plain)
    figure.update_yaxes(range=[1, 0], **plain)
    figure.update_layout(
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "xanchor": "left"},
    )
    return figure


def _write_names(
    figure: go.Figure, names: Sequence[Mapping[str, Any]], points: Array, tone: Tone
) -> None:
    """Write class names beside their dots; a line ties one that stands away from its class."""
    said = [(" ".join(str(each["name"]).split())[:18], each["x"], each["y"]) for each in names]
    whole = {short: each["name"] for (short, *_), each in zip(said, names, strict=True)}
    halo = f"rgba({','.join(f'{part:.0f}' for part in _rgb(tone['page']))},.6)"
    for each in map_names.place(said, points):
        figure.add_annotation(
            x=each.middle[0],
            y=each.middle[1],
            ax=each.at[0],
            ay=each.at[1],
            axref="x",
            ayref="y",
            text=f"<b>{text(whole[each.name], 18)}</b>",
            showarrow=True,
            arrowhead=0,
            arrowwidth=1,
            arrowcolor=tone["edge"] if each.moved else "rgba(0,0,0,0)",
            font={"size": 13, "color": tone["text"]},
            bgcolor=halo,
        )


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
    map_: Layout,
    level: ByteArray,
    p_wrong: FloatArray,
    told: Callable[[int], tuple[str, str, str]],
    tone: Tone,
) -> None:
    place = (map_.points / np.float32(65535)).astype(np.float32)
    grown = growth(len(place))
    looks = list(zip(LEVELS, colours(tone), _SIZES, strict=True))
    for each in _from_below(level):
        name, colour, size = looks[each]
        rows = np.flatnonzero(level == each)
        hover: dict[str, Any] = {"hoverinfo": "skip"}
        if each in (1, 2) and len(rows) <= TOLD:
            words = [_words(*told(int(row)), float(p_wrong[row])) for row in rows]
            hover = {"text": words, "hovertemplate": "%{text}<extra></extra>"}
        figure.add_scattergl(
            x=place[rows, 0],
            y=place[rows, 1],
            mode="markers",
            marker={
                "color": colour,
                "size": round(grown * size, 1),
                "opacity": 0.85 if each else 0.55,
            },
            name=f"{name} ({len(rows):,})",
            **hover,
        )


def _from_below(level: ByteArray) -> list[int]:
    """Return the levels in the order in which they are drawn; the suspected ones lie on top."""
    return [0, *([UNJUDGED] if (level == UNJUDGED).any() else []), 1, 2]


def _words(given: str, other: str, id_: str, p_wrong: float) -> str:
    said = escape(chance(p_wrong))
    return f"{text(given)} → {text(other)}, p wrong {said}<br>{text(id_, 40)}"


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
    looks = list(zip(LEVELS, colours(tone), _SIZES, strict=True))
    for each in _from_below(level):
        name, colour, size = looks[each]
        number = int((level == each).sum())
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
        level: (n,) 0 hardly suspected, 1 doubtful, 2 suspected, which lie on top; 3 has no score.
        tone: of `palette.TONES`.
    """
    from PIL import Image

    canvas = np.tile(_rgb(tone["page"]), (HIGH, WIDE, 1))
    x = (points[:, 0].astype(np.int64) * WIDE) >> 16
    y = (points[:, 1].astype(np.int64) * HIGH) >> 16
    cell = y * WIDE + x
    for each in _from_below(level):
        hits = np.bincount(cell[level == each], minlength=WIDE * HIGH).reshape(HIGH, WIDE)
        count = hits.astype(np.float32)
        if each in (0, UNJUDGED):
            cover = 1 - np.exp(-0.35 * count)
        else:  # wider, so that single ones are seen
            wide = count.copy()
            for axis in (0, 1):
                wide += np.roll(count, 1, axis) + np.roll(count, -1, axis)
            cover = 0.95 * (1 - np.exp(-2.5 * wide))
        canvas += cover[:, :, None] * (_rgb(colours(tone)[each]) - canvas)
    image = Image.fromarray(canvas.round().astype(np.uint8)).quantize(48, dither=Image.Dither.NONE)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _rgb(colour: str) -> FloatArray:
    channels: FloatArray = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)], np.float32)
    return channels
