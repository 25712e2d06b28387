"""Sensitivity and false alarms of people, and limits that reckon with them."""

import numpy as np
import pytest

from lnl_core.review.comparison import binomial_interval
from lnl_core.review.sensitivity import Known, corrected_rate


def covered(rate: float, trials: int = 300) -> tuple[float, float]:
    """Return how often the plain interval and the corrected one hold the true rate."""
    rng = np.random.default_rng(0)
    plain = corrected = 0
    for seed in range(trials):
        wrong = rng.binomial(400, rate)
        called = rng.binomial(wrong, 0.93) + rng.binomial(400 - wrong, 0.015)
        known = Known(60, rng.binomial(60, 0.93), 140, rng.binomial(140, 0.015))
        low, high = binomial_interval(called, 400, 0.95)
        plain += low <= rate <= high
        said = corrected_rate(called, 400, known, seed)
        corrected += said.low <= rate <= said.high
    return plain / trials, corrected / trials


def test_at_few_errors_false_alarms_hide_the_true_rate_until_it_is_corrected() -> None:
    """Review_science test 12."""
    plain, corrected = covered(0.01)
    assert plain < 0.6
    assert corrected > 0.92


def test_at_many_errors_the_corrected_rate_is_above_what_was_called() -> None:
    known = Known(200, 150, 200, 0)
    assert corrected_rate(150, 400, known).share == pytest.approx(0.5, abs=0.03)


def test_a_reviewer_who_only_guesses_says_nothing() -> None:
    said = corrected_rate(200, 400, Known(40, 20, 40, 20))
    assert said.low < 0.05
    assert said.high > 0.95


@pytest.mark.parametrize("counts", [(3, 4, 5, 0), (3, 1, 5, 6)])
def test_more_hits_than_images_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Known(*counts)


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to correct"):
        corrected_rate(0, 0, Known(1, 1, 1, 0))
