"""Orders and pages, against small cases by hand and against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnl_core.review import queue

P = np.array([0.9, 0.1, 0.8, 0.7, 0.2, 0.6])
GIVEN = np.array([0, 0, 1, 1, 0, 1])
SUGGESTED = np.array([1, 1, 0, 0, 1, 2])


def ordered(kind, seed=0):
    rows = queue.order(
        kind, p_wrong=P, given_labels=GIVEN, suggested_labels=SUGGESTED, seed=seed
    ).tolist()
    assert sorted(rows) == list(range(len(P)))
    return rows


def test_suspicious_falls_and_ties_go_by_row():
    assert ordered("suspicious") == [0, 2, 3, 5, 4, 1]
    tied = queue.order(
        "suspicious", p_wrong=np.full(40, 0.5), given_labels=[0] * 40, suggested_labels=[1] * 40
    )
    assert tied.tolist() == list(range(40))


def test_pages_show_one_class_at_a_time_the_fullest_first():
    assert ordered("pages") == [2, 3, 5, 0, 4, 1]  # class 1 sums to 2.1, class 0 to 1.2


def test_pages_return_to_a_class_for_its_second_page():
    p = np.r_[np.full(12, 0.9), np.full(12, 0.5), np.full(12, 0.7)]
    label = np.r_[np.zeros(24, int), np.ones(12, int)]
    rows = queue.order("pages", p_wrong=p, given_labels=label, suggested_labels=1 - label)
    assert label[rows].reshape(3, 12).tolist() == [[0] * 12, [1] * 12, [0] * 12]
    assert rows.tolist() == [*range(12), *range(24, 36), *range(12, 24)]


def test_pair_keeps_a_confusion_together():
    assert ordered("pair") == [2, 3, 0, 4, 1, 5]  # 1 -> 0: 1.5, 0 -> 1: 1.2, 1 -> 2: .6


def test_diverse_lets_a_second_confusion_in_earlier():
    # .9, .8, .6 lead their confusion; the second of 1 -> 0 counts .7 / sqrt(2) = .49.
    assert ordered("diverse") == [0, 2, 5, 3, 4, 1]


def test_random_is_seeded():
    assert ordered("random", 1) == ordered("random", 1)
    assert ordered("random", 1) != ordered("random", 2)


def test_an_unknown_order_is_named():
    with pytest.raises(ValueError, match="suspicious, pages, pair"):
        ordered("alphabetical")


def test_no_rows_no_order():
    empty = np.zeros(0)
    for kind in queue.ORDERS:
        rows = queue.order(
            kind,
            p_wrong=empty,
            given_labels=empty.astype(int),
            suggested_labels=empty.astype(int),
        )
        assert len(rows) == 0
    assert queue.next_page(empty, empty.astype(int), empty.astype(bool))[0] is None
    assert len(queue.next_rows(empty.astype(int), empty.astype(bool), 5)) == 0


def test_next_rows_skips_what_is_excluded_however_far_the_rest_is():
    n = 50_000
    order = np.random.default_rng(0).permutation(n)
    excluded = np.ones(n, bool)
    open_rows = order[[3, 9_000, 40_000, 49_999]]
    excluded[open_rows] = False
    assert queue.next_rows(order, excluded, 3).tolist() == open_rows[:3].tolist()
    assert queue.next_rows(order, excluded, 10).tolist() == open_rows.tolist()
    assert len(queue.next_rows(order, ~excluded & False, 0)) == 0


def best_page(p, label, excluded, size):
    """The page by looking at every class."""
    best_sum, best = -1.0, (None, [])
    for each in np.unique(label):
        rows = np.flatnonzero((label == each) & ~excluded)
        rows = rows[np.argsort(-p[rows], kind="stable")[:size]]
        if len(rows) and p[rows].sum() > best_sum + 1e-9:
            best_sum, best = p[rows].sum(), (int(each), rows.tolist())
    return best


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 13), st.sampled_from([1, 4, 1024])
)
def test_next_page_is_the_best_of_all_classes(seed, classes, size, levels):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 400))
    p = np.round(rng.random(n) * levels) / levels  # ties are common
    label = rng.integers(0, classes, n)
    excluded = rng.random(n) < 0.3
    found, rows = queue.next_page(p, label, excluded, size)
    assert (found, rows.tolist()) == best_page(p, label, excluded, size)


@pytest.mark.parametrize("shape", ["smooth", "clipped", "rare class"])
def test_next_page_looks_further_only_where_it_must(shape):
    rng = np.random.default_rng(5)
    n, classes = 60_000, 3_000  # more pages than rows in the first look
    p = rng.beta(0.5, 5, n) if shape == "smooth" else np.clip(rng.beta(0.1, 3, n), 0.001, 0.999)
    label = rng.integers(0, classes, n)
    excluded = rng.random(n) < 0.2
    if shape == "rare class":
        excluded |= label != 7
    found, rows = queue.next_page(p, label, excluded)
    assert (found, rows.tolist()) == best_page(p, label, excluded, 12)


def test_the_pages_order_starts_with_next_page():
    rng = np.random.default_rng(2)
    p, label = rng.random(5_000), rng.integers(0, 20, 5_000)
    excluded = np.zeros(5_000, bool)
    order = queue.order("pages", p_wrong=p, given_labels=label, suggested_labels=label)
    for start in range(0, 120, 12):
        _, rows = queue.next_page(p, label, excluded)
        assert rows.tolist() == order[start : start + 12].tolist()
        excluded[rows] = True
