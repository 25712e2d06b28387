"""Removing a run that has ended: its row, its share of the ranking, its files, in that order.

A removal that is cut off between these leaves a folder that nobody reads; never a run without one.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from sqlalchemy import delete

from lnl_core.jobs import inputs, outcome, queue
from lnl_core.store import arrays, datasets, schema
from lnl_core.store.db import transaction
from lnl_core.types import ACTIVE_STATES, JobState, LnlError, Workspace


def check(ws: Workspace, number: int, together: Sequence[int] = ()) -> None:
    """Check that a run can be removed.

    Args:
        ws: the workspace.
        number: of the run.
        together: numbers of runs that are removed with it.

    Raises:
        NotFound: there is none of that number.
        NoRoom: it is lost, and the disk is full.
        LnlError: it is under way, or a run that waits builds on it.
    """
    job = queue.changeable(ws, number)
    if job.state in (JobState.RUNNING, JobState.CANCELLING):
        raise LnlError(f"Run {number} is under way. Stop it first: lnl cancel {number}")
    waiting = [
        str(other.id)
        for other in queue.active(ws)
        if other.base == number and other.id not in together
    ]
    if waiting:
        raise LnlError(
            f"Run {', '.join(waiting)} builds on run {number} and has not ended. Let it end, or "
            "remove both."
        )


def remove(ws: Workspace, number: int) -> None:
    """Remove a run that has ended and rank without it. What was built on it stays.

    Raises:
        NotFound: there is none of that number.
        NoRoom: it is lost, and the disk is full.
        LnlError: it is under way, or a run that waits builds on it.
    """
    check(ws, number)
    job = queue.job(ws, number)
    info = datasets.dataset(ws, job.dataset)
    inputs.hand_on(info, number)
    table = schema.jobs
    with outcome.in_turn(info):
        with transaction(ws) as connection:
            active = [str(state) for state in ACTIVE_STATES]
            done = connection.execute(
                delete(table).where(table.c.id == number, table.c.state.not_in(active))
            )
        if done.rowcount != 1:
            raise LnlError(f"Run {number} has started again meanwhile. Stop it first.")
        if not any(one.state is JobState.DONE for one in queue.jobs(info)):
            arrays.drop_ranking(info.directory / "ranking")
        elif job.state is JobState.DONE:
            outcome.rank_in_turn(info)
    shutil.rmtree(info.directory / "runs" / str(number), ignore_errors=True)
