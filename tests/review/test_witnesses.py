"""Mistakes that methods learn: one that resists them is enough, one that is merely weak is not."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.data import digits
from lnl_core.library.ranking import rank
from lnl_core.review import consensus, metrics, noise, witnesses
from lnl_core.types import Signals

K = 5


def softmax(logits):
    probs = np.exp(logits - logits.max(axis=1, keepdims=True))
    return probs / probs.sum(axis=1, keepdims=True)


def said(key, probs, labels):
    return Signals(key, 1 - probs[np.arange(len(labels)), labels], probs)


def learned_mistakes(n=2_000, share=0.15, seed=0):
    """Labels, which are wrong, and makers of methods that learn the mistakes, and that resist them.

    An image of doubtful look is given the class that it resembles with a chance that follows its
    look: what learns given labels says that chance, and is never surprised.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, K, n)
    like = (truth + rng.integers(1, K, n)) % K
    chance = 0.6 * (rng.random(n) < share / 0.3) * rng.random(n)
    wrong = rng.random(n) < chance
    labels = np.where(wrong, like, truth)
    line = np.arange(n)

    def learner(key, own_seed):
        probs = np.full((n, K), 1e-3)
        probs[line, like] += chance
        probs[line, truth] += 1 - chance
        noisy = np.log(probs) + np.random.default_rng(own_seed).normal(size=(n, K)) * 0.3
        return said(key, softmax(noisy), labels)

    def resisting(key, own_seed):
        logits = np.random.default_rng(own_seed).normal(size=(n, K)) * 1.5
        logits[line, truth] += 8
        return said(key, softmax(logits), labels)

    return labels, wrong, learner, resisting


@pytest.mark.parametrize("seed", [0, 1])
def test_one_method_that_sees_learned_mistakes_is_enough(seed):
    labels, wrong, learner, resisting = learned_mistakes(seed=seed)
    blind = [learner(f"learner {i}", seed + i) for i in range(4)]
    alone = consensus.rank(blind, labels, K)
    assert alone.noise_rate < 0.3 * wrong.mean()  # nothing in their doubt tells
    ranking = consensus.rank([*blind, resisting("resisting", 9)], labels, K)
    assert ranking.p_wrong.mean() == pytest.approx(wrong.mean(), rel=0.2)
    assert metrics.calibration_error(wrong, ranking.p_wrong) < 0.09  # .16 where p collapses
    assert (ranking.p_wrong > 0.5).sum() > wrong.sum() / 3
    off_diagonal = 1 - np.average(
        np.diag(ranking.transition_matrix), weights=np.bincount(labels, minlength=K)
    )
    assert off_diagonal == pytest.approx(wrong.mean(), rel=0.3)  # it is told of classes too


@pytest.mark.slow
def test_p_wrong_of_the_demo_digits_is_that_of_their_mistakes():
    """A sixth of them is wrong by a rule that methods learn; .006 was said for .150."""
    images, labels = digits.digits().images, digits.digits().given_labels
    wrong = labels != digits.digits().true_labels
    table = rank(images, labels, ["sr", "jump", "ce"], groups=range(len(labels)))
    p = table.sort_index()["p_wrong"].to_numpy()
    assert p.mean() == pytest.approx(wrong.mean(), rel=0.25)
    assert metrics.calibration_error(wrong, p) < 0.06
    assert (p > 0.5).sum() > 100


@pytest.mark.parametrize("right", [0.65, 0.85, 0.95])
@pytest.mark.parametrize("others", [1, 3])
def test_one_that_is_sure_of_its_own_mistakes_invents_none(right, others):
    """A method mistaken on its own on some images, and sure of it; the labels are right."""
    labels, _, learner, _ = learned_mistakes(share=0)
    rng = np.random.default_rng(5)
    guess = np.where(rng.random(len(labels)) < right, labels, rng.integers(0, K, len(labels)))
    probs = np.full((len(labels), K), 0.01)
    probs[np.arange(len(labels)), guess] = 0.96
    heard = [said("sure", probs, labels), *(learner(f"learner {i}", i) for i in range(others))]
    ranking = consensus.rank(heard, labels, K)
    assert ranking.noise_rate < 0.03
    assert (ranking.p_wrong > 0.5).sum() < 0.03 * len(labels)


def rows_of(labels, probs):
    return noise.rows_of(np.log(np.maximum(probs, 1e-4)), labels, labels)


def test_a_witness_is_backed_sure_and_no_more_doubtful_than_labels():
    labels, wrong, learner, resisting = learned_mistakes()
    order = np.argsort(labels, kind="stable")
    seen, other = (
        rows_of(labels[order], each.pred_probs[order])
        for each in (resisting("resisting", 9), learner("learner", 1))
    )
    usual = np.array([1.5, 1.0])
    share, joint = witnesses.believed([seen, other], usual, 0.01)
    assert share == pytest.approx(wrong.mean(), rel=0.3)
    assert 1 - np.trace(joint) / joint.sum() == pytest.approx(share, rel=1e-6)
    assert witnesses.believed([seen], usual[:1], 0.01) is None  # alone it is nobody's witness
    assert witnesses.believed([seen, other], np.array([0.5, 1.0]), 0.01) is None
    assert witnesses.believed([seen, other], usual, 0.5) is None  # all together count more
    unclear = np.random.default_rng(0).normal(size=seen.logs.shape) * 6
    doubtful = replace(seen, logs=seen.logs + unclear)
    assert noise.sureness(doubtful, noise.fit(doubtful)) < witnesses.SURE
    assert witnesses.believed([doubtful, other], usual, 0.01) is None
    against = replace(
        other, logs=np.log(np.full((len(labels), K), 0.05) + 0.75 * np.eye(K)[seen.labels])
    )
    assert witnesses.believed([seen, other, against], np.array([1.5, 1, 1]), 0.01) is None


def test_backing_is_counted_by_the_chance_that_a_label_is_wrong():
    """Two labels called wrong by .9 and .6 for class 1; another method agrees on the first."""
    probs = np.array([[0.1, 0.9], [0.4, 0.6], [0.999, 0.001]])
    labels = np.zeros(3, int)
    rows = noise.Rows(np.log(probs), labels, np.array([1.0, 1.0, 1.0]))
    even = noise.Noise(1.0, np.zeros(2), np.full((2, 2), 0.5))
    agrees = np.log(np.array([[0.2, 0.8], [0.7, 0.3], [0.9, 0.1]]))
    never = np.log(np.array([[0.8, 0.2], [0.7, 0.3], [0.9, 0.1]]))
    whole = 0.9 + 0.6 + 0.001
    assert witnesses.backing(rows, even, [agrees]) == pytest.approx(0.9 / whole)
    assert witnesses.backing(rows, even, [agrees, never]) == 0
    twice = replace(rows, stands_for=np.array([1.0, 3.0, 1.0]))
    assert witnesses.backing(twice, even, [agrees]) == pytest.approx(0.9 / (whole + 1.2))
