"""Where chance certifies sooner than the queue, the goal as it was set, and what is expected."""

import dataclasses

import numpy as np
import pytest

from lnl_core.review import consensus
from lnl_core.services import in_force
from lnl_core.services.datasets import settings
from lnl_core.services.review import desk, draws, expecting, goals, planning
from lnl_core.services.review.progress import progress
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError
from tests.services.review.test_auditing import Reviewer, drawn, make


@pytest.fixture
def birds(workspace, tmp_path):
    return make(workspace, tmp_path, 600)


def test_where_chance_certifies_sooner_than_the_queue_it_alone_is_shown(workspace, tmp_path):
    """The queue has shown what the scores see; every further image is drawn at random."""
    info = make(workspace, tmp_path, 600, "easy")
    data = datasets.load(info)
    wrong = np.asarray(data.true_labels) != np.asarray(data.given_labels)
    p = np.where(wrong, 0.9, 0.002)
    order = np.argsort(-p, kind="stable")
    ranking, runs = arrays.load_ranking(info.directory / "ranking")
    ranking = dataclasses.replace(ranking, p_wrong=p, suspicion=p, order=order)
    arrays.save_ranking(info.directory / "ranking", ranking, runs)
    ann = Reviewer(workspace, info)
    assert not planning.forecast(info, 30).audits_alone
    ann.review(150)
    assert not wrong[~in_force.standing(info).answered].any()
    ahead = planning.forecast(info, 30)
    assert ahead.audits_alone
    assert 0 < ahead.plan.audits < 150
    assert progress(info, "ann").goal.more == planning.forecast(info).plan.total
    before = len(drawn(workspace, info))
    assert desk.audits_only(info, "suspicious")
    shown = ann.window()[:6]
    assert set(shown) <= set(drawn(workspace, info))
    assert len(drawn(workspace, info)) > before


def test_the_goal_is_fixed_when_the_review_begins_and_does_not_move(workspace, birds):
    ann = Reviewer(workspace, birds)
    assert planning.planned(birds) is None
    ann.review(1)
    first = planning.planned(birds)
    assert 100 < first <= 600
    ann.review(60)
    ranking, runs = arrays.load_ranking(birds.directory / "ranking")
    worse = dataclasses.replace(ranking, p_wrong=np.clip(3 * ranking.p_wrong, 0, 0.99))
    arrays.save_ranking(birds.directory / "ranking", worse, runs)  # another method has ended
    ann.review(5)
    assert planning.planned(birds) == first
    now = progress(birds, "ann").as_dict()
    assert now["errors_left"]["goal"] == 6
    here = progress(birds, "ann")
    assert here.goal.more > 0
    assert now["expected"] == here.reviewed + here.goal.more  # the strip and the panel agree
    settings.set_goal(birds, 60)
    ann.review(1)
    assert planning.planned(birds) < first
    assert progress(birds, "ann").errors_left.goal == 60
    with pytest.raises(LnlError, match="between 0 and 599"):
        settings.set_goal(birds, 600)


def test_answers_that_a_run_was_told_do_not_say_how_right_it_is(workspace, birds):
    """It knows them by heart: as proof of its p_wrong they would leave too little to be found."""
    Reviewer(workspace, birds).review(60)
    said = in_force.standing(birds)
    folder = birds.directory / "runs" / "1"
    learned = arrays.load_signals(folder)
    given = np.asarray(in_force.loaded(birds).given_labels)
    ranking = consensus.rank([learned], given, 3, trusted=said.kept)
    arrays.save_ranking(birds.directory / "ranking", ranking, {"sr": 1})
    open_ = ~said.answered
    before = expecting.expected(birds, fresh=True).p[open_]
    assert np.abs(before - ranking.p_wrong[open_]).max() > 0.01  # sixty answers change it
    arrays.write_array(folder / "trusted.npy", said.answered)
    arrays.save_ranking(birds.directory / "ranking", ranking, {"sr": 1})
    after = expecting.expected(birds, fresh=True).p[open_]
    np.testing.assert_allclose(after, ranking.p_wrong[open_], atol=1e-6)


def test_a_goal_that_nobody_set_is_counted_when_the_review_begins(workspace, birds, monkeypatch):
    before = in_force.goal(birds)
    Reviewer(workspace, birds).review(1)
    monkeypatch.setattr(in_force, "labelled_count", lambda info: 100 * (before + 50))  # it grew
    assert in_force.goal(birds) == before
    settings.set_goal(birds, None)  # a person asks for one in a hundred, of what is there now
    assert in_force.goal(birds) == before + 50


def test_what_people_have_put_off_counts_as_wrong_in_the_forecast_as_in_the_limit(
    workspace, tmp_path
):
    """Where more of it waits than may be left, no number of reviews is enough before that."""
    few = make(workspace, tmp_path, 120)
    settings.set_goal(few, 3)
    ann = Reviewer(workspace, few)
    ann.review(80)
    late = [row for row in ann.window() if row in drawn(workspace, few)][:2]
    ann.press(*late, action="skip")
    unsure = [row for row in ann.window() if row not in late][:3]
    ann.press(*unsure, action="unsure")
    now = in_force.standing(few)
    ahead, here = planning.forecast(few, now=now), goals.stand(few, now=now)
    assert ahead.settle == here.settle == 5
    assert here.takes.endswith(", once 5 images are settled (skipped, unsure or disputed)")
    assert here.more >= 20  # of 37: in fewer, all right, 4 wrong ones are not rare enough
    bob = Reviewer(workspace, few, "bob")
    bob.press(*unsure)
    now = in_force.standing(few)
    ahead, here = planning.forecast(few, now=now), goals.stand(few, now=now)
    assert (ahead.settle, ahead.basis.stuck) == (0, 2)
    assert "settled" not in here.takes


def test_images_that_are_drawn_ahead_change_no_forecast(workspace, birds):
    ann, bob = Reviewer(workspace, birds), Reviewer(workspace, birds, "bob")
    for _ in range(8):
        ann.press(*ann.window(order="random")[:6])
    now = in_force.standing(birds)
    before = planning.forecast(birds, now=now)
    bob.window(order="random")
    assert draws.open_draws(birds, now) > 0
    planning._forecast.cache_clear()
    after = planning.forecast(birds, now=now)
    assert abs(after.plan.total - before.plan.total) <= 1
    assert after.audits == before.audits
