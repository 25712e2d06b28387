"""p_wrong as answers correct it."""

import numpy as np
import pytest

from lnl_core.review import recalibration
from lnl_core.review.metrics import calibration_error
from lnl_core.review.recalibration import LEAST, recalibrated


def world(seed, n=6000, slope=1.8, offset=-1.0, bad=None):
    """Scores, and verdicts that follow another line than the scores claim; one class is worse."""
    rng = np.random.default_rng(seed)
    given, suggested = rng.integers(0, 5, (2, n))
    x = rng.normal(-2, 1.5, n)
    eta = offset + slope * x + (2.0 * (given == bad) if bad is not None else 0)
    wrong = rng.random(n) < 1 / (1 + np.exp(-eta))
    return 1 / (1 + np.exp(-x)), given, suggested, wrong


def test_few_answers_change_nothing():
    p, given, suggested, wrong = world(0)
    rows = np.arange(LEAST - 1)
    np.testing.assert_allclose(recalibrated(p, given, suggested, rows, wrong[rows]), p, atol=1e-3)


def test_of_no_images_nothing_is_corrected():
    none = np.zeros(0, int)
    assert recalibrated(np.zeros(0), none, none, none, none.astype(bool)).shape == (0,)


def mixed(p, seed):
    """Answers to the head of the queue and to images drawn at random: rows, and which are drawn."""
    rng = np.random.default_rng(seed)
    head, chance = np.argsort(-p)[:350], rng.choice(len(p), 150, replace=False)
    rows = np.union1d(head, chance)
    return rows, np.isin(rows, chance)


def test_answers_of_the_queue_and_of_chance_make_it_true():
    before, errors = [], []
    for seed in range(8):
        p, given, suggested, wrong = world(seed)
        rows, drawn = mixed(p, seed)
        after = recalibrated(p, given, suggested, rows, wrong[rows], drawn)
        rest = np.setdiff1d(np.arange(len(p)), rows)
        before.append(calibration_error(wrong[rest], p[rest]))
        errors.append(calibration_error(wrong[rest], after[rest]))
    assert np.mean(errors) < 0.03, errors
    assert (np.array(before) > 2 * np.array(errors)).all(), (before, errors)


def test_what_is_left_is_expected_about_right():
    """Of one review it may be a third off, of several on average a tenth."""
    ratios = []
    for seed in range(8):
        p, given, suggested, wrong = world(seed)
        rows, drawn = mixed(p, seed)
        after = recalibrated(p, given, suggested, rows, wrong[rows], drawn)
        rest = np.setdiff1d(np.arange(len(p)), rows)
        ratios.append(after[rest].sum() / wrong[rest].sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.15), ratios


@pytest.mark.parametrize("count", [50, 100, 200])
def test_a_head_that_is_all_wrong_does_not_make_the_rest_wrong(count):
    """Chances of a weak ranking lie close together; only the first of them are wrong labels."""
    rng = np.random.default_rng(count)
    p = np.sort(rng.uniform(0.002, 0.03, 1800))[::-1]
    rows = np.arange(count)
    wrong = rng.random(count) < 0.9
    given, suggested = rng.integers(0, 10, (2, 1800))
    left = recalibrated(p, given, suggested, rows, wrong)[count:]
    assert left.sum() < 0.25 * len(left)
    assert left[:50].mean() > 10 * left[-900:].mean()  # the order is steeper, that is what it says


def test_what_chance_drew_says_how_many_are_wrong_where_no_score_sees_it():
    p, given, suggested, _ = world(5, n=2000)
    rng = np.random.default_rng(5)
    wrong = rng.random(2000) < 0.3  # whatever the scores say
    rows = np.r_[np.argsort(-p)[:100], rng.choice(np.argsort(-p)[100:], 100, replace=False)]
    drawn = np.arange(200) >= 100
    rest = np.setdiff1d(np.arange(2000), rows)

    def ratio(drawn):
        after = recalibrated(p, given, suggested, rows, wrong[rows], drawn)
        return after[rest].sum() / wrong[rest].sum()

    assert abs(np.log(ratio(drawn))) < abs(np.log(ratio(None)))
    assert ratio(drawn) == pytest.approx(wrong[rows[drawn]].mean() / 0.3, rel=0.15)


def test_how_many_rows_there_are_changes_no_rank_by_much():
    """Above some thousands of rows ranks are read off a part of them."""
    p, given, suggested, wrong = world(6, n=9000)
    rows = np.random.default_rng(6).choice(4500, 300, replace=False)
    whole = recalibrated(p, given, suggested, rows, wrong[rows])
    half = recalibrated(p[:4500], given[:4500], suggested[:4500], rows, wrong[rows])
    assert np.abs(whole[:4500] - half).max() < 0.03


def test_a_class_that_people_find_worse_is_expected_to_stay_worse():
    p, given, suggested, wrong = world(3, bad=2)
    rows = np.random.default_rng(3).choice(len(p), 600, replace=False)
    after = recalibrated(p, given, suggested, rows, wrong[rows])
    rest = np.setdiff1d(np.arange(len(p)), rows)
    worse = rest[given[rest] == 2]
    assert after[worse].sum() == pytest.approx(wrong[worse].sum(), rel=0.25)


def test_answers_that_all_agree_stay_finite():
    p, given, suggested, _ = world(4)
    rows = np.argsort(-p)[:200]
    for verdict in (True, False):
        after = recalibrated(p, given, suggested, rows, np.full(200, verdict))
        assert np.isfinite(after).all()
        assert 0 < after.min() <= after.max() < 1


def test_a_fit_passes_over_the_answers_a_few_dozen_times(monkeypatch):
    """It went over them 600 times, always from the same start: 200 ms beside people's fetches."""
    passes, sigmoid = [], recalibration._sigmoid
    monkeypatch.setattr(recalibration, "_sigmoid", lambda x: passes.append(0) or sigmoid(x))
    for seed in range(4):
        p, given, suggested, wrong = world(seed)
        rows, drawn = mixed(p, seed)
        passes.clear()
        recalibrated(p, given, suggested, rows, wrong[rows], drawn)
        assert len(passes) < 150


def test_a_fit_that_goes_on_from_the_last_ends_where_one_from_the_start_does():
    p, given, suggested, wrong = world(7)
    rows = np.random.default_rng(7).choice(len(p), 400, replace=False)
    known, z = recalibration.before(p, given, suggested), wrong[rows].astype(float)
    features, fixed = known.features[rows], np.linspace(-0.5, 0.5, 400)
    prior, precision = np.array([1.0, known.middle, 0.0]), np.array([3.0, 4.0, 3.0])
    away = np.array([2.0, -4.0, 1.0])
    cold = recalibration._fit(features, z, fixed, precision, prior)
    warm = recalibration._fit(features, z, fixed, precision, prior, away)
    np.testing.assert_allclose(warm, cold, atol=1e-5)
    now = 1 / (1 + np.exp(-(features @ cold + fixed)))
    np.testing.assert_allclose(features.T @ (now - z) + precision * (cold - prior), 0, atol=1e-3)


def test_answers_say_how_right_suggestions_are():
    rng = np.random.default_rng(4)
    x = rng.normal(1.0, 1.0, 4000)
    q, sure = 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-(1.5 * x + 0.8)))
    right = rng.random(4000) < sure
    few, some = np.arange(LEAST - 1), np.arange(150)
    assert recalibration.suggestions(q, few, right[few]) is q
    corrected = recalibration.suggestions(q, some, right[some])
    assert np.abs(corrected - sure).mean() < 0.4 * np.abs(q - sure).mean()
    all_right = recalibration.suggestions(q, some, np.ones(150, bool))
    assert 0.9 < all_right.mean() < 1  # and not sure of everything
