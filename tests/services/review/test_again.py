"""Taking back brings back what was replaced, and the history says so."""

import pytest

from lnl_core.services.in_force import loaded, standing
from lnl_core.services.review import again, desk, looks, recording
from lnl_core.store import decisions
from lnl_core.store import looks as stored
from tests.services.review.test_desk import press


def send(info, *entries, who="ann"):
    sent = recording.record(info, who, entries)
    assert sent.problems == []
    return sent


def said(info, row, who="ann"):
    return [
        (str(each.action), each.label)
        for each in decisions.in_force(info, rows=[row]).get(row, [])
        if each.reviewer == who
    ]


def test_each_step_back_brings_back_the_answer_before_it(workspace, scored):
    send(scored, press(3, revealed=True, mode="assisted"), press(3, "relabel", label=0))
    send(scored, press(3, "multiple", labels=[0, 1]))
    send(scored, press(3, "unsure"), who="bob")
    back = press(3, "reopen")
    for then in ([("relabel", 0)], [("keep", None)], [], []):
        send(scored, back, back)  # a journal may be sent again
        assert said(scored, 3) == then
        back = press(3, "reopen")
    kept = [each for each in decisions.history(scored) if str(each.action) == "keep"]
    assert [(each.revealed, each.mode) for each in kept] == [(True, "assisted")] * 2
    assert [each.seconds for each in kept] == [1.5, None]  # nobody looked anew
    assert not standing(scored).settled[3]


def test_what_was_taken_back_is_not_brought_back_by_a_later_answer(workspace, scored):
    send(scored, press(3), press(3, "reopen"), press(3, "none"), press(3, "reopen"))
    assert said(scored, 3) == []
    send(scored, press(4), press(4, "relabel", label=0))
    send(scored, press(4, "reopen"), press(4, "unsure"), press(4, "reopen"))
    assert said(scored, 4) == [("keep", None)]


def test_the_last_answers_tell_what_would_stand_again(workspace, scored):
    send(scored, press(3, cid="k"), press(3, "none", cid="n"))
    send(scored, press(3, "relabel", label=0), press(5))
    kept = {"action": "keep", "label": None, "labels": [], "cid": "k"}
    none = {"action": "none", "label": None, "labels": [], "cid": "n", "before": kept}
    recent = desk.review_state(scored, "ann").recent
    assert [(each["row"], each.get("before")) for each in recent] == [(5, None), (3, none)]
    send(scored, press(3, "reopen"))
    recent = desk.review_state(scored, "ann").recent
    assert [(each["row"], each.get("before")) for each in recent] == [(3, kept), (5, None)]


def test_an_answer_changed_after_going_back_was_given_in_this_window(workspace, scored):
    send(scored, press(3, cid="one"), press(3, "none"), press(3, "reopen"))
    (told,) = send(scored, press(3, "unsure")).meanwhile
    assert (told["you"], told["before"]) == (True, "one")


def test_taking_back_an_answer_takes_what_was_said_upon_it_in_its_window(workspace, scored):
    send(scored, press(3, "unsure", cid="w.0"), press(3, cid="w.1"))
    send(scored, press(3, "relabel", label=0, cid="w.2"), press(3, "none", cid="w.3"))
    back = press(3, "reopen", back="w.1")
    send(scored, back, back)
    assert said(scored, 3) == [("unsure", None)]
    send(scored, press(3, "reopen", back="w.2"), press(3, "reopen", back="w.unknown"))
    assert said(scored, 3) == [("unsure", None)], "they stand no more"
    send(scored, press(3, "relabel", label=0, cid="v.1"), press(3, "reopen", back="w.0"))
    assert said(scored, 3) == [("relabel", 0)], "it was said in another window"
    send(scored, press(3, "reopen", back="v.1"))
    assert said(scored, 3) == [("unsure", None)]
    send(scored, press(3, "reopen", back="w.0"))
    assert said(scored, 3) == []


def test_a_skip_that_was_left_out_takes_no_answer_with_it(workspace, scored):
    send(scored, press(3, cid="w.1"), press(3, "skip", cid="v.1"), press(3, "reopen", back="v.1"))
    assert said(scored, 3) == [("keep", None)]


@pytest.mark.parametrize("length", [5, 36, 80])
def test_client_ids_have_room_for_the_mark(workspace, scored, length):
    cid = "k" * length
    send(scored, press(3, cid=cid), press(3, "none", cid="n" * 80), press(3, "reopen"))
    assert said(scored, 3) == [("keep", None)]
    (there,) = again.answers(decisions.of_rows(scored, "ann", [3])[3])
    assert there.cid == cid
    send(scored, press(3, "reopen"))
    assert said(scored, 3) == []


def test_a_hidden_look_is_taken_back_as_any_answer(workspace, scored):
    send(scored, press(3))
    token = looks.token(looks._key(scored), "ann", 3, looks.REPEAT)
    send(scored, press(3, look=token), press(3, "none", look=token), press(3, "reopen", look=token))
    (look,) = stored.in_force(scored)
    assert (str(look.action), look.route, look.seconds) == ("keep", looks.REPEAT, None)
    assert len(decisions.of_rows(scored, "ann", [3])[3]) == 1  # the look decided nothing
    send(scored, press(3, "reopen", look=token))
    assert stored.in_force(scored) == ()


def test_of_a_hidden_look_one_press_takes_back_once_and_a_skip_nothing(workspace, scored):
    token = looks.token(looks._key(scored), "ann", 3, looks.SECOND)
    given = int(loaded(scored).given_labels[3])

    def look(*how, **more):
        return press(3, *how, look=token, mode="blind", **more)

    send(scored, look("relabel", label=given, cid="w.1"), look("unsure", cid="w.2"))
    (sent,) = desk.review_state(scored, "ann").recent
    kept = {"action": "relabel", "label": given, "labels": [], "cid": "w.1"}
    assert (sent["action"], sent["before"]) == ("unsure", kept), "no verdict on the label"
    send(scored, look("none", cid="w.3"))
    back = look("reopen", back="w.3")
    send(scored, back, back)
    send(scored, back, look("skip", cid="w.4"), look("reopen", back="w.4"))
    assert [str(each.action) for each in stored.in_force(scored)] == ["unsure"]
