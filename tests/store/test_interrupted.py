"""What waits or runs in a copied or restored workspace does not begin again by itself."""

import os
import shutil

import pytest

from lnl_core.jobs import executors, queue
from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, rescue
from lnl_core.types import Action, Decision, JobState
from tests.store.test_faults import closed


@pytest.fixture
def working(workspace, tiny, no_worker):
    """A run under way in this very process, one that waits, one that is done, a task that waits."""
    made = [queue.submit(tiny, "knn", "quick", seed=seed) for seed in range(3)]
    done, running = queue.claim(workspace), None
    queue.finish(workspace, done.id, JobState.DONE)
    running = queue.claim(workspace)
    task = queue.submit_task(tiny, "maps", {"run": done.id})
    decisions.append(tiny, [Decision(0, Action.KEEP, "ann")])
    return {"done": done.id, "running": running.id, "waits": made[2].id, "task": task.id}


def states(ws):
    return {each.id: each.state for each in queue.all_jobs(ws)}


def interrupted(ws, working):
    """Hold that a copy begins nothing, says why, and goes on with what is resumed."""
    assert states(ws) == {
        working["done"]: JobState.DONE,
        working["running"]: JobState.FAILED,
        working["waits"]: JobState.FAILED,
    }
    assert queue.active(ws) == []
    assert queue.job(ws, working["task"]).state is JobState.CANCELLED
    assert queue.claim(ws) is None
    assert "interrupted: the workspace is a copy" in queue.job(ws, working["running"]).error
    executors.resume(ws, working["running"])
    db.dispose(ws)
    ws = db.open_workspace(ws.home, ws.url)  # as its worker does
    assert queue.claim(ws).id == working["running"]
    assert queue.claim(ws) is None
    db.dispose(ws)


@pytest.fixture
def here(workspace, monkeypatch):
    """An SQLite workspace: a server's database is not copied with the folder."""
    if not workspace.on_sqlite:
        pytest.skip("the database is on a server")
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    return workspace


def copied(ws, place):
    closed(ws)
    shutil.copytree(ws.home, place)
    return place


def test_in_a_copied_folder(here, working, tmp_path):
    place = copied(here, tmp_path / "copy")
    interrupted(db.open_workspace(place), working)
    again = db.open_workspace(here.home)  # and the original goes on
    assert queue.job(again, working["running"]).pid == os.getpid()
    assert states(again)[working["running"]] is JobState.RUNNING
    assert states(again)[working["waits"]] is JobState.QUEUED


def test_in_a_folder_brought_back_to_its_place(here, working, tmp_path):
    place = copied(here, tmp_path / "copy")
    shutil.rmtree(here.home)
    place.rename(here.home)
    interrupted(db.open_workspace(here.home), working)


def test_of_a_daily_copy_that_is_written_over_the_very_file(here, working):
    kept = doctor.keep_copy(here)
    file = closed(here)
    number = file.stat().st_ino
    shutil.copyfile(kept, file)
    assert file.stat().st_ino == number
    interrupted(db.open_workspace(here.home), working)


def test_not_where_it_was_moved_or_opened_again(here, working, tmp_path):
    before = states(here)
    assert states(db.open_workspace(here.home)) == before
    closed(here)
    place = here.home.rename(tmp_path / "elsewhere")
    moved = db.open_workspace(place)
    assert states(moved) == before
    db.dispose(moved)


def test_of_an_earlier_version_it_goes_on_once_and_is_known_from_then_on(here, working, tmp_path):
    with db.transaction(here) as connection:
        connection.exec_driver_sql("pragma user_version = 0")
    before = states(here)
    assert states(db.open_workspace(here.home)) == before
    place = copied(here, tmp_path / "copy")
    interrupted(db.open_workspace(place), working)


def test_after_a_restore(here, working):
    assert doctor.keep_copy(here) is not None
    file = closed(here)
    file.write_bytes(b"garbage " * 999)
    said = "\n".join(rescue.restore(here))
    assert "2 runs that waited or ran by then: interrupted" in said
    interrupted(db.open_workspace(here.home), working)


def test_of_a_set_that_is_listed_again_from_a_copy(here, working, tiny):
    assert doctor.keep_copy(here) is not None
    with db.transaction(here) as connection:
        connection.exec_driver_sql("delete from jobs")
        connection.exec_driver_sql("delete from decisions")
        connection.exec_driver_sql(f"delete from datasets where id = {tiny.id}")
    closed(here)
    assert "“tiny” is listed again" in doctor.restore(here.home)[0]
    again = db.open_workspace(here.home)
    assert [each.name for each in datasets.datasets(again)] == ["tiny"]
    interrupted(again, working)
