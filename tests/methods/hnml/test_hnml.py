"""HNML, a reconstruction: what it does on digits (spec 6.2) and on digits in clutter (spec 6.3)."""

import dataclasses

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import roc_auc_score

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import cam, holding_out, networks
from lnl_core.methods import hnml
from lnl_core.methods.hnml import bilevel
from lnl_core.review import health
from lnl_core.types import Cancelled, LabeledDataset, LnlError

TRAIN = 1297
NAMES = tuple("0123456789")


SEEDS = [
    pytest.param(0, marks=pytest.mark.slow),
    *(pytest.param(seed, marks=pytest.mark.long) for seed in (1, 2)),
]


def dataset_of(images, given, **more):
    return LabeledDataset(
        "digits", NAMES, given, [str(i) for i in range(len(given))], images, **more
    )


def flipped(truth, rate, rng):
    """Labels of which `rate` moved to a different class, evenly chosen."""
    step = rng.integers(1, 10, len(truth))
    return np.where(rng.random(len(truth)) < rate, (truth + step) % 10, truth)


def digits(seed, rate=0.4, n=TRAIN):
    """(train, its truth, test images, test truth)."""
    found, rng = load_digits(), np.random.default_rng(seed)
    rows = rng.permutation(len(found.target))
    truth, images = found.target[rows], (found.images[rows] * 15).astype(np.uint8)[..., None]
    train = dataset_of(images[:n], flipped(truth[:n], rate, rng))
    return train, truth[:n], dataset_of(images[n:], truth[n:]), truth[n:]


def clutter(seed, n=1700, train=1200):
    """Digits on a 16 px canvas among fragments of others; also the corner of each digit's box."""
    found, rng = load_digits(), np.random.default_rng(seed)
    rows = rng.permutation(len(found.target))[:n]
    truth, digit = found.target[rows], found.images / 16
    canvas, corner = rng.uniform(0, 0.15, (n, 16, 16)), rng.integers(0, 9, (n, 2))
    for i, row in enumerate(rows):
        for other in rng.choice(np.flatnonzero(found.target != truth[i]), 3):
            y, x, v, u = *rng.integers(0, 13, 2), *rng.integers(0, 5, 2)
            canvas[i, y : y + 4, x : x + 4] = digit[other, v : v + 4, u : u + 4]
        y, x = corner[i]
        canvas[i, y : y + 8, x : x + 8] = digit[row]
    images = (canvas * 255).astype(np.uint8)[..., None]
    given = flipped(truth[:train], 0.4, rng)
    parts = dataset_of(images[:train], given), truth[:train]
    return *parts, dataset_of(images[train:], truth[train:]), truth[train:], corner[:train]


def outcome(scene, config, folder, seed=0):
    """Train; return test accuracy, AUROC of `wrong label`, accuracy on train, and the signals."""
    train, truth, test, test_truth = scene[:4]
    context = LocalContext(seed=seed, folder=folder)
    signals = hnml.fit(train, config, context)
    kept = networks.load_network(folder, test, "cpu")
    right = 0
    for rows, _, logits in kept.predictions():
        right += (logits.argmax(1).numpy() == test_truth[rows]).sum()
    return {
        "test": right / len(test_truth),
        "auroc": roc_auc_score(truth != train.given_labels, signals.suspicion),
        "train": (signals.pred_probs.argmax(1) == truth).mean(),
        "signals": signals,
    }


def on_the_digit(scene, folder, labels):
    """Over train images: share of each map of `labels` on the digit, and whether its peak is."""
    train, corner = scene[0], scene[4]
    maps = cam.class_maps(folder, train, np.arange(len(train)), labels[:, None])[:, 0]
    energy = np.maximum(maps, 0).repeat(16 // maps.shape[1], 1).repeat(16 // maps.shape[2], 2)
    y, x = np.mgrid[:16, :16]
    box = (y >= corner[:, 0, None, None]) & (y < corner[:, 0, None, None] + 8)
    box &= (x >= corner[:, 1, None, None]) & (x < corner[:, 1, None, None] + 8)
    total = energy.sum((1, 2))
    share = (energy * box).sum((1, 2)) / np.maximum(total, 1e-9)
    middle = np.zeros_like(energy)  # one point for each place of the map, amid its pixels
    middle[:, 16 // maps.shape[1] // 2 :: 16 // maps.shape[1],
           16 // maps.shape[2] // 2 :: 16 // maps.shape[2]] = 1  # fmt: skip
    peak = np.where(middle > 0, energy, -1).reshape(len(train), -1).argmax(1)
    inside = box.reshape(len(train), -1)[np.arange(len(train)), peak]
    return np.where(total > 0, share, np.nan), inside & (total > 0)


QUICK = hnml.Config.preset("quick", TRAIN, 10, 8)
SHORT = dataclasses.replace(QUICK, epochs=12, warm_up=3, ramp=2)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    scene = digits(0, n=600)
    return scene, outcome(scene, SHORT, folder), folder


def test_a_short_run_finds_wrong_labels(short):
    _, found, _ = short
    assert found["auroc"] >= 0.95
    assert found["test"] >= 0.85
    assert found["signals"].extras["meta_start"][0] == 3
    assert found["signals"].extras["teacher_fell"][0] < 0.05


def test_signals_hold_what_the_reviewer_sees(short):
    scene, found, folder = short
    train, signals = scene[0], found["signals"]
    n, rows, probs = len(train), np.arange(len(train)), signals.pred_probs
    others = probs.copy()
    others[rows, train.given_labels] = -1
    suggested = signals.extras["suggested_label"]
    np.testing.assert_array_equal(suggested, others.argmax(1))
    margin = np.log(probs[rows, suggested]) - np.log(probs[rows, train.given_labels])
    np.testing.assert_allclose(signals.suspicion, (1 + margin / (1 + abs(margin))) / 2, atol=1e-3)
    assert (np.diff(signals.suspicion[np.argsort(margin)]) > -1e-4).all()
    pair = np.stack([train.given_labels, suggested], 1)
    again = cam.class_maps(folder, train, rows, pair)  # (n, 2, u, v)
    for i, name in enumerate(("cam_given", "cam_suggested")):
        stored = signals.extras[name]
        assert stored.dtype == np.float16
        assert stored.shape == (n, 4, 4)
        np.testing.assert_allclose(stored, again[:, i], atol=0.06, rtol=0.03)
    energy = np.maximum(again, 0).mean((2, 3))
    np.testing.assert_allclose(signals.extras["energy_given"], energy[:, 0], atol=0.03)
    np.testing.assert_allclose(signals.extras["energy_suggested"], energy[:, 1], atol=0.03)
    assert signals.features.shape == (n, 32)
    ramp = signals.curves["ramp"]
    np.testing.assert_allclose(ramp[:6], [0, 0, 0, np.exp(-5), np.exp(-1.25), 1], atol=1e-6)
    assert (signals.curves["foreground_loss"][3:] > 0).all()


def maps_of(images):
    """Three frozen maps of 4 x 4 places for 8 px images."""
    cells = images[..., 0].reshape(-1, 4, 2, 4, 2).astype(np.float32) / 255
    shrunk = [cells.mean((2, 4)), cells.max((2, 4)), cells[:, :, 0, :, 0]]
    return np.stack(shrunk, 1).astype(np.float16)


def test_a_head_on_frozen_maps_gives_maps_of_any_class_without_images(tmp_path):
    scene = digits(0, n=300)
    config = dataclasses.replace(hnml.Config.on_features("quick", 300, 10), epochs=4)
    maps = maps_of(scene[0].images)
    context = LocalContext(maps=maps, folder=tmp_path, representation="pretrained")
    signals = hnml.fit(scene[0], config, context)
    assert signals.features.shape == (300, 128)
    assert not (tmp_path / "network.safetensors").exists()
    rows, blank = np.array([7, 3]), dataclasses.replace(scene[0], images=0 * scene[0].images)
    labels = np.stack([scene[0].given_labels, signals.extras["suggested_label"]], 1)[rows]
    found = cam.class_maps(tmp_path, blank, rows, labels, maps=lambda: maps)
    np.testing.assert_allclose(found[:, 0], signals.extras["cam_given"][rows], atol=0.05)
    np.testing.assert_allclose(found[:, 1], signals.extras["cam_suggested"][rows], atol=0.05)
    with pytest.raises(LnlError, match="frozen feature maps"):
        cam.class_maps(tmp_path, blank, rows, labels)


def test_a_representation_without_maps_is_refused_in_words():
    context = LocalContext(representation="simclr")
    with pytest.raises(LnlError, match="simclr has none"):
        hnml.fit(digits(0, n=30)[0], hnml.Config.on_features("quick", 30, 10), context)


def test_confirmed_labels_are_never_disturbed_or_let_go():
    scene = digits(0, n=200)
    train = dataclasses.replace(scene[0], trusted=np.ones(200, bool))
    every = dataclasses.replace(SHORT, epochs=4, warm_up=1, filter=True, filter_epochs=1)
    calm = dataclasses.replace(every, disturbed=0.0, filter=False)
    first, second = (hnml.fit(train, config, LocalContext()) for config in (every, calm))
    np.testing.assert_array_equal(first.pred_probs, second.pred_probs)


def test_the_rule_waits_for_held_out_labels():
    train = digits(0, rate=0.2, n=400)[0]
    config = dataclasses.replace(SHORT, start="rule", warm_up=0, epochs=3, batch_size=16)
    signals = hnml.fit(train, config, LocalContext())
    assert 1 <= signals.extras["meta_start"][0] <= 2
    labels = np.random.default_rng(0).integers(0, 10, 400)  # nothing to learn, so it never begins
    signals = hnml.fit(dataclasses.replace(train, given_labels=labels), config, LocalContext())
    assert signals.extras["meta_start"][0] == -1
    assert not signals.curves["ramp"].any()


def test_copies_are_held_out_together():
    groups = np.append(np.arange(100), np.arange(50))
    trusted = np.arange(150) == 120  # a copy of the row 20
    held = holding_out.held_out(150, 0.3, 0, trusted, groups)
    assert torch.equal(held[100:], held[:50])
    assert not held[20]
    assert int(held[:100].sum()) == 30


def test_a_teacher_that_unlearns_is_told(short):
    scene, found, _ = short
    given, signals = scene[0].given_labels, found["signals"]
    assert health.check(signals, given, hnml.METHOD) == []
    extras = dict(signals.extras) | {"teacher_fell": np.array([0.2], np.float32)}
    (doubt,) = health.check(dataclasses.replace(signals, extras=extras), given, hnml.METHOD)
    assert doubt.kind == "own"
    assert "20%" in doubt.text
    assert "eta" in doubt.advice
    agreement = np.array([0.2, 0.5, 0.6, 0.58, 0.4])
    assert hnml._fall(agreement, 3) == pytest.approx(0.2)
    assert hnml._fall(agreement, -1) == 0


def test_doubted_labels_are_let_go_by_and_by():
    log_probs = torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.4, 0.1], [0.2, 0.2, 0.6]]).log()
    labels = torch.tensor([1, 1, 2])
    assert bilevel.doubted(log_probs, labels, 0.7).tolist() == [True, False, False]
    assert bilevel.doubted(log_probs, labels, 0.4).tolist() == [False, False, False]


class Killed(Exception):
    pass


def test_killed_in_the_meta_phase_it_ends_as_if_undisturbed(tmp_path):
    class Fragile(LocalContext):
        def save(self, arrays, state):
            super().save(arrays, state)
            if state["epoch"] in (0, 2):
                raise Killed

    train = digits(0, rate=0.1, n=250)[0]
    config = dataclasses.replace(
        SHORT, epochs=4, warm_up=1, start="rule", tasks=2, filter=True, batch_size=16
    )
    whole = hnml.fit(train, config, LocalContext())
    assert whole.extras["meta_start"][0] > 0
    path = tmp_path / "checkpoint.safetensors"
    for kind in (Fragile, Fragile):
        with pytest.raises(Killed):
            hnml.fit(train, config, kind(checkpoint=path))
    resumed = hnml.fit(train, config, LocalContext(checkpoint=path))
    np.testing.assert_array_equal(whole.suspicion, resumed.suspicion)
    for name, extra in whole.extras.items():
        np.testing.assert_array_equal(extra, resumed.extras[name])
    for name, curve in whole.curves.items():
        np.testing.assert_array_equal(curve, resumed.curves[name])


def test_cancel_is_answered_inside_a_step(monkeypatch):
    from lnl_core.learning import training

    monkeypatch.setattr(training, "_TICK", 0.0)  # look for the cancel at every chance
    asked = []

    def stop(stage, fraction, metrics):
        asked.append(fraction)
        if len(asked) > 12:
            raise Cancelled

    config = dataclasses.replace(SHORT, warm_up=0, batch_size=64)
    with pytest.raises(Cancelled):
        hnml.fit(digits(0, n=128)[0], config, LocalContext(on_report=stop))
    assert len(set(asked)) < len(asked) - 5  # several looks within one batch


@pytest.mark.parametrize(
    "knobs",
    [{"source": "x"}, {"tau": 0.0}, {"alpha": -1.0}, {"epochs": 0}, {"order": "third"}],
)
def test_wrong_knobs_are_refused_by_name(knobs):
    with pytest.raises(ValueError, match=next(iter(knobs))):
        hnml.Config(**knobs)


def test_presets_are_pixels_but_for_quick_on_larger_images():
    preset = hnml.Config.preset
    assert preset("quick", 8000, 10, 32).source == "maps"
    assert preset("quick", 1797, 10, 8).source == "pixels"
    for name in ("standard", "paper"):
        for size in (8, 32, 224):
            config = preset(name, 8000, 10, size)
            assert (config.source, config.start, config.filter) == ("pixels", "rule", True)
            if size > 16:
                assert config.warm_up >= config.epochs // 3
                assert config.alpha <= 0.3
                assert config.eta <= 2
    assert hnml.METHOD.reconstruction


@pytest.mark.parametrize("seed", SEEDS)
def test_6_2_it_keeps_digits_right_where_plain_training_learns_the_noise(tmp_path, seed):
    """Spec: 0.958 of test images right, 0.81 without the inner step, 0.69 by plain training."""
    scene = digits(seed)
    ours = outcome(scene, QUICK, tmp_path / "ours", seed)
    still = outcome(scene, dataclasses.replace(QUICK, alpha=0.0), tmp_path / "still", seed)
    plain = dataclasses.replace(QUICK, eta=0.0, network="student")
    plain = outcome(scene, plain, tmp_path / "plain", seed)
    assert ours["test"] >= 0.93
    assert ours["auroc"] >= 0.99
    assert ours["train"] >= 0.93
    assert plain["test"] <= 0.78
    assert plain["auroc"] <= 0.92
    assert plain["test"] < still["test"] < ours["test"]


@pytest.mark.long
def test_6_2_first_order_is_weaker(tmp_path):
    """Seed 0; spec 0.934 against 0.961: most of the effect needs the gradient through the step."""
    scene = digits(0)
    ours = outcome(scene, QUICK, tmp_path / "ours")
    first = outcome(scene, dataclasses.replace(QUICK, order="first"), tmp_path / "first")
    assert first["test"] < ours["test"]
    assert first["signals"].extras["first_order"][0] == 1


@pytest.mark.long
def test_6_3_and_6_4_it_looks_at_the_digit_and_not_at_the_clutter(tmp_path):
    """Seed 0. Spec, accuracy and energy on the digit: 0.801, .795; plain training 0.549, .585.
    Peaks of maps of right and of wrong given labels, and of the true class where the given one is
    wrong: plain .931, .613, .852; HNML .992, .625, .975.

    Measured: accuracy .730, without the inner step .732, plain .562; AUROC .953, .904, .804; energy
    .818, .671, .599. So the step focuses the maps and finds more wrong labels; on 500 held-out
    images it brings no accuracy here, where the spec has 0.801 against 0.668.
    """
    scene = clutter(0)
    config = dataclasses.replace(QUICK, epochs=40, warm_up=10, ramp=8)
    given, truth = scene[0].given_labels, scene[1]
    right, runs, energy, peaks = given == truth, {}, {}, {}
    for name, knobs in {
        "ours": {},
        "still": {"alpha": 0.0},
        "plain": {"eta": 0.0, "network": "student"},
    }.items():
        folder = tmp_path / name
        runs[name] = outcome(scene, dataclasses.replace(config, **knobs), folder)
        share, of_true = on_the_digit(scene, folder, truth)
        of_given = on_the_digit(scene, folder, given)[1]
        energy[name] = np.nanmean(share)
        peaks[name] = of_given[right].mean(), of_given[~right].mean(), of_true[~right].mean()
    assert runs["ours"]["test"] > runs["plain"]["test"] + 0.1
    assert runs["still"]["test"] > runs["plain"]["test"] + 0.1
    assert runs["ours"]["auroc"] > runs["still"]["auroc"] > runs["plain"]["auroc"]
    assert energy["ours"] > energy["still"] + 0.05
    assert energy["still"] > energy["plain"]
    for good, bad, true in peaks.values():
        assert good > bad + 0.1
        assert true > bad
    assert peaks["ours"][2] > peaks["plain"][2]
