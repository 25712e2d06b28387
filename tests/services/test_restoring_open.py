"""A database is put aside only where nobody has it open, and nobody saves into one put aside."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import contextmanager

import pytest

from lnl_core.services import doctor
from lnl_core.store import datasets, db, locks, rescue
from lnl_core.types import Busy, Damaged
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_restoring import GARBAGE
from tests.store.test_faults import closed

__all__ = ["ws"]

OPENS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=0)
connection.execute("pragma journal_mode = wal")
print(connection.execute("select count(*) from decisions").fetchone()[0], flush=True)
sys.stdin.read()
"""
linux = pytest.mark.skipif(sys.platform != "linux", reason="such locks are Linux's")


@contextmanager
def opened_elsewhere(file):
    """Another process that has a database open, as the app has; ended at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", OPENS, str(file)], stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout.readline() == "600\n"
        yield process.pid


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(rescue, "_PATIENCE", 0.0)


@linux
def test_what_another_process_has_open_is_not_put_aside(ws):
    """It would go on saving into the file put aside, and say that it is saved."""
    file = closed(ws)
    with opened_elsewhere(file) as process:
        with file.open("r+b") as stream:
            stream.write(GARBAGE)
        before = file.read_bytes()
        with pytest.raises(Busy, match=f"open in process {process}, .* End it first"):
            doctor.restore()
        assert file.read_bytes() == before
        assert list((ws.home / "backups").glob("damaged-*")) == []
        assert list(ws.home.glob(".*.part*")) == []
    file.write_bytes(GARBAGE)
    doctor.restore()
    assert len(list((ws.home / "backups").glob("damaged-*"))) == 1


def test_what_this_process_works_with_is_not_put_aside(ws):
    with db.reading(ws), pytest.raises(Busy, match="another window of this app"):
        rescue.restore(ws)
    assert answers(ws) == 600


def test_a_database_that_does_not_open_is_let_go(ws):
    """Whoever holds what it raised (a log, a page) does not hold the file by it."""
    assert doctor.keep_copy(ws) is not None
    file = closed(ws)
    with sqlite3.connect(file) as connection:
        connection.execute("pragma journal_mode = wal")  # as every program has it
    connection.close()
    raw = bytearray(file.read_bytes())
    assert raw[100] == 5, "what the tables are is on more than the first page"
    page = int.from_bytes(raw[108:112], "big") - 1
    raw[page * 4096 : (page + 1) * 4096] = b"\xff" * 4096
    file.write_bytes(raw)
    wrong = rescue.problem(ws)
    assert isinstance(wrong, Damaged)
    rescue.restore(ws)
    again = db.open_workspace()
    assert answers(again) == 600
    assert wrong.__traceback__ is not None, "it is still there"
    db.dispose(again)


@linux
def test_nobody_opens_what_is_being_put_aside(ws):
    file = closed(ws)
    with locks.alone(file, 0) as holder:
        assert holder is None
        file.read_bytes()  # which would end a lock of another kind
        tried = subprocess.run(
            [sys.executable, "-c", OPENS, str(file)], capture_output=True, text=True, input=""
        )
    assert "database is locked" in tried.stderr


def test_a_pool_goes_on_with_the_file_that_has_the_name(ws, tmp_path):
    """Restored by another process where nobody could be seen: its answers are in the new file."""
    copy = doctor.keep_copy(ws)
    answer(datasets.dataset(ws, "two"), 5, "lost")
    shutil.copy(copy, tmp_path / "new")
    for end in ("-wal", "-shm"):
        (ws.home / f"review.db{end}").unlink(missing_ok=True)
    os.replace(tmp_path / "new", ws.home / "review.db")
    answer(datasets.dataset(ws, "two"), 3, "later")
    db.dispose(ws)
    with sqlite3.connect(ws.home / "review.db") as connection:
        assert connection.execute("select count(*) from decisions").fetchone() == (603,)
    connection.close()


def test_a_database_that_was_deleted_under_a_pool_takes_no_answer(ws):
    info = datasets.dataset(ws, "two")
    (ws.home / "review.db").unlink()
    with pytest.raises(Damaged, match="gone since it was opened"):
        answer(info, 3, "later")
    assert not (ws.home / "review.db").exists(), "nor is an empty one made"
