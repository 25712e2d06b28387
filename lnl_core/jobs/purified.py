"""Purified labels: what a purifier made of the given labels, which no person has looked at."""

from __future__ import annotations

import numpy as np

from lnl_core.jobs import bases, rows
from lnl_core.said import command
from lnl_core.store import arrays
from lnl_core.types import DatasetInfo, IntArray, JobState, Leaves, LnlError


def latest(info: DatasetInfo) -> tuple[int, IntArray]:
    """Return the newest run of a purifier and its labels, (n,); -1 where it has none.

    Images that were added to the set since have none.

    Raises:
        LnlError: no such run is done.
    """
    for job in rows.jobs(info):
        if job.state is not JobState.DONE or not bases.purifies(job.method):
            continue
        folder = info.directory / "runs" / str(job.id)
        if not (folder / "signals.json").is_file():
            continue
        stored = arrays.load_signals(folder).extras.get(Leaves.PURIFIED_LABELS)
        if stored is not None and len(stored) <= info.n and np.max(stored) < info.class_count:
            labels = np.full(info.n, -1, np.int32)
            labels[: len(stored)] = stored
            return job.id, labels
    raise LnlError(
        f"No run has purified the labels of “{info.name}” yet. Start one: "
        f"{command('run', info.name)} --methods dmlp"
    )
