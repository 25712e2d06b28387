"""`lnl runs rm`: a run goes with its files and its share of the ranking; nothing else does."""

import pytest

from lnl_core.jobs import queue, worker
from lnl_core.services.runs import control
from lnl_core.store import arrays
from lnl_core.types import JobState, LnlError, NotFound


@pytest.fixture
def two(workspace, tiny):
    """Two finished runs."""
    numbers = []
    for method in ("probe", "knn"):
        numbers.append(queue.submit(tiny, method).id)
        worker.run_job(workspace, queue.claim(workspace))
        assert queue.job(workspace, numbers[-1]).state is JobState.DONE
    return numbers


def test_the_ranking_goes_on_without_a_run_that_is_removed(workspace, tiny, two):
    probe, knn = two
    control.remove(workspace, probe)
    assert [job.id for job in queue.jobs(tiny)] == [knn]
    assert not (tiny.directory / "runs" / str(probe)).exists()
    assert (tiny.directory / "runs" / str(knn)).is_dir()
    _, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"knn": knn}


def test_with_the_last_run_goes_the_ranking(workspace, tiny, two):
    for number in two:
        control.remove(workspace, number)
    assert arrays.load_ranking(tiny.directory / "ranking") is None
    with pytest.raises(NotFound):
        control.remove(workspace, two[0])


def test_an_older_run_of_the_same_method_counts_again(workspace, tiny, two):
    again = queue.submit(tiny, "knn", overrides={"neighbours": 5})
    worker.run_job(workspace, queue.claim(workspace))
    control.remove(workspace, again.id)
    _, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"probe": two[0], "knn": two[1]}


def test_what_is_under_way_is_not_removed(workspace, tiny):
    job = queue.submit(tiny, "probe")
    queue.claim(workspace)
    with pytest.raises(LnlError, match=f"lnl cancel {job.id}"):
        control.remove(workspace, job.id)
    assert queue.job(workspace, job.id).state is JobState.RUNNING


def test_what_a_waiting_run_builds_on_stays_unless_both_go(workspace, tiny):
    below = queue.submit(tiny, "ce", overrides={"epochs": 1})
    worker.run_job(workspace, queue.claim(workspace))
    above = queue.submit(tiny, "influence", base=below.id)
    with pytest.raises(LnlError, match=f"Run {above.id} builds on run {below.id}"):
        control.check_removable(workspace, [below.id])
    control.check_removable(workspace, [above.id, below.id])
    for number in sorted([above.id, below.id], reverse=True):
        control.remove(workspace, number)
    assert queue.jobs(tiny) == []
