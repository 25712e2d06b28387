"""A full disk: what is there can be read; writing is refused in words, and nothing is lost."""

import errno
import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update
from starlette.applications import Starlette
from starlette.testclient import TestClient

from lnl_core.jobs import executors, queue
from lnl_core.records import NoRoom
from lnl_core.services import doctor
from lnl_core.services.datasets import incoming
from lnl_core.services.runs import control
from lnl_core.services.workspace import dataset, open_workspace
from lnl_core.store import arrays, decisions, schema
from lnl_core.store.db import HEAD, dispose, now, transaction, version
from lnl_core.types import Action, Decision, JobState
from pages import _routes
from tests.old_workspace import unpacked

FORMATS = ("corrections", "decisions", "manifest", "fiftyone", "label-studio")

LOOK = """
import json, sys
from lnl_core.services.workspace import dataset, open_workspace
from lnl_core.store import decisions
from lnl_core.types import Action, Decision, ReadOnly
ws = open_workspace(sys.argv[1])
for again in range(2):
    info = dataset(ws, "tiny")
    found = decisions.in_force(info)[5][0].label
    try:
        decisions.append(info, [Decision(7, Action.KEEP, "bob")])
    except ReadOnly as error:
        said = str(error)
print(json.dumps([info.n, found, len(list(decisions.history(info))), said]))
"""


def no_more_bytes():
    """Let no file grow, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_workspace_that_nobody_has_open_is_read_where_nothing_can_be_written(workspace, tiny):
    decisions.append(tiny, [Decision(5, Action.RELABEL, "ann", label=1)])
    dispose(workspace)
    assert not Path(f"{workspace.home}/review.db-shm").exists(), "its index has to be made anew"
    before = (workspace.home / "review.db").read_bytes()
    call = [sys.executable, "-B", "-c", LOOK, str(workspace.home)]
    done = subprocess.run(call, preexec_fn=no_more_bytes, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    n, label, answers, said = json.loads(done.stdout)
    assert (n, label, answers) == (60, 1, 1)
    assert f"The disk of {workspace.home}/review.db gave an error" in said
    assert (workspace.home / "review.db").read_bytes() == before
    assert decisions.append(tiny, [Decision(7, Action.KEEP, "bob")]), "there is room again"


def test_a_disk_that_cannot_say_what_room_it_has_takes_an_array_all_the_same(tmp_path, monkeypatch):
    def cannot(*where):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "posix_fallocate", cannot)
    arrays.new_array(tmp_path / "a.npy", np.uint8, (8,))[:] = 3
    assert (arrays.read_array(tmp_path / "a.npy") == 3).all()


def test_an_array_takes_its_room_at_once(tmp_path):
    made = arrays.new_array(tmp_path / "a.npy", np.uint8, (2**20,))
    assert made.shape == (2**20,)
    assert (tmp_path / "a.npy").stat().st_blocks * 512 >= 2**20


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.geteuid()
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", place], capture_output=True
        ).returncode
    ):
        pytest.skip("a disk of its own takes a mount")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_an_array_without_room_is_refused_and_ends_nothing(small_disk):
    with pytest.raises(OSError, match="No space left"):
        arrays.new_array(small_disk / "a.npy", np.uint8, (2**25,))
    assert not (small_disk / "a.npy").exists()


def fill(place):
    with suppress(OSError), (place / "fill").open("ab") as stream:
        while True:
            stream.write(bytes(4096))
            stream.flush()


def test_everything_but_writing_goes_on_at_a_full_disk(small_disk, workspace, scored):
    decisions.append(scored, [Decision(5, Action.RELABEL, "ann", label=1)])
    dispose(workspace)
    home = small_disk / "home"
    shutil.copytree(workspace.home, home)
    more = small_disk.parent / "more.npz"
    images = np.random.default_rng(9).integers(0, 255, (4, 16, 16, 3), dtype=np.uint8)
    np.savez(more, images=images, labels=np.arange(4) % 3, class_names=list(scored.class_names))
    fill(small_disk)

    def lnl(*call):
        command = [sys.executable, "-m", "lnl_core", "--home", str(home), *call]
        return subprocess.run(command, capture_output=True, cwd=small_disk.parent)

    name = scored.name
    for call in (
        ["status"],
        ["rank", name, "--out", "-"],
        *(["export", name, "--format", each, "--out", "-"] for each in FORMATS),
        ["audit", name],
        ["add", name, str(more), "--dry-run"],
    ):
        done = lnl(*call)
        assert done.returncode == 0, (call, done.stderr)
        assert done.stdout, call
    for call in (
        ["run", name, "--methods", "knn"],
        ["rename", name, "other"],
        ["add", name, str(more)],
        ["import", str(more), "--name", "more"],
    ):
        done = lnl(*call)
        assert done.returncode == 1, call
        said = done.stderr.decode()
        assert "Traceback" not in said
        assert str(home) in said or "The disk is full" in said, said
        assert "full" in said or "No space left" in said, said
    looked = lnl("doctor")
    assert looked.returncode == 1
    assert f"disk: The disk of {home} is full: nothing can be saved" in looked.stdout.decode()
    restoring = lnl("doctor", "--restore")
    assert restoring.returncode == 1
    assert "is full" in restoring.stderr.decode()
    (small_disk / "fill").unlink()
    assert lnl("doctor").stdout.decode().rstrip().endswith("nothing is damaged.")
    assert lnl("rename", name, "other").returncode == 0


def copied(ws, home):
    """Copy a workspace that does not say which file its database is, so that its work goes on."""
    with transaction(ws) as connection:
        connection.exec_driver_sql("pragma user_version = 0")
    dispose(ws)
    shutil.copytree(ws.home, home)


def with_little_room(file, home):
    """Make a database larger than what is left of the disk, which is not full."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table large as select zeroblob(6000000) as it")
        connection.execute("pragma journal_mode=delete")
    with (home.parent / "fill").open("wb") as stream:
        stream.write(bytes(shutil.disk_usage(home).free - 4 * 2**20))


def test_where_there_is_no_room_for_a_copy_of_the_database_all_goes_on(
    small_disk, workspace, scored, caplog, monkeypatch
):
    """Nothing is damaged: the app starts, the worker starts, and what is not made is said."""
    dispose(workspace)
    home = small_disk / "home"
    shutil.copytree(workspace.home, home)
    with_little_room(home / "review.db", home)
    monkeypatch.setenv("LNL_HOME", str(home))
    with TestClient(Starlette(lifespan=_routes.lifespan)):
        assert "No copy of the database could be made in" in caplog.text
    call = [sys.executable, "-m", "lnl_core.worker"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "No copy of the database could be made in" in done.stderr
    assert list((home / "backups").iterdir()) == [], "no half copy stays"
    (found,) = doctor.look().findings
    assert "The database is not copied once a day: a copy takes 6 MB, and" in found.problem
    (small_disk / "fill").unlink()
    ws = open_workspace(home)
    assert doctor.keep_copy(ws) is not None
    dispose(ws)


def test_a_schema_changes_also_where_there_is_no_room_for_a_copy(small_disk, monkeypatch, caplog):
    """The change is one transaction: it is made, or the old schema stays."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    home = unpacked(small_disk / "home")
    with_little_room(home / "review.db", home)
    ws = open_workspace(home)
    assert version(ws) == HEAD
    assert f"becomes {HEAD}; No copy of the database could be made in" in caplog.text
    dispose(ws)


def test_a_run_that_a_full_disk_ended_has_failed_until_there_is_room(small_disk, workspace, tiny):
    """Nothing could be written, so the job's row still says that it runs."""
    job = queue.submit(tiny, "knn", "quick")
    with transaction(workspace) as connection:
        gone = {"state": "running", "host": socket.gethostname(), "pid": 2**22 + 1}
        connection.execute(update(schema.jobs).values(**gone, heartbeat_at=now()))
    home = small_disk / "home"
    copied(workspace, home)
    ws = open_workspace(home)
    (home / "imports").mkdir()
    values = {"name": "more", "shown": "more.npz", "source": "more.npz", "state": "reading"}
    values |= {"pid": 2**22 + 1, "pid_started": 1.0, "started": 1.0, "started_at": now()}
    (home / "imports" / "a.json").write_text(json.dumps(values))
    fill(small_disk)
    (run,) = queue.jobs(dataset(ws, "tiny"))
    assert run.state is JobState.FAILED
    assert run.error.startswith(f"the disk of {home} is full")
    assert queue.job(ws, job.id) == run
    assert queue.active(ws) == []
    executors.reconcile(ws)  # starts nothing that would end at once
    assert not list(home.glob("worker*"))
    for change in (control.remove, control.resume):
        with pytest.raises(NoRoom, match=f"The disk of {home} is full: make room first"):
            change(ws, job.id)
    with pytest.raises(NoRoom):
        control.cancel(ws, job.id)
    (task,) = incoming.imports(ws)
    assert (task.state, task.message.split(".")[0]) == ("failed", f"The disk of {home} is full")
    call = [sys.executable, "-m", "lnl_core", "--home", str(home), "status"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert "failed: the disk of" in done.stdout
    assert f"The disk of {home} is full" in done.stderr
    (small_disk / "fill").unlink()
    assert queue.health(queue.job(ws, job.id)) == "lost"
    assert queue.recover(ws) == [job.id], "it goes on by itself"
    dispose(ws)


def test_where_the_home_alone_is_full_jobs_elsewhere_are_looked_after(small_disk, workspace, tiny):
    """The database has room; only what would start has none for its files."""
    there, here = (queue.submit(tiny, "knn", "quick", seed=seed).id for seed in (0, 1))
    with transaction(workspace) as connection:
        died = {"executor": "slurm", "engine_job": "handing over 2026-01-01T00:00:00.000Z 1"}
        connection.execute(update(schema.jobs).where(schema.jobs.c.id == there).values(**died))
    home, roomy = small_disk / "home", small_disk.parent / "review.db"
    copied(workspace, home)
    shutil.move(home / "review.db", roomy)
    ws = open_workspace(home, f"sqlite:///{roomy}")
    fill(small_disk)
    for _ in range(2):
        executors.reconcile(ws)
        assert queue.job(ws, there).engine_job is None, "it can be handed over once there is room"
        assert queue.job(ws, there).state is JobState.QUEUED
    assert queue.job(ws, here).state is JobState.QUEUED
    assert not list(home.glob("worker*"))
    dispose(ws)
