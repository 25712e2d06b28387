"""Real workers, really killed: the run resumes and ends as an undisturbed one."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sklearn.datasets import load_digits

from lnl_core.jobs import executors, queue
from lnl_core.jobs.engines import local
from lnl_core.services.datasets import catalog
from lnl_core.services.review import desk
from lnl_core.store import arrays, datasets
from lnl_core.store.db import dispose, open_workspace
from lnl_core.types import ACTIVE_STATES
from tests.workers import worker_lives

CHECKPOINT = "checkpoint.safetensors"

PATIENCE = 240.0
"""Seconds after which a test gives up waiting; nothing asserts how fast a machine is."""


def wait(ws, number, until):
    """Poll a job until something is true of it; a dead worker's job is taken up again."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        job = queue.job(ws, number)
        if until(job):
            return job
        executors.reconcile(ws)
        time.sleep(0.02)
    raise AssertionError(f"still {job.state} at {job.fraction:.2f} ({job.stage}): {job.error}")


def ended(job):
    return job.state not in ACTIVE_STATES


def stop_worker(ws):
    for job in queue.active(ws):
        if job.pid and queue.process_lives(job.pid, job.pid_started):
            os.kill(job.pid, signal.SIGKILL)


@pytest.fixture
def demo(workspace, tmp_path):
    """Five hundred digits: an epoch of them is long enough to be killed in."""
    found = load_digits()
    images, labels = (found.images[:500] * 15).astype(np.uint8), found.target[:500]
    np.savez(tmp_path / "digits.npz", images=images, labels=labels)
    catalog.import_dataset(workspace, tmp_path / "digits.npz", "digits")
    yield datasets.dataset(workspace, "digits")
    stop_worker(workspace)


def run(ws, info, method, overrides, kills=(), representation=None):
    """Run a method, killing its worker at each of `kills` (share of the run); give its signals."""
    job = queue.submit(info, method, overrides=overrides, seed=5, representation=representation)
    local.ensure_worker(ws)
    checkpoint = queue.run_dir(ws, job) / CHECKPOINT
    for share in kills:
        found = wait(
            ws, job.id, lambda j, s=share: ended(j) or (j.fraction >= s and checkpoint.is_file())
        )
        assert not ended(found), f"ended before it could be killed at {share}"
        os.kill(found.pid, signal.SIGKILL)
        wait(ws, job.id, lambda j, pid=found.pid: j.pid != pid and j.state == "running")
    found = wait(ws, job.id, ended)
    assert (found.state, found.error) == ("done", None)
    return arrays.load_signals(queue.run_dir(ws, found))


KILLED = {
    "ce": ({"epochs": 30}, (0.2, 0.5, 0.8)),
    "sr": ({"epochs": 30}, (0.2, 0.5, 0.8)),
    "jump": ({"epochs": 30}, (0.2, 0.5, 0.8)),
    # before, at the start of and in the meta phase
    "hnml": ({"epochs": 16, "warm_up": 4, "ramp": 3, "filter": True}, (0.15, 0.35, 0.8)),
    # while labels are purified, by either form, and while a network learns them
    "dmlp": (
        {"space": "labels", "rounds": 4, "period": 60, "head_batch": 64, "retrain": True}
        | {"epochs": 10},
        (0.2, 0.6, 0.9),
    ),
    "dmlp weights": (
        {"rounds": 6, "sweeps": 150, "head_batch": 32, "early_stop": False},
        (0.2, 0.6),
    ),
    # while the network is trained, and while it is refined between two removals
    "influence": (
        {"epochs": 6, "rounds": 4, "refine": "network", "refine_epochs": 4, "cap": 0.2}
        | {"score": "rounds"},
        (0.4, 0.93, 0.96),
    ),
    "finetune": ({"epochs": 4}, (0.3, 0.8)),
    # while both networks learn every label, and while they divide them
    "dividemix": ({"epochs": 10, "warm_up": 4}, (0.2, 0.6)),
    # in the first run, in the second one, whose threshold samples are others
    "aum": ({"epochs": 10, "thresholds": True}, (0.2, 0.7)),
    # in each of three folds
    "confident": ({"learn_on": "pixels", "folds": 3, "epochs": 6}, (0.2, 0.5, 0.8)),
    # heads on frozen features
    "sr@raw": ({"epochs": 120}, (0.2, 0.7)),
    "jump@raw": ({"epochs": 80}, (0.2, 0.7)),
}


@pytest.mark.slow
def test_a_kill_changes_nothing(workspace, demo):
    """After kill -9 and resume a result is the undisturbed one, to the last bit.

    Here of one method, killed once, on both databases; each has a test of its own of a run that
    goes on, and all are killed again and again by `-m long`.
    """
    compare_killed(workspace, demo, "ce", KILLED["ce"][1][-1:])


@pytest.mark.long
@pytest.mark.parametrize("case", KILLED)
def test_several_kills_change_nothing(workspace, demo, case, request):
    if request.node.callspec.params["workspace"] != "sqlite":
        pytest.skip("a method does not see the database")
    compare_killed(workspace, demo, case, KILLED[case][1])


def compare_killed(workspace, demo, case, kills):
    """Run a case calmly and with kills at some shares of it; all that it leaves has to be equal."""
    overrides = KILLED[case][0]
    method, _, representation = case.split(" ")[0].partition("@")
    how = {"representation": representation or None}
    calm = run(workspace, demo, method, overrides, **how)
    rough = run(workspace, demo, method, overrides, kills, **how)
    np.testing.assert_array_equal(rough.suspicion, calm.suspicion)
    np.testing.assert_array_equal(rough.pred_probs, calm.pred_probs)
    for name in ("curves", "extras"):
        here, there = getattr(rough, name), getattr(calm, name)
        assert here.keys() == there.keys()
        for key, value in there.items():
            np.testing.assert_array_equal(here[key], value, err_msg=f"{name} {key}")
    assert (rough.features is None) == (calm.features is None)
    if calm.features is not None:
        np.testing.assert_array_equal(rough.features, calm.features)


def test_a_killed_worker_is_replaced_and_the_queue_goes_on(workspace, demo):
    first = queue.submit(demo, "ce", overrides={"epochs": 500})
    second = queue.submit(demo, "knn")
    local.ensure_worker(workspace)
    found = wait(workspace, first.id, lambda j: j.state == "running")
    os.kill(found.pid, signal.SIGKILL)
    gone = time.monotonic() + PATIENCE
    while queue.process_lives(found.pid, found.pid_started) and time.monotonic() < gone:
        time.sleep(0.01)
    assert queue.health(queue.job(workspace, first.id)) == "lost"
    again = wait(workspace, first.id, lambda j: j.state == "running" and j.pid != found.pid)
    assert queue.process_lives(again.pid, again.pid_started)
    queue.cancel(workspace, first.id)
    assert wait(workspace, first.id, ended).state == "cancelled"
    assert wait(workspace, second.id, ended).state == "done"
    assert desk.review_state(demo, "ann").ready


START = """
import time
from lnl_core.services.datasets import catalog
from lnl_core.services.runs import running
from lnl_core.store.db import open_workspace
ws = open_workspace()
info = catalog.add_demo(ws, catalog.DIGITS)
running.start_runs(info, ["ce"], overrides={"ce": {"epochs": 500}})
time.sleep(600)
"""


def test_the_worker_outlives_the_process_that_started_it(tmp_path):
    home = tmp_path / "home"
    parent = subprocess.Popen(
        [sys.executable, "-c", START], env=os.environ | {"LNL_HOME": str(home)}
    )
    ws = open_workspace(home)
    try:
        end = time.monotonic() + PATIENCE
        while not queue.all_jobs(ws) and time.monotonic() < end:
            time.sleep(0.05)
        job = wait(ws, 1, lambda j: j.state == "running")
        parent.kill()
        parent.wait()
        then = queue.job(ws, 1).heartbeat_at
        later = wait(ws, 1, lambda j: j.heartbeat_at > then)
        assert (later.state, later.pid) == ("running", job.pid)
        queue.cancel(ws, 1)
        assert wait(ws, 1, ended).state == "cancelled"
    finally:
        parent.kill()
        parent.wait()
        stop_worker(ws)
        dispose(ws)


def test_asked_for_many_times_one_worker_starts(workspace, demo):
    queue.submit(demo, "ce", overrides={"epochs": 500})
    assert [local.ensure_worker(workspace) for _ in range(20)] == [True] + 19 * [False]
    job = wait(workspace, 1, lambda j: j.state == "running")
    os.kill(job.pid, signal.SIGTERM)  # told to stop, it gives its job back
    held = None
    while held is None:
        held = local.lock(workspace)
        time.sleep(0.02)
    found = queue.job(workspace, 1)
    held.close()
    assert (found.state, found.error) == ("queued", None)


DEAF = """
import time
from lnl_core.jobs import heartbeat, queue, worker
from lnl_core.jobs.engines import local
from lnl_core.methods import METHODS
from lnl_core.store.db import open_workspace
from dataclasses import replace
ws = open_workspace()
heartbeat.held.append(local.lock(ws))
job = queue.claim(ws)
worker.run_job(ws, job, replace(METHODS[job.method], fit=lambda *all: time.sleep(600)))
"""


def test_cancel_does_not_need_the_method(workspace, tiny):
    job = queue.submit(tiny, "ce")
    process = subprocess.Popen(
        [sys.executable, "-c", DEAF],
        env=os.environ | {"LNL_HOME": str(workspace.home)},
        start_new_session=True,
    )
    try:
        end = time.monotonic() + PATIENCE
        while queue.job(workspace, job.id).state != "running" and time.monotonic() < end:
            time.sleep(0.02)
        queue.cancel(workspace, job.id)
        assert process.wait(PATIENCE) != 0
        assert queue.job(workspace, job.id).state == "cancelled"
        assert not worker_lives(workspace)
    finally:
        process.kill()
        process.wait()
