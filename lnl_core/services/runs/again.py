"""Runs of the ranking made again: with what people said since, or for images that came since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lnl_core.jobs import executors, knobs, queue
from lnl_core.methods import METHODS
from lnl_core.services.in_force import scored
from lnl_core.services.runs import recipes, running
from lnl_core.services.team import roles
from lnl_core.services.team.roles import Act
from lnl_core.types import DatasetInfo, Job, NotFound


def unscored(info: DatasetInfo) -> int:
    """Return how many images were added since all runs behind the ranking; 0 without a ranking."""
    ranked = scored(info)
    return 0 if ranked is None else info.n - ranked.seen


def score_added(info: DatasetInfo, by: str | None = None) -> list[Job]:
    """Queue the runs of the ranking again, so that images added since get scores.

    What no run can be made of again, gives way to the default recipe. Answers to random checks are
    held out.

    Args:
        info: the data set.
        by: who asks, on a page; None for who works on the machine itself.

    Raises:
        NotAllowed: that person may not start runs.
    """
    roles.require_of(info.workspace, by, Act.RUN)
    ranked = scored(info)
    known = {} if ranked is None else repeatable(info, ranked.run_ids)
    if not known:
        return running.start_runs(info, recipes.recipe(info).at_once, by=by)
    made = make_again(info, [queue.job(info.workspace, number) for number in known.values()])
    executors.reconcile(info.workspace)
    return made


def repeatable(info: DatasetInfo, run_ids: dict[str, int]) -> dict[str, int]:
    """Return the runs that can be made again: of our methods, and on no other run."""
    found = {}
    for name, number in run_ids.items():
        try:
            job = queue.job(info.workspace, number)
        except NotFound:
            continue
        if job.base is None and job.dataset == info.name and job.method in METHODS:
            found[name] = number
    return found


def make_again(info: DatasetInfo, jobs: Sequence[Job]) -> list[Job]:
    """Queue runs with the knobs, seed and engine of others; random checks are held out.

    Raises:
        LnlError: one of them cannot be made again; then none is queued.
    """
    asked = [knobs.repeated(info, job) for job in jobs]
    for job, overrides in zip(jobs, asked, strict=True):
        queue.check(info, job.method, job.preset, overrides, job.executor, _features(job))
    return [_submit(info, *each) for each in zip(jobs, asked, strict=True)]


def _features(job: Job) -> str | None:
    return None if job.representation == knobs.PIXELS else job.representation


def _submit(info: DatasetInfo, job: Job, overrides: dict[str, Any]) -> Job:
    return queue.submit(
        info,
        job.method,
        job.preset,
        overrides=overrides,
        representation=_features(job),
        seed=job.seed,
        device=job.device,
        executor=job.executor,
        options=job.engine_options,
        train_on=job.splits.get("train_on", ()),
        judge=job.splits.get("judge", ()),
        hold=True,
    )
