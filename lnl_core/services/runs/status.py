"""How data sets and their runs stand. It reads the database alone: no numpy, no methods."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lnl_core.jobs.health import health, is_busy, speed
from lnl_core.jobs.rows import all_jobs, jobs
from lnl_core.records import ACTIVE_STATES, Damaged, DatasetInfo, Job, Workspace
from lnl_core.store import datasets, decisions, found
from lnl_core.store.files import ranking_version


def status(infos: Iterable[DatasetInfo], broken: Iterable[datasets.Broken] = ()) -> dict[str, Any]:
    """Return what `lnl status --json` prints of these data sets.

    `damaged` is there only where something is: names and problems.
    """
    damaged = [{"name": each.name, "problem": each.problem} for each in broken]
    whole = []
    for info in infos:
        try:
            whole.append(_status(info))
        except Damaged as error:  # one set takes no other down
            damaged.append({"name": info.name, "problem": str(error)})
    return {"datasets": whole} | ({"damaged": damaged} if damaged else {})


def broken(ws: Workspace) -> list[datasets.Broken]:
    """Return the data sets that cannot be opened, with why."""
    return datasets.broken(ws)


def every_run(ws: Workspace) -> list[Job]:
    """Return the runs of every data set, newest first."""
    return all_jobs(ws)


def _status(info: DatasetInfo) -> dict[str, Any]:
    unseen = _unseen(info)
    return {
        "name": info.name,
        "n": info.n,
        "classes": info.real_class_count,
        "reviewed": decisions.reviewed(info),
        "found_wrong": found.number_found_wrong(info),
        "waits": _waits(info),
        "copies": _copies(info),
        "scored": ranking_version(info.directory / "ranking") is not None,
        "runs": [
            {
                "id": job.id,
                "method": job.method,
                "base": job.base,
                "preset": job.preset,
                "executor": job.executor,
                "engine_job": job.engine_job,
                "state": str(job.state),
                "health": health(job),
                "stage": job.stage,
                "fraction": round(job.fraction, 4),
                "eta_s": job.eta_seconds,
                "error": job.error,
                "other_class": job.other_class,
                "seconds": job.cost.get("seconds"),
                "cpu_seconds": job.cost.get("cpu_seconds"),
                "peak_memory_bytes": job.cost.get("peak_memory_bytes"),
                "features_seconds": job.cost.get("features_seconds"),
                "features_cpu_seconds": job.cost.get("features_cpu_seconds"),
                "features_memory_bytes": job.cost.get("features_memory_bytes"),
                "estimated_seconds": job.metrics.get("estimated_seconds"),
                "estimated_bytes": job.metrics.get("estimated_bytes"),
                "speed": speed(job),
                "busy": is_busy(job),
            }
            | {"splits": dict(job.splits)}
            | ({"unseen": unseen[job.id]} if job.id in unseen else {})
            for job in jobs(info)
        ],
        "tasks": [
            {
                "id": job.id,
                "task": job.method,
                "state": str(job.state),
                "health": health(job),
                "stage": job.stage,
                "fraction": round(job.fraction, 4),
            }
            for job in jobs(info, tasks=True)
            if job.state in ACTIVE_STATES
        ],
    }


def _waits(info: DatasetInfo) -> int:
    """Return how many drawn images were put off and keep the goal away.

    What reads arrays is loaded where some may be.
    """
    if not found.any_drawn_put_off(info):
        return 0
    from lnl_core.services.review import auditing, goals

    left = auditing.errors_left(info)
    here = goals.stand(info, left)
    return left.put_off if not here.holds and here.kind in (goals.LEFT, goals.RECALL) else 0


def _unseen(info: DatasetInfo) -> dict[int, int]:
    """Return run -> images that were added since; what reads arrays is loaded for grown sets."""
    if not info.additions:
        return {}
    from lnl_core.services.datasets import settings

    return settings.behind(info)


def _copies(info: DatasetInfo) -> dict[str, int]:
    """Return how many copies were counted; nothing where nobody has.

    Of a set that has grown since, `of` says among how many of its first images.
    """
    counted: dict[str, int] = dict(datasets.read_meta(info).get(datasets.COPIES_FOUND, {}))
    counted.pop("rule", None)
    if counted.get("of") == info.n:
        del counted["of"]
    return counted if counted.get("of", 0) <= info.n and len(counted) > 1 else {}
