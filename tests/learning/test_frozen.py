"""Heads on frozen features: the same methods, rows of numbers in the place of images."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import torch

from lnl_core.jobs.context import LocalContext
from lnl_core.learning.frozen import FeatureSource, blank
from lnl_core.learning.images import ImageSource
from lnl_core.methods import METHODS
from lnl_core.types import Cancelled, LabeledDataset

HEADS = [key for key, method in METHODS.items() if key in ("sr", "jump", "ce")]


def blobs(n=400, k=4, d=24, noise=0.2, seed=0):
    """Gaussian classes whose images say nothing; a fifth of the labels is moved on by one."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % k
    features = rng.normal(size=(k, d))[true] * 1.2 + rng.normal(size=(n, d))
    given = true.copy()
    moved = rng.permutation(n)[: int(noise * n)]
    given[moved] = (given[moved] + 1) % k
    dataset = LabeledDataset(
        "blobs",
        tuple(f"class {i}" for i in range(k)),
        given,
        [str(i) for i in range(n)],
        np.zeros((n, 4, 4, 1), np.uint8),
    )
    return dataset, features.astype(np.float32), given != true


def test_rows_are_standardised_and_a_dead_feature_stays_dead():
    rng = np.random.default_rng(0)
    features = (rng.normal(size=(300, 5)) * [1, 10, 0.1, 5, 0] + 7).astype(np.float32)
    rows = FeatureSource(features, torch.device("cpu")).batch(torch.arange(300))
    np.testing.assert_allclose(rows[:, :4].mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(rows[:, :4].std(0, correction=0), 1, atol=1e-3)
    assert float(rows[:, 4].abs().max()) < 0.1


@pytest.mark.parametrize("n", [1999, 3900, 4001])
def test_sets_sorted_by_class_are_standardised_by_all_of_their_classes(n):
    """So does every folder import come; 3,900 images had been judged by the first half."""
    late = (np.arange(n) >= n // 2)[:, None, None, None]
    images = np.where(late, 230, 20).astype(np.uint8) * np.ones((n, 2, 2, 3), np.uint8)
    dataset = LabeledDataset("sorted", ("a", "b"), late.reshape(-1).astype(int), range(n), images)
    source = ImageSource(dataset, torch.device("cpu"))
    np.testing.assert_allclose(source.mean, images.mean() / 255, atol=0.01)
    np.testing.assert_allclose(source.std, images.std() / 255, atol=0.01)


@pytest.mark.parametrize("n", [19_999, 39_000, 40_001])
def test_rows_sorted_by_class_are_standardised_by_all_of_their_classes(n):
    rows = np.arange(n)[:, None] * np.ones((1, 2)) // (n // 2 + 1) * 10.0
    rows = FeatureSource(rows.astype(np.float32), torch.device("cpu")).batch(torch.arange(n))
    np.testing.assert_allclose(rows.mean(0), 0, atol=0.01)
    np.testing.assert_allclose(rows.std(0, correction=0), 1, atol=0.01)


def test_opening_rows_takes_little_beside_what_it_keeps(tmp_path):
    """The sample that they are standardised by had been held as float64, whole."""
    n, d = 12_000, 400
    np.save(tmp_path / "f.npy", np.random.default_rng(0).normal(size=(n, d)).astype(np.float16))
    features = np.load(tmp_path / "f.npy", mmap_mode="r")
    tracemalloc.start()
    try:
        FeatureSource(features, torch.device("cpu"))
        assert tracemalloc.get_traced_memory()[1] < 1.3 * 4 * n * d
    finally:
        tracemalloc.stop()


def test_rows_come_the_same_from_the_disk(tmp_path, monkeypatch):
    features = np.random.default_rng(1).normal(size=(50, 6)).astype(np.float16)
    np.save(tmp_path / "f.npy", features)
    near = FeatureSource(features, torch.device("cpu"))
    monkeypatch.setattr("lnl_core.learning.images.free_bytes", lambda device: 0)
    far = FeatureSource(np.load(tmp_path / "f.npy", mmap_mode="r"), torch.device("cpu"))
    assert far._resident is None
    rows = torch.tensor([4, 49, 0, 4])
    assert torch.equal(near.batch(rows), far.batch(rows))


def test_blanked_rows_keep_their_mean():
    generator = torch.Generator().manual_seed(0)
    seen = blank(torch.ones(400, 50), 0.4, generator)
    assert set(seen.unique().tolist()) == {0.0, float(torch.tensor(1 / 0.6))}
    assert abs(float(seen.mean()) - 1) < 0.02


@pytest.mark.parametrize("key", HEADS)
def test_a_head_finds_wrong_labels_that_the_pixels_cannot_show(key):
    from lnl_core.review.metrics import auroc

    dataset, features, wrong = blobs()
    config = METHODS[key].config.on_features("quick", 400, 4)
    context = LocalContext(features=features, representation="pretrained")
    signals = METHODS[key].fit(dataset, config, context)
    assert auroc(wrong, signals.suspicion) > 0.9
    assert not context.kept  # a head is no network of images


@pytest.mark.parametrize("key", HEADS)
def test_a_head_resumes_to_the_last_bit(key, tmp_path):
    dataset, features, _ = blobs(n=160)
    config = dataclasses.replace(METHODS[key].config.on_features("quick", 160, 4), epochs=4)
    if key == "jump":
        config = dataclasses.replace(config, warm_up=2, score_epochs=2)
    common = {"features": features, "representation": "pretrained", "seed": 3}
    whole = METHODS[key].fit(dataset, config, LocalContext(**common))

    def stop(stage, fraction, metrics):
        if metrics.get("epoch", 0) >= 3:
            raise Cancelled

    file = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Cancelled):
        METHODS[key].fit(dataset, config, LocalContext(checkpoint=file, on_report=stop, **common))
    assert file.is_file()
    resumed = METHODS[key].fit(dataset, config, LocalContext(checkpoint=file, **common))
    np.testing.assert_array_equal(resumed.suspicion, whole.suspicion)
    np.testing.assert_array_equal(resumed.pred_probs, whole.pred_probs)
