"""The labelled part of a set: what methods see, what is put back, and what is never suggested."""

import numpy as np
import pytest

from lnl_core.review import consensus, labelled
from lnl_core.types import LabeledDataset, Signals, TopProbs
from tests.review.opinions import opinion, planted

K, NONE = 6, 2  # label 2 is no class


def with_none(n=600, none_rows=90, seed=0):
    """Labels of five classes numbered around NONE; some rows are given as NONE."""
    labels, truth, _wrong, made = planted(n, K - 1, seed=seed)
    number = np.array([label for label in range(K) if label != NONE])
    given = number[labels]
    rows = np.sort(np.random.default_rng(seed).permutation(n)[:none_rows])
    given[rows] = NONE

    def wide(sharpness, own_seed):
        probs = np.zeros((n, K))
        probs[:, number] = made(sharpness, own_seed)
        return probs

    return given, number[truth], rows, wide


def test_a_part_numbers_rows_and_classes_anew():
    images = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2, 1)
    data = LabeledDataset(
        "set",
        ("ant", "?", "cow"),
        np.array([2, 1, 0, 1, 2]),
        list("abcde"),
        images,
        true_labels=np.array([2, 2, 0, 0, 2]),
        trusted=np.array([True, False, False, False, False]),
    )
    part = labelled.part(data.given_labels, 3, [1])
    seen = part.dataset(data)
    assert seen.class_names == ("ant", "cow")
    assert seen.given_labels.tolist() == [1, 0, 1]
    assert list(seen.ids) == ["a", "c", "e"]
    assert seen.trusted.tolist() == [True, False, False]
    assert seen.true_labels is None
    assert seen.images.shape == (3, 2, 2, 1)
    np.testing.assert_array_equal(np.asarray(seen.images), images[[0, 2, 4]])
    np.testing.assert_array_equal(seen.images[1:], images[[2, 4]])
    np.testing.assert_array_equal(seen.images[np.array([2, 0])], images[[4, 0]])
    np.testing.assert_array_equal(seen.images[1], images[2])
    assert part.others.tolist() == [1, 3]
    assert part.renumbered(np.array([2, 1, 0, -1])).tolist() == [1, -1, 0, -1]


def test_a_set_without_such_labels_is_left_as_it_is():
    labels, _, _, made = planted(200, 4)
    part = labelled.part(labels, 4, ())
    signals = opinion("a", made(1.5, 0), labels)
    assert part.whole
    assert part.outside(signals) is signals
    assert part.inside(signals) is signals
    first = labelled.rank([signals], labels, 4)
    second = consensus.rank([signals], labels, 4)
    np.testing.assert_array_equal(first.suspicion, second.suspicion)
    np.testing.assert_array_equal(first.order, second.order)


def test_signals_come_back_for_every_row_and_class():
    part = labelled.part(np.array([0, 1, 2, 0, 1, 2]), 3, [1])  # rows 0, 2, 3, 5
    probs = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]], np.float32)
    signals = Signals(
        "a",
        np.array([0.1, 0.2, 0.3, 0.4]),
        probs,
        curves={"p_given": np.ones((3, 4)), "train_loss": np.ones(3)},
        extras={
            "neighbours": np.array([[1], [0], [3], [-1]]),
            "purified_labels": np.array([0, 1, 1, 1]),
            "code_label": np.array([1, 0, 0, 1]),
            "aum": np.array([1.0, 2, 3, 4]),
            "bootstrap": np.array([1]),
        },
    )
    features = np.array([[1, 0], [1, 0.01], [0, 1], [1, 0.02], [0.01, 1], [0, 1]])
    back = part.outside(signals, features)
    assert back.suspicion.tolist() == [0.1, 0, 0.2, 0.3, 0, 0.4]
    np.testing.assert_allclose(back.pred_probs[part.rows][:, [0, 2]], probs)
    assert (back.pred_probs[:, 1] == 0).all()
    np.testing.assert_allclose(back.pred_probs.sum(axis=1), 1, atol=1e-6)
    assert back.curves["p_given"].shape == (3, 6)
    assert back.curves["train_loss"].shape == (3,)
    assert back.extras["neighbours"].ravel().tolist() == [2, -1, 0, 5, -1, -1]
    assert back.extras["purified_labels"].tolist() == [0, -1, 2, 2, -1, 2]
    assert back.extras["code_label"].tolist() == [2, -1, 0, 0, -1, 2]
    assert back.extras["aum"].tolist() == [1, 0, 2, 3, 0, 4]
    assert back.extras["bootstrap"].tolist() == [1]
    again = part.inside(back)
    np.testing.assert_allclose(again.pred_probs, probs, atol=1e-6)
    np.testing.assert_array_equal(again.suspicion, signals.suspicion)


@pytest.mark.parametrize("top", [False, True])
def test_an_image_without_a_class_gets_the_opinion_on_those_it_looks_like(top):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 300)
    features = np.eye(4)[truth] + 0.05 * rng.normal(size=(300, 4))
    given = np.where(np.arange(300) % 10 == 0, 4, truth)  # label 4 is no class
    part = labelled.part(given, 5, [4])
    probs = np.full((len(part.rows), 4), 0.05)
    probs[np.arange(len(part.rows)), truth[part.rows]] = 0.85
    said = probs
    if top:
        order = np.argsort(-probs, axis=1)[:, :2]
        said = TopProbs(order, np.take_along_axis(probs, order, axis=1), 4)
    back = part.outside(Signals("a", np.zeros(len(part.rows)), said), features).pred_probs
    best = back.classes[:, 0] if top else back.argmax(axis=1)
    assert (best[part.others] == truth[part.others]).all()
    if top:
        assert back.class_count == 5
        assert (back.classes[:, 0] != 4).all()


def test_a_label_that_is_no_class_is_neither_suspected_nor_suggested():
    given, truth, rows, wide = with_none()
    signals = [Signals(f"m{i}", np.full(600, 0.3), wide(2.0, i)) for i in range(3)]
    ranking = labelled.rank(signals, given, K, None, [NONE])
    assert (ranking.top_labels != NONE).all()
    assert (ranking.suspicion[rows] == 0).all()
    assert (ranking.p_wrong[rows] == 0).all()
    assert sorted(ranking.order) == list(range(600))
    assert set(ranking.order[-len(rows) :]) == set(rows)  # behind all that can be wrong
    surest = ranking.top_probs[ranking.order[-len(rows) :], 0]
    assert (np.diff(surest) <= 0).all()
    assert (ranking.suggested_labels[rows] == truth[rows]).mean() > 0.9
    assert ranking.transition_matrix.shape == (K, K)
    np.testing.assert_allclose(ranking.transition_matrix.sum(axis=1), 1, atol=1e-5)


def test_the_rest_is_ranked_as_if_those_rows_had_never_been_there():
    given, _, rows, wide = with_none()
    signals = [Signals(f"m{i}", np.linspace(0, 1, 600), wide(1.5, i)) for i in range(2)]
    kept = np.setdiff1d(np.arange(600), rows)
    number = np.array([0, 1, -1, 2, 3, 4])
    columns = [label for label in range(K) if label != NONE]
    alone = consensus.rank(
        [Signals(s.method, s.suspicion[kept], s.pred_probs[kept][:, columns]) for s in signals],
        number[given[kept]],
        K - 1,
    )
    ranking = labelled.rank(signals, given, K, None, [NONE])
    np.testing.assert_allclose(ranking.p_wrong[kept], alone.p_wrong)
    np.testing.assert_array_equal(ranking.order[: len(kept)], kept[alone.order])
    assert ranking.noise_rate == pytest.approx(alone.noise_rate)


def test_a_run_that_took_it_for_a_class_still_never_suggests_it():
    given, _, _rows, wide = with_none()
    probs = wide(2.0, 1) * 0.4
    probs[:, NONE] = 0.6  # as a method trained before says
    ranking = labelled.rank([opinion("old", probs, given)], given, K, None, [NONE])
    assert (ranking.top_labels != NONE).all()
    assert ranking.p_wrong[given != NONE].mean() < 0.5


def test_more_runs_than_a_number_has_bits_are_ranked():
    labels, _, _, made = planted(90, 3)
    judged = [np.arange(90) < (60 if each % 2 else 90) for each in range(70)]
    signals = [opinion(f"own-{each}", made(1.0, each), labels) for each in range(70)]
    ranking = labelled.rank(signals, labels, 3, judged=judged)
    assert sorted(ranking.order.tolist()) == list(range(90))
    first = labelled.rank(signals, labels, 3, judged=[judged[1]] * 70)
    np.testing.assert_array_equal(ranking.suspicion[:60], first.suspicion[:60])
    half = labelled.rank(signals[::2], labels, 3)
    np.testing.assert_array_equal(ranking.suspicion[60:], half.suspicion[60:])
