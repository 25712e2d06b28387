"""The same worker, started by others: a real Slurm of one node, a real Ray head."""

import os
import signal
import subprocess
import time
from dataclasses import replace

import pytest

from lnl_core.jobs import engines, executors, queue, worker
from lnl_core.jobs.engines import command, slurm
from lnl_core.services.datasets import catalog
from lnl_core.services.runs import running
from lnl_core.store import arrays
from lnl_core.store.db import dispose, open_workspace
from lnl_core.types import ACTIVE_STATES, LnlError
from tests import engines as real

LONG = {"ce": {"epochs": 500}}


@pytest.fixture(scope="module")
def slurm_here():
    with real.slurm() as conf:
        yield conf


@pytest.fixture(scope="module")
def ray_here():
    with real.ray() as address:
        yield address


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A workspace on SQLite, whatever else is tested."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = open_workspace(tmp_path / "home")
    yield ws
    for job in queue.active(ws):
        executors.cancel(ws, job.id)
    dispose(ws)


def start(ws, executor, methods=("ce",), overrides=None, options=None):
    info = catalog.add_demo(ws, catalog.DIGITS)
    (job,) = running.start_runs(
        info, list(methods), overrides=overrides, executor=executor, options=options
    )
    return job


def wait(ws, number, until):
    end = time.monotonic() + real.PATIENCE
    while time.monotonic() < end:
        executors.reconcile(ws)
        job = queue.job(ws, number)
        if until(job):
            return job
        if job.state == "failed":
            break
        time.sleep(0.05)
    raise AssertionError(f"{job.state} ({job.stage}): {job.error} {executors.log_tail(ws, job)}")


def trains(job):
    return job.state == "running" and job.stage == "train" and job.metrics.get("epoch", 0) > 2


def ended(job):
    return job.state not in ACTIVE_STATES


def runs_is_cancelled_and_resumes(ws, executor, options):
    """What a person does, on either engine; return the job as it stands, training."""
    job = start(ws, executor, overrides=LONG, options=options)
    found = wait(ws, job.id, trains)
    assert found.fraction > 0
    assert (found.executor, found.engine_options) == (executor, options)
    assert found.engine_job is not None
    name = found.engine_job
    executors.cancel(ws, job.id)
    assert wait(ws, job.id, ended).state == "cancelled"
    wait(ws, job.id, lambda _: engines.engine(executor).look(name)[0] is not engines.Seen.THERE)
    executors.resume(ws, job.id)
    again = wait(ws, job.id, trains)
    assert again.engine_job not in (None, name)
    assert again.metrics["epoch"] >= found.metrics["epoch"], "it began anew"
    assert "run 1: ce on" in executors.log_tail(ws, again)
    return again


@pytest.mark.slow
def test_slurm_runs_a_job_cancels_it_and_resumes(home, slurm_here):
    job = runs_is_cancelled_and_resumes(home, "slurm", {"cpus": "1", "time": "20"})
    os.kill(job.pid, signal.SIGKILL)
    taken_up = wait(home, job.id, lambda j: trains(j) and j.pid != job.pid)
    assert taken_up.engine_job != job.engine_job
    subprocess.run(["scancel", taken_up.engine_job], check=True)  # by hand, past the table
    assert wait(home, job.id, ended).state == "cancelled"
    assert "lnl_core.worker --job 1" in engines.log_tail(home, taken_up)


@pytest.mark.slow
def test_slurm_finishes_runs_side_by_side_with_this_machine(workspace, slurm_here):
    job = start(workspace, "slurm", ["knn"])
    beside = start(workspace, "local", ["knn"])
    assert {wait(workspace, each.id, ended).state for each in (job, beside)} == {"done"}
    assert queue.job(workspace, beside.id).engine_job is None
    here, there = (arrays.load_signals(queue.run_dir(workspace, each)) for each in (beside, job))
    assert (here.suspicion == there.suspicion).all()


@pytest.mark.slow
def test_a_job_that_slurm_cannot_start_says_why_it_waits_and_can_be_removed(home, slurm_here):
    job = start(home, "slurm", ["knn"], options={"mem": "1G", "cpus": "1", "time": "20"})
    subprocess.run(["scontrol", "hold", queue.job(home, job.id).engine_job], check=False)
    held = wait(home, job.id, lambda j: "Held" in j.stage or j.state == "done")
    if held.state == "done":
        pytest.skip("it ran before it could be held")
    assert held.stage.startswith(f"Slurm {held.engine_job}: pending")
    executors.remove(home, job.id)
    assert slurm.look(held.engine_job)[0] is engines.Seen.CANCELLED


@pytest.mark.slow
def test_a_job_that_slurm_refuses_has_failed_with_its_words(home, slurm_here, monkeypatch):
    monkeypatch.setattr(slurm, "check", lambda ws, options: None)
    job = start(home, "slurm", ["knn"], options={"partition": "moon"})
    assert "invalid partition" in wait(home, job.id, ended).error.lower()


@pytest.mark.slow
def test_sqlite_is_refused_where_another_node_could_take_the_run(home, slurm_here):
    with pytest.raises(LnlError, match="would run on elsewhere"):
        start(home, "slurm", ["knn"], options={"partition": "both"})
    own = os.uname().nodename.split(".")[0]
    assert engines.check(home, "slurm", {"partition": "both", "nodelist": own})
    on_server = replace(home, url="postgresql+psycopg://ann@host/lnl")
    assert engines.check(on_server, "slurm", {"partition": "both"})
    assert queue.all_jobs(home) == []


@pytest.mark.slow
def test_ray_runs_a_job_cancels_it_and_resumes(home, ray_here):
    assert "ray" in engines.usable()
    job = runs_is_cancelled_and_resumes(home, "ray", {"cpus": "1"})
    os.kill(job.pid, signal.SIGKILL)
    taken_up = wait(home, job.id, lambda j: trains(j) and j.pid != job.pid)
    engines.engine("ray").stop(taken_up.engine_job)  # by hand, past the table
    assert wait(home, job.id, ended).state == "cancelled"


def test_the_worker_takes_the_job_that_it_was_started_for_and_no_other(workspace, tiny):
    first, second = (queue.submit(tiny, "knn", executor=where).id for where in ("local", "slurm"))
    assert queue.claim(workspace, second).id == second
    assert queue.claim(workspace, second) is None
    assert queue.claim(workspace).id == first
    third = queue.submit(tiny, "knn", executor="ray").id
    assert queue.claim(workspace) is None, "what is for Ray is not for this machine's worker"
    assert queue.job(workspace, third).state == "queued"


def test_options_come_from_the_command_and_the_environment(workspace, monkeypatch):
    monkeypatch.setattr(slurm, "missing", lambda: "")
    monkeypatch.setattr(slurm, "check", lambda ws, options: None)
    monkeypatch.setenv("LNL_SLURM_PARTITION", "gpu")
    monkeypatch.setenv("LNL_SLURM_TIME", "60")
    asked = engines.check(workspace, "slurm", {"time": "2-00:00:00"})
    assert asked == {"partition": "gpu", "time": "2-00:00:00"}
    for options, word in (
        ({"colour": "red"}, "no option"),
        ({"partition": "a\n#SBATCH --uid=0"}, "not allowed"),
        ({"mem": "1 G"}, "not allowed"),
    ):
        with pytest.raises(LnlError, match=word):
            engines.check(workspace, "slurm", options)
    with pytest.raises(LnlError, match="takes no options"):
        engines.check(workspace, "local", {"time": "1"})


def test_engines_that_are_not_there_are_not_offered(workspace, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert engines.usable() == ("local",)
    for executor, word in (("slurm", "sbatch"), ("ray", "RAY_ADDRESS")):
        with pytest.raises(LnlError, match=word):
            engines.check(workspace, executor)


def test_a_cluster_elsewhere_needs_postgresql(home, monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed: extra [ray]")
    monkeypatch.setenv("RAY_ADDRESS", "http://cluster.example:8265")
    with pytest.raises(LnlError, match="would run on cluster"):
        engines.check(home, "ray")
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    assert engines.check(home, "ray") == {}


def test_a_worker_on_another_machine_does_not_open_sqlite(home, monkeypatch, capsys):
    monkeypatch.setenv("LNL_HOME", str(home.home))
    monkeypatch.setenv(command.SQLITE_HOST, "another-machine")
    monkeypatch.setattr(signal, "signal", lambda *all: None)
    assert worker.main(["--job", "1"]) == 1
    assert "PostgreSQL" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # submitit's Popen
def test_submitit_runs_the_worker_where_there_is_no_slurm(home, tmp_path, monkeypatch):
    pytest.importorskip("submitit", reason="submitit is not installed: extra [slurm]")
    monkeypatch.setenv("LNL_HOME", str(home.home))
    info = catalog.add_demo(home, catalog.DIGITS)
    job = queue.submit(info, "knn", executor="slurm")
    slurm.submit(home, job, tmp_path / "submitit", cluster="local")
    end = time.monotonic() + real.PATIENCE
    while not ended(queue.job(home, job.id)) and time.monotonic() < end:
        time.sleep(0.05)
    assert queue.job(home, job.id).state == "done"


def test_an_engine_that_does_not_answer_is_tried_again(home, monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed: extra [ray]")
    (port,) = real.free_ports(1)
    monkeypatch.setenv("RAY_ADDRESS", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(engines, "LOOK_SECONDS", 0.0)
    job = start(home, "ray", ["knn"])
    found = queue.job(home, job.id)
    assert (found.state, found.engine_job) == ("queued", None)
    assert found.stage.startswith("Ray does not answer")
    executors.reconcile(home)
    assert queue.job(home, job.id).state == "queued"
    executors.cancel(home, job.id)
    assert queue.job(home, job.id).state == "cancelled"
