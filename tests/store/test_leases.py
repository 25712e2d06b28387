"""Which image is at whom: nothing at two people, nothing that stays with nobody."""

import multiprocessing
import random
import sys
import types

import numpy as np
import pytest

from lnl_core.records import Busy
from lnl_core.store import datasets, decisions, leases
from lnl_core.store.db import dispose, open_workspace
from lnl_core.types import Action, Decision


@pytest.fixture
def people(workspace):
    for name in ("ann", "bob", "cleo"):
        decisions.add_reviewer(workspace, name)


def take(info, who, rows, *, tab=None, limit=99, at=1000.0, since=None, second=()):
    since = decisions.last_id(info) if since is None else since
    return leases.take(
        info, who, tab or f"{who}'s tab", list(rows), limit=limit, since=since, second=second,
        clock=lambda: at,
    )  # fmt: skip


def rows_of(info, who, at=1000.0):
    return sorted(each.row for each in leases.held(info, lambda: at) if each.reviewer == who)


def answer(info, who, row, action=Action.KEEP):
    decisions.append(info, [Decision(row, action, who)])


def test_what_one_has_another_does_not_get(workspace, tiny, people):
    assert take(tiny, "ann", range(10), limit=4) == [0, 1, 2, 3]
    assert take(tiny, "bob", range(10), limit=4) == [4, 5, 6, 7]
    assert take(tiny, "ann", range(10), limit=6) == [0, 1, 2, 3, 8, 9]
    assert rows_of(tiny, "bob") == [4, 5, 6, 7]


def test_an_answer_frees_and_only_for_whom_it_is_by(workspace, tiny, people):
    take(tiny, "ann", [1, 2])
    answer(tiny, "ann", 1)
    answer(tiny, "bob", 2)  # out of turn, by a link
    assert rows_of(tiny, "ann") == [2]


def test_what_was_answered_after_the_look_is_not_taken(workspace, tiny, people):
    """The queue was put together before another's answer arrived, and fetched after it."""
    before = decisions.last_id(tiny)
    take(tiny, "ann", [1])
    answer(tiny, "ann", 1)
    assert take(tiny, "bob", [1, 2], since=before) == [2]


def test_a_tab_gives_back_its_own_only(workspace, tiny, people):
    take(tiny, "ann", [1, 2], tab="left")
    take(tiny, "ann", [2, 3], tab="right")  # the same person: the other tab takes 2 over
    take(tiny, "bob", [4])
    assert leases.give_back(workspace, "left") == 1
    assert (rows_of(tiny, "ann"), rows_of(tiny, "bob")) == ([2, 3], [4])


def test_a_lease_ends_by_itself_and_fetching_prolongs_it(workspace, tiny, people):
    take(tiny, "ann", [1, 2], at=0.0)
    take(tiny, "ann", [1, 2], at=leases.LASTS / 2)
    assert take(tiny, "bob", [1, 2, 3], at=leases.LASTS * 1.4) == [3]
    assert take(tiny, "bob", [1, 2, 3], at=leases.LASTS * 1.6) == [1, 2, 3]
    assert rows_of(tiny, "ann", at=leases.LASTS * 1.6) == []


def test_what_a_tab_was_sent_no_more_lingers_and_is_free_then(workspace, tiny, people):
    take(tiny, "ann", [1, 2], at=0.0)
    take(tiny, "ann", [2], at=1.0)  # another filter; 1 may be on the screen still
    assert take(tiny, "bob", [1], at=leases.LINGERS - 5) == []
    assert take(tiny, "bob", [1], at=leases.LINGERS + 5) == [1]
    assert take(tiny, "ann", [1, 2], at=leases.LINGERS + 6) == [2]


@pytest.mark.parametrize("jump", [-86400.0 * 365, 86400.0 * 365])
def test_a_clock_that_jumps_strands_nothing(workspace, tiny, people, jump):
    """A machine woke up in the wrong year; soon after its clock is set, everything is free."""
    take(tiny, "ann", [1, 2], at=1e9 + jump)
    assert take(tiny, "bob", [1, 2], at=1e9) == [1, 2]
    assert leases.held(tiny, lambda: 1e9 + leases.LASTS) == []


def test_a_second_look_is_a_lease_of_its_own_kind(workspace, tiny, people):
    answer(tiny, "ann", 7, Action.UNSURE)
    take(tiny, "bob", [6, 7], second={7})
    assert {each.row: each.kind for each in leases.held(tiny, lambda: 1000.0)} == {
        6: leases.FIRST,
        7: leases.SECOND,
    }


def test_leases_go_with_their_set(workspace, tiny, people):
    take(tiny, "ann", [1, 2])
    datasets.remove(tiny)
    assert leases.held(tiny, lambda: 1000.0) == []
    assert take(tiny, "ann", [1], since=0) == []


def _review(home, number, gate):
    """Fetch, answer some, fetch again, until nothing is free; as a process of its own."""
    ws = open_workspace(home)
    (info,) = datasets.datasets(ws)
    who, luck = f"r{number}", random.Random(number)
    decisions.add_reviewer(ws, who)
    gate.wait()
    while True:
        since = decisions.last_id(info)
        done = {row for row, *_ in decisions.states(info)}
        left = [row for row in range(info.n) if row not in done]
        if not left:
            break
        try:
            mine = leases.take(info, who, who, left, limit=luck.randint(1, 9), since=since)
        except Busy:  # the turn did not come in time: the desk asks again
            continue
        keep = mine[: luck.randint(0, len(mine))]
        decisions.append(info, [Decision(row, Action.KEEP, who) for row in keep])
    dispose(ws)


def test_eight_processes_answer_every_image_once(workspace, tiny, monkeypatch):
    # a page that was tested before is left as the main module, which each process would run
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    spawn = multiprocessing.get_context("spawn")
    gate = spawn.Barrier(8)
    many = [spawn.Process(target=_review, args=(workspace.home, i, gate)) for i in range(8)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    assert [each.exitcode for each in many] == [0] * 8
    assert sorted(row for _, row, *_ in decisions.log(tiny)) == list(range(tiny.n))
    assert leases.held(tiny) == []


def test_copies_of_one_picture_are_at_one_reviewer(people, tiny):
    pictures = np.arange(tiny.n)
    pictures[[4, 9]] = 4
    same = {"limit": 9, "since": 0, "pictures": pictures}
    assert leases.take(tiny, "ann", "ann", [4], **same) == [4]
    assert leases.take(tiny, "bob", "bob", [9, 5], **same) == [5]
    assert leases.take(tiny, "ann", "ann", [4, 9], **same) == [4, 9]
