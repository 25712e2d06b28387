"""This machine: one worker process per workspace and lane, held apart by a lock of the kernel."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from lnl_core.jobs.health import here, process_lives, silent_seconds
from lnl_core.types import Job, JobState, Workspace

try:
    import fcntl
except ImportError:  # not POSIX: several workers may run, which claims make safe
    fcntl = None  # type: ignore[assignment]

LOCAL = "local"
"""Executor, and lane, of runs on this machine; tasks have a lane of their own."""

LOCK_FD = "LNL_WORKER_LOCK"
"""Environment variable by which a new worker learns which of its files is the lock."""

LOG_BYTES = 1_000_000
"""The workers' own log begins anew beyond this size; each run has its own log."""

UNRESPONSIVE_SECONDS = 2.0
"""A worker that is to cancel and has not sent a heartbeat for this long is killed."""

_started: list[subprocess.Popen[bytes]] = []


def lock(ws: Workspace, lane: str = LOCAL) -> IO[bytes] | None:
    """Take the lock of the workspace's worker for runs, or for tasks; None where another has it.

    The kernel lets go of it when the holder dies, however it dies. A worker that was handed the
    lock by the process that started it gets that one.
    """
    handed = os.environ.pop(LOCK_FD, "")
    if handed:
        os.set_inheritable(int(handed), False)
        return os.fdopen(int(handed), "ab")
    part = "" if lane == LOCAL else f"-{lane}"
    stream = (ws.home / f"worker{part}-{_host()}.lock").open("ab")
    if fcntl is not None:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            return None
    return stream


def _host() -> str:
    """Name this machine so that it can be part of a file name."""
    return re.sub(r"[^\w.-]", "_", socket.gethostname())[:80]


def ensure_worker(ws: Workspace, lane: str = LOCAL) -> bool:
    """Start a worker for runs, or for tasks, where none lives; return True where one was started.

    It has its own session, so that closing the browser, the app or the terminal leaves it running.
    The lock is handed to it already taken: asking twice in a hurry starts one worker, not two.
    """
    held = lock(ws, lane)
    if held is None:
        return False
    _started[:] = [process for process in _started if process.poll() is None]  # no zombies
    root = Path(__file__).resolve().parents[3]
    paths = [str(root), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    path = ws.home / "worker.log"
    grown = path.is_file() and path.stat().st_size > LOG_BYTES
    with held, path.open("wb" if grown else "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "lnl_core.worker", "--lane", lane],
            env=os.environ
            | {
                "LNL_HOME": str(ws.home),
                "LNL_DATABASE_URL": ws.url,
                "PYTHONPATH": os.pathsep.join(paths),
                LOCK_FD: str(held.fileno()),
            },
            cwd=ws.home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=[held.fileno()] if fcntl is not None else [],
        )
    _started.append(process)
    return True


def kill_unresponsive(job: Job) -> None:
    """Kill a worker that was told to cancel and whose heartbeat thread is stuck.

    A method can hold the interpreter so that not even the worker's heartbeat thread runs.
    """
    unresponsive = job.state is JobState.CANCELLING and silent_seconds(job) > UNRESPONSIVE_SECONDS
    if (
        unresponsive
        and here(job)
        and process_lives(job.pid, job.pid_started)
        and job.pid != os.getpid()
    ):
        assert job.pid is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)  # a worker leads its own group
        end = time.monotonic() + 1
        while process_lives(job.pid, job.pid_started) and time.monotonic() < end:
            time.sleep(0.01)
