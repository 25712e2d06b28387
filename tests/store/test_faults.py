"""Whatever is wrong with a workspace is said in words that name the place and the remedy."""

import io
import os
import pickle
import random
import shutil
import sqlite3
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lnl_core.services import doctor
from lnl_core.services.datasets import catalog, incoming
from lnl_core.services.review import desk, holding
from lnl_core.store import (
    arrays,
    audits,
    checkpoint,
    datasets,
    db,
    decisions,
    leases,
)
from lnl_core.types import (
    Action,
    Busy,
    Damaged,
    Decision,
    LnlError,
    Missing,
    ReadOnly,
    Signals,
)
from tests.conftest import write_dataset
from tests.store.test_crash_order import write_set


@pytest.fixture
def ws(tmp_path, monkeypatch):
    """A workspace in SQLite with the set “two” and twenty answers."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = db.open_workspace(tmp_path / "home")
    info = datasets.register(ws, "two", write_set(tmp_path / "two", 3))
    said = [Decision(i % 2, Action.KEEP, "ann", given_label=i % 2) for i in range(20)]
    decisions.append(info, said)
    yield ws
    db.dispose(ws)


def closed(ws):
    """Close a workspace as its last program does: everything is in the one file."""
    db.dispose(ws)
    with sqlite3.connect(ws.home / "review.db") as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("pragma journal_mode=delete")
    connection.close()
    return ws.home / "review.db"


def looked_at(home):
    """Read all that a page reads; return how many answers there are."""
    ws = db.open_workspace(home)
    try:
        return sum(len(list(decisions.history(info))) for info in datasets.datasets(ws))
    finally:
        db.dispose(ws)


# The database ---------------------------------------------------------------------------------


def test_garbage_is_named_with_its_copies_and_the_remedy(ws):
    copy = db.backup(ws, "0004")
    closed(ws).write_bytes(b"not a database at all" * 400)
    with pytest.raises(Damaged, match="is no database") as told:
        looked_at(ws.home)
    assert str(ws.home / "review.db") in str(told.value)
    assert copy.name in str(told.value)
    assert "lnl doctor --restore" in str(told.value)


@pytest.mark.parametrize("left", [b"", b"\0", b"\n", None])
def test_a_database_cut_to_nothing_is_no_new_workspace_while_sets_are_there(ws, left):
    """SQLite takes one byte for nothing, too."""
    file = closed(ws)
    file.unlink()
    if left is not None:
        file.write_bytes(left)
    with pytest.raises(Damaged, match="1 data set is in"):
        looked_at(ws.home)
    assert (file.read_bytes() if file.is_file() else None) == left, "it was left as it is"


def test_a_database_outside_the_home_that_is_gone_is_not_made_anew(ws, tmp_path):
    url = f"sqlite:///{tmp_path / 'disk' / 'my.db'}"
    (tmp_path / "disk").mkdir()
    closed(ws).unlink()
    with pytest.raises(Damaged, match=r"my\.db is missing, and 1 data set is in"):
        db.open_workspace(ws.home, url)
    assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize("copied", [False, True])
def test_another_programs_database_is_neither_written_nor_put_aside(ws, copied, tmp_path):
    """Nobody's address is always right: the other program may have it open."""
    if copied:
        db.backup(ws, "0004")
    file = closed(ws)
    file.unlink()
    with sqlite3.connect(file) as other:
        other.execute("create table notes (a)")
    other.close()
    before = file.read_bytes()
    for act in (looked_at, doctor.restore):
        with pytest.raises(LnlError, match="another program's: it holds nothing of a workspace"):
            act(ws.home)
    (found,) = doctor.look(ws.home).findings
    assert not found.restorable
    with pytest.raises(LnlError, match="Correct LNL_DATABASE_URL"):
        db.open_workspace(tmp_path / "new", ws.url)
    assert file.read_bytes() == before
    file.rename(tmp_path / "notes.db")
    said = doctor.restore(ws.home)
    assert "1 data set and" in " ".join(said)
    assert looked_at(ws.home) == (20 if copied else 0)


def test_a_folder_in_the_databases_place_is_said_and_left(ws):
    file = closed(ws)
    file.unlink()
    file.mkdir()
    for act in (looked_at, doctor.restore):
        with pytest.raises(LnlError, match="is a folder, and the database belongs there"):
            act(ws.home)
    (found,) = doctor.look(ws.home).findings
    assert not found.restorable
    file.rmdir()
    doctor.restore(ws.home)
    assert looked_at(ws.home) == 0


def test_cut_anywhere_or_changed_it_is_read_or_refused(ws, tmp_path):
    """Never an error of SQLite's or SQLAlchemy's own."""
    whole = closed(ws).read_bytes()
    chance = random.Random(0)
    cuts = [whole[: chance.randrange(1, len(whole))] for _ in range(30)]
    changed = []
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(40):
            data[chance.randrange(len(data))] = chance.randrange(256)
        changed.append(bytes(data))
    refused = 0
    for data in cuts + changed:
        (ws.home / "review.db").write_bytes(data)
        try:
            looked_at(ws.home)
        except LnlError as error:
            refused += str(ws.home / "review.db") in str(error)
    assert refused > 30


def test_a_missing_table_is_damage(ws):
    with db.transaction(ws) as connection:
        connection.exec_driver_sql("drop table decisions")
    with pytest.raises(Damaged, match="no such table"):
        decisions.reviewed(datasets.dataset(ws, "two"))


def test_while_another_program_writes_the_queue_is_read_and_saving_says_who_waits(ws, monkeypatch):
    decisions.add_reviewer(ws, "cleo")
    patience = []
    begun = db.transaction

    def counted(workspace, seconds=db.PATIENCE):
        patience.append(seconds)
        return begun(workspace, seconds)

    for each in (audits, datasets, decisions, leases):
        monkeypatch.setattr(each, "transaction", counted)
    info = datasets.dataset(ws, "two")
    folder = info.directory / "ranking"
    rank(info, folder)
    with sqlite3.connect(ws.home / "review.db", isolation_level=None) as other:
        other.execute("begin immediate")
        state = desk.review_state(info, "bob")
        assert state.ready
        assert desk.page_state(info, "bob").ready
        assert desk.review_state(info, "cleo", tab="hers").items, "said that nothing is left"
        assert desk.page_states(info, "cleo", tab="hers")[0].items
        assert holding.give_back(ws, "hers") == 0
        assert [card.info.name for card in catalog.overview(ws)] == ["two"]
        with pytest.raises(Busy, match="held by another program"), db.transaction(ws, 0.01):
            pass
        other.execute("rollback")
    other.close()
    assert patience, "nothing was tried, so it proves little"
    assert max(patience) <= holding.FIRST, "a page that only reads waited for the lock"
    assert desk.review_state(info, "bob").items
    with db.transaction(ws, 0.01):
        pass


class Outrun(sqlite3.Connection):
    """A connection that always comes late: before each try another commits and takes the lock."""

    other, tries = None, 0

    def execute(self, sql, *more):
        if sql == "BEGIN IMMEDIATE":
            self.tries += 1
            self.other.execute("insert into turns values (1)")
            self.other.execute("commit")
            self.other.execute("begin immediate")
        return super().execute(sql, *more)


@pytest.mark.parametrize(("patience", "tries"), [(0.5, 4), (15.0, 16)])
def test_who_has_little_patience_waits_less_for_those_who_take_turns(
    tmp_path, monkeypatch, patience, tries
):
    seconds = iter(range(1000))  # each try takes one
    monkeypatch.setattr(db, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    late = sqlite3.connect(tmp_path / "a.db", factory=Outrun, isolation_level=None, timeout=0)
    late.other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    late.other.execute("pragma journal_mode=wal")
    late.other.execute("create table turns (a)")
    late.other.execute("begin immediate")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        db._begin(late, patience)
    assert late.tries == tries
    late.close()
    late.other.close()


def rank(info, folder):
    from lnl_core.types import Ranking

    ranking = Ranking(
        methods=("probe",),
        weights={"probe": 1.0},
        noise_rate=0.1,
        suspicion=np.linspace(0.1, 0.9, 4),
        p_wrong=np.linspace(0.1, 0.9, 4),
        suggested_labels=np.array([1, 0, 1, 0]),
        top_labels=np.array([[1], [0], [1], [0]]),
        top_probs=np.full((4, 1), 0.5),
        order=np.array([3, 2, 1, 0]),
        transition_matrix=np.eye(2),
    )
    arrays.save_ranking(folder, ranking, {"probe": 1})


def test_a_full_disk_is_said_and_nothing_is_lost(ws):
    info = datasets.dataset(ws, "two")
    many = [Decision(i % 4, Action.KEEP, "ann", mode="x" * 20) for i in range(5000)]
    with db.transaction(ws) as connection:
        pages = connection.exec_driver_sql("pragma page_count").scalar()
        connection.exec_driver_sql(f"pragma max_page_count={pages}")
    with pytest.raises(LnlError, match="is full; nothing was changed"):
        decisions.append(info, many)
    assert len(list(decisions.history(info))) == 20


# Looking without the right to write -----------------------------------------------------------


def as_a_stranger(home, function):
    """Return what `function` returns in a process that may read the folder and not write it."""
    for folder, inner, files in os.walk(home):
        for name in [*inner, *files, ""]:
            path = Path(folder, name)
            path.chmod(0o555 if path.is_dir() else 0o444)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            said = function()
        except BaseException as error:
            said = error
        os.write(writer, pickle.dumps(said))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        said = pickle.loads(stream.read())
    os.waitpid(child, 0)
    if isinstance(said, BaseException):
        raise said
    return said


@pytest.fixture
def open_home(ws):
    """A copy of the workspace where everybody may look."""
    closed(ws)
    with tempfile.TemporaryDirectory(prefix="lnl-") as folder:
        os.chmod(folder, 0o755)
        shutil.copytree(ws.home, Path(folder, "home"))
        yield Path(folder, "home")
        os.chmod(Path(folder, "home"), 0o755)


def test_a_workspace_that_is_read_only_is_readable_and_says_so(open_home):
    def look():
        ws = db.open_workspace(open_home)
        info = datasets.dataset(ws, "two")
        try:
            decisions.append(info, [Decision(0, Action.KEEP, "bob")])
        except ReadOnly as error:
            words = str(error)
        pixels = int(datasets.load(info).images[0, 0, 0, 0])
        left = len(desk.review_state(info, "bob").recent)
        return db.is_read_only(ws), len(list(decisions.history(info))), pixels, left, words

    read_only, answers, pixels, recent, words = as_a_stranger(open_home, look)
    assert (read_only, answers, pixels, recent) == (True, 20, 3, 0)
    assert "Nothing can be saved" in words
    assert str(open_home) in words


@pytest.mark.parametrize("act", ["import", "demo", "upload", "remove", "rename"])
def test_what_would_write_into_a_read_only_workspace_is_refused_in_its_words(open_home, act):
    def change():
        ws = db.open_workspace(open_home)
        info = datasets.dataset(ws, "two")
        acts = {
            "import": lambda: catalog.import_dataset(ws, Path("anything.csv"), "three"),
            "demo": lambda: catalog.add_demo(ws, catalog.DEMOS[0]),
            "upload": lambda: incoming.keep_upload(ws, io.BytesIO(b"x"), "x.npz"),
            "remove": lambda: datasets.remove(info),
            "rename": lambda: datasets.rename(info, "three"),
        }
        with pytest.raises(ReadOnly, match=r"can be read only\. Make it writable") as told:
            acts[act]()
        return str(told.value)

    from lnl_core.data import digits, photographs  # noqa: F401 - a stranger may not read them

    assert str(open_home) in as_a_stranger(open_home, change)


def test_answers_in_the_log_of_a_read_only_workspace_are_seen(open_home):
    with sqlite3.connect(open_home / "review.db", isolation_level=None) as other:
        other.execute("pragma journal_mode=wal")
        other.execute("pragma wal_autocheckpoint=0")
        other.execute("insert into reviewers (name, created_at) values ('late', '2099')")
        for end in ("", "-wal"):
            shutil.copy(open_home / f"review.db{end}", open_home / f"kept{end}")
    other.close()
    for end in ("", "-wal"):
        os.replace(open_home / f"kept{end}", open_home / f"review.db{end}")
    names = as_a_stranger(open_home, lambda: decisions.reviewers(db.open_workspace(open_home)))
    assert names == ["ann", "late"]


# Files beside it ------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["cut", "garbage", "gone"])
def test_one_set_that_is_damaged_takes_no_other_down(ws, tmp_path, change):
    datasets.register(ws, "other", write_set(tmp_path / "other", 5))
    meta = datasets.dataset(ws, "two").directory / "meta.json"
    if change == "gone":
        meta.unlink()
    else:
        meta.write_text(meta.read_text()[:40] if change == "cut" else "\0\1[]")
    assert [info.name for info in datasets.datasets(ws)] == ["other"]
    (broken,) = datasets.broken(ws)
    assert broken.name == "two"
    assert "meta.json is" in broken.problem
    with pytest.raises(Damaged, match="lnl doctor"):
        datasets.dataset(ws, "two")
    with pytest.raises(LnlError, match="no data set named"):
        datasets.dataset(ws, "tow")


def saved_run(folder):
    signals = Signals(
        "knn", np.array([0.25, 1.0]), np.eye(2), np.ones((2, 3)), {"loss": np.ones(2)}, {}, {}
    )
    arrays.save_signals(folder, signals)
    return sorted(folder.iterdir())


@pytest.mark.parametrize("change", ["cut", "empty", "garbage", "gone"])
def test_every_file_of_a_run_that_is_damaged_is_named(tmp_path, change):
    for number in range(len(saved_run(tmp_path / "first"))):
        folder = tmp_path / f"{change}-{number}"
        file = saved_run(folder)[number]
        spoil(file, change)
        with pytest.raises(LnlError) as told:
            arrays.load_signals(folder)
        assert f"{folder.name}/{file.name}" in str(told.value) or "no finished" in str(told.value)


def spoil(file, change):
    data = file.read_bytes()
    if change == "gone":
        file.unlink()
    elif change == "garbage":
        file.write_bytes(bytes(reversed(data)))
    else:
        file.write_bytes(data[: len(data) // 2] if change == "cut" else b"")


@pytest.mark.parametrize("change", ["cut", "empty", "garbage", "gone"])
@pytest.mark.parametrize("name", ["images.npy", "table.parquet", "given_labels.npy"])
def test_every_file_of_a_set_that_is_damaged_is_named(ws, change, name):
    info = datasets.dataset(ws, "two")
    spoil(info.directory / name, change)
    with pytest.raises(Missing if change == "gone" else Damaged, match=name):
        datasets.load(info)


def test_a_damaged_checkpoint_is_named_and_a_run_begins_anew(tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save_checkpoint(path, {"w": np.ones(3)}, {"epoch": 3})
    assert checkpoint.usable_checkpoint(path)[1] == {"epoch": 3}
    spoil(path, "cut")
    with pytest.raises(Damaged, match="safetensors is damaged"):
        checkpoint.load_checkpoint(path)
    assert checkpoint.usable_checkpoint(path) is None


def test_a_set_of_labels_that_do_not_fit_is_damaged(ws, tmp_path):
    info = datasets.dataset(ws, "two")
    other = tmp_path / "longer"
    other.mkdir()
    write_dataset(other, np.zeros((9, 8, 8, 1), np.uint8), [0] * 9, ["left", "right"])
    shutil.copy(other / "given_labels.npy", info.directory)
    with pytest.raises(Damaged, match=info.directory.name):
        datasets.load(info)
