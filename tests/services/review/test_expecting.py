"""What is expected to be left stays where it was when runs are made that were told the answers."""

import dataclasses

import numpy as np
import pytest

from lnl_core.review import recalibration
from lnl_core.services import in_force
from lnl_core.services.datasets import growing
from lnl_core.services.review import auditing, expecting, limits
from lnl_core.store import arrays, audits, datasets, decisions
from lnl_core.types import Action, Decision
from tests.services.review.test_auditing import Reviewer, make


@pytest.fixture
def reviewed(workspace, tmp_path, once):
    """Six hundred images, half of them answered; the scores expect twice what is wrong."""

    def half():
        info = make(workspace, tmp_path, 600)
        Reviewer(workspace, info).review(300)
        return info

    return once("expecting", half)


def learned(info, *, kept=True):
    """Put a ranking in force whose run knows all answers and expects five times too many."""
    folder = info.directory / "ranking"
    said = in_force.standing(info)
    ranking, _ = arrays.load_ranking(folder)
    if kept:
        arrays.keep_before_review(folder)
    arrays.write_array(info.directory / "runs" / "1" / "trusted.npy", said.answered)
    p = np.where(said.answered, 0.001, np.clip(5 * np.asarray(ranking.p_wrong) + 0.1, 0, 0.9))
    arrays.save_ranking(folder, dataclasses.replace(ranking, p_wrong=p), {"sr": 1})


def test_a_run_that_was_told_the_answers_moves_nobodys_estimate(reviewed):
    before = expecting.expected(reviewed, fresh=True)
    told = auditing.errors_left(reviewed, fresh=True).estimate
    learned(reviewed)
    after = expecting.expected(reviewed, fresh=True)
    raw = float(in_force.scored(reviewed).ranking.p_wrong[after.open].sum())
    assert raw > before.total - before.found + 20
    assert after.total == pytest.approx(before.total, abs=1)
    assert abs(auditing.errors_left(reviewed, fresh=True).estimate - told) <= 1
    assert after.corrected_by == before.corrected_by
    p = in_force.scored(reviewed).ranking.p_wrong
    assert (np.diff(after.p[after.open][np.argsort(p[after.open])]) >= 0).all()  # its own order


def test_draws_that_no_run_was_told_are_heard_once(reviewed):
    """They had corrected the earlier ranking, and then once more what was read off it."""
    drawn = [each.row for each in audits.draws(reviewed)]
    answered = in_force.standing(reviewed).answered
    Reviewer(reviewed.workspace, reviewed).press(
        *[row for row in drawn if answered[row]], action="none"
    )  # far more than the scores expect
    before = expecting.expected(reviewed, fresh=True)
    learned(reviewed)
    told = in_force.standing(reviewed).answered
    told[drawn] = False
    arrays.write_array(reviewed.directory / "runs" / "1" / "trusted.npy", told)
    arrays.save_ranking(  # another version: what it was told is read anew
        reviewed.directory / "ranking",
        arrays.load_ranking(reviewed.directory / "ranking")[0],
        {"sr": 1},
    )
    after = expecting.expected(reviewed, fresh=True)
    assert after.told
    assert after.total == pytest.approx(before.total, abs=1)


def test_a_run_that_was_told_the_answers_is_as_sure_as_the_one_before(reviewed):
    before = expecting.expected(reviewed, fresh=True)
    learned(reviewed)
    after = expecting.expected(reviewed, fresh=True)
    ours, theirs = np.sort(after.p[after.open]), np.sort(before.p[before.open])
    assert np.abs(ours - theirs).mean() < 0.02
    assert (ours > 0.5).sum() == pytest.approx((theirs > 0.5).sum(), abs=3)


def test_later_answers_correct_it_on(workspace, reviewed):
    learned(reviewed)
    data = datasets.load(reviewed)
    wrong = np.asarray(data.true_labels) != np.asarray(data.given_labels)
    Reviewer(workspace, reviewed).review(150)
    ahead = expecting.expected(reviewed, fresh=True)
    assert ahead.total == pytest.approx(wrong.sum(), abs=8)


def test_where_no_earlier_ranking_was_kept_the_draws_speak(reviewed):
    learned(reviewed, kept=False)
    ahead, now = expecting.expected(reviewed, fresh=True), in_force.standing(reviewed)
    assert not ahead.is_borne_out
    mean = limits.limits_of(reviewed, now).totals.mean
    left = auditing.errors_left(reviewed, fresh=True)
    assert left.estimate == pytest.approx(mean - left.found, abs=1)
    assert left.estimate < ahead.total - ahead.found


def test_the_estimate_is_never_above_the_guarantee(workspace, tmp_path):
    info = make(workspace, tmp_path, 300)
    Reviewer(workspace, info).review(200)
    folder = info.directory / "ranking"
    ranking, runs = arrays.load_ranking(folder)
    p = np.where(in_force.standing(info).answered, ranking.p_wrong, 0.99)
    arrays.save_ranking(folder, dataclasses.replace(ranking, p_wrong=p), runs)
    left = auditing.errors_left(info, fresh=True)
    mean = limits.limits_of(info, in_force.standing(info)).totals.mean
    assert left.estimate == pytest.approx(mean - left.found, abs=1)  # the draws contradict it
    assert left.estimate < left.limit < left.high


def test_answers_to_images_that_were_added_later_do_not_correct_the_earlier_ranking(
    workspace, tmp_path
):
    info = make(workspace, tmp_path, 600)
    folder = info.directory / "ranking"
    whole, runs = arrays.load_ranking(folder)
    part = {
        name: np.asarray(getattr(whole, name))[:500]
        for name in ("suspicion", "p_wrong", "suggested_labels", "top_labels", "top_probs")
    }
    order = np.asarray(whole.order)[np.asarray(whole.order) < 500]
    arrays.save_ranking(folder, dataclasses.replace(whole, **part, order=order), runs)
    ann = Reviewer(workspace, info)
    ann.review(200)
    early = np.flatnonzero(in_force.standing(info).answered[:500])
    ann.press(*np.flatnonzero(~in_force.standing(info).answered[500:]) + 500)
    arrays.keep_before_review(folder)
    said = in_force.standing(info)
    arrays.write_array(info.directory / "runs" / "1" / "trusted.npy", said.answered)
    arrays.save_ranking(folder, whole, {"sr": 1})
    wrong = ann.truth[early] != ann.given[early]
    suggested = np.asarray(whole.suggested_labels)
    drawn = np.isin(early, [each.row for each in audits.draws(info)])
    p = recalibration.recalibrated(
        whole.p_wrong[:500], ann.given[:500], suggested[:500], early, wrong, drawn
    )
    ahead = expecting.expected(info, fresh=True)
    rest = ~said.answered[:500]
    assert ahead.p[:500][rest].sum() == pytest.approx(p[rest].sum(), abs=0.2)


def test_images_that_nobody_has_scored_are_expected_wrong_as_often_as_the_others(
    workspace, reviewed, tmp_path
):
    before = expecting.expected(reviewed, fresh=True)
    source = tmp_path / "more.npz"
    images = np.random.default_rng(8).integers(0, 255, (60, 4, 4, 1), dtype=np.uint8)
    names = np.array(reviewed.class_names)
    np.savez(source, images=images, labels=np.arange(60) % 3, class_names=names)
    growing.add_images(reviewed, source)
    info = datasets.dataset(workspace, reviewed.name)
    after, left = expecting.expected(info, fresh=True), auditing.errors_left(info, fresh=True)
    assert after.total == pytest.approx(1.1 * before.total)
    assert left.estimate == pytest.approx(after.total - after.found, abs=1)
    wrong = [Decision(row, Action.NONE, "ann") for row in range(600, 610)]
    decisions.append(info, wrong)  # they say nothing of what was scored
    assert expecting.expected(info, fresh=True).p[:600] == pytest.approx(before.p)
