"""What stands behind the figures of differences: every pair, and every class, in numbers."""

from __future__ import annotations

from html import escape

import numpy as np

from lnl_core.figures.differences import p_words
from lnl_core.services.compare import differences
from lnl_core.services.compare.report import _markup
from lnl_core.types import DatasetInfo
from lnl_core.views import Comparison, Shares, score

CLEAREST = 40
"""Differences of a class that are listed, the clearest first."""


def words(info: DatasetInfo, comparison: Comparison) -> str:
    """Say how pairs were compared, and give all of them; why there is nothing without a truth."""
    found = differences.pairs(comparison)
    if not found:
        return f"<p>{escape(comparison.why_none)}</p>" if comparison.why_none else ""
    titles = {each.key: each.title for each in comparison.candidates}
    lines = [
        (
            titles[each.one],
            titles[each.other],
            f"{each.gap:+.3f}",
            f"{each.low:+.3f} to {each.high:+.3f}",
            p_words(each.corrected),
        )
        for each in found
    ]
    head = ("Higher", "Lower", "AP", "95 %", "p, Holm")
    return f"<p>{escape(differences.words(found))}</p>" + _markup.folded(
        f"All pairs ({len(lines):,})", _markup.table(head, lines)
    )


def classes(info: DatasetInfo, comparison: Comparison) -> str:
    """Return recall and precision of every method for every class that has wrong labels."""
    found = differences.by_class(info, comparison)
    if not found.shares:
        return ""
    titles = {each.key: each.title for each in comparison.candidates}
    first = next(iter(found.shares.values()))
    rows = [int(label) for label in np.argsort(-first.wrong, kind="stable") if first.wrong[label]]
    lines = [
        (info.class_names[label], f"{first.wrong[label]:,.0f}", titles[key], *_both(shares, label))
        for label in rows
        for key, shares in found.shares.items()
    ]
    head = ("Given class", "Wrong", "Method", "Recall", "95 %", "Precision", "95 %")
    return _markup.folded(
        f"Recall and precision by class, after {found.reviews:,} reviews of each order",
        _markup.table(head, lines),
    )


def class_pairs(info: DatasetInfo, comparison: Comparison) -> str:
    """Return the clearest differences of recall of two methods in one class."""
    found = differences.class_pairs(info, comparison)
    if not found:
        return ""
    titles = {each.key: each.title for each in comparison.candidates}
    lines = [
        (
            info.class_names[each.label],
            titles[each.one],
            titles[each.other],
            f"{each.gap:+.2f}",
            f"{each.low:+.2f} to {each.high:+.2f}",
            p_words(each.corrected),
        )
        for each in found[:CLEAREST]
    ]
    head = ("Given class", "Higher", "Lower", "Recall", "95 %", "p, Holm")
    return f"<p>{escape(differences.class_pair_words(found))}</p>" + _markup.folded(
        f"Recall of two methods in one class, the {len(lines)} clearest", _markup.table(head, lines)
    )


def _both(shares: Shares, label: int) -> tuple[str, str, str, str]:
    return (
        *_share(shares.recall[label], shares.recall_interval[label]),
        *_share(shares.precision[label], shares.precision_interval[label]),
    )


def _share(value: float, interval: object) -> tuple[str, str]:
    low, high = np.asarray(interval, np.float64)
    if not np.isfinite(value):
        return "–", ""
    return score(value), f"{score(low)}–{score(high)}"


def seeds(info: DatasetInfo, comparison: Comparison) -> str:
    """Return what other seeds gave; nothing where no method has run with several."""
    several = differences.seeds(info, comparison.truth.kind if comparison.truth else None)
    if not several:
        return ""
    lines = [
        (
            each.title,
            each.preset,
            ", ".join(map(str, each.values)),
            f"{each.mean:.3f} ±{each.spread:.3f}",
            f"{min(each.values.values()):.3f}–{max(each.values.values()):.3f}",
        )
        for each in several
    ]
    head = ("Method", "Preset", "Seeds", "AP, mean and standard deviation", "Lowest to highest")
    return f"<h3>Several seeds</h3>{_markup.table(head, lines)}"
