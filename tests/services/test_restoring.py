"""What a restore takes from where: the newer over the older; nothing answered is lost.

Files have the time in their names; `at` makes them older, so that no test waits for a second.
"""

import shutil
import sqlite3
from contextlib import closing

import pytest

from lnl_core.cli import main
from lnl_core.services import doctor
from lnl_core.store import datasets, db, decisions, faults, goals, order, people, rescue
from lnl_core.types import Damaged
from tests.killing import killed_at_every_step
from tests.old_workspace import unpacked
from tests.services.test_doctor import answer, answers, ws
from tests.store.test_crash_order import pixels, write_set
from tests.store.test_faults import closed

__all__ = ["ws"]
GARBAGE = b"garbage " * 999


def at(file, time):
    """Say in a copy's name that it was made at another time of one day."""
    return file.rename(file.with_name(f"{file.stem[:-15]}20260101-{time}.db"))


def lost(ws):
    closed(ws).unlink()


def spoilt(ws, *statements):
    """Close a workspace and change what its file holds behind its back."""
    file = closed(ws)
    with closing(sqlite3.connect(file)) as connection:
        for each in statements:
            connection.execute(each)
        connection.commit()
    return file


def restored(ws):
    """Restore the database; return the workspace opened again, and what was said."""
    said = rescue.restore(ws)
    return db.open_workspace(), "\n".join(said)


def listed(ws):
    known = [*datasets.datasets(ws), *datasets.broken(ws)]
    return {each.name: each.directory.name for each in known}


@pytest.mark.parametrize("left", ["garbage", "no file"])
def test_a_folder_that_is_not_there_is_no_proof_of_removal(ws, tmp_path, capsys, left):
    assert doctor.keep_copy(ws) is not None
    folder = datasets.dataset(ws, "two").directory
    file = closed(ws)
    file.unlink() if left == "no file" else file.write_bytes(GARBAGE)
    folder.rename(tmp_path / "unmounted")
    assert main(["doctor", "--restore"]) == 1, "one set is damaged"
    said = capsys.readouterr().out
    assert "The folder 2-two of “two” is not there. Whether the set was removed since" in said
    assert "is not known, so it is listed as damaged, with 600 answers" in said
    assert "`lnl remove two`" in said
    again = db.open_workspace()
    assert [info.name for info in datasets.datasets(again)] == ["one"]
    db.dispose(again)
    (tmp_path / "unmounted").rename(folder)
    assert main(["doctor", "--restore"]) == 0
    again = db.open_workspace()
    assert (answers(again), pixels(datasets.dataset(again, "two"))) == (600, [2])
    db.dispose(again)


def test_what_the_damaged_file_knows_of_as_removed_stays_removed(ws):
    """It can be read to its end and does not list the set; and the folder is gone."""
    assert doctor.keep_copy(ws) is not None
    datasets.remove(datasets.dataset(ws, "two"))
    closed(ws)
    again, said = restored(ws)
    assert "“two” is not listed again: it was removed before" in said
    assert listed(again) == {"one": "1-one"}
    assert datasets.broken(again) == []
    assert "1 data set and 0 answers." in said
    db.dispose(again)


def test_a_list_that_was_read_in_part_proves_no_removal(ws):
    assert doctor.keep_copy(ws) is not None
    shutil.rmtree(datasets.dataset(ws, "two").directory)
    spoilt(
        ws, "delete from datasets where id = 2", "update datasets set name = cast(x'ff' as text)"
    )
    again, said = restored(ws)
    assert listed(again) == {"one": "1-one", "two": "2-two"}
    assert "“two” is not there. Whether" in said
    db.dispose(again)


def test_a_damaged_file_older_than_the_copy_gives_nothing(ws):
    closed(ws)
    at(rescue._put_aside(ws, ws.home / "review.db"), "100000")
    again, _ = restored(ws)
    datasets.rename(datasets.dataset(again, "one"), "birds")
    datasets.remove(datasets.dataset(again, "two"))
    assert at(doctor.keep_copy(again), "110000")
    lost(again)
    again, said = restored(again)
    assert listed(again) == {"birds": "1-one"}
    assert "damaged-" not in said
    db.dispose(again)


def test_a_damaged_file_newer_than_the_copy_gives_what_came_since(ws):
    """A database that is lost soon after a restore: nothing of what that took over is lost."""
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    closed(ws)
    at(rescue._put_aside(ws, ws.home / "review.db"), "110000")
    (found,) = doctor.look().findings
    assert "whatever damaged-20260101-110000.db still gives" in found.remedy
    again, said = restored(ws)
    assert "605 answers, 2 data sets and 0 runs could be read of damaged-20260101-110000.db" in said
    assert answers(again) == 605
    closed(again).write_bytes(GARBAGE)  # now a file is there, and gives nothing
    again, _ = restored(again)
    assert answers(again) == 605
    db.dispose(again)


def test_a_set_has_its_last_name_by_its_folder_where_no_list_has_it(ws):
    """There are no removals and names newer than the file put aside but those on the disk."""
    closed(ws)
    at(rescue._put_aside(ws, ws.home / "review.db"), "100000")
    again, _ = restored(ws)
    datasets.rename(datasets.dataset(again, "one"), "birds")
    datasets.rename(datasets.dataset(again, "birds"), "one")
    datasets.rename(datasets.dataset(again, "two"), "bees")
    datasets.remove(datasets.dataset(again, "bees"))
    info = datasets.register(again, "three", write_set(ws.home / "three", 3))
    datasets.rename(info, "bees")
    lost(again)
    again, said = restored(again)
    assert listed(again) == {"one": "1-one", "two": "2-two", "bees": "3-three"}
    assert [each.name for each in datasets.broken(again)] == ["two"]
    assert "The folder 2-two of “two” is not there. Whether" in said
    db.dispose(again)


def test_a_name_that_a_folder_knows_is_taken_from_it(ws):
    at(doctor.keep_copy(ws), "100000")
    datasets.rename(datasets.dataset(ws, "two"), "bees")
    lost(ws)
    again, said = restored(ws)
    assert listed(again) == {"one": "1-one", "bees": "2-two"}
    assert "“two” is called “bees”, as its folder 2-two says" in said
    db.dispose(again)


def test_no_set_goes_because_another_has_its_name_since(ws):
    """Of a list that was read in part: the newer name is another's, the older set stays."""
    at(doctor.keep_copy(ws), "100000")
    datasets.rename(datasets.dataset(ws, "two"), "old")
    datasets.rename(datasets.dataset(ws, "one"), "two")
    spoilt(ws, "delete from datasets where id = 2")
    again, _ = restored(ws)
    assert listed(again) == {"two": "1-one", "old": "2-two"}
    assert answers(again) == 600
    db.dispose(again)


def test_numbers_of_two_sets_are_held_apart(ws):
    """A list where number 2 is another folder: the answers stay with their own set."""
    at(doctor.keep_copy(ws), "100000")
    spoilt(ws, "update datasets set folder = '2-other', name = 'other' where id = 2",
           "delete from decisions")  # fmt: skip
    shutil.copytree(ws.datasets_dir / "2-two", ws.datasets_dir / "2-other")
    again, _ = restored(ws)
    assert listed(again) == {"one": "1-one", "other": "2-other", "two": "2-two"}
    held = {each.name: len(list(decisions.history(each))) for each in datasets.datasets(again)}
    assert held == {"one": 0, "other": 0, "two": 600}
    db.dispose(again)


def test_a_set_that_a_whole_database_does_not_list_gets_its_answers_from_a_copy(ws, tmp_path):
    """Removed, and its folder brought back from a copy of the user's own."""
    people.set_role(ws, "ann", "owner")
    at(doctor.keep_copy(ws), "100000")
    folder = datasets.dataset(ws, "two").directory
    shutil.copytree(folder, tmp_path / "mine")
    datasets.remove(datasets.dataset(ws, "two"))
    people.set_role(ws, "ann", "reviewer")
    shutil.move(tmp_path / "mine", folder)
    assert doctor.restore() == [
        "“two” is listed again, from its folder 2-two, with 600 answers from "
        "review-daily-20260101-100000.db."
    ]
    assert answers(ws) == 600
    assert people.roles(ws)["ann"] == "reviewer", "only the set comes back"


def test_answers_whose_numbers_are_in_use_get_others_in_their_order(ws, tmp_path):
    info = datasets.dataset(ws, "two")
    answer(info, 3, "last")
    goals.add(info, "recall", 0.9, "ann")
    datasets.update_meta(info, additions=[{"first": info.n, "added_at": "2026", "after": [0, 600]}])
    before = [each.cid for each in decisions.history(info)]
    at(doctor.keep_copy(ws), "100000")
    shutil.copytree(info.directory, tmp_path / "mine")
    datasets.remove(info)
    spoilt(ws, "delete from sqlite_sequence")
    again = db.open_workspace()
    answer(datasets.dataset(again, "one"), 3)
    shutil.move(tmp_path / "mine", info.directory)
    (said,) = doctor.restore()
    assert "“two” is listed again, from its folder 2-two, with 603 answers from" in said
    assert answers(again) == 606
    info = datasets.dataset(again, "two")
    assert [each.cid for each in decisions.history(info)] == before
    (goal,) = goals.goals(info)
    with db.reading(again) as connection:
        query = "select max(id) from decisions where dataset_id = 2"
        last = connection.exec_driver_sql(query).scalar()
    assert goal.last_decision == last
    assert info.grown_after == ((0, last - 3),)
    assert "names the old ones" in said


def test_roles_states_and_runs_are_those_of_the_newest_file(ws):
    people.set_role(ws, "ann", "reviewer")
    columns = "insert into jobs (id, dataset_id, method, preset, state, created_at) values"
    with db.transaction(ws) as connection:
        for number in (1, 2, 3):
            words = f"{columns} ({number}, 2, 'knn', 'quick', 'running', '2026')"
            connection.exec_driver_sql(words)
    at(doctor.keep_copy(ws), "100000")
    people.set_role(ws, "ann", "owner")
    kept = datasets.dataset(ws, "two").directory / "runs" / "3"
    kept.mkdir(parents=True)
    spoilt(ws, "update jobs set state = 'done' where id = 1", "delete from jobs where id > 1")
    again, _ = restored(ws)
    with db.reading(again) as connection:
        states = connection.exec_driver_sql("select id, state from jobs").all()
    assert states == [(1, "done"), (3, "failed")], "run 2 was removed, and its folder is gone"
    assert people.roles(again)["ann"] == "owner"
    db.dispose(again)


def test_a_newer_copy_that_is_damaged_gives_what_it_can(ws):
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    torn = at(db.backup(ws, "daily"), "110000")
    with closing(sqlite3.connect(torn)) as connection:
        query = "select rootpage from sqlite_master where name = 'decisions_current'"
        (page,) = connection.execute(query).fetchone()
    with torn.open("r+b") as stream:
        stream.seek((page - 1) * 4096)
        stream.write(b"\xff" * 4096)
    assert order.answers_in(torn) is None
    lost(ws)
    again, said = restored(ws)
    assert "600 answers are taken from the copy review-daily-20260101-100000.db" in said
    assert answers(again) == 605
    db.dispose(again)


def pages(file, table):
    """Return the pages of a table that hold its rows; `dbstat` is not in every SQLite."""
    with closing(sqlite3.connect(file)) as connection:
        query = "select rootpage from sqlite_master where name = ?"
        (root,) = connection.execute(query, (table,)).fetchone()
        (size,) = connection.execute("pragma page_size").fetchone()
    raw = file.read_bytes()
    at = (root - 1) * size
    assert raw[at] == 5, "the rows are on more than one page, right below the first"
    count = int.from_bytes(raw[at + 3 : at + 5], "big")
    cells = [int.from_bytes(raw[at + 12 + 2 * i : at + 14 + 2 * i], "big") for i in range(count)]
    found = [int.from_bytes(raw[at + cell : at + cell + 4], "big") for cell in cells]
    return size, [*found, int.from_bytes(raw[at + 8 : at + 12], "big")]


@pytest.mark.parametrize("bad", [(0, 3), (1, 3, 4), (2, -1), (0, -1)])
def test_what_lies_between_two_bad_pages_is_read(ws, bad):
    file = closed(ws)
    size, leaves = pages(file, "decisions")
    assert len(leaves) > 6
    raw = bytearray(file.read_bytes())
    lost = 0
    for each in {leaves[i] for i in bad}:
        at = (each - 1) * size
        lost += int.from_bytes(raw[at + 3 : at + 5], "big")
        raw[at : at + size] = bytes(size)
    file.write_bytes(raw)
    again, said = restored(ws)
    assert answers(again) == 600 - lost, "nothing but what was on those pages"
    assert f"{600 - lost} answers, 2 data sets" in said
    db.dispose(again)


def test_a_row_whose_number_is_wrong_leads_past_no_others(ws):
    """It is the highest of all by what it says; then a bad page, a good one, a bad one."""
    file = closed(ws)
    size, leaves = pages(file, "decisions")
    raw = bytearray(file.read_bytes())
    page = (leaves[3] - 1) * size
    count = int.from_bytes(raw[page + 3 : page + 5], "big")
    cell = page + int.from_bytes(raw[page + 6 + 2 * count : page + 8 + 2 * count], "big")
    while raw[cell] > 127:  # the length, as many bytes as it takes
        cell += 1
    assert raw[cell + 1] > 127, "its number takes two bytes"
    raw[cell + 1 : cell + 3] = b"\xff\x7f"
    lost = 0
    for each in (leaves[4], leaves[6]):
        at = (each - 1) * size
        lost += int.from_bytes(raw[at + 3 : at + 5], "big")
        raw[at : at + size] = bytes(size)
    file.write_bytes(raw)
    again, _ = restored(ws)
    assert answers(again) == 600 - lost
    db.dispose(again)


def test_text_that_cannot_be_read_costs_its_own_row_alone(ws):
    bad = "cast(x'ff' || id as text)"
    spoilt(
        ws,
        f"update decisions set cid = {bad} where id in (5, 6, 300, 590)",
        "pragma writable_schema=on",  # a word of the table's own description, too
        "update sqlite_master set sql = replace(sql, 'BOOLEAN', cast(x'42ff' as text))"
        " where name = 'decisions'",
    )
    again, _ = restored(ws)
    assert answers(again) == 596
    db.dispose(again)


def test_a_gap_of_many_numbers_is_passed_and_nothing_near_its_ends_is_lost(ws):
    """Wide steps behind a fault turn back; a page that is bad before the gap costs its rows."""
    far = "update decisions set id = id + 1000000 where id > 300"
    file = spoilt(ws, far)
    size, leaves = pages(file, "decisions")
    raw = bytearray(file.read_bytes())
    at = (leaves[2] - 1) * size
    lost = int.from_bytes(raw[at + 3 : at + 5], "big")
    raw[at : at + size] = bytes(size)
    file.write_bytes(raw)
    again, _ = restored(ws)
    assert answers(again) == 600 - lost
    db.dispose(again)


@pytest.mark.parametrize("with_log", [False, True])
def test_a_file_that_lost_its_end_gives_what_is_left(ws, with_log):
    """SQLite itself refuses every statement to a file that is shorter than it says."""
    file = closed(ws)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("create table last (text)")
        connection.execute("insert into last values (zeroblob(40000))")
        connection.commit()
    file.write_bytes(file.read_bytes()[:-8192])
    if with_log:
        file.with_name("review.db-wal").write_bytes(b"")
    again, said = restored(ws)
    assert answers(again) == 600
    assert "600 answers, 2 data sets" in said
    db.dispose(again)


def test_a_log_that_is_left_alone_does_not_run_into_the_new_database(ws):
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    log = ws.home / "review.db-wal"
    shutil.copy(log, ws.home / "kept")
    lost(ws)
    (ws.home / "kept").rename(log)
    again, _ = restored(ws)
    assert rescue.problem(again) is None
    assert answers(again) == 600
    assert len(list((ws.home / "backups").glob("damaged-*.db-wal"))) == 1
    db.dispose(again)


def test_a_lost_database_with_copies_is_no_new_workspace(ws):
    """Sets on a disk that is not there: a new database would hide that there are answers."""
    assert doctor.keep_copy(ws) is not None
    lost(ws)
    shutil.rmtree(ws.datasets_dir)
    with pytest.raises(Damaged, match="there are copies of it"):
        db.open_workspace()
    assert not (ws.home / "review.db").exists()
    again, _ = restored(ws)
    assert sorted(each.name for each in datasets.broken(again)) == ["one", "two"]
    db.dispose(again)


def test_a_copy_of_an_older_schema_is_brought_up_to_date_and_not_copied_again(
    tmp_path, monkeypatch
):
    """Else that copy would count as newer than all that came after the first."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    monkeypatch.setenv("LNL_HOME", str(unpacked(tmp_path / "old")))
    old = db.located()
    at(db.backup(old, "0001"), "100000")
    lost(old)
    again, _ = restored(old)
    assert db.version(again) == db.HEAD
    assert [each.name for each in faults.backups(again)] == ["review-0001-20260101-100000.db"]
    db.dispose(again)


def test_killed_while_the_damaged_file_is_put_aside_nothing_is_lost(ws, tmp_path):
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    for end in ("", "-wal"):  # the answers are in the log
        shutil.copy(ws.home / f"review.db{end}", tmp_path / f"kept{end}")
    db.dispose(ws)

    def prepare():
        for each in [*ws.home.glob("review.db*"), *(ws.home / "backups").glob("damaged-*")]:
            each.unlink()
        for end in ("", "-wal"):
            shutil.copy(tmp_path / f"kept{end}", ws.home / f"review.db{end}")
        return ws

    def act(_):
        rescue._put_aside(ws, ws.home / "review.db")

    def check(*_):
        again, _ = restored(ws)
        assert (answers(again), rescue.problem(again)) == (605, None)
        closed(again)

    assert killed_at_every_step(prepare, act, check) >= 4
