"""The job table: claim, report, cancel, resume, recover; `submit` is here too. No torch."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Container, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, select, update

from lnl_core.jobs import bases
from lnl_core.jobs.health import health as health
from lnl_core.jobs.health import process_lives as process_lives
from lnl_core.jobs.health import process_started
from lnl_core.jobs.health import silent_seconds as silent_seconds
from lnl_core.jobs.rows import TASKS as TASKS
from lnl_core.jobs.rows import active as active
from lnl_core.jobs.rows import all_jobs as all_jobs
from lnl_core.jobs.rows import changeable as changeable
from lnl_core.jobs.rows import job as job
from lnl_core.jobs.rows import jobs as jobs
from lnl_core.jobs.rows import joined, to_job
from lnl_core.jobs.rows import log_path as log_path
from lnl_core.jobs.rows import log_tail as log_tail
from lnl_core.jobs.rows import run_dir as run_dir
from lnl_core.jobs.rows import stored as stored
from lnl_core.jobs.submitting import DEVICES as DEVICES
from lnl_core.jobs.submitting import EXECUTORS as EXECUTORS
from lnl_core.jobs.submitting import NotFirst as NotFirst
from lnl_core.jobs.submitting import check as check
from lnl_core.jobs.submitting import check_numbers as check_numbers
from lnl_core.jobs.submitting import submit as submit
from lnl_core.jobs.submitting import submit_task as submit_task
from lnl_core.store import schema
from lnl_core.store.db import now, reading, transaction
from lnl_core.types import (
    Job,
    JobState,
    LnlError,
    Workspace,
)

REMOTE = ("slurm", "ray")
ATTEMPTS = 3
"""How often a job may take its worker down, without a new checkpoint, before it has failed."""

_TABLE = schema.jobs
_UNDERWAY = (str(JobState.RUNNING), str(JobState.CANCELLING))


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
    wanted = stored(ws, number)
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
        NoRoom: it is lost, and the disk is full.
        LnlError: the job is none of these.
    """
    if health(changeable(ws, number)) == "lost" and number in recover(ws):
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
