"""The noise lab: a copy of a set with wrong labels whose truth is known, and every method on it."""

from __future__ import annotations

from collections.abc import Sequence

from lnl_core.methods import METHODS
from lnl_core.services.datasets.catalog import add_noise
from lnl_core.services.runs.running import start_runs
from lnl_core.types import DatasetInfo, LnlError


def noise_lab(
    info: DatasetInfo,
    new_name: str,
    kind: str = "symmetric",
    rate: float = 0.15,
    *,
    seed: int = 0,
    methods: Sequence[str] | None = None,
    preset: str = "quick",
    by: str | None = None,
) -> DatasetInfo:
    """Copy a set with injected noise and start methods on the copy, the cheapest first.

    Args:
        info: the data set to start from.
        new_name: of the copy.
        kind: `symmetric`, `pair` or `instance`.
        rate: share of labels to change, in (0, 1).
        seed: of the noise.
        methods: keys; all when None.
        preset: of the runs.
        by: who asks, on a page; None works on the machine itself.

    Raises:
        NotAllowed: that person may not.
        LnlError: an unknown kind or method, a rate that is no share, or a name that is taken.
    """
    keys = list(METHODS if methods is None else methods)
    unknown = [key for key in keys if key not in METHODS]
    if unknown or not keys:
        raise LnlError(f"Choose methods of: {', '.join(METHODS)}.")
    info = add_noise(info, new_name, kind, rate, seed, by)
    costs = {key: _seconds(info, key, preset) for key in keys}
    start_runs(info, sorted(keys, key=lambda key: costs[key]), preset, by=by)
    return info


def _seconds(info: DatasetInfo, key: str, preset: str) -> float:
    method, size = METHODS[key], max(info.height, info.width)
    config = method.config.preset(preset, info.n, info.class_count, size)
    said = method.estimate(info.n, size, config, info.class_count)
    return said[0] if said else 0.0
