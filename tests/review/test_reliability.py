"""What chances promise beside what is so."""

import numpy as np
import pytest

from lnl_core.review import comparison
from lnl_core.review.reliability import reliability


def sample(wrong, weight=None, rows=None, size=None):
    wrong = np.asarray(wrong, bool)
    rows = np.arange(len(wrong)) if rows is None else np.asarray(rows)
    weight = np.ones(len(wrong)) if weight is None else np.asarray(weight, float)
    population = np.ones(size or len(wrong), bool)
    nothing = np.full(len(wrong), -1)
    return comparison.Sample(rows, wrong, nothing, weight, np.ones(len(wrong), bool), population)


def test_each_bin_says_what_it_promised_and_what_was_so():
    p = np.array([0.05, 0.01, 0.35, 0.31, 0.33, 1.0, 0.95])
    found = reliability(p, sample([0, 0, 1, 0, 0, 1, 0]))
    np.testing.assert_allclose(found.promised, [0.03, 0.33, 0.975])
    np.testing.assert_allclose(found.found, [0, 1 / 3, 0.5])
    assert found.counts.tolist() == [2, 3, 2]
    assert (found.expected, found.errors, found.size) == (pytest.approx(3.0), 2.0, 7)
    low, high = comparison.binomial_interval(1, 3)
    assert (found.low[1], found.high[1]) == (low, high)
    assert found.low[0] == 0.0
    assert found.high[0] < 1


def test_only_the_rows_that_judge_count_and_each_for_as_many_as_it_stands_for():
    p = np.full(100, 0.9)
    p[[3, 7, 9]] = 0.2, 0.2, 0.25
    found = reliability(p, sample([1, 0, 0], weight=[30, 10, 60], rows=[3, 7, 9], size=100))
    assert found.counts.tolist() == [3]
    assert found.promised[0] == pytest.approx(0.23)
    assert found.found[0] == pytest.approx(0.3)
    assert found.expected == pytest.approx(23)
    assert found.errors == pytest.approx(30)
    # three images of such weights are worth two: the interval is that of 1 in 2
    assert (found.low[0], found.high[0]) == comparison.binomial_interval(1, 2)


def test_a_bin_of_rows_that_stand_for_nothing_is_left_out():
    p = np.array([0.05, 0.05, 0.95])
    found = reliability(p, sample([0, 1, 1], weight=[50, 50, 0]))
    assert found.counts.tolist() == [2]
    assert found.found.tolist() == [0.5]


def test_chances_that_are_true_lie_within_their_intervals():
    rng = np.random.default_rng(5)
    p = rng.beta(0.3, 2, 20_000)
    found = reliability(p, sample(rng.random(len(p)) < p))
    inside = (found.low <= found.promised) & (found.promised <= found.high)
    assert inside.sum() >= 9
    doubled = reliability(np.minimum(2 * p, 1), sample(rng.random(len(p)) < p))
    assert ((doubled.low <= doubled.promised) & (doubled.promised <= doubled.high)).sum() <= 2
