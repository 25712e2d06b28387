"""A new job: what is asked of it is checked, and becomes a row of the table. No torch here."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select

from lnl_core.jobs import bases, splits
from lnl_core.jobs.knobs import PIXELS, config, on_features, usual_features
from lnl_core.jobs.rows import TASKS, job
from lnl_core.methods import METHODS
from lnl_core.store import datasets, schema
from lnl_core.store.db import now, transaction
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState, LnlError, NotFound

EXECUTORS = ("local", "slurm", "ray")
DEVICES = ("auto", "cpu", "cuda")

_TABLE = schema.jobs


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
        empty_folder(info, number)
    return job(info.workspace, number)


def empty_folder(info: DatasetInfo, number: int) -> Path:
    """Return the folder of a run that nobody has started, without what lies there.

    SQLite gives a number again whose row never counted: of a run that was killed before its commit,
    or of a database that a copy has replaced.
    """
    folder = info.directory / "runs" / str(number)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


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
