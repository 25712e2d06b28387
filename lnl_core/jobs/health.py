"""Whether the process behind a running job is still there."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

from lnl_core.records import Job, JobState
from lnl_core.store.processes import process_lives as process_lives
from lnl_core.store.processes import process_started as process_started

SILENT_SECONDS = 30.0
"""A worker that lives but has not reported for this long is called stalled."""

ABSENT_SECONDS = 120.0
"""A worker on another machine counts as gone after this long; nothing else can be known of it."""


SLOW = 0.5
"""Below this share of the expected speed a run is called slow."""

BUSY_CORES = 0.7
"""A slow run that gets fewer cores than this waits for others; one that gets more does not."""


def silent_seconds(job: Job) -> float:
    """Return how long ago a job last reported."""
    if job.heartbeat_at is None:
        return 0.0
    last = datetime.fromisoformat(job.heartbeat_at.replace("Z", "+00:00"))
    return (datetime.now(UTC) - last).total_seconds()


def here(job: Job) -> bool:
    """Say whether a job's process is, or was, on this machine."""
    return job.host == socket.gethostname()


def health(job: Job) -> str:
    """Return `lost` where the job's process is gone, `stalled` where it is silent, else `ok`.

    A process on another machine (or in a container that has been replaced) cannot be looked at;
    there, silence is all there is, and after two minutes it counts as gone. Should it live after
    all, it can write nothing any more: a job belongs to whoever claimed it last.
    """
    if job.state not in (JobState.RUNNING, JobState.CANCELLING):
        return "ok"
    silent = silent_seconds(job)
    gone = not process_lives(job.pid, job.pid_started) if here(job) else silent > ABSENT_SECONDS
    if gone:
        return "lost"
    return "stalled" if silent > SILENT_SECONDS else "ok"


def speed(job: Job) -> float | None:
    """Return how fast a run gets on as a share of what its method's card expected.

    None where that cannot be told: too early, on a GPU, or no expectation.
    """
    expected, done = job.metrics.get("estimated_seconds"), job.metrics.get("own_fraction")
    spent = job.metrics.get("own_seconds")
    on_cpu = str(job.metrics.get("device", "cpu")) == "cpu"
    if not (expected and done and spent and on_cpu) or job.state is not JobState.RUNNING:
        return None
    return float(expected * done / spent)


def is_slow(job: Job) -> bool:
    """Say whether a run gets on at less than half of the expected speed."""
    share = speed(job)
    return share is not None and share < SLOW


def is_busy(job: Job) -> bool:
    """Say whether a run is slow because others use this machine: it gets less than a core."""
    return is_slow(job) and float(job.metrics.get("cores", 1.0)) < BUSY_CORES
