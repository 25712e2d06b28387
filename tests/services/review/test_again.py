"""Taking back brings back what was replaced, and the history says so."""

import pytest

from lnl_core.services.in_force import standing
from lnl_core.services.review import again, desk, looks, recording
from lnl_core.services.review.draws import latest
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
    send(scored, press(3), press(3, "none"), press(3, "relabel", label=0), press(5))
    kept = {"action": "keep", "label": None, "labels": []}
    none = {"action": "none", "label": None, "labels": [], "before": kept}
    recent = desk.review_state(scored, "ann").recent
    assert [(each["row"], each.get("before")) for each in recent] == [(5, None), (3, none)]
    send(scored, press(3, "reopen"))
    recent = desk.review_state(scored, "ann").recent
    assert [(each["row"], each.get("before")) for each in recent] == [(3, kept), (5, None)]


def test_an_answer_changed_after_going_back_was_given_in_this_window(workspace, scored):
    send(scored, press(3, cid="one"), press(3, "none"), press(3, "reopen"))
    (told,) = send(scored, press(3, "unsure")).meanwhile
    assert (told["you"], told["before"]) == (True, "one")


def test_a_page_takes_back_only_what_was_said_since_it_was_committed(workspace, scored):
    early, late = "2026-01-02T03:04:05.678Z", "2026-01-02T03:04:06.000Z"
    send(scored, press(3, "unsure"), press(4, "unsure"))
    (first, _) = latest(scored, "ann")
    committed = first.decided_at[:-4] + "999Z"
    assert early < late < committed
    send(scored, press(3, "reopen", since=committed), press(5, "reopen", since=committed))
    assert said(scored, 3) == [("unsure", None)]
    send(scored, press(3, "reopen", since=early))
    assert said(scored, 3) == []


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
