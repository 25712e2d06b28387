"""What a comparison says in words: plain training, the time before the review, what is left out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnl_core.methods import yardstick
from lnl_core.review import comparison
from lnl_core.said import many
from lnl_core.types import DatasetInfo
from lnl_core.views import TOGETHER, Candidate, Comparison, score


def baseline_words(compared: Comparison) -> str:
    """Say how the published methods stand against plain training; nothing without curves."""
    if not compared.detections:
        return ""
    plain = _plain(compared.candidates)
    others = [
        c
        for c in compared.candidates
        if c.key in compared.detections and not c.baseline and c.key not in TOGETHER
    ]
    if plain is None or plain.key not in compared.detections:
        return (
            f"{yardstick().title} is not among these runs: without it nobody knows what a "
            "method adds."
        )
    if not others:
        return ""
    base = compared.detections[plain.key]
    behind: list[str] = []
    level: list[str] = []
    ahead: list[str] = []
    for each in others:
        gap, low, high = comparison.difference(compared.detections[each.key], base)
        words = f"{each.title} {_signed(gap)} ({_signed(low)} to {_signed(high)})"
        (behind if high < 0 else ahead if low > 0 else level).append(words)
    start = f"{plain.title} reaches an average precision of {score(base.ap)}."
    if not behind and not level:
        return f"{start} Every published method here is above it, 95 % sure of each."
    parts = [start]
    if not ahead:
        parts.append("No published method beats it here.")
    if behind:
        parts.append(f"Worse: {', '.join(behind)}.")
    if level:
        parts.append(f"No clear difference: {', '.join(level)}.")
    if ahead:
        parts.append(f"Better: {', '.join(ahead)}.")
    return " ".join(parts)


def before_words(compared: Comparison) -> str:
    """Say how the order stands now against that before the review; nothing without both."""
    now, before = (compared.detections.get(key) for key in TOGETHER)
    if now is None or before is None:
        return ""
    gap, low, high = comparison.difference(now, before)
    first = min(compared.goal, now.size)
    found = [float(np.interp(first, each.depth, each.found)) for each in (before, now)]
    return (
        f"Before the review the consensus had an average precision of {score(before.ap)}, now "
        f"{score(now.ap)} ({_signed(gap)}, 95 %: {_signed(low)} to {_signed(high)}), on the same "
        f"{many(now.size, 'image')}, none of which a run was told of. Their first {first:,} hold "
        f"{many(round(found[0]), 'wrong label')} in the order of before, {found[1]:,.0f} in that "
        f"of now."
    )


def not_compared(info: DatasetInfo, comparison: Comparison) -> str:
    """Say how many images orders and tops leave out, and why; nothing where they have all."""
    left = info.n - comparison.compared
    if not left:
        return ""
    return (
        f"{left:,} of {many(info.n, 'image')} {'is' if left == 1 else 'are'} left out of orders "
        f"and tops: one of these runs was "
        "told the answer or has not judged the image, or the label is no class."
    )


def _plain(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the newest run of plain training: on pixels, else on what else there is."""
    key = yardstick().key
    there = [c for c in candidates if c.newest and c.name.split("@")[0] == key]
    return min(there, key=lambda c: c.name != key, default=None)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")
