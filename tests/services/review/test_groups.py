"""One answer for all copies of a picture: each gets its own record, and all go back together."""

import uuid

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.review import auditing, desk, draws, groups, recording
from lnl_core.services.review.progress import progress
from lnl_core.store import audits, datasets, decisions
from lnl_core.types import Damaged

COPIES = (5, 7, 30, 48)
"""Rows that show one picture; the first two are labelled bar, the third belt, the last base."""


def press(row, action="keep", *, together=True, **more):
    entry = {"cid": uuid.uuid4().hex, "row": row, "action": action, "ms": 1500, **more}
    return entry | ({"together": True} if together else {})


@pytest.fixture
def repeated(scored):
    """`tiny` with a picture that comes four times, and one that comes twice."""
    first = np.arange(60, dtype=np.int32)
    first[list(COPIES)] = 5
    first[12] = 11
    np.save(scored.directory / datasets.COPIES, first)
    return scored


def said(info, reviewer="ann"):
    """row -> (action, label) in force."""
    found = decisions.in_force(info)
    return {
        row: (str(each.action), each.label)
        for row, several in found.items()
        for each in several
        if each.reviewer == reviewer
    }


def test_right_keeps_what_says_so_and_relabels_the_other_copies(repeated):
    recording.record(repeated, "ann", [press(5)])
    assert said(repeated) == {
        5: ("keep", None),
        7: ("keep", None),
        30: ("relabel", 0),
        48: ("relabel", 0),
    }


def test_another_class_for_all_keeps_the_copy_that_had_it(repeated):
    recording.record(repeated, "ann", [press(5, "relabel", label=2)])
    assert said(repeated) == {
        5: ("relabel", 2),
        7: ("relabel", 2),
        30: ("relabel", 2),
        48: ("keep", None),
    }


@pytest.mark.parametrize(
    ("action", "more"),
    [("none", {}), ("unsure", {}), ("skip", {}), ("multiple", {"labels": [0, 2]})],
)
def test_what_names_no_class_goes_to_all_as_it_is(repeated, action, more):
    recording.record(repeated, "ann", [press(7, action, **more)])
    assert set(said(repeated)) == set(COPIES)
    assert {each for each, _ in said(repeated).values()} == {action}


def test_without_being_told_an_answer_is_for_one_image(repeated):
    recording.record(repeated, "ann", [press(5, together=False), press(20)])
    assert set(said(repeated)) == {5, 20}


def test_what_people_have_settled_stands(repeated):
    recording.record(repeated, "bob", [press(30, together=False)])
    recording.record(repeated, "ann", [press(7, "relabel", together=False, label=1)])
    recording.record(repeated, "ann", [press(5)])
    assert said(repeated) == {5: ("keep", None), 7: ("relabel", 1), 48: ("relabel", 0)}
    assert said(repeated, "bob") == {30: ("keep", None)}


def test_unsure_and_skip_leave_other_answers_of_one_s_own(repeated):
    recording.record(repeated, "ann", [press(7, "unsure", together=False), press(5, "skip")])
    assert said(repeated)[7] == ("unsure", None)
    recording.record(repeated, "ann", [press(5)])
    assert said(repeated)[7] == ("keep", None)


@pytest.mark.parametrize("again", [{"action": "relabel", "label": 2}, {"action": "unsure"}])
def test_an_answer_to_a_copy_by_itself_stands_when_another_copy_s_answer_changes(repeated, again):
    recording.record(repeated, "ann", [press(5)])
    recording.record(repeated, "ann", [press(30, "none", together=False)])
    (item,) = desk.review_state(repeated, "ann", focus=[5], limit=1).items
    assert item["copies_open"] == 2
    recording.record(repeated, "ann", [press(5, **again)])
    assert said(repeated)[30] == ("none", None)
    assert said(repeated)[7][0] == again["action"]


def test_a_skip_takes_no_answer_from_the_image_nor_its_copies(repeated):
    recording.record(repeated, "ann", [press(5)])
    recording.record(repeated, "ann", [press(5, "skip")])
    assert said(repeated) == {
        5: ("keep", None),
        7: ("keep", None),
        30: ("relabel", 0),
        48: ("relabel", 0),
    }


def test_each_has_a_record_of_its_own_that_is_no_look(at_once, repeated):
    entry = press(5, mode="commit", position=3, revealed=True)
    recording.record(repeated, "ann", [entry])
    made = {each.row: each for each in decisions.history(repeated)}
    shown, others = made[5], [made[row] for row in COPIES[1:]]
    assert shown.mode == "commit"
    assert shown.seconds == 1.5
    for each in others:
        assert (each.mode, each.seconds, each.position) == ("copies", None, None)
        assert each.reviewer == "ann"
        assert each.decided_at == shown.decided_at
        assert each.revealed
        assert each.cid.startswith(entry["cid"])
        assert each.suggested_label is not None
    assert [each.row for each in decisions.history(repeated, looks=True)] == [5]
    now = progress(repeated, "ann")
    assert now.reviewed == 4
    assert now.wrong == 2
    for row in (0, 1, 2, 4):
        recording.record(repeated, "ann", [press(row)])
    assert progress(repeated, "ann").seconds_per_image == 1.5


def test_one_undo_takes_all_back(repeated):
    entry = press(5, "relabel", label=1)
    recording.record(repeated, "ann", [entry])
    state = desk.review_state(repeated, "ann")
    (last,) = state.recent
    assert last["row"] == 5
    assert last["others"] == 3
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert said(repeated) == {}
    assert desk.review_state(repeated, "ann").recent == []
    assert progress(repeated, "ann").reviewed == 0


def test_an_answer_that_stands_again_says_to_how_many_copies_it_went(repeated):
    recording.record(repeated, "ann", [press(5)])
    recording.record(repeated, "ann", [press(5, "none")])
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    (last,) = desk.review_state(repeated, "ann").recent
    assert (last["action"], last["others"]) == ("keep", 3)


def test_a_copy_that_was_answered_anew_is_not_taken_back(repeated):
    recording.record(repeated, "ann", [press(5)])
    recording.record(repeated, "ann", [press(48, "none", together=False)])
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert said(repeated) == {48: ("none", None)}


def test_another_answer_takes_the_place_of_the_first_on_the_copies_and_goes_back_whole(repeated):
    recording.record(repeated, "ann", [press(5)])
    first = said(repeated)
    recording.record(repeated, "bob", [press(7, "none", together=False)])  # theirs stays
    (item,) = desk.review_state(repeated, "ann", focus=[5], limit=1).items
    assert item["copies_open"] == 2
    recording.record(repeated, "ann", [press(5, "relabel", label=2)])
    assert said(repeated) == {
        5: ("relabel", 2),
        7: ("keep", None),
        30: ("relabel", 2),
        48: ("keep", None),
    }
    for then in (first, {}):  # the first one, on the copies too
        recording.record(repeated, "ann", [press(5, "reopen", together=False)])
        assert said(repeated) == then
    assert said(repeated, "bob") == {7: ("none", None)}


def test_what_went_to_copies_goes_back_after_an_answer_to_one_alone(repeated):
    recording.record(repeated, "ann", [press(5), press(5, "none", together=False)])
    assert said(repeated)[30] == ("relabel", 0)
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert (said(repeated)[5], said(repeated)[30]) == (("keep", None), ("relabel", 0))
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert said(repeated) == {}
    recording.record(repeated, "ann", [press(11), press(5, "none", together=False)])
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert set(said(repeated)) == {11, 12}


def test_a_page_back_takes_all_that_was_said_upon_its_answer_off_the_copies_too(repeated):
    recording.record(repeated, "ann", [press(48, "unsure", together=False, cid="w.0")])
    recording.record(
        repeated, "ann", [press(5, cid="w.1"), press(5, "relabel", label=2, cid="w.2")]
    )
    recording.record(repeated, "ann", [press(7, "none", together=False, cid="w.3")])
    page = [(5, "w.1"), (7, "w.1~7")]
    back = [press(row, "reopen", together=False, back=cid) for row, cid in page]
    for _ in range(2):
        recording.record(repeated, "ann", back)
        assert said(repeated) == {48: ("unsure", None)}


def test_a_journal_sent_twice_changes_nothing(repeated):
    first, back, second = press(5), press(5, "reopen", together=False), press(30)
    for _ in range(2):
        done = recording.record(repeated, "ann", [first, back, second])
        assert done.acked == [each["cid"] for each in (first, back, second)]
        assert done.problems == []
    assert len(list(decisions.history(repeated))) == 12
    assert said(repeated)[5] == ("relabel", 1)
    assert said(repeated)[30] == ("keep", None)


def test_the_browser_knows_of_copies_but_not_what_they_are_labelled(repeated):
    state = desk.review_state(repeated, "ann", focus=[7, 11, 20])
    one, two, alone = state.items[:3]
    assert one["group"] == 5
    assert one["copies"] == [5, 30, 48]
    assert (one["copies_total"], one["copies_open"]) == (3, 3)
    assert two["copies"] == [12]
    assert not {"group", "copies", "copies_total", "copies_open"} & alone.keys()
    recording.record(repeated, "ann", [press(5, together=False)])
    (again,) = desk.review_state(repeated, "ann", focus=[7], limit=1).items
    assert again["copies"] == [30, 48, 5]
    assert again["copies_open"] == 2


def test_answered_copies_leave_the_queue(repeated):
    recording.record(repeated, "ann", [press(48)])
    left = {item["row"] for item in desk.review_state(repeated, "ann", limit=60).items}
    assert not left & set(COPIES)


def test_drawn_copies_answered_with_another_one_are_audits(repeated):
    """Each draw chose from the rows without an answer then; who showed the picture is no matter."""

    def fresh():
        now = draws.standing(repeated)
        return now.last_id, now.answered | now.no_class

    drawn = [each.row for each in audits.draw(repeated, "ann", 60, fresh)]
    at = drawn.index(48)
    for row in drawn[: auditing.ENOUGH]:
        if row not in COPIES:
            recording.record(repeated, "ann", [press(row, together=False)])
    before = auditing.errors_left(repeated, fresh=True)
    recording.record(repeated, "ann", [press(5)])
    after = auditing.errors_left(repeated, fresh=True)
    assert after.audits == before.audits + 4
    assert after.wrong == before.wrong + 2
    routes = {each.row: each.route for each in decisions.history(repeated)}
    assert {routes[row] for row in COPIES} == {"audit"}
    past = draws.replay(repeated)
    assert past.rows.tolist() == drawn
    assert past.unreviewed.tolist() == list(range(60, 0, -1))
    assert past.said[at] == draws.WRONG


def test_copies_that_were_not_drawn_leave_the_rows_to_draw_from(repeated):
    def fresh():
        now = draws.standing(repeated)
        return now.last_id, now.answered | now.no_class

    (first,) = audits.draw(repeated, "ann", 1, fresh)
    assert first.row not in COPIES
    recording.record(repeated, "ann", [press(5, "relabel", label=1)])
    (second,) = audits.draw(repeated, "ann", 1, fresh)
    assert second.eligible == 60 - 1 - 4
    past = draws.replay(repeated)
    assert past.unreviewed.tolist() == [60, 55]
    assert past.found.tolist() == [0, 3]  # 30 had that label


def test_a_group_is_one_look_between_two_random_checks(repeated):
    recording.record(repeated, "ann", [press(5), press(11)])
    newest = draws.latest(repeated, "ann")
    assert draws._since(newest, set()) == 2
    assert draws._since(newest, {48}) == 2  # drawn, but another copy was shown


def test_ten_thousand_copies_are_answered_and_taken_back_in_one_step(workspace, tmp_path):
    from tests.conftest import write_dataset

    n = 10_000
    write_dataset(tmp_path / "set", np.full((n, 2, 2, 1), 90, np.uint8), np.arange(n) % 2, "ab")
    info = datasets.register(workspace, "many", tmp_path / "set")
    np.save(info.directory / datasets.COPIES, np.zeros(n, np.int32))
    recording.record(info, "ann", [press(3)])
    assert draws.standing(info).settled.all()
    assert int(draws.standing(info).wrong.sum()) == n // 2
    recording.record(info, "ann", [press(3, "reopen", together=False)])
    assert not draws.standing(info).settled.any()
    assert len(groups.facts(info, 3, draws.standing(info))["copies"]) == groups.NAMED


def test_long_client_ids_leave_room_for_the_row(repeated):
    recording.record(repeated, "ann", [press(5) | {"cid": "c" * 80}])
    assert set(said(repeated)) == set(COPIES)
    assert all(len(each.cid) <= 80 for each in decisions.history(repeated))
    recording.record(repeated, "ann", [press(5, "reopen", together=False)])
    assert said(repeated) == {}


def test_an_older_set_is_looked_over_once(scored):
    assert groups.groups_of(scored) is None
    called = []
    thread = groups.look_over(scored, lambda: called.append(1))
    thread.join()
    assert called == [1]
    assert groups.look_over(scored) is None
    assert len(groups.others(scored, 0)) == 0
    assert groups.groups_of(scored) is not None


def test_a_skip_together_opens_no_copy_that_somebody_else_settles_later(repeated):
    recording.record(repeated, "ann", [press(5, "skip")])
    recording.record(repeated, "bob", [press(7, together=False)])
    recording.record(repeated, "ann", [press(5, "none")])
    assert said(repeated)[7] == ("skip", None)
    assert {row for row, (action, _) in said(repeated).items() if action == "none"} == {5, 30, 48}
    assert said(repeated, "bob") == {7: ("keep", None)}


def test_an_answer_is_kept_by_the_browser_while_a_file_of_the_set_is_damaged(repeated):
    file = repeated.arrays / "given_labels.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:20])
    in_force._loaded.cache_clear()
    entry = press(20, together=False)
    with pytest.raises(Damaged, match="given_labels"):
        recording.record(repeated, "ann", [entry])
    file.write_bytes(whole)
    assert recording.record(repeated, "ann", [entry]).acked == [entry["cid"]]
    assert set(said(repeated)) == {20}
