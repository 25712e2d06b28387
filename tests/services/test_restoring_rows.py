"""Of single rows that a damaged file has wrong: a copy that has them right stands."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from lnl_core.cli import main
from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, faults, order, rescue
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_restoring import at, restored, spoilt
from tests.store.test_faults import closed

__all__ = ["ws"]


@pytest.fixture
def copied(ws):
    """A copy with 600 answers to “two”, and 5 more since."""
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    return ws


def said_of(ws, name="two"):
    return {each.cid: each for each in decisions.history(datasets.dataset(ws, name))}


@pytest.mark.parametrize(
    "damage",
    [
        "action = 'relabel', label = 0",
        "reviewer = 'qnn'",
        "cid = 'a12'",
        "row = 0",
        "decided_at = '2027-01-01T00:00:00.000Z'",
    ],
)
def test_an_answer_stays_as_the_copy_has_it(copied, damage):
    """A byte that is another one makes a row that could be true: only the copy knows better."""
    before = said_of(copied)
    taken = "delete from decisions where cid = 'a12'" if "a12" in damage else "select 1"
    spoilt(copied, taken, f"update decisions set {damage} where cid = 'a11'")
    again, said = restored(copied)
    assert said_of(again) == before
    assert "Contradicted by what is older, which stays: 1 answer of the damaged file" in said
    db.dispose(again)


def test_what_has_the_key_of_an_answer_since_the_copy_is_left_out_and_said(copied):
    """One of the two is damaged; which, nobody knows: the first stays, as if it were sent again."""
    file = spoilt(copied, "select 1")
    raw = file.read_bytes()
    assert raw.count(b"later3") >= 1
    file.write_bytes(raw.replace(b"later3", b"later2"))
    again, said = restored(copied)
    assert answers(again) == 604
    assert "Contradicted by what is older, which stays: 1 answer of the damaged file" in said
    db.dispose(again)


def test_rows_that_cannot_be_true_are_taken_from_the_copy_else_left_out_and_counted(copied):
    spoilt(
        copied,
        "update decisions set row = 16644 where cid in ('a11', 'later3')",
        "update decisions set labels = '7' where cid = 'later4'",
        "update decisions set dataset_id = 66 where cid = 'later0'",
    )
    again, said = restored(copied)
    there = said_of(again)
    assert there["a11"].row == 1
    assert {"later1", "later2"} == {each for each in there if each.startswith("later")}
    assert "Left out of the damaged file: 3 answers that cannot be true" in said
    assert "no set is listed that they belong to: 1 answer." in said
    assert doctor.look().findings == ()
    db.dispose(again)


def test_what_a_copy_has_wrong_is_taken_from_the_newer_file(ws):
    copy = at(doctor.keep_copy(ws), "100000")
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("update decisions set row = 77 where cid in ('a11', 'a12')")
        connection.commit()
    spoilt(ws, "delete from decisions where cid = 'a12'")
    again, said = restored(ws)
    assert said_of(again)["a11"].row == 1
    assert answers(again) == 599
    assert "Left out of the copy review-daily-20260101-100000.db: 2 answers that cannot" in said
    db.dispose(again)


@pytest.mark.parametrize("column", ["folder", "name", "kind", "created_at"])
def test_a_set_whose_row_is_no_text_comes_from_its_copy(copied, column):
    spoilt(copied, f"update datasets set {column} = cast({column} as blob) where id = 2")
    again, said = restored(copied)
    assert {each.name for each in datasets.datasets(again)} == {"one", "two"}
    assert answers(again) == 605
    assert "Left out of the damaged file: 1 row that cannot be true" in said
    db.dispose(again)


def test_a_set_whose_row_is_no_text_comes_from_its_folder_and_its_answers_are_looked_at(ws):
    """Without a copy: only once the folder is listed is it known how many images there are."""
    spoilt(
        ws,
        "update datasets set folder = cast(folder as blob) where id = 2",
        "update decisions set row = 4 where cid = 'a11'",
    )
    again, said = restored(ws)
    assert len(said_of(again)) == 599
    assert "Left out of all of them: 1 answer that cannot be true" in said
    db.dispose(again)


@pytest.mark.parametrize(
    "damage", ["row = 16644", "label = 77, action = 'relabel'", "cid = cast(x'ff' as text)"]
)
def test_a_database_that_is_whole_but_for_its_rows_is_named_and_mended(copied, capsys, damage):
    """SQLite finds nothing wrong with it; every export and run would end at that row."""
    spoilt(copied, f"update decisions set {damage} where cid = 'a11'")
    assert rescue.problem(copied) is None
    (found,) = doctor.look().findings
    assert (found.place, found.restorable) == ("database", True)
    assert main(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert "1 answer that cannot be true" in shown or "not decode" in shown
    assert main(["doctor", "--restore"]) == 0
    again = db.open_workspace()
    assert said_of(again)["a11"].row == 1
    assert answers(again) == 605
    assert len(list((copied.home / "backups").glob("damaged-*.db"))) == 1, "the file is kept"
    db.dispose(again)


@pytest.mark.parametrize("damage", ["row = 16644", "dataset_id = 66", "cid = cast(x'ff' as text)"])
def test_what_the_last_copies_have_wrong_too_comes_from_an_older_one(copied, damage):
    """A database that is whole but for its rows is copied all the same, the last week long."""
    spoilt(copied, f"update decisions set {damage} where cid = 'a11'")
    doctor.keep_copy(copied)
    assert len(faults.backups(copied)) == 2
    answer(datasets.dataset(copied, "two"), 5, "anew")
    spoilt(copied, "update decisions set row = 16644 where cid = 'later1'")
    db.backup(copied, "daily")
    (found,) = doctor.look().findings
    assert found.restorable
    doctor.restore()
    again = db.open_workspace()
    assert said_of(again)["a11"].row == 1
    assert answers(again) == 610
    assert doctor.look().findings == ()
    db.dispose(again)


def test_a_row_that_no_copy_has_true_hides_none_that_one_has(copied):
    """The copy of the fewest such rows is the one that is begun from."""
    spoilt(copied, "update decisions set row = 16644 where cid = 'a11'")
    for copy in faults.backups(copied):
        copy.unlink()
    kept = at(db.backup(copied, "daily"), "110000")
    spoilt(copied, "update decisions set row = 16644 where cid = 'a12'")
    last = at(db.backup(copied, "daily"), "120000")
    assert order.sources(copied, closed(copied)) == order.Sources(kept, (last,), (), ())
    again, _ = restored(copied)
    assert "a11" not in said_of(again)
    assert said_of(again)["a12"].row == 0
    assert answers(again) == 604
    db.dispose(again)


def test_while_rows_cannot_be_true_no_copy_goes(ws, caplog):
    first = doctor.keep_copy(ws)
    for day in range(rescue.KEPT):
        shutil.copy(first, first.with_name(f"review-daily-2025010{day + 1}-000000.db"))
    first.unlink()
    spoilt(ws, "update decisions set row = 16644 where cid = 'a11'")
    assert doctor.keep_copy(ws) is not None
    assert len(faults.backups(ws)) == rescue.KEPT + 1
    assert "1 answer that cannot be true: every copy is kept until" in caplog.text


def test_a_copy_in_which_two_answers_have_one_key_hides_none_of_an_older_one(copied):
    """SQLite finds nothing wrong with it; which of the two is damaged, the older copy knows."""
    before = said_of(copied)
    last = at(db.backup(copied, "daily"), "110000")
    raw = last.read_bytes()
    assert raw.count(b"a599") >= 1
    last.write_bytes(raw.replace(b"a599", b"a598"))
    assert order.answers_in(last) == 605
    closed(copied).write_bytes(b"garbage " * 999)
    again, said = restored(copied)
    assert said_of(again) == before
    assert "600 answers are taken from the copy review-daily-20260101-100000.db" in said
    db.dispose(again)


def test_two_copies_within_a_second_are_two(copied):
    before = len(faults.backups(copied))
    made = {db.backup(copied, "daily") for _ in range(2)}
    assert len(made) == len(faults.backups(copied)) - before == 2
