"""One HTML file with everything that Compare shows: it opens anywhere, without a network.

Plotly's script is in it once, images are data URIs, and its own policy forbids to load anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import lnl_core
from lnl_core.data import outputs
from lnl_core.figures.loss_course import STEPPER
from lnl_core.figures.palette import TONES, Tone
from lnl_core.services import places
from lnl_core.services.compare import comparing
from lnl_core.services.compare.report import (
    _answers,
    _copies,
    _differences,
    _figures,
    _glossary,
    _maps,
    _markup,
    _methods,
    _page,
    _pairs,
    _style,
    _versions,
    _views,
)
from lnl_core.services.compare.report._album import Album
from lnl_core.services.compare.report._dark import changes
from lnl_core.services.compare.report._figures import Named
from lnl_core.store.db import now
from lnl_core.types import DatasetInfo
from lnl_core.views import Comparison

Figures = tuple[list[Named], list[Named], list[Named]]
"""Of runs, of their differences, and of the set."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a report."""

    path: Path
    size: int
    figures: int


def file_name(info: DatasetInfo) -> str:
    """Return what to call a data set's report."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", info.name).strip("-").lower()[:60] or "data-set"
    return f"{stem}-report.html"


def write(
    info: DatasetInfo, out: Path, *, keys: Sequence[str] | None = None, force: bool = False
) -> Written:
    """Write the report of a data set to a file, whole or not at all, or to a stream.

    Raises:
        LnlError: nothing is scored yet, or the file cannot or must not be written.
    """
    where = places.output(info.workspace, out, (".html", ".htm"), force=force)
    text = html(info, keys=keys)
    data = text.encode()
    outputs.write(where, lambda stream: stream.write(data))
    return Written(out, len(data), text.count('class="figure"'))


def html(info: DatasetInfo, *, keys: Sequence[str] | None = None, truth: str | None = None) -> str:
    """Return the report as one HTML page.

    Args:
        info: the data set.
        keys: of `comparing.candidates`; the consensus and the newest runs when None.
        truth: what counts as true, as in `comparing.compare`.

    Raises:
        LnlError: nothing is scored yet.
    """
    comparison = comparing.compare(info, keys, truth)
    several = _drawn(info, comparison, TONES["light"])
    shown = [each for some in several for each in some]
    dark = [each for some in _drawn(info, comparison, TONES["dark"]) for each in some]
    body = _body(info, comparison, several)
    said = " ".join([body, *(_figures.said(figure) for _, figure in shown)])
    terms = _markup.section("What the words mean", _glossary.glossary(re.sub("<[^>]*>", " ", said)))
    return _whole(info, body + terms, shown, beside(shown, dark))


def beside(light: list[Named], dark: list[Named]) -> list[Named]:
    """Return for each light figure the dark one of its name, or itself where there is none.

    A map or a run that comes while the report is written is in one of the two alone.
    """
    left = list(dark)
    found = []
    for each in light:
        place = next((i for i, other in enumerate(left) if other[0] == each[0]), None)
        found.append(each if place is None else left.pop(place))
    return found


def _body(info: DatasetInfo, comparison: Comparison, several: Figures) -> str:
    """Return the parts of the report, but for the words that they use."""
    compared, apart, explored = several
    album = Album(info)
    parts = [
        f"<h1>{escape(info.name)}</h1>",
        f'<p class="muted">Report of LNL Review {escape(lnl_core.__version__)}, {_stamp()}</p>',
        _methods.facts_of(info, comparison),
        _markup.section(
            "Methods", _methods.table(comparison) + _methods.sentences(info, comparison)
        ),
        _markup.section("Figures", _figures.SAVE + _figures.placed(compared)),
        _markup.section(
            "Differences",
            _differences.words(info, comparison)
            + _figures.placed(apart, len(compared))
            + _differences.classes(info, comparison)
            + _differences.class_pairs(info, comparison)
            + _differences.seeds(info, comparison),
        ),
        _markup.section(
            "Map and classes",
            _figures.without_map(info, explored)
            + _figures.placed(explored, len(compared) + len(apart)),
        ),
        _copies.section(info, album),
        _markup.section("Class pairs", _pairs.pairs(info, album)),
        _markup.section("Images as each method sees them", _views.five(info, album)),
        _markup.section("Where a network looks", _maps.looks(info, album)),
        _markup.section("Head of the queue", _answers.queue(info, album)),
        _markup.section("Decisions so far", _answers.answered(info)),
        _markup.section("Versions", _versions.table(info, comparison)),
        f'<p class="muted">{escape(album.words())}</p>',
    ]
    return "\n".join(parts)


def _drawn(info: DatasetInfo, comparison: Comparison, tone: Tone) -> Figures:
    """Return the figures of runs, of their differences, and of the set."""
    return (
        _figures.folded(_figures.of_compare(info, comparison, tone)),
        _figures.folded(_figures.of_differences(info, comparison, tone)),
        _figures.folded(_figures.of_explore(info, tone)),
    )


def _whole(info: DatasetInfo, body: str, light: list[Named], dark: list[Named]) -> str:
    """Return the page around its parts, with the figures and what they have other in the dark."""
    figures, others = ([json.loads(one.to_json()) for _, one in some] for some in (light, dark))
    return _page.PAGE.format(
        title=escape(f"{info.name}: label review"),
        style=_style.STYLE,
        body=body,
        plotly=_plotly(),
        data=_markup.as_json(figures),
        dark=_markup.as_json([changes(*each) for each in zip(figures, others, strict=True)]),
        names=_markup.as_json([label for label, _ in light]),
        draw=STEPPER + _page.DRAW,
        policy=_page.policy(drawn_by_graphics=any(name == "map" for name, _ in light)),
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _stamp() -> str:
    return now()[:16].replace("T", " ") + " UTC"
