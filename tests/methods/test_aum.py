"""Area under the margin: the statistic by hand, threshold samples, real digits."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import aum
from lnl_core.types import LabeledDataset


def digits(n=900, rate=0.2, seed=0):
    found = load_digits()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(found.target))[:n]
    truth, images = found.target[rows], (found.images[rows] * 15).astype(np.uint8)[..., None]
    given = truth.copy()
    wrong = rng.permutation(n)[: round(rate * n)]
    given[wrong] = (truth[wrong] + rng.integers(1, 10, len(wrong))) % 10
    names = tuple(map(str, range(10)))
    return LabeledDataset("d", names, given, list(map(str, range(n))), images), truth


SMALL = aum.Config(
    thresholds=False, backbone="mlp", epochs=10, batch_size=64, lr=0.1, schedule="one_cycle",
    clip=5.0, shift=0,
)  # fmt: skip


def test_margins_by_hand():
    logits = torch.tensor([[2.0, 5.0, 1.0], [0.0, -1.0, -3.0], [1.0, 1.0, 0.0]])
    found = aum.margins(logits, torch.tensor([1, 2, 0]))
    assert found.tolist() == [3.0, -3.0, 0.0]


def test_the_area_is_the_mean_over_the_training_passes(monkeypatch):
    dataset, _ = digits(n=80)
    rows, said = [], []
    from lnl_core.learning import training

    batches = training.Session.batches

    def watch(self, epoch):
        for batch in batches(self, epoch):
            rows.append((epoch, batch.rows, batch.labels))
            yield batch

    forward = training.Session.forward

    def keep(self, images, rows):
        logits = forward(self, images, rows)
        said.append(logits.detach().clone())
        return logits

    monkeypatch.setattr(training.Session, "batches", watch)
    monkeypatch.setattr(training.Session, "forward", keep)
    config = dataclasses.replace(SMALL, epochs=4, until=0.5)
    signals = aum.fit(dataset, config, LocalContext())
    total = np.zeros(80)
    for (epoch, batch, labels), logits in zip(rows, said, strict=True):
        if epoch >= 2:  # until = half of four epochs
            continue
        for row, label, z in zip(batch.tolist(), labels.tolist(), logits.numpy(), strict=True):
            total[row] += z[label] - np.delete(z, label).max()
    np.testing.assert_allclose(signals.extras["aum"], total / 2, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(signals.suspicion, 1 / (1 + np.exp(total / 2)), atol=1e-4)


def test_wrong_labels_of_real_digits_rank_first():
    dataset, truth = digits()
    signals = aum.fit(dataset, SMALL, LocalContext())
    wrong = truth != dataset.given_labels
    assert roc_auc_score(wrong, signals.suspicion) > 0.97
    assert signals.extras["border"] == 0
    assert signals.curves["p_given"].shape == (10, 900)


def test_threshold_sets_are_disjoint_and_as_large_as_a_class():
    first, second = aum.threshold_sets(1100, 10, 3)
    assert first.sum() == second.sum() == 100
    assert not (first & second).any()
    assert all(s.sum() == 1 for s in aum.threshold_sets(2, 10, 0))
    assert not np.array_equal(first, aum.threshold_sets(1100, 10, 4)[0])


def test_threshold_samples_draw_the_border_between_right_and_wrong():
    dataset, truth = digits()
    config = dataclasses.replace(SMALL, thresholds=True)
    signals = aum.fit(dataset, config, LocalContext())
    wrong = truth != dataset.given_labels
    assert roc_auc_score(wrong, signals.suspicion) > 0.96
    above = signals.suspicion > 0.5
    border = signals.extras["border"][0]
    np.testing.assert_array_equal(above, signals.extras["aum"] < border)
    assert (above & wrong).sum() / wrong.sum() > 0.95
    assert (above & ~wrong).sum() / (~wrong).sum() < 0.3
    # no row is judged by the run that taught it the class that does not exist: taught so, its own
    # label would trail far behind
    taught = aum.threshold_sets(900, 10, 0)
    for rows in taught:
        assert np.median(signals.extras["aum"][rows & ~wrong]) > border


class Killed(Exception):
    pass


def test_killed_in_either_run_it_ends_as_if_undisturbed(tmp_path):
    dataset, _ = digits(n=100)
    config = dataclasses.replace(SMALL, thresholds=True, epochs=2)
    whole = aum.fit(dataset, config, LocalContext(seed=2))
    path = tmp_path / "checkpoint.safetensors"

    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    for _ in range(4):
        with pytest.raises(Killed):
            aum.fit(dataset, config, Fragile(seed=2, checkpoint=path))
    resumed = aum.fit(dataset, config, LocalContext(seed=2, checkpoint=path))
    np.testing.assert_array_equal(resumed.suspicion, whole.suspicion)
    np.testing.assert_array_equal(resumed.extras["border"], whole.extras["border"])
    np.testing.assert_array_equal(resumed.pred_probs, whole.pred_probs)
    assert resumed.cost["images"] == whole.cost["images"]


def test_a_head_on_frozen_features():
    dataset, truth = digits(n=600)
    flat = dataset.images.reshape(600, -1).astype(np.float32) / 240
    config = aum.Config.on_features("quick", 600, 10)
    context = LocalContext(features=flat, representation="raw")
    signals = aum.fit(dataset, config, context)
    assert roc_auc_score(truth != dataset.given_labels, signals.suspicion) > 0.95


@pytest.mark.parametrize("knobs", [{"backbone": "vgg"}, {"until": 0.0}, {"epochs": 0}])
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        aum.Config(**knobs)
