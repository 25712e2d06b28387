"""The confident joint worked out by hand, and a planted transition matrix found again."""

import numpy as np
import pytest

from lnl_core.review import transition

PROBS = np.array(
    [[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]],
)
GIVEN = np.array([0, 0, 0, 1, 1])


def test_the_confident_joint_by_hand():
    # Thresholds: means that count by the root of the probability itself, class 0
    # (.9 ** 1.5 + .7 ** 1.5 + .2 ** 1.5) / (.9 ** .5 + .7 ** .5 + .2 ** .5) = .69, class 1 = .77.
    # Rows 0, 1 -> 0; row 2 -> 1; row 3 is sure of nothing; row 4 -> 1.
    # Counts [[2, 1], [0, 1]], scaled to 3 and 2 given: [[2, 1], [0, 2]].
    joint = transition.confident_joint(lambda rows: PROBS[rows], GIVEN, 2)
    np.testing.assert_allclose(joint, [[2, 1], [0, 2]])
    assert transition.noise_rate(joint) == pytest.approx(1 / 5)


def test_the_transition_matrix_by_hand():
    # Plus one per cell: truly 0 given as 0, 1 = 3, 1; truly 1 given as 0, 1 = 2, 3.
    matrix = transition.transition_matrix(np.array([[2.0, 1.0], [0.0, 2.0]]))
    np.testing.assert_allclose(matrix, [[3 / 4, 1 / 4], [2 / 5, 3 / 5]], rtol=1e-6)


def test_the_likeliest_of_two_confident_classes_counts():
    probs = np.array([[0.5, 0.4, 0.1], [0.45, 0.55, 0.0], [0.3, 0.3, 0.4]])
    # Thresholds .5, .55, .4: nobody but each row's own class reaches one.
    joint = transition.confident_joint(lambda rows: probs[rows], np.array([0, 1, 2]), 3)
    np.testing.assert_allclose(joint, np.eye(3))


def test_a_class_without_examples_or_confidence_keeps_the_totals():
    probs = np.tile([0.8, 0.15, 0.05], (6, 1))
    given = np.array([0, 0, 0, 0, 1, 1])
    joint = transition.confident_joint(lambda rows: probs[rows], given, 3)
    np.testing.assert_allclose(joint.sum(axis=1), [4, 2, 0])
    assert np.isfinite(transition.transition_matrix(joint)).all()


def test_equal_probabilities_reach_their_own_mean():
    probs = np.full((30, 3), 1 / 3)
    joint = transition.confident_joint(lambda rows: probs[rows], np.arange(30) % 3, 3)
    assert joint.sum() == pytest.approx(30)
    assert joint[:, 0].sum() == pytest.approx(30)  # argmax: the first of equals


def test_a_planted_transition_matrix_is_found():
    rng = np.random.default_rng(0)
    planted = np.array([[0.9, 0.1, 0.0], [0.0, 0.8, 0.2], [0.0, 0.0, 1.0]])
    truth = rng.integers(0, 3, 6_000)
    given = np.array([rng.choice(3, p=planted[label]) for label in truth])
    probs = np.full((6_000, 3), 0.04)
    probs[np.arange(6_000), truth] = 0.92
    joint = transition.confident_joint(lambda rows: probs[rows], given, 3)
    np.testing.assert_allclose(transition.transition_matrix(joint), planted, atol=0.02)
    assert transition.noise_rate(joint) == pytest.approx((given != truth).mean(), abs=0.005)


def test_nothing_at_all():
    joint = transition.confident_joint(lambda rows: PROBS[rows], np.zeros(0, int), 2)
    assert transition.noise_rate(joint) == 0
    np.testing.assert_allclose(transition.transition_matrix(joint), np.full((2, 2), 0.5))


def test_wrong_labels_do_not_lower_the_threshold_that_they_are_held_against():
    # Of class 0, 30 look like it and 30 like class 1 by a little; plainly counted, class 0 would
    # be confident from .475 on, and every row would belong to the class that it was given.
    probs = np.concatenate(
        [np.tile([0.9, 0.1], (30, 1)), np.tile([0.05, 0.95], (30, 1)), np.tile([0.1, 0.9], (40, 1))]
    )
    joint = transition.confident_joint(lambda rows: probs[rows], np.repeat([0, 1], [60, 40]), 2)
    assert joint[0, 1] == 30
    assert transition.noise_rate(joint) == pytest.approx(0.3)


def test_odds_of_wrong_by_hand():
    # 100 and 10 given; 20 and 1 seem wrong, 21 of 110 in all.
    joint = np.array([[80.0, 20.0, 0.0], [1.0, 9.0, 0.0], [0.0, 0.0, 0.0]])
    odds, others = transition.odds_of_wrong(joint)
    usual = 21 / 110
    wrong = np.array([(20 + 20 * usual) / 120, (1 + 20 * usual) / 30, usual])
    np.testing.assert_allclose(odds, np.log(wrong / (1 - wrong)))
    behind = (np.array([1, 20, 0]) + 20 / 3) / 41
    shares = (20 + 20 * behind[1]) / 40
    assert others[0, 1] == pytest.approx(np.log(2 * shares))
    np.testing.assert_array_equal(np.diag(others), 0)


def test_odds_do_not_favour_large_classes():
    """The same share of wrong labels in each class, spread evenly: size does not matter."""
    sizes = np.array([1000, 100, 10])
    joint = np.diag(0.9 * sizes) + 0.05 * sizes[:, None] * (1 - np.eye(3))
    odds, _ = transition.odds_of_wrong(joint)
    np.testing.assert_allclose(odds, np.log(0.1 / 0.9), rtol=1e-6)
    # of large classes alone there is enough to know that they hide behind each other
    many = transition.odds_of_wrong(10_000 * (np.eye(3) + 0.05))[1]
    np.testing.assert_allclose(many, 0, atol=0.01)


def test_a_class_that_no_method_predicts_takes_nobody():
    # One image of class 2, improbable even for it; rows unsure of their own class are not its.
    probs = np.tile([0.6, 0.39, 0.01], (41, 1))
    probs[20:40] = [0.39, 0.6, 0.01]
    probs[::4] = [0.5, 0.48, 0.02]
    given = np.repeat([0, 1, 2], [20, 20, 1])
    joint = transition.confident_joint(lambda rows: probs[rows], given, 3)
    assert joint[:2, 2].tolist() == [0, 0]
