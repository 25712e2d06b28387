"""What a restoring says of what it left out or cannot know; nothing is left out in silence."""

import os
import shutil
import sqlite3
from contextlib import closing

import pytest

from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, faults, rescue
from lnl_core.types import LnlError
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_doctor_database import pages
from tests.services.test_restoring import GARBAGE, at, restored
from tests.store.test_crash_order import write_set
from tests.store.test_faults import closed

__all__ = ["ws"]


def of_run(ws, number, dataset):
    words = "insert into jobs (id, dataset_id, method, preset, state, created_at) values"
    with db.transaction(ws) as connection:
        connection.exec_driver_sql(f"{words} ({number}, {dataset}, 'knn', 'quick', 'done', '2026')")


def test_a_run_whose_number_another_has_is_said_and_takes_no_answer_its_number(ws, tmp_path):
    """The set was removed and its folder brought back; meanwhile another set had a run."""
    info = datasets.dataset(ws, "two")
    of_run(ws, 1, 2)
    numbers = [each.id for each in decisions.history(info)]
    at(doctor.keep_copy(ws), "100000")
    shutil.copytree(info.directory, tmp_path / "mine")
    datasets.remove(info)
    of_run(ws, 1, 1)
    shutil.move(tmp_path / "mine", info.directory)
    (said,) = doctor.restore()
    assert "with 600 answers from review-daily-20260101-100000.db" in said
    assert (
        f"Left out: 1 run whose number another run has here. The files stay in {info.directory}"
        in said
    )
    assert [each.id for each in decisions.history(datasets.dataset(ws, "two"))] == numbers


def test_answers_that_a_tree_passes_over_are_said(ws):
    """No page gives an error, and rows are missed: only the numbers that were given tell."""
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 400, "later")
    file = closed(ws)
    size, leaves = pages(file, "decisions")
    raw = bytearray(file.read_bytes())
    one, other = (slice((n - 1) * size, n * size) for n in (leaves[-4], leaves[-2]))
    raw[one], raw[other] = raw[other], raw[one]
    file.write_bytes(raw)
    again, said = restored(ws)
    gone = 1000 - answers(again)
    assert (gone > 0) == ("Lost, by the numbers that were given" in said)
    assert gone == 0 or f"at most {gone} answers. A file of decisions" in said
    db.dispose(again)


def test_a_count_of_numbers_that_is_damaged_is_no_count_of_answers(ws):
    file = closed(ws)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("update sqlite_sequence set seq = 1 << 40 where name = 'decisions'")
        connection.execute("update decisions set row = 4000 where cid = 'a11'")
        connection.commit()
    again, said = restored(ws)
    assert "nobody knows how many answers, for their count is damaged too" in said
    assert answers(again) == 599
    db.dispose(again)


def test_a_link_to_a_disk_that_is_not_there_is_no_lost_database(ws, tmp_path):
    file, disk = closed(ws), tmp_path / "disk"
    assert doctor.keep_copy(ws) is not None
    closed(ws)
    disk.mkdir()
    file.rename(disk / "review.db")
    file.symlink_to(disk / "review.db")
    disk.rename(tmp_path / "unmounted")
    (found,) = doctor.look().findings
    assert not found.restorable
    with pytest.raises(LnlError, match=r"is a link to .*, which is not there\. Mount its disk"):
        doctor.restore()
    (tmp_path / "unmounted").rename(disk)
    assert answers(db.open_workspace()) == 600
    closed(ws)
    (disk / "review.db").write_bytes(GARBAGE)
    doctor.restore()
    assert file.is_symlink()
    assert not (disk / "review.db").is_symlink()
    assert answers(db.open_workspace()) == 600


def test_a_copy_without_a_time_in_its_name_is_as_old_as_it_is(ws):
    kept = doctor.keep_copy(ws)
    mine = kept.with_name("review-backup.db")
    kept.rename(mine)
    os.utime(mine, (1.7e9, 1.7e9))
    answer(datasets.dataset(ws, "two"), 5, "later")
    last = at(db.backup(ws, "daily"), "110000")
    assert faults.backups(ws) == [last, mine]
    closed(ws).write_bytes(GARBAGE)
    again, said = restored(ws)
    assert "still to come" not in said
    assert answers(again) == 605
    db.dispose(again)


def test_a_set_of_a_long_name_keeps_it(ws, tmp_path):
    datasets.register(ws, "n" * 80, write_set(tmp_path / "three", 3))
    closed(ws).write_bytes(GARBAGE)
    again, _ = restored(ws)
    assert "n" * 80 in {each.name for each in datasets.datasets(again)}
    db.dispose(again)


def test_a_file_in_the_place_of_the_folder_of_copies_is_said(ws):
    closed(ws).write_bytes(GARBAGE)
    (ws.home / "backups").write_bytes(b"")
    with pytest.raises(LnlError, match="backups is no folder, or cannot be made"):
        doctor.restore()
    assert rescue.keep_copy(ws) is None
