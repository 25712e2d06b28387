"""Tasks: small jobs of the pages, in a lane of their own."""

import time

import numpy as np
import pytest

from lnl_core.jobs import executors, queue, tasks, worker
from lnl_core.jobs.engines import local
from lnl_core.jobs.tasks import embedding
from lnl_core.store import datasets
from lnl_core.store.db import dispose
from lnl_core.types import JobState
from tests.conftest import write_dataset


def test_a_task_waits_for_no_run_and_is_no_run(workspace, tiny):
    run = queue.submit(tiny, "probe")
    task = queue.submit_task(tiny, "embedding", {"seed": 1})
    assert [job.id for job in queue.jobs(tiny)] == [run.id]
    assert [job.id for job in queue.jobs(tiny, tasks=True)] == [task.id]
    claimed = queue.claim(workspace, lane=queue.TASKS)
    assert claimed.id == task.id
    assert queue.claim(workspace, lane=queue.TASKS) is None
    assert queue.claim(workspace).id == run.id


def test_asking_twice_queues_one_task(workspace, tiny):
    first = queue.submit_task(tiny, "embedding", {"seed": 1, "metric": "cosine"})
    again = queue.submit_task(tiny, "embedding", {"metric": "cosine", "seed": 1})
    other = queue.submit_task(tiny, "embedding", {"seed": 2, "metric": "cosine"})
    assert again.id == first.id != other.id
    queue.finish(workspace, queue.claim(workspace, lane=queue.TASKS).id, JobState.DONE)
    assert queue.submit_task(tiny, "embedding", dict(first.config)).id > other.id


def test_both_lanes_have_a_lock_of_their_own(workspace):
    runs = local.lock(workspace)
    for_tasks = local.lock(workspace, queue.TASKS)
    assert runs is not None
    assert for_tasks is not None
    assert local.lock(workspace, queue.TASKS) is None
    runs.close()
    for_tasks.close()


def test_a_task_does_its_work_and_a_failure_is_told(workspace, tiny, monkeypatch):
    seen = []

    def work(info, job, context):
        context.report("drawing", 0.5)
        seen.append((info.name, job.config["row"], context.device))
        if job.config["row"] == 2:
            raise ValueError("no such row")

    monkeypatch.setitem(tasks.TASKS, "test", tasks.Task("test", "A test", work))
    for row in (1, 2):
        queue.submit_task(tiny, "test", {"row": row}, device="cpu")
        worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    failed, done = queue.jobs(tiny, tasks=True)
    assert seen == [(tiny.name, 1, "cpu"), (tiny.name, 2, "cpu")]
    assert done.state is JobState.DONE
    assert failed.state is JobState.FAILED
    assert "no such row" in failed.error
    assert not (tiny.directory / "ranking" / "ranking.json").exists()


def test_the_first_map_is_wanted_once(workspace, tiny, monkeypatch):
    assert embedding.wanted(tiny) is None, "the tests' own environment says so"
    monkeypatch.delenv("LNL_MAP")
    settings = embedding.wanted(tiny)
    assert settings == embedding.Settings("raw")
    task = queue.submit_task(tiny, embedding.KEY, settings.as_dict())
    assert embedding.wanted(tiny) is None
    queue.cancel(workspace, task.id)
    assert embedding.wanted(tiny) is None, "who cancelled it does not want it"


@pytest.mark.slow
def test_a_worker_lays_the_map_out_after_the_first_run(workspace, tmp_path, monkeypatch):
    """Real workers: one runs, the other draws; nobody asks."""
    monkeypatch.delenv("LNL_MAP")
    images = np.random.default_rng(0).integers(0, 255, (16, 8, 8, 3), dtype=np.uint8)
    folder = write_dataset(tmp_path / "few", images, np.arange(16) % 2, ["a", "b"])
    info = datasets.register(workspace, "few", folder)
    queue.submit(info, "knn")
    local.ensure_worker(workspace)
    place = embedding.place(info, embedding.key_of(info, embedding.Settings("raw")))
    end = time.monotonic() + 240
    while not place.with_suffix(".json").is_file() and time.monotonic() < end:
        executors.reconcile(workspace)
        time.sleep(0.05)
    assert np.load(place).shape == (16, 2)
    assert [job.method for job in queue.jobs(info, tasks=True)] == [embedding.KEY]
    dispose(workspace)
