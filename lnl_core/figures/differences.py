"""What stands behind one number a method: pairs with their intervals, classes, seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from lnl_core.figures.frame import new_figure, text, wrapped, write_cells
from lnl_core.figures.palette import Tone
from lnl_core.views import Candidate, ClassPair, Pair, Shares

if TYPE_CHECKING:
    import plotly.graph_objects as go

PAIRS = 14
"""Pairs that are drawn, the clearest first; a table has the others."""

CLASSES = 20
"""Classes that are drawn, those with the most wrong labels."""


def pairs(
    found: Sequence[Pair], candidates: Sequence[Candidate], tone: Tone, height: int = 0
) -> go.Figure:
    """Draw by how much one method is above another, with the interval of each pair."""
    shown = list(found[:PAIRS])
    more = len(found) - len(shown)
    names = {each.key: text(each.short, 14) for each in candidates}
    sentence = "Difference of average precision, 95 % paired bootstrap interval; filled: clear"
    sentence += " after the correction for all pairs (Holm)."
    if more:
        sentence += f" The {len(shown)} clearest of {len(found)}."
    figure = new_figure(
        "Which is better, and is it sure?", sentence.replace("95 %", "95\u202f%"), tone,
        height or 112 + 24 * max(len(shown), 2), l=150, r=20, t=80,
    )  # fmt: skip
    titles = {each.key: text(each.title, 40) for each in candidates}
    for clear in (True, False):
        some = [(i, each) for i, each in enumerate(shown) if each.clear is clear]
        if not some:
            continue
        figure.add_scatter(
            x=[each.gap for _, each in some],
            y=[i for i, _ in some],
            mode="markers",
            marker={
                "size": 9,
                "color": tone["accent"] if clear else tone["page"],
                "line": {"width": 2, "color": tone["accent"] if clear else tone["edge"]},
            },
            error_x={
                "type": "data",
                "array": [each.high - each.gap for _, each in some],
                "arrayminus": [each.gap - each.low for _, each in some],
                "color": tone["accent"] if clear else tone["edge"],
                "thickness": 1.8,
                "width": 0,
            },
            customdata=[
                f"{titles[each.one]} over {titles[each.other]}: {each.gap:+.3f} "
                f"({each.low:+.3f} to {each.high:+.3f}), p {p_words(each.corrected)}"
                for _, each in some
            ],
            hovertemplate="%{customdata}<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": tone["text"], "width": 1})
    figure.update_xaxes(title_text="difference of average precision", nticks=6)
    figure.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[f"{names[each.one]} over {names[each.other]}" for each in shown],
        range=[len(shown) - 0.4, -0.6],
        showgrid=False,
        tickfont={"size": 12, "color": tone["text"]},
    )
    return figure


def p_words(p: float) -> str:
    """Return a corrected p as it is shown."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def classes(
    shares: Mapping[str, Shares],
    candidates: Sequence[Candidate],
    class_names: Sequence[str],
    reviews: int,
    tone: Tone,
    measure: str = "recall",
) -> go.Figure:
    """Draw recall or precision of every method (row) for every given class (column)."""
    drawn = [each for each in candidates if each.key in shares]
    wrong = shares[drawn[0].key].wrong
    order = [int(c) for c in np.argsort(-wrong, kind="stable") if wrong[c] > 0][:CLASSES]
    of_all = int((wrong > 0).sum())
    some = f" The {len(order)} classes with most of {of_all}." if of_all > len(order) else ""
    words = (
        "Wrong labels of each class among the reviews, of all of its wrong ones"
        if measure == "recall"
        else "Wrong labels among the class's reviewed images"
    )
    names = [text(class_names[label], 14) for label in order]
    height, margin = _sizes(names, [each.short for each in drawn])
    figure = new_figure(
        "Recall by given class" if measure == "recall" else "Precision by given class",
        f"{words}, after {reviews:,} reviews of each order, as many as are wrong; 95\u202f% "
        f"interval under the pointer.{some}",
        tone,
        height,
        **margin,
    )
    values = np.array([getattr(shares[each.key], measure)[order] for each in drawn])
    figure.add_heatmap(
        z=values,
        zmin=0,
        zmax=1,
        colorscale=tone["scale"],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        customdata=[
            [_said(shares[each.key], each, label, class_names, measure) for label in order]
            for each in drawn
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    if len(order) <= 14:
        write_cells(figure, values, [[_two(value) for value in line] for line in values], tone)
    _name_cells(figure, names, drawn, tone)
    return figure


def _sizes(columns: Sequence[str], rows: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Return height and margins of a figure of cells with these names."""
    above = 96 + round(min(4.6 * max(2, *map(len, columns), 2), 56))
    lines = max((wrapped(name).count("<br>") + 1 for name in rows), default=1)
    right = max([14, *(round(5.2 * len(name)) for name in columns[-1:])])  # slanted over the edge
    height = above + 16 + max(27, 6 + 15 * lines) * max(len(rows), 3)
    return height, {"l": 70, "r": right, "t": above, "b": 8}


def _name_cells(
    figure: go.Figure, columns: Sequence[str], rows: Sequence[Candidate], tone: Tone
) -> None:
    """Write the classes above the cells and the methods beside them."""
    figure.update_xaxes(
        side="top",
        tickangle=-40,
        tickvals=list(range(len(columns))),
        ticktext=list(columns),
        range=[-0.5, len(columns) - 0.5],
        showgrid=False,
        ticklabeloverflow="allow",
        tickfont={"size": 12, "color": tone["text"]},
    )
    figure.update_yaxes(
        tickvals=list(range(len(rows))),
        ticktext=[wrapped(each.short) for each in rows],
        range=[len(rows) - 0.5, -0.5],
        showgrid=False,
        tickfont={"size": 12, "color": tone["text"]},
    )


def against(
    found: Sequence[ClassPair],
    candidates: Sequence[Candidate],
    class_names: Sequence[str],
    reference: str,
    tone: Tone,
) -> go.Figure:
    """Draw by how much the recall of every method (row) is above one method's, by given class.

    Args:
        found: every two methods in every class.
        candidates: of the comparison, in their order.
        class_names: of the set.
        reference: key of the method that the others are held against.
        tone: of `palette.TONES`.
    """
    of_it = {
        (each.other if each.one == reference else each.one, each.label): each
        for each in found
        if reference in (each.one, each.other)
    }
    rows = [each for each in candidates if any(key == each.key for key, _ in of_it)]
    wrong = {each.label: each.wrong for each in found}
    order = sorted(wrong, key=lambda label: (-wrong[label], label))[:CLASSES]
    signed = np.array(
        [[_signed(of_it[each.key, label], reference) for label in order] for each in rows]
    )
    titles = {each.key: each for each in candidates}
    some = (
        f" The {len(order)} classes with most of {len(wrong)}." if len(wrong) > len(order) else ""
    )
    names = [text(class_names[label], 14) for label in order]
    height, margin = _sizes(names, [each.short for each in rows])
    figure = new_figure(
        f"Recall above that of {text(titles[reference].short, 20)}, by given class",
        f"Bold in brackets: clear after the correction for all pairs and classes (Holm).{some}",
        tone,
        height,
        **margin,
    )
    diverging = [[0, tone["red"]], [0.5, tone["page"]], [1, tone["scale"][-1][1]]]
    figure.add_heatmap(
        z=signed,
        zmin=-1,
        zmax=1,
        colorscale=diverging,
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=[
            [_said_pair(of_it[each.key, label], titles, class_names) for label in order]
            for each in rows
        ],
        hovertemplate="%{customdata}<extra></extra>",
    )
    if len(order) <= 14:
        cells = [
            [
                _cell(value, of_it[each.key, label].clear)
                for value, label in zip(line, order, strict=True)
            ]
            for line, each in zip(signed, rows, strict=True)
        ]
        write_cells(figure, (signed + 1) / 2, cells, {**tone, "scale": diverging})
    _name_cells(figure, names, rows, tone)
    return figure


def _signed(each: ClassPair, reference: str) -> float:
    return -each.gap if each.one == reference else each.gap


def _cell(value: float, clear: bool) -> str:
    if abs(value) < 0.005:
        return "0"
    word = f"{value:+.2f}".replace("0.", ".").replace("-", "\N{MINUS SIGN}")
    return f"<b>[{word}]</b>" if clear else word


def _said_pair(each: ClassPair, titles: Mapping[str, Candidate], class_names: Sequence[str]) -> str:
    one, other = (text(titles[key].title, 40) for key in (each.one, each.other))
    return (
        f"{one} over {other}, given {text(class_names[each.label])}<br>{each.gap:+.2f} "
        f"(95\u202f%: {each.low:+.2f} to {each.high:+.2f}) of {each.wrong:,.0f} wrong labels, "
        f"p {p_words(each.corrected)}"
    )


def _two(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    return "1" if value == 1 else f"{min(value, 0.994):.2f}".removeprefix("0")


def _said(
    shares: Shares, method: Candidate, label: int, class_names: Sequence[str], measure: str
) -> str:
    value = getattr(shares, measure)[label]
    low, high = getattr(shares, f"{measure}_interval")[label]
    of = shares.wrong[label] if measure == "recall" else shares.reviewed[label]
    noun = "wrong labels" if measure == "recall" else "reviewed images"
    head = f"{text(method.title, 40)}, given {text(class_names[label])}"
    if not np.isfinite(value):
        return f"{head}: none of its images is among the reviews"
    return f"{head}<br>{value:.2f} (95\u202f%: {low:.2f}–{high:.2f}) of {of:,.0f} {noun}"
