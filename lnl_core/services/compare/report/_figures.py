"""The figures of a report, by the names that their files get."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lnl_core.figures import agreement, costs, detection, losses, transitions
from lnl_core.figures import embedding as map_figures
from lnl_core.figures import retraining as accuracy
from lnl_core.figures.palette import TONES, Tone
from lnl_core.services.compare import comparing, retraining
from lnl_core.services.compare import losses as loss_views
from lnl_core.services.explore import confusions, embedding
from lnl_core.services.in_force import loaded, scored
from lnl_core.types import DatasetInfo
from lnl_core.views import CONSENSUS, Comparison, Layout

SAVE = (
    '<p class="save"><button data-save="png">All figures as PNG</button>'
    '<button data-save="svg">All figures as SVG</button></p>'
)


def of_compare(info: DatasetInfo, comparison: Comparison) -> Iterator[tuple[str, Any]]:
    """Yield (file name, figure) of all that the page shows."""
    tone = TONES["light"]
    if comparison.detections:
        yield "precision-recall", detection.precision_recall(comparison, tone, height=340)
        yield "effort", detection.effort(comparison, tone, height=340)
    yield (
        "agreement",
        agreement.matrix(
            comparison.correlation,
            comparison.candidates,
            tone,
            title="Agreement of the order",
            sentence="Spearman correlation of suspicion over all images: 1 is the same order.",
        ),
    )
    goal = max(comparison.goal, 1)
    keys = comparing.chosen_keys(comparison.candidates)
    yield (
        "overlap",
        agreement.matrix(
            comparing.overlap(info, keys, goal),
            comparison.candidates,
            tone,
            title=f"Top {goal:,} in common",
            sentence="Share of the union of the most suspicious images of both.",
        ),
    )
    result = retraining.latest(info)
    if result is not None:
        yield "before-after", accuracy.before_after(result, tone, height=340)
    cost = costs.costs(comparison.candidates, tone)
    if cost is not None:
        yield "cost", cost
    for each in comparison.candidates:
        if each.key != CONSENSUS:
            values = loss_views.losses(info, each.key)
            yield f"losses-{each.name}", losses.histogram(values, tone, height=320)


def of_explore(info: DatasetInfo) -> Iterator[tuple[str, Any]]:
    """Yield (file name, figure) of what Explore shows: the newest map, and the matrix."""
    tone = TONES["light"]
    for facts in embedding.layouts(info)[:1]:
        map_ = embedding.layout(info, str(facts["key"]))
        if map_ is not None:
            yield "map", _map(info, map_, tone)
    matrix = confusions.matrix(info)
    if matrix is not None:
        yield "given-true", transitions.transitions(matrix, info.class_names, tone)


def _map(info: DatasetInfo, map_: Layout, tone: Tone) -> Any:
    ranked, data = scored(info), loaded(info)

    def told(row: int) -> tuple[str, str, str]:
        assert ranked is not None
        label = int(ranked.ranking.suggested_labels[row])
        other = info.class_names[label] if label >= 0 else "–"
        return info.class_names[int(data.given_labels[row])], other, data.ids[row]

    p_wrong = None if ranked is None else ranked.ranking.p_wrong
    names = embedding.class_names(info, map_)
    return map_figures.embedding_map(map_, p_wrong, names, told, tone)


def without_map(shown: Sequence[tuple[str, Any]]) -> str:
    """Say where a map comes from; nothing where one is shown."""
    if any(name == "map" for name, _ in shown):
        return ""
    return "<p>No map of the images has been laid out; Explore does that.</p>"


def placed(number: int, shown: Sequence[tuple[str, Any]]) -> str:
    """Return the place that a figure is drawn in."""
    name, figure = shown[number]
    wide = " data-wide" if name in ("cost", "map") else ""
    height = int(figure.layout.height or 300)
    return f'<div class="figure"{wide} id="figure-{number}" style="height:{height}px"></div>'
