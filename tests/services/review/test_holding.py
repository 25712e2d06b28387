"""Several reviewers on one set: what is on one screen is on no other."""

import sqlite3
import threading
import uuid
from contextlib import closing

import numpy as np
import pytest

from lnl_core.services import in_force
from lnl_core.services.review import desk, holding
from lnl_core.services.review.filtering import Filters
from lnl_core.services.review.recording import record
from lnl_core.store import audits, decisions, faults, leases
from tests.services.review.test_auditing import make


def fetch(info, who, *, limit=60, **more):
    return desk.review_state(info, who, limit=limit, tab=f"{who}'s", **more)


def rows(state):
    return [item["row"] for item in state.items]


def press(info, who, row, action="keep"):
    record(info, who, [{"cid": uuid.uuid4().hex, "row": row, "action": action, "ms": 900}])


def test_one_has_what_the_other_has_not_and_an_answer_makes_room(workspace, scored):
    ann, bob = rows(fetch(scored, "ann")), rows(fetch(scored, "bob"))
    assert len(ann) == 15  # a quarter of sixty, so that others get some
    assert bob
    assert not set(ann) & set(bob)
    press(scored, "ann", ann[0])
    again = rows(fetch(scored, "ann"))
    assert again[:3] == ann[1:4]
    assert not set(again) & set(bob)


def test_looking_takes_nothing(workspace, scored):
    desk.review_state(scored, "ann")
    desk.page_state(scored, "ann")
    assert leases.held(scored) == []


def test_pages_are_held_and_keep_away_from_the_queue_of_others(workspace, scored):
    pages = desk.page_states(scored, "ann", tab="a", count=2)
    mine = {item["row"] for page in pages for item in page.items}
    assert {each.row for each in leases.held(scored)} == mine
    assert not mine & set(rows(fetch(scored, "bob")))
    others = desk.page_states(scored, "cleo", tab="c", count=2)
    assert not mine & {item["row"] for page in others for item in page.items}


def test_what_is_given_back_comes_to_others(workspace, scored):
    only = Filters(rows=(3, 25, 47))
    assert set(rows(fetch(scored, "ann", filters=only))) == {3, 25, 47}
    state = fetch(scored, "bob", filters=only)
    assert (rows(state), state.held) == ([], 3)
    holding.give_back(workspace, "ann's")
    state = fetch(scored, "bob", filters=only)
    assert (set(rows(state)), state.held) == ({3, 25, 47}, 0)


def test_who_follows_a_link_sees_the_image_though_another_has_it(workspace, scored):
    theirs = rows(fetch(scored, "ann"))[0]
    assert rows(fetch(scored, "bob", focus=[theirs]))[0] == theirs
    press(scored, "bob", theirs, "none")  # and the answer counts
    assert theirs not in rows(fetch(scored, "ann"))


def test_a_second_look_never_goes_to_who_gave_the_first_answer(workspace, scored):
    row = rows(fetch(scored, "ann"))[0]
    press(scored, "ann", row, "unsure")
    assert row not in rows(fetch(scored, "ann", filters=Filters(rows=(row,))))
    assert rows(fetch(scored, "bob", filters=Filters(rows=(row,)))) == [row]
    (lease,) = [each for each in leases.held(scored) if each.row == row]
    assert (lease.kind, lease.reviewer) == (leases.SECOND, "bob")
    assert rows(fetch(scored, "cleo", filters=Filters(rows=(row,)))) == []


def test_while_the_database_is_locked_all_see_what_they_have_or_what_is_free(workspace, scored):
    mine = rows(fetch(scored, "ann"))
    decisions.add_reviewer(workspace, "bob")
    with closing(sqlite3.connect(workspace.home / "review.db", isolation_level=None)) as other:
        other.execute("begin immediate")
        again = rows(fetch(scored, "ann"))
        theirs = rows(fetch(scored, "bob"))
    assert again
    assert set(again) <= set(mine)
    assert theirs
    assert not set(theirs) & set(mine)


def test_drawn_rows_of_who_left_are_answered_by_who_stays(workspace, scored):
    """Else what chance drew would wait for a day, and the limit with it."""
    fetch(scored, "ann")
    drawn = {each.row for each in leases.held(scored)} & {each.row for each in audits.draws(scored)}
    assert drawn
    assert not drawn & set(rows(fetch(scored, "bob")))
    holding.give_back(workspace, "ann's")
    assert drawn & set(rows(fetch(scored, "bob")))


def test_who_has_no_image_yet_waits_for_the_database_longer(workspace, scored, monkeypatch):
    """Two who came while a disk was slow were shown, and answered, the same images."""
    monkeypatch.setattr(holding, "FIRST", 60.0)  # however slow this machine is just now
    for who in ("ann", "bob"):
        decisions.add_reviewer(workspace, who)
    with closing(
        sqlite3.connect(workspace.home / "review.db", isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("begin immediate")
        ends = threading.Timer(3 * faults.AT_ONCE, lambda: other.execute("commit"))
        ends.start()
        mine = rows(fetch(scored, "ann"))
        ends.join()
    theirs = rows(fetch(scored, "bob"))
    assert mine
    assert theirs
    assert not set(mine) & set(theirs)


def test_eight_reviewers_who_fetch_before_they_answer(workspace, scored, monkeypatch):
    """Measured without leases: 480 answers on 144 images."""
    monkeypatch.setattr(holding, "FIRST", 60.0)  # however slow this machine is just now
    start, failed = threading.Barrier(8), []

    def one(number):
        who, mine = f"r{number}", []
        try:
            start.wait()
            while in_force.standing(scored).answered.sum() < scored.n:
                for row in rows(fetch(scored, who))[: 1 + number % 4]:
                    press(scored, who, row)
                    mine.append(row)
        except Exception as error:
            failed.append(error)

    many = [threading.Thread(target=one, args=(i,)) for i in range(8)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert failed == []
    assert sorted(row for _, row, *_ in decisions.log(scored)) == list(range(scored.n))


@pytest.mark.parametrize("order", ["suspicious", "random", "diverse"])
def test_every_order_is_held(workspace, scored, order):
    ann = rows(fetch(scored, "ann", order=order))
    assert not set(ann) & set(rows(fetch(scored, "bob", order=order)))


def answered_in_turns(info, turns):
    """Return the places in the queue of what ann and bob get, who fetch before every answer."""
    order = np.asarray(in_force.scored(info).ranking.order)
    place = {int(row): k for k, row in enumerate(order)}
    got = {"ann": [], "bob": []}
    for _ in range(turns):
        for who, places in got.items():
            row = rows(fetch(info, who, limit=36))[0]
            press(info, who, row)
            places.append(place[row])
    return got


def test_two_reviewers_of_a_small_set_share_the_head_of_its_queue(workspace, tmp_path):
    """Each fetches before every answer; where a fetch took a quarter, the second got no such."""
    info = make(workspace, tmp_path, 120)
    got = answered_in_turns(info, 12)
    ann, bob = (sum(k < 24 for k in places) for places in got.values())
    assert min(ann, bob) >= 6, got
    assert abs(ann - bob) <= 5, got


def test_two_reviewers_of_a_large_set_share_the_head_too(workspace, tmp_path, monkeypatch):
    """Whoever came first had 36 images, and the second began behind them."""
    monkeypatch.setattr(leases, "LINGERS", 0)  # what a fetch leaves is free at once
    info = make(workspace, tmp_path, 900)
    assert len(rows(fetch(info, "ann", limit=36))) == 36  # nobody else is there
    assert len(rows(fetch(info, "bob", limit=36))) == 15
    got = answered_in_turns(info, 20)
    ann, bob = (sum(k < 36 for k in places) for places in got.values())
    assert min(ann, bob) >= 12, got


def test_who_is_alone_again_has_a_whole_window(workspace, tmp_path):
    info = make(workspace, tmp_path, 900)
    fetch(info, "ann", limit=36)
    assert len(rows(fetch(info, "bob", limit=36))) == 15
    holding.give_back(workspace, "ann's")
    assert len(rows(fetch(info, "bob", limit=36))) == 36
