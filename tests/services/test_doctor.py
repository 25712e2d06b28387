"""The doctor says what is damaged, where its copies are, and restores what can be."""

import json
import random
import shutil
import sqlite3

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.jobs import queue
from lnl_core.services import doctor
from lnl_core.store import adopting, arrays, datasets, db, decisions, faults, looks, rescue
from lnl_core.types import Action, Damaged, Decision, LnlError, Signals
from tests.old_workspace import unpacked
from tests.store.test_crash_order import pixels, write_set
from tests.store.test_faults import closed, rank, spoil


@pytest.fixture
def ws(tmp_path, monkeypatch):
    """Two sets, of them “two” with 600 answers; `LNL_HOME` names the workspace."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    monkeypatch.setenv("LNL_HOME", str(tmp_path / "home"))
    ws = db.open_workspace()
    datasets.register(ws, "one", write_set(tmp_path / "one", 1))
    info = datasets.register(ws, "two", write_set(tmp_path / "two", 2))
    answer(info, 600)
    yield ws
    db.dispose(ws)


def answer(info, count, cid="a"):
    said = [
        Decision(i % 2, Action.KEEP, "ann", given_label=i % 2, cid=f"{cid}{i}")
        for i in range(count)
    ]
    decisions.append(info, said)


def answers(ws):
    return sum(len(list(decisions.history(info))) for info in datasets.datasets(ws))


def doctored():
    """Restore, and open what came of it."""
    said = doctor.restore()
    assert doctor.look().findings == ()
    return db.open_workspace(), said


def test_nothing_is_found_where_nothing_is_wrong(ws, capsys):
    rank(datasets.dataset(ws, "two"), datasets.dataset(ws, "two").directory / "ranking")
    assert main(["doctor", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["findings"], said["copies"], said["read_only"]) == ([], [], False)
    assert doctor.restore() == []


@pytest.mark.parametrize("left", ["garbage", "nothing", "no file"])
def test_a_lost_database_comes_back_from_its_copy_and_the_folders(ws, tmp_path, left):
    assert doctor.keep_copy(ws) is not None
    answer(datasets.dataset(ws, "two"), 5, "later")
    datasets.register(ws, "three", write_set(tmp_path / "three", 3))
    file = closed(ws)
    if left == "no file":
        file.unlink()
    else:
        file.write_bytes(b"" if left == "nothing" else b"garbage " * 999)
    found = doctor.look()
    assert found.restorable
    assert [copy.answers for copy in found.copies] == [600]
    again, _ = doctored()
    known = {info.name: pixels(info) for info in datasets.datasets(again)}
    assert known == {"one": [1], "two": [2], "3-three".partition("-")[2]: [3]}
    assert answers(again) == 600
    if left == "garbage":
        (kept,) = (ws.home / "backups").glob("damaged-*.db")
        assert kept.read_bytes().startswith(b"garbage ")
    db.dispose(again)


def test_without_a_copy_the_sets_are_listed_again(ws):
    closed(ws).write_bytes(b"garbage " * 999)
    again, said = doctored()
    assert sorted(info.name for info in datasets.datasets(again)) == ["one", "two"]
    assert answers(again) == 0
    assert any("“two” is listed again" in each for each in said)
    assert any("No copy could be taken" in each for each in said), "what is lost is said"
    db.dispose(again)


def test_one_set_and_one_answer_are_said_as_one(ws, capsys):
    info = datasets.dataset(ws, "one")
    datasets.remove(datasets.dataset(ws, "two"))
    answer(info, 1)
    assert doctor.keep_copy(ws) is not None
    closed(ws).write_bytes(b"garbage " * 999)
    assert main(["doctor", "--restore"]) == 0
    said = capsys.readouterr().out
    assert "1 answer is taken from the copy" in said
    assert "whole again, with 1 data set and 1 answer." in said


def test_a_command_to_be_copied_ends_before_the_full_stop(ws, tmp_path, capsys):
    datasets.update_meta(datasets.dataset(ws, "one"), root=str(tmp_path / "gone"))
    main(["doctor"])
    assert "If they have moved: `lnl relink one ROOT`." in capsys.readouterr().out


def test_a_damaged_database_says_what_comes_back_before_it_is_restored(ws, capsys):
    copy = doctor.keep_copy(ws)
    closed(ws).write_bytes(b"garbage " * 999)
    assert main(["doctor"]) == 1
    said = capsys.readouterr().out
    assert f"600 answers of the copy {copy.name}, 2 data sets from the folders" in said
    assert main(["doctor", "--restore"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("Restored:\n  600 answers are taken from the copy")
    assert "No copy could be taken" not in said


def test_a_damaged_list_of_copies_is_one_finding_that_can_be_mended(ws):
    info = datasets.dataset(ws, "two")
    (info.directory / "copies.npy").write_text("x")
    (found,) = doctor.look().findings
    assert found.restorable
    assert "is damaged" in found.problem
    doctored()


def test_a_restoring_that_does_not_come_about_leaves_nothing_behind(ws, monkeypatch):
    file = closed(ws)
    file.write_bytes(b"garbage " * 999)
    before = sorted(path.name for path in ws.home.iterdir())

    def full(*told):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(adopting, "adopt", full)
    with pytest.raises(LnlError):
        doctor.restore()
    after = {path.name for path in ws.home.iterdir()} - {"backups"}
    assert after == set(before) - {"backups"}


def test_what_a_damaged_database_still_gives_is_not_lost(ws):
    """Pages overwritten at random: every answer comes from the copy, or from what can be read."""
    assert doctor.keep_copy(ws) is not None
    answer(datasets.dataset(ws, "two"), 400, "later")
    file = closed(ws)
    whole = file.read_bytes()
    chance, saved = random.Random(3), []
    for _ in range(4):
        data = bytearray(whole)
        at = 4096 * chance.randrange(3, len(data) // 4096)
        data[at : at + 4096] = bytes(chance.randrange(256) for _ in range(4096))
        file.write_bytes(data)
        if isinstance(rescue.problem(ws), Damaged):
            again, _ = doctored()
            saved.append(answers(again))
            db.dispose(again)
        for aside in (ws.home / "backups").glob("damaged-*"):
            aside.unlink()  # each damage by itself
    assert saved
    assert min(saved) >= 600
    assert max(saved) > 800


@pytest.mark.parametrize(
    ("sql", "lost"),
    [
        ("drop table decisions", "the table decisions"),
        ("alter table decisions drop column seconds", "the column seconds of the table decisions"),
    ],
)
def test_a_lost_part_of_the_schema_is_a_finding_and_comes_back_from_the_copy(ws, sql, lost):
    doctor.keep_copy(ws)
    connection = sqlite3.connect(closed(ws))
    connection.execute(sql)
    connection.commit()
    connection.close()
    (finding,) = doctor.look().findings
    assert (finding.place, finding.restorable) == ("database", True)
    assert f"lacks {lost}." in finding.problem
    again, _ = doctored()
    assert answers(again) == 600
    db.dispose(again)


def test_runs_that_ended_after_the_copy_are_said_and_taken_in_without_computing(ws):
    info = datasets.dataset(ws, "two")
    jobs = [queue.submit(info, "probe"), queue.submit(info, "ce")]
    assert doctor.keep_copy(ws) is not None
    probs = np.full((info.n, len(info.class_names)), 1 / len(info.class_names), np.float32)
    signals = Signals(
        "probe", pred_probs=probs, suspicion=np.linspace(0, 1, info.n, dtype=np.float32)
    )
    arrays.save_signals(queue.run_dir(ws, jobs[0]), signals)
    closed(ws).write_bytes(b"garbage" * 1000)
    again, said = doctored()
    (told,) = [each for each in said if "had ended" in each]
    assert "“two”: 1 run shown as interrupted had ended, and its results are there" in told
    assert "`lnl run two --resume` takes it in without computing anew" in told
    db.dispose(again)


def test_rows_that_are_no_answers_are_not_taken_over(ws):
    file = closed(ws)
    with sqlite3.connect(file) as connection:
        connection.execute("update decisions set action = 'kep' where id = 3")
        connection.execute("drop table audit_draws")
    connection.close()
    rescue.restore(ws)
    again = db.open_workspace()
    assert answers(again) == 599
    db.dispose(again)


def test_a_damaged_meta_comes_back_with_its_guides(ws, capsys):
    info = datasets.dataset(ws, "two")
    datasets.update_meta(info, guides={"left": "points left"})
    (info.directory / "meta.json").write_text("{")
    assert main(["status"]) == 0  # the other set is shown
    shown = capsys.readouterr()
    assert "one: 4 images" in shown.out
    assert "two: " in shown.err
    assert "lnl doctor" in shown.err
    assert main(["doctor"]) == 1
    assert main(["doctor", "--restore"]) == 0
    assert datasets.read_meta(datasets.dataset(ws, "two"))["guides"] == {"left": "points left"}


def test_a_set_that_cannot_come_back_can_be_removed(ws, capsys):
    info = datasets.dataset(ws, "two")
    for name in (datasets.META, datasets.META_COPY):
        (info.directory / name).unlink()
    assert [each.restorable for each in doctor.look().findings] == [False]
    assert main(["remove", "two"]) == 1
    assert main(["remove", "two", "--yes"]) == 0
    assert doctor.look().findings == ()
    assert not info.directory.exists()


def test_an_earlier_ranking_stands_in_for_a_damaged_one(ws):
    info = datasets.dataset(ws, "two")
    folder = info.directory / "ranking"
    rank(info, folder)
    first = arrays.ranking_version(folder)
    rank(info, folder)
    spoil(folder / arrays.ranking_version(folder) / "order.npy", "cut")
    assert [each.restorable for each in doctor.look().findings] == [True]
    doctor.restore()
    assert arrays.ranking_version(folder) == first
    spoil(folder / first / "order.npy", "cut")
    doctor.restore()
    assert arrays.load_ranking(folder) is None


@pytest.mark.parametrize("name", ["images.npy", "given_labels.npy", "table.parquet"])
def test_lost_pixels_and_labels_are_said(ws, name):
    info = datasets.dataset(ws, "one")
    spoil(info.directory / name, "cut")
    (found,) = doctor.look().findings
    assert (found.place, found.restorable) == ("one", False)
    assert name in found.problem
    assert "import the set again" in found.remedy
    assert "cut off" in found.problem
    assert "pickle" not in found.problem
    assert "lnl doctor" not in found.problem, "the doctor does not send anybody to the doctor"


def test_a_daily_copy_is_made_once_a_day_whatever_the_clock_does(ws, monkeypatch):
    first = doctor.keep_copy(ws)
    assert first is not None
    assert doctor.keep_copy(ws) is None
    for number in range(12):
        old = first.with_name(f"review-daily-202501{number + 10}-000000.db")
        shutil.copy(first, old)
    first.rename(first.with_name("review-daily-20990101-000000.db"))  # made before a jump back
    assert doctor.keep_copy(ws) is not None
    assert len(list((ws.home / "backups").glob("review-daily-*.db"))) == rescue.KEPT


def test_of_daily_copies_the_oldest_go_whatever_their_names_say(ws):
    first = doctor.keep_copy(ws)
    first.rename(first.with_name("review-daily-20990101-000000.db"))
    answer(datasets.dataset(ws, "two"), 5, "later")
    for day in range(rescue.KEPT - 1):
        copy = db.backup(ws, "daily")
        copy.rename(copy.with_name(f"review-daily-2025010{day + 1}-000000.db"))
    assert doctor.keep_copy(ws) is not None
    kept = [each.name for each in faults.backups(ws)]
    assert len(kept) == rescue.KEPT
    assert "review-daily-20990101-000000.db" not in kept


def test_a_database_on_a_server_is_left_to_its_own_tools(ws):
    with pytest.raises(LnlError, match="on a server"):
        rescue.restore(db.Workspace(ws.home, "postgresql+psycopg://nobody@/none"))


def test_originals_that_are_gone_are_said(ws, tmp_path):
    info = datasets.dataset(ws, "one")
    datasets.update_meta(info, root=str(tmp_path / "gone"))
    (found,) = doctor.look().findings
    assert "originals are not at" in found.problem
    assert found.remedy.endswith("`lnl relink one ROOT`")
    assert np.asarray(datasets.load(datasets.dataset(ws, "one")).images).shape == (4, 8, 8, 1)


def test_hidden_looks_come_back_with_their_person_and_what_belongs_to_no_set_does_not(ws):
    """Looks later than the copy, of somebody whom nothing else names; one of a set that is gone."""
    info = datasets.dataset(ws, "two")
    assert doctor.keep_copy(ws) is not None
    made = [
        Decision(i, Action.KEEP, "eve", given_label=i, cid=f"l{i}", route=route, mode="blind")
        for i, route in enumerate(("gold", "control"))
    ]
    looks.append(info, made)
    before = looks.every(info)
    assert answers(ws) == 600
    file = closed(ws)
    with sqlite3.connect(file) as connection:
        connection.execute("delete from reviewers where name = 'eve'")
        connection.execute(
            "insert into looks (dataset_id, row, reviewer, route, action, labels, cid, decided_at,"
            " mode) select 77, row, 'nobody', route, action, labels, 'gone', decided_at, mode"
            " from looks limit 1"
        )
    connection.close()
    rescue.restore(ws)
    again = db.open_workspace()
    assert looks.every(datasets.dataset(again, "two")) == before
    assert looks.answers_ever(datasets.dataset(again, "two"), "eve") == 2
    with db.reading(again) as connection:
        rows = connection.exec_driver_sql("select distinct dataset_id from looks").all()
        names = {name for (name,) in connection.exec_driver_sql("select name from reviewers")}
    assert rows == [(info.id,)]
    assert "eve" in names
    assert answers(again) == 600
    db.dispose(again)


@pytest.mark.parametrize("there", ["no folder", "an empty folder", "an empty file"])
@pytest.mark.parametrize("words", [["doctor"], ["doctor", "--restore"]])
def test_a_workspace_that_is_not_there_is_said_and_not_made(
    tmp_path, monkeypatch, capsys, there, words
):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    home = tmp_path / "mistyped"
    monkeypatch.setenv("LNL_HOME", str(home))
    if there != "no folder":
        home.mkdir()
    if there == "an empty file":
        (home / "review.db").touch()
    before = sorted(tmp_path.rglob("*"))
    assert main(words) == 1
    shown = capsys.readouterr()
    assert f"There is no workspace at {home}" in shown.out + shown.err
    assert "nothing is damaged" not in shown.out
    assert sorted(tmp_path.rglob("*")) == before


def test_the_database_of_a_workspace_with_copies_is_missed(ws):
    assert doctor.keep_copy(ws) is not None
    closed(ws).unlink()
    shutil.rmtree(ws.datasets_dir)
    (found,) = doctor.look().findings
    assert found.restorable
    assert "review.db is missing" in found.problem


def test_an_older_schema_is_said_and_brought_up_to_date_by_restoring_alone(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    monkeypatch.setenv("LNL_HOME", str(unpacked(tmp_path / "old")))
    ws = db.located()
    schema = db.version(ws)
    assert schema < db.HEAD
    assert main(["doctor"]) == 1
    assert f"an earlier LNL Review (schema {schema}" in capsys.readouterr().out
    assert db.version(ws) == schema
    assert faults.backups(ws) == []
    doctor.restore()
    assert db.version(ws) == db.HEAD
    assert [copy.name[:11] for copy in faults.backups(ws)] == [f"review-{schema}"]
    assert "earlier LNL Review" not in str(doctor.look().findings)
    db.dispose(ws)


def test_a_set_that_lost_its_folder_stays_listed_while_the_damaged_file_names_it(ws):
    assert doctor.keep_copy(ws) is not None
    shutil.rmtree(datasets.dataset(ws, "two").directory)
    closed(ws)
    assert not any("not listed again" in each for each in rescue.restore(ws))
    again = db.open_workspace()
    assert [each.name for each in datasets.broken(again)] == ["two"]
    with db.reading(again) as connection:
        assert connection.exec_driver_sql("select count(*) from decisions").scalar() == 600
    db.dispose(again)
