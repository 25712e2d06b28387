"""How data sets and their runs stand. It reads the database alone: no numpy, no methods."""

from __future__ import annotations

from typing import Any

from lnl_core.jobs.health import health
from lnl_core.jobs.rows import jobs
from lnl_core.store import datasets, decisions
from lnl_core.store.datasets import DatasetInfo
from lnl_core.store.db import Workspace
from lnl_core.store.files import ranking_version


def status(ws: Workspace, info: DatasetInfo | None = None) -> dict[str, Any]:
    """Return what `lnl status --json` prints, of one data set or of all."""
    infos = datasets.datasets(ws) if info is None else [info]
    return {"datasets": [_status(ws, each) for each in infos]}


def _status(ws: Workspace, info: DatasetInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "n": info.n,
        "classes": info.class_count,
        "reviewed": decisions.reviewed(ws, info),
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
                "flagged": job.flagged,
                "seconds": job.cost.get("seconds"),
            }
            for job in jobs(ws, info)
        ],
    }
