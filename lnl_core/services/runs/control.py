"""Runs and tasks as a person watches them: which there are, how they stand, stop, go on, log."""

from __future__ import annotations

from collections.abc import Sequence

from lnl_core.jobs import executors, queue, removal
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
    """Queue again what died, and each method's last run if it failed or was cancelled.

    Args:
        info: the data set.
        keys: only these methods; all where empty.

    Returns:
        numbers of the runs that run or wait now.

    Raises:
        LnlError: there is nothing to go on with.
    """
    queue.recover(info.workspace)
    seen: set[str] = set()
    for job in queue.jobs(info):  # newest first
        last = job.method not in seen
        seen.add(job.method)
        wanted = not keys or job.method in keys
        if wanted and last and job.state in (JobState.FAILED, JobState.CANCELLED):
            queue.resume(info.workspace, job.id)
    going_on = [job.id for job in underway(info)]
    if not going_on:
        raise LnlError(f"No run of “{info.name}” is waiting to go on. See: lnl status")
    executors.reconcile(info.workspace)
    return going_on


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
