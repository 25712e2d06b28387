"""An image that was answered elsewhere takes a second answer, and the person is told."""

import pytest

from lnl_core.services.review import looks, recording
from lnl_core.store import decisions


def press(row, action="keep", cid="c1", **more):
    return {"cid": cid, "row": row, "action": action, "ms": 900, **more}


def told(info, who, *entries):
    return recording.record(info, who, list(entries)).meanwhile


def test_a_second_answer_is_stored_and_told_with_the_first(workspace, scored):
    assert told(scored, "Kim", press(3, "relabel", "k", label=0)) == []
    (one,) = told(scored, "ann", press(3, "keep", "a"))
    assert (one["cid"], one["by"], one["you"], one["before"]) == ("a", "Kim", False, "k")
    assert one["first"] == {"action": "relabel", "label": 0, "labels": []}
    assert one["second"]["action"] == "keep"
    assert one["minutes"] == 0
    assert [d.reviewer for d in decisions.in_force(scored)[3]] == ["Kim", "ann"]


def test_the_same_person_in_another_window_is_told_too(workspace, scored):
    told(scored, "ann", press(3, "none", "a"))
    (one,) = told(scored, "ann", press(3, "keep", "b"))
    assert (one["you"], one["before"]) == (True, "a")


def test_a_second_reviewer_of_an_unsure_image_learns_nothing(workspace, scored):
    told(scored, "Kim", press(3, "unsure", "k"))
    assert told(scored, "ann", press(3, "keep", "a")) == []


def test_a_journal_that_is_sent_again_and_a_skip_are_no_second_answers(workspace, scored):
    told(scored, "Kim", press(3, "keep", "k"))
    assert told(scored, "Kim", press(3, "keep", "k")) == []
    assert told(scored, "ann", press(3, "skip", "s")) == []


def test_what_was_taken_back_is_no_first_answer(workspace, scored):
    told(scored, "ann", press(3, "keep", "a"))
    assert told(scored, "ann", press(3, "reopen", "b"), press(3, "none", "c")) == []


def test_a_skip_leaves_the_own_answer_as_it_is(workspace, scored):
    told(scored, "ann", press(3, "relabel", "a", label=0), press(4, "unsure", "b"))
    told(scored, "Kim", press(5, "keep", "k"))
    skips = [press(row, "skip", f"s{row}") for row in (3, 4, 5, 6)]
    at_once = [press(7, "none", "c"), press(7, "skip", "s7")]
    sent = recording.record(scored, "ann", [*skips, *at_once])
    assert sent.acked == ["s3", "s4", "s5", "s6", "c", "s7"]  # none is sent again
    said = {row: str(all_[-1].action) for row, all_ in decisions.in_force(scored).items()}
    assert said == {3: "relabel", 4: "unsure", 5: "skip", 6: "skip", 7: "none"}


def test_whoever_takes_an_answer_back_is_told_that_another_windows_stands_upon_it(
    workspace, scored
):
    told(scored, "ann", press(3, "keep", "w.1"), press(3, "relabel", "v.1", label=0))
    back = press(3, "reopen", "w.2", back="w.1")
    (one,) = told(scored, "ann", back)
    assert (one["cid"], one["row"], one["you"], one["before"]) == ("w.2", 3, True, "v.1")
    assert one["first"] == {"action": "relabel", "label": 0, "labels": []}
    assert one["second"]["action"] == "reopen"
    assert told(scored, "ann", press(3, "reopen", "v.2", back="v.1")) == []  # that one is taken
    assert told(scored, "ann", press(3, "reopen", "w.3", back="w.1"), back) == []
    assert decisions.in_force(scored) == {}


@pytest.mark.parametrize("route", [None, looks.REPEAT, looks.SECOND])
def test_where_no_label_is_shown_that_it_stands_is_all_that_is_told(workspace, scored, route):
    """A hidden look is told as any other image, or it would be known for what it is."""
    told(scored, "ann", press(3, "keep", "v.0"))
    key = looks._key(scored)
    look = {} if route is None else {"look": looks.token(key, "ann", 3, route)}
    blind = {"mode": "blind", **look}
    told(scored, "ann", press(3, "none", "w.1", **blind), press(3, "unsure", "v.1", **blind))
    back = press(3, "reopen", "w.2", back="w.1", **blind)
    (one,) = told(scored, "ann", back)
    what = {"action": "reopen", "label": None, "labels": []}
    assert one == {"cid": "w.2", "row": 3, "you": True, "before": "v.1", "second": what}
