"""p_wrong as answers correct it."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("seed", range(3))
def test_answers_of_the_queue_and_of_chance_make_it_true(seed):
    p, given, suggested, wrong = world(seed)
    rng = np.random.default_rng(seed)
    rows = np.unique(np.r_[np.argsort(-p)[:350], rng.choice(len(p), 150, replace=False)])
    after = recalibrated(p, given, suggested, rows, wrong[rows])
    rest = np.setdiff1d(np.arange(len(p)), rows)
    assert calibration_error(wrong[rest], after[rest]) < 0.03
    assert calibration_error(wrong[rest], p[rest]) > 2 * calibration_error(wrong[rest], after[rest])


def test_what_is_left_is_expected_about_right():
    """Of one review it may be a third off, of several on average a tenth."""
    ratios = []
    for seed in range(8):
        p, given, suggested, wrong = world(seed)
        rng = np.random.default_rng(seed)
        rows = np.unique(np.r_[np.argsort(-p)[:350], rng.choice(len(p), 150, replace=False)])
        after = recalibrated(p, given, suggested, rows, wrong[rows])
        rest = np.setdiff1d(np.arange(len(p)), rows)
        ratios.append(after[rest].sum() / wrong[rest].sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.15), ratios


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
