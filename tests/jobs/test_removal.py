"""`lnl runs rm`: a run goes with its files and its share of the ranking; nothing else does."""

import threading

import numpy as np
import pytest

from lnl_core.jobs import executors, outcome, own, queue, worker
from lnl_core.jobs.tasks import maps
from lnl_core.services.runs import control
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, LnlError, NotFound


@pytest.fixture
def two(workspace, tiny, once):
    """Two finished runs."""

    def run():
        numbers = []
        for method in ("probe", "knn"):
            numbers.append(queue.submit(tiny, method).id)
            worker.run_job(workspace, queue.claim(workspace))
            assert queue.job(workspace, numbers[-1]).state is JobState.DONE
        return tiny, numbers

    return once("removal", run)[1]


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


def in_force(info):
    stored = arrays.load_ranking(info.directory / "ranking")
    return None if stored is None else stored[1]


@pytest.mark.parametrize("removed", ["older", "itself"])
def test_a_run_is_done_before_its_maps_are_drawn(workspace, tiny, monkeypatch, removed):
    """That takes minutes on large images: what is pressed meanwhile leaves a true ranking."""
    older = queue.submit(tiny, "knn").id
    worker.run_job(workspace, queue.claim(workspace))
    number = queue.submit(tiny, "ce", overrides={"epochs": 1}).id
    draw = maps.run

    def meanwhile(info, job, context):
        executors.cancel(workspace, number)
        control.remove(workspace, older if removed == "older" else number)
        draw(info, job, context)

    monkeypatch.setattr(maps, "run", meanwhile)
    worker.run_job(workspace, queue.claim(workspace))
    if removed == "older":
        assert queue.job(workspace, number).state is JobState.DONE
        assert in_force(tiny) == {"ce": number}
        assert list((tiny.directory / "maps" / str(number)).rglob("*.npy"))
    else:
        assert in_force(tiny) == {"knn": older}
        assert not (tiny.directory / "maps").exists()


def test_of_two_rankings_at_once_the_later_one_knows_both_runs(workspace, tiny, monkeypatch):
    """The worker ranks when somebody's own probabilities come in: the slower one drops no run."""
    knn = queue.submit(tiny, "knn").id
    worker.run_job(workspace, queue.claim(workspace))
    save, others = arrays.save_ranking, []

    def slowly(*told):
        if not others:
            others.append(threading.Thread(target=own.add, args=(tiny, "vit", probs, "p.npy")))
            others[0].start()
            others[0].join(timeout=3)  # it waits for its turn; else it has long ranked
        save(*told)

    probs = np.full((60, 3), 1 / 3)
    monkeypatch.setattr(arrays, "save_ranking", slowly)
    outcome.rank(tiny)
    others[0].join()
    assert in_force(tiny) == {"knn": knn, "own-vit": knn + 1}


def test_ranking_a_set_that_was_removed_meanwhile_leaves_no_folder(tiny):
    datasets.remove(tiny)
    outcome.rank(tiny)
    assert not tiny.directory.exists()
