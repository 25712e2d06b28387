"""The joint ranking where classes are rare, weak methods many, and images few."""

import numpy as np
import pytest

from lnl_core.review import consensus, metrics
from lnl_core.types import Signals
from tests.review.opinions import opinion, planted


def skewed(sizes, wrong_share, *, sharpness=1.5, seed=0):
    """Classes of these sizes as given, a share of each class's labels wrong, the rest right.

    What it makes are calibrated opinions: posteriors that know how common each class is, as
    methods that learn from the given labels have them.
    """
    rng = np.random.default_rng(seed)
    k, labels = len(sizes), np.repeat(np.arange(len(sizes)), sizes)
    truth = labels.copy()
    for c, share in enumerate(wrong_share):
        rows, others = np.flatnonzero(labels == c), np.delete(np.arange(k), c)
        bad = rng.choice(rows, round(share * len(rows)), replace=False)
        common = np.asarray(sizes)[others] / np.asarray(sizes)[others].sum()
        truth[bad] = rng.choice(others, len(bad), p=common)
    wrong = truth != labels

    def made(own_seed):
        logits = np.random.default_rng(own_seed).normal(size=(len(labels), k))
        logits[np.arange(len(labels)), truth] += sharpness
        probs = np.exp(sharpness * logits) * np.asarray(sizes)
        return probs / probs.sum(axis=1, keepdims=True)

    return labels, truth, wrong, made


def test_right_labels_of_rare_classes_do_not_fill_the_head_of_the_queue():
    sizes = [900, 500, 300, 20, 12]
    labels, _, wrong, made = skewed(sizes, [0.05, 0.05, 0.05, 0, 0])
    methods = [opinion(f"method {i}", made(i), labels) for i in range(3)]
    rare = labels >= 3
    plain = np.sum([each.suspicion for each in methods], axis=0)
    assert rare[np.argsort(-plain)[:60]].mean() > 0.25  # what is rare looks wrong to all of them
    for heard in (methods, methods[:1]):
        ranking = consensus.rank(heard, labels, 5)
        assert rare[ranking.order[:60]].mean() < 0.1
        before = metrics.average_precision(wrong, sum(each.suspicion for each in heard))
        assert metrics.average_precision(wrong, ranking.suspicion) > before + 0.05


def test_a_rare_class_whose_labels_are_really_wrong_is_found():
    """Not the size of a class counts, but what is seen of its own labels."""
    labels, _, wrong, made = skewed([900, 500, 300, 40, 40], [0.02, 0.02, 0.02, 0.6, 0], seed=1)
    methods = [opinion(f"method {i}", made(i), labels) for i in range(3)]
    ranking = consensus.rank(methods, labels, 5)
    p = [float(ranking.p_wrong[labels == c].mean()) for c in range(5)]
    assert p[3] > 3 * max(p[0], p[1], p[2], p[4])
    assert metrics.average_precision(wrong, ranking.suspicion) > 0.75


def test_a_class_that_holds_all_wrong_labels_is_found_by_weak_methods():
    labels, _, wrong, made = skewed([300] * 5, [0.3, 0, 0, 0, 0], sharpness=1.2, seed=4)
    ranking = consensus.rank([opinion("weak", made(0), labels)], labels, 5)
    head = ranking.order[: wrong.sum()]
    assert (labels[head] == 0).mean() > 0.82
    assert wrong[head].mean() > 0.57


def test_a_method_that_comes_twice_adds_no_certainty():
    labels, _, _, made = planted()
    first, second = opinion("a", made(1.5, 0), labels), opinion("b", made(1.5, 1), labels)
    again = [opinion(f"b{i}", second.pred_probs, labels) for i in range(4)]
    once = consensus.rank([first, second], labels, 5)
    often = consensus.rank([first, second, *again], labels, 5)
    np.testing.assert_allclose(often.p_wrong, once.p_wrong, atol=0.02)
    assert often.noise_rate == pytest.approx(once.noise_rate, abs=0.003)
    assert often.weights["a"] == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("count", [1, 2, 8])
def test_p_wrong_follows_the_truth_for_one_method_as_for_many(count):
    labels, _, wrong, made = planted(4_000, 6, rate=0.1, seed=3)
    heard = [opinion(f"method {i}", made(2.6, i), labels) for i in range(count)]
    ranking = consensus.rank(heard, labels, 6)
    assert ranking.p_wrong.mean() == pytest.approx(wrong.mean(), rel=0.35)
    assert metrics.calibration_error(wrong, ranking.p_wrong) < 0.08


def test_methods_that_know_no_class_do_not_say_that_all_labels_are_right():
    labels, _, _, _ = planted(300, 10)
    rng = np.random.default_rng(1)
    lost = opinion("lost", rng.dirichlet(np.full(10, 20.0), 300), labels)
    seeing = np.full((300, 10), 0.01)
    seeing[np.arange(300), labels] += 0.9
    unknown = consensus.rank([lost], labels, 10).noise_rate
    assert 0.06 < unknown <= consensus.UNKNOWN_RATE
    assert consensus.rank([opinion("seeing", seeing, labels)], labels, 10).noise_rate < 0.03


@pytest.mark.parametrize("n", [20, 60])
def test_a_handful_of_images_that_no_method_can_tell_apart_is_not_called_wrong(n):
    rng = np.random.default_rng(n)
    labels = np.arange(n) % 10
    ranking = consensus.rank([opinion("lost", rng.dirichlet(np.ones(10), n), labels)], labels, 10)
    assert ranking.noise_rate < 0.35
    assert (ranking.p_wrong > 0.5).mean() < 0.35


@pytest.mark.parametrize("k", [50, 210])
def test_right_labels_of_many_small_classes_are_not_called_wrong_for_being_few(k):
    """Ten images of each, and one model that knows them: 103 expected of none, half uncontested."""
    rng = np.random.default_rng(0)
    n = 10 * k
    true = np.arange(n) % k
    logs = rng.normal(size=(n, k)) * 5
    logs[np.arange(n), true] += 25
    probs = np.exp(logs - logs.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    for wrong in (0.0, 0.1):
        given = np.where(rng.random(n) < wrong, (true + rng.integers(1, k, n)) % k, true)
        said = Signals("own", 1 - probs[np.arange(n), given], probs)
        p = consensus.rank([said], given, k).p_wrong
        assert p.sum() == pytest.approx((true != given).sum(), abs=0.02 * n)
        assert (p > 0.5).sum() <= 1.1 * (probs.argmax(axis=1) != given).sum() + 1
