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
from lnl_core.services import places
from lnl_core.services.compare import comparing
from lnl_core.services.compare.report import (
    _answers,
    _figures,
    _markup,
    _methods,
    _page,
    _versions,
)
from lnl_core.store.db import now
from lnl_core.types import DatasetInfo


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
    compared = list(_figures.of_compare(info, comparison))
    explored = list(_figures.of_explore(info))
    shown = compared + explored
    parts = [
        f"<h1>{escape(info.name)}</h1>",
        f'<p class="muted">Report of LNL Review {escape(lnl_core.__version__)}, {_stamp()}</p>',
        _methods.facts_of(info, comparison),
        _markup.section("Methods", _methods.table(comparison) + _methods.sentences(comparison)),
        _markup.section(
            "Figures",
            _figures.SAVE + "".join(_figures.placed(i, shown) for i in range(len(compared))),
        ),
        _markup.section(
            "Map and classes",
            _figures.without_map(explored)
            + "".join(_figures.placed(i, shown) for i in range(len(compared), len(shown))),
        ),
        _markup.section("Head of the queue", _answers.queue(info)),
        _markup.section("Decisions so far", _answers.answered(info)),
        _markup.section("Versions", _versions.table(info, comparison)),
    ]
    return _page.PAGE.format(
        title=escape(f"{info.name}: label review"),
        style=_page.STYLE,
        body="\n".join(parts),
        plotly=_plotly(),
        data=_markup.as_json([json.loads(figure.to_json()) for _, figure in shown]),
        names=_markup.as_json([label for label, _ in shown]),
        draw=_page.DRAW,
        policy=_page.policy(drawn_by_graphics=any(name == "map" for name, _ in shown)),
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _stamp() -> str:
    return now()[:16].replace("T", " ") + " UTC"
