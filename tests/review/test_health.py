"""Doubts about a run: collapse, and falling agreement with what people confirmed."""

import numpy as np
import pytest

from lnl_core.methods import METHODS
from lnl_core.review import health
from lnl_core.types import Signals


def even(n=200, k=10):
    return np.arange(n) % k


def signals(predicted, k=10, probs=None, method="sr"):
    dense = np.full((len(predicted), k), 0.01, np.float32)
    dense[np.arange(len(predicted)), predicted] = 1 - 0.01 * (k - 1)
    curves = {} if probs is None else {"probs": probs}
    return Signals(method, np.zeros(len(predicted)), dense, curves=curves)


def test_effective_number_of_classes():
    assert health.effective_classes(even(), 10) == pytest.approx(10)
    assert health.effective_classes(np.zeros(50, int), 10) == pytest.approx(1)
    assert health.effective_classes(np.array([], int), 10) == 0


@pytest.mark.parametrize("k", [2, 3, 10, 100])
def test_one_class_for_all_is_a_collapse_and_the_truth_is_not(k):
    given = even(10 * k, k)
    assert health.collapsed(np.zeros(10 * k, int), given, k)
    assert not health.collapsed(given, given, k)


def test_a_long_tail_or_a_rare_class_never_predicted_is_no_collapse():
    tail = np.repeat(np.arange(10), [400, 250, 150, 90, 60, 30, 20, 10, 5, 3])
    assert not health.collapsed(tail, tail, 10)
    rare = np.where(tail >= 7, 0, tail)
    assert not health.collapsed(rare, tail, 10)
    assert not health.collapsed(np.zeros(20, int), np.zeros(20, int), 5)


def test_collapse_is_told_with_advice():
    (doubt,) = health.check(signals(np.zeros(200, int)), even(), METHODS["sr"])
    assert doubt.kind == "collapse"
    assert "1 of 10 classes" in doubt.text
    assert "smaller kappa" in doubt.advice
    assert "larger tau" in doubt.advice
    assert health.check(signals(even()), even(), METHODS["sr"]) == []


def test_a_clear_fall_is_told_and_a_small_one_is_not():
    assert health.falling(np.array([0.9, 0.5]), 50).kind == "falling"
    assert health.falling(np.array([0.9, 0.85]), 50) is None
    assert health.falling(np.array([0.5, 0.9]), 50) is None
    assert health.falling(np.array([0.9, 0.7]), 15) is None, "within chance for 15 images"
    assert health.falling(np.array([0.9, 0.1]), 5) is None, "too few confirmed images"
    assert health.falling(np.array([0.9]), 50) is None
    one_dip = np.array([0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.75])
    assert health.falling(one_dip, 100) is None, "one epoch is not a fall"


def test_a_run_that_forgets_confirmed_labels_is_told():
    rng = np.random.default_rng(0)
    truth = even()
    good, bad = np.eye(10)[truth], np.eye(10)[(truth + 1) % 10]
    course = np.stack([good * (1 - t) + bad * t for t in np.linspace(0, 1, 12)])
    rows = rng.choice(200, 40, replace=False)
    confirmed = {int(row): int(truth[row]) for row in rows}
    agreement = health.agreement_by_epoch(course, rows, truth[rows])
    assert agreement[0] == 1
    assert agreement[-1] == 0
    doubts = health.check(signals((truth + 1) % 10, probs=course), truth, METHODS["sr"], confirmed)
    assert [doubt.kind for doubt in doubts] == ["falling"]
    assert "40 images" in doubts[0].text
    assert health.check(signals(truth, probs=course[::-1]), truth, METHODS["sr"], confirmed) == []
