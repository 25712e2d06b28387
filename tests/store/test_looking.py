"""A database that may only be looked at: nothing is said to be stored that is not in the file."""

import os
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest

from lnl_core.services import doctor
from lnl_core.services.datasets import catalog
from lnl_core.store import absent, datasets, db, decisions
from lnl_core.types import Action, Decision, ReadOnly
from tests.store.test_faults import as_a_stranger, closed, looked_at, open_home, ws

__all__ = ["open_home", "ws"]


@pytest.mark.parametrize("with_log", [True, False])
def test_what_was_read_only_is_written_as_soon_as_it_may_be(ws, with_log):
    """By the process that found it so; what it says is stored is in the file."""
    if not with_log:
        closed(ws)
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:
        home = Path(folder, "home")
        shutil.copytree(ws.home, home, ignore=shutil.ignore_patterns("*-shm"))
        assert (home / "review.db-wal").exists() == with_log
        everything = [Path(folder), home, *home.rglob("*")]
        for each in everything:
            os.chown(each, *((65534, 65534) if os.getuid() == 0 else (-1, -1)))

        def act():
            again = db.open_workspace(home)
            info = datasets.dataset(again, "two")
            with pytest.raises(ReadOnly, match="Nothing can be saved"):
                decisions.append(info, [Decision(0, Action.KEEP, "bob")])
            before = len(list(decisions.history(info)))
            for each in everything:
                each.chmod(0o700)
            decisions.append(info, [Decision(0, Action.KEEP, "bob")])
            after = len(list(decisions.history(info)))
            db.dispose(again)
            return before, after

        assert as_a_stranger(home, act) == (20, 21)
        assert looked_at(home) == 21


def test_a_copy_in_memory_takes_no_write(ws):
    assert (ws.home / "review.db-wal").stat().st_size
    looking = absent.to_look_at(ws.home / "review.db")
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        looking.execute("delete from decisions")
    looking.close()


def test_a_home_that_is_read_only_is_said_where_its_database_lies_elsewhere(open_home):
    """An answer needs the database alone; an import or a restoring writes into the home."""
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:
        os.chmod(folder, 0o777)
        file = Path(folder, "review.db")
        shutil.move(open_home / "review.db", file)
        file.chmod(0o666)
        url = f"sqlite:///{file}"

        def act():
            again = db.open_workspace(open_home, url)
            info = datasets.dataset(again, "two")
            decisions.append(info, [Decision(0, Action.KEEP, "bob")])
            for begin in (
                lambda: doctor.restore(open_home, url),
                lambda: doctor.restore(open_home),
                lambda: catalog.scratch(again).__enter__(),
            ):
                with pytest.raises(ReadOnly, match="Nothing can be saved"):
                    begin()
            return len(list(decisions.history(info)))

        assert as_a_stranger(open_home, act) == 21
