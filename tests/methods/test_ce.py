"""Plain cross-entropy: it ranks injected errors first, and its scores are what they say."""

import dataclasses

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score, roc_auc_score

from lnl_core.jobs.context import LocalContext
from lnl_core.methods.ce import METHOD, Config
from lnl_core.types import LabeledDataset


def digits(n, rate, seed=0):
    """Real digits with `rate` of the labels moved to another class; (dataset, truth)."""
    found = load_digits()
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(found.target))[:n]
    truth, images = found.target[rows], (found.images[rows] * 15).astype(np.uint8)[..., None]
    given = truth.copy()
    wrong = rng.random(n) < rate
    given[wrong] = (given[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    names = tuple("0123456789")
    return LabeledDataset("digits", names, given, [str(i) for i in range(n)], images), truth


@pytest.fixture(scope="module")
def run():
    dataset, truth = digits(600, 0.15)
    config = dataclasses.replace(Config.preset("quick", 600, 10, 8), epochs=12)
    return dataset, truth, config, METHOD.fit(dataset, config, LocalContext())


def test_it_finds_injected_errors(run):
    dataset, truth, _, signals = run
    wrong = truth != dataset.given_labels
    assert roc_auc_score(wrong, signals.suspicion) > 0.97
    assert average_precision_score(wrong, signals.suspicion) > 0.9
    assert (signals.pred_probs.argmax(1) == truth)[wrong].mean() > 0.85
    assert signals.extras["noise_rate"][0] == pytest.approx(wrong.mean(), abs=0.05)


def test_scores_are_what_they_say(run):
    dataset, _, config, signals = run
    n, epochs = len(dataset), config.epochs
    curves = signals.curves
    assert curves["p_given"].shape == curves["loss"].shape == (epochs, n)
    assert curves["probs"].shape == (epochs, n, 10)
    late = curves["probs"][int(epochs * config.record_from) :].astype(np.float64)
    p_given = late[:, np.arange(n), dataset.given_labels]
    np.testing.assert_allclose(1 - signals.suspicion, p_given.mean(0), atol=2e-3)
    np.testing.assert_allclose(signals.pred_probs, late.mean(0), atol=2e-3)
    loss = curves["loss"][int(epochs * config.record_from) :].astype(np.float64).mean(0)
    np.testing.assert_allclose(signals.extras["mean_loss"], loss, rtol=1e-2, atol=1e-3)
    assert curves["train_loss"][-1] < curves["train_loss"][0]


def test_ranking_by_loss_orders_by_mean_loss():
    dataset, _ = digits(200, 0.1)
    config = Config(score="loss", epochs=2, backbone="resnet8", batch_size=32)
    signals = METHOD.fit(dataset, config, LocalContext())
    order = np.argsort(signals.suspicion, kind="stable")
    assert (np.diff(signals.extras["mean_loss"][order]) >= 0).all()
    assert signals.suspicion.min() == 0
    assert signals.suspicion.max() > 0.98  # images of equal loss share a rank


@pytest.mark.parametrize(
    "knobs",
    [{"score": "vibes"}, {"backbone": "lenet"}, {"flip": "up"}, {"epochs": 0}, {"batch_size": 1}],
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Config(**knobs)
