import errno
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.jobs import executors, failures, health, knobs, queue
from lnl_core.jobs.engines import local
from lnl_core.methods import METHODS
from lnl_core.store import arrays, schema
from lnl_core.store.db import now, transaction
from lnl_core.types import JobState, LnlError
from tests.workers import worker_lives


def set_row(ws, number, **values):
    with transaction(ws) as connection:
        connection.execute(update(schema.jobs).where(schema.jobs.c.id == number).values(**values))


@pytest.fixture
def job(workspace, tiny):
    return queue.submit(tiny, "ce", seed=3)


def test_a_submitted_job_waits_with_every_knob_written_down(job, tiny):
    assert (job.state, job.dataset, job.method, job.seed) == ("queued", "tiny", "ce", 3)
    assert knobs.stored(job) == METHODS["ce"].config.preset("quick", 60, 3, 8)


def test_bad_orders_are_refused_in_words(workspace, tiny):
    for order, word in (
        ({"method": "magic"}, "no method"),
        ({"preset": "slow"}, "no preset"),
        ({"overrides": {"epoch": 3}}, "no knob"),
        ({"overrides": {"epochs": "three"}}, "whole number"),
        ({"overrides": {"epochs": 2.5}}, "whole number"),
        ({"executor": "moon"}, "no executor"),
        ({"device": "tpu"}, "no device"),
        ({"seed": 2**31}, "A seed lies between"),
    ):
        with pytest.raises(LnlError, match=word):
            queue.submit(tiny, **({"method": "ce"} | order))
    assert queue.all_jobs(workspace) == []


def test_overrides_take_the_knobs_type(workspace, tiny):
    job = queue.submit(tiny, "ce", overrides={"epochs": "7", "lr": "1"})
    assert (job.config["epochs"], job.config["lr"]) == (7, 1.0)
    assert isinstance(job.config["lr"], float)


def test_racing_workers_never_get_the_same_job(workspace, tiny):
    numbers = [queue.submit(tiny, "ce").id for _ in range(12)]
    taken, gate = [], threading.Barrier(4)

    def work():
        gate.wait()
        while (found := queue.claim(workspace)) is not None:
            taken.append(found.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == numbers


def test_a_claim_names_this_very_process(workspace, job):
    claimed = queue.claim(workspace)
    assert (claimed.id, claimed.state, claimed.pid) == (job.id, "running", os.getpid())
    assert queue.process_lives(claimed.pid, claimed.pid_started)
    assert queue.health(claimed) == "ok"


def test_another_process_with_the_same_pid_is_not_the_worker(workspace, job):
    claimed = queue.claim(workspace)
    assert queue.health(replace(claimed, pid_started=claimed.pid_started - 100)) == "lost"
    elsewhere = replace(claimed, host="another machine", pid_started=1.0)
    assert queue.health(elsewhere) == "ok"
    silent = "2020-01-01T00:00:00.000Z"
    assert queue.health(replace(claimed, heartbeat_at=silent)) == "stalled"


def test_what_a_dead_worker_left_is_queued_again_three_times_at_most(workspace, job):
    for attempt in range(queue.ATTEMPTS):
        claimed = queue.claim(workspace)
        assert claimed is not None, attempt
        set_row(workspace, job.id, pid_started=1.0)
        queue.recover(workspace)
    found = queue.job(workspace, job.id)
    assert found.state == "failed"
    assert "3 times" in found.error
    queue.resume(workspace, job.id)
    assert queue.claim(workspace).id == job.id


def test_a_living_worker_keeps_its_job(workspace, job):
    queue.claim(workspace)
    assert queue.recover(workspace) == []
    assert queue.job(workspace, job.id).state == "running"


def test_cancel_waiting_running_and_dead(workspace, tiny):
    waiting, running, dead = (queue.submit(tiny, "ce").id for _ in range(3))
    queue.cancel(workspace, waiting)
    assert queue.job(workspace, waiting).state == "cancelled"
    assert queue.claim(workspace).id == running
    queue.cancel(workspace, running)
    assert queue.job(workspace, running).state == "cancelling"
    assert queue.report(workspace, running, stage="x", fraction=0.5, metrics={}, eta_seconds=None)
    queue.finish(workspace, running, JobState.CANCELLED)
    assert queue.claim(workspace).id == dead
    set_row(workspace, dead, pid_started=1.0)
    queue.cancel(workspace, dead)
    assert queue.job(workspace, dead).state == "cancelled"


def test_a_finished_job_is_never_overwritten(workspace, job):
    queue.claim(workspace)
    queue.finish(workspace, job.id, JobState.DONE, fraction=1.0)
    queue.report(workspace, job.id, stage="late", fraction=0.1, metrics={}, eta_seconds=None)
    queue.finish(workspace, job.id, JobState.CANCELLED)
    found = queue.job(workspace, job.id)
    assert (found.state, found.fraction, found.stage) == ("done", 1.0, "starting")
    with pytest.raises(LnlError, match="only a cancelled or failed"):
        queue.resume(workspace, job.id)


def test_only_a_waiting_job_can_be_removed(workspace, tiny):
    first, second = (queue.submit(tiny, "ce").id for _ in range(2))
    queue.claim(workspace)
    with pytest.raises(LnlError, match="Cancel it"):
        queue.remove(workspace, first)
    queue.remove(workspace, second)
    assert [j.id for j in queue.all_jobs(workspace)] == [first]


def test_a_file_cut_short_is_named_with_a_remedy(tmp_path):
    file = tmp_path / "features.npy"
    arrays.write_array(file, np.zeros((100, 8)))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cut off") as raised:
        arrays.read_array(file)
    told = failures.in_words(raised.value, "at epoch 1 of 3")
    assert told.startswith(f"{tmp_path.name}/features.npy is damaged at epoch 1 of 3; import")
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=r"features\.npy is damaged"):
        arrays.read_array(file, mmap=False)


def test_failures_are_told_in_words():
    full = OSError(errno.ENOSPC, "No space left on device")
    try:
        raise LnlError("cannot be written") from full
    except LnlError as error:
        told = failures.in_words(error, "at epoch 12 of 30")
    assert told == "disk full at epoch 12 of 30; free space, then resume"
    assert failures.in_words(MemoryError(), "while train").startswith("out of memory while train")
    assert failures.in_words(LnlError("Do this."), "x") == "Do this."
    assert failures.in_words(ValueError("a\nb"), "while saving") == "ValueError while saving: b"


def test_one_worker_per_workspace(workspace):
    held = local.lock(workspace)
    assert local.lock(workspace) is None
    assert worker_lives(workspace)
    assert not local.ensure_worker(workspace)
    held.close()
    assert not worker_lives(workspace)


def test_a_log_is_read_from_its_end(workspace, job):
    path = queue.log_path(workspace, job)
    assert queue.log_tail(workspace, job) == ""
    path.parent.mkdir(parents=True)
    path.write_text("x" * 9000 + "\nthe end\n")
    assert queue.log_tail(workspace, job, 100).endswith("the end\n")
    assert len(queue.log_tail(workspace, job, 100)) == 100


def test_asking_in_a_hurry_starts_one_worker(workspace, tiny):
    queue.submit(tiny, "knn")
    assert [local.ensure_worker(workspace) for _ in range(5)] == [True] + [False] * 4
    (worker_process,) = local._started[-1:]
    worker_process.terminate()
    worker_process.wait()
    assert not worker_lives(workspace)


def test_a_worker_that_lost_its_job_can_write_nothing(workspace, job):
    queue.claim(workspace)
    set_row(workspace, job.id, pid=os.getppid())
    late = {"stage": "late", "fraction": 0.9, "metrics": {}, "eta_seconds": None}
    assert queue.report(workspace, job.id, **late)  # told to stop
    queue.finish(workspace, job.id, JobState.DONE)
    queue.give_back(workspace, job.id)
    found = queue.job(workspace, job.id)
    assert (found.state, found.stage) == ("running", "starting")


def test_a_machine_that_went_away_loses_its_jobs_after_a_while(workspace, job):
    queue.claim(workspace)
    set_row(workspace, job.id, host="replaced", heartbeat_at=now())
    assert queue.recover(workspace) == []
    set_row(workspace, job.id, heartbeat_at="2020-01-01T00:00:00.000Z")
    assert queue.health(queue.job(workspace, job.id)) == "lost"
    assert queue.recover(workspace) == [job.id]


def test_a_run_that_gets_on_may_lose_its_worker_any_number_of_times(workspace, job):
    for _ in range(2 * queue.ATTEMPTS):
        assert queue.claim(workspace) is not None
        on = {"stage": "train", "fraction": 0.5, "metrics": {}, "eta_seconds": None}
        assert not queue.report(workspace, job.id, kept=True, **on)
        set_row(workspace, job.id, pid_started=1.0)
        assert queue.recover(workspace) == [job.id]


def test_a_lost_run_can_be_resumed_by_hand(workspace, job):
    queue.claim(workspace)
    with pytest.raises(LnlError, match="is running"):
        queue.resume(workspace, job.id)
    set_row(workspace, job.id, pid_started=1.0)
    queue.resume(workspace, job.id)
    assert queue.job(workspace, job.id).state == "queued"


def test_a_deaf_worker_is_ended_from_outside(workspace, job):
    held = local.lock(workspace)  # so that no other worker starts
    queue.claim(workspace)
    unresponsive = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    try:
        started = health.process_started(unresponsive.pid)
        set_row(workspace, job.id, pid=unresponsive.pid, pid_started=started)
        queue.cancel(workspace, job.id)
        executors.reconcile(workspace)
        assert unresponsive.poll() is None, "it reported a moment ago"
        set_row(workspace, job.id, heartbeat_at="2020-01-01T00:00:00.000Z")
        executors.reconcile(workspace)
        assert queue.job(workspace, job.id).state == "cancelled"
        assert unresponsive.wait(10) == -signal.SIGKILL
    finally:
        unresponsive.kill()
        unresponsive.wait()
        held.close()


def test_a_zombie_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = health.process_started(child.pid)
    assert health.process_lives(child.pid, started)
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # ended, and not waited for
    assert not health.process_lives(child.pid, started)
    child.wait()


def test_gpu_memory_is_not_main_memory():
    gpu = type("OutOfMemoryError", (RuntimeError,), {})("CUDA out of memory.")
    assert failures.in_words(gpu, "at epoch 1 of 3").startswith("GPU memory full at epoch 1 of 3")
    ram = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
    assert failures.in_words(ram, "while train").startswith("out of memory while train")
