"""Methods made up for tests, on labels whose truth is known; and what every ranking keeps."""

import numpy as np
import pytest

from lnl_core.types import Ranking, Signals

ARRAYS = ("suspicion", "p_wrong", "suggested_labels", "top_labels", "top_probs", "order")


def opinion(key, probs, labels):
    suspicion = np.clip(1 - probs[np.arange(len(labels)), labels], 0, 1)
    return Signals(key, suspicion, probs)


def planted(n=1_500, k=5, *, rate=0.15, pair=False, seed=0):
    """Labels of which `rate` are wrong, and a maker of opinions about the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, k, n)
    wrong = rng.random(n) < rate
    shift = np.ones(n, int) if pair else rng.integers(1, k, n)
    labels = np.where(wrong, (truth + shift) % k, truth)

    def made(sharpness, own_seed):
        logits = np.random.default_rng(own_seed).normal(size=(n, k))
        logits[np.arange(n), truth] += sharpness
        probs = np.exp(2 * logits)
        return probs / probs.sum(axis=1, keepdims=True)

    return labels, truth, wrong, made


def three_methods(labels, made):
    return [opinion(f"method {i}", made(1.5, i), labels) for i in range(3)]


def broken(labels, k, seed=9):
    """Confident nonsense."""
    probs = np.random.default_rng(seed).dirichlet(np.full(k, 0.15), len(labels))
    return opinion("broken", probs, labels)


def check(ranking, labels, k):
    """What every ranking keeps."""
    n = len(labels)
    assert isinstance(ranking, Ranking)
    assert sum(ranking.weights.values()) == pytest.approx(1)
    for name in ARRAYS:
        assert len(getattr(ranking, name)) == n
        assert np.isfinite(getattr(ranking, name)).all()
    assert (ranking.suspicion > 0).all()
    assert (ranking.suspicion < 1).all()
    assert ranking.p_wrong.min(initial=1) >= np.float32(0.001)
    assert ranking.p_wrong.max(initial=0) <= np.float32(0.999)
    assert sorted(ranking.order.tolist()) == list(range(n))
    assert (np.diff(ranking.suspicion[ranking.order]) <= 0).all()
    assert not (ranking.top_labels == labels[:, None]).any()
    np.testing.assert_array_equal(ranking.suggested_labels, ranking.top_labels[:, 0])
    if k > 1:
        assert (ranking.suggested_labels >= 0).all()
    assert (np.diff(ranking.top_probs, axis=1) <= 1e-6).all()
    assert ranking.top_probs.sum(axis=1).max(initial=0) <= 1 + 1e-5
    np.testing.assert_allclose(ranking.transition_matrix.sum(axis=1), 1, rtol=1e-4)
    assert 0 <= ranking.noise_rate <= 1
