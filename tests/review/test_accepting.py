"""Acceptance plans: the numbers of the sampling tables, and a promise that is kept."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from lnl_core.review import accepting

LARGE = 10**6
TABLE = {
    (0.90, 0): 29,
    (0.90, 1): 46,
    (0.90, 2): 61,
    (0.90, 3): 76,
    (0.90, 5): 103,
    (0.95, 0): 59,
    (0.95, 1): 93,
    (0.95, 2): 124,
    (0.95, 3): 153,
    (0.98, 0): 149,
    (0.98, 1): 236,
}


@pytest.mark.parametrize(("asked", "checks"), TABLE.items())
def test_large_pools_need_what_the_tables_say(asked, checks):
    precision, allowed = asked
    assert accepting.checks_needed(LARGE, precision, 0.95, allowed) == checks


@pytest.mark.parametrize("size", [80, 200, 500, 2000])
@pytest.mark.parametrize(("precision", "allowed"), [(0.9, 0), (0.9, 2), (0.95, 0), (0.95, 1)])
def test_whatever_the_pool_holds_a_bad_rest_passes_in_one_of_twenty(size, precision, allowed):
    """The promise is about those that nobody looks at, by every possible pool, enumerated."""
    checks = accepting.checks_needed(size, precision, 0.95, allowed)
    rest = size - checks
    for total in range(size + 1):
        seen = np.arange(allowed + 1)
        bad = seen[(total - seen) > rest * (1 - precision) + 1e-9]
        assert hypergeom.pmf(bad, size, total, checks).sum() <= 0.05 + 1e-12


def test_no_check_does_for_a_pool_that_is_too_small():
    assert accepting.checks_needed(1, 0.95, 0.95, 0) is None
    assert accepting.checks_needed(3, 0.95, 0.95, 2) is None


def test_a_passed_check_proves_what_was_asked_for():
    for size in (100, 400, 3000):
        for precision, allowed in ((0.9, 0), (0.9, 1), (0.95, 0), (0.95, 1)):
            checks = accepting.checks_needed(size, precision, 0.95, allowed)
            for wrong in range(allowed + 1):
                said = accepting.proof(size, checks, wrong, size - checks, 0.95)
                assert said.precision >= precision - 1e-9


def test_the_limit_on_wrong_ones_holds_in_nineteen_of_twenty_checks():
    rng = np.random.default_rng(0)
    size, checks, wrong = 400, 59, 30
    seen = rng.hypergeometric(wrong, size - wrong, checks, 2000)
    limits = {
        x: accepting.proof(size, checks, x, size - checks, 0.95).wrong for x in set(seen.tolist())
    }
    false = np.mean([limits[x] < wrong - x for x in seen.tolist()])
    assert false <= 0.05 + 3 * (0.05 * 0.95 / 2000) ** 0.5
    assert false > 0.01  # nor is it needlessly wide


def test_checks_are_a_uniform_draw_that_the_seed_repeats():
    drawn = [accepting.chosen(seed, 40, 10) for seed in range(800)]
    assert all(len(set(each.tolist())) == 10 for each in drawn)
    counts = np.bincount(np.concatenate(drawn), minlength=40)
    assert counts.min() > 200 - 6 * 13
    assert counts.max() < 200 + 6 * 13
    assert accepting.chosen(7, 40, 10).tolist() == accepting.chosen(7, 40, 10).tolist()


def test_a_chance_to_pass_falls_with_the_precision():
    assert accepting.chance_to_pass(59, 0, 0.8) < 0.001
    assert accepting.chance_to_pass(59, 0, 0.99) == pytest.approx(0.99**59)


def test_a_small_pool_is_counted_on_for_less_than_the_scores_expect():
    shares = [accepting.careful(0.9, size) for size in (10, 20, 200, 20_000)]
    assert shares == sorted(shares)
    assert 0.7 <= shares[1] <= 0.85
    assert shares[-1] < 0.9
    assert accepting.careful(0.9, 0) == 0
    assert accepting.careful(0.0, 20) == 0
    assert accepting.careful(1.0, 20) == 1


def test_four_of_five_pools_keep_what_they_are_counted_on_for():
    rng = np.random.default_rng(2)
    for size, mean in ((12, 0.8), (20, 0.9), (300, 0.7)):
        shares = rng.beta(10 * mean, 10 * (1 - mean), 4000)
        right = rng.binomial(size, shares) / size
        held = (right >= accepting.careful(mean, size)).mean()
        assert held >= 0.78
