"""`lnl run --resume`: which runs go on."""

import pytest

from lnl_core.jobs import queue
from lnl_core.services.runs import control
from lnl_core.types import JobState, LnlError


@pytest.fixture
def stopped(tiny, no_worker):
    """Queues runs that end as asked, oldest first; no worker is started."""

    def queue_them(*runs):
        numbers = []
        for method, representation, seed, state in runs:
            job = queue.submit(tiny, method, representation=representation, seed=seed)
            queue.claim(tiny.workspace, job.id)
            queue.finish(tiny.workspace, job.id, state)
            numbers.append(job.id)
        return tiny, numbers

    return queue_them


def test_a_later_run_on_other_features_or_another_seed_takes_no_place(stopped):
    info, (pixels, _, seeded, _) = stopped(
        ("ce", "pixels", 0, JobState.CANCELLED),
        ("ce", "raw", 0, JobState.DONE),
        ("probe", "raw", 1, JobState.FAILED),
        ("probe", "raw", 2, JobState.DONE),
    )
    assert sorted(control.resume_stopped(info)) == [pixels, seeded]


def test_runs_are_named_with_or_without_their_features(stopped):
    info, (pixels, raw) = stopped(
        ("ce", "pixels", 0, JobState.FAILED), ("ce", "raw", 0, JobState.FAILED)
    )
    assert control.resume_stopped(info, ["ce@raw"]) == [raw]
    assert sorted(control.resume_stopped(info, ["ce"])) == [pixels, raw]


def test_what_a_later_run_of_the_same_replaced_stays_and_is_named(stopped):
    info, (old, new) = stopped(
        ("ce", "pixels", 0, JobState.CANCELLED), ("ce", "pixels", 0, JobState.DONE)
    )
    with pytest.raises(LnlError, match=rf"run {old} \(ce\) by run {new}"):
        control.resume_stopped(info)
    assert queue.job(info.workspace, old).state is JobState.CANCELLED
    with pytest.raises(LnlError, match="lnl status"):
        control.resume_stopped(info, ["knn"])
