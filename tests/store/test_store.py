import json
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import InternalError

from lnl_core.store import arrays, checkpoint, datasets, db, decisions, schema
from lnl_core.types import Action, Decision, LnlError, Signals, TopProbs


def keep(row, reviewer="ann", **more):
    return Decision(row=row, action=Action.KEEP, reviewer=reviewer, **more)


def test_migrated_schema_is_the_declared_schema(workspace):
    with db.reading(workspace) as connection:
        inspector, dialect = inspect(connection), connection.dialect

        def word(kind):
            return kind.compile(dialect).replace("DOUBLE PRECISION", "FLOAT")

        for table in schema.metadata.sorted_tables:
            found = {
                c["name"]: (word(c["type"]), c["nullable"])
                for c in inspector.get_columns(table.name)
            }
            declared = {c.name: (word(c.type), bool(c.nullable)) for c in table.columns}
            assert found == declared, table.name
            assert {i["name"] for i in inspector.get_indexes(table.name)} >= {
                i.name for i in table.indexes
            }


def test_sqlite_is_durable_and_checks_foreign_keys(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = db.open_workspace(tmp_path)
    with db.reading(ws) as connection:
        ask = lambda name: connection.execute(text(f"pragma {name}")).scalar()  # noqa: E731
        assert ask("journal_mode") == "wal"
        assert ask("synchronous") == 2  # full
        assert ask("foreign_keys") == 1
    db.dispose(ws)


def test_backup_before_migration_and_newer_workspace_refused(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = db.open_workspace(tmp_path)
    db.dispose(ws)
    copy = db.backup(ws, db.HEAD)
    assert sqlite3.connect(copy).execute("select version_num from alembic_version").fetchone() == (
        db.HEAD,
    )
    with db.transaction(ws) as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    db.dispose(ws)
    with pytest.raises(LnlError, match="newer LNL Review"):
        db.open_workspace(tmp_path)


def test_a_reader_of_postgresql_sees_one_state_and_writes_nothing(postgresql, tmp_path):
    from tests import postgres

    ws = db.open_workspace(tmp_path, postgres.new_database(postgresql))
    count = select(func.count()).select_from(schema.reviewers)
    with db.reading(ws) as connection:
        assert connection.execute(count).scalar() == 0
        decisions.add_reviewer(ws, "ann")
        assert connection.execute(count).scalar() == 0
        with pytest.raises(InternalError, match="read-only"):
            connection.execute(schema.reviewers.delete())
    assert decisions.reviewers(ws) == ["ann"]
    assert db.backup(ws, "0001") is None
    db.dispose(ws)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://ann@host/lnl", "names “mysql”"),
        ("no url at all", "is no database URL"),
        ("postgresql://ann:secret@/lnl?host=/nowhere", "does not answer"),
    ],
)
def test_a_database_that_cannot_be_used_is_told_without_its_password(tmp_path, url, words):
    if "nowhere" in url:
        pytest.importorskip("psycopg", reason="psycopg is not installed: extra [postgres]")
    with pytest.raises(LnlError, match=words) as told:
        db.open_workspace(tmp_path, url)
    assert "secret" not in str(told.value)


def test_many_processes_may_migrate_at_once(postgresql, tmp_path):
    from tests import postgres

    url = postgres.new_database(postgresql)
    with db.transaction(db.open_workspace(tmp_path, url)) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: db.open_workspace(tmp_path, url), range(4)))
    assert {db.version(ws) for ws in opened} == {db.HEAD}
    db.dispose(opened[0])


def test_decisions_are_appended_and_the_latest_counts(workspace, tiny):
    decisions.append(tiny, [keep(4)])
    decisions.append(tiny, [Decision(4, Action.RELABEL, "ann", label=2), keep(4, "bob"), keep(7)])
    decisions.append(tiny, [Decision(7, Action.REOPEN, "ann")])
    found = decisions.in_force(tiny)
    assert [(d.reviewer, d.action, d.label) for d in found[4]] == [
        ("ann", "relabel", 2),
        ("bob", "keep", None),
    ]
    assert 7 not in found
    assert len(list(decisions.history(tiny))) == 5
    both = decisions.verdict(found[4])
    assert not both.agreed


def test_a_relabel_to_the_given_label_keeps_it(workspace, tiny):
    given = [int(label) for label in datasets.load(tiny).given_labels]
    said = [
        Decision(3, Action.RELABEL, "ann", label=given[3]),
        Decision(3, Action.KEEP, "bob"),
        Decision(4, Action.RELABEL, "ann", label=(given[4] + 1) % 3, given_label=given[4]),
    ]
    decisions.append(tiny, said)
    assert decisions.states(tiny) == [
        (3, "ann", Action.KEEP, None),
        (3, "bob", Action.KEEP, None),
        (4, "ann", Action.RELABEL, (given[4] + 1) % 3),
    ]
    both = decisions.in_force(tiny)[3]
    assert [(each.action, each.label) for each in both] == [(Action.KEEP, None)] * 2
    assert decisions.verdict(both).agreed
    assert decisions.counts(tiny) == {"keep": 2, "relabel": 1}
    assert [action for _, _, _, action in decisions.log(tiny)] == ["keep", "keep", "relabel"]
    stored = next(decisions.history(tiny))  # what was pressed is never edited
    assert (stored.action, stored.label) == (Action.RELABEL, given[3])


def test_a_journal_sent_twice_is_stored_once(workspace, tiny):
    journal = [keep(1, cid="a"), keep(2, cid="b")]
    assert decisions.append(tiny, journal) == ["a", "b"]
    assert decisions.append(tiny, [*journal, keep(3, cid="c")]) == ["a", "b", "c"]
    assert [d.row for d in decisions.history(tiny)] == [1, 2, 3]


@pytest.mark.parametrize(
    "bad",
    [
        Decision(60, Action.KEEP, "ann"),
        Decision(-1, Action.KEEP, "ann"),
        Decision(1, Action.RELABEL, "ann", label=3),
        Decision(1, Action.RELABEL, "ann"),
        Decision(1, Action.KEEP, "ann", label=1),
        Decision(1, Action.MULTIPLE, "ann", labels=(1, 1)),
        Decision(1, Action.MULTIPLE, "ann", labels=(1,)),
        Decision(1, Action.NONE, "ann", labels=(1, 2)),
    ],
)
def test_a_bad_decision_stores_nothing_of_its_batch(workspace, tiny, bad):
    with pytest.raises(LnlError):
        decisions.append(tiny, [keep(0), bad])
    assert list(decisions.history(tiny)) == []


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 9),
            st.sampled_from(["ann", "bob"]),
            st.sampled_from(["keep", "reopen", "none"]),
        ),
        max_size=20,
    )
)
def test_in_force_is_a_replay_of_history(workspace, tiny, presses):
    with db.transaction(workspace) as connection:
        connection.execute(schema.decisions.delete())
    decisions.append(tiny, [Decision(r, Action(a), who) for r, who, a in presses])
    replay = {}
    for row, who, action in presses:
        replay[row, who] = action
    expected = {key: a for key, a in replay.items() if a != "reopen"}
    found = {
        (row, d.reviewer): str(d.action)
        for row, several in decisions.in_force(tiny).items()
        for d in several
    }
    assert found == expected
    assert {(r, w): str(a) for r, w, a, _ in decisions.states(tiny)} == expected
    assert sum(decisions.counts(tiny).values()) == len(expected)


WRITER = """
import sys
from lnl_core.store import datasets, db, decisions
from lnl_core.types import Action, Decision
ws = db.open_workspace(sys.argv[1])
info = datasets.dataset(ws, "tiny")
name = sys.argv[2]
for i in range(15):
    decisions.append(info, [Decision(i, Action.KEEP, name, cid=f"{name}-{i}")])
"""


def test_eight_processes_lose_no_decision(workspace, tiny):
    people = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(workspace.home), f"person {i}"])
        for i in range(8)
    ]
    assert [person.wait() for person in people] == [0] * 8
    assert len(list(decisions.history(tiny))) == 8 * 15


def test_unsure_waits_for_a_second_reviewer():
    unsure = Decision(1, Action.UNSURE, "ann")
    assert decisions.verdict([unsure]).waiting
    settled = decisions.verdict([unsure, Decision(1, Action.RELABEL, "bob", label=1)])
    assert not settled.waiting
    assert settled.decision.reviewer == "bob"


def test_a_crash_while_writing_leaves_the_old_array(tmp_path):
    path = tmp_path / "a.npy"
    arrays.write_array(path, np.arange(3))

    def crash(stream):
        stream.write(b"half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        arrays.write_atomic(path, crash)
    assert arrays.read_array(path).tolist() == [0, 1, 2]
    assert [p.name for p in tmp_path.iterdir()] == ["a.npy"]


def test_no_pickle_is_read(tmp_path):
    np.save(tmp_path / "evil.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        arrays.read_array(tmp_path / "evil.npy", mmap=False)


def test_signals_round_trip(tmp_path):
    top = TopProbs(np.array([[2, 0], [1, 3]]), np.array([[0.5, 0.25], [0.75, 0.125]]), 6)
    signals = Signals(
        "knn",
        np.array([0.25, 1.0]),
        top,
        np.ones((2, 3)),
        {"loss": np.array([2.0, 1.0])},
        {"neighbours": np.array([[1], [0]])},
        {"seconds": 1.5},
    )
    arrays.save_signals(tmp_path, signals)
    back = arrays.load_signals(tmp_path)
    np.testing.assert_allclose(
        back.pred_probs.dense(slice(None)), top.dense(slice(None)), atol=1e-6
    )
    np.testing.assert_allclose(back.pred_probs.dense(np.array([1])).sum(), 1, atol=1e-6)
    assert back.curves["loss"].tolist() == [2, 1]
    assert back.extras["neighbours"].tolist() == [[1], [0]]
    assert back.cost == {"seconds": 1.5}


def test_half_written_signals_are_not_signals(tmp_path):
    arrays.write_array(tmp_path / "suspicion.npy", np.zeros(3))
    with pytest.raises(LnlError, match="no finished signals"):
        arrays.load_signals(tmp_path)


def test_checkpoint_round_trip_keeps_every_bit(tmp_path):
    import torch

    weights = {"w": torch.randn(3, 4), "steps": np.array(7), "u": torch.arange(4).to(torch.uint8)}
    checkpoint.save_checkpoint(tmp_path / "c.safetensors", weights, {"epoch": 3, "lr": 0.1})
    found, state = checkpoint.load_checkpoint(tmp_path / "c.safetensors")
    assert state == {"epoch": 3, "lr": 0.1}
    for name, value in weights.items():
        np.testing.assert_array_equal(found[name], np.asarray(value))


def test_register_lists_loads_and_removes(workspace, tiny, tmp_path):
    data = datasets.load(tiny)
    assert (data.ids[0], data.ids[-1], data.ids[1:3]) == (
        "item-00000",
        "item-00059",
        ["item-00001", "item-00002"],
    )
    assert data.ids.positions(["item-00007", "nobody"]).tolist() == [7, -1]
    assert data.paths is None
    assert isinstance(data.images, np.memmap)
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "meta.json").write_text(json.dumps(datasets.read_meta(tiny)))
    with pytest.raises(LnlError, match="already"):
        datasets.register(workspace, " tiny ", tmp_path / "again")
    decisions.append(tiny, [keep(0)])
    datasets.remove(tiny)
    with pytest.raises(LnlError, match="was removed"):  # a page that is still open
        decisions.append(tiny, [keep(1)])
    assert datasets.datasets(workspace) == []
    assert not tiny.directory.exists()
    with pytest.raises(LnlError, match="no data set named"):
        datasets.dataset(workspace, "tiny")
