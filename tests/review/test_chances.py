"""From an order to chances."""

import numpy as np
import pytest
from scipy.special import expit

from lnl_core.review import chances, metrics

RATE = 0.2


def drawn(sharp: float, n: int = 4000):
    """Labels whose chance to be wrong is known, an order that follows it, and its log odds."""
    rng = np.random.default_rng(0)
    odds = sharp * rng.standard_normal(n)
    odds -= np.median(odds)
    p = expit(odds)
    return rng.random(n) < p, np.sort(rng.standard_normal(n))[odds.argsort().argsort()], odds, p


def every(n: int):
    return np.ones(n, bool)


@pytest.mark.parametrize("sharp", [0.8, 9.0])
def test_what_the_model_tells_makes_chances_right_where_the_usual_slope_does_not(sharp):
    wrong, score, odds, p = drawn(sharp)
    rate = float(p.mean())
    plain = chances.chances(score, every(len(score)), rate)[1]
    told = chances.chances(score, every(len(score)), rate, odds)[1]
    before, after = (metrics.calibration_error(wrong, each) for each in (plain, told))
    assert after < 0.75 * before
    assert told.mean() == pytest.approx(rate, abs=0.01)


def test_the_order_and_the_mean_stay():
    _, score, odds, _ = drawn(3.0)
    suspicion, p = chances.chances(score, every(len(score)), RATE, -odds)
    assert np.array_equal(suspicion.argsort(), score.argsort())
    assert len(np.unique(suspicion)) == len(score)
    assert p.mean() == pytest.approx(RATE, abs=1e-3)


def test_half_of_the_slope_is_the_models():
    """A model whose odds are six times the steps of the order."""
    _, score, _, _ = drawn(1.0)
    steps = (score - score.mean()) / score.std()
    suspicion, _ = chances.chances(score, every(len(score)), RATE, 6 * steps)
    odds = np.log(suspicion / (1 - suspicion))
    slope = (odds[1] - odds[0]) / (steps[1] - steps[0])
    assert slope == pytest.approx(np.sqrt(6 * (chances.SLOPE + RATE * chances.STEEPER)), rel=1e-3)


def test_odds_without_end_and_a_single_label_are_no_trouble():
    score = np.array([0.0, 1.0, 2.0, 3.0])
    sure = np.array([True, True, True, False])
    suspicion, p = chances.chances(score, sure, RATE, np.array([-1e9, 0.0, 1e9, np.nan]))
    assert np.array_equal(suspicion.argsort(), [3, 0, 1, 2])
    assert np.isfinite(p).all()
    one, _ = chances.chances(np.array([5.0]), every(1), RATE, np.array([3.0]))
    assert one == pytest.approx(RATE)
