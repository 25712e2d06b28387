"""The facts of a data set, and the table of its methods."""

from __future__ import annotations

from html import escape
from pathlib import PureWindowsPath

import numpy as np

from lnl_core.figures import frame
from lnl_core.figures.palette import TONES
from lnl_core.said import many
from lnl_core.services.compare import in_words
from lnl_core.services.compare.report import _markup
from lnl_core.services.in_force import standing
from lnl_core.services.review import goals
from lnl_core.services.review.auditing import errors_left
from lnl_core.services.review.corrected import corrected
from lnl_core.types import DatasetInfo
from lnl_core.views import CONSENSUS, Comparison, score


def facts_of(info: DatasetInfo, comparison: Comparison) -> str:
    """Return what is known of a data set and its review, in one row."""
    seen = standing(info)
    kind = {1: "grey", 3: "RGB"}.get(info.channels, f"{info.channels} channels")
    facts = [
        ("Images", f"{info.n:,}"),
        ("Classes", f"{info.real_class_count:,}"),
        ("Size", f"{info.width} × {info.height} px, {kind}"),
        ("Queue proposes", many(comparison.goal, "image")),
        ("Reviewed", f"{seen.reviewed:,}, {seen.found:,} found wrong"),
        ("Truth", comparison.truth.words if comparison.truth else "not known"),
    ]
    if seen.reviewed or not info.has_truth:
        facts.insert(-1, ("Errors left", _errors_left(info)))
    left = errors_left(info)
    here = goals.stand(info, left)
    if here.holds and left.limit is not None:
        facts.insert(-1, ("Where people err", corrected(info, left).words))
    if here.goal is not None or here.holds:
        how = f"reached: {here.reached} (95 %)" if here.holds else here.said or "not reached yet"
        facts.insert(-1, ("Goal", f"{here.words}; {how}"))
    joint = comparison.detections.get(CONSENSUS)
    if joint is not None:
        low, high = joint.interval
        facts.append(("Consensus, AP", f"{score(joint.ap)} (95 %: {score(low)}–{score(high)})"))
    cells = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in facts)
    source = f'<p class="muted">Source: {escape(_named(info.source))}</p>' if info.source else ""
    return f'<dl class="facts">{cells}</dl>{source}'


def _named(source: str) -> str:
    """Return a folder's or file's name without its path, which is nobody else's business."""
    path = PureWindowsPath(source)  # takes both slashes, and drives
    return path.name or source if path.anchor else source


def _errors_left(info: DatasetInfo) -> str:
    """Say how many wrong labels are left, as random checks tell, or how many checks that takes."""
    left = errors_left(info)
    return (
        left.words_beside(standing(info))
        or f"after {left.enough} random checks ({left.since} so far)"
    )


def sentences(info: DatasetInfo, comparison: Comparison) -> str:
    """Say what the figures do not: what is missing, left out, and who beats plain training."""
    caution = comparison.truth.caution if comparison.truth else ""
    said = [comparison.why_none, caution, in_words.baseline_words(comparison)]
    said.append(in_words.before_words(comparison))
    if comparison.left_out:
        said.append(
            f"{many(comparison.left_out, 'image is', 'images are')} left out of the curves: a "
            f"run was told the "
            "answer, or has not judged the label."
        )
    said.append(in_words.not_compared(info, comparison))
    return "".join(f"<p>{escape(each)}</p>" for each in said if each)


def table(comparison: Comparison) -> str:
    """Return every run with what it finds and what it took."""
    light, dark = (frame.strokes(comparison.candidates, TONES[mode]) for mode in ("light", "dark"))
    head = ["", "Method"]
    if comparison.detections:
        head += ["AP", "95 %", "P@k", "in first 20 %", "right fix"]
    head += ["Preset", "Seconds", "CPU s", "GB", "Images shown"]
    lines = []
    for each in comparison.ordered():
        d = comparison.detections.get(each.key)
        colours = f"--day:{light[each.key]['color']};--night:{dark[each.key]['color']}"
        dashes = "┅┅" if each.baseline else "━━"
        cells = [
            f'<td class="stroke" style="{colours}">{dashes}</td>',
            _markup.cell(each.title),
        ]
        if comparison.detections:
            fix = comparison.right_fix.get(each.key, float("nan"))
            cells += (
                [_markup.cell("")] * 5
                if d is None
                else [
                    _markup.cell(score(d.ap)),
                    _markup.cell(f"{score(d.interval[0])}–{score(d.interval[1])}"),
                    _markup.cell(score(d.at_total)),
                    _markup.cell(score(d.first_fifth)),
                    _markup.cell("–" if np.isnan(fix) else score(fix)),
                ]
            )
        cost = each.cost
        cells += [
            _markup.cell(each.preset or "–"),
            _markup.cell(_number(cost.get("seconds"), 1.0, ",.1f")),
            _markup.cell(_number(cost.get("cpu_seconds"), 1.0, ",.1f")),
            _markup.cell(_number(cost.get("peak_memory_bytes"), 1e-9, ".2f")),
            _markup.cell(_number(cost.get("images"), 1.0, ",.0f")),
        ]
        strong = ' class="consensus"' if each.key == CONSENSUS else ""
        lines.append(f"<tr{strong}>{''.join(cells)}</tr>")
    titles = "".join(f"<th>{escape(each)}</th>" for each in head)
    top, body = f"<thead><tr>{titles}</tr></thead>", f"<tbody>{''.join(lines)}</tbody>"
    return f'<table class="numbers">{top}{body}</table>'


def _number(value: float | None, scale: float, form: str) -> str:
    return "–" if value is None else format(value * scale, form)
