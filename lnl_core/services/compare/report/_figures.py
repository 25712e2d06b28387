"""The figures of a report, by the names that their files get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lnl_core.figures import (
    agreement,
    costs,
    detection,
    frame,
    losses,
    reliability,
    transitions,
)
from lnl_core.figures import differences as drawing
from lnl_core.figures import embedding as map_figures
from lnl_core.figures import loss_course as drawn_course
from lnl_core.figures import retraining as accuracy
from lnl_core.figures.palette import Tone
from lnl_core.services.compare import (
    chances,
    comparing,
    differences,
    loss_course,
    retraining,
)
from lnl_core.services.compare import losses as loss_views
from lnl_core.services.explore import confusions, embedding
from lnl_core.services.in_force import loaded, scored, unjudged
from lnl_core.types import DatasetInfo
from lnl_core.views import TOGETHER, Comparison, Layout

SAVE = (
    '<p class="save"><button data-save="png">All figures as PNG</button>'
    '<button data-save="svg">All figures as SVG</button></p>'
)


Named = tuple[str, Any]
"""File name, and figure."""

WIDE = ("cost", "map")
"""Figures as wide as the page."""

LETTERS = (60, 98)
"""On a line of a figure's title and of its sentence: what half of the page has room for."""

WIDE_LETTERS = (90, 125)
"""The same of figures as wide as the page: what paper has room for."""


def folded(drawn: Iterator[Named]) -> list[Named]:
    """Return figures whose headings fit into the part of the page that they have."""
    return [
        (name, frame.folded(figure, WIDE_LETTERS if name in WIDE else LETTERS))
        for name, figure in drawn
    ]


def of_compare(info: DatasetInfo, comparison: Comparison, tone: Tone) -> Iterator[Named]:
    """Yield what the page shows of how runs compare."""
    if comparison.detections:
        yield "precision-recall", detection.precision_recall(comparison, tone, height=340)
        yield "effort", detection.effort(comparison, tone, height=340)
        judged = chances.judged(info, comparison)
        if judged is not None:
            yield "chances", reliability.reliability(judged[1], tone, height=340)
    yield (
        "agreement",
        agreement.matrix(
            comparison.correlation,
            comparison.candidates,
            tone,
            title="Agreement of the order",
            sentence="Spearman correlation, images that all judge: 1 is one order.",
        ),
    )
    goal = max(min(comparison.goal, comparison.compared), 1)
    keys = comparing.chosen_keys(comparison.candidates)
    yield (
        "overlap",
        agreement.matrix(
            comparing.overlap(info, keys, goal),
            comparison.candidates,
            tone,
            title=f"Top {goal:,} in common",
            sentence="Share of the union of both methods' most suspicious.",
        ),
    )
    result = retraining.latest(info)
    if result is not None:
        yield "before-after", accuracy.before_after(result, tone, height=340)
    cost = costs.costs(comparison.candidates, tone)
    if cost is not None:
        yield "cost", cost
    for each in comparison.candidates:
        if each.key not in TOGETHER:
            values = loss_views.losses(info, each.key)
            yield f"losses-{each.name}", losses.histogram(values, tone, height=320)
            spread = loss_course.course(info, each.key)
            if spread is not None:
                yield f"course-{each.name}", drawn_course.course(spread, tone)


def of_differences(info: DatasetInfo, comparison: Comparison, tone: Tone) -> Iterator[Named]:
    """Yield how sure the differences are, and which classes they come from."""
    found = differences.pairs(comparison)
    if found:
        yield "pairs", drawing.pairs(found, comparison.candidates, tone)
    classes = differences.by_class(info, comparison)
    if classes.shares:
        for measure in ("recall", "precision"):
            yield (
                f"{measure}-by-class",
                drawing.classes(
                    classes.shares,
                    comparison.candidates,
                    info.class_names,
                    classes.reviews,
                    tone,
                    measure,
                ),
            )
    in_classes = differences.class_pairs(info, comparison)
    if in_classes:
        against = differences.reference(comparison)
        names = info.class_names
        yield (
            "recall-against",
            drawing.against(in_classes, comparison.candidates, names, against, tone),
        )


def of_explore(info: DatasetInfo, tone: Tone) -> Iterator[Named]:
    """Yield what Explore shows: the newest map, and the matrix."""
    for facts in embedding.layouts(info)[:1]:
        map_ = embedding.layout(info, str(facts["key"]))
        if map_ is not None:
            yield "map", _map(info, map_, tone)
    matrix = confusions.matrix(info)
    if matrix is not None and transitions.tells(matrix):
        yield (
            "given-true",
            transitions.transitions(matrix, info.class_names, info.real_class_count, tone),
        )


def _map(info: DatasetInfo, map_: Layout, tone: Tone) -> Any:
    ranked, data = scored(info), loaded(info)

    def told(row: int) -> tuple[str, str, str]:
        assert ranked is not None
        label = int(ranked.ranking.suggested_labels[row])
        other = info.class_names[label] if label >= 0 else "–"
        return info.class_names[int(data.given_labels[row])], other, data.ids[row]

    p_wrong = None if ranked is None else np.where(unjudged(info), np.nan, ranked.ranking.p_wrong)
    names = embedding.class_names(info, map_)
    return map_figures.embedding_map(map_, p_wrong, names, told, tone)


def without_map(info: DatasetInfo, shown: Sequence[Named]) -> str:
    """Say where a map comes from; nothing where one is shown."""
    if any(name == "map" for name, _ in shown):
        return ""
    if embedding.outdated(info) is not None:
        return (
            "<p>The map is left out: its features were made by an earlier recipe. "
            "Explore lays out a new one.</p>"
        )
    return "<p>No map of the images has been laid out; Explore does that.</p>"


def said(figure: Any) -> str:
    """Return the words around a figure: its heading, and what its axes are."""
    layout = figure.layout
    titles = (layout.title.text, layout.xaxis.title.text, layout.yaxis.title.text)
    return " ".join(each for each in titles if each)


def placed(shown: Sequence[Named], first: int = 0) -> str:
    """Return the places that figures are drawn in, numbered on from the first."""
    return "".join(_place(number, *each) for number, each in enumerate(shown, first))


def _place(number: int, name: str, figure: Any) -> str:
    wide = " data-wide" if name in ("cost", "map") else ""
    wide += " data-screen" if name.startswith("course-") else ""  # paper does not move
    wide += " data-half" if name.startswith("losses-") else ""  # two beside each other on paper
    height = int(figure.layout.height or 300)
    place = f'id="figure-{number}" style="height:{height}px"></div>'
    if not figure.frames:
        return f'<div class="figure"{wide} {place}'
    steps = f'<div class="stepper" data-steps="{number}"></div>'
    return f'<div class="figure"{wide}><div {place}{steps}</div>'
