"""Detection metrics against numbers worked out by hand, and against every order of a tie."""

from itertools import permutations

import numpy as np
import pytest

from lnl_core.review import metrics


def by_every_order(wrong, score, measure):
    """The mean of a measure over all orders that break the ties."""
    wrong, score = np.asarray(wrong), np.asarray(score)
    values = []
    for rows in permutations(range(len(wrong))):
        rows = list(rows)
        if (np.diff(score[rows]) <= 0).all():
            values.append(measure(wrong[rows]))
    return np.mean(values)


def precision_of(hits):
    places = np.flatnonzero(hits)
    return np.mean([(hits[: at + 1].sum()) / (at + 1) for at in places])


def test_average_precision_without_ties_by_hand():
    # Hits at places 1, 3 and 4: (1/1 + 2/3 + 3/4) / 3.
    wrong = np.array([True, False, True, True, False])
    score = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    assert metrics.average_precision(wrong, score) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


@pytest.mark.parametrize(
    ("wrong", "score"),
    [
        ([1, 0, 0, 1, 0], [1, 1, 1, 1, 1]),
        ([1, 0, 1, 0, 1, 0], [3, 2, 2, 2, 1, 1]),
        ([0, 0, 1, 1, 1], [2, 2, 2, 1, 1]),
        ([0, 0, 1], [3, 3, 1]),
    ],
)
def test_ties_count_by_expectation_over_their_orders(wrong, score):
    wrong = np.array(wrong, bool)
    assert metrics.average_precision(wrong, score) == pytest.approx(
        by_every_order(wrong, score, precision_of)
    )
    for k in range(1, len(wrong) + 1):
        assert metrics.precision_at(wrong, score, k) == pytest.approx(
            by_every_order(wrong, score, lambda hits, k=k: hits[:k].mean())
        )
    assert metrics.effort_auc(wrong, score) == pytest.approx(
        by_every_order(wrong, score, effort_of)
    )


def effort_of(hits):
    errors = hits.sum()
    steps = range(1, 2 * errors + 1)
    return sum(hits[:t].sum() for t in steps) / sum(min(t, errors) for t in steps)


def test_a_score_that_says_nothing_gets_what_chance_gives():
    wrong = np.arange(50) < 10
    flat = np.full(50, 0.5)
    assert metrics.auroc(wrong, flat) == 0.5
    assert metrics.precision_at(wrong, flat) == pytest.approx(0.2)
    assert metrics.recall_at(wrong, flat, 0.2) == pytest.approx(0.2)


def test_auroc_by_hand():
    # Of 2 x 3 pairs: (.8 beats all 3), (.4 beats one, ties one) = 3 + 1.5.
    wrong = np.array([True, True, False, False, False])
    score = np.array([0.8, 0.4, 0.6, 0.4, 0.1])
    assert metrics.auroc(wrong, score) == pytest.approx(4.5 / 6)


def test_recall_and_precision_at_the_number_of_errors():
    wrong = np.array([True, True, False, True, False, False, False, False, False, True])
    score = np.linspace(1, 0, 10)
    assert metrics.precision_at(wrong, score) == pytest.approx(3 / 4)
    assert metrics.recall_at(wrong, score, 0.2) == pytest.approx(2 / 4)


def test_effort_auc_is_one_for_a_perfect_order_and_by_hand_for_another():
    wrong = np.array([True, True, False, False, False])
    assert metrics.effort_auc(wrong, np.array([5, 4, 3, 2, 1])) == 1
    # Found 0, 1, 1, 2 against 1, 2, 2, 2.
    late = np.array([4, 2, 5, 3, 1])
    assert metrics.effort_auc(wrong, late) == pytest.approx(4 / 7)


def test_effort_auc_where_most_labels_are_wrong():
    wrong = np.array([True, True, True, False])
    assert metrics.effort_auc(wrong, np.array([4, 3, 2, 1])) == 1


def test_calibration_error_of_fifteen_equal_bins_by_hand():
    # 15 bins of two: one hit each where p = .5 is exact; the last bin says 1 and holds none.
    p = np.r_[np.full(28, 0.5), 1, 1]
    wrong = np.r_[np.tile([True, False], 14), False, False]
    assert metrics.calibration_error(wrong, p) == pytest.approx(2 / 30)


def test_suggestions_count_on_wrong_labels_only():
    wrong = np.array([True, True, False])
    top = np.array([[1, 2, 0], [0, 2, 1], [2, 1, 0]])
    truth = np.array([1, 2, 0])
    assert metrics.suggestion_accuracy(wrong, top[:, 0], truth) == 0.5
    assert metrics.suggestion_accuracy(wrong, top[:, :2], truth) == 1


def test_no_wrong_label_means_no_number():
    none = np.zeros(4, bool)
    for measure in (metrics.auroc, metrics.average_precision, metrics.effort_auc):
        assert np.isnan(measure(none, np.arange(4.0)))
    assert np.isnan(metrics.suggestion_accuracy(none, np.zeros(4), np.zeros(4)))


def test_a_score_without_a_place_is_refused():
    with pytest.raises(ValueError, match="not finite"):
        metrics.average_precision(np.array([True, False]), np.array([np.nan, 1]))
    with pytest.raises(ValueError, match="both must be"):
        metrics.average_precision(np.array([True, False]), np.array([1.0]))
