"""While a job runs: a thread writes progress and reads the cancel flag twice a second.

A method that does not answer a cancel within a second is left behind with its process.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import IO

from lnl_core.jobs import engines, executors, queue, torchrun
from lnl_core.jobs.context import JobContext
from lnl_core.jobs.run_log import log
from lnl_core.types import Job, JobState, Workspace

BEAT_SECONDS = 0.5
CANCEL_GRACE_SECONDS = 1.0

held: list[IO[bytes]] = []
"""The worker lock, for the thread that has to let go of it."""


@contextlib.contextmanager
def beating(ws: Workspace, job: Job, context: JobContext) -> Iterator[None]:
    """While a job runs: write progress twice a second, read the cancel flag, enforce it."""
    over = threading.Event()

    def go() -> None:
        asked_at = None
        while not over.wait(BEAT_SECONDS):
            try:
                stop = beat(ws, job, context)
            except Exception:
                log.exception("run %d: progress could not be written", job.id)
                continue
            if stop:
                context.cancelled.set()
                asked_at = asked_at or time.monotonic()
                if time.monotonic() - asked_at > CANCEL_GRACE_SECONDS and not over.is_set():
                    _abandon(ws, job)

    thread = threading.Thread(target=go, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def beat(ws: Workspace, job: Job, context: JobContext) -> bool:
    """Write progress once; return True where the process has to stop."""
    metrics = {
        **context.metrics,
        **context.pace(),
        "memory_bytes": 0 if context.memory is None else context.memory.now(),
        "history": context.history,
        "device": context.device,
    }
    return queue.report(
        ws,
        job.id,
        stage=context.stage,
        fraction=context.fraction,
        metrics=metrics,
        eta_seconds=context.eta_seconds(),
        kept=context.kept,
    )


def _abandon(ws: Workspace, job: Job) -> None:
    """End this process because its method does not answer; another worker takes the queue on."""
    log.info("run %d: cancelled, the method did not answer", job.id)
    queue.finish(ws, job.id, JobState.CANCELLED)
    for lock in held:
        lock.close()
    if torchrun.is_one_of_several():
        os._exit(torchrun.ENDED)
    if not engines.remote(job):
        executors.reconcile(ws)
    if os.getpid() == os.getpgrp():
        os.killpg(os.getpgrp(), signal.SIGKILL)  # processes that the method started go as well
    os._exit(3)
