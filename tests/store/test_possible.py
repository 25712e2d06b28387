"""Rows that a flipped bit left are known for what they are; what the program writes never is."""

import json
import sqlite3
from contextlib import closing

import pytest

from lnl_core.store import datasets, db, plans, possible, rescue, schema
from tests.old_workspace import unpacked
from tests.services.test_doctor import ws

__all__ = ["ws"]
SIZE = (4, 2)

ANSWER = {
    "id": 1,
    "dataset_id": 2,
    "row": 3,
    "reviewer": "ann",
    "action": "relabel",
    "label": 1,
    "labels": "[]",
    "cid": "a1",
    "decided_at": "2026-01-31T09:30:00.123Z",
    "seconds": 1.5,
    "given_label": 0,
    "suggested_label": None,
    "p_wrong": 0.25,
    "run_ids": "[1, 2]",
    "position": None,
    "mode": "single",
    "route": "queue",
    "revealed": 0,
}


def test_an_answer_as_it_is_written_can_be_true():
    assert possible.can_be(schema.decisions, ANSWER, SIZE)
    without = {name: value for name, value in ANSWER.items() if name not in ("mode", "position")}
    assert possible.can_be(schema.decisions, without, SIZE), "an older file lacks such columns"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("row", 4),
        ("row", -1),
        ("row", "x"),
        ("row", None),
        ("reviewer", b"ann"),
        ("reviewer", None),
        ("action", "kep"),
        ("label", 2),
        ("label", b"\x01"),
        ("label", None),
        ("labels", "7"),
        ("labels", "{}"),
        ("labels", "[0, 2]"),
        ("labels", '["a"]'),
        ("labels", "[0"),
        ("run_ids", "{}"),
        ("cid", b"a1"),
        ("decided_at", "2026-13-31T09:30:00.123Z"),
        ("seconds", "abc"),
        ("revealed", "no"),
    ],
)
def test_an_answer_that_cannot_be_true_is_known(name, value):
    assert not possible.can_be(schema.decisions, ANSWER | {name: value}, SIZE)


def test_what_sql_calls_fine_can_be_true(ws):
    """The quick look over answers passes over no value that the long one finds."""
    odd = {
        "row": [4, -1, "x", b"1", 1.5],
        "reviewer": [b"ann"],
        "action": ["kep", "relabel", b"keep", ""],
        "label": [2, -1, "x", b"1", 1.5],
        "labels": ["7", "{}", "[0, 2]", "[0", b"[]"],
        "run_ids": ["{}", "[0", "[[1]]", "[01]", "[1,,2]", "[1 2]", "1", "", "[1.5]", b"[1]"],
        "cid": [b"a1"],
        "decided_at": ["2026-13-31T09:30:00.123Z", "2026-02-30T09:30:00.123Z", "", b"2026"],
        "seconds": ["abc", b"1"],
        "p_wrong": ["abc"],
        "given_label": [2, -2, "x"],
        "suggested_label": [2, -2, b"1"],
        "position": ["x", 1.5],
        "revealed": ["no", b"1"],
        "mode": [b"single"],
        "route": [b"queue"],
    }
    fine = possible._fine({2: SIZE})
    db.dispose(ws)
    with closing(sqlite3.connect(ws.home / "review.db")) as connection:
        query = f"select count(*) from decisions where {fine}"
        assert connection.execute(query).fetchone() == (600,), "the long look has none of them"
        for name, values in odd.items():
            for value in values:
                connection.execute(f"update decisions set {name} = ? where cid = 'a7'", (value,))
                assert connection.execute(query).fetchone() == (599,), (name, value)
                found = possible.untrue(connection.execute, ws.datasets_dir)
                assert [each for each, *_ in found] == ["decisions"], (name, value)
                connection.execute(
                    "update decisions set row = 1, reviewer = 'ann', action = 'keep', label = null,"
                    " labels = '[]', run_ids = '[1, 2]', cid = 'a7', seconds = 1.5, p_wrong = 0.5,"
                    " decided_at = '2026-01-31T09:30:00.123Z', given_label = 1, revealed = 1,"
                    " suggested_label = null, position = 3, mode = 'single', route = 'queue'"
                    " where id = 8"
                )


def test_a_row_without_a_column_that_every_version_had_cannot_be_true():
    without = {name: value for name, value in ANSWER.items() if name != "row"}
    assert not possible.can_be(schema.decisions, without, SIZE)


@pytest.mark.parametrize("folder", ["..", "", "2-a/../b", "2-a\0", b"2-two", "two"])
def test_a_folder_leads_nowhere_but_to_a_set(folder):
    values = {"id": 2, "name": "two", "kind": "npz", "source": "", "n": 4, "class_count": 2}
    values |= {"created_at": "2026", "used_at": "2026"}
    assert possible.can_be(schema.datasets, values | {"folder": "2-two"}, None)
    assert not possible.can_be(schema.datasets, values | {"folder": folder}, None)


def test_what_the_program_writes_can_be_true(ws, tmp_path):
    info = datasets.dataset(ws, "two")
    plan = plans.Plan(0, "ann", "2026", 1, "all", 0.9, 0.9, 0, 0.1, (0, 1), (1, 0), (0,))
    plans.add(info, plan)
    plans.accept(info, 1, "ann", [1], {"right": 1}, [1], 600)
    assert plans.undo(info, 1, "ann") == 1
    assert not rescue.untrue(ws)
    with db.transaction(ws) as connection:
        connection.execute(schema.plans.update().values(checks=json.dumps([4])))
    assert rescue.untrue(ws) == {"plans": 1}


def test_what_an_earlier_version_wrote_can_be_true(tmp_path, monkeypatch):
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    old = db.open_workspace(unpacked(tmp_path / "old"))
    assert not rescue.untrue(old)
    db.dispose(old)


def test_whatever_holds_json_is_looked_at():
    """A new column of the kind is not forgotten: what is no JSON stops every command."""
    for table in possible.TABLES:
        for column in table.columns:
            default = None if column.server_default is None else column.server_default.arg
            if default in ("[]", "{}"):
                assert column.name in possible._TESTS, (table.name, column.name)


@pytest.mark.parametrize(
    ("table", "column"),
    [("jobs", "splits"), ("goals", "facts"), ("plan_events", "facts"), ("plans", "checks")],
)
def test_text_that_is_no_json_cannot_be_true(table, column):
    one = schema.metadata.tables[table]
    kinds = {int: 1, float: 0.5, str: "2026"}
    values = {each.name: kinds[each.type.python_type] for each in one.columns}
    for each in ("config", "metrics", "cost", "engine_options", "splits", "facts"):
        values |= {each: "{}"} if each in values else {}
    values |= {each: "[0]" for each in ("rows", "labels", "checks") if each in values}
    values |= {"kind": "left"} if one is schema.goals else {}
    values |= {"state": "done"} if "state" in values else {}
    assert possible.can_be(one, values, SIZE)
    assert not possible.can_be(one, values | {column: "{x"}, SIZE)
