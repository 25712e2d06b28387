"""Where a job runs: a worker of its own on this machine, one per workspace, or Slurm, or Ray."""

from __future__ import annotations

from lnl_core.jobs import engines, queue
from lnl_core.jobs.engines.local import LOCAL, ensure_worker, kill_unresponsive
from lnl_core.store import faults
from lnl_core.types import Job, JobState, Workspace


def reconcile(ws: Workspace) -> None:
    """Put right what a dead worker left: queue its job again and see that somebody runs it.

    Jobs for Slurm and Ray are handed over. Cheap; the open app and a watching `lnl run` call it
    about once a second.
    """
    if faults.is_full(ws):
        return  # nothing can be written, so nothing be claimed
    full = bool(faults.full_disks(ws))  # what is started now would have no room for its files
    active = queue.active(ws)
    for job in active:
        if engines.remote(job) and not (full and job.engine_job is None):
            engines.reconcile(ws, job)
    waiting = [job for job in active if not engines.remote(job)]
    if not active:
        return
    for job in waiting:
        kill_unresponsive(job)
    lost = any(queue.health(job) == "lost" for job in active)
    if lost:
        queue.recover(ws)
    if full:
        return
    for lane in (LOCAL, queue.TASKS):
        mine = [job for job in waiting if (job.executor == queue.TASKS) == (lane == queue.TASKS)]
        if mine and (lost or any(job.state is JobState.QUEUED for job in mine)):
            ensure_worker(ws, lane)


def cancel(ws: Workspace, number: int) -> None:
    """Ask a job to stop, in the table and, where an engine has it, there.

    Raises:
        LnlError: there is no such job, or its engine does not answer.
    """
    queue.cancel(ws, number)
    engines.cancel(ws, queue.job(ws, number))


def resume(ws: Workspace, number: int) -> None:
    """Queue a cancelled, failed or lost job again and see that somebody runs it.

    Raises:
        LnlError: the job is none of these.
    """
    queue.resume(ws, number)
    reconcile(ws)


def remove(ws: Workspace, number: int) -> None:
    """Drop a job that still waits, here and where it was handed to.

    Raises:
        LnlError: it does not wait any more.
    """
    job = queue.job(ws, number)
    queue.remove(ws, number)
    engines.cancel(ws, job)


def log_tail(ws: Workspace, job: Job) -> str:
    """Return the end of a run's log; before its worker wrote one, what its engine has."""
    return queue.log_tail(ws, job) or engines.log_tail(ws, job)
