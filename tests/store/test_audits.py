import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from lnl_core.store import audits, datasets, db, decisions, schema
from lnl_core.types import Action, Decision


def answered(workspace, info):
    """What `audits.draw` asks for, straight from the store."""

    def ask():
        last = decisions.last_id(info)
        closed = np.zeros(info.n, bool)
        closed[[row for row, *_ in decisions.states(info)]] = True
        return last, closed

    return ask


def answer(workspace, info, row, who="ann"):
    decisions.append(info, [Decision(row, Action.KEEP, who)])


def test_draws_are_made_again_from_the_seed(workspace, tiny):
    """Review_science test 13: audit draws are reproducible from the seed."""
    ask = answered(workspace, tiny)
    audits.draw(tiny, "ann", 3, ask, seed=7)
    answer(workspace, tiny, 11)
    audits.draw(tiny, "bob", 4, ask, seed=99)  # the first seed stays
    found = audits.draws(tiny)
    assert [each.number for each in found] == list(range(7))
    assert {each.seed for each in found} == {7}
    open_ = np.ones(60, bool)
    for each in found:
        if each.number == 3:
            open_[11] = False
        rows = np.flatnonzero(open_)
        assert each.eligible == len(rows)
        assert each.row == rows[np.random.default_rng([7, each.number]).integers(len(rows))]
        open_[each.row] = False
    assert [each.last_decision for each in found[:4]] == [0, 0, 0, found[3].last_decision]


def test_an_answered_row_is_not_drawn_and_the_set_runs_out(workspace, tiny):
    for row in range(50):
        answer(workspace, tiny, row)
    found = audits.draw(tiny, "ann", 25, answered(workspace, tiny))
    assert sorted(each.row for each in found) == list(range(50, 60))
    assert audits.draw(tiny, "ann", 1, answered(workspace, tiny)) == []


def test_a_decision_that_arrives_meanwhile_is_not_overlooked(workspace, tiny):
    """The set drawn from is the one of that moment: an old mask is refused and asked again."""
    ask, late = answered(workspace, tiny), [0, 1]

    def slow():
        mask = ask()
        if late:
            answer(workspace, tiny, late.pop())
        return mask

    (found,) = audits.draw(tiny, "ann", 1, slow)
    assert found.eligible == 58
    assert found.last_decision == decisions.last_id(tiny)


def test_eight_reviewers_at_once_never_draw_a_row_twice(workspace, tiny):
    start = threading.Barrier(8)

    def one(who):
        start.wait()
        got = []
        for turn in range(3):
            got += audits.draw(tiny, f"r{who}", 2, answered(workspace, tiny))
            if turn == 1:
                answer(workspace, tiny, got[0].row, f"r{who}")
        return got

    with ThreadPoolExecutor(8) as pool:
        got = [each for part in pool.map(one, range(8)) for each in part]
    stored = audits.draws(tiny)
    assert sorted(each.number for each in got) == list(range(len(stored)))
    assert len({each.row for each in stored}) == len(stored) == len(got)
    assert len(stored) >= 40  # 48, less those that gave way to answers
    assert len({each.seed for each in stored}) == 1


def test_the_table_itself_refuses_a_second_draw_of_a_row(workspace, tiny):
    audits.draw(tiny, "ann", 1, answered(workspace, tiny))
    (first,) = audits.draws(tiny)
    again = {
        "dataset_id": tiny.id, "row": first.row, "number": 1, "reviewer": "ann", "seed": 1,
        "eligible": 9, "last_decision": 0, "drawn_at": "now",
    }  # fmt: skip
    for clash in (again, again | {"row": (first.row + 1) % 60, "number": 0}):
        with pytest.raises(IntegrityError), db.transaction(workspace) as connection:
            connection.execute(schema.audit_draws.insert(), clash)


def test_draws_go_with_their_data_set(workspace, tiny):
    audits.draw(tiny, "ann", 2, answered(workspace, tiny))
    datasets.remove(tiny)
    assert audits.draws(tiny) == ()


_LATER = tuple(
    f"TABLE {name}"
    for name in (
        "audit_draws",
        "leases",
        "parts",
        "plans",
        "plan_events",
        "looks",
        "goals",
        "advised",
    )
)


def test_a_workspace_from_before_gets_the_table_and_a_copy_is_kept(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    ws = db.open_workspace(tmp_path)
    with db.transaction(ws) as connection:
        for what in (*_LATER, "INDEX reviewers_login"):
            connection.execute(text(f"DROP {what}"))
        for column in ("role", "login"):
            connection.execute(text(f"ALTER TABLE reviewers DROP COLUMN {column}"))
        connection.execute(text("ALTER TABLE jobs DROP COLUMN splits"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    decisions.add_reviewer(ws, "ann")
    db.dispose(ws)
    ws = db.open_workspace(tmp_path)
    assert db.version(ws) == db.HEAD
    assert decisions.reviewers(ws) == ["ann"]
    (copy,) = (tmp_path / "backups").glob("review-0003-*.db")
    tables = sqlite3.connect(copy).execute("SELECT name FROM sqlite_master").fetchall()
    assert ("audit_draws",) not in tables
    db.dispose(ws)


def test_what_chance_drew_is_an_audit_whoever_answers_it(workspace, tiny):
    """Also where the row was drawn after the queue had shown it, to somebody else."""
    (found,) = audits.draw(tiny, "ann", 1, answered(workspace, tiny))
    other = (found.row + 1) % tiny.n
    made = [
        Decision(found.row, Action.KEEP, "bob"),
        Decision(other, Action.KEEP, "bob"),
        Decision(found.row, Action.KEEP, "carl", route="import"),
    ]
    decisions.append(tiny, made)
    routes = {(each.row, each.reviewer): each.route for each in decisions.history(tiny)}
    assert routes == {
        (found.row, "bob"): "audit",
        (other, "bob"): "queue",
        (found.row, "carl"): "import",
    }
