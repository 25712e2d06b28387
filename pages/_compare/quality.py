"""Compare, quality: precision and recall, effort, a table of methods, overlap at the goal."""

from __future__ import annotations

import math

import pandas as pd
import streamlit as st

from lnl_core.figures import detection, frame, reliability
from lnl_core.services.compare import chances, in_words
from lnl_core.services.compare.five_views import others_expected
from lnl_core.services.compare.seeds import Spread, spreads
from lnl_core.services.in_force import standing
from lnl_core.types import DatasetInfo
from lnl_core.views import CONSENSUS, TOGETHER, Candidate, Comparison, score
from pages import _figures, _ui, _words
from pages._compare import agreement, without
from pages._ui import plain

_ROW = 30
_SECOND = ("fifth", "fix", "clock", "memory")
"""Columns that a telephone has no room for."""


def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw curves, table and overlap; without a truth, why there is no curve."""
    tone = _figures.tone()
    if comparison.detections:
        left, right = st.columns(2, gap="small")
        with left, st.container(border=True, key="pr_card"):
            _figures.draw(
                detection.precision_recall(comparison, tone), "precision_recall", info,
                alt="Precision against recall of every method", height="stretch",
            )  # fmt: skip
        with right, st.container(border=True, key="effort_card"):
            _figures.draw(
                detection.effort(comparison, tone), "effort", info,
                alt="Wrong labels found against images reviewed", height="stretch",
            )  # fmt: skip
    else:
        without.missing_card(info, comparison)
    with st.container(key="quality_columns"):
        left, right = st.columns([60, 40], gap="small")
    with left:
        _table(info, comparison)
        reviewed = _words.plural(standing(info).reviewed, "image")
        st.caption(f"{reviewed} reviewed, {_words.count(comparison.found)} found wrong.")
        caution = comparison.truth.caution if comparison.truth else ""
        for sentence in (
            _reconstructions(comparison),
            caution,
            in_words.baseline_words(comparison),
            in_words.before_words(comparison),
            _left_out(comparison),
        ):
            if sentence:
                st.caption(plain(sentence))
    with right, st.container(border=True, key="overlap_card"):
        agreement.overlap(info, comparison, max(1, min(comparison.goal, comparison.compared)))
    if comparison.detections:
        _chances(info, comparison)
    else:
        without.apart(info)
        without.orders_and_costs(info, comparison)


def _chances(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw what the consensus promised beside what was so; nothing where nobody knows."""
    judged = chances.judged(info, comparison)
    if judged is None:
        return
    joint, found = judged
    left, right = st.columns(2, gap="small")
    with left, st.container(border=True, key="chances_card"):
        _figures.draw(
            reliability.reliability(found, _figures.tone()), "chances", info,
            alt="Share of wrong labels against the chance that was promised", height="stretch",
        )  # fmt: skip
    with right, st.container(border=True, height="stretch", key="chances_words"):
        st.markdown(plain(chances.words(comparison, found)))
        st.caption(
            plain(
                f"Chances of the {joint.title} as they were scored: answers have not moved them. A "
                "dot stands for all images of a tenth of the scale, the larger the more; the line "
                "through it is the 95 % interval of the share."
            )
        )


def _short_names(comparison: Comparison) -> bool:
    """Whether the table names methods as the figures beside it do: full names have no room."""
    return bool(comparison.detections) and (_ui.presents() or not _ui.wide())


def _reconstructions(comparison: Comparison) -> str:
    """Say which methods are reconstructions, where the table has no room for the word."""
    named = [each.short for each in comparison.candidates if each.reconstruction]
    if not named or not _short_names(comparison):
        return ""
    return f"Could be read only in part, so a reconstruction: {', '.join(named)}."


def _left_out(comparison: Comparison) -> str:
    if not comparison.left_out:
        return ""
    images = _words.plural(comparison.left_out, "image")
    return f"{images} left out here: a run was told their answer, or has not judged them."


def _table(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw a row per method, best first."""
    ordered = comparison.ordered()
    tone = _figures.tone()
    table = pd.DataFrame([_row(comparison, each) for each in ordered])
    if comparison.detections:
        table = table.drop(columns=["other", *(_SECOND if _ui.narrow() else ())])
    else:
        table = table.drop(columns=["ap", "at_k", "fifth", "fix"])
        table["other"] = [_other(info, each) for each in ordered]
    apart = spreads(info, comparison)
    if apart:
        words = [_seeds(apart.get(each.key)) for each in ordered]
        table.insert(list(table.columns).index("ap") + 1, "seeds", words)
    lines = frame.strokes(comparison.candidates, tone)
    colours = [lines[each.key]["color"] for each in ordered]
    tint = f"{tone['button']}24"

    def paint(line: pd.Series[str]) -> list[str]:
        place = int(str(line.name))
        same = f"background-color: {tint}" if ordered[place].key == CONSENSUS else ""
        return [f"color: {colours[place]}; {same}" if c == "line" else same for c in line.index]

    st.dataframe(
        table.style.apply(paint, axis=1),
        hide_index=True,
        width="stretch",
        row_height=_ROW,
        height=_ROW * (len(table) + 1) + (22 if _ui.presents() else 7),
        key=f"compare_table_{bool(comparison.detections)}",
        column_config={
            "line": st.column_config.TextColumn("Line", width=44),
            "method": st.column_config.TextColumn(
                "Method", width=150 if _short_names(comparison) else 260
            ),
            "other": st.column_config.TextColumn(
                "other class",
                width=82,
                alignment="right",
                help="Images that the method expects in another class than the given one.",
            ),
            "ap": st.column_config.TextColumn(
                "AP",
                width=82,
                alignment="right",
                help="Average precision, 1 is a perfect order; ± half of the 95 % bootstrap "
                "interval over the images.",
            ),
            "seeds": st.column_config.TextColumn(
                "AP, seeds",
                width=110,
                alignment="right",
                help="Mean ± standard deviation over runs that differ in their seed alone, and "
                "how many these are.",
            ),
            "at_k": st.column_config.TextColumn(
                "P@k",
                width=46,
                alignment="right",
                help="Precision after as many reviews as there are wrong labels.",
            ),
            "fifth": st.column_config.TextColumn(
                "first 20 %",
                width=72,
                alignment="right",
                help="Share of the wrong labels among the first fifth of the images.",
            ),
            "fix": st.column_config.TextColumn(
                "right fix",
                width=62,
                alignment="right",
                help="Share of wrong labels whose suggested class is the right one.",
            ),
            "clock": st.column_config.TextColumn("min:s", width=48, alignment="right"),
            "memory": st.column_config.TextColumn("GB", width=42, alignment="right"),
        },
        alt="Methods with their figures, best first",
    )


def _row(comparison: Comparison, each: Candidate) -> dict[str, str]:
    d = comparison.detections.get(each.key)
    seconds, memory = each.cost.get("seconds"), each.cost.get("peak_memory_bytes")
    fix = comparison.right_fix.get(each.key, math.nan)
    full = _ui.short(each.title, 40)
    return {
        "line": "┅┅" if each.baseline else "━━",
        "method": _ui.short(each.short, 24) if _short_names(comparison) else full,
        "other": "",
        "ap": "" if d is None else f"{score(d.ap)} ±{_half(*d.interval)}",
        "at_k": "" if d is None else score(d.at_total),
        "fifth": "" if d is None else score(d.first_fifth),
        "fix": "–" if math.isnan(fix) else score(fix),
        "clock": "–" if seconds is None else _words.clock(seconds),
        "memory": f"{memory / 1e9:.1f}" if memory else "–",
    }


def _seeds(spread: Spread | None) -> str:
    if spread is None:
        return ""
    return f"{spread.mean:.2f} ± {spread.deviation:.2f} ({spread.runs})"


def _other(info: DatasetInfo, each: Candidate) -> str:
    return "–" if each.key in TOGETHER else _words.count(others_expected(info, each))


def _half(low: float, high: float) -> str:
    return f"{(high - low) / 2:.2f}".removeprefix("0")
