import numpy as np
import pytest

from lnl_core.data import noise
from lnl_core.types import LnlError

K = 5
RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, K, 1003)
IMAGES = RNG.integers(0, 60, (1003, 12, 12, 3), dtype=np.uint8)
for _k in range(K):
    IMAGES[_k == TRUTH, 2 * _k : 2 * _k + 3] += 120  # rows that overlap with the next class's


def inject(kind, rate=0.2, seed=0):
    return noise.inject(kind, TRUTH, rate, seed, class_count=K, images=IMAGES)


@pytest.mark.parametrize("kind", noise.KINDS)
@pytest.mark.parametrize("rate", [0.001, 0.15, 0.4, 0.9])
def test_exactly_the_asked_share_changes(kind, rate):
    before = TRUTH.copy()
    noisy = inject(kind, rate)
    assert (noisy != TRUTH).sum() == round(rate * 1003)
    assert 0 <= noisy.min() <= noisy.max() < K
    np.testing.assert_array_equal(TRUTH, before)


@pytest.mark.parametrize("kind", noise.KINDS)
def test_the_seed_decides(kind):
    np.testing.assert_array_equal(inject(kind, seed=4), inject(kind, seed=4))
    assert (inject(kind, seed=4) != inject(kind, seed=5)).any()


def test_symmetric_reaches_every_other_class_alike():
    labels = np.zeros(100_000, np.int64)
    found = noise.symmetric(labels, 0.4, 1, class_count=5)
    counts = np.bincount(found.labels, minlength=5)
    assert counts[0] == 60_000
    assert np.abs(counts[1:] - 10_000).max() < 500  # five standard deviations
    np.testing.assert_array_equal(found.flipped, np.flatnonzero(found.labels))
    assert abs(found.flipped.mean() - 50_000) < 1000


def test_pair_goes_to_the_next_class_or_the_given_partner():
    noisy = inject("pair", 0.3)
    wrong = noisy != TRUTH
    np.testing.assert_array_equal(noisy[wrong], (TRUTH[wrong] + 1) % K)
    found = noise.pair(TRUTH, 0.5, class_count=K, partner={0: 3, 3: 0})
    wrong = found.labels != TRUTH
    assert wrong.sum() == round(0.5 * np.isin(TRUTH, [0, 3]).sum())
    assert set(zip(TRUTH[wrong].tolist(), found.labels[wrong].tolist(), strict=True)) == {
        (0, 3),
        (3, 0),
    }


def test_instance_noise_follows_likeness_and_ambiguity():
    noisy = inject("instance", 0.2)
    wrong = noisy != TRUTH
    neighbour = np.abs(noisy[wrong] - TRUTH[wrong]) == 1
    assert neighbour.mean() > 0.9
    flat = IMAGES.sum(axis=3).reshape(len(IMAGES), -1).astype(float)
    means = np.stack([flat[k == TRUTH].mean(axis=0) for k in range(K)])
    distance = ((flat[:, None] - means[None]) ** 2).sum(axis=2)
    own = distance[np.arange(len(flat)), TRUTH].copy()
    distance[np.arange(len(flat)), TRUTH] = np.inf
    ambiguity = own / (own + distance.min(axis=1))
    rank = np.argsort(np.argsort(ambiguity)) / len(flat)
    assert rank[wrong].mean() > 0.75
    assert (distance.argmin(axis=1)[wrong] == noisy[wrong]).mean() > 0.95


def test_instance_noise_copes_with_empty_classes_and_large_images():
    labels = np.array([0, 0, 2, 2, 2, 2, 0, 0, 2, 2])
    images = np.repeat(np.arange(10, dtype=np.uint8), 70 * 90).reshape(10, 70, 90, 1)
    found = noise.instance_dependent(labels, images, 0.3, class_count=4)
    assert set(found.labels.tolist()) <= {0, 2}
    assert len(found.flipped) == 3


@pytest.mark.parametrize("rate", [-0.1, 0, 1, 1.5, float("nan")])
def test_shares_that_are_none(rate):
    with pytest.raises(LnlError, match="between 0 and 1"):
        inject("symmetric", rate)


def test_other_refusals():
    with pytest.raises(LnlError, match="symmetric, pair, instance"):
        inject("cosmic")
    with pytest.raises(LnlError, match="at least two classes"):
        noise.inject("pair", np.zeros(9, int), 0.5, class_count=1)
    with pytest.raises(LnlError, match="needs the images"):
        noise.inject("instance", TRUTH, 0.5, class_count=K)
    with pytest.raises(LnlError, match="outside the 5 classes"):
        noise.pair(TRUTH, 0.5, class_count=K, partner={0: 5})
