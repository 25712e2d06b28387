"""One HTML file with everything that Compare shows: it opens anywhere, without a network.

Plotly's script is in it once, images are data URIs, and its own policy forbids to load anything.
"""

from __future__ import annotations

import base64
import json
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PureWindowsPath
from typing import Any

import numpy as np

import lnl_core
from lnl_core.data import outputs
from lnl_core.figures import agreement, costs, detection, frame, losses, transitions
from lnl_core.figures import embedding as map_figures
from lnl_core.figures import retraining as accuracy
from lnl_core.figures.palette import TONES, Tone
from lnl_core.jobs import queue
from lnl_core.services import places
from lnl_core.services.compare import _report_page, comparing, retraining
from lnl_core.services.compare import losses as loss_views
from lnl_core.services.explore import confusions, embedding
from lnl_core.services.in_force import loaded, scored, standing
from lnl_core.services.review import pictures
from lnl_core.services.review.auditing import errors_left
from lnl_core.store import decisions
from lnl_core.store.db import now
from lnl_core.types import Action, DatasetInfo
from lnl_core.views import CONSENSUS, Comparison, Layout, chance

HEAD = 48
"""Images of the queue that the report shows."""

CHANGES = 200
"""Latest corrections that the report lists."""

_PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "plotly", "streamlit")


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
    compared = list(_figures(info, comparison))
    explored = list(_of_explore(info))
    shown = compared + explored
    parts = [
        f"<h1>{escape(info.name)}</h1>",
        f'<p class="muted">Report of LNL Review {escape(lnl_core.__version__)}, {_stamp()}</p>',
        _facts(info, comparison),
        _section("Methods", _table(comparison) + _sentences(comparison)),
        _section("Figures", _SAVE + "".join(_placed(i, shown) for i in range(len(compared)))),
        _section(
            "Map and classes",
            _without_map(explored)
            + "".join(_placed(i, shown) for i in range(len(compared), len(shown))),
        ),
        _section("Head of the queue", _queue(info)),
        _section("Decisions so far", _decisions(info)),
        _section("Versions", _versions(info, comparison)),
    ]
    return _report_page.PAGE.format(
        title=escape(f"{info.name}: label review"),
        style=_report_page.STYLE,
        body="\n".join(parts),
        plotly=_plotly(),
        data=_json([json.loads(figure.to_json()) for _, figure in shown]),
        names=_json([label for label, _ in shown]),
        draw=_report_page.DRAW,
        policy=_report_page.policy(drawn_by_graphics=any(name == "map" for name, _ in shown)),
    )


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _json(value: Any) -> str:
    """Write JSON that no HTML parser takes for a tag."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _stamp() -> str:
    return now()[:16].replace("T", " ") + " UTC"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


# Figures --------------------------------------------------------------------------------------


def _figures(info: DatasetInfo, comparison: Comparison) -> Iterator[tuple[str, Any]]:
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


_SAVE = (
    '<p class="save"><button data-save="png">All figures as PNG</button>'
    '<button data-save="svg">All figures as SVG</button></p>'
)


def _of_explore(info: DatasetInfo) -> Iterator[tuple[str, Any]]:
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


def _without_map(shown: Sequence[tuple[str, Any]]) -> str:
    if any(name == "map" for name, _ in shown):
        return ""
    return "<p>No map of the images has been laid out; Explore does that.</p>"


def _placed(number: int, shown: Sequence[tuple[str, Any]]) -> str:
    name, figure = shown[number]
    wide = " data-wide" if name in ("cost", "map") else ""
    height = int(figure.layout.height or 300)
    return f'<div class="figure"{wide} id="figure-{number}" style="height:{height}px"></div>'


# Words and tables -----------------------------------------------------------------------------


def _facts(info: DatasetInfo, comparison: Comparison) -> str:
    seen = standing(info)
    kind = {1: "grey", 3: "RGB"}.get(info.channels, f"{info.channels} channels")
    facts = [
        ("Images", f"{info.n:,}"),
        ("Classes", f"{info.class_count:,}"),
        ("Size", f"{info.width} × {info.height} px, {kind}"),
        ("Queue proposes", f"{comparison.goal:,} images"),
        ("Answered", f"{seen.reviewed:,}, {int(seen.wrong.sum()):,} found wrong"),
        ("Truth", comparison.truth.words if comparison.truth else "not known"),
    ]
    if not info.has_truth:
        facts.insert(3, ("Wrong labels", _wrong(info)))
    if (left := errors_left(info)).may_stop:
        facts.insert(-1, ("Wrong and not found", f"at most {left.limit:,} (95 %)"))
    joint = comparison.detections.get(CONSENSUS)
    if joint is not None:
        low, high = joint.interval
        facts.append(("Consensus, AP", f"{joint.ap:.2f} (95 %: {low:.2f}–{high:.2f})"))
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    source = f'<p class="muted">Source: {escape(_named(info.source))}</p>' if info.source else ""
    return f'<dl class="facts">{cells}</dl>{source}'


def _named(source: str) -> str:
    """Return a folder's or file's name without its path, which is nobody else's business."""
    path = PureWindowsPath(source)  # takes both slashes, and drives
    return path.name or source if path.anchor else source


def _wrong(info: DatasetInfo) -> str:
    """Say how many labels are wrong, as random checks tell, or how many checks that takes."""
    left = errors_left(info)
    if left.estimate is None or left.low is None or left.high is None:
        return f"after {left.enough} random checks ({left.audits} so far)"
    all_, low, high = (left.found + each for each in (left.estimate, left.low, left.high))
    return f"about {all_:,} (95 %: {low:,}–{high:,})"


def _sentences(comparison: Comparison) -> str:
    caution = comparison.truth.caution if comparison.truth else ""
    said = [comparison.why_none, caution, comparing.baseline_words(comparison)]
    if comparison.left_out:
        said.append(
            f"{comparison.left_out:,} images are left out of the curves: a run was told their "
            "answer before it was scored."
        )
    return "".join(f"<p>{escape(each)}</p>" for each in said if each)


def _table(comparison: Comparison) -> str:
    lines_of = frame.strokes(comparison.candidates, TONES["light"])
    head = ["", "Method"]
    if comparison.detections:
        head += ["AP", "95 %", "P@k", "in first 20 %", "right fix"]
    head += ["Preset", "Seconds", "CPU s", "GB", "Images shown"]
    lines = []
    for each in comparison.ordered():
        d = comparison.detections.get(each.key)
        colour = lines_of[each.key]["color"]
        mark = " (reconstruction)" if each.reconstruction else ""
        dashes = "┅┅" if each.baseline else "━━"
        cells = [f'<td style="color:{colour}">{dashes}</td>', _cell(each.title + mark)]
        if comparison.detections:
            fix = comparison.right_fix.get(each.key, float("nan"))
            cells += (
                [_cell("")] * 5
                if d is None
                else [
                    _cell(f"{d.ap:.2f}"),
                    _cell(f"{d.interval[0]:.2f}–{d.interval[1]:.2f}"),
                    _cell(f"{d.at_total:.2f}"),
                    _cell(f"{d.first_fifth:.2f}"),
                    _cell("–" if np.isnan(fix) else f"{fix:.2f}"),
                ]
            )
        cost = each.cost
        cells += [
            _cell(each.preset or "–"),
            _cell(_number(cost.get("seconds"), 1.0, ",.1f")),
            _cell(_number(cost.get("cpu_seconds"), 1.0, ",.1f")),
            _cell(_number(cost.get("peak_memory_bytes"), 1e-9, ".2f")),
            _cell(_number(cost.get("images"), 1.0, ",.0f")),
        ]
        strong = ' class="consensus"' if each.key == CONSENSUS else ""
        lines.append(f"<tr{strong}>{''.join(cells)}</tr>")
    titles = "".join(f"<th>{escape(each)}</th>" for each in head)
    return f"<table><thead><tr>{titles}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _cell(value: str) -> str:
    return f"<td>{escape(value)}</td>"


def _number(value: float | None, scale: float, form: str) -> str:
    return "–" if value is None else format(value * scale, form)


def _queue(info: DatasetInfo) -> str:
    """Draw the first open images of the queue with the suggestion of each."""
    ranked = scored(info)
    assert ranked is not None
    data, seen = loaded(info), standing(info)
    ranking = ranked.ranking
    rows = [int(row) for row in ranking.order[: HEAD + seen.reviewed] if not seen.settled[row]]
    cards = []
    for row in rows[:HEAD]:
        image, kind = pictures.image_bytes(info, info.version, row, "thumb")
        given = info.class_names[int(data.given_labels[row])]
        label = int(ranking.suggested_labels[row])
        other = info.class_names[label] if label >= 0 else "–"
        coded = base64.b64encode(image).decode()
        cards.append(
            f'<figure><img src="data:{kind};base64,{coded}" alt="labelled {escape(given)}">'
            f"<figcaption>{escape(given)} → <b>{escape(other)}</b>"
            f"<span>p wrong {escape(chance(float(ranking.p_wrong[row])))}</span>"
            f"<small>{escape(data.ids[row])}</small>"
            "</figcaption></figure>"
        )
    if not cards:
        return "<p>Nothing is left in the queue.</p>"
    return (
        "<p>Given label → suggested label, and p wrong, the calibrated chance that the given one "
        "is wrong: "
        f'the first {len(cards):,} without an answer.</p><div class="queue">{"".join(cards)}</div>'
    )


def _decisions(info: DatasetInfo) -> str:
    counts = decisions.counts(info)
    if not counts:
        return "<p>Nobody has answered yet.</p>"
    words = {
        "keep": "label right",
        "relabel": "relabelled",
        "multiple": "several classes",
        "none": "none of the classes",
        "unsure": "unsure",
        "skip": "skipped",
    }
    said = ", ".join(f"{words.get(a, a)} {n:,}" for a, n in sorted(counts.items()))
    data = loaded(info)
    lines: list[str] = []
    standing_now = (each for several in decisions.in_force(info).values() for each in several)
    for each in sorted(standing_now, key=lambda each: -each.id):
        if each.action is Action.RELABEL and each.label is not None and len(lines) < CHANGES:
            given = info.class_names[int(data.given_labels[each.row])]
            cells = (data.ids[each.row], given, info.class_names[each.label], each.reviewer,
                     each.decided_at[:16].replace("T", " "))  # fmt: skip
            lines.append(f"<tr>{''.join(_cell(cell) for cell in cells)}</tr>")
    table = ""
    if lines:
        head = "".join(
            f"<th>{t}</th>" for t in ("Image", "Given", "Corrected to", "Reviewer", "When, UTC")
        )
        table = (
            f"<details><summary>Latest corrections ({len(lines):,})</summary><table><thead><tr>"
            f"{head}</tr></thead><tbody>{''.join(lines)}</tbody></table></details>"
        )
    result = retraining.latest(info)
    bought = "" if result is None else " ".join(retraining.words(result))
    after = f"<p>Retrained: {escape(bought)}</p>" if bought else ""
    return f"<p>{escape(said)}.</p>{after}{table}"


def _versions(info: DatasetInfo, comparison: Comparison) -> str:
    rows = [
        ("LNL Review", lnl_core.__version__),
        ("Python", platform.python_version()),
        *((package, _version(package)) for package in _PACKAGES),
        ("data set, digest", info.version),
    ]
    jobs = {str(job.id): job for job in queue.jobs(info)}
    for each in comparison.candidates:
        job = jobs.get(each.key)
        if job is not None:
            seen = f"run {job.id}, {job.preset}, {job.representation}, seed {job.seed}"
            rows.append((each.title, f"{seen}, {(job.finished_at or '')[:16].replace('T', ' ')}"))
    lines = "".join(f"<tr>{_cell(a)}{_cell(b)}</tr>" for a, b in rows)
    return f"<table><tbody>{lines}</tbody></table>"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
