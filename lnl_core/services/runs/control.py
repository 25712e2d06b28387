"""Runs and tasks as a person watches them: which there are, how they stand, stop, go on, log."""

from __future__ import annotations

from collections.abc import Sequence

from lnl_core.jobs import executors, outcome, queue, removal
from lnl_core.jobs.health import is_busy as is_busy
from lnl_core.jobs.health import is_slow as is_slow
from lnl_core.jobs.health import speed as speed
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState, LnlError, Workspace


def runs(info: DatasetInfo, limit: int | None = None) -> list[Job]:
    """Return a data set's runs, newest first."""
    return queue.jobs(info, limit)


def tasks(info: DatasetInfo) -> list[Job]:
    """Return what pages have asked the worker for (maps, retraining), newest first."""
    return queue.jobs(info, tasks=True)


def run(ws: Workspace, number: int) -> Job:
    """Return one run or task.

    Raises:
        LnlError: there is none of that number.
    """
    return queue.job(ws, number)


def underway(info: DatasetInfo) -> list[Job]:
    """Return a data set's runs that run or wait, newest first."""
    return [job for job in queue.jobs(info) if job.state in ACTIVE_STATES]


def active(ws: Workspace) -> list[Job]:
    """Return what runs or waits in the whole workspace, tasks included, oldest first."""
    return queue.active(ws)


def health(job: Job) -> str:
    """Return how a job looks from outside: its state, `stalled` or `lost`."""
    return queue.health(job)


def keep_going(ws: Workspace) -> None:
    """See that work that waits has a worker, also after one was killed; cheap, called often."""
    executors.reconcile(ws)


def cancel(ws: Workspace, number: int, by: str | None = None) -> None:
    """Ask a run or task to stop; it keeps its checkpoint.

    `by` is who asks, on a page, here and below; None works on the machine itself.

    Raises:
        NotAllowed: that person may not.
        LnlError: there is none of that number, or its engine does not answer.
    """
    roles.require_of(ws, by, Act.RUN)
    executors.cancel(ws, number)


def resume(ws: Workspace, number: int, by: str | None = None) -> None:
    """Queue a cancelled, failed or lost run again and see that somebody runs it.

    Raises:
        NotAllowed: that person may not.
        LnlError: the run is none of these.
    """
    roles.require_of(ws, by, Act.RUN)
    executors.resume(ws, number)


def resume_stopped(info: DatasetInfo, keys: Sequence[str] = ()) -> list[int]:
    """Queue again what died, and the last run of each method if it failed or was cancelled.

    One method on other features, or with another seed, is a run of its own.

    Args:
        info: the data set.
        keys: only these methods, as in a ranking (`jump@pretrained`), or on whatever features
            (`jump`); all where empty.

    Returns:
        numbers of the runs that run or wait now.

    Raises:
        LnlError: there is nothing to go on with.
    """
    queue.recover(info.workspace)
    last: dict[tuple[str, int], Job] = {}
    passed: list[tuple[Job, Job]] = []
    for job in queue.jobs(info):  # newest first
        name = outcome.key(job, info)
        newest = last.setdefault((name, job.seed), job)
        if (keys and not {job.method, name} & {*keys}) or job.state not in STOPPED:
            continue
        if newest is job:
            queue.resume(info.workspace, job.id)
        else:
            passed.append((job, newest))
    going_on = [job.id for job in underway(info)]
    if not going_on:
        raise LnlError(" ".join((f"No run of “{info.name}” is waiting to go on.", _passed(passed))))
    executors.reconcile(info.workspace)
    return going_on


STOPPED = (JobState.FAILED, JobState.CANCELLED)


def _passed(runs: Sequence[tuple[Job, Job]]) -> str:
    """Say which stopped runs are left where they are, for a later one has taken their place."""
    if not runs:
        return "See: lnl status"
    said = [f"run {old.id} ({old.method}) by run {newer.id}" for old, newer in runs[:3]]
    more = f", and {len(runs) - 3} more" if len(runs) > 3 else ""
    words = ", ".join(said) + more
    return f"Stopped and replaced by a later run of the same: {words}. Runs can resume them still."


def check_removable(ws: Workspace, numbers: Sequence[int]) -> None:
    """Check that runs can be removed together.

    Raises:
        LnlError: one does not exist, is under way, or something that waits needs it.
    """
    for number in numbers:
        removal.check(ws, number, numbers)


def remove(ws: Workspace, number: int, by: str | None = None) -> None:
    """Drop a run that waits or has ended, with what it left; the ranking goes on without it.

    Raises:
        NotAllowed: that person may not.
        LnlError: it does not exist, is under way, or something that waits needs it.
    """
    roles.require_of(ws, by, Act.RUN)
    if queue.job(ws, number).state is JobState.QUEUED:
        executors.remove(ws, number)
    else:
        removal.remove(ws, number)


def log_tail(ws: Workspace, job: Job) -> str:
    """Return the end of a run's log; before its worker wrote one, what its engine has."""
    return executors.log_tail(ws, job)
