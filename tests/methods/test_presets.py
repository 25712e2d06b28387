"""What `paper` means for each kind of images: the numbers of docs/methods/presets.md.

Sparse Regularization's stand in its own tests.
"""

import numpy as np
import pytest

from lnl_core.jobs import knobs, queue
from lnl_core.jobs.context import LocalContext
from lnl_core.learning import features
from lnl_core.methods import METHODS
from lnl_core.types import LabeledDataset, LnlError

CIFAR10 = {
    "backbone": "preact18",
    "epochs": 200,
    "warm_up": 30,
    "batch_size": 128,
    "lr": 0.2,
    "lr_end": 5e-4,
    "momentum": 0.0,
    "nesterov": False,
    "weight_decay": 1e-3,
    "schedule": "cosine",
    "clip": 0.0,
    "temperature": 2.0,
    "tau": 1e-3,
    "beta": 5.0,
    "operations": 2,
    "magnitude": 5,
    "strong_cutout": 0.15,
    "dropout": 0.5,
    "shift": 4,
    "border": "reflect",
    "ema_decay": 0.0,
    "jump_step": 1,
    "guard": False,
}
CIFAR100 = CIFAR10 | {"magnitude": 10}
CLOTHING = CIFAR100 | {
    "backbone": "resnet50",
    "epochs": 20,
    "warm_up": 5,
    "batch_size": 64,
    "lr": 0.01,
    "lr_end": 2e-4,
    "shift": -1,
}
FOOD = CLOTHING | {"batch_size": 32, "lr_end": 5e-4, "weight_decay": 5e-4}
WEBVISION = FOOD | {"epochs": 100, "warm_up": 30, "lr": 0.2, "weight_decay": 1e-4}


@pytest.mark.parametrize(
    ("k", "size", "wanted", "expected"),
    [
        pytest.param(10, 32, {}, CIFAR10, id="CIFAR-10"),
        pytest.param(100, 32, {}, CIFAR100, id="CIFAR-100"),
        pytest.param(
            100, 32, {"setting": "heavy"}, CIFAR100 | {"weight_decay": 5e-4}, id="CIFAR-100, heavy"
        ),
        pytest.param(10, 28, {}, CIFAR10, id="digits"),
        pytest.param(10, 64, {}, CIFAR10, id="64 px"),
        pytest.param(14, 256, {}, CLOTHING, id="Clothing1M"),
        pytest.param(50, 256, {}, WEBVISION, id="WebVision"),
        pytest.param(101, 256, {}, FOOD, id="Food-101N"),
    ],
)
def test_jump_teaching(k, size, wanted, expected):
    config = knobs.config_for("jump", "paper", wanted, 50_000, k, size)
    assert {name: getattr(config, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("key", "setting", "k", "size"),
    [
        ("jump", "heavy", 10, 32),
        ("jump", "heavy", 50, 256),
        ("sr", "asymmetric", 20, 32),
        ("sr", "asymmetric", 10, 28),
    ],
)
def test_a_setting_without_numbers_of_its_own_is_refused(key, setting, k, size):
    with pytest.raises(LnlError, match="setting changes nothing"):
        knobs.config_for(key, "paper", {"setting": setting}, 50_000, k, size, channels=1)


DIVIDEMIX = {
    "backbone": "preact18",
    "epochs": 300,
    "warm_up": 10,
    "warm_up_batch": 2,
    "batch_size": 64,
    "lr": 0.02,
    "schedule": "one_drop",
    "weight_decay": 5e-4,
    "shift": 4,
    "border": "zero",
    "alpha": 4.0,
    "temperature": 0.5,
    "unlabelled": 25.0,
    "ramp": 16,
    "confident_warm_up": False,
    "prior": "even",
}
DIVIDEMIX_LARGE = DIVIDEMIX | {
    "backbone": "resnet50",
    "epochs": 80,
    "warm_up": 1,
    "batch_size": 32,
    "lr": 0.002,
    "weight_decay": 1e-3,
    "shift": -1,
    "border": "auto",
    "alpha": 0.5,
    "unlabelled": 0.0,
    "confident_warm_up": True,
}
AUM = {"backbone": "resnet34", "epochs": 150, "batch_size": 64, "lr": 0.1, "weight_decay": 1e-4,
       "schedule": "constant", "shift": -1, "border": "zero", "thresholds": True}  # fmt: skip
AUM_LARGE = AUM | {"backbone": "resnet50", "epochs": 60, "batch_size": 256, "border": "auto"}


@pytest.mark.parametrize(
    ("key", "k", "size", "expected"),
    [
        pytest.param("dividemix", 10, 32, DIVIDEMIX, id="CIFAR-10"),
        pytest.param("dividemix", 100, 32, DIVIDEMIX | {"warm_up": 30}, id="CIFAR-100"),
        pytest.param("dividemix", 14, 224, DIVIDEMIX_LARGE, id="Clothing1M"),
        pytest.param("aum", 10, 32, AUM, id="AUM, CIFAR-10"),
        pytest.param("aum", 50, 224, AUM_LARGE, id="AUM, WebVision"),
    ],
)
def test_the_baselines_that_were_published(key, k, size, expected):
    config = knobs.config_for(key, "paper", {}, 50_000, k, size)
    assert {name: getattr(config, name) for name in expected} == expected


@pytest.mark.parametrize("key", ["dividemix", "aum", "jump"])
def test_what_is_ours_keeps_the_border_and_the_shift_of_every_method(key):
    asked = (("quick", {}), ("standard", {}), ("paper", {"backbone": "lite0-96"}))
    for preset, wanted in asked:
        config = knobs.config_for(key, preset, wanted, 8000, 10, 32)
        assert (config.shift, config.border) == (-1, "reflect" if key == "jump" and not wanted
                                                 else "auto"), preset  # fmt: skip
        assert getattr(config, "warm_up_batch", 1) == 1


@pytest.mark.parametrize(
    ("size", "features", "backbone"), [(28, "simclr", "preact18"), (64, "simclr", "preact18"),
                                       (65, "moco", "resnet50"), (256, "moco", "resnet50")]
)  # fmt: skip
def test_purified_labels_come_from_the_images_alone_and_retrain_the_papers_network(
    size, features, backbone
):
    config = knobs.config_for("dmlp", "paper", {}, 50_000, 10, size)
    assert knobs.usual_features("dmlp", "paper", size) == features
    assert knobs.usual_features("dmlp", "quick", size) == "auto"
    assert (config.backbone, config.retrain, config.space) == (backbone, True, "labels")
    assert (config.rounds * config.period, config.period) == (100, 20)
    assert (config.label_lr, config.head_batch) == (0.01, 500)


def test_a_queued_run_learns_on_what_its_preset_asks_for(tiny, no_worker):
    assert queue.submit(tiny, "dmlp", "paper").representation == "simclr"
    assert queue.submit(tiny, "dmlp", "quick").representation == "auto"
    assert queue.submit(tiny, "dmlp", "paper", representation="raw").representation == "raw"
    assert queue.submit(tiny, "probe", "paper").representation == "auto"


@pytest.mark.parametrize(("size", "backbone"), [(8, "cnn3"), (32, "resnet18"), (224, "resnet18")])
def test_hnml_whose_paper_gives_no_numbers(size, backbone):
    config = METHODS["hnml"].config.preset("paper", 50_000, 10, size)
    assert (config.backbone, config.epochs, config.start) == (backbone, 120, "rule")
    assert (config.source, config.order) == ("pixels", "second")


@pytest.mark.parametrize(
    ("size", "backbone"), [(8, "resnet8"), (32, "resnet8-wide"), (224, "auto")]
)
def test_influential_rank_whose_paper_gives_no_numbers(size, backbone):
    config = METHODS["influence"].config.preset("paper", 50_000, 10, size)
    assert (config.backbone, config.refine, config.score) == (backbone, "network", "rounds")
    assert config.within_class


SHORT = {"jump": {"warm_up": 1}, "hnml": {"warm_up": 1, "ramp": 1, "epochs": 3},
         "influence": {"rounds": 1}, "dividemix": {"warm_up": 1}}  # fmt: skip


KINDS = [(28, 1), (32, 1), (32, 3), (96, 1), (96, 3), (224, 3)]


@pytest.mark.parametrize(
    ("key", "size", "channels"),
    [
        pytest.param(key, *kind, marks=pytest.mark.slow if kind == KINDS[0] else pytest.mark.long)
        for keys, kinds in (
            (("sr", "jump", "dmlp", "hnml", "influence"), KINDS),
            (("dividemix", "aum"), KINDS[:-1]),
        )
        for key in keys
        for kind in kinds
    ],
)
def test_paper_runs_on_images_of_every_size(key, size, channels):
    """With few epochs, which are all that is changed: every step of the network that is asked for.

    Images of one class are bright, of one dark, of one striped.
    """
    n, rng = 10, np.random.default_rng(0)
    labels = np.arange(n) % 3
    images = (
        rng.integers(0, 60, (n, size, size, channels)) + 150 * (labels == 0)[:, None, None, None]
    )
    images[labels == 2, ::2] += 120
    names, ids = ("bright", "dark", "stripes"), [str(i) for i in range(n)]
    data = LabeledDataset("kinds", names, labels, ids, images.astype(np.uint8))
    wanted = {"epochs": 2, "batch_size": 5, **SHORT.get(key, {})}
    config = knobs.config_for(key, "paper", wanted, n, 3, size, channels=channels)
    kind = knobs.usual_features(key, "paper", size) if key == "dmlp" else "pixels"
    learned = features.compute(data, f"{kind}:1") if key == "dmlp" else None
    context = LocalContext(features=learned, representation=kind)
    signals = METHODS[key].fit(data, config, context)
    assert signals.pred_probs.shape == (n, 3)
    assert np.isfinite(signals.suspicion).all()
    np.testing.assert_allclose(signals.pred_probs.sum(1), 1, atol=1e-3)
