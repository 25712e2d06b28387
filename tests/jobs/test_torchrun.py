"""A run in two processes: torchrun starts them, one worker's run comes out, however it goes."""

import os
import signal
import time

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.jobs import executors, queue, torchrun
from lnl_core.jobs.engines import local
from lnl_core.services.datasets import catalog
from lnl_core.services.runs import running
from lnl_core.store import arrays, schema
from lnl_core.store.db import transaction
from lnl_core.types import ACTIVE_STATES

PATIENCE = 240.0


def wait(ws, number, until):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        executors.reconcile(ws)
        job = queue.job(ws, number)
        if until(job):
            return job
        time.sleep(0.05)
    raise AssertionError(f"{job.state} at {job.fraction}: {job.error} {queue.log_tail(ws, job)}")


def ended(job):
    return job.state not in ACTIVE_STATES


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv("LNL_PROCESSES", "2")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def test_only_methods_on_pixels_that_can_are_run_by_several(workspace, tiny, two):
    methods = ("ce", "sr", "jump", "hnml", "influence", "dmlp", "knn")
    runs = [queue.submit(tiny, method, preset="standard") for method in methods]
    assert [torchrun.processes_for(job) for job in runs] == [2, 2, 2, 2, 2, 2, 1]
    quick = queue.submit(tiny, "dmlp", preset="quick", representation="raw")
    assert torchrun.processes_for(quick) == 1, "it trains no network"
    learns = queue.submit(tiny, "dmlp", preset="quick", representation="simclr")
    assert torchrun.processes_for(learns) == 2, "it learns its features first"
    maps = queue.submit(tiny, "hnml", overrides={"source": "maps"})
    assert torchrun.processes_for(maps) == 1
    head = queue.submit(tiny, "sr", representation="raw")
    assert torchrun.processes_for(head) == 1, "a head on features is trained in seconds"


@pytest.mark.long
def test_two_processes_also_when_the_first_is_killed(workspace, two):
    info = catalog.add_demo(workspace, catalog.DIGITS)
    signals = {}
    for killed in (True, False):
        (job,) = running.start_runs(info, ["ce"], overrides={"ce": {"epochs": 8}}, seed=5)
        if killed:
            found = wait(workspace, job.id, lambda j: j.metrics.get("epoch", 0) >= 3)
            assert found.state == "running"
            os.kill(found.pid, signal.SIGKILL)
        done = wait(workspace, job.id, ended)
        assert (done.state, done.error) == ("done", None)
        if killed:
            assert done.pid != found.pid
        signals[killed] = arrays.load_signals(queue.run_dir(workspace, done))
    np.testing.assert_array_equal(signals[True].suspicion, signals[False].suspicion)
    np.testing.assert_array_equal(signals[True].pred_probs, signals[False].pred_probs)
    assert signals[True].curves["agreement"][-1] > 0.7, "it learned nothing"


@pytest.mark.long
def test_two_processes_end_where_only_the_ranking_was_left_to_do(workspace, tiny, two):
    """The second one would wait for the first for ever, and with it every run in the queue."""
    (job,) = running.start_runs(tiny, ["ce"], overrides={"ce": {"epochs": 1}}, seed=5)
    wait(workspace, job.id, ended)
    local._started[-1].wait(PATIENCE)  # what comes after the run is over too
    folder = queue.run_dir(workspace, job)
    made = (folder / "signals.json").stat().st_mtime_ns
    arrays.drop_ranking(tiny.directory / "ranking")
    with transaction(workspace) as connection:  # killed before it was called done
        connection.execute(update(schema.jobs).values(state="queued", attempt=0))
    after = queue.submit(tiny, "knn")
    assert wait(workspace, after.id, ended).state == "done"
    assert queue.job(workspace, job.id).state == "done"
    assert (folder / "signals.json").stat().st_mtime_ns == made, "it was fitted again"
    _, ranked = arrays.load_ranking(tiny.directory / "ranking")
    assert ranked == {"ce": job.id, "knn": after.id}


@pytest.mark.slow
def test_cancel_ends_both_processes(workspace, two):
    import psutil

    info = catalog.add_demo(workspace, catalog.DIGITS)
    knobs = {"ce": {"epochs": 500}}
    (job,) = running.start_runs(info, ["ce"], overrides=knobs)
    found = wait(workspace, job.id, lambda j: j.metrics.get("epoch", 0) >= 2)
    agent = psutil.Process(found.pid).parent()
    team = [agent, *agent.children()]
    assert len(team) == 3
    executors.cancel(workspace, job.id)
    assert wait(workspace, job.id, ended).state == "cancelled"
    _, left = psutil.wait_procs(team, timeout=60)
    assert left == []


@pytest.mark.long
def test_two_processes_learn_features_purify_and_refine_what_another_run_trained(workspace, two):
    info = catalog.add_demo(workspace, catalog.DIGITS)
    knobs = {
        "dmlp": {"epochs": 2, "retrain": True},
        "ce": {"epochs": 4},
        "influence": {"refine": "network", "refine_epochs": 1, "rounds": 2},
    }
    signals, numbers = {}, {}
    for processes in ("2", "1"):
        os.environ["LNL_PROCESSES"] = processes  # `two` puts it back
        for method, base in (("dmlp", None), ("ce", None), ("influence", "ce")):
            (job,) = running.start_runs(
                info,
                [method],
                overrides={method: knobs[method]},
                representation="simclr:2" if method == "dmlp" else None,
                base=numbers.get(base),
                seed=5,
            )
            assert torchrun.processes_for(job) == int(processes)
            done = wait(workspace, job.id, ended)
            assert (done.state, done.error) == ("done", None), queue.log_tail(workspace, done)
            signals[method, processes] = arrays.load_signals(queue.run_dir(workspace, done))
            numbers[method] = job.id
    purified = [signals["dmlp", count].extras["purified_labels"] for count in "21"]
    np.testing.assert_array_equal(*purified)  # one representation, learned by two
    for method in ("dmlp", "influence"):
        two_say, one_says = (signals[method, count] for count in "21")
        assert np.corrcoef(two_say.suspicion, one_says.suspicion)[0, 1] > 0.98
        assert np.mean(two_say.pred_probs.argmax(1) == one_says.pred_probs.argmax(1)) > 0.95
