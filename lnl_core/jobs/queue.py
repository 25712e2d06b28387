"""The job table: submit, claim, report, cancel, resume, recover. No torch here."""

from __future__ import annotations

import dataclasses
import json
import os
import socket
from collections.abc import Container, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, insert, select, update

from lnl_core.jobs import bases, splits
from lnl_core.jobs.health import health as health
from lnl_core.jobs.health import process_lives as process_lives
from lnl_core.jobs.health import process_started
from lnl_core.jobs.health import silent_seconds as silent_seconds
from lnl_core.jobs.knobs import PIXELS, config, on_features, usual_features
from lnl_core.jobs.rows import TASKS as TASKS
from lnl_core.jobs.rows import active as active
from lnl_core.jobs.rows import all_jobs as all_jobs
from lnl_core.jobs.rows import job as job
from lnl_core.jobs.rows import jobs as jobs
from lnl_core.jobs.rows import joined, to_job
from lnl_core.jobs.rows import log_path as log_path
from lnl_core.jobs.rows import log_tail as log_tail
from lnl_core.jobs.rows import run_dir as run_dir
from lnl_core.methods import METHODS
from lnl_core.store import datasets, schema
from lnl_core.store.db import now, reading, transaction
from lnl_core.types import (
    ACTIVE_STATES,
    DatasetInfo,
    Job,
    JobState,
    LnlError,
    NotFound,
    Workspace,
)

EXECUTORS = ("local", "slurm", "ray")
REMOTE = ("slurm", "ray")
DEVICES = ("auto", "cpu", "cuda")
ATTEMPTS = 3
"""How often a job may take its worker down, without a new checkpoint, before it has failed."""

_TABLE = schema.jobs
_UNDERWAY = (str(JobState.RUNNING), str(JobState.CANCELLING))


def check(
    info: DatasetInfo,
    method: str,
    preset: str,
    overrides: Mapping[str, Any],
    executor: str,
    representation: str | None = None,
) -> None:
    """Raise LnlError where `submit` would."""
    config(info, method, preset, overrides, representation)
    if executor not in EXECUTORS:
        raise NotFound(
            f"There is no executor “{executor}” in this release. Known: {', '.join(EXECUTORS)}."
        )


def check_numbers(device: str, seed: int) -> None:
    """Raise LnlError where `submit` would, for what has nothing to do with the method."""
    if device not in DEVICES:
        raise NotFound(f"There is no device “{device}”. Known: {', '.join(DEVICES)}.")
    if not 0 <= seed < 2**31:
        raise LnlError(f"A seed lies between 0 and {2**31 - 1}, got {seed}.")


def submit(
    info: DatasetInfo,
    method: str,
    preset: str = "quick",
    *,
    overrides: Mapping[str, Any] | None = None,
    representation: str | None = None,
    seed: int = 0,
    device: str = "auto",
    executor: str = "local",
    options: Mapping[str, str] | None = None,
    base: int | None = None,
    train_on: Sequence[str] = (),
    judge: Sequence[str] = (),
    hold: bool = False,
    first: bool = False,
) -> Job:
    """Queue one run.

    Args:
        info: the data set.
        method: a key of METHODS.
        preset: `quick`, `standard` or `paper`.
        overrides: knob -> value.
        representation: label-free features for methods that work on them (None lets the worker
            choose by image size) and for a head in place of a network trained on pixels; `run:12`
            or `12` for the features of that run, once it is done.
        seed: of everything random in the run.
        device: `auto`, `cpu` or `cuda`.
        executor: where it runs: `local`, `slurm` or `ray`.
        options: what to ask of Slurm or Ray (partition, time, gpus ...).
        base: number of the run that this one builds on; it starts once that one is done.
        train_on: splits that it trains on; all of the set when there is none.
        judge: splits whose labels it judges; likewise.
        hold: it is not told what people said of images drawn at random, so that those judge it.
        first: only where no other run of the set is done or on its way.

    Raises:
        NotFirst: another one is.
        LnlError: anything of that does not exist.
    """
    base, representation = _ground(info, method, base, representation)
    check(info, method, preset, overrides or {}, executor, representation)
    check_numbers(device, seed)
    chosen = config(info, method, preset, overrides or {}, representation)
    uses = "features" in METHODS[method].needs or on_features(method, representation)
    usual = usual_features(method, preset, max(info.height, info.width))
    with transaction(info.workspace) as connection:
        if first:
            _refuse_others(connection, info)
        result = connection.execute(
            insert(_TABLE).values(
                dataset_id=info.id,
                method=method,
                preset=preset,
                config=json.dumps(dataclasses.asdict(chosen)),
                representation=representation or usual if uses else PIXELS,
                seed=seed,
                device=device,
                executor=executor,
                engine_options=json.dumps(dict(options or {})),
                base=base,
                splits=json.dumps(splits.chosen(info, train_on, judge, hold=hold)),
                state=str(JobState.QUEUED),
                created_at=now(),
            )
        )
        key = result.inserted_primary_key
        assert key is not None
        number = int(key[0])
    return job(info.workspace, number)


class NotFirst(LnlError):
    """A run that was to be a set's first one is not: somebody else was faster."""


def _refuse_others(connection: Connection, info: DatasetInfo) -> None:
    """Raise NotFirst where a run is done or on its way; nobody starts another one meanwhile."""
    datasets.alone(connection, info)
    counts = [str(state) for state in (*ACTIVE_STATES, JobState.DONE)]
    t = _TABLE.c
    mine = (t.dataset_id == info.id, t.executor != TASKS, t.state.in_(counts))
    if connection.execute(select(t.id).where(*mine).limit(1)).first() is not None:
        raise NotFirst(f"Somebody else has just started to score “{info.name}”.")


def _ground(
    info: DatasetInfo, method: str, base: int | None, representation: str | None
) -> tuple[int | None, str | None]:
    """Return the run that a run builds on and what it sees, after checking that they fit.

    Raises:
        LnlError: they do not.
    """
    if base is not None:
        under = job(info.workspace, base)
        bases.check(under, info, method)
        # post-training sees what the network under it saw
        return base, under.representation if bases.post_trains(method) else representation
    number = bases.run_of(representation)
    if number is None:
        return None, representation
    representation = f"{bases.OF_RUN}{number}"
    usable = "features" in METHODS[method].needs or on_features(method, representation)
    bases.check_features(job(info.workspace, number), info, method, usable)
    return number, representation


def submit_task(
    info: DatasetInfo, key: str, parameters: Mapping[str, Any], device: str = "auto"
) -> Job:
    """Queue a task of `lnl_core.jobs.tasks`, or return the one that is already under way for it.

    Args:
        info: the data set.
        key: of the task.
        parameters: what the task takes; JSON-able.
        device: `auto`, `cpu` or `cuda`.
    """
    told = json.dumps(dict(parameters), sort_keys=True)
    states = [str(state) for state in (JobState.QUEUED, JobState.RUNNING)]
    with transaction(info.workspace) as connection:
        number = connection.execute(
            select(_TABLE.c.id).where(
                _TABLE.c.dataset_id == info.id,
                _TABLE.c.method == key,
                _TABLE.c.executor == TASKS,
                _TABLE.c.config == told,
                _TABLE.c.state.in_(states),
            )
        ).scalar()
        if number is None:
            result = connection.execute(
                insert(_TABLE).values(
                    dataset_id=info.id,
                    method=key,
                    preset="",
                    config=told,
                    executor=TASKS,
                    device=device,
                    state=str(JobState.QUEUED),
                    created_at=now(),
                )
            )
            assert result.inserted_primary_key is not None
            number = int(result.inserted_primary_key[0])
    return job(info.workspace, int(number))


def claim(ws: Workspace, number: int | None = None, lane: str = "local") -> Job | None:
    """Take a queued job for this process; two workers never get the same one.

    Without `number` that is the oldest one of this machine's queue for runs, or with `lane` that
    for tasks; with it that very job or none:
    what was handed to Slurm or Ray is for the worker that they start. A job that builds on another
    waits until that one is done, and fails where it cannot be.
    """
    stamp = now()
    wanted = _TABLE.c.executor == lane if number is None else _TABLE.c.id == number
    while True:
        with transaction(ws) as connection:
            bases.fail_without_base(connection)
            oldest = connection.execute(
                select(_TABLE.c.id)
                .where(_TABLE.c.state == str(JobState.QUEUED), wanted, bases.ready())
                .order_by(_TABLE.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)  # PostgreSQL; SQLite lets one writer in
            ).scalar()
            if oldest is None:
                return None
            taken = connection.execute(
                update(_TABLE)
                .where(_TABLE.c.id == oldest, _TABLE.c.state == str(JobState.QUEUED))
                .values(
                    state=str(JobState.RUNNING),
                    stage="starting",
                    started_at=stamp,
                    finished_at=None,
                    heartbeat_at=stamp,
                    error=None,
                    host=socket.gethostname(),
                    pid=os.getpid(),
                    pid_started=process_started(os.getpid()),
                    attempt=_TABLE.c.attempt + 1,
                )
            )
        if taken.rowcount == 1:
            return job(ws, oldest)


def peek(ws: Workspace, lane: str = "local") -> int | None:
    """Return the number of the job that `claim` would take."""
    with transaction(ws) as connection:
        bases.fail_without_base(connection)
        number: int | None = connection.execute(
            select(_TABLE.c.id)
            .where(_TABLE.c.state == str(JobState.QUEUED), _TABLE.c.executor == lane)
            .where(bases.ready())
            .order_by(_TABLE.c.id)
            .limit(1)
        ).scalar()
    return number


def _mine(number: int) -> ColumnElement[bool]:
    """Match a job that is under way in this very process: what another took over is not touched."""
    return and_(
        _TABLE.c.id == number,
        _TABLE.c.state.in_(_UNDERWAY),
        _TABLE.c.host == socket.gethostname(),
        _TABLE.c.pid == os.getpid(),
        _TABLE.c.pid_started == process_started(os.getpid()),
    )


def report(
    ws: Workspace,
    number: int,
    *,
    stage: str,
    fraction: float,
    metrics: Mapping[str, Any],
    eta_seconds: float | None,
    kept: bool = False,
) -> bool:
    """Store progress and the heartbeat; return True where this process has to stop.

    `kept` says that a checkpoint was written since the job was claimed: it gets somewhere, so
    earlier deaths of its worker no longer count against it.
    """
    values: dict[str, Any] = {"attempt": 1} if kept else {}
    with transaction(ws) as connection:
        connection.execute(
            update(_TABLE)
            .where(_mine(number))
            .values(
                stage=stage[:120],
                fraction=fraction,
                metrics=json.dumps(metrics),
                eta_seconds=eta_seconds,
                heartbeat_at=now(),
                **values,
            )
        )
        state = connection.execute(select(_TABLE.c.state).where(_mine(number))).scalar()
    return state != str(JobState.RUNNING)


def finish(ws: Workspace, number: int, state: JobState, **values: Any) -> None:
    """Write a job's last state; only the process that claimed it last can."""
    with transaction(ws) as connection:
        connection.execute(
            update(_TABLE)
            .where(_mine(number))
            .values(state=str(state), finished_at=now(), eta_seconds=None, **values)
        )


def note_trusted(ws: Workspace, number: int, count: int) -> None:
    """Record how many labels, confirmed by people, a run was given as trusted."""
    with transaction(ws) as connection:
        connection.execute(update(_TABLE).where(_TABLE.c.id == number).values(trusted_rows=count))


def give_back(ws: Workspace, number: int, *, counts: bool = False) -> None:
    """Queue a job again whose worker was told to stop; its checkpoint stays.

    One that is being cancelled is cancelled. Slurm and Ray stop a worker at its time limit too, and
    torchrun where another of its processes died (`counts`), so there the attempt counts until a
    checkpoint is written.
    """
    again = (
        _TABLE.c.attempt
        if counts
        else case((_TABLE.c.executor.in_(REMOTE), _TABLE.c.attempt), else_=0)
    )
    with transaction(ws) as connection:
        connection.execute(
            update(_TABLE)
            .where(_mine(number), _TABLE.c.state == str(JobState.CANCELLING))
            .values(state=str(JobState.CANCELLED), finished_at=now(), eta_seconds=None)
        )
        connection.execute(
            update(_TABLE)
            .where(_mine(number), _TABLE.c.state == str(JobState.RUNNING))
            .values(state=str(JobState.QUEUED), attempt=again, eta_seconds=None, pid=None)
        )


def cancel(ws: Workspace, number: int) -> None:
    """Ask a job to stop: at once where nothing runs it, within two seconds where something does."""
    wanted = job(ws, number)
    gone = wanted.state in (JobState.RUNNING, JobState.CANCELLING) and health(wanted) == "lost"
    with transaction(ws) as connection:
        connection.execute(
            update(_TABLE)
            .where(
                _TABLE.c.id == number,
                _TABLE.c.state.in_([str(JobState.QUEUED), *(_UNDERWAY if gone else ())]),
            )
            .values(state=str(JobState.CANCELLED), finished_at=now(), eta_seconds=None)
        )
        connection.execute(
            update(_TABLE)
            .where(_TABLE.c.id == number, _TABLE.c.state == str(JobState.RUNNING))
            .values(state=str(JobState.CANCELLING))
        )


def resume(ws: Workspace, number: int) -> None:
    """Queue a cancelled, failed or lost job again; it goes on from its last checkpoint.

    Raises:
        LnlError: the job is none of these.
    """
    if health(job(ws, number)) == "lost" and number in recover(ws):
        return
    with transaction(ws) as connection:
        done = connection.execute(
            update(_TABLE)
            .where(
                _TABLE.c.id == number,
                _TABLE.c.state.in_([str(JobState.CANCELLED), str(JobState.FAILED)]),
            )
            .values(
                state=str(JobState.QUEUED),
                attempt=0,
                error=None,
                finished_at=None,
                started_at=None,
                engine_job=None,
            )
        )
    if done.rowcount != 1:
        state = job(ws, number).state
        raise LnlError(f"Run {number} is {state}; only a cancelled or failed run can be resumed.")


def remove(ws: Workspace, number: int) -> None:
    """Drop a job that still waits.

    Raises:
        LnlError: it does not wait any more.
    """
    with transaction(ws) as connection:
        done = connection.execute(
            delete(_TABLE).where(_TABLE.c.id == number, _TABLE.c.state == str(JobState.QUEUED))
        )
    if done.rowcount != 1:
        raise LnlError(f"Run {number} has started already. Cancel it instead.")


def recover(ws: Workspace, gone: Container[int] = ()) -> list[int]:
    """Queue again what dead workers left; return the jobs' numbers.

    `gone` are jobs whose engine says that their worker has ended, wherever it was.
    A job that has taken its worker down three times without getting anywhere fails instead.
    """
    query = joined().where(_TABLE.c.state.in_(_UNDERWAY))
    with reading(ws) as connection:
        records = list(connection.execute(query))
    queued = []
    for record in records:
        if record.id not in gone and health(to_job(record)) != "lost":
            continue
        if record.state == str(JobState.CANCELLING):
            values: dict[str, Any] = {"state": str(JobState.CANCELLED), "finished_at": now()}
        elif record.attempt >= ATTEMPTS:
            values = {
                "state": str(JobState.FAILED),
                "finished_at": now(),
                "error": f"its process died {ATTEMPTS} times, probably out of memory; "
                "choose a smaller batch or preset, then resume",
            }
        else:
            values = {"state": str(JobState.QUEUED), "engine_job": None}
        with transaction(ws) as connection:
            done = connection.execute(
                update(_TABLE)
                .where(
                    _TABLE.c.id == record.id,
                    _TABLE.c.state == record.state,
                    _TABLE.c.pid == record.pid,
                    _TABLE.c.heartbeat_at == record.heartbeat_at,
                )
                .values(eta_seconds=None, **values)
            )
        if done.rowcount == 1 and values["state"] == str(JobState.QUEUED):
            queued.append(int(record.id))
    return queued
