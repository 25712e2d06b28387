"""The methods on a real GPU: same answers as on a processor, reproducible, and never waiting."""

import dataclasses

import numpy as np
import pytest
import torch

from benchmarks import _data
from lnl_core.jobs.context import LocalContext
from lnl_core.learning import features as representation
from lnl_core.learning import networks, training
from lnl_core.methods import METHODS, jump
from lnl_core.methods.jump import codes as semantic_codes
from lnl_core.methods.jump import training as jumping
from lnl_core.review import metrics
from lnl_core.types import LabeledDataset

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")

EVERY = pytest.mark.parametrize("key", METHODS)
LEAST = {"dmlp": 0.93, "probe": 0.93, "knn": 0.93, "confident": 0.93}
"""AUROC on digits with 20 % of the labels wrong; 0.97 for those that train a network."""


@pytest.fixture(scope="module")
def digits():
    return _data.digits("digits-symmetric-20", 0)[0]


def context(key, dataset, device, **more):
    needs = METHODS[key].needs
    plain = np.asarray(dataset.images, np.float32).reshape(len(dataset), -1) / 255
    ready = plain if "features" in needs else None
    return LocalContext(device, 3, features=ready, **more)


def fit(key, dataset, device="cuda", **more):
    if key == "confident":
        pytest.importorskip("cleanlab")
    config = METHODS[key].config.preset("quick", len(dataset), 10, 8)
    blind = dataclasses.replace(dataset, true_labels=None)
    return METHODS[key].fit(blind, config, context(key, dataset, device, **more))


@EVERY
def test_wrong_labels_are_found_and_the_same_seed_gives_the_same(key, digits):
    first, second = fit(key, digits), fit(key, digits)
    np.testing.assert_array_equal(first.suspicion, second.suspicion)
    wrong = np.asarray(digits.true_labels) != np.asarray(digits.given_labels)
    assert metrics.auroc(wrong, np.asarray(first.suspicion)) > LEAST.get(key, 0.97)


class Killed(Exception):
    pass


@pytest.mark.parametrize(
    "key", ["ce", "sr", "jump", "hnml", "aum", "finetune", "influence", "dmlp", "dividemix"]
)
def test_killed_after_a_checkpoint_it_ends_as_if_undisturbed(key, digits, tmp_path):
    class Fragile(LocalContext):
        saves = 0

        def save(self, arrays, state):
            super().save(arrays, state)
            Fragile.saves += 1
            if Fragile.saves == 3:
                raise Killed

    whole = fit(key, digits)
    config = METHODS[key].config.preset("quick", len(digits), 10, 8)
    path = tmp_path / "checkpoint.safetensors"
    needs = "features" in METHODS[key].needs
    plain = np.asarray(digits.images, np.float32).reshape(len(digits), -1) / 255
    more = {"features": plain if needs else None, "checkpoint": path}
    with pytest.raises(Killed):
        METHODS[key].fit(digits, config, Fragile("cuda", 3, **more))
    resumed = METHODS[key].fit(digits, config, LocalContext("cuda", 3, **more))
    np.testing.assert_array_equal(whole.suspicion, resumed.suspicion)
    for name, curve in whole.curves.items():
        np.testing.assert_array_equal(curve, resumed.curves[name], err_msg=name)


def coloured(n=640, size=32):
    rng = np.random.default_rng(0)
    truth = np.arange(n) % 10
    pixels = rng.integers(0, 200, (n, size, size, 3), dtype=np.uint8)
    for label in range(10):
        pixels[truth == label, :, 3 * label : 3 * label + 3] += 55
    names = tuple(f"class {i}" for i in range(10))
    return LabeledDataset("colours", names, truth, [str(i) for i in range(n)], pixels)


def test_a_training_step_of_jump_teaching_waits_for_nothing(monkeypatch):
    """One answer asked of the device in a step makes launching and computing take turns."""
    monkeypatch.setattr(training, "_TICK", 1e9)
    config = jump.Config(
        backbone="resnet8", epochs=3, warm_up=1, batch_size=64, clip=5.0, ema_decay=0.99
    )
    with jumping.open_session(coloured(), config, LocalContext("cuda"), 32) as session:
        table = semantic_codes.JumpTable(session.tensors["table"])
        codes = torch.from_numpy(semantic_codes.codebook(10, 32)).float().cuda()
        forward, steps = session.forward, []

        def watched(images, rows):
            steps.append(len(images))
            torch.cuda.set_sync_debug_mode("error" if len(steps) > 10 else "default")
            return forward(images, rows)

        monkeypatch.setattr(session, "forward", watched)
        try:
            for epoch in session.epochs():
                jumping.train_epoch(session, table, codes, config, epoch, 0)
                torch.cuda.set_sync_debug_mode("default")
                steps.extend([0] * 10)  # past the first epoch, whose kernels have yet to load
        finally:
            torch.cuda.set_sync_debug_mode("default")
    assert sum(size > 0 for size in steps) == 3 * 10


def test_a_network_trained_on_the_gpu_answers_alike_on_the_processor(digits):
    kept = LocalContext("cuda", 3)
    METHODS["ce"].fit(digits, METHODS["ce"].config(epochs=3), kept)
    answers = []
    for device in ("cuda", "cpu"):
        network = networks.open_network(*kept.kept["network"], digits, device)
        answers.append(torch.cat([logits.float().cpu() for _, logits, _ in network.predictions()]))
    agree = (answers[0].argmax(1) == answers[1].argmax(1)).float().mean()
    assert agree > 0.98  # bfloat16 on both or one of the two


def test_pretrained_features_are_alike_on_both(tmp_path):
    data = coloured(64)
    found = [
        np.asarray(representation.cached(tmp_path / device, data, "pretrained", device), np.float32)
        for device in ("cuda", "cpu")
    ]
    cosine = (found[0] * found[1]).sum(1) / np.prod([np.linalg.norm(f, axis=1) for f in found], 0)
    assert cosine.min() > 0.995
