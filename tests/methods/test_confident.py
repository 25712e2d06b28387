"""Confident learning: nothing predicts its own label, and cleanlab has the last word."""

import dataclasses
import sys

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import confident
from lnl_core.types import LabeledDataset, LnlError, TopProbs


def blobs(n=400, k=4, d=12, noise=0.2, seed=0, spread=8.0):
    rng = np.random.default_rng(seed)
    true = np.arange(n) % k
    centres = rng.normal(size=(k, d)) * spread / np.sqrt(d)
    features = (centres[true] + rng.normal(size=(n, d))).astype(np.float32)
    given = true.copy()
    wrong = rng.permutation(n)[: int(noise * n)]
    given[wrong] = (true[wrong] + rng.integers(1, k, len(wrong))) % k
    return features, given, true


def dataset_of(given, k, images=None):
    n = len(given)
    images = np.zeros((n, 8, 8, 1), np.uint8) if images is None else images
    return LabeledDataset("b", tuple(map(str, range(k))), given, list(map(str, range(n))), images)


def on_features(features, given, k, **knobs):
    context = LocalContext(features=features)
    return confident.fit(dataset_of(given, k), confident.Config(**knobs), context)


def bars(n=120, k=3, wrong=20, seed=0):
    """Images of one bright bar whose place is the class; the first `wrong` labels are not it."""
    rng = np.random.default_rng(seed)
    true = np.arange(n) % k
    images = rng.integers(0, 60, (n, 8, 8, 1)).astype(np.uint8)
    for i, label in enumerate(true):
        images[i, 2 * label : 2 * label + 2] += 150
    given = true.copy()
    given[:wrong] = (true[:wrong] + 1) % k
    return dataset_of(given, k, images), true


PIXELS = confident.Config(
    learn_on="pixels", folds=3, backbone="resnet8", epochs=4, batch_size=16, ema_decay=0.0,
    lr=0.05, record_from=0.5,
)  # fmt: skip


def test_wrong_labels_are_found_and_listed():
    features, given, true = blobs()
    signals = on_features(features, given, 4)
    wrong = given != true
    assert roc_auc_score(wrong, signals.suspicion) > 0.99
    issues = signals.extras["issues"].astype(bool)
    assert (issues & wrong).sum() / issues.sum() > 0.95
    assert (issues & wrong).sum() / wrong.sum() > 0.85


@pytest.mark.parametrize("score", confident.SCORES)
def test_suspicion_is_what_cleanlab_says_of_the_same_probabilities(score):
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_scores

    features, given, _ = blobs(spread=3)
    signals = on_features(features, given, 4, score=score)
    probs = signals.pred_probs.astype(np.float64)
    expected = get_label_quality_scores(given, probs, method=score)
    np.testing.assert_allclose(signals.suspicion, 1 - expected, atol=1e-5)
    listed = find_label_issues(given, probs, n_jobs=1)
    assert (signals.extras["issues"].astype(bool) != listed).sum() <= 2  # rounding at the border


def test_no_row_helps_to_predict_itself():
    """More features than rows and no information: an in-sample fit would be sure of itself."""
    rng = np.random.default_rng(0)
    given = np.arange(120) % 3
    signals = on_features(rng.normal(size=(120, 200)).astype(np.float32), given, 3)
    assert abs((1 - signals.suspicion).mean() - 1 / 3) < 0.08


def test_a_network_never_sees_the_rows_that_it_judges(monkeypatch):
    dataset, _ = bars()
    seen = []
    from lnl_core.learning import training

    forward, record = training.Session.forward, training.ProbabilityRecorder.add

    def batches(self, epoch, *, whole=training.Session.batches):
        for batch in whole(self, epoch):
            self.now = batch
            yield batch

    def watch(self, images, rows):
        keep = [any(torch.equal(image, one) for one in images) for image in self.now.images]
        seen[-1][0].update(self.now.rows[torch.tensor(keep)].tolist())
        return forward(self, images, rows)

    def judged(self, rows, probs, *rest, **more):
        seen[-1][1].update(rows.tolist())
        return record(self, rows, probs, *rest, **more)

    def prepare(self, *, whole=training.Session._prepare):
        seen.append((set(), set()))
        whole(self)

    monkeypatch.setattr(training.Session, "_prepare", prepare)
    monkeypatch.setattr(training.Session, "batches", batches)
    monkeypatch.setattr(training.Session, "forward", watch)
    monkeypatch.setattr(training.ProbabilityRecorder, "add", judged)
    signals = confident.fit(dataset, PIXELS, LocalContext())
    assert len(seen) == 3
    for j, (learned, told) in enumerate(seen):
        assert told == set(np.flatnonzero(signals.extras["fold"] == j).tolist())
        assert learned == set(range(120)) - told


def test_pixels_find_wrong_labels_and_cost_adds_up():
    dataset, true = bars()
    config = dataclasses.replace(PIXELS, epochs=8)
    signals = confident.fit(dataset, config, LocalContext())
    wrong = true != dataset.given_labels
    assert roc_auc_score(wrong, signals.suspicion) > 0.95
    assert signals.cost["images"] > 3 * 8 * 120 * 2 / 3
    assert signals.pred_probs.shape == (120, 3)


class Killed(Exception):
    pass


def test_killed_in_any_fold_it_ends_as_if_undisturbed(tmp_path):
    dataset, _ = bars(n=60)
    config = dataclasses.replace(PIXELS, epochs=2)
    whole = confident.fit(dataset, config, LocalContext(seed=5))
    path = tmp_path / "checkpoint.safetensors"

    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    deaths = 0
    while True:
        try:
            context = (Fragile if deaths < 6 else LocalContext)(seed=5, checkpoint=path)
            resumed = confident.fit(dataset, config, context)
            break
        except Killed:
            deaths += 1
    assert deaths == 6  # three folds of two epochs
    np.testing.assert_array_equal(resumed.suspicion, whole.suspicion)
    np.testing.assert_array_equal(resumed.pred_probs, whole.pred_probs)
    assert resumed.cost["images"] == whole.cost["images"]


def test_very_many_classes_on_pixels_keep_the_best_only():
    dataset = dataset_of(np.arange(240) % 120, 120)
    config = dataclasses.replace(PIXELS, epochs=1, folds=2)
    signals = confident.fit(dataset, config, LocalContext())
    assert isinstance(signals.pred_probs, TopProbs)
    assert signals.pred_probs.classes.shape == (240, 10)


def test_unused_classes_and_a_single_row_of_one_are_no_trouble():
    features, given, _ = blobs(n=60, k=3)
    given[0] = 4
    signals = on_features(features, given, 6)
    assert signals.pred_probs.shape == (60, 6)
    np.testing.assert_allclose(signals.pred_probs.sum(1), 1, atol=1e-4)


def test_without_cleanlab_the_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab", None)
    features, given, _ = blobs(n=40)
    with pytest.raises(LnlError, match=r"pip install \"lnl-review\[baselines\]\""):
        on_features(features, given, 4)


@pytest.mark.parametrize(
    "knobs", [{"learn_on": "text"}, {"folds": 1}, {"score": "x"}, {"filter_by": "x"}]
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        confident.Config(**knobs)


def test_paper_cross_validates_pixels_and_the_others_features():
    places = [confident.Config.preset(p, 8000, 10, 32).learn_on for p in ("quick", "paper")]
    assert places == ["features", "pixels"]
