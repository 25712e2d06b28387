"""Goals in words: fixed when set, of three kinds, and reached when what they say is so."""

import dataclasses

import numpy as np
import pytest

from lnl_core.review import recall
from lnl_core.services.datasets import settings
from lnl_core.services.in_force import standing
from lnl_core.services.review import auditing, certifying, course, desk, goals, sharing
from lnl_core.services.review.progress import progress
from lnl_core.store import audits, datasets, decisions
from lnl_core.store import goals as stored
from lnl_core.types import Action, Decision, LnlError
from tests.services.review.test_auditing import Reviewer, drawn, make


@pytest.fixture
def birds(workspace, tmp_path):
    return make(workspace, tmp_path, 600)


def test_a_goal_says_who_set_it_and_when_and_a_newer_one_takes_its_place(birds):
    before = goals.stand(birds)
    assert (before.kind, before.goal) == ("left", None)
    assert before.words == "until at most 6 wrong labels are left"
    Reviewer(birds.workspace, birds).review(3)
    goals.set_goal(birds, "left", 30, "ann")
    goals.set_goal(birds, "reviews", 100, "bob")
    first, second = stored.goals(birds)
    assert (first.reviewer, first.value, first.number) == ("ann", 30, 1)
    assert first.last_decision == standing(birds).last_id
    assert first.set_at <= second.set_at
    assert goals.stand(birds).goal == second
    assert [before.as_dict()["number"], goals.stand(birds).as_dict()["number"]] == [0, 2]
    assert settings.goal(birds) is None
    goals.set_goal(birds, "left", None, None)
    assert goals.stand(birds).words == before.words


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("left", 600, "between 0 and 599"),
        ("recall", 0.3, "between 0.5 and 0.99"),
        ("recall", None, "between 0.5 and 0.99"),
        ("reviews", 0, "more than none"),
        ("reviews", 601, "more than none"),
        ("seconds", None, "more than none"),
        ("luck", 1, "no kind of goal"),
        ("seconds", float("inf"), "no goal"),
        ("seconds", float("nan"), "no goal"),
        ("seconds", 1e300, "at most 100 hours"),
        ("left", 2.7, "whole one"),
        ("reviews", 2.5, "whole one"),
    ],
)
def test_what_makes_no_sense_is_refused(birds, kind, value, words):
    with pytest.raises(LnlError, match=words):
        goals.set_goal(birds, kind, value, "ann")
    assert stored.goals(birds) == ()


def test_so_many_images_are_counted_from_when_the_goal_was_set(birds):
    ann = Reviewer(birds.workspace, birds)
    ann.review(30)
    goals.set_goal(birds, "reviews", 120, "ann")
    assert progress(birds, "ann").expected == 150
    ann.review(40)
    here = goals.stand(birds)
    assert (here.holds, here.more, here.said) == (False, 80, "40 of 120 answered")
    now = course.course(birds)
    if now.ahead:  # with a limit: what it will be then
        assert now.ahead[-1][0] == 150
    ann.review(80)
    here = goals.stand(birds)
    assert (here.holds, here.more) == (True, 0)
    limit = auditing.errors_left(birds).limit
    assert here.reached == f"the 120 images are answered: at most {limit} errors left"
    assert progress(birds, "ann").as_dict()["errors_left"]["may_stop"]


def test_time_is_what_answers_took_pauses_left_out(at_once, birds):
    ann = Reviewer(birds.workspace, birds)
    ann.review(10)
    goals.set_goal(birds, "seconds", 180, "ann")
    assert goals.stand(birds).more == 45  # nobody's pace is known since
    rows = ann.window()
    ann.press(*rows[:3], ms=20_000)
    here = goals.stand(birds)
    assert here.said == "1 min of 3 min spent"
    assert (here.holds, here.more) == (False, 6)
    ann.press(*rows[3:4], ms=3_600_000)  # an hour at lunch counts a minute
    assert goals.stand(birds).said == "2 min of 3 min spent"
    ann.press(*rows[4:7], ms=20_000)
    assert goals.stand(birds).holds


def test_a_time_goal_is_told_what_the_guarantee_will_be(birds):
    ann = Reviewer(birds.workspace, birds)
    for _ in range(8):
        ann.press(*ann.window(order="random")[:5])
    goals.set_goal(birds, "reviews", 200, "ann")
    limit = auditing.errors_left(birds, fresh=True).limit
    ahead = course.course(birds).ahead
    assert ahead[0] == (40, limit)
    assert ahead[-1][0] == 240
    assert ahead[-1][1] < limit - 20


def share(birds, tau=0.8):
    goals.set_goal(birds, "recall", tau, "ann")
    return stored.goals(birds)[-1]


def test_a_share_is_reached_by_a_sample_first_and_then_the_order_that_was_fixed(at_once, birds):
    ann = Reviewer(birds.workspace, birds)
    ann.review(35)
    found_before = int(standing(birds).wrong.sum())
    goal = share(birds, 0.7)
    r, j = goal.facts["r"], goal.facts["j"]
    assert (r, j) == (60, recall.needed(60, 0.7, 0.025))
    assert goal.facts["images"] == 600 - len(
        set(drawn(None, birds)) | {*np.flatnonzero(standing(birds).answered)}
    )
    wrong = ann.truth != ann.given
    assert wrong.sum() - found_before >= r
    while goals.stand(birds).said.startswith("random images first"):
        here = ann.window()
        answered = standing(birds).answered
        waiting = [row for row in drawn(None, birds) if not answered[row]]
        assert {*here[: len(waiting)]} == {*waiting}  # what was drawn is shown, and first
        ann.press(*here[: len(waiting)])
    sample = sharing.sampled(birds, goal, standing(birds))
    assert wrong[sample.errors].all()
    assert len(sample.errors) == r
    order = sharing._told(birds, goal).order
    places = np.sort(np.flatnonzero(np.isin(order, sample.errors)))
    assert sample.deep == places[j - 1] + 1
    shown = [row for row in ann.window() if row not in drawn(None, birds)]
    seen = standing(birds).answered.copy()
    seen[drawn(None, birds)] = True
    open_ = [row for row in order if not seen[row]]
    assert shown[:10] == open_[:10]  # the queue goes by the fixed order
    left = goals.stand(birds).more
    assert left == (~standing(birds).answered[order[: sample.deep]]).sum()
    while not (here := goals.stand(birds)).holds:
        assert "has to reach place" in here.said
        ann.press(*ann.window()[:7])
    assert here.reached == "70 % of the wrong labels are found"
    assert standing(birds).wrong.sum() >= 0.7 * wrong.sum()
    assert progress(birds, "ann").as_dict()["errors_left"]["may_stop"]


def test_another_ranking_does_not_move_the_order_of_a_share(birds):
    from lnl_core.store import arrays

    share(birds)
    before = desk._next(_fetch(birds), 5, np.zeros(600, bool), None)
    ranking, runs = arrays.load_ranking(birds.directory / "ranking")

    turned = dataclasses.replace(ranking, order=np.asarray(ranking.order)[::-1].copy())
    arrays.save_ranking(birds.directory / "ranking", turned, runs)
    queue = [row for row in desk._next(_fetch(birds), 5, np.zeros(600, bool), None)]
    assert queue == before


def _fetch(info):
    from lnl_core.services.in_force import scored
    from lnl_core.services.review.filtering import Filters

    filters = Filters(include_reviewed=True)
    return desk.Fetch(info, scored(info), "ann", standing(info), [], "suspicious", filters, ())


def test_errors_too_few_for_the_sample_end_when_everything_has_an_answer(workspace, tmp_path):
    info = make(workspace, tmp_path, 120)
    ann = Reviewer(workspace, info)
    share(info, 0.9)
    assert goals.stand(info).more == 120
    while not goals.stand(info).holds:
        ann.press(*ann.window()[:9])
    assert standing(info).answered.all()


def test_a_share_is_not_reached_while_what_its_order_leaves_out_has_no_answer(at_once, birds):
    ann = Reviewer(birds.workspace, birds)
    ann.review(300)
    before = np.flatnonzero(standing(birds).answered)
    share(birds)
    order = sharing.order_fixed(birds, stored.goals(birds)[-1])
    ann.press(*order)
    waiting = np.flatnonzero(~standing(birds).answered)
    if len(waiting):  # drawn before the goal was set, and not seen yet
        here = goals.stand(birds)
        assert not here.holds
        assert here.more == len(waiting)
        ann.press(*waiting)
    assert goals.stand(birds).holds
    ann.press(*before, action="reopen")
    here = goals.stand(birds)
    assert not here.holds
    assert here.more == len(before)
    assert here.said == f"{len(before)} images that the goal's order does not hold have no answer"
    assert not progress(birds, "ann").as_dict()["errors_left"]["may_stop"]


def test_images_added_since_keep_a_share_from_being_reached(birds):
    ann = Reviewer(birds.workspace, birds)
    goal = share(birds)
    ann.press(*sharing.order_fixed(birds, goal))
    assert goals.stand(birds).holds
    now = standing(birds)
    more = {
        each.name: np.r_[getattr(now, each.name), np.zeros(9, getattr(now, each.name).dtype)]
        for each in dataclasses.fields(now)
        if isinstance(getattr(now, each.name), np.ndarray) and len(getattr(now, each.name)) == 600
    }
    sample = sharing.sampled(birds, goal, dataclasses.replace(now, **more))
    assert (sample.outside, sample.holds) == (9, False)


def test_images_count_from_moment_to_moment_and_the_last_one_at_once(birds):
    ann = Reviewer(birds.workspace, birds)
    goals.set_goal(birds, "reviews", 36, "ann")
    ann.review(35)
    here = goals.stand(birds)
    assert (here.said, here.more, here.holds) == ("30 of 36 answered", 6, False)
    ann.review(1)
    here = goals.stand(birds)
    assert (here.said, here.more, here.holds) == ("36 of 36 answered", 0, True)
    assert progress(birds, "ann").goal == here


def test_what_a_goal_takes_is_a_sentence_always(birds):
    before = goals.stand(birds)
    assert before.takes == f"about {before.more} more reviews"
    said = {
        (True, 0, 600): "reached",
        (False, None, 600): "not known before a run",
        (False, 0, 600): "a few more random images",
        (False, 0, 0): "second answers to unsure images",
        (False, 1, 600): "about 1 more review",
        (False, 1000, 1200): "about 1,000 more reviews",
        (False, 1100, 1200): "nearly all of the 1,200 images left",
        (False, 1200, 1200): "all of the 1,200 images left",
    }
    for (holds, more, open_), words in said.items():
        here = dataclasses.replace(before, holds=holds, more=more, open=open_)
        assert here.takes == here.as_dict()["takes"] == words
    goals.set_goal(birds, "seconds", 100 * 3600, "ann")
    assert goals.stand(birds).takes == "all of the 600 images left"


def test_images_that_were_asked_for_are_counted_even_where_they_are_nearly_all(birds):
    goals.set_goal(birds, "reviews", 590, "ann")
    assert goals.stand(birds).takes == "about 590 more reviews"


@pytest.mark.parametrize("n", [20, 60])
def test_a_small_set_that_is_looked_at_whole_has_reached_its_goal(workspace, tmp_path, n):
    few = make(workspace, tmp_path, n)
    before = goals.stand(few)
    assert before.takes == f"nearly all of the {n} images left"
    assert before.as_dict()["all"]
    ann = Reviewer(workspace, few)
    ann.review(n - 1)
    assert not goals.stand(few).holds
    ann.review(1)
    left, here = auditing.errors_left(few), goals.stand(few)
    assert left.since < left.enough  # random checks alone could say nothing
    assert (left.limit, left.estimate, here.holds, here.reached) == (0, 0, True, "no error left")
    assert all(check.holds for check in _checked(few, tmp_path))


def test_what_people_are_unsure_of_is_left_where_every_image_has_an_answer(workspace, tmp_path):
    few = make(workspace, tmp_path, 20)
    ann = Reviewer(workspace, few)
    ann.press(*ann.window()[:3], action="unsure")
    ann.review(17)
    left, here = auditing.errors_left(few), goals.stand(few)
    assert (left.limit, left.goal, here.holds) == (3, 1, False)
    assert here.takes == "second answers to unsure images"
    goals.set_goal(few, "left", 3, "ann")
    assert goals.stand(few).holds


def test_only_where_no_image_is_without_an_answer_all_is_answered(workspace, tmp_path):
    few = make(workspace, tmp_path, 60)
    ann = Reviewer(workspace, few)
    goals.set_goal(few, "reviews", 1, "ann")
    ann.review(1)
    assert goals.stand(few).reached == "the image is answered"
    goals.set_goal(few, "reviews", 59, "ann")
    ann.review(59)
    assert goals.stand(few).reached == "all is answered: no error left"
    assert all(check.holds for check in _checked(few, tmp_path))


def test_a_time_goal_is_reached_once_every_image_has_an_answer(workspace, tmp_path):
    few = make(workspace, tmp_path, 60)
    goals.set_goal(few, "seconds", 3600, "ann")
    ann = Reviewer(workspace, few)
    ann.review(59)
    assert not goals.stand(few).holds
    ann.review(1)
    here = goals.stand(few)
    assert (here.holds, here.reached) == (True, "all is answered: no error left")
    assert here.takes == "reached"
    assert all(check.holds for check in _checked(few, tmp_path))


def _checked(info, tmp_path):
    certifying.write(info, tmp_path / "certificate.json")
    return certifying.verify(info, tmp_path / "certificate.json")


def test_a_time_goal_takes_no_more_images_than_there_are(birds):
    goals.set_goal(birds, "seconds", 100 * 3600, "ann")
    assert goals.stand(birds).more == 600


def test_a_name_with_outer_blanks_is_the_name_without(birds):
    goals.set_goal(birds, "left", 3, " ann\n")
    assert stored.goals(birds)[-1].reviewer == "ann"


def test_unsure_is_an_error_and_a_waiting_draw_stops_the_reading(birds):
    ann = Reviewer(birds.workspace, birds)
    goal = share(birds, 0.7)
    rows = ann.window()[:8]
    right = next(row for row in rows if ann.truth[row] == ann.given[row])
    ann.press(right, action=Action.UNSURE)
    others = [row for row in rows[1:] if row != right]
    ann.press(*others)
    said = sharing.sampled(birds, goal, standing(birds))
    assert said.read == 0 or rows[0] == right  # the first draw has no answer yet
    ann.press(*[row for row in rows[:1] if row != right])
    said = sharing.sampled(birds, goal, standing(birds))
    assert right in said.errors


def test_who_sets_a_share_again_takes_a_smaller_risk(birds):
    first, second = share(birds), share(birds)
    assert [each.facts["alpha"] for each in (first, second)] == [0.025, 0.0125]
    assert second.facts["j"] >= first.facts["j"]
    assert first.facts["order"] == second.facts["order"]


def test_nothing_scored_gives_no_order_to_go_by(workspace, tiny):
    with pytest.raises(LnlError, match="Nothing is scored"):
        goals.set_goal(tiny, "recall", 0.9, "ann")
    assert audits.draws(tiny) == ()


def test_a_goal_of_images_is_never_more_than_have_no_answer(birds):
    ann = Reviewer(birds.workspace, birds)
    goals.set_goal(birds, "reviews", 560, "ann")
    ann.review(60)
    with pytest.raises(LnlError, match="no more images than have no answer"):
        goals.set_goal(birds, "reviews", 541, "ann")
    goals.set_goal(birds, "reviews", 540, "ann")
    assert goals.stand(birds).more == 540
    assert progress(birds, "ann").expected <= 600


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        ("seconds", 60, "until 1 min is spent"),
        ("seconds", 3600, "until 1 h is spent"),
        ("seconds", 5400, "until 1 h 30 min are spent"),
        ("reviews", 1, "until 1 image more has an answer"),
        ("left", 1, "until at most 1 wrong label is left"),
    ],
)
def test_a_goal_of_one_is_said_as_one(kind, value, words):
    assert goals.words(kind, value) == words


def test_where_every_image_has_an_answer_what_people_disagree_on_is_to_be_settled(
    workspace, tmp_path
):
    few = make(workspace, tmp_path, 20)
    rows = range(20)
    given = datasets.load(few).given_labels
    decisions.append(few, [Decision(r, Action.KEEP, "ann", given_label=given[r]) for r in rows])
    decisions.append(
        few,
        [Decision(r, Action.NONE, "bob", given_label=given[r]) for r in rows[:3]],
    )
    here, report = goals.stand(few), auditing.report(few)
    assert not here.holds
    assert here.takes == "3 disagreements to settle (Team)"
    assert (report.drawable, report.needed) == (False, None)
    decisions.append(few, [Decision(9, Action.UNSURE, "ann", given_label=given[9])])
    said = goals.stand(few).takes
    assert said == "3 disagreements to settle (Team) and second answers to unsure images"
