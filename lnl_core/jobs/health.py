"""Whether the process behind a running job is still there."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from lnl_core.records import Job, JobState

SILENT_SECONDS = 30.0
"""A worker that lives but has not reported for this long is called stalled."""

_LINUX = Path("/proc/self/stat").is_file()

ABSENT_SECONDS = 120.0
"""A worker on another machine counts as gone after this long; nothing else can be known of it."""


def process_started(pid: int) -> float | None:
    """Return when a process started, None where there is none (a zombie is none).

    On Linux in seconds since boot, which setting the clock does not change; elsewhere as psutil
    has it. Together with the pid it names one process for good.
    """
    if _LINUX:
        try:
            # "pid (any name) state ppid ...": the name may hold blanks and brackets
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        except OSError:
            return None
        state, started = fields.split()[0], int(fields.split()[19])
        return None if state in "ZX" else started / os.sysconf("SC_CLK_TCK")
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def process_lives(pid: int | None, started: float | None) -> bool:
    """Say whether the very process is alive; a reused pid or a zombie is not it."""
    if pid is None or started is None:
        return False
    present = process_started(pid)
    return present is not None and abs(present - started) < 0.5


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
