"""What a restore believes where a file says two things: of its age, of a set's number and name."""

import shutil

import pytest

from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, rescue
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_restoring import GARBAGE, at, listed, lost, restored, spoilt
from tests.store.test_faults import closed

__all__ = ["ws"]


def ahead(copy):
    """Say in a copy's name that it was made while the clock was years ahead."""
    return copy.rename(copy.with_name("review-daily-20300101-090000.db"))


def test_a_copy_made_while_the_clock_was_ahead_is_not_the_newest(ws):
    """It holds less, and nothing else, than copies that are dated earlier: they went on from it."""
    early = ahead(doctor.keep_copy(ws))
    info = datasets.dataset(ws, "two")
    for hour in ("100000", "110000"):
        answer(info, 5, hour)
        last = at(db.backup(ws, "daily"), hour)
    closed(ws).write_bytes(GARBAGE)
    assert rescue.sources(ws) == (last, [])
    (found,) = doctor.look().findings
    assert "brings back 610 answers of the newest copy" in found.remedy
    again, said = restored(ws)
    assert answers(again) == 610
    assert f"The copy {early.name} is older than its name says, for {last.name} holds" in said
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
    kept = at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 50, "given-up")
    at(db.backup(ws, "daily"), "110000")
    file = closed(ws)
    shutil.copy(kept, file)
    again = db.open_workspace()
    answer(datasets.dataset(again, "two"), 5, "anew")
    last = at(db.backup(again, "daily"), "120000")
    closed(again).write_bytes(GARBAGE)
    assert rescue.sources(again) == (last, [])
    again, _ = restored(again)
    assert answers(again) == 605
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
