"""What every method promises, over every method that is found."""

import dataclasses
import functools
import re
from collections.abc import Mapping

import numpy as np
import pytest

from lnl_core.jobs import bases
from lnl_core.jobs.context import LocalContext
from lnl_core.learning.knobs import OPEN_BACKBONES, TrainingKnobs
from lnl_core.methods import METHODS, recommended, yardstick
from lnl_core.types import DENSE_CLASSES, Cancelled, LabeledDataset, Leaves, Method, TopProbs

EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
PRESETS = ("quick", "standard", "paper")
HEAD = "features"
"""A head on frozen features, in place of a preset."""

KINDS = [
    pytest.param(
        method, kind, id=f"{key}-{kind}", marks=[pytest.mark.slow] if kind == "standard" else []
    )
    for key, method in METHODS.items()
    for kind in (*PRESETS, HEAD)
    if kind != HEAD or hasattr(method.config, "on_features")
]
EVERY_KIND = pytest.mark.parametrize(("method", "kind"), KINDS)


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


def small(method: Method, dataset, kind="quick"):
    """A preset of it, or its head on features, cut to what takes no time."""
    n, k, size = len(dataset), len(dataset.class_names), max(dataset.images.shape[1:3])
    if kind == HEAD:
        config = method.config.on_features("quick", n, k)
    else:
        config = method.config.preset(kind, n, k, size)
    cuts = {"epochs": 2, "batch_size": 16, "warm_up": 1, "score_epochs": 1, "period": 2}
    cuts |= {"folds": 2, "iterations": 5, "rounds": 2, "refine_epochs": 1}
    if kind != HEAD:
        cuts["backbone"] = "lite0-96" if method.key == "finetune" else "resnet8"
    known = {field.name for field in dataclasses.fields(config)}
    return dataclasses.replace(config, **{key: cuts[key] for key in cuts if key in known})


def context_of(dataset, kind="quick", of=LocalContext, **more):
    representation = "pretrained" if kind == HEAD else "pixels"
    return of(seed=3, representation=representation, **inputs(dataset), **more)


def run(method, dataset, context=None, kind="quick"):
    context = context or context_of(dataset, kind)
    return method.fit(dataset, small(method, dataset, kind), context)


@functools.cache
def undisturbed(key, kind="quick"):
    """Return (signals, context) of one run on `pictures()`, which several promises look at."""
    context = context_of(pictures(), kind)
    return run(METHODS[key], pictures(), context, kind), context


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


def same(first, second):
    """Alike to the last bit, whatever kind of result it is."""
    if isinstance(first, TopProbs):
        assert first.class_count == second.class_count
        same(first.classes, second.classes)
        same(first.probs, second.probs)
    elif isinstance(first, Mapping):
        assert first.keys() == second.keys()
        for name, value in first.items():
            np.testing.assert_array_equal(value, second[name], err_msg=name)
    elif first is None:
        assert second is None
    else:
        np.testing.assert_array_equal(first, second)


def equal(first, second):
    for name in ("suspicion", "pred_probs", "features", "curves", "extras"):
        same(getattr(first, name), getattr(second, name))


def test_methods_are_found_in_the_order_of_their_cards():
    every = list(METHODS.values())
    assert every == sorted(every, key=lambda each: (each.baseline, each.place))
    assert all(key == method.key for key, method in METHODS.items())
    assert sum(not each.baseline for each in every) == 5
    assert len({(each.group, each.place) for each in every}) == len(every)


@EVERY
def test_a_card_says_all_that_pages_need(method):
    for name in ("title", "short", "summary", "reference", "explanation", "advice"):
        said = getattr(method, name)
        assert said, name
        assert said == said.strip(), name
    assert len(method.short) <= 12
    assert re.fullmatch(r"([A-Z][^.]+\.)( [A-Z][^.]+\.)?", method.explanation), "1 or 2 sentences"
    assert method.advice.endswith(".")
    assert method.place < 100, "100 is where those land that say nothing"
    assert method.cost is not None
    assert all(key in METHODS and bases.fits(key, method.key) for key in method.after)


def test_names_tell_methods_apart():
    for name in ("title", "short", "summary", "explanation"):
        assert len({getattr(each, name) for each in METHODS.values()}) == len(METHODS)


def test_one_method_is_the_yardstick_and_the_default_recipe_begins_with_features():
    assert [key for key, each in METHODS.items() if each.yardstick] == [yardstick().key]
    recipe = recommended()
    assert yardstick().key in recipe
    on_features = ["features" in METHODS[key].needs for key in recipe]
    assert on_features == sorted(on_features, reverse=True)
    assert any(on_features)


@EVERY
def test_a_run_leaves_what_its_card_says(method):
    signals, context = undisturbed(method.key)
    left = {
        Leaves.NETWORK: "network" in context.kept,
        Leaves.FEATURES: signals.features is not None,
        Leaves.PURIFIED_LABELS: "purified_labels" in signals.extras,
        Leaves.CURVES: "p_given" in signals.curves,
        Leaves.NEIGHBOURS: "neighbours" in signals.extras,
        Leaves.MAPS: "cam_given" in signals.extras,
    }
    assert set(method.leaves) == {what for what, there in left.items() if there}
    for say in (method.doubts, method.hints):
        assert say is None or all(isinstance(each, str) for each in say(signals))


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
def test_whoever_trains_on_pixels_offers_the_same_networks_and_views(method):
    """So that a comparison of methods need not be one of recipes."""
    if not issubclass(method.config, TrainingKnobs):
        return
    fields = {field.name: field for field in dataclasses.fields(method.config)}
    if method.key != "finetune":  # is about its network
        assert set(OPEN_BACKBONES) <= set(fields["backbone"].metadata["choices"])
    same = {"epochs": 3, "cutout": 0.5, "batch_size": 64, "lr": 0.1, "ema_decay": 0.9}
    config = dataclasses.replace(method.config.preset("quick", 8000, 10, 32), **same)
    assert {name: getattr(config, name) for name in same} == same


@EVERY
@pytest.mark.parametrize(
    ("n", "size", "channels", "k"),
    [(36, 8, 1, 3), (26, 20, 3, 2), (5, 8, 1, 2), (2, 8, 3, 2), (1, 8, 1, 2), (20, 8, 1, 1)],
    ids=["gray", "colour", "five images", "two images", "one image", "one class"],
)
def test_signals_have_the_promised_shapes(method, n, size, channels, k):
    dataset = pictures(n, size, channels, k)
    check(run(method, dataset), method, n, k)


@EVERY_KIND
def test_same_seed_same_signals(method, kind):
    signals, context = undisturbed(method.key, kind)
    again = context_of(pictures(), kind)
    equal(signals, run(method, pictures(), again, kind))
    assert context.kept.keys() == again.kept.keys()
    for name, (arrays, _) in context.kept.items():
        same(arrays, again.kept[name][0])


@EVERY_KIND
def test_what_it_took_is_told(method, kind):
    """Seconds, peak memory, images; a worker samples the memory where it is not said."""
    cost = undisturbed(method.key, kind)[0].cost
    assert cost["seconds"] > 0
    assert cost["cpu_seconds"] > 0
    assert cost.get("peak_memory_bytes", 0.0) >= 0  # above the start: memory is used again here
    assert cost["images"] >= 36


@EVERY
def test_true_labels_are_never_looked_at(method):
    blind, _ = undisturbed(method.key)
    equal(blind, run(method, pictures(true_labels=np.zeros(36, np.int64))))


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


MOST_KILLS = 20
IN_ONE_GO = ("probe", "knn", "confident")
"""Seconds on features; a killed one begins again."""


@EVERY_KIND
def test_killed_at_every_checkpoint_it_ends_as_if_undisturbed(method, kind, tmp_path):
    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            raise Killed

    dataset = pictures()
    whole, calm = undisturbed(method.key, kind)
    path, kills = tmp_path / "checkpoint.safetensors", 0
    while True:
        of = Fragile if kills < MOST_KILLS else LocalContext
        context = context_of(dataset, kind, of, checkpoint=path)
        try:
            resumed = run(method, dataset, context, kind)
            break
        except Killed:
            kills += 1
    assert kills < MOST_KILLS, "it never gets further than its last checkpoint"
    if method.key not in IN_ONE_GO and kind != HEAD:
        assert kills > 0, "it keeps no checkpoint"
    equal(whole, resumed)
    assert context.kept.keys() == calm.kept.keys()
    for name, (arrays, _) in calm.kept.items():
        same(arrays, context.kept[name][0])


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
