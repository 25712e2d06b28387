"""What fetching images asks of the database: counts that no machine changes."""

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from lnl_core.services import lately
from lnl_core.services.review import desk, goals, progress
from lnl_core.services.review.goals import LEFT
from lnl_core.store import arrays, once
from tests.services.review.test_desk import press

MOST = 32
"""Statements of a fetch, begins and commits apart; it was 41 where goals and looks were asked for
wherever they were needed. One takes half a millisecond, and eight reviewers take turns."""


@pytest.fixture
def statements():
    """The statements sent since, without those that begin and end a transaction."""
    sent = []

    def note(_connection, _cursor, statement, *_rest):
        if not statement.upper().startswith(("BEGIN", "COMMIT")):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def test_a_fetch_asks_few_things(workspace, scored, statements):
    from lnl_core.services.review.recording import record

    state = desk.review_state(scored, "ann", limit=20, tab="one")
    for _ in range(2):  # what is worked out once is by then
        record(scored, "ann", [press(state.items[0]["row"], look=state.items[0]["look"])])
        state = desk.review_state(scored, "ann", limit=20, tab="one")
    record(scored, "ann", [press(state.items[0]["row"], look=state.items[0]["look"])])
    statements.clear()
    desk.review_state(scored, "ann", limit=20, tab="one")
    assert 15 < len(statements) <= MOST, "\n".join(statements)
    for table in ("goals", "looks", "parts"):
        asked = [each for each in statements if f"max({table}." in each or f"FROM {table}" in each]
        assert len(set(asked)) == len(asked), asked


def test_a_fetch_reads_which_ranking_is_in_force_once(workspace, scored, monkeypatch):
    desk.review_state(scored, "ann", limit=20, tab="one")
    reads, read = [], arrays.ranking_version
    monkeypatch.setattr(arrays, "ranking_version", lambda folder: reads.append(0) or read(folder))
    desk.review_state(scored, "ann", limit=20, tab="one")
    assert len(reads) == 1  # it was 27


def test_what_no_answer_changes_is_worked_out_once_of_a_ranking(workspace, scored, monkeypatch):
    from lnl_core.review import recalibration
    from lnl_core.services.review.expecting import expected

    made, make = [], recalibration.before
    monkeypatch.setattr(recalibration, "before", lambda *given: made.append(0) or make(*given))
    for _ in range(3):
        answer(scored, 3)
        expected(scored, fresh=True)
    assert len(made) == 1


def test_a_goal_set_meanwhile_is_seen_by_the_next_fetch(workspace, scored):
    before = desk.review_state(scored, "ann").progress.goal
    goals.set_goal(scored, LEFT, 7, "ann")
    after = desk.review_state(scored, "ann").progress.goal
    assert before != after
    assert after.goal.value == 7


def test_what_was_asked_is_kept_within_one_piece_of_work_only():
    said = iter(range(9))
    assert [once.asked("n", lambda: next(said)) for _ in range(2)] == [0, 1]
    with once.at_once():
        assert [once.asked("n", lambda: next(said)) for _ in range(2)] == [2, 2]
        with once.at_once():
            assert once.asked("n", lambda: next(said)) == 2
        assert once.asked("n", lambda: next(said)) == 2
        assert once.asked("other", lambda: next(said)) == 3
    assert once.asked("n", lambda: next(said)) == 4
    with pytest.raises(ZeroDivisionError), once.at_once():
        once.asked("n", lambda: 1 / 0)
    assert once.asked("n", lambda: next(said)) == 5


def answer(info, count):
    """Let Ann answer what comes next; nobody else does, and no look is hidden."""
    from lnl_core.services.review.recording import record

    open_ = [row for row in range(info.n) if desk.is_open(info, "ann", row)]
    record(info, "ann", [press(row) for row in open_[:count]])


def reviewed(info, **more):
    return desk.review_state(info, "ann", limit=5, **more).progress.reviewed


def test_a_fetch_tells_the_last_finished_moment_and_never_waits_for_the_next(workspace, scored):
    assert reviewed(scored, tab="one") == 0
    answer(scored, 10)
    with progress.READY._making[scored]:  # as while the thread is at work: would hang if it waited
        assert reviewed(scored, tab="one") == 0
        assert desk.page_states(scored, "ann", tab="one")[0].progress.reviewed == 0
    assert reviewed(scored, tab="one") == 0
    lately.idle()
    assert reviewed(scored, tab="one") == 10
    answer(scored, 10)
    assert reviewed(scored) == 20  # who takes no images is told the last moment


def test_a_fetch_is_never_far_behind(workspace, scored, monkeypatch):
    monkeypatch.setattr(progress, "BEHIND", 15)
    assert reviewed(scored, tab="one") == 0
    answer(scored, 20)
    assert reviewed(scored, tab="one") == 20
    answer(scored, 40)
    monkeypatch.setattr(progress, "BEHIND", 100)
    assert reviewed(scored, tab="one") == 60  # all are answered: there is nothing more to come
