"""Rankings that an earlier version of the program made: said, and made anew when asked.

Nothing is made anew by itself: an order that people are working down, and the chances that they
have read, change when they say so.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from lnl_core.jobs import outcome, queue
from lnl_core.jobs.engines import local
from lnl_core.jobs.tasks import ranking as task
from lnl_core.store import arrays
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, JobState

WORDS = (
    "An earlier version of LNL Review made this order and these chances, by other rules. The same "
    "runs can be ranked anew; answers stay."
)


def is_outdated(info: DatasetInfo) -> bool:
    """Say whether the ranking in force was made by an earlier rule (`arrays.RULE`)."""
    folder = info.directory / "ranking"
    version = arrays.ranking_version(folder)
    return version is not None and _rule(folder, version) < arrays.RULE


@lru_cache(maxsize=64)
def _rule(folder: Path, version: str) -> int:
    return arrays.ranking_rule(folder, version)


def is_underway(info: DatasetInfo) -> bool:
    """Say whether the ranking is being made anew in the background."""
    return any(job.state in ACTIVE_STATES for job in _tasks(info))


def failure(info: DatasetInfo) -> str:
    """Return why the last attempt failed, blank where none did."""
    return next((job.error or "it failed" for job in _tasks(info)[:1] if _failed(job)), "")


def renew(info: DatasetInfo) -> None:
    """Have the ranking made anew in the background; twice is once.

    Raises:
        LnlError: the workspace cannot be written.
    """
    queue.submit_task(info, task.KEY, {"rule": arrays.RULE})
    local.ensure_worker(info.workspace, queue.TASKS)


def now(info: DatasetInfo) -> None:
    """Make the ranking anew here.

    Raises:
        LnlError: the workspace cannot be written, or what the runs left cannot be read.
    """
    outcome.rank(info)


def _tasks(info: DatasetInfo) -> list[Job]:
    told = {"rule": arrays.RULE}
    every = queue.jobs(info, tasks=True)
    return [job for job in every if job.method == task.KEY and dict(job.config) == told]


def _failed(job: Job) -> bool:
    return job.state is JobState.FAILED
