"""Images that came with several labels come first."""

import numpy as np

from lnl_core.review import listed
from tests.review.test_copies import ranking


def test_an_image_with_two_labels_is_first_and_its_other_label_is_suggested():
    given = np.array([0, 0, 1, 0])
    several = np.array([[1, 0], [1, 1], [2, 1], [2, 0]], np.int32)
    ranked = listed.put_first(ranking([0.9, 0.1, 0.7, 0.2]), several, given)
    assert ranked.order.tolist() == [2, 1, 0, 3]
    np.testing.assert_allclose(ranked.p_wrong, [0.9, 0.5, 0.7, 0.2], atol=1e-6)
    assert ranked.suggested_labels.tolist() == [2, 1, 0, 2]
    assert ranked.suspicion[1] > ranked.suspicion[0]
    assert (ranked.top_probs.sum(axis=1) <= 1 + 1e-6).all()


def test_of_three_labels_the_likeliest_other_one_is_suggested():
    several = np.array([[0, 0], [0, 1], [0, 2]], np.int32)
    ranked = listed.put_first(ranking([0.3, 0.9]), several, np.array([0, 0]))
    assert ranked.suggested_labels[0] == 2
    np.testing.assert_allclose(ranked.p_wrong[0], 2 / 3, atol=1e-6)


def test_what_a_person_has_answered_stays_where_it_is():
    before = ranking([0.9, 0.1])
    several, answered = np.array([[1, 0], [1, 1]], np.int32), np.array([False, True])
    assert listed.put_first(before, several, np.array([0, 0]), answered) is before
