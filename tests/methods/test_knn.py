from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import knn
from lnl_core.types import LabeledDataset, TopProbs


def dataset_of(given, k):
    n = len(given)
    images = np.zeros((n, 8, 8, 1), dtype=np.uint8)
    return LabeledDataset("set", tuple(map(str, range(k))), given, list(map(str, range(n))), images)


def circle(n=120, k=3, seed=0):
    """Points on k arcs far apart, 10 % with the next class's label."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % k
    angle = 2 * np.pi * true / k + rng.normal(size=n) * 0.1
    features = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    given = true.copy()
    given[:: 10 * k] = (true[:: 10 * k] + 1) % k
    return features, given, true


def run(features, given, k, **knobs):
    return knn.fit(dataset_of(given, k), knn.Config(**knobs), LocalContext(features=features))


def test_wrong_labels_rank_first():
    features, given, true = circle()
    signals = run(features, given, 3)
    wrong = given != true
    assert signals.suspicion[wrong].min() > 0.5 > signals.suspicion[~wrong].max()


def test_the_image_itself_is_no_neighbour_even_among_twins():
    """With every point twice, the nearest is the twin; one's own vote would hide the wrong one."""
    given = np.arange(60) % 3
    features = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    features[:, :3] += 8 * np.eye(3)[given]
    both, labels = np.concatenate([features, features]), np.concatenate([given, given])
    labels[0] = (labels[60] + 1) % 3
    signals = run(both, labels, 3)
    near = signals.extras["neighbours"]
    assert near.shape == (120, 10)
    assert near.dtype == np.int32
    assert not (near == np.arange(120)[:, None]).any()
    np.testing.assert_array_equal(near[:, 0], (np.arange(120) + 60) % 120)
    assert signals.suspicion[0] > 0.9


def test_neighbours_equal_a_plain_search():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 6)).astype(np.float32)
    points = knn._directions(features, 256)
    similarity = points @ points.T
    np.fill_diagonal(similarity, -2)
    expected = np.argsort(-similarity, axis=1)[:, :10]
    signals = run(features, np.arange(80) % 4, 4)
    np.testing.assert_array_equal(signals.extras["neighbours"], expected)


@pytest.mark.parametrize("n", [30, 119, 160, 400], ids=lambda n: f"{n} of 160")
def test_cosines_are_those_of_the_whole_decomposition(n):
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(n, 12)) @ rng.normal(size=(12, 160))).astype(np.float32)
    features += 0.3 * rng.normal(size=features.shape).astype(np.float32)
    x = features.astype(np.float64)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    spread, axes = (part[..., ::-1][..., :12] for part in np.linalg.eigh(x.T @ x / n))
    points = x @ axes / spread**0.25
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = knn._directions(features, 12)
    np.testing.assert_allclose(found @ found.T, points @ points.T, atol=5e-6)


def test_votes_by_hand():
    config = knn.Config(temperature=0.1, smoothing=1.0)
    similarity = np.array([[0.9, 0.8, 0.7]], dtype=np.float32)
    vote = knn._vote(similarity, np.array([[0, 1, 1]]), np.array([0.5, 0.5]), config)
    weight = np.exp(np.array([0.0, -1.0, -2.0]))
    weight *= 3 / weight.sum()
    np.testing.assert_allclose(
        vote[0], [(weight[0] + 0.5) / 4, (3 - weight[0] + 0.5) / 4], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("images", "sizes", "voters"),
    [
        (8000, [800] * 10, 50),
        (300, [30] * 10, 45),  # half a class saw a tenth less of the wrong labels
        (100, [10] * 10, 15),
        (40, [20, 20], 13),  # of two classes a third of the images
        (600, [510] + [10] * 9, 30),  # rare classes are not outvoted
        (250, [1, 2, 3, 4] * 25, 5),
        (3, [2, 1], 2),
    ],
)
def test_as_many_vote_as_a_small_class_bears(images, sizes, voters):
    assert knn._voters(50, images, np.array(sizes)) == voters


def test_blocks_and_a_part_of_the_set_as_reference(monkeypatch):
    features, given, true = circle(300)
    whole = run(features, given, 3)
    monkeypatch.setattr(knn, "CELLS", 1)
    np.testing.assert_allclose(run(features, given, 3).suspicion, whole.suspicion, atol=1e-5)
    part = run(features, given, 3, reference=90)
    assert len(np.unique(part.extras["neighbours"])) <= 90
    assert not (part.extras["neighbours"] == np.arange(300)[:, None]).any()
    assert (part.suspicion > 0.5).tolist() == (given != true).tolist()


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_handful_of_images(n):
    rng = np.random.default_rng(0)
    signals = run(rng.normal(size=(n, 4)).astype(np.float32), np.arange(n) % 2, 2)
    assert np.isfinite(signals.suspicion).all()


def test_many_classes_keep_the_top_only():
    rng = np.random.default_rng(0)
    given = np.arange(600) % 120
    centres = rng.normal(size=(120, 30))
    features = (centres[given] + 0.1 * rng.normal(size=(600, 30))).astype(np.float32)
    signals = run(features, given, 120)
    assert isinstance(signals.pred_probs, TopProbs)
    assert (signals.pred_probs.classes[:, 0] == given).all()


def test_copies_have_one_vote_together_and_none_on_each_other():
    features, given, true = circle()
    rows = np.append(np.arange(120), np.full(7, 0))
    labels = given[rows].copy()
    labels[rows == 0] = (true[0] + 1) % 3
    groups = np.append(np.arange(120), np.zeros(7, int))
    many = knn.fit(
        replace(dataset_of(labels, 3), groups=groups),
        knn.Config(),
        LocalContext(features=features[rows]),
    )
    assert (many.suspicion[rows == 0] > 0.8).all()
    assert not np.isin(many.extras["neighbours"][rows == 0], np.flatnonzero(rows == 0)).any()
    others = np.arange(1, 120)
    once = run(features, labels[:120], 3)
    np.testing.assert_allclose(many.suspicion[others], once.suspicion[others], atol=0.02)


def test_copies_of_one_picture_alone_suspect_nothing():
    data = replace(dataset_of(np.array([0, 1, 1]), 2), groups=np.zeros(3, int))
    signals = knn.fit(data, knn.Config(), LocalContext(features=np.ones((3, 4), np.float32)))
    np.testing.assert_array_equal(signals.suspicion, 0)


def test_copies_speak_for_the_label_that_they_are_given_most_often():
    features, given, _ = circle()
    rows = np.append(np.arange(120), [1, 1])
    labels = given[rows].copy()
    labels[1] = (labels[120] + 1) % 3
    groups = np.append(np.arange(120), [1, 1])
    data = replace(dataset_of(labels, 3), groups=groups)
    signals = knn.fit(data, knn.Config(), LocalContext(features=features[rows]))
    once = run(features, given, 3)
    others = np.delete(np.arange(120), 1)
    np.testing.assert_allclose(signals.suspicion[others], once.suspicion[others], atol=0.02)
