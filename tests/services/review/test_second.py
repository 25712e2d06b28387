"""An image that was answered elsewhere takes a second answer, and the person is told."""

from lnl_core.services.review import recording
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
