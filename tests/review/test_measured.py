"""Sensitivity and false alarms of people, route by route."""

import numpy as np
import pytest

from lnl_core.review.measured import Look, Measured, measured, share, together
from lnl_core.review.sensitivity import Known


def test_an_interval_is_the_exact_one() -> None:
    """Against tables: 0 of 10, 8 of 10, and the rule of three."""
    none, most = share(0, 10), share(8, 10)
    assert (none.low, round(none.high, 4)) == (0.0, 0.3085)
    assert (round(most.low, 4), round(most.high, 4)) == (0.4439, 0.9748)
    assert share(0, 300).high == pytest.approx(3.69 / 300, rel=0.01)
    assert share(0, 0) is None
    with pytest.raises(ValueError, match="no share"):
        share(3, 2)


def test_routes_are_never_merged() -> None:
    gold = Measured("gold", Known(3, 2, 1, 0))
    assert (gold + gold).known == Known(6, 4, 2, 0)
    with pytest.raises(ValueError, match="never merged"):
        gold + Measured("control", Known(3, 2, 1, 0))
    with pytest.raises(ValueError, match="no route"):
        Measured("queue", Known(0, 0, 0, 0))


def test_each_look_counts_once_where_it_belongs() -> None:
    looks = [
        Look("ann", "gold", called=True, wrong=True),
        Look("ann", "gold", called=False, wrong=True),
        Look("ann", "gold", called=True, wrong=False),
        Look("ann", "control", called=False, wrong=False),
        Look("bob", "gold", called=True, wrong=True),
    ]
    found = measured(looks)
    assert found["ann"]["gold"].known == Known(2, 1, 1, 1)
    assert found["ann"]["control"].known == Known(0, 0, 1, 0)
    assert found["ann"]["control"].sensitivity is None
    assert together(found.values(), "gold").known == Known(3, 2, 1, 1)
    assert found["ann"]["gold"].same.share == pytest.approx(1 / 3)


@pytest.mark.parametrize("looks", [12, 60, 250])
def test_intervals_hold_the_truth_of_a_simulated_reviewer(looks: int) -> None:
    rng = np.random.default_rng(looks)
    missed = 0
    for _ in range(400):
        wrong = np.arange(looks) % 2 == 0
        called = rng.random(looks) < np.where(wrong, 0.93, 0.02)
        some = [Look("ann", "gold", bool(c), bool(w)) for c, w in zip(called, wrong, strict=True)]
        gold = measured(some)["ann"]["gold"]
        missed += not gold.sensitivity.low <= 0.93 <= gold.sensitivity.high
        missed += not gold.false_alarms.low <= 0.02 <= gold.false_alarms.high
    assert missed <= 0.05 * 800 + 3 * np.sqrt(800 * 0.05 * 0.95)
