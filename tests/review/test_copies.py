"""Copies whose labels contradict each other come first."""

import numpy as np
import pytest

from lnl_core.review import copies
from lnl_core.types import Ranking


def ranking(p_wrong, k=3):
    p_wrong = np.asarray(p_wrong, dtype=np.float32)
    n = len(p_wrong)
    return Ranking(
        methods=("probe",),
        weights={"probe": 1.0},
        suspicion=p_wrong.astype(np.float64),
        p_wrong=p_wrong,
        suggested_labels=np.full(n, 2, np.int32),
        top_labels=np.tile(np.array([2, 1, -1], np.int32), (n, 1)),
        top_probs=np.tile(np.array([0.7, 0.3, 0], np.float32), (n, 1)),
        order=np.argsort(-p_wrong, kind="stable").astype(np.int32),
        noise_rate=0.1,
        transition_matrix=np.eye(k, dtype=np.float32),
    )


def test_groups_of_a_part_are_numbered_by_its_places():
    groups = np.array([0, 1, 0, 3, 1, 0])
    np.testing.assert_array_equal(copies.of_part(groups, np.array([1, 2, 4, 5])), [0, 1, 0, 1])
    np.testing.assert_array_equal(copies.sizes(groups), [3, 2, 3, 1, 2, 3])


def test_the_minority_is_contradicted_by_what_the_copies_say():
    groups, given = np.array([0, 0, 0, 0, 4]), np.array([0, 0, 1, 0, 1])
    found = copies.conflicts(groups, given)
    np.testing.assert_array_equal(found.rows, [0, 1, 2, 3])
    np.testing.assert_array_equal(found.contradicted, [False, False, True, False])
    np.testing.assert_allclose(found.chance, [0.9, 0.9, 0.1, 0.9])
    np.testing.assert_array_equal(found.other, [1, 1, 0, 1])


def test_labels_given_equally_often_are_both_in_doubt():
    found = copies.conflicts(np.array([0, 1, 0, 3]), np.array([0, 2, 1, 1]), np.full(4, 0.9))
    np.testing.assert_array_equal(found.rows, [0, 2])
    assert found.contradicted.all()


def test_a_majority_that_looks_wrong_is_outvoted_by_the_evidence():
    right = np.array([0.02, 0.02, 0.95])
    found = copies.conflicts(np.zeros(3, int), np.array([0, 0, 1]), right)
    np.testing.assert_array_equal(found.contradicted, [True, True, False])


def test_what_a_person_confirmed_decides():
    confirmed = np.array([False, False, True, False])
    found = copies.conflicts(np.zeros(4, int), np.array([0, 0, 1, 1]), np.full(4, 0.5), confirmed)
    np.testing.assert_array_equal(found.contradicted, [True, True, False, False])
    np.testing.assert_array_equal(found.other[:2], [1, 1])


def test_labels_that_are_no_classes_contradict_nothing():
    groups, given = np.zeros(3, int), np.array([0, 2, 2])
    assert not len(copies.conflicts(groups, given, none=[2]).rows)


@pytest.mark.parametrize("groups", [np.arange(4), np.array([0, 0, 2, 2])], ids=["single", "agree"])
def test_without_a_conflict_the_ranking_stays(groups):
    before, given = ranking([0.1, 0.9, 0.4, 0.2]), np.array([0, 0, 1, 1])
    for confirmed in (None, np.zeros(4, bool), np.ones(4, bool)):
        assert copies.put_first(before, groups, given, confirmed) is before


def test_conflicts_come_first_and_suggest_what_their_copies_say():
    groups, given = np.array([0, 1, 1, 1, 4, 4, 6]), np.array([0, 0, 0, 1, 0, 1, 0])
    before = ranking([0.99, 0.1, 0.1, 0.2, 0.05, 0.3, 0.6])
    after = copies.put_first(before, groups, given)
    assert list(after.order[:3]) in ([3, 5, 4], [5, 3, 4], [3, 4, 5])
    assert list(after.order[3:]) == [0, 6, 1, 2]
    assert after.suggested_labels[[3, 4, 5]].tolist() == [0, 1, 0]
    assert (after.p_wrong[[3, 4, 5]] >= 0.5).all()
    np.testing.assert_array_equal(after.p_wrong[[0, 1, 2, 6]], before.p_wrong[[0, 1, 2, 6]])
    assert (np.diff(after.suspicion[after.order]) <= 0).all()
    assert after.suspicion.max() <= 1
    np.testing.assert_array_equal(after.top_labels[3], [0, 2, 1])
    np.testing.assert_allclose(after.top_probs.sum(axis=1), 1, atol=1e-6)
    assert before.p_wrong[3] == np.float32(0.2)  # the ranking that came in is not changed


def test_a_confirmed_label_is_never_put_first():
    confirmed = np.array([True, False])
    after = copies.put_first(ranking([0.001, 0.1]), np.zeros(2, int), np.array([0, 1]), confirmed)
    assert after.order.tolist() == [1, 0]
    assert after.p_wrong[0] == np.float32(0.001)
    assert after.p_wrong[1] == np.float32(0.999)


def test_where_every_copy_looks_wrong_the_methods_suggest():
    """Eight copies labelled 1 and one labelled 0, all of what the methods see as 2."""
    groups, given = np.zeros(9, int), np.array([0] + [1] * 8)
    after = copies.put_first(ranking([0.97] + [0.9] * 8), groups, given)
    assert after.order[0] == 0
    assert after.p_wrong[0] > 0.9
    assert after.top_labels[0].tolist() == [2, 1, -1]
    assert 0.5 < after.top_probs[0, 0] < 0.9
    trusted = np.arange(9) == 8  # but a person has confirmed 1
    after = copies.put_first(ranking([0.97] + [0.9] * 7 + [0.001]), groups, given, trusted)
    assert after.top_labels[0, 0] == 1
    assert after.top_probs[0, 0] == pytest.approx(0.99)
