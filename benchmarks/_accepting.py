"""Accepting suggestions unseen: how often a plan's check passes, and how often it should not have.

Pools are suggestions of at least some p x q, by the consensus of the same probabilities as `effort`
and before any answer. Of each pool 2,000 checks are drawn; the person looking at them never errs. A
pass is false where the rest, which nobody looks at, is less precise than was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from lnl_core.review import accepting

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
