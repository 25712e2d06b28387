"""Sensitivity and false alarms of people, and limits that reckon with them."""

import numpy as np
import pytest
from scipy.stats import binom

from lnl_core.review.comparison import binomial_interval
from lnl_core.review.sensitivity import (
    Beyond,
    Known,
    corrected_limit,
    corrected_rate,
    least_chance,
    most_behind,
)


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
    plain, corrected = covered(0.01)
    assert plain < 0.6
    assert corrected > 0.9


def test_at_many_errors_the_corrected_rate_is_above_what_was_called() -> None:
    known = Known(200, 150, 200, 0)
    assert corrected_rate(150, 400, known).share == pytest.approx(0.5, abs=0.03)


def test_a_reviewer_who_only_guesses_says_nothing() -> None:
    said = corrected_rate(200, 400, Known(40, 20, 40, 20))
    assert said.low < 0.05
    assert said.high > 0.95


def test_the_least_chance_is_below_the_truth_at_every_look() -> None:
    rng = np.random.default_rng(1)
    ever = 0
    for _ in range(300):
        hits = np.cumsum(rng.random(80) < 0.9)
        ever += any(least_chance(int(hits[k - 1]), k, 0.05) > 0.9 for k in range(4, 81, 4))
    assert ever / 300 <= 0.05
    assert 0.8 < least_chance(900, 1000, 0.05) < 0.9  # and it is worth something


def test_no_hit_leaves_every_chance_open() -> None:
    assert least_chance(0, 30, 0.01) == 0.0


@pytest.mark.parametrize(("seen", "chance"), [(0, 0.9), (7, 0.75), (300, 0.93)])
def test_most_behind_is_the_last_number_that_is_not_too_rare(seen: int, chance: float) -> None:
    most = most_behind(seen, chance, 0.01)
    assert binom.cdf(seen, most, chance) > 0.01 >= binom.cdf(seen, most + 1, chance)


def test_without_gold_images_everything_may_be_wrong() -> None:
    assert corrected_limit(3, 200, 500, 1300, Known(0, 0, 0, 0)) == Beyond(500, 1300)


def test_what_was_passed_over_counts_when_everything_has_an_answer() -> None:
    said = corrected_limit(0, 180, 0, 1820, Known(60, 56, 60, 1))
    assert said.unseen == 0
    assert 180 * (1 / 0.93 - 1) < said.missed < 180


def test_more_gold_images_say_more() -> None:
    few = corrected_limit(20, 180, 800, 1000, Known(30, 28, 30, 0))
    many = corrected_limit(20, 180, 800, 1000, Known(600, 560, 600, 0))
    assert many.unseen < few.unseen
    assert many.missed < few.missed


@pytest.mark.parametrize("counts", [(3, 4, 5, 0), (3, 1, 5, 6)])
def test_more_hits_than_images_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        Known(*counts)


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to correct"):
        corrected_rate(0, 0, Known(1, 1, 1, 0))
