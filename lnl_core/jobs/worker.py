"""The process that trains: claims jobs one by one, runs their method, ranks, goes on.

Only this process imports torch. A heartbeat thread writes progress and reads the cancel flag twice
a second; a method that does not answer a cancel within a second is left behind with its process.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from lnl_core.jobs import executors, queue
from lnl_core.jobs.context import JobContext
from lnl_core.methods import METHODS
from lnl_core.store import arrays, datasets, db, decisions
from lnl_core.store.datasets import DatasetInfo
from lnl_core.store.db import Workspace
from lnl_core.types import (
    Action,
    BoolArray,
    Cancelled,
    FloatArray,
    IntArray,
    Job,
    JobState,
    LabeledDataset,
    LnlError,
    Method,
    Signals,
    TopProbs,
)

BEAT_SECONDS = 0.5
CANCEL_GRACE_SECONDS = 1.0
IDLE_SECONDS = 5.0
log = logging.getLogger("lnl.worker")


_held: list[IO[bytes]] = []
"""The worker lock, for the thread that has to let go of it."""


class Stopped(BaseException):
    """The worker itself was told to stop; its job goes back to the queue."""


def main() -> int:
    """Run until the queue has been empty for a few seconds; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    ws = db.open_workspace()
    held = executors.inherited_lock() or executors.lock(ws)
    if held is None:
        return 0  # another worker is at it
    _held.append(held)
    signal.signal(signal.SIGTERM, _stop)
    idle_since = time.monotonic()
    try:
        while time.monotonic() - idle_since < IDLE_SECONDS:
            queue.recover(ws)
            job = queue.claim(ws)
            if job is None:
                time.sleep(0.1)
                continue
            run_job(ws, job)
            idle_since = time.monotonic()
    except Stopped:
        return 0
    finally:
        _held.clear()
        held.close()
    # A job may have come between the last look and letting go of the lock.
    executors.tend(ws)
    return 0


def _stop(_signal: int, _frame: Any) -> None:
    raise Stopped


def run_job(ws: Workspace, job: Job, method: Method | None = None) -> None:
    """Run one claimed job to its end and write its last state."""
    info = datasets.dataset(ws, job.dataset)
    folder = info.directory / "runs" / str(job.id)
    folder.mkdir(parents=True, exist_ok=True)
    began, cpu_began = time.monotonic(), _cpu_seconds()
    with _logging_to(folder / "worker.log"):
        log.info("run %d: %s on %s, %s", job.id, job.method, job.dataset, job.preset)
        context = None
        try:
            chosen = method or METHODS[job.method]
            data = labels_in_force(ws, info, folder)
            if data.trusted is not None:
                queue.note_trusted(ws, job.id, int(data.trusted.sum()))
            device = resolve_device(job.device)
            context = JobContext(
                device, job.seed, folder, lambda: _features(info, data, job, device, context)
            )
            with _heart(ws, job, context):
                signals = chosen.fit(data, chosen.config(**job.config), context)
                context.report("saving", 1.0)
            signals = _with_trust(signals, data.trusted)
            cost = {
                "seconds": time.monotonic() - began,
                "cpu_seconds": _cpu_seconds() - cpu_began,
                "peak_memory_bytes": _peak_memory(),
            } | dict(signals.cost)
            signals = replace(signals, cost=cost)
            arrays.save_signals(folder, signals)
            try:  # before the job is called done, so that done means: the queue is there
                rank(ws, info, job)
            except Exception:
                log.error("run %d: ranking failed\n%s", job.id, traceback.format_exc())
            queue.finish(
                ws,
                job.id,
                JobState.DONE,
                fraction=1.0,
                stage="done",
                flagged=flagged(signals, np.asarray(data.given_labels)),
                cost=_json(cost),
            )
            context.forget()
            log.info("run %d: done after %.1f s", job.id, cost["seconds"])
        except Cancelled:
            queue.finish(ws, job.id, JobState.CANCELLED)
            log.info("run %d: cancelled", job.id)
            return
        except Stopped:
            queue.give_back(ws, job.id)
            log.info("run %d: given back, the worker was told to stop", job.id)
            raise
        except Exception as error:
            log.error("run %d: failed\n%s", job.id, traceback.format_exc())
            where = "" if context is None else _where(context)
            queue.finish(ws, job.id, JobState.FAILED, error=in_words(error, where))
            return


def labels_in_force(ws: Workspace, info: DatasetInfo, folder: Path) -> LabeledDataset:
    """Return the data set with labels corrected by the decisions that reviewers agree on.

    The labels of a run's first start are kept in its folder: a resumed run ends as an undisturbed
    one would, whatever was decided meanwhile. The truth, where known, is taken out.
    """
    data = datasets.load(info)
    labels_file, trusted_file = folder / "labels.npy", folder / "trusted.npy"
    if trusted_file.is_file():
        labels: IntArray = arrays.read_array(labels_file, mmap=False)
        trusted: BoolArray = arrays.read_array(trusted_file, mmap=False)
    else:
        labels = np.array(data.given_labels, dtype=np.int32)
        trusted = np.zeros(info.n, dtype=bool)
        for row, several in decisions.in_force(ws, info).items():
            verdict = decisions.verdict(several)
            if verdict.decision is None or not verdict.agreed:
                continue
            if verdict.decision.action is Action.KEEP:
                trusted[row] = True
            elif verdict.decision.action is Action.RELABEL:
                assert verdict.decision.label is not None
                labels[row], trusted[row] = verdict.decision.label, True
        arrays.write_array(labels_file, labels)
        arrays.write_array(trusted_file, trusted)
    return replace(data, given_labels=labels, trusted=trusted, true_labels=None)


def _with_trust(signals: Signals, trusted: BoolArray | None) -> Signals:
    """Take confirmed rows out of suspicion."""
    if trusted is None or not trusted.any():
        return signals
    return replace(signals, suspicion=np.where(trusted, 0.0, signals.suspicion))


def flagged(signals: Signals, labels: IntArray) -> int:
    """Count rows whose most probable class is not the label; by suspicion without probabilities."""
    probs = signals.pred_probs
    if isinstance(probs, TopProbs):
        return int((np.asarray(probs.classes[:, 0]) != labels).sum())
    if probs is not None:
        return int((np.asarray(probs).argmax(axis=1) != labels).sum())
    return int((np.asarray(signals.suspicion) > 0.5).sum())


def rank(ws: Workspace, info: DatasetInfo, just_done: Job) -> None:
    """Rank by the newest finished run of every method and put that ranking in force."""
    from lnl_core.review import consensus

    newest = {just_done.method: just_done.id}
    for job in queue.jobs(ws, info):  # newest first
        if job.state is JobState.DONE:
            newest.setdefault(job.method, job.id)
    found = [arrays.load_signals(info.directory / "runs" / str(i)) for i in newest.values()]
    data = datasets.load(info)
    ranking = consensus.rank(found, np.asarray(data.given_labels), info.class_count)
    arrays.save_ranking(info.directory / "ranking", ranking, newest)


def resolve_device(wanted: str) -> str:
    """Return `cuda` or `cpu`.

    Raises:
        LnlError: a GPU was asked for and torch sees none.
    """
    import torch

    if wanted == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise LnlError(
            "No GPU that torch can use was found. Choose device auto or cpu, or install the "
            "driver that this torch needs."
        )
    return "cpu"


def _features(
    info: DatasetInfo, data: LabeledDataset, job: Job, device: str, context: JobContext | None
) -> FloatArray:
    """Compute the representation once per data set; later runs find it in the cache."""
    from lnl_core.learning import features

    wanted = job.representation
    if wanted in ("auto", "pixels"):
        wanted = features.default_representation(info.height, info.width)
    report = context.report if context is not None else None
    found: FloatArray = features.cached(info.directory, data, wanted, device, report)
    return found


@contextlib.contextmanager
def _heart(ws: Workspace, job: Job, context: JobContext) -> Iterator[None]:
    """Beat while the method works: write progress, read the cancel flag, enforce it."""
    over = threading.Event()

    def beat() -> None:
        asked_at = None
        while not over.wait(BEAT_SECONDS):
            try:
                metrics = context.metrics | {
                    "memory_bytes": _memory(),
                    "history": context.history,
                    "device": context.device,
                }
                stop = queue.report(
                    ws,
                    job.id,
                    stage=context.stage,
                    fraction=context.fraction,
                    metrics=metrics,
                    eta_seconds=context.eta_seconds(),
                )
            except Exception:
                log.exception("run %d: progress could not be written", job.id)
                continue
            if stop:
                context.cancelled.set()
                asked_at = asked_at or time.monotonic()
                if time.monotonic() - asked_at > CANCEL_GRACE_SECONDS and not over.is_set():
                    _abandon(ws, job)

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _abandon(ws: Workspace, job: Job) -> None:
    """End this process because its method does not answer; another worker takes the queue on."""
    log.info("run %d: cancelled, the method did not answer", job.id)
    queue.finish(ws, job.id, JobState.CANCELLED)
    for held in _held:
        held.close()
    executors.tend(ws)
    sys.stderr.flush()
    os._exit(3)


@contextlib.contextmanager
def _logging_to(path: Path) -> Iterator[None]:
    """Send everything that this process prints to a run's log."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with path.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for saved, number in zip(kept, (1, 2), strict=True):
            os.dup2(saved, number)
            os.close(saved)


def _where(context: JobContext) -> str:
    epoch, epochs = context.metrics.get("epoch"), context.metrics.get("epochs")
    if epoch and epochs:
        return f"at epoch {epoch:.0f} of {epochs:.0f}"
    return f"while {context.stage}"


def in_words(error: BaseException, where: str) -> str:
    """Say in one line why a run failed, and what to do about it."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None:
        chain.append(link)
        link = link.__cause__ or link.__context__
    for each in chain:
        if isinstance(each, OSError) and each.errno == errno.ENOSPC:
            return f"disk full {where}; free space, then resume"
        if isinstance(each, MemoryError) or type(each).__name__ == "OutOfMemoryError":
            return f"out of memory {where}; choose a smaller batch or preset, then resume"
    if isinstance(error, LnlError):
        return str(error)
    last = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__} {where}: {last[-1]}"[:500]


def _json(cost: dict[str, float]) -> str:
    import json

    return json.dumps({name: float(value) for name, value in cost.items()})


def _cpu_seconds() -> float:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)
