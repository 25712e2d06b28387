"""Runs of one method that differ in their seed alone: how far their figures lie apart."""

from __future__ import annotations

import hashlib
import json
import statistics
from dataclasses import dataclass
from typing import Any

import numpy as np

from lnl_core.jobs import inputs, queue
from lnl_core.services.compare.comparing import compare
from lnl_core.store import arrays
from lnl_core.types import DatasetInfo, Job, JobState
from lnl_core.views import Comparison


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of the average precision of `runs` seeds."""

    mean: float
    deviation: float
    runs: int


def spreads(info: DatasetInfo, shown: Comparison) -> dict[str, Spread]:
    """Return key of a candidate -> spread, where several seeds of its run are there.

    All runs of one candidate are judged on the same images. Empty without a truth.
    """
    if shown.truth is None:
        return {}
    done = {str(job.id): job for job in queue.jobs(info) if job.state is JobState.DONE}
    found = {}
    for each in shown.candidates:
        if each.key not in done or each.key not in shown.detections:
            continue
        alike = _one_of_each_seed(info, list(done.values()), done[each.key])
        if len(alike) < 2:
            continue
        judged = compare(info, alike, shown.truth.kind).detections
        values = [detection.ap for detection in judged.values()]
        if len(values) > 1:
            mean, deviation = statistics.fmean(values), statistics.stdev(values)
            found[each.key] = Spread(mean, deviation, len(values))
    return found


def but_for_seed(info: DatasetInfo, job: Job) -> str:
    """Return what two runs share that differ in their seed alone.

    That is how they were started, and what they learned from: images, labels, answers.
    """
    what = ("method", "preset", "config", "representation", "base", "splits")
    how = {name: getattr(job, name) for name in what}
    return json.dumps(how | {"learned": _learned(info, job)}, sort_keys=True, default=dict)


def _learned(info: DatasetInfo, job: Job) -> list[Any]:
    """Say what a run has learned from: rows seen, labels that were no classes, labels, answers."""
    folder = queue.run_dir(info.workspace, job)
    digest = hashlib.blake2b(np.packbits(inputs.told_rows(info, job.id)).tobytes(), digest_size=8)
    if (folder / "labels.npy").is_file():
        digest.update(np.asarray(arrays.read_array(folder / "labels.npy")).tobytes())
    none = sorted(inputs.left_out(info, folder))
    return [inputs.rows_seen(info, folder), none, digest.hexdigest()]


def _one_of_each_seed(info: DatasetInfo, jobs: list[Job], like: Job) -> list[str]:
    """Return numbers of runs that are as one is but for the seed, its own and the newest others."""
    what = but_for_seed(info, like)
    near = [job for job in jobs if job.method == like.method]
    near = [job for job in sorted(near, key=lambda job: job.id) if but_for_seed(info, job) == what]
    return [
        str(number) for number in ({j.seed: j.id for j in near} | {like.seed: like.id}).values()
    ]
