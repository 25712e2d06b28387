"""The process that trains: claims jobs one by one, runs their method, ranks, goes on.

Only this process imports torch.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.jobs import (
    executors,
    failures,
    heartbeat,
    inputs,
    knobs,
    outcome,
    queue,
    run_log,
    splits,
    tasks,
    torchrun,
)
from lnl_core.jobs.context import JobContext
from lnl_core.jobs.engines import command, local
from lnl_core.jobs.tasks import embedding, maps
from lnl_core.methods import PROBLEMS, card
from lnl_core.review import health
from lnl_core.review.labelled import Part
from lnl_core.store import arrays, datasets, db, rescue
from lnl_core.types import (
    BoolArray,
    Cancelled,
    DatasetInfo,
    FloatArray,
    Job,
    JobState,
    LabeledDataset,
    LnlError,
    Method,
    NotFound,
    Signals,
    Workspace,
)

IDLE_SECONDS = 5.0
NICENESS = 5
"""The desk and the browser go first where cores are few."""

log = run_log.log


class Stopped(BaseException):
    """The worker itself was told to stop; its job goes back to the queue."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until the queue has been empty for a few seconds, or one job; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m lnl_core.worker", description=main.__doc__)
    parser.add_argument("--job", type=int, metavar="N", help="run this job and no other")
    lanes = (local.LOCAL, queue.TASKS)
    parser.add_argument("--lane", choices=lanes, default=lanes[0], help="which queue to work on")
    chosen = parser.parse_args(arguments)
    if chosen.job is not None:
        return _one(chosen.job)
    try:
        ws = db.open_workspace()
    except LnlError as error:
        print(f"lnl: {error}", file=sys.stderr)
        return 1
    held = local.lock(ws, chosen.lane)
    if held is None:
        return 0  # another worker is at it
    heartbeat.held.append(held)
    rescue.keep_copy(ws)
    signal.signal(signal.SIGTERM, _stop)
    os.nice(NICENESS)
    idle_since = time.monotonic()
    try:
        while time.monotonic() - idle_since < IDLE_SECONDS:
            queue.recover(ws)
            number = queue.peek(ws, chosen.lane)
            if number is None:
                time.sleep(0.1)
                continue
            _run(ws, number)
            if chosen.lane == local.LOCAL:
                _draw_map(ws, number)
            idle_since = time.monotonic()
    except Stopped:
        return 0
    finally:
        held.close()
    # A job may have come between the last look and letting go of the lock.
    executors.reconcile(ws)
    return 0


def _draw_map(ws: Workspace, number: int) -> None:
    """After a set's first run, have the worker for tasks lay out its map: nobody has to ask."""
    try:
        job = queue.job(ws, number)
        info = datasets.dataset(ws, job.dataset)
        settings = embedding.wanted(info) if job.state is JobState.DONE else None
        if settings is not None:
            queue.submit_task(info, embedding.KEY, settings.as_dict(), job.device)
            local.ensure_worker(ws, queue.TASKS)
    except (LnlError, OSError):  # the run or the set is gone, the disk full: Explore has its button
        log.warning("run %d: no map was started", number, exc_info=True)


def _one(number: int) -> int:
    """Run the job that Slurm, Ray or torchrun was given; 0 where it came to an end."""
    if not torchrun.is_first():
        return torchrun.fit_along(db.open_workspace(), number)
    for told in (signal.SIGTERM, signal.SIGUSR2):  # the second is Slurm's, before its time limit
        signal.signal(told, _stop)
    try:
        ws = db.open_workspace()
        command.refuse_sqlite_elsewhere(ws)
        if not _run(ws, number):
            print(f"lnl: run {number} is not waiting; there is nothing to do", file=sys.stderr)
    except LnlError as error:
        print(f"lnl: {error}", file=sys.stderr)
        return 1
    except Stopped:
        pass
    if torchrun.is_waited_for() or (torchrun.is_one_of_several() and not _is_done(ws, number)):
        run_log.flush()
        os._exit(torchrun.ENDED)  # at once: the others may wait for this process, it not for them
    return 0


def _is_done(ws: Workspace, number: int) -> bool:
    try:
        return queue.job(ws, number).state is JobState.DONE
    except NotFound:
        return True  # and removed since


def _run(ws: Workspace, number: int) -> bool:
    """Run a waiting job, here or in several processes; False where it waits no more."""
    count = torchrun.processes_for(queue.job(ws, number))
    if count > 1 and torchrun.run(ws, number, count):
        return True
    try:
        job = queue.claim(ws, number)
        if job is not None:
            run_job(ws, job)
    except Stopped:  # wherever it was, also between the claim and the run's first line
        queue.give_back(ws, number, counts=torchrun.is_one_of_several())
        raise
    return job is not None


def _stop(told: int, _frame: Any) -> None:
    signal.signal(told, signal.SIG_IGN)  # torchrun and Slurm say it twice
    raise Stopped


def run_job(ws: Workspace, job: Job, method: Method | None = None) -> None:
    """Run one claimed job to its end and write its last state.

    Args:
        ws: the workspace.
        job: claimed by this process.
        method: what to run instead of the job's own method, in tests.
    """
    try:
        info = datasets.dataset(ws, job.dataset)
    except LnlError as error:  # removed meanwhile
        queue.finish(ws, job.id, JobState.FAILED, error=str(error))
        return
    folder = info.directory / "runs" / str(job.id)
    context = JobContext(job.seed, folder, representation=job.representation)
    with run_log.written_to(folder / "worker.log"):
        log.info("run %d: %s on %s, %s", job.id, job.method, job.dataset, job.preset)
        for problem in PROBLEMS:
            log.warning(problem)
        try:
            with heartbeat.beating(ws, job, context):
                if job.executor == queue.TASKS:
                    values = _task(job, info, context)
                else:
                    context.base = inputs.base_run(job, info)
                    values = _work(job, info, context, method or card(job.method))
                heartbeat.beat(ws, job, context)  # the last figures, and what speaks against it
                _finish(job, info, values)
            context.forget()
            log.info("run %d: done", job.id)
            _draw_ahead(job, info, JobContext(job.seed, folder, device=context.device))
        except Cancelled:
            queue.finish(ws, job.id, JobState.CANCELLED)
            log.info("run %d: cancelled", job.id)
        except Stopped:
            log.info("run %d: the worker was told to stop", job.id)
            raise
        except Exception as error:
            log.error("run %d: failed\n%s", job.id, traceback.format_exc())
            where = failures.place(context.stage, context.metrics)
            queue.finish(ws, job.id, JobState.FAILED, error=failures.in_words(error, where))


def _finish(job: Job, info: DatasetInfo, values: Mapping[str, Any]) -> None:
    """Call a job done; a run is ranked and done at once for whoever else ranks the set."""
    is_run = job.executor != queue.TASKS
    with outcome.in_turn(info) if is_run else contextlib.nullcontext():
        if is_run:
            try:
                outcome.rank_in_turn(info, {outcome.key(job, info): job.id})
            except Exception:
                log.error("run %d: ranking failed\n%s", job.id, traceback.format_exc())
        done = {"fraction": 1.0, "stage": "done"}
        queue.finish(info.workspace, job.id, JobState.DONE, **done, **values)


def _task(job: Job, info: DatasetInfo, context: JobContext) -> dict[str, Any]:
    """Do a task; its results are files of its own."""
    began, cpu_began = time.monotonic(), _cpu_seconds()
    context.device = inputs.resolve_device(job.device)
    tasks.TASKS[job.method].run(info, job, context)
    cost = {"seconds": time.monotonic() - began, "cpu_seconds": _cpu_seconds() - cpu_began}
    return {"cost": json.dumps(cost)}


def _work(job: Job, info: DatasetInfo, context: JobContext, method: Method) -> dict[str, Any]:
    """Fit and keep the signals; return what the job's row says about it."""
    folder = info.directory / "runs" / str(job.id)
    data = inputs.training_set(info, folder, context.base, job.method, job.splits)
    part = inputs.training_part(info, folder)
    reviewed = inputs.reviewed_labels(folder)
    if reviewed is not None:
        reviewed = part.renumbered(reviewed[part.rows])
    if data.trusted is not None:
        queue.note_trusted(info.workspace, job.id, int(data.trusted.sum()))
    if torchrun.is_fitted(folder):  # all that a worker before this one left to do
        whole = arrays.load_signals(folder)
        signals = part.inside(whole)
    else:
        context.device = inputs.resolve_device(job.device)
        context.make_features = partial(
            inputs.part_features, info, part, job.representation, context.device
        )
        context.make_maps = partial(inputs.part_maps, info, part, context.device)
        signals = _fit(method, job, data, context)
        context.report("saving", 1.0)
        if reviewed is not None:
            signals = outcome.against(signals, reviewed, data.given_labels)
        signals = outcome.with_trust(signals, data.trusted)
        whole = _of_all(signals, job, info, part, context)
        arrays.save_signals(folder, whole)
    try:
        doubts = health.check(signals, data.given_labels, method, _confirmed(data))
        context.metrics = context.metrics | {
            "doubts": [f"{d.text} {d.advice}" for d in doubts],
            "hints": [] if method.hints is None else method.hints(signals),
        }
    except Exception:
        log.error("run %d: its health is not known\n%s", job.id, traceback.format_exc())
    cost = {name: float(value) for name, value in signals.cost.items()}
    return {
        "other_class": _other_class(whole, info, part, folder, data.trusted),
        "cost": json.dumps(cost),
    }


def _of_all(
    signals: Signals, job: Job, info: DatasetInfo, part: Part, context: JobContext
) -> Signals:
    """Return what a run says of all rows: those that it trained on, and those that it judges."""
    folder = info.directory / "runs" / str(job.id)
    whole = part.outside(signals, _looks(job, info, part, context))
    if not set(job.splits) - {splits.HOLD}:
        return whole
    labels = inputs.labels_under_review(info, folder)
    seen = _by_network(info, job, part, context) if "train_on" in job.splits else None
    return splits.judged(whole, labels, part, folder, seen)


def _other_class(
    whole: Signals, info: DatasetInfo, part: Part, folder: Path, trusted: BoolArray | None
) -> int:
    """Count the labels that a run contradicts, of those that it judges and was not told."""
    aside = ~part.inner
    judged = splits.judged_rows(folder, info.n)
    if judged is not None:
        aside = ~judged
    if trusted is not None:
        aside[part.rows] |= trusted
    return outcome.other_class(whole, inputs.labels_under_review(info, folder), aside)


def _by_network(info: DatasetInfo, job: Job, part: Part, context: JobContext) -> FloatArray | None:
    """Return (m, k') what the run's own network says of rows that it did not train on."""
    folder, read_out = queue.run_dir(info.workspace, job), card(job.method).read_out
    if not (folder / "network.safetensors").is_file() or not len(part.others):
        return None
    from lnl_core.learning import networks

    whole = datasets.load(info)
    names = tuple(whole.class_names[label] for label in part.classes)
    given = np.zeros(len(whole), np.int64)
    data = replace(whole, class_names=names, given_labels=given, true_labels=None)
    loaded = networks.load_network(folder, data, context.device)
    config = knobs.stored(job)
    read = None if read_out is None else lambda logits: read_out(logits, config)
    return loaded.probabilities(part.others, len(names), read)


def _looks(job: Job, info: DatasetInfo, part: Part, context: JobContext) -> FloatArray | None:
    """Return features of all images, by which one without a class is compared with others."""
    if part.whole:
        return None
    whole = datasets.load(info)
    try:
        return inputs.features(info, whole, job.representation, context.device, context.report)
    except LnlError as error:
        log.warning("run %d: images without a class get no prediction: %s", job.id, error)
        return None


def _confirmed(data: LabeledDataset) -> dict[int, int]:
    """Return row -> label of the images that a person confirmed."""
    if data.trusted is None:
        return {}
    return {int(row): int(data.given_labels[row]) for row in np.flatnonzero(data.trusted)}


def _draw_ahead(job: Job, info: DatasetInfo, context: JobContext) -> None:
    """Make the activation maps of the head of the queue, so that nobody waits for them.

    The run is done already: who stops or removes it meanwhile changes nothing of the ranking.
    """
    folder = info.directory / "runs" / str(job.id)
    if any((folder / name).is_file() for name in maps.NETWORKS):
        told = {"run": job.id, "technique": "cam"}
        try:
            maps.run(info, replace(job, config=told), context)
        except Exception:
            log.error("run %d: no activation maps\n%s", job.id, traceback.format_exc())


def _fit(method: Method, job: Job, data: LabeledDataset, context: JobContext) -> Signals:
    """Run the method and add what it cost where it did not say so itself."""
    config = knobs.stored(job)
    context.metrics = context.metrics | _estimated(method, data, config)
    torchrun.join(context.device)
    context.begin()
    began, cpu_began = time.monotonic(), _cpu_seconds()
    signals = method.fit(data, config, context)
    seconds, cpu_seconds = time.monotonic() - began, _cpu_seconds() - cpu_began
    torchrun.leave()
    return replace(signals, cost=_own_cost(signals.cost, seconds, cpu_seconds, context))


def _estimated(method: Method, data: LabeledDataset, config: Any) -> dict[str, float]:
    """Return what the method's card says that the run will take, empty where it does not say."""
    size = max(data.images.shape[1:3])
    said = method.estimate(len(data), size, config, len(data.class_names))
    return dict(zip(("estimated_seconds", "estimated_bytes"), said, strict=True)) if said else {}


def _own_cost(
    told: Mapping[str, float], seconds: float, cpu_seconds: float, context: JobContext
) -> dict[str, float]:
    """Return the run's own cost, and what it spent on features that others use as well.

    What a method told counts where the run was resumed: it knows the part before.
    """
    features = context.features_cost
    cost = dict(told) | {
        "seconds": seconds - features.get("features_seconds", 0.0),
        "cpu_seconds": cpu_seconds - features.get("features_cpu_seconds", 0.0),
        "peak_memory_bytes": float(0 if context.memory is None else context.memory.most()),
    }
    if context.resumed:
        for name in ("seconds", "cpu_seconds", "peak_memory_bytes"):
            cost[name] = max(cost[name], told.get(name, 0.0))
    return cost | features


def _cpu_seconds() -> float:
    both = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, both))
