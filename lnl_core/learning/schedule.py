"""The learning-rate schedules."""

from __future__ import annotations

import math


def learning_rate(schedule: str, peak: float, done: float) -> float:
    """Return the learning rate after a share `done` of the run, in [0, 1]."""
    if schedule == "constant":
        return peak
    if schedule == "one_drop":
        return peak if done < 0.5 else peak / 10
    if schedule == "cosine":
        return peak * (1 + math.cos(math.pi * done)) / 2
    if schedule == "one_cycle":
        # linear from 1/25 of the peak over the first fifth (Smith and Topin, "Super-Convergence",
        # 2019), then half a cosine to 0
        if done < 0.2:
            return peak * (0.04 + 0.96 * done / 0.2)
        return peak * (1 + math.cos(math.pi * (done - 0.2) / 0.8)) / 2
    raise ValueError(f"schedule must be one_cycle, cosine, one_drop or constant, got {schedule!r}")
