"""What a restore believes where a file says two things: of its age, of a set's number and name."""

import shutil
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from lnl_core.records import Workspace
from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, faults, order, rescue
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_restoring import GARBAGE, at, listed, lost, pages, restored, spoilt
from tests.store.test_crash_order import write_set
from tests.store.test_faults import closed

__all__ = ["ws"]


def ahead(copy):
    """Say in a copy's name that it was made while the clock was years ahead."""
    return copy.rename(copy.with_name("review-daily-29990101-090000.db"))


def went_back(ws):
    """Two copies, of 600 and of 650 answers, and the database is the first one again."""
    kept = at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 50, "given-up")
    given_up = at(db.backup(ws, "daily"), "110000")
    shutil.copy(kept, closed(ws))
    return kept, given_up, db.open_workspace()


def keys(ws):
    """Return how many answers begin with each word."""
    history = decisions.history(datasets.dataset(ws, "two"))
    return Counter(each.cid.rstrip("0123456789") for each in history)


def a_fault(file, fault):
    """Make one row impossible, a page of the table zeros, or a page of its description."""
    if fault == "row":
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("update decisions set row = 16644 where cid = 'a11'")
            connection.commit()
        return
    size, leaves = pages(file, "decisions")
    at = 100 if fault == "description" else (leaves[1] - 1) * size
    raw = bytearray(file.read_bytes())
    raw[at : at + 60] = b"\xff" * 60
    file.write_bytes(raw)


def test_a_copy_made_while_the_clock_was_ahead_is_not_the_newest(ws):
    """It holds less, and nothing else, than copies that are dated earlier: they went on from it."""
    early = ahead(doctor.keep_copy(ws))
    info = datasets.dataset(ws, "two")
    for hour in ("100000", "110000"):
        answer(info, 5, hour)
        last = at(db.backup(ws, "daily"), hour)
    closed(ws).write_bytes(GARBAGE)
    assert order.sources(ws, ws.home / "review.db") == order.Sources(last, (), (), ())
    (found,) = doctor.look().findings
    assert f"brings back 610 answers of the copy {last.name}" in found.remedy
    again, said = restored(ws)
    assert answers(again) == 610
    assert f"The copy {early.name} has a date that is still to come, and {last.name} holds" in said
    db.dispose(again)


def test_a_file_put_aside_after_a_copy_of_a_clock_that_was_ahead_counts(ws):
    ahead(doctor.keep_copy(ws))
    answer(datasets.dataset(ws, "two"), 5, "later")
    closed(ws)
    at(rescue._put_aside(ws, ws.home / "review.db"), "110000")
    again, _ = restored(ws)
    assert answers(again) == 605
    db.dispose(again)


def test_looking_at_a_copy_leaves_nothing_beside_it_and_copies_nothing(ws, monkeypatch):
    kept = doctor.keep_copy(ws)
    kept.with_name(f"{kept.name}-wal").touch()  # as an earlier version left it
    closed(ws).write_bytes(GARBAGE)
    there = set(kept.parent.iterdir())
    copied = list[str]()
    monkeypatch.setattr(shutil, "copyfile", lambda *paths: copied.append(str(paths[0])))
    (found,) = doctor.look().findings
    assert "brings back 600 answers" in found.remedy
    assert set(kept.parent.iterdir()) == there
    assert copied == []


def test_of_two_that_went_different_ways_the_later_counts(ws):
    """Somebody went back to a copy and answered anew: what was given up does not come back."""
    *_, again = went_back(ws)
    answer(datasets.dataset(again, "two"), 5, "anew")
    last = at(db.backup(again, "daily"), "120000")
    closed(again).write_bytes(GARBAGE)
    assert order.sources(again, ws.home / "review.db").base == last
    again, _ = restored(again)
    assert answers(again) == 605
    db.dispose(again)


@pytest.mark.parametrize("fault", ["row", "page"])
@pytest.mark.parametrize("since", [0, 1, 30, 70])
def test_a_copy_that_the_database_did_not_go_on_from_is_not_taken(ws, fault, since):
    """Somebody went back to an earlier one; there is no copy of what was answered since."""
    kept, given_up, again = went_back(ws)
    if since:
        answer(datasets.dataset(again, "two"), since, "anew")
    file = closed(again)
    a_fault(file, fault)
    assert order.sources(ws, file) == order.Sources(kept, (), (given_up,), ())
    (found,) = doctor.look().findings
    assert (f"600 answers of the copy {kept.name}" in found.remedy) == (fault == "page")
    assert f"Not taken: {given_up.name}. The database did not go on from it" in found.remedy
    said = "\n".join(doctor.restore())
    again = db.open_workspace()
    assert keys(again) == Counter({"a": 600} | ({"anew": since} if since else {}))
    assert f"Not taken: {given_up.name}" in said
    assert "Contradicted" not in said
    closed(again).unlink()  # the file put aside says it all again
    doctor.restore()
    again = db.open_workspace()
    assert keys(again)["anew"] == since
    assert keys(again)["given-up"] == 0
    db.dispose(again)


@pytest.mark.parametrize("number", [600, 599])
def test_one_row_whose_number_or_values_are_damaged_makes_no_other_line(ws, number):
    copy = at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    spoilt(
        ws,
        f"delete from decisions where id = {number}",
        f"update decisions set id = {number} where id = 88",
        "update decisions set cid = 'b11', row = 77 where cid = 'a12'",
    )
    assert order.sources(ws, ws.home / "review.db").base == copy


def test_a_copy_made_after_going_back_is_the_last_though_it_holds_less(ws):
    *_, again = went_back(ws)
    datasets.rename(datasets.dataset(again, "two"), "bees")
    last = at(db.backup(again, "daily"), "120000")
    closed(again).write_bytes(GARBAGE)
    assert order.sources(ws, ws.home / "review.db").base == last
    again, said = restored(again)
    assert answers(again) == 600
    assert last.name in said
    assert "still to come" not in said
    db.dispose(again)


def test_names_that_went_round_are_those_of_the_folders(ws):
    at(doctor.keep_copy(ws), "100000")
    datasets.rename(datasets.dataset(ws, "two"), "two 2025")
    datasets.rename(datasets.dataset(ws, "one"), "two")
    lost(ws)
    again, said = restored(ws)
    assert listed(again) == {"two": "1-one", "two 2025": "2-two"}
    assert "“one” is called “two”, as its folder 1-one says." in said
    db.dispose(again)


def test_the_set_that_has_a_name_today_keeps_it(ws, tmp_path):
    """Another had it when the copy was made, and was removed since."""
    at(doctor.keep_copy(ws), "100000")
    datasets.remove(datasets.dataset(ws, "two"))
    datasets.register(ws, "two", write_set(tmp_path / "now", 5))
    closed(ws).write_bytes(GARBAGE)
    again, said = restored(ws)
    assert listed(again) == {"one": "1-one", "two": "3-two", "two (2)": "2-two"}
    assert "“two”, whose folder 2-two is not there, is called “two (2)”." in said
    assert "“two (2)” is called" not in said
    db.dispose(again)


@pytest.mark.parametrize("with_copy", [True, False])
@pytest.mark.parametrize("damage", ["id = 6", "folder = '2-twp'"])
def test_a_listed_number_or_folder_that_fits_nothing_takes_no_answer(ws, damage, with_copy):
    """One bit of a list: the folder on the disk and the answers' own number say otherwise."""
    if with_copy:
        at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    spoilt(ws, f"update datasets set {damage} where id = 2")
    again, _ = restored(ws)
    assert listed(again) == {"one": "1-one", "two": "2-two"}
    assert len(list(decisions.history(datasets.dataset(again, "two")))) == 605
    assert doctor.look().findings == ()
    db.dispose(again)


def test_copies_are_listed_newest_first(tmp_path):
    stamps = ["20260101-000000", "20250101-000000"]
    (tmp_path / "backups").mkdir()
    for stamp in reversed(stamps):
        (tmp_path / "backups" / f"review-0004-{stamp}.db").write_bytes(b"")
    ws = Workspace(tmp_path, f"sqlite:///{tmp_path / 'review.db'}")
    assert [faults.stamp(each) for each in faults.backups(ws)] == stamps
