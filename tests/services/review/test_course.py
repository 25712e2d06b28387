"""The chart of the guarantee: what was, as people were told it then, and what is to come."""

import threading

import pytest

from lnl_core.review.course import POINTS
from lnl_core.services.datasets import settings
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, course, draws, expecting, goals, planning
from lnl_core.services.review.progress import progress
from lnl_core.types import Action
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def birds(workspace, tmp_path):
    return make(workspace, tmp_path, 600)


def test_what_is_past_is_what_was_said_at_the_time(birds):
    ann = Reviewer(birds.workspace, birds)
    told = {}
    for _ in range(24):
        ann.press(*ann.window(order="random")[:5])
        left = auditing.errors_left(birds, fresh=True)
        if left.limit is not None:
            told[standing(birds).reviewed] = left.limit
    past = dict(course.course(birds).past)
    both = sorted(set(told) & set(past))
    assert len(both) > 15
    assert [past[x] for x in both] == [told[x] for x in both]


def test_images_that_wait_on_another_screen_do_not_make_the_past_worse(birds):
    ann, bob = (Reviewer(birds.workspace, birds, name) for name in ("ann", "bob"))
    for _ in range(8):
        ann.press(*ann.window(order="random")[:5])
    waiting = ann.window(order="random")  # drawn, and never answered
    for _ in range(16):
        bob.press(*bob.window(order="random")[:5])
    drawn = [each.row for each in draws.draws(birds)]
    assert len(set(waiting) & set(drawn)) >= 5
    left, past = auditing.errors_left(birds, fresh=True), course.course(birds).past
    found = int(standing(birds).found_wrong.sum())
    totals = [most + found for _, most in past]
    assert max(most for _, most in past[len(past) // 2 :]) <= past[0][1]
    assert past[-1][1] >= left.limit
    assert past[-1][1] <= left.limit + 2
    assert min(totals) >= left.limit + found - max(most for _, most in past)


def test_an_answer_that_changed_changes_the_past_with_it(at_once, birds):
    ann = Reviewer(birds.workspace, birds)
    for _ in range(12):
        ann.press(*ann.window(order="random")[:5])
    before = course.course(birds).past
    drawn = [each.row for each in draws.draws(birds)]
    first = next(row for row in drawn if ann.truth[row] == ann.given[row])
    ann.press(first, action=Action.NONE)
    after = course.course(birds).past
    assert [x for x, _ in after] == [x for x, _ in before]
    assert sum(most for _, most in after) > sum(most for _, most in before)


def test_what_is_to_come_leads_from_here_to_the_goal_of_the_plan(birds):
    settings.set_goal(birds, 15)
    ann = Reviewer(birds.workspace, birds)
    ann.review(200)
    left, plan = auditing.errors_left(birds, fresh=True), planning.forecast(birds)
    ahead = course.course(birds).ahead
    x, most = zip(*ahead, strict=True)
    assert (x[0], most[0]) == (plan.reviewed, left.limit)
    assert x[-1] == plan.reviewed + plan.plan.total
    assert most[-1] <= 15
    assert list(most) == sorted(most, reverse=True)
    assert list(x) == sorted(x)
    settings.set_goal(birds, left.limit)
    assert course.course(birds).ahead == ()  # there is nothing to wait for


def test_no_answer_waits_for_the_chart_and_it_follows(birds, monkeypatch):
    ann = Reviewer(birds.workspace, birds)
    ann.review(20)
    assert progress(birds, "ann").course is None  # a limit from twenty checks on
    for _ in range(20):
        ann.press(*ann.window(order="random")[:5])
    progress(birds, "ann")
    course._asked[birds][1].result(timeout=60)
    drawn = progress(birds, "ann").as_dict()["course"]
    assert drawn["past"] == list(course.course(birds).past)
    monkeypatch.setattr(course, "course", lambda info: pytest.fail("nothing has changed"))
    progress(birds, "ann")


def test_the_way_to_one_goal_is_not_said_to_lead_to_the_next(birds, monkeypatch):
    ann = Reviewer(birds.workspace, birds)
    ann.review(200)
    settings.set_goal(birds, 15)
    progress(birds, "ann")
    course._asked[birds][1].result(timeout=60)
    before = progress(birds, "ann").course
    assert before.ahead[-1][1] <= 15
    goals.set_goal(birds, "reviews", 4, "ann")
    may_go_on, work_out = threading.Event(), course.course

    def later(info):
        may_go_on.wait(60)
        return work_out(info)

    monkeypatch.setattr(course, "course", later)
    monkeypatch.setattr(course, "FIRST", 0)
    for _ in range(2):  # while it is worked out
        now = progress(birds, "ann").course
        assert (now.past, now.ahead) == (before.past, ())
    may_go_on.set()
    course._asked[birds][1].result(timeout=60)
    now = progress(birds, "ann").course
    assert now.ahead[-1][0] == now.ahead[0][0] + 4
    assert now.ahead[-1][1] > 15


def test_long_reviews_send_few_points(birds):
    ann = Reviewer(birds.workspace, birds)
    for _ in range(80):
        ann.press(*ann.window(order="random")[:7])
    past = course.course(birds).past
    assert len(past) <= POINTS
    assert 540 < past[-1][0] <= 560


def test_until_chance_has_spoken_the_scores_guess_is_called_one(birds):
    ann = Reviewer(birds.workspace, birds)
    before = progress(birds, "ann").as_dict()["guess_said"]
    ann.review(30)
    progress(birds, "ann")
    now = progress(birds, "ann").as_dict()
    assert now["errors_left"]["estimate"] is None
    assert before.endswith("until 25 answers")
    assert now["guess_said"].startswith("a guess by the scores, corrected by ")
    wrong = int((ann.truth != ann.given).sum())
    assert 0.3 * wrong < now["guess"] < 3 * wrong
    ann.review(150)
    assert progress(birds, "ann").guess is None


def test_a_guess_says_when_it_is_rough():
    """One method alone, or methods of which none was taught the labels, until people correct it."""
    rests_on = expecting.rests_on
    assert rests_on(("probe",), 0) == "a rough guess by one method until 25 answers"
    assert rests_on(("jump@pretrained",), 24) == "a rough guess by one method until 25 answers"
    assert rests_on(("knn", "probe"), 0) == "a rough guess by the scores until 25 answers"
    assert rests_on(("knn", "ce"), 0) == "a guess by the scores until 25 answers"
    assert rests_on(("probe",), 1025) == "a guess by the scores, corrected by 1,025 settled answers"
