"""Every method that torchrun may run in several processes says in two what it says in one."""

import json

import numpy as np
import pytest

from tests import gloo

FIT = """
import json
from lnl_core.jobs.context import LocalContext
from lnl_core.methods import METHODS
from lnl_core.types import LabeledDataset

rng = np.random.default_rng(3)
n, k = 75, 3  # shares differ, and the last batch has an odd rest
true = rng.integers(0, k, n)
images = rng.integers(0, 60, (n, 8, 8, 3))
for row, label in enumerate(true):
    images[row, 2 * label : 2 * label + 3] += 120
given = np.where(rng.random(n) < 0.2, (true + 1) % k, true)
data = LabeledDataset("s", ("a", "b", "c"), given.astype(np.int32), [str(i) for i in range(n)],
                      images.astype(np.uint8), trusted=np.arange(n) % 5 == 0)
features = np.eye(4)[true] + 0.5 * rng.standard_normal((n, 4))
found = {}
for key, knobs in json.loads(words[1]).items():
    context = LocalContext(seed=7, features=features.astype(np.float32))
    method = METHODS[key]
    signals = method.fit(data, method.config(**knobs), context)
    said = {"suspicion": signals.suspicion, "pred_probs": signals.pred_probs}
    said |= {f"extra.{name}": value for name, value in signals.extras.items()}
    said |= {f"curve.{name}": value for name, value in signals.curves.items()}
    for kept, (arrays, _) in context.kept.items():
        said |= {f"{kept}.{name}": value for name, value in arrays.items()}
    found |= {f"{key}:{name}": value for name, value in said.items()}
"""

SMALL = {"backbone": "resnet8", "epochs": 4, "batch_size": 25, "lr": 0.05}
KNOBS = {
    "finetune": {"epochs": 2, "batch_size": 25, "resolution": 0},
    "aum": SMALL | {"thresholds": True},
    "confident": SMALL | {"learn_on": "pixels", "folds": 3},
    "jump": SMALL
    | {"warm_up": 2, "score_epochs": 2, "momentum": 0.9, "clip": 2.0, "ema_decay": 0.9},
    "dmlp": SMALL | {"per_class": 4, "period": 2, "head_batch": 20, "ema_decay": 0.9},
    "influence": SMALL
    | {"refine": "network", "refine_epochs": 2, "rounds": 2, "share": 0.1, "ema_decay": 0.9},
    "hnml": SMALL
    | {"backbone": "cnn3", "warm_up": 1, "ramp": 1, "tasks": 2, "alpha": 0.5, "shift": 1}
    | {"mu_consistency": 0.5, "mu_background": 0.3, "filter": True, "filter_epochs": 1},
}
TOLERANCE, HALF = 1e-4, 1e-3
"""Largest difference of a number after twelve steps, and of one kept as float16: sums are rounded
differently, and each step builds on the last one's."""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What one process and what each of two has at the end, all methods one after another."""
    folder, words = tmp_path_factory.mktemp("together"), ("all", json.dumps(KNOBS))
    return *gloo.run(folder, FIT, 1, *words), *gloo.run(folder, FIT, 2, *words)


@pytest.mark.slow
@pytest.mark.parametrize("key", KNOBS)
def test_two_processes_say_what_one_says(said, key):
    alone, first, second = (
        {
            name.removeprefix(f"{key}:"): value
            for name, value in each.items()
            if name.startswith(f"{key}:")
        }
        for each in said
    )
    assert alone
    assert set(first) == set(second) == set(alone)
    if key not in ("aum", "confident"):
        assert any(name.startswith("network.model.") for name in alone), "no network was kept"
    if key == "jump":
        assert 0 < alone["curve.chosen"][-1] < 1, "it selects nothing, so it proves little"
    if key == "hnml":
        assert alone["curve.ramp"][-1] == 1, "it takes no inner step, so it proves little"
    for name, value in alone.items():
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        near = HALF if value.dtype == np.float16 else TOLERANCE
        found, value = first[name].astype(float), value.astype(float)
        np.testing.assert_allclose(found, value, atol=near, rtol=near, err_msg=name)
