"""Runs on Slurm or Ray: hand a job over, look after it, stop it. The job table is the truth.

Both engines start `python -m lnl_core.worker --job N`, which claims job N in the table, sends its
heartbeat there, reads the cancel flag there and writes the end state there, as on this machine. The
engine is asked for three things only: to start that command, whether it still knows of it, and to
end it. So an engine without accounting, or one that forgets a job a minute after its end, will do.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update

from lnl_core.jobs import bases, queue
from lnl_core.jobs.engines.command import Engine, Seen
from lnl_core.store import schema
from lnl_core.store.db import now, transaction
from lnl_core.types import Job, JobState, LnlError, Workspace

LOOK_SECONDS = 3.0
"""An engine is asked about one job this often at most; cancelling asks at once."""

SILENT_SECONDS = 10.0
"""A job that reported later than this ago is asked after."""

STALE_SECONDS = 60.0
"""A hand-over that has not ended after this long died, and is made again."""

_HANDING = "handing over "
_TABLE = schema.jobs
_looked: dict[tuple[str, int], float] = {}


def engine(executor: str) -> Engine:
    """Return the engine of that name."""
    from lnl_core.jobs.engines import raycluster, slurm

    module: Engine = {"slurm": slurm, "ray": raycluster}[executor]
    return module


def remote(job: Job) -> bool:
    """Say whether a job was handed, or will be, to an engine."""
    return job.executor in queue.REMOTE


def usable() -> tuple[str, ...]:
    """Return the executors that can be used from here, `local` first."""
    return ("local", *(name for name in queue.REMOTE if not engine(name).missing()))


def check(ws: Workspace, executor: str, options: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the options to store with a job: those given, else those in the environment.

    `LNL_SLURM_PARTITION` stands for the option `partition` of Slurm, and so on.

    Raises:
        LnlError: the engine cannot be used, an option does not exist, or the worker could not
            reach the database.
    """
    if executor not in queue.EXECUTORS or executor == "local":
        if options:
            raise LnlError(f"The executor {executor} takes no options.")
        return {}
    target = engine(executor)
    reason = target.missing()
    if reason:
        raise LnlError(reason)
    prefix = f"LNL_{executor.upper()}_"
    chosen = {key: os.environ.get(prefix + key.upper(), "") for key in target.OPTIONS}
    for key, value in (options or {}).items():
        if key not in target.OPTIONS:
            raise LnlError(
                f"{target.TITLE} has no option “{key}” here. Known: {', '.join(target.OPTIONS)}."
            )
        chosen[key] = value
    for key, value in chosen.items():
        if not re.fullmatch(r"[\w.,:@%+/=\[\]*~-]*", value):
            raise LnlError(f"The option {key} of {target.TITLE} has a letter that is not allowed.")
    chosen = {key: value for key, value in chosen.items() if value}
    target.check(ws, chosen)
    return chosen


def reconcile(ws: Workspace, job: Job) -> None:
    """Look after one active job: hand it over, see whether its engine lost it, end it."""
    if job.state is JobState.QUEUED:
        _reconcile_waiting(ws, job)
    elif job.engine_job is None or not _due(job):
        return
    elif job.state is JobState.CANCELLING:
        _stop(job)
        if _absent(job):
            queue.recover(ws, gone=[job.id])
    elif queue.silent_seconds(job) > SILENT_SECONDS and _absent(job):
        queue.recover(ws, gone=[job.id])


def _reconcile_waiting(ws: Workspace, job: Job) -> None:
    if job.engine_job is None:
        if _due(job) and _ready(ws, job):
            hand_over(ws, job)
    elif job.engine_job.startswith(_HANDING):
        if job.engine_job < _HANDING + _ago(STALE_SECONDS):
            _mark(ws, job, None)
    elif _due(job):
        seen, words = _look(job)
        if seen is Seen.THERE:
            _write(ws, job, stage=words[:120])
        elif seen is Seen.CANCELLED:
            _write(ws, job, state=str(JobState.CANCELLED), finished_at=now())
        elif seen is Seen.AGAIN or job.started_at is not None:
            _again(ws, job)
        else:
            _fail(ws, job, f"ended before it took the run: {_last_line(ws, job)}")


def _ready(ws: Workspace, job: Job) -> bool:
    if job.base is None:
        return True
    with transaction(ws) as connection:
        bases.fail_without_base(connection)
        waiting = select(_TABLE.c.id).where(
            _TABLE.c.id == job.id, _TABLE.c.state == str(JobState.QUEUED), bases.ready()
        )
        return connection.execute(waiting).first() is not None


def hand_over(ws: Workspace, job: Job) -> None:
    """Give a waiting job to its engine; of two processes that try, one does it.

    A job that its engine refuses has failed, with the engine's words; an engine that does not
    answer is tried again.
    """
    mark = f"{_HANDING}{now()} {os.getpid()}"
    if not _mark(ws, job, mark):
        return
    target = engine(job.executor)
    try:
        folder = engine_folder(ws, job)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # the database's address is in it
        name = target.submit(ws, job, folder)
    except Exception as error:
        told = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        if _away(error):
            words = f"{target.TITLE} does not answer: {told}"[:120]
            _write(ws, _marked(job, mark), engine_job=None, stage=words)
        else:
            _fail(ws, _marked(job, mark), f"did not take the run: {told}")
        return
    if not _mark(ws, _marked(job, mark), name):  # cancelled or removed meanwhile
        with contextlib.suppress(Exception):
            target.stop(name)


def _away(error: Exception) -> bool:
    words = str(error).lower()
    gone = any(each in words for each in ("unable to contact", "timed out", "connection "))
    return gone or isinstance(error, ConnectionError | TimeoutError)


def cancel(ws: Workspace, job: Job) -> None:
    """End a job's command; called after the table says so.

    Raises:
        LnlError: the engine does not answer; the worker still reads the flag in the table.
    """
    if job.engine_job is None or job.engine_job.startswith(_HANDING):
        return
    try:
        engine(job.executor).stop(job.engine_job)
    except Exception as error:
        title = engine(job.executor).TITLE
        raise LnlError(f"{title} did not stop run {job.id}: {error}") from error


def log_tail(ws: Workspace, job: Job) -> str:
    """Return what the engine kept of a job's output; nothing where it was not handed over."""
    if job.engine_job is None or job.engine_job.startswith(_HANDING):
        return ""
    try:
        return engine(job.executor).log(engine_folder(ws, job), job.engine_job)
    except Exception as error:
        return f"{engine(job.executor).TITLE} shows no log: {error}"


def engine_folder(ws: Workspace, job: Job) -> Path:
    """Return the folder of an engine's own files about a run."""
    return queue.run_dir(ws, job) / job.executor


def _last_line(ws: Workspace, job: Job) -> str:
    lines = [line.strip() for line in log_tail(ws, job).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("lnl: ")]
    return (told or lines or ["it left no word; see its log"])[-1].removeprefix("lnl: ")[:400]


def _due(job: Job) -> bool:
    """Say whether it is time to ask the engine about a job again."""
    key = (str(job.engine_job), job.id)
    if time.monotonic() - _looked.get(key, -1e9) < LOOK_SECONDS:
        return False
    _looked[key] = time.monotonic()
    return True


def _look(job: Job) -> tuple[Seen, str]:
    assert job.engine_job is not None
    try:
        return engine(job.executor).look(job.engine_job)
    except Exception as error:  # the engine is away: nothing is known, so nothing is done
        told = str(error).strip().splitlines() or [type(error).__name__]
        return Seen.THERE, f"{engine(job.executor).TITLE} does not answer: {told[-1]}"


def _absent(job: Job) -> bool:
    return _look(job)[0] is not Seen.THERE


def _stop(job: Job) -> None:
    with contextlib.suppress(Exception):
        engine(job.executor).stop(str(job.engine_job))


def _again(ws: Workspace, job: Job) -> None:
    if job.attempt >= queue.ATTEMPTS:
        _fail(
            ws,
            job,
            f"ended it {job.attempt} times before a checkpoint; ask for more time or memory, "
            "then resume",
        )
    else:
        _mark(ws, job, None)


def _fail(ws: Workspace, job: Job, words: str) -> None:
    name = "" if job.engine_job is None or " " in job.engine_job else f" job {job.engine_job}"
    error = f"{engine(job.executor).TITLE}{name} {words}".replace("\0", "")
    _write(ws, job, state=str(JobState.FAILED), finished_at=now(), error=error[:500])


def _write(ws: Workspace, job: Job, **values: object) -> bool:
    """Write to a job that still waits under the engine's name that the caller saw."""
    same = _TABLE.c.engine_job == job.engine_job
    if job.engine_job is None:
        same = _TABLE.c.engine_job.is_(None)
    waits = (_TABLE.c.id == job.id, _TABLE.c.state == str(JobState.QUEUED), same)
    with transaction(ws) as connection:
        return connection.execute(update(_TABLE).where(*waits).values(**values)).rowcount == 1


def _mark(ws: Workspace, job: Job, name: str | None) -> bool:
    """Write the engine's name of a job; its worker may have claimed it in the meantime."""
    if _write(ws, job, engine_job=name):
        return True
    taken = (
        _TABLE.c.id == job.id,
        _TABLE.c.engine_job == job.engine_job,
        _TABLE.c.state == str(JobState.RUNNING),
    )
    if name is None or job.engine_job is None:
        return False
    with transaction(ws) as connection:
        done = connection.execute(update(_TABLE).where(*taken).values(engine_job=name))
    return done.rowcount == 1


def _marked(job: Job, mark: str) -> Job:
    return replace(job, engine_job=mark)


def _ago(seconds: float) -> str:
    then = datetime.now(UTC) - timedelta(seconds=seconds)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
