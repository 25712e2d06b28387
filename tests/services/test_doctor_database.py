"""What the doctor finds wrong with a database that opens, and that it never ends in a circle."""

import errno
import shutil
import sqlite3
from contextlib import closing
from threading import Barrier, Thread

import pytest

from lnl_core.cli import main
from lnl_core.records import NoRoom
from lnl_core.services import doctor
from lnl_core.services.team.roles import Role
from lnl_core.store import datasets, db, decisions, faults, order, people, possible, rescue
from lnl_core.types import Action, Damaged, Decision, LnlError
from tests.services.test_doctor import answer, answers, ws
from tests.services.test_restoring import GARBAGE, at, lost, pages, restored, spoilt
from tests.store.test_faults import closed

__all__ = ["ws"]


def whole(file):
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def flipped_in_index(file):
    """Flip a bit of bob's answer to image 3 in the index of what is in force, not in its table."""
    raw = bytearray(file.read_bytes())
    at = 0
    while (at := raw.find(b"bob", at + 1)) >= 0:
        if raw[at - 1] == 3 and raw[at - 2] == 2 and raw[at - 6] != 0:
            raw[at - 1] ^= 1
            file.write_bytes(raw)
            return
    raise AssertionError("no such cell")


def swapped(file, one, other):
    """Let the root pages of two indexes change places."""
    with closing(sqlite3.connect(file)) as connection:
        query = "select rootpage from sqlite_master where name = ?"
        first, second = (connection.execute(query, (n,)).fetchone()[0] - 1 for n in (one, other))
        (size,) = connection.execute("pragma page_size").fetchone()
    raw = bytearray(file.read_bytes())
    first, second = (slice(n * size, (n + 1) * size) for n in (first, second))
    raw[first], raw[second] = raw[second], raw[first]
    file.write_bytes(raw)


@pytest.mark.parametrize("where", ["file", "copy"])
def test_an_index_that_lacks_an_answer_is_found_and_made_anew(ws, where):
    info = datasets.dataset(ws, "two")
    said = [Decision(row, Action.RELABEL, "bob", label=0, cid=f"b{row}") for row in (3, 2)]
    decisions.append(info, said)
    before = decisions.in_force(info)
    copy = at(doctor.keep_copy(ws), "100000")
    file = closed(ws)
    flipped_in_index(file if where == "file" else copy)
    if where == "copy":
        file.write_bytes(GARBAGE)
    (found,) = doctor.look().findings
    assert found.restorable
    doctor.restore()
    assert whole(file)
    again = db.open_workspace()
    assert decisions.in_force(datasets.dataset(again, "two")) == before
    assert doctor.look().findings == ()
    db.dispose(again)


@pytest.mark.parametrize("with_copy", [True, False])
@pytest.mark.parametrize(
    "pair",
    [("jobs_dataset", "decisions_current"), ("sqlite_autoindex_leases_1", "decisions_recent")],
)
def test_pages_of_indexes_that_changed_places_end_in_no_circle(ws, pair, with_copy):
    if with_copy:
        swapped(at(doctor.keep_copy(ws), "100000"), *pair)
    swapped(closed(ws), *pair)
    assert any(each.restorable for each in doctor.look().findings)
    doctor.restore()
    assert doctor.look().findings == ()
    again = db.open_workspace()
    assert answers(again) == 600
    db.dispose(again)


def of_version(file, version):
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("update alembic_version set version_num = ?", (version,))
        connection.commit()


@pytest.mark.parametrize("version", ["9999", "000)", "0000"])
def test_a_copy_of_another_schema_is_no_base(ws, version, capsys):
    """One of a newer program is named and left alone, one of no program gives what it can."""
    older = at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 5, "later")
    newest = at(db.backup(ws, "daily"), "110000")
    of_version(newest, version)
    closed(ws).write_bytes(GARBAGE)
    newer = version == "9999"
    given = order.sources(ws, ws.home / "review.db")
    assert given == order.Sources(older, () if newer else (newest,), (), (newest,) if newer else ())
    main(["doctor"])
    shown = capsys.readouterr().out
    assert f"({'written by a newer LNL Review' if newer else 'damaged'})" in shown
    assert (f"Not taken: {newest.name}. A newer LNL Review wrote it" in shown) == newer
    said = "\n".join(doctor.restore())
    assert ("Not taken" in said) == newer
    again = db.open_workspace()
    assert answers(again) == 600 if newer else 605
    db.dispose(again)


@pytest.mark.parametrize("version", ["000)", "0000"])
def test_a_schema_that_no_program_has_is_damage(ws, version):
    of_version(closed(ws), version)
    with pytest.raises(Damaged, match="no program has"):
        db.open_workspace()
    (found,) = doctor.look().findings
    assert found.restorable
    doctor.restore()
    again = db.open_workspace()
    assert answers(again) == 600
    db.dispose(again)


@pytest.mark.parametrize(("name", "listed"), [("meta.json", 4), ("meta.copy.json", 4), ("", 0)])
def test_a_set_that_is_called_smaller_than_it_is_costs_no_answer(ws, name, listed):
    """One bit: its file, the copy of that, or the list says that it has no images."""
    directory = datasets.dataset(ws, "two").directory
    if name:
        text = (directory / name).read_text()
        (directory / name).write_text(text.replace('"n": 4', '"n": 0'))
        assert (directory / name).read_text() != text
    spoilt(ws, f"update datasets set n = {listed} where id = 2")
    assert not any(each.place == "database" for each in doctor.look().findings)
    said = doctor.restore()
    assert any("meta.json did not fit" in each for each in said) == (name == "meta.json")
    assert doctor.look().findings == ()
    again, _ = restored(ws)
    assert datasets.dataset(again, "two").n == 4
    assert answers(again) == 600
    db.dispose(again)


def test_a_disk_without_room_for_the_new_file_is_named(ws, monkeypatch, capsys):
    """As large as the copy: more than the little that is asked for before."""
    doctor.keep_copy(ws)
    closed(ws).write_bytes(GARBAGE)

    def full(source, target, **_):
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    with monkeypatch.context() as context:
        context.setattr(shutil, "copyfile", full)
        with pytest.raises(NoRoom, match="as much room as the database"):
            doctor.restore()
        assert main(["doctor", "--restore"]) == 1
    assert "unexpectedly" not in capsys.readouterr().err
    assert (ws.home / "review.db").read_bytes() == GARBAGE
    doctor.restore()


def test_a_database_elsewhere_that_is_gone_is_not_made_anew(ws, tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.move(closed(ws), elsewhere / "my.db")
    monkeypatch.setenv("LNL_DATABASE_URL", f"sqlite:///{elsewhere}/my.db")
    moved = db.open_workspace()
    assert doctor.keep_copy(moved) is not None
    db.dispose(moved)
    rescue._put_aside(moved, elsewhere / "my.db")
    with pytest.raises(Damaged, match="is missing, and 2 data sets are in"):
        db.open_workspace()
    assert not (elsewhere / "my.db").exists()
    doctor.restore()
    again = db.open_workspace()
    assert answers(again) == 600
    db.dispose(again)


def test_what_could_not_be_read_is_said(ws):
    """Answers by their numbers, and every table that has a page that cannot be read."""
    people.set_role(ws, "ann", "owner")
    at(doctor.keep_copy(ws), "100000")
    answer(datasets.dataset(ws, "two"), 400, "later")
    file = closed(ws)
    size, leaves = pages(file, "decisions")
    with closing(sqlite3.connect(file)) as connection:
        query = "select rootpage from sqlite_master where name = 'reviewers'"
        (reviewers,) = connection.execute(query).fetchone()
    raw = bytearray(file.read_bytes())
    for page in (*leaves[-4:-2], reviewers):
        raw[(page - 1) * size : page * size] = bytes(size)
    file.write_bytes(raw)
    again, said = restored(ws)
    gone = 1000 - answers(again)
    assert gone > 0
    assert f"Lost, by the numbers that were given: at most {gone} answers." in said
    lacks = "answers, reviewers with their roles and logins"
    assert "Not all of the damaged file could be read." in said
    assert f"It lacks some of these: {lacks}." in said
    assert "Look at everybody's role and login" in said
    assert people.roles(again)["ann"] == "owner", "the copy had it"
    db.dispose(again)


def test_a_file_that_can_be_read_to_its_end_lacks_nothing(ws):
    at(doctor.keep_copy(ws), "100000")
    spoilt(ws, "update decisions set row = 99 where id = 3", "delete from decisions where id = 4")
    _, said = restored(ws)
    assert "Not all of" not in said
    assert "Lost" not in said
    assert "role and login" not in said


def test_an_older_file_lacks_no_table_that_came_later(ws):
    spoilt(ws, "update alembic_version set version_num = '0008'", "drop table goals")
    _, said = restored(ws)
    assert "Not all of" not in said


def test_two_windows_that_restore_at_once_do_it_once(ws):
    at(doctor.keep_copy(ws), "100000")
    lost(ws)
    together, said = Barrier(2), list()

    def press():
        together.wait()
        try:
            said.append(doctor.restore())
        except LnlError as error:
            said.append(error)

    windows = [Thread(target=press) for _ in range(2)]
    for each in windows:
        each.start()
    for each in windows:
        each.join()
    assert sorted(map(bool, said)) == [False, True], said
    again = db.open_workspace()
    assert answers(again) == 600
    assert faults.set_aside(again) == []
    db.dispose(again)


@pytest.mark.parametrize(
    ("damage", "left"),
    [
        ("update reviewers set role = 'ownes'", 600),
        ("update decisions set given_label = 77 where cid = 'a11'", 600),
        ("update decisions set suggested_label = -3 where cid = 'a11'", 600),
        ("insert into goals (dataset_id, number, kind, value, set_at, last_decision)"
         " values (2, 1, 'ratf', 0.1, '2026', 600)", 600),
    ],
)  # fmt: skip
@pytest.mark.parametrize("with_copy", [True, False])
def test_a_word_or_class_that_stops_commands_is_found_and_costs_no_answer(
    ws, damage, left, with_copy
):
    people.set_role(ws, "ann", "owner")
    if with_copy:
        at(doctor.keep_copy(ws), "100000")
    spoilt(ws, damage)
    (found,) = doctor.look().findings
    assert "that cannot be true" in found.problem
    doctor.restore()
    assert doctor.look().findings == ()
    again = db.open_workspace()
    said = {each.cid: each for each in decisions.history(datasets.dataset(again, "two"))}
    assert len(said) == left
    assert said["a11"].suggested_label is None
    assert said["a11"].given_label == (1 if with_copy or "given" not in damage else None)
    assert people.roles(again)["ann"] == ("owner" if with_copy or "role" not in damage else None)
    db.dispose(again)


def test_the_roles_that_can_be_are_those_of_the_team():
    assert set(possible.ROLES) == set(Role)
