"""What every method promises, over every method that is found."""

import dataclasses

import numpy as np
import pytest

from lnl_core.jobs.context import LocalContext
from lnl_core.methods import METHODS
from lnl_core.types import DENSE_CLASSES, Cancelled, LabeledDataset, Method, TopProbs

EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
PRESETS = ("quick", "standard", "paper")


def pictures(n=36, size=8, channels=1, k=3, **more):
    """Images whose class is where a bright bar lies; one label in nine is wrong."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % k
    images = rng.integers(0, 60, (n, size, size, channels), dtype=np.uint8)
    for row, label in enumerate(truth):
        at = int(label * size / k)
        images[row, at : at + max(1, size // k)] += 150
    given = truth.copy()
    given[::9] = (given[::9] + 1) % k
    names = tuple(f"class {i}" for i in range(k))
    return LabeledDataset("pictures", names, given, [str(i) for i in range(n)], images, **more)


def features(dataset):
    flat = dataset.images.reshape(len(dataset), -1).astype(np.float32)
    return (flat - flat.mean(0)) / (flat.std(0) + 1)


def maps(dataset):
    """Images of 4 x 4 places and their negatives, as a frozen network's last maps would lie."""
    step = max(1, dataset.images.shape[1] // 4)
    places = dataset.images[:, ::step, ::step][:, :4, :4].transpose(0, 3, 1, 2) / 255
    return np.concatenate([places, 1 - places], axis=1).astype(np.float16)


def inputs(dataset):
    return {"features": features(dataset), "maps": maps(dataset)}


def small(method: Method, dataset):
    """Its quick preset, cut to what takes no time."""
    n, k, size = len(dataset), len(dataset.class_names), max(dataset.images.shape[1:3])
    config = method.config.preset("quick", n, k, size)
    cuts = {"epochs": 2, "batch_size": 16, "warm_up": 1, "backbone": "resnet8"}
    cuts |= {"folds": 2, "iterations": 5}
    known = {field.name for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **{key: cuts[key] for key in cuts if key in known})


def run(method, dataset, context=None):
    context = context or LocalContext(seed=3, **inputs(dataset))
    return method.fit(dataset, small(method, dataset), context)


def check(signals, method, n, k):
    assert signals.method == method.key
    assert signals.suspicion.shape == (n,)
    assert np.isfinite(signals.suspicion).all()
    assert 0 <= signals.suspicion.min() <= signals.suspicion.max() <= 1
    probs = signals.pred_probs
    if isinstance(probs, np.ndarray):
        assert probs.shape == (n, k)
        np.testing.assert_allclose(probs.sum(1), 1, atol=1e-3)
    for name, curve in signals.curves.items():
        assert np.isfinite(np.asarray(curve, np.float32)).all(), name
        assert curve.ndim == 1 or curve.shape[1] == n, name
    if signals.features is not None:
        assert len(signals.features) == n


def equal(first, second):
    np.testing.assert_array_equal(first.suspicion, second.suspicion)
    if isinstance(first.pred_probs, np.ndarray):
        np.testing.assert_array_equal(first.pred_probs, second.pred_probs)
    assert first.curves.keys() == second.curves.keys()
    for name, curve in first.curves.items():
        np.testing.assert_array_equal(curve, second.curves[name])
    for name, extra in first.extras.items():
        np.testing.assert_array_equal(extra, second.extras[name])


def test_methods_are_found_in_order():
    assert list(METHODS)[:2] == ["sr", "jump"]
    assert {"probe", "ce", "knn"} <= METHODS.keys()
    assert all(key == method.key for key, method in METHODS.items())


@EVERY
def test_knobs_explain_themselves_and_presets_exist(method):
    for field in dataclasses.fields(method.config):
        assert field.metadata.get("help"), field.name
        assert isinstance(field.default, bool | int | float | str), field.name
    for preset in PRESETS:
        for n, k, size in ((1797, 10, 8), (8000, 10, 32), (300, 2, 224), (50_000, 1000, 64)):
            config = method.config.preset(preset, n, k, size)
            if method.cost is not None:
                seconds, held = method.cost(n, size, config)
                assert 0 < seconds < 1e9
                assert 0 < held < 1e13


@EVERY
@pytest.mark.parametrize(
    ("n", "size", "channels", "k"),
    [(36, 8, 1, 3), (26, 20, 3, 2), (5, 8, 1, 2), (2, 8, 3, 2), (1, 8, 1, 2), (20, 8, 1, 1)],
    ids=["gray", "colour", "five images", "two images", "one image", "one class"],
)
def test_signals_have_the_promised_shapes(method, n, size, channels, k):
    dataset = pictures(n, size, channels, k)
    check(run(method, dataset), method, n, k)


@EVERY
def test_same_seed_same_signals(method):
    equal(run(method, pictures()), run(method, pictures()))


@EVERY
def test_true_labels_are_never_looked_at(method):
    blind = run(method, pictures())
    told = run(method, pictures(true_labels=np.zeros(36, np.int64)))
    equal(blind, told)


@EVERY
def test_confirmed_labels_are_taken(method):
    trusted = np.arange(36) % 4 == 0
    dataset = pictures(trusted=trusted)
    check(run(method, dataset), method, 36, 3)


@EVERY
def test_cancel_stops_it(method):
    def stop(stage, fraction, metrics):
        raise Cancelled

    dataset = pictures()
    with pytest.raises(Cancelled):
        run(method, dataset, LocalContext(**inputs(dataset), on_report=stop))


class Killed(Exception):
    pass


@EVERY
def test_killed_after_a_checkpoint_it_ends_as_if_undisturbed(method, tmp_path):
    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    dataset = pictures()
    whole = run(method, dataset)
    path = tmp_path / "checkpoint.safetensors"
    for kind in (Fragile, Fragile, Fragile, Fragile, LocalContext):
        context = kind(seed=3, **inputs(dataset), checkpoint=path)
        try:
            resumed = run(method, dataset, context)
        except Killed:
            continue
        break
    equal(whole, resumed)


@EVERY
def test_very_many_classes_give_the_best_ones_only(method):
    k = DENSE_CLASSES + 20
    dataset = pictures(n=2 * k, k=k)
    signals = run(method, dataset)
    check(signals, method, 2 * k, k)
    if signals.pred_probs is not None:
        assert isinstance(signals.pred_probs, TopProbs)
        assert signals.pred_probs.class_count == k
        np.testing.assert_allclose(signals.pred_probs.dense(slice(0, 9)).sum(1), 1, atol=1e-3)
