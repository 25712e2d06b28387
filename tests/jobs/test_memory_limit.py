"""Runs under a limit of memory, and runs that the system kills for taking too much."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from lnl_core.jobs import failures, queue, worker
from lnl_core.store import arrays
from tests.jobs.test_run import method, uniform

CHILD = """
import os, resource, sys
import numpy as np
import psutil
from lnl_core.jobs import queue, worker
from lnl_core.store import db
from tests.jobs.test_run import method, uniform

held = []

def fit(data, config, context):
    context.report("train", 0.3, {"epoch": 1, "epochs": 3, "loss": 1.5})
    context.save({"w": np.arange(3)}, {"epoch": 1})
    if sys.argv[3] == "kill":
        os.kill(os.getpid(), 9)
    now = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (now + 2**26, resource.RLIM_INFINITY))
    if sys.argv[3] == "torch":
        import torch
        while True:
            held.append(torch.ones(2**22))
    while True:
        held.append(np.ones(2**22))

if sys.argv[3] == "torch":
    import torch
ws = db.open_workspace(sys.argv[1])
worker.run_job(ws, queue.claim(ws), method(fit))
held.clear()
"""


def child(workspace, way):
    """Run the waiting job in a process of its own, which comes to the end of its memory."""
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(workspace.home), "", way],
        capture_output=True,
        text=True,
        cwd=os.getcwd(),
        check=False,
    )


def go_on(workspace, number):
    """Resume a run with memory enough; return what its method found of the first attempt."""
    found = []

    def fit(data, config, context):
        found.append(context.load())
        return uniform(data, context)

    queue.resume(workspace, number)
    worker.run_job(workspace, queue.claim(workspace), method(fit))
    assert queue.job(workspace, number).state == "done"
    return found[0]


@pytest.mark.parametrize("way", ["numpy", "torch"])
def test_a_run_that_meets_its_limit_fails_with_a_remedy_and_goes_on(workspace, tiny, way):
    job = queue.submit(tiny, "knn")
    done = child(workspace, way)
    assert done.returncode == 0, done.stderr
    job = queue.job(workspace, job.id)
    assert job.state == "failed"
    assert job.error == (
        "out of memory at epoch 1 of 3; choose a smaller batch or preset, then resume"
    )
    kept, state = go_on(workspace, job.id)
    assert (kept["w"].tolist(), state) == ([0, 1, 2], {"epoch": 1})


@pytest.mark.long
def test_a_run_that_the_system_kills_each_time_fails_with_a_remedy_and_goes_on(workspace, tiny):
    """As a cgroup's limit does: no word, no exception; the queue tries again, and then says so."""
    job = queue.submit(tiny, "knn")
    for attempt in range(1, queue.ATTEMPTS + 1):
        assert child(workspace, "kill").returncode == -signal.SIGKILL
        assert queue.recover(workspace, [job.id]) == ([] if attempt == queue.ATTEMPTS else [job.id])
    job = queue.job(workspace, job.id)
    assert job.state == "failed"
    assert "probably out of memory; choose a smaller batch or preset, then resume" in job.error
    assert not (tiny.directory / "runs" / str(job.id) / "signals.json").exists()
    kept, _ = go_on(workspace, job.id)
    assert kept["w"].tolist() == [0, 1, 2]
    assert len(arrays.load_signals(tiny.directory / "runs" / str(job.id)).suspicion) == tiny.n


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
        RuntimeError("can't start new thread"),
        RuntimeError("std::bad_alloc"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    ],
)
def test_whoever_says_that_memory_is_out_is_understood(error):
    assert failures.in_words(error, "while train").startswith("out of memory while train")
    assert not failures.in_words(ValueError("bad_alloc"), "x").startswith("out of memory")
