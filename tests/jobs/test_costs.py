"""What a run cost is its own: above where its worker stood, without features, beside its card."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lnl_core.jobs import health, queue, worker
from lnl_core.jobs.context import JobContext
from lnl_core.learning.memory import Peak
from lnl_core.store.db import open_workspace
from lnl_core.types import JobState, Method, Signals
from tests.conftest import REPO, register_tiny

MB = 1_000_000


def taking(held, *, features=False):
    """A method that holds so many bytes for a moment."""

    def fit(dataset, config, context):
        if features:
            context.features()
        block = np.ones(held, np.uint8)
        assert block[0] == 1
        del block
        context.report("fit", 0.5)
        return Signals("probe", np.zeros(len(dataset)), cost={"images": 1.0, "seconds": 1e9})

    return replace(worker.card("probe"), fit=fit)


def ran(workspace, info, method: Method):
    job = queue.submit(info, "probe", "quick")
    worker.run_job(workspace, queue.claim(workspace, job.id), method)
    done = queue.job(workspace, job.id)
    assert done.state is JobState.DONE, done.error
    return done


def alone(told):
    """Run the lines in a process of their own, and return what they print as JSON.

    What another test left in this process may go back at any moment, and hide what is measured.
    """
    environment = os.environ | {"PYTHONPATH": str(REPO)}
    environment.pop("LNL_DATABASE_URL", None)
    command = [sys.executable, "-c", f"import json; from tests.jobs.test_costs import *; {told}"]
    out = subprocess.run(command, env=environment, capture_output=True, check=False, text=True)
    assert out.returncode == 0, out.stderr
    return json.loads(out.stdout.splitlines()[-1])


def two_peaks(home):
    """Return the peaks of a run of 400 MB and of one of 30 MB after it."""
    workspace = open_workspace(home / "home")
    info = register_tiny(workspace, home)
    runs = [ran(workspace, info, taking(held * MB)) for held in (400, 30)]
    return [run.cost["peak_memory_bytes"] for run in runs]


def features_apart():
    """Return what features of 300 MB cost apart, and what was then the run's own cost."""
    context = JobContext(0, Path())

    def make(report):
        report("features", 0.0, None)
        block = np.ones(300 * MB, np.uint8)
        return np.zeros((4, 2), np.float16) + block[0] * 0

    context.make_features = make
    context.begin()
    context.features()
    return [context.features_cost, worker._own_cost({"seconds": 1e9}, 10.0, 9.0, context)]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep no peak to reset")
def test_a_run_does_not_pay_for_the_memory_of_the_run_before(tmp_path):
    first, second = alone(f"print(json.dumps(two_peaks(Path({str(tmp_path)!r}))))")
    assert 380 * MB < first < 480 * MB
    assert 10 * MB < second < 120 * MB


def test_features_stand_apart_from_the_run():
    """Their time and memory are not the run's, and reading them again costs nothing."""
    apart, cost = alone("print(json.dumps(features_apart()))")
    assert apart["features_cpu_seconds"] > 0
    assert cost["seconds"] == 10.0 - apart["features_seconds"]
    assert cost["cpu_seconds"] == 9.0 - apart["features_cpu_seconds"]
    assert cost["features_seconds"] == apart["features_seconds"]
    if sys.platform == "linux":
        assert apart["features_memory_bytes"] > 280 * MB
        assert cost["peak_memory_bytes"] < 100 * MB


def test_a_resumed_run_keeps_the_cost_of_its_first_part(tmp_path):
    context = JobContext(0, tmp_path)
    context.begin()
    context.resumed = True
    told = {"seconds": 100.0, "cpu_seconds": 90.0, "peak_memory_bytes": 5e9}
    assert worker._own_cost(told, 1.0, 1.0, context) == told


def test_a_run_stands_beside_what_its_card_said(workspace, tiny):
    done = ran(workspace, tiny, taking(MB))
    card = worker.card("probe")
    size = max(tiny.height, tiny.width)
    said = card.cost(tiny.n, size, card.config.preset("quick", tiny.n, 3, size))
    assert (done.metrics["estimated_seconds"], done.metrics["estimated_bytes"]) == said
    assert done.cost["seconds"] < 1e6  # measured, whatever the method told
    assert done.cost["images"] == 1


def test_a_card_that_asks_for_the_classes_is_told_those_of_the_set(workspace, tiny):
    by_class = replace(taking(MB), cost=lambda n, size, config, k: (1000.0 * k, float(n)))
    done = ran(workspace, tiny, by_class)
    assert done.metrics["estimated_seconds"] == 1000 * tiny.class_count
    assert done.metrics["estimated_bytes"] == tiny.n


def running(tiny, **metrics):
    job = queue.submit(tiny, "probe", "quick")
    return replace(job, state=JobState.RUNNING, metrics={"device": "cpu"} | metrics)


def test_below_half_of_the_expected_speed_a_run_is_slow_and_without_a_core_the_machine_busy(tiny):
    half_done = {"estimated_seconds": 10.0, "own_fraction": 0.5}
    fast = running(tiny, **half_done, own_seconds=9.0, cores=0.3)
    assert health.speed(fast) == pytest.approx(5 / 9)
    assert not health.is_slow(fast)
    starved = running(tiny, **half_done, own_seconds=20.0, cores=0.3)
    assert health.is_slow(starved)
    assert health.is_busy(starved)
    slow = running(tiny, **half_done, own_seconds=20.0, cores=1.0)
    assert health.is_slow(slow)
    assert not health.is_busy(slow)


def test_nothing_is_said_of_speed_early_on_a_gpu_or_when_done(tiny):
    known = {"estimated_seconds": 10.0, "own_fraction": 0.5, "own_seconds": 90.0}
    assert health.speed(running(tiny, estimated_seconds=10.0)) is None
    assert health.speed(running(tiny, **known | {"device": "cuda"})) is None
    assert health.speed(replace(running(tiny, **known), state=JobState.DONE)) is None


def test_a_peak_is_seen_between_two_looks():
    if sys.platform != "linux":
        pytest.skip("other systems keep no peak")
    peak = Peak()
    block = np.ones(200 * MB, np.uint8)
    assert peak.now() > 150 * MB
    del block
    assert peak.most() > 180 * MB
    assert peak.lap() > 180 * MB
    assert peak.most() < 100 * MB


def test_a_worker_tells_its_threads_to_sleep_before_they_are_there():
    told = (
        "import json, os, sys; from lnl_core import worker; from lnl_core.learning import threads;"
        "early = not {'numpy', 'torch'} & set(sys.modules); threads.settle();"
        "keys = ('OMP_WAIT_POLICY', 'OPENBLAS_NUM_THREADS');"
        "print(json.dumps([early, *map(os.environ.get, keys)]))"
    )
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "OPENBLAS_NUM"))}
    environment = kept | {"PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "3"}
    command = [sys.executable, "-c", told]
    out = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    assert json.loads(out) == [True, "passive", "3"]
    wanted = environment | {"OMP_WAIT_POLICY": "active"}
    out = subprocess.run(command, env=wanted, capture_output=True, check=True).stdout
    assert json.loads(out)[1] == "active"
