"""Accepting suggestions unseen: how often a plan's check passes, and how often it should not have.

Pools are suggestions of at least some p x q, by the consensus of the same probabilities as `effort`
and before any answer. Of each pool 2,000 checks are drawn; the person looking at them never errs. A
pass is false where the rest, which nobody looks at, is less precise than was asked for.

`answered` are pools of one pair of given and suggested class each, after so many answers: what the
corrected scores expect to be right, what is, and in how many pools at least as many are right as
the product says to count on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lnl_core.review import accepting, recalibration

SIZES = ((8, 14), (15, 29), (30, 59), (60, 149))
"""Suggestions in a pool of one pair."""

LEASTS, PRECISIONS, DRAWS, CONFIDENCE = (0.5, 0.7, 0.8, 0.9, 0.95), (0.9, 0.95), 2000, 0.95


def measure(ranking: Any, truth: np.ndarray, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """Return smallest p x q -> its pool and what its checks say, and print them.

    Args:
        ranking: ours.
        truth: (n,) true labels.
        tell: gets the lines.
    """
    chance = np.asarray(ranking.p_wrong, np.float64) * np.asarray(ranking.top_probs)[:, 0]
    right = np.asarray(ranking.suggested_labels) == truth
    first = right[np.argsort(-chance, kind="stable")[:80]]
    rows: dict[str, Any] = {"first_80_right": round(float(first.mean()), 4)}
    tell(f"  accept: of the 80 surest suggestions {100 * first.mean():.1f} % are right")
    for least in LEASTS:
        pool = np.flatnonzero(chance >= least)
        if not len(pool):
            continue
        one: dict[str, Any] = {
            "pool": len(pool),
            "expected": round(float(chance[pool].mean()), 4),
            "right": round(float(right[pool].mean()), 4),
        }
        line = f"  accept: {least} or more: {len(pool):,}, expected {one['expected']:.3f}, "
        line += f"right {one['right']:.3f}"
        for precision in PRECISIONS:
            checks = accepting.checks_needed(len(pool), precision, CONFIDENCE, 0)
            if checks is not None:
                one[f"{precision:g}"] = said = _checked(right[pool], checks, precision)
                line += f"; {precision:g}: {checks} checks, passes {said['passes']:.3f}, "
                line += f"false {said['false']:.3f}"
        rows[f"{least:g}"] = one
        tell(line)
    return rows


def _checked(right: np.ndarray, checks: int, precision: float) -> dict[str, float]:
    """Return how often a check of a pool, (z,) right or not, passes, and how often falsely."""
    wrong, size = int((~right).sum()), len(right)
    seen = np.random.default_rng(0).hypergeometric(wrong, size - wrong, checks, DRAWS)
    passes = seen == 0
    false = passes & (1 - (wrong - seen) / (size - checks) < precision)
    return {
        "checks": checks,
        "passes": round(float(passes.mean()), 4),
        "false": round(float(false.mean()), 4),
    }


def answered(
    ranking: Any,
    given: np.ndarray,
    truth: np.ndarray,
    reviews: Iterator[tuple[int, list[int], list[bool]]],
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Return answers -> sizes -> pools of one pair, what was expected of them, and what was right.

    Args:
        ranking: ours.
        given: (n,) given labels.
        truth: (n,) true labels.
        reviews: how many answers, their rows, and which of them chance drew.
        tell: gets the lines.
    """
    p, suggested = np.asarray(ranking.p_wrong, np.float64), np.asarray(ranking.suggested_labels)
    q, wrong, right = np.asarray(ranking.top_probs)[:, 0], truth != given, suggested == truth
    pairs = given * (int(suggested.max()) + 1) + suggested
    seen: dict[int, list[tuple[int, float, float]]] = {}
    for count, answers, drawn in reviews:
        rows = np.array(answers, np.int64)
        now = recalibration.recalibrated(p, given, suggested, rows, wrong[rows], np.array(drawn))
        known = rows[wrong[rows]]
        chance = now * recalibration.suggestions(q, known, right[known])
        chance[rows] = 0
        for least in LEASTS[:4]:
            pool = np.flatnonzero(chance >= least)
            for pair in np.unique(pairs[pool]):
                here = pool[pairs[pool] == pair]
                one = (len(here), float(chance[here].mean()), float(right[here].mean()))
                seen.setdefault(count, []).append(one)
    found: dict[str, Any] = {}
    for count, pools in seen.items():
        for low, high in SIZES:
            some = [each for each in pools if low <= each[0] <= high]
            if not some:
                continue
            held = [share >= accepting.careful(said, size) - 1e-9 for size, said, share in some]
            line = {
                "pools": len(some),
                "expected": round(float(np.mean([said for _, said, _ in some])), 4),
                "right": round(float(np.mean([share for _, _, share in some])), 4),
                "counted_on": round(
                    float(np.mean([accepting.careful(e, n) for n, e, _ in some])), 4
                ),
                "held": round(float(np.mean(held)), 4),
            }
            found.setdefault(str(count), {})[f"{low} to {high}"] = line
            tell(f"  accept: after {count:,} answers, {low} to {high} of a pair: {line}")
    return found
