"""Which class is given as which: a heat map whose cells filter the queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas  # noqa: F401  Plotly asks what another thread has loaded half of for its parts
import plotly.graph_objects as go
import streamlit as st

from lnl_core.services.explore import confusions
from lnl_core.services.in_force import scored
from lnl_core.services.runs import control
from lnl_core.types import DatasetInfo
from lnl_core.views import FEWEST_ERRORS, Matrix
from pages import _charts, _figures, _ui, _words
from pages._explore import pairs
from pages._words import chart_text, count, plain, short_name

PAIRS = 3
UPRIGHT = 12
"""Classes, and letters of a name, above which names stand upright: slanted ones would lie on each
other, or leave the card."""

LETTERS = 22
"""Of a class name along the axes."""


def draw(info: DatasetInfo) -> None:
    """Draw the matrix; a click opens the queue of that class pair."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="matrix_row"):
        st.markdown("**Given → true**", width="stretch")
        matrix = confusions.matrix(info)
        if matrix is not None and matrix.says.any():
            st.caption("a click filters the queue", width="content")
    if matrix is None:
        if info.real_class_count < 2:
            st.markdown("With one class, no image can be given as another.")
        elif scored(info) is None:
            if control.underway(info):
                st.markdown("Scoring now. Comes with the first finished run.")
                return
            st.markdown("Comes with the first run.")
            if st.button("Score it", icon=":material/play_arrow:", key="explore_score"):
                _ui.go("runs", dataset=info.name)
        return
    if not matrix.says.any():  # every cell would be grey
        st.caption(
            f"No class pair expects {FEWEST_ERRORS} wrong labels or more, and nobody has found one."
        )
        _largest(info, matrix)
        return
    figure = _figure(info, matrix)
    event: Any = st.plotly_chart(
        _figures.enlarged(figure) if _ui.wide() else figure,
        theme=None,
        key=f"explore-cells-{info.id}",
        on_select="rerun",
        selection_mode=("points",),
        alt="Expected images of each true class among those given as one class.",
        config={
            "displaylogo": False,
            "scrollZoom": False,
            "modeBarButtonsToRemove": ["select2d", "lasso2d", "zoom2d", "pan2d", "autoScale2d"],
            "toImageButtonOptions": {
                "format": str(st.session_state.get("picture_format") or "SVG").lower(),
                "filename": "given-true",
                "scale": 2,
            },
        },
    )
    _largest(info, matrix)
    more = "" if len(matrix.labels) == info.real_class_count else f" {_some(info, matrix)}"
    st.caption(
        "Images of each true class (column) among those given as one class (row): the bluer, "
        "the larger the share of the row. "
        f"Grey: fewer than {FEWEST_ERRORS} expected, none found.{more}",
        help=_sources(matrix),
    )
    for point in (event or {}).get("selection", {}).get("points", [])[:1]:
        given, true = (int(label) for label in point["customdata"][:2])
        _open(info, given, true)


def _sources(matrix: Matrix) -> str:
    """Say where the numbers come from."""
    words = (
        "Images with an answer count as people say. The others: which class is given as which "
        "comes from the methods' pooled probabilities, "
    )
    if matrix.audits:
        return words + (
            f"how many are wrong from {count(matrix.audits)} settled random checks in Review, "
            "whose answers also count in their row. Intervals: 95\u202f%."
        )
    return words + (
        f"and so does how many are wrong, until {confusions.AUDITS_NEEDED} settled random checks "
        "in Review say it better. Until then no interval stands behind a number."
    )


def _some(info: DatasetInfo, matrix: Matrix) -> str:
    return (
        f"The {len(matrix.labels)} classes with most expected errors of "
        f"{_words.plural(info.real_class_count, 'class', 'classes')}."
    )


def _open(info: DatasetInfo, given: int, true: int, *, accept: bool = False) -> None:
    query = {"dataset": info.name, "given": str(given)}
    if true != given:
        query["suggested"] = str(true)
    if accept:
        query["accept"] = "1"
    _ui.go("review", **query)


def _interval(matrix: Matrix, i: int, j: int) -> str:
    """Say how many; between what only where random checks stand behind it."""
    if not matrix.audits:
        return f"about {count(matrix.images[i, j])}"
    size = float(matrix.size[i])
    low, high = (count(size * float(end[i, j])) for end in (matrix.low, matrix.high))
    return f"{count(matrix.images[i, j])} (95{_words.NARROW}%: {low}–{high})"


def _largest(info: DatasetInfo, matrix: Matrix) -> None:
    """Name the largest confusions with their intervals; each opens its queue, by keyboard too.

    Beside each stands what people said where the two classes meet; other pairs that they disagree
    on follow.
    """
    cells = np.where(matrix.says, matrix.count, 0)
    order = np.argsort(-cells, axis=None, kind="stable")[:PAIRS]
    shown: set[frozenset[int]] = set()
    with st.container(gap=None, key="explore_pairs"):
        for place in order:
            i, j = divmod(int(place), len(matrix.labels))
            if not cells[i, j]:
                continue
            given, true = int(matrix.labels[i]), int(matrix.labels[j])
            names = [plain(short_name(info.class_names[label], 18)) for label in (given, true)]
            words = f"{names[0]} → {names[1]}: {_interval(matrix, i, j)}"
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                if st.button(words, type="tertiary", key=f"explore_pair_{given}_{true}"):
                    _open(info, given, true)
                pair = frozenset((given, true))
                if pair not in shown:  # both directions have one definition
                    pairs.draw(info, given, true)
                    shown.add(pair)
                if st.button(
                    "",
                    icon=":material/bolt:",
                    type="tertiary",
                    help="Accept these suggestions unseen, after a random check",
                    key=f"explore_accept_{given}_{true}",
                ):
                    _open(info, given, true, accept=True)
        pairs.draw_others(info, shown)


def _figure(info: DatasetInfo, matrix: Matrix) -> go.Figure:
    own = _charts.colours()
    tone = own["cells"]
    s = len(matrix.labels)
    many, diagonal = matrix.says, np.eye(s, dtype=bool)
    share = np.where(many, matrix.share, np.nan)
    names = [chart_text(info.class_names[label], LETTERS) for label in matrix.labels]
    figure = go.Figure()
    figure.add_heatmap(
        z=np.where(diagonal, 1.0, 0.0),
        colorscale=[[0, tone["few"]], [1, tone["own"]]],
        zmin=0,
        zmax=1,
        xgap=2,
        ygap=2,
        showscale=False,
        hoverinfo="skip",
    )
    figure.add_heatmap(
        z=share,
        text=np.where(many, matrix.images.astype(str), ""),
        texttemplate="%{text}" if s <= 14 else None,
        textfont={"size": 12},
        colorscale=[[0, tone["low"]], [1, tone["high"]]],
        zmin=0,
        zmax=max(float(np.nanmax(share, initial=0.0)), 0.02),
        xgap=2,
        ygap=2,
        showscale=False,
        hoverinfo="skip",
        hoverongaps=False,
    )
    longest = max(len(name) for name in names)
    upright = max(s, longest) > UPRIGHT
    above = 30 + round(5.8 * longest if upright else 4.6 * max(longest, 2))
    height = above + 6 + min(30, max(16, 300 // s)) * s
    rows, columns = np.divmod(np.arange(s * s), s)
    figure.add_scatter(
        x=columns,
        y=rows,
        mode="markers",
        marker={"symbol": "square", "size": max(10, (height - above - 6) // s - 2), "opacity": 0},
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        customdata=[
            _cell(info, matrix, int(i), int(j)) for i, j in zip(rows, columns, strict=True)
        ],
        hovertemplate="%{customdata[2]}<extra></extra>",
    )
    _charts.layout(figure, height, l=24, r=6 if upright else 34, t=above, b=4)
    _lay_out(figure, names, own, upright)
    return figure


def _lay_out(figure: go.Figure, names: list[str], own: Mapping[str, Any], upright: bool) -> None:
    """Write the classes along both axes, true ones above, and let a click select a cell."""
    s = len(names)
    places = list(range(s))
    tone = own["cells"]
    figure.update_layout(
        clickmode="event+select",
        hoverdistance=30,
        hoverlabel={"bgcolor": tone["few"], "bordercolor": own["muted"], "font_color": own["text"]},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": own["muted"], "activecolor": own["text"]},
    )
    figure.update_xaxes(
        tickvals=places,
        ticktext=names,
        side="top",
        title={"text": "true class", "font": {"size": 12}, "standoff": 4},
        tickangle=-90 if upright else -50,
        range=[-0.5, s - 0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        ticks="",
        tickfont={"size": 12, "color": own["muted"]},
    )
    figure.update_yaxes(
        tickvals=places,
        ticktext=names,
        range=[s - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        ticks="",
        ticklabelstandoff=4,
        automargin=True,
        title={"text": "given class", "font": {"size": 12}, "standoff": 8},
        tickfont={"size": 12, "color": own["text"]},
    )


def _cell(info: DatasetInfo, matrix: Matrix, i: int, j: int) -> list[Any]:
    """Return what a cell carries: both classes, and its words for the pointer."""
    given, true = (chart_text(info.class_names[matrix.labels[each]], 40) for each in (i, j))
    size = max(float(matrix.size[i]), 1)
    share, low, high = (
        _words.percent(float(end[i, j]), 1) for end in (matrix.share, matrix.low, matrix.high)
    )
    words = (
        f"<b>given {given}, truly {true}</b><br>{_interval(matrix, i, j)} of {count(size)} images"
        f"<br>{chart_text(share)} of the row "
    )
    if matrix.audits:
        words += f"(95{_words.NARROW}%: {chart_text(low)}–{chart_text(high)})"
    else:
        words += f"by the scores, a guess until {confusions.AUDITS_NEEDED} random checks"
    if i != j and not matrix.says[i, j]:
        words += "<br>too few to tell"
    return [int(matrix.labels[i]), int(matrix.labels[j]), words]
