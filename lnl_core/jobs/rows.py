"""The job table, read: jobs as values, and where a run's files are."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from lnl_core.jobs.health import health
from lnl_core.records import ACTIVE_STATES, DatasetInfo, Job, JobState, NoRoom, NotFound, Workspace
from lnl_core.store import faults, schema
from lnl_core.store.db import reading

TASKS = "tasks"
"""Executor of small jobs that the pages ask for: a worker of their own runs them, so that nobody
waits for a map of activations until a training run is over."""

_TABLE = schema.jobs


def to_job(record: Row[Any]) -> Job:
    """Return a row of `joined` as a value."""
    return Job(
        id=record.id,
        dataset=record.dataset_name,
        method=record.method,
        preset=record.preset,
        config=json.loads(record.config),
        representation=record.representation,
        seed=record.seed,
        device=record.device,
        executor=record.executor,
        state=JobState(record.state),
        stage=record.stage,
        fraction=record.fraction,
        metrics=json.loads(record.metrics),
        eta_seconds=record.eta_seconds,
        created_at=record.created_at,
        started_at=record.started_at,
        finished_at=record.finished_at,
        heartbeat_at=record.heartbeat_at,
        host=record.host,
        pid=record.pid,
        pid_started=record.pid_started,
        error=record.error,
        other_class=record.other_class,
        cost=json.loads(record.cost),
        base=record.base,
        engine_job=record.engine_job,
        engine_options=json.loads(record.engine_options),
        attempt=record.attempt,
        splits=json.loads(record.splits),
    )


def _told(ws: Workspace, job: Job) -> Job:
    """Return a job as a person is told of it: failed where a full disk kept it from saying so.

    Nothing is written, for nothing can be; once there is room it is found lost, and goes on.
    """
    if health(job) != "lost" or not (full := faults.full_disks(ws)):
        return job
    said = f"the disk of {full[0]} is full; free space there, and it goes on by itself"
    return replace(job, state=JobState.FAILED, error=said, eta_seconds=None)


def joined() -> Any:
    """Select the columns of a job, its data set's name among them."""
    return select(_TABLE, schema.datasets.c.name.label("dataset_name")).join(
        schema.datasets, schema.datasets.c.id == _TABLE.c.dataset_id
    )


def jobs(info: DatasetInfo, limit: int | None = None, *, tasks: bool = False) -> list[Job]:
    """Return a data set's runs of methods, or its tasks, newest first."""
    lane = _TABLE.c.executor == TASKS if tasks else _TABLE.c.executor != TASKS
    query = joined().where(lane, _TABLE.c.dataset_id == info.id).order_by(_TABLE.c.id.desc())
    if limit is not None:
        query = query.limit(limit)
    with reading(info.workspace) as connection:
        return [_told(info.workspace, to_job(each)) for each in connection.execute(query)]


def all_jobs(ws: Workspace) -> list[Job]:
    """Return the runs of methods of every data set, newest first."""
    query = joined().where(_TABLE.c.executor != TASKS).order_by(_TABLE.c.id.desc())
    with reading(ws) as connection:
        return [_told(ws, to_job(record)) for record in connection.execute(query)]


def active(ws: Workspace) -> list[Job]:
    """Return what runs or waits, oldest first."""
    states = [str(state) for state in ACTIVE_STATES]
    query = joined().where(_TABLE.c.state.in_(states)).order_by(_TABLE.c.id)
    with reading(ws) as connection:
        found = [_told(ws, to_job(record)) for record in connection.execute(query)]
    return [each for each in found if each.state in ACTIVE_STATES]


def job(ws: Workspace, number: int) -> Job:
    """Return one job, as a person is told of it.

    Raises:
        LnlError: there is none of that number.
    """
    return _told(ws, stored(ws, number))


def stored(ws: Workspace, number: int) -> Job:
    """Return one job as its row has it.

    Raises:
        LnlError: there is none of that number.
    """
    with reading(ws) as connection:
        record = connection.execute(joined().where(_TABLE.c.id == number)).first()
    if record is None:
        raise NotFound(f"There is no run {number}. `lnl status` lists the runs.")
    return to_job(record)


def changeable(ws: Workspace, number: int) -> Job:
    """Return one job as its row has it, for what changes it.

    Raises:
        NoRoom: it is lost, and a full disk keeps its row from saying so.
        LnlError: there is none of that number.
    """
    found = stored(ws, number)
    if _told(ws, found) is not found:
        folder = faults.full_disks(ws)[0]
        raise NoRoom(
            f"The disk of {folder} is full: make room first. Then run {number} goes on by itself, "
            "and can be stopped and removed."
        )
    return found


def run_dir(ws: Workspace, run: Job) -> Path:
    """Return the folder of a run's files."""
    query = (
        select(schema.datasets.c.folder)
        .join(_TABLE, _TABLE.c.dataset_id == schema.datasets.c.id)
        .where(_TABLE.c.id == run.id)
    )
    with reading(ws) as connection:
        folder = str(connection.execute(query).scalar_one())
    return ws.datasets_dir / folder / "runs" / str(run.id)


def log_path(ws: Workspace, run: Job) -> Path:
    """Return where a run's log is."""
    return run_dir(ws, run) / "worker.log"


def log_tail(ws: Workspace, run: Job, size: int = 4096) -> str:
    """Return the end of a run's log, at most `size` bytes."""
    try:
        with log_path(ws, run).open("rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - size))
            return stream.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
