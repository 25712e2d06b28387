"""One run in several processes: torchrun starts them, the first one is the worker of the job.

The first process claims the job, sends heartbeats, reports, saves and ranks, as a lone worker does;
the others only fit, beside it. Where one of them dies torchrun ends all, and the job goes on from
its last checkpoint.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lnl_core.jobs import inputs, knobs, queue
from lnl_core.jobs.context import JobContext
from lnl_core.methods import METHODS, card
from lnl_core.store import datasets
from lnl_core.types import Job, JobState, NotFound, Workspace

ENDED = 3
"""Exit code of a first process whose run did not get done, so that torchrun ends the others."""


def processes_for(job: Job) -> int:
    """Return how many processes a run should have here: one per GPU, or `LNL_PROCESSES`."""
    if is_one_of_several() or not _for_several(job):
        return 1
    if "LNL_PROCESSES" not in os.environ and not os.path.exists("/proc/driver/nvidia/version"):
        return 1  # torch need not be asked
    from lnl_core.learning import process_group

    return process_group.wanted(job.device)


def _for_several(job: Job) -> bool:
    """Say whether several processes help a run: its method can share, and has a network to train.

    A Config whose method trains on pixels otherwise than by its representation says so itself, in
    `for_several(representation, based)`.
    """
    method = METHODS.get(job.method)
    if method is None or not method.parallel:
        return False
    if not hasattr(method.config, "for_several"):
        return job.representation == knobs.PIXELS
    try:
        config = knobs.stored(job)
    except (TypeError, ValueError):
        return False  # the run will say what is wrong with its knobs
    return bool(config.for_several(job.representation, job.base is not None))


def is_one_of_several() -> bool:
    """Say whether this process is one of several."""
    return "TORCHELASTIC_RUN_ID" in os.environ and int(os.environ.get("WORLD_SIZE", "1")) > 1


def is_first() -> bool:
    """Say whether this process is the one that reports for the run."""
    return os.environ.get("RANK", "0") == "0" or not is_one_of_several()


def launch(number: int, count: int) -> int:
    """Start a run in `count` processes and wait for them; return torchrun's exit code.

    A signal that ends this process ends them first.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else count
    threads = os.environ.get("OMP_NUM_THREADS") or str(max(1, cores // count))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", str(count), "-m", "lnl_core.worker", "--job", str(number)]
    process = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": threads})
    try:
        return process.wait()
    except BaseException:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise


def run(ws: Workspace, number: int, count: int) -> bool:
    """Launch a run; False where it is still waiting, for this process to do it alone."""
    code = launch(number, count)
    try:
        job = queue.job(ws, number)
    except NotFound:
        return True  # done, and removed since
    never_or_thrice = job.attempt == 0 or job.attempt >= queue.ATTEMPTS
    return not (code != 0 and job.state is JobState.QUEUED and never_or_thrice)


_joined = False


def join(device: str) -> None:
    """Join the other processes, where there are any; the first one comes when all is prepared."""
    global _joined
    if is_one_of_several():
        from lnl_core.learning import process_group

        process_group.join(device)
        _joined = True


def is_waited_for() -> bool:
    """Say whether the other processes may wait for this one, which has not joined them."""
    return is_one_of_several() and not _joined


def leave() -> None:
    """Leave the other processes in order."""
    if is_one_of_several():
        from lnl_core.learning import process_group

        process_group.leave()


def is_fitted(folder: Path) -> bool:
    """Say whether a run's signals are kept: what is left to do needs no other process."""
    return (folder / "signals.json").is_file()


def fit_along(ws: Workspace, number: int) -> int:
    """Fit beside the first process and forget the result, which is the same there."""
    job = queue.job(ws, number)
    info = datasets.dataset(ws, job.dataset)
    folder = info.directory / "runs" / str(job.id)
    if is_fitted(folder):
        return 0  # the first process does the rest alone
    device = inputs.resolve_device(job.device)
    join(device)  # from here on, labels and checkpoint are in the folder
    base = inputs.base_run(job, info)
    context = AlongsideContext(
        job.seed, folder, device=device, representation=job.representation, base=base
    )
    data = inputs.training_set(info, folder, base, job.method, job.splits)
    part = inputs.training_part(info, folder)
    context.make_features = partial(inputs.part_features, info, part, job.representation, device)
    method = card(job.method)
    method.fit(data, knobs.stored(job), context)
    leave()
    return 0


class AlongsideContext(JobContext):
    """The context of a process that is not the first: it reads a checkpoint and writes nothing."""

    def report(
        self, stage: str, fraction: float, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Report nothing; who stops a run ends this process."""

    def save(self, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Leave the checkpoint to the first process."""

    def keep(self, name: str, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Leave what is kept to the first process."""
