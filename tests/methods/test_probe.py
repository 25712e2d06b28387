from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import _out_of_fold, _standardised, probe
from lnl_core.review import consensus
from lnl_core.types import REFUSED, Cancelled, LabeledDataset, TopProbs


def blobs(n=400, k=4, d=12, noise=0.2, seed=0, spread=4.0):
    rng = np.random.default_rng(seed)
    true = np.arange(n) % k
    centres = rng.normal(size=(k, d)) * spread / np.sqrt(d)
    features = (centres[true] + rng.normal(size=(n, d))).astype(np.float32)
    given = true.copy()
    wrong = rng.permutation(n)[: int(noise * n)]
    given[wrong] = (true[wrong] + rng.integers(1, k, len(wrong))) % k
    return features, given, true


def dataset_of(given, k):
    n = len(given)
    images = np.zeros((n, 8, 8, 1), dtype=np.uint8)
    return LabeledDataset(
        "blobs", tuple(map(str, range(k))), given, list(map(str, range(n))), images
    )


def run(features, given, k, seed=0, **knobs):
    context = LocalContext(features=features, seed=seed)
    return probe.fit(dataset_of(given, k), probe.Config(**knobs), context)


@pytest.mark.parametrize("logistic", [True, False])
def test_wrong_labels_rank_first(logistic):
    features, given, true = blobs(spread=8)
    signals = run(features, given, 4, logistic=logistic)
    wrong = given != true
    first = np.argsort(-signals.suspicion, kind="stable")[: wrong.sum()]
    assert wrong[first].mean() > 0.9
    other = signals.pred_probs.copy()
    other[np.arange(len(given)), given] = 0
    assert (other.argmax(axis=1) == true)[wrong].mean() > 0.95


def test_no_row_helps_to_predict_itself():
    """On features without any information an in-sample fit would look confident: d > n here."""
    rng = np.random.default_rng(0)
    given = np.arange(120) % 3
    signals = run(rng.normal(size=(120, 200)).astype(np.float32), given, 3)
    p_given = 1 - signals.suspicion
    assert abs(p_given.mean() - 1 / 3) < 0.08


def test_heads_that_were_taught_a_label_say_which_ones_they_refuse():
    features, given, true = blobs(spread=8)
    refused = run(features, given, 4).extras[REFUSED]
    assert refused.shape == (400,)
    assert refused.dtype == bool
    wrong = given != true
    assert refused[wrong].mean() > 0.95
    assert refused[~wrong].mean() < 0.02


def test_refusals_hardly_count_where_doubt_tells_how_many_labels_are_wrong():
    features, given, true = blobs(n=1_500, spread=3.5)
    signals = run(features, given, 4)
    assert signals.extras[REFUSED].mean() > 0.23, "vague images are refused, too"
    told = consensus.rank([signals], given, 4).noise_rate
    plain = consensus.rank([replace(signals, extras={})], given, 4).noise_rate
    assert told == pytest.approx(plain, abs=0.005)
    assert told == pytest.approx((given != true).mean(), rel=0.2)


def test_few_images_of_many_features_are_learned_by_heart_and_nothing_is_refused():
    rng = np.random.default_rng(0)
    given = np.arange(120) % 3
    signals = run(rng.normal(size=(120, 400)).astype(np.float32), given, 3)
    assert not signals.extras[REFUSED].any()
    assert signals.suspicion.mean() > 0.5, "out of fold nothing can be told"


def test_the_gaussian_head_is_the_closed_form_without_the_fold():
    features, given, _ = blobs(n=90, k=3, d=5)
    fold = _out_of_fold.folds(given, 3, 0)
    inputs = _standardised.Inputs(features)
    weights, offsets = _out_of_fold.Moments(inputs, given, fold, 3).gaussian_heads(0.4)[1]
    x = inputs.rows(np.flatnonzero(fold != 1)).astype(np.float64)
    y = given[fold != 1]
    sizes, middle = np.bincount(y), x.mean(axis=0)
    means = np.stack([x[y == c].mean(axis=0) for c in range(3)]) - middle
    within = (x - middle - means[y]).T @ (x - middle - means[y]) / len(x)
    level = np.trace(within) / 5
    shrunk = 0.6 * within + (0.4 + 1e-4) * level * np.eye(5)
    far = np.einsum("kd,dk->k", means, np.linalg.solve(shrunk, means.T))
    noise = np.trace(np.linalg.solve(shrunk, within)) / sizes
    true = np.maximum(far - noise, 0).mean()
    kept = true / (true + noise)  # James and Stein: of the distance of each mean
    np.testing.assert_allclose(
        weights, np.linalg.solve(shrunk, means.T) * kept, rtol=2e-3, atol=2e-2
    )
    prior = np.log((sizes + 0.1) / (len(y) + 0.3))
    expected = prior - middle @ weights - 0.5 * kept**2 * far
    np.testing.assert_allclose(offsets, expected, rtol=2e-3, atol=3e-2)


@pytest.mark.parametrize("n", [30, 90, 180])
@pytest.mark.parametrize(("head", "close"), [("gaussian", 3e-4), ("logistic", 1e-3)])
def test_rows_turned_into_their_span_get_the_same_probabilities(n, head, close):
    features, given, _ = blobs(n=n, k=3, d=90)
    fold = _out_of_fold.folds(given, 3, 0)
    found = []
    for turned in (False, True):
        inputs = _standardised.Inputs(features, turned=turned)
        if head == "gaussian":
            heads = _out_of_fold.Moments(inputs, given, fold, 3).gaussian_heads(0.4)
        else:
            heads = _out_of_fold.logistic_heads(
                inputs,
                given,
                fold,
                3,
                l2=0.1,
                iterations=300,
                device="cpu",
                report=lambda share: None,
            )
        logits = _out_of_fold._logits(inputs.rows(slice(None)), fold, heads)
        seen = np.arange(3)
        _, probs = _out_of_fold.pooled(inputs, given, fold, [heads], seen, 3)
        found.append((inputs.d, logits - logits.mean(axis=1, keepdims=True), probs))
    (wide, logits, probs), (narrow, same_logits, same_probs) = found
    assert (wide, narrow) == (90, min(n, 90))
    np.testing.assert_allclose(same_logits, logits, atol=close)
    np.testing.assert_allclose(same_probs, probs, atol=close)


def test_few_rows_are_turned_and_many_are_not():
    features = np.random.default_rng(0).normal(size=(100, 64)).astype(np.float32)
    assert _standardised.Inputs(features[:32]).d == 32
    assert _standardised.Inputs(features[:33]).d == 64


def test_a_rare_class_is_not_called_wrong_for_the_noise_of_its_mean():
    """Few images in many dimensions: their mean lies far out, and nothing comes near it."""
    rng = np.random.default_rng(0)
    given = np.repeat([0, 1, 2], [300, 300, 8])
    centres = 2.2 * rng.normal(size=(3, 60)) / np.sqrt(60) * 2
    features = (centres[given] + rng.normal(size=(608, 60))).astype(np.float32)
    signals = run(features, given, 3, logistic=False)
    best = signals.pred_probs / np.bincount(given)  # how common a class is set aside
    assert (best.argmax(axis=1) == given)[given == 2].mean() > 0.5


def test_leading_axes_keep_what_varies_most():
    rng = np.random.default_rng(0)
    hidden = rng.normal(size=(400, 6))
    features = (hidden @ rng.normal(size=(6, 90)) + 0.01 * rng.normal(size=(400, 90))).astype(
        np.float16
    )
    mean, scale = _standardised.standard(features)
    axes = _standardised.leading_axes(features, 6)
    assert axes.shape == (400, 6)
    x = (features.astype(np.float32) - mean) * scale
    np.testing.assert_allclose(axes @ axes.T, x @ x.T, atol=0.02)
    assert (np.diff(axes.std(axis=0)) <= 0).all()
    assert _standardised.leading_axes(features[:4], 50).shape[1] <= 4
    assert _standardised.leading_axes(np.ones((9, 5), np.float32), 3).shape == (9, 1)


def test_folds_are_even_within_every_class():
    labels = np.repeat(np.arange(5), [1, 3, 10, 50, 101])
    fold = _out_of_fold.folds(labels, 5, 0)
    assert np.ptp(np.bincount(fold)) <= 1
    for c in range(5):
        assert np.ptp(np.bincount(fold[labels == c], minlength=5)) <= 1


@pytest.mark.parametrize("sizes", [(1, 1), (1, 30), (2, 1, 40), (3, 0, 3), (5,), (1,), (4, 0)])
def test_tiny_and_empty_classes_give_signals_all_the_same(sizes):
    given = np.repeat(np.arange(len(sizes)), sizes)
    rng = np.random.default_rng(1)
    features = (rng.normal(size=(len(given), 6)) + given[:, None]).astype(np.float32)
    signals = run(features, given, len(sizes))
    assert np.isfinite(signals.suspicion).all()
    np.testing.assert_allclose(signals.pred_probs.sum(axis=1), 1, atol=1e-5)


def test_constant_features_say_nothing():
    given = np.repeat([0, 1], [30, 10])
    signals = run(np.ones((40, 4), dtype=np.float32), given, 2)
    np.testing.assert_allclose(signals.suspicion[:30], 0.25, atol=0.02)


def test_many_classes_keep_the_top_only():
    features, given, true = blobs(n=1200, k=150, d=40, spread=15)
    signals = run(features, given, 150)
    assert isinstance(signals.pred_probs, TopProbs)
    assert signals.pred_probs.classes.shape == (1200, 10)
    assert (np.diff(signals.pred_probs.probs, axis=1) <= 1e-6).all()
    assert (signals.pred_probs.classes[:, 0] == true).mean() > 0.75


def test_the_closed_form_alone_serves_large_sets(monkeypatch):
    monkeypatch.setattr(_out_of_fold, "LOGISTIC_WORK", 10)
    features, given, true = blobs(spread=8)
    large = run(features, given, 4)
    plain = run(features, given, 4, logistic=False)
    np.testing.assert_array_equal(large.suspicion, plain.suspicion)
    assert (large.pred_probs.argmax(axis=1) == true).mean() > 0.95


def test_same_seed_same_signals_and_another_seed_other_folds():
    features, given, _ = blobs()
    first, second, third = (run(features, given, 4, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.suspicion, second.suspicion)
    assert not np.array_equal(first.suspicion, third.suspicion)


def test_stop_is_heard():
    features, given, _ = blobs()

    def stop(stage, fraction, metrics):
        raise Cancelled

    with pytest.raises(Cancelled):
        probe.fit(
            dataset_of(given, 4), probe.Config(), LocalContext(features=features, on_report=stop)
        )


def test_copies_come_into_one_fold_and_others_are_dealt_as_before():
    labels = np.arange(60) % 3
    groups = np.arange(60)
    groups[[9, 21, 33, 45]] = 9
    fold = _out_of_fold.folds(labels, 5, 0, groups)
    assert len(set(fold[groups == 9])) == 1
    assert np.bincount(fold).min() >= 10
    once = np.unique(groups)
    np.testing.assert_array_equal(fold[once], _out_of_fold.folds(labels[once], 5, 0))
    plain = _out_of_fold.folds(labels, 5, 0)
    np.testing.assert_array_equal(_out_of_fold.folds(labels, 5, 0, np.arange(60)), plain)
    np.testing.assert_array_equal(_out_of_fold.folds(labels, 5, 0, np.zeros(60, int)), plain)
