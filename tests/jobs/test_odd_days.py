"""What happens to running machines: clocks that jump, two programs at once, sets that vanish."""

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from sqlalchemy import text, update

from lnl_core.jobs import queue, tasks, worker
from lnl_core.jobs.health import health
from lnl_core.jobs.tasks.embedding import Settings
from lnl_core.services import in_force
from lnl_core.services.explore import embedding
from lnl_core.services.review import desk
from lnl_core.store import datasets, db, decisions, schema
from lnl_core.types import Action, Decision, JobState
from tests.jobs.test_kill import ended, stop_worker, wait
from tests.killing import killed_at_every_step
from tests.old_workspace import WORKSPACE

# Clocks ---------------------------------------------------------------------------------------


def test_the_later_answer_counts_whatever_its_clock_says(workspace, tiny, monkeypatch):
    decisions.append(tiny, [Decision(3, Action.KEEP, "ann", decided_at="2031-05-01T00:00:00Z")])
    monkeypatch.setattr(decisions, "now", lambda: "2019-01-01T00:00:00.000Z")  # a jump back
    decisions.append(tiny, [Decision(3, Action.RELABEL, "ann", label=2, given_label=1)])
    decisions.append(tiny, [Decision(4, Action.KEEP, "ann", given_label=0)])
    decisions.append(tiny, [Decision(4, Action.REOPEN, "ann")])
    assert [(d.action, d.label) for d in decisions.in_force(tiny)[3]] == [(Action.RELABEL, 2)]
    assert 4 not in decisions.in_force(tiny)
    assert bool(in_force.standing(tiny).wrong[3])
    assert [d.row for d in decisions.history(tiny)] == [3, 3, 4, 4]
    newest = next(decisions.history(tiny, limit=1))
    assert newest.action is Action.REOPEN
    assert [each["action"] for each in desk.review_state(tiny, "ann").recent] == ["relabel"]


@pytest.mark.parametrize("beat", ["2019-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"])
def test_a_clock_that_jumps_takes_no_job_from_a_living_worker(workspace, tiny, beat):
    job = queue.submit(tiny, "knn")
    queue.claim(workspace)
    with db.transaction(workspace) as connection:
        connection.execute(update(schema.jobs).values(heartbeat_at=beat))
    assert health(queue.job(workspace, job.id)) in ("ok", "stalled")
    assert queue.recover(workspace) == []
    assert queue.job(workspace, job.id).state is JobState.RUNNING


# Two programs, other versions -----------------------------------------------------------------

OPEN = """
import sys
from lnl_core.store import datasets, db, decisions
from lnl_core.types import Action, Decision
ws = db.open_workspace(sys.argv[1])
decisions.add_reviewer(ws, sys.argv[2])
print(db.version(ws), len(datasets.datasets(ws)))
"""


def old_home(folder):
    """Unpack the workspace of version 0.1.0, and set its database back by one schema."""
    with zipfile.ZipFile(WORKSPACE) as archive:
        archive.extractall(folder)
    with sqlite3.connect(folder / "review.db") as old:
        for table in ("audit_draws", "leases", "parts", "plans", "plan_events"):  # of later schemas
            old.execute(f"drop table if exists {table}")
        old.execute("update alembic_version set version_num = '0003'")
    old.close()
    return folder


def test_programs_that_start_at_once_on_a_new_or_old_home_all_get_in(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    for home, sets in ((tmp_path / "new", 0), (old_home(tmp_path / "old"), 2)):
        many = [
            subprocess.Popen(
                [sys.executable, "-c", OPEN, str(home), f"person {i}"],
                stdout=subprocess.PIPE,
                text=True,
            )
            for i in range(4)
        ]
        said = [each.communicate()[0].split() for each in many]
        assert [each.returncode for each in many] == [0] * 4
        assert said == [[db.HEAD, str(sets)]] * 4
        ws = db.open_workspace(home)
        assert {f"person {i}" for i in range(4)} <= {*decisions.reviewers(ws)}
        db.dispose(ws)


def test_an_older_worker_leaves_a_newer_workspace_alone_and_says_so(workspace, tiny, tmp_path):
    job = queue.submit(tiny, "knn")
    with db.transaction(workspace) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    done = subprocess.run(
        [sys.executable, "-m", "lnl_core.worker"],
        env=os.environ | {"LNL_HOME": str(workspace.home), "LNL_DATABASE_URL": workspace.url},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "newer LNL Review" in done.stderr
    assert "Traceback" not in done.stderr
    assert queue.job(workspace, job.id).state is JobState.QUEUED
    with db.transaction(workspace) as connection:
        connection.execute(text(f"update alembic_version set version_num = '{db.HEAD}'"))


def test_a_job_of_another_version_fails_in_words(workspace, tiny):
    """A method that is not known here, and a knob that this version does not have."""
    first, second = queue.submit(tiny, "knn"), queue.submit(tiny, "knn")
    with db.transaction(workspace) as connection:
        table = schema.jobs
        connection.execute(update(table).where(table.c.id == first.id).values(method="of_tomorrow"))
        connection.execute(
            update(table).where(table.c.id == second.id).values(config='{"of_tomorrow": 3}')
        )
    for number in (first.id, second.id):
        worker.run_job(workspace, queue.claim(workspace, number))
        found = queue.job(workspace, number)
        assert found.state is JobState.FAILED
        assert "of_tomorrow" in found.error


# What a run stands on goes away ---------------------------------------------------------------


def test_a_set_whose_folder_goes_under_a_run_ends_it_in_words(workspace, tiny, monkeypatch):
    def work(info, job, context):
        shutil.rmtree(info.directory)
        datasets.load(info)

    monkeypatch.setitem(tasks.TASKS, "test", tasks.Task("test", "A test", work))
    job = queue.submit_task(tiny, "test", {}, device="cpu")
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    found = queue.job(workspace, job.id)
    assert found.state is JobState.FAILED
    assert "is missing" in found.error
    assert [each.name for each in datasets.broken(workspace)] == ["tiny"]


def test_a_set_that_is_removed_under_a_run_ends_it(workspace, tiny, monkeypatch):
    def work(info, job, context):
        datasets.remove(info)
        datasets.load(info)

    monkeypatch.setitem(tasks.TASKS, "test", tasks.Task("test", "A test", work))
    queue.submit_task(tiny, "test", {}, device="cpu")
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert datasets.datasets(workspace) == []
    assert list(workspace.datasets_dir.glob("*")) == []


def test_a_run_out_of_memory_says_what_helps(workspace, tiny, monkeypatch):
    def work(info, job, context):
        context.report("drawing", 0.5)
        np.zeros(2**62, np.uint8)

    monkeypatch.setitem(tasks.TASKS, "test", tasks.Task("test", "A test", work))
    job = queue.submit_task(tiny, "test", {}, device="cpu")
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    found = queue.job(workspace, job.id)
    assert found.state is JobState.FAILED
    assert "memory" in found.error


# Killed ---------------------------------------------------------------------------------------


def test_a_migration_killed_at_every_step_is_done_by_the_next_start(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    file = old_home(tmp_path / "old") / "review.db"
    with sqlite3.connect(file) as old:
        before = old.execute("select * from decisions order by id").fetchall()
    old.close()
    assert before
    numbers = iter(range(1000))

    def prepare():
        home = tmp_path / f"home-{next(numbers)}"
        (home / "datasets").mkdir(parents=True)
        shutil.copy(file, home)
        return home

    def check(home, _step):
        ws = db.open_workspace(home)
        with db.reading(ws) as connection:
            table = schema.decisions
            after = connection.execute(table.select().order_by(table.c.id)).all()
        assert [tuple(each)[: len(before[0])] for each in after] == before
        assert db.version(ws) == db.HEAD
        db.dispose(ws)
        copies = list((home / "backups").glob("review-0003-*.db"))
        for copy in copies:  # every one that has its name is whole
            with sqlite3.connect(copy) as connection:
                assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
            connection.close()
        assert copies

    logging.getLogger("alembic").setLevel(logging.WARNING)
    assert killed_at_every_step(prepare, db.open_workspace, check) >= 3


@pytest.mark.slow
def test_a_map_whose_worker_is_killed_is_drawn_by_the_next(workspace, tiny):
    settings = Settings("raw", neighbours=8)
    job = embedding.start_layout(tiny, settings)
    try:
        first = wait(workspace, job.id, lambda each: each.state == "running")
        os.kill(first.pid, signal.SIGKILL)
        found = wait(workspace, job.id, ended)
        assert (found.state, found.error) == ("done", None)
        assert found.pid != first.pid
        assert embedding.layout(tiny, embedding.key_of(tiny, settings)) is not None
    finally:
        stop_worker(workspace)
