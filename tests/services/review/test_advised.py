"""Advice that was shown stays so, of one image and one person, and tells nothing else."""

import sqlite3

import pytest

from lnl_core.services.review import advised, desk, looks
from lnl_core.services.review.recording import record
from lnl_core.store import advised as stored
from lnl_core.store import datasets, decisions, rescue
from lnl_core.store import looks as stored_looks
from lnl_core.types import LnlError
from tests.services.review.test_desk import press


def flagged(shown):
    return {item["row"] for item in shown if item.get("advised")}


def test_it_stays_with_the_image_until_the_answer_and_after_it(workspace, scored):
    first, second = (item["row"] for item in desk.review_state(scored, "ann", tab="a").items[:2])
    decisions.add_reviewer(workspace, "bob")
    for _ in range(2):  # once is enough
        advised.note(scored, "ann", first)
    for order in ("suspicious", "random"):
        assert flagged(desk.review_state(scored, "ann", order=order).items) == {first}
    assert flagged(desk.review_state(scored, "ann", focus=[first]).items) == {first}
    assert not flagged(desk.review_state(scored, "bob").items)
    record(scored, "ann", [press(first), press(second)])
    state = desk.review_state(scored, "ann")
    assert (flagged(state.items), flagged(state.recent)) == (set(), {first})
    record(scored, "ann", [press(first, "reopen")])
    assert flagged(desk.review_state(scored, "ann").items) == {first}


def test_the_last_answers_say_whether_their_label_was_hidden(workspace, scored):
    """Taken back in another mode, one that was shows no advice for having been given."""
    record(scored, "ann", [press(3, mode="blind"), press(4, "none")])
    modes = {each["row"]: each["mode"] for each in desk.review_state(scored, "ann").recent}
    assert modes == {3: "blind", 4: "commit"}


def test_a_page_knows_it_too(workspace, scored):
    page = desk.page_states(scored, "ann", tab="a")[0]
    row = page.items[3]["row"]
    advised.note(scored, "ann", row)
    assert flagged(desk.page_states(scored, "ann", tab="a")[0].items) == {row}


def test_an_answer_without_the_label_or_on_a_page_says_what_was_seen_before_it(workspace, scored):
    for row in (3, 4, 5):
        advised.note_by(scored, "ann", row)
    record(scored, "ann", [press(3, "relabel", label=0, mode="blind"), press(4, mode="page")])
    record(scored, "ann", [press(5, "none"), press(6, "none", mode="blind")])
    record(scored, "bob", [press(3, "unsure", mode="blind")])
    told = {(each.reviewer, each.row): each.revealed for each in decisions.history(scored)}
    assert told == {
        ("ann", 3): True,
        ("ann", 4): True,
        ("ann", 5): False,  # after Wrong: as the browser says
        ("ann", 6): False,
        ("bob", 3): False,
    }


def test_a_hidden_look_is_stored_as_the_browser_says_it(workspace, scored):
    record(scored, "ann", [press(3)])
    advised.note(scored, "ann", 3)
    for route in (looks.REPEAT, looks.SECOND):
        token = looks.token(looks._key(scored), "ann", 3, route)
        record(scored, "ann", [press(3, "unsure", look=token, mode="blind")])
    assert [each.revealed for each in stored_looks.in_force(scored)] == [False, False]


def test_of_a_hidden_look_nobody_is_told_it(workspace, scored, monkeypatch):
    rows = [item["row"] for item in desk.review_state(scored, "ann", tab="a").items]
    record(scored, "ann", [press(rows[0])])
    for row in rows[:3]:
        advised.note(scored, "ann", row)
    there = {1: looks.Placed(rows[0], "repeat")}
    monkeypatch.setattr(looks, "placed", lambda *_: there)
    items = desk.review_state(scored, "ann", tab="a").items
    assert items[1]["row"] == rows[0]
    assert flagged(items) == set(rows[1:3])


def test_nothing_is_noted_of_strangers_or_of_images_that_are_none(workspace, scored):
    stored.note(scored, "nobody", 1)
    assert "nobody" not in decisions.reviewers(workspace)
    with pytest.raises(LnlError, match="no such image"):
        advised.note(scored, "ann", scored.n)
    advised.note_by(scored, "cleo", 1)  # who has the page open
    assert stored.among(scored, "cleo", [0, 1]) == {1}


def test_it_goes_with_its_set_and_outlives_a_rescue(workspace, scored):
    advised.note_by(scored, "ann", 5)
    target = sqlite3.connect(workspace.home / "review.db")
    rescue._settle(target)
    target.close()
    assert stored.among(scored, "ann", [5]) == {5}
    datasets.remove(scored)
    assert not stored.among(scored, "ann", [5])
    stored.note(scored, "ann", 5)  # a page that is still open
    assert not stored.among(scored, "ann", [5])
