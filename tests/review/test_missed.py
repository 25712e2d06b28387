"""The limit that reckons with what people miss."""

import numpy as np
import pytest

from benchmarks._looks import TeamReview
from benchmarks.fallible import Review
from lnl_core.review.evidence import Audit
from lnl_core.review.missed import Looks, corrected_limit, without_alarms
from lnl_core.review.sensitivity import Known


def audit(unreviewed: list[int], found: list[int], wrong: list[int]) -> Audit:
    called = np.array(wrong, bool)
    return Audit(np.array(unreviewed), np.array(found), called, ("audit",) * len(wrong))


NONE = audit([], [], [])


def test_without_gold_images_everything_may_be_wrong() -> None:
    assert corrected_limit(NONE, 2000, 200, 500, 1300, Looks(Known(0, 0, 0, 0))) == 1800


def test_what_was_passed_over_counts_when_everything_has_an_answer() -> None:
    limit = corrected_limit(NONE, 2000, 180, 0, 1820, Looks(Known(60, 56, 60, 1)))
    assert 180 * (1 / 0.93 - 1) < limit < 60


def test_more_gold_images_say_more() -> None:
    few, many = Looks(Known(30, 28, 30, 0)), Looks(Known(600, 560, 600, 0))
    assert corrected_limit(NONE, 2000, 180, 0, 1820, many) < 40
    assert corrected_limit(NONE, 2000, 180, 0, 1820, few) > 50


def test_second_looks_at_drawn_images_say_something_of_the_sensitivity() -> None:
    gold = Known(20, 19, 20, 0)
    alone = corrected_limit(NONE, 2000, 180, 0, 1820, Looks(gold))
    assert corrected_limit(NONE, 2000, 180, 0, 1820, Looks(gold, again=30, agreed=29)) < alone
    missing = Looks(gold, again=30, agreed=15)
    assert corrected_limit(NONE, 2000, 180, 0, 1820, missing) > alone


def test_clean_draws_lower_what_may_be_open() -> None:
    looks = Looks(Known(200, 190, 200, 0))
    rows = list(range(1000, 800, -1))
    few = audit(rows[:20], [100] * 20, [0] * 20)
    many = audit(rows, [100] * 200, [0] * 200)
    assert corrected_limit(many, 2000, 100, 800, 1100, looks) < 60
    assert corrected_limit(few, 2000, 100, 980, 920, looks) > 150


def test_what_may_be_false_alarms_is_not_taken_for_found() -> None:
    draws = audit([1900, 1500, 1000], [40, 90, 120], [0, 1, 0])
    found, now = without_alarms(draws, 2000, 130, 900, Looks(Known(0, 0, 100, 5)))
    assert list(found) == sorted(found)
    assert now >= found[-1]
    assert 120 - found[-1] > 0.05 * 1000  # more than the share that was seen
    exact, _ = without_alarms(draws, 2000, 130, 900, Looks(Known(0, 0, 10**6, 0)))
    assert np.abs(exact - draws.found).max() <= 1


@pytest.mark.parametrize("sensitivity", [0.8, 0.93])
def test_the_limit_is_above_the_truth_where_the_plain_one_is_not(sensitivity: float) -> None:
    false = plain = 0
    for seed in range(12):
        one = Review(300, 0.15, seed, sensitivity, 0.02)
        while one.open.any():
            one.step()
            if len(one.draws) % 20 and one.open.any():
                continue
            truth, simple, careful = one.limits()
            false, plain = false + (careful < truth), plain + (simple < truth)
    assert plain > 5
    assert false == 0


def test_a_team_that_only_hidden_looks_measure_gets_a_true_limit_too() -> None:
    """Places and images as on the desk; gold is what people say, not the truth."""
    plain = false = gold = spare = 0
    for seed in range(4):
        one = TeamReview(900, 0.12, seed, 0.85, 0.02)
        while one.open.any():
            one.step()
            if len(one.draws) % 40 and one.open.any():
                continue
            truth, simple, careful = one.limits()
            plain, false = plain + (simple < truth), false + (careful < truth)
        gold += one.gold().wrong
        spare = max(spare, careful - truth)
        for who, row, route, _ in one.looks:
            assert (one.by[row] == who) == (route == "repeat")
        assert {route for _, _, route, _ in one.looks} >= {"confirm", "control", "gold", "repeat"}
    assert plain > 3
    assert false == 0
    assert gold > 4 * 8
    assert spare < 400  # of about 800 labels called right: it says something
