"""Two real processes over gloo train as one does on the same global batch."""

import numpy as np
import pytest

from tests import gloo

TRAIN = """
from torch.nn import functional as F
from lnl_core.jobs.context import LocalContext
from lnl_core.learning import training
from lnl_core.types import LabeledDataset

backbone, = words
rng = np.random.default_rng(3)
n = 61  # shares differ, and the last batch has an odd rest
labels = rng.integers(0, 3, n)
images = rng.integers(0, 90, (n, 8, 8, 1), dtype=np.uint8) + (labels * 60)[:, None, None, None]
data = LabeledDataset("d", ("a", "b", "c"), labels.astype(np.int32),
                      [str(i) for i in range(n)], images.astype(np.uint8))
recipe = training.TrainingKnobs(backbone=backbone, epochs=3, batch_size=25, lr=0.05, momentum=0.9,
                         ema_decay=0.9, clip=1.0, shift=1, flip="yes")
context = LocalContext(seed=7)
with training.Session(data, recipe, context) as session:
    for epoch in session.epochs():
        for batch in session.batches(epoch):
            logits = session.forward(batch.images)
            losses = F.cross_entropy(logits, batch.labels, reduction="none")
            chosen = losses.detach() <= losses.detach().median()  # of the global batch
            session.step(losses[chosen].mean() + logits.softmax(1).mean(0).square().sum())
            session.record(batch, logits.softmax(1), losses.detach())
    found = {f"model.{k}": v.numpy() for k, v in session.model.state_dict().items()}
    found |= {f"averaged.{k}": v.numpy() for k, v in session.averaged.state_dict().items()}
    found["recorded"] = session.recorder.mean_probs()
    found["predicted"] = session.predict_probs().numpy()
    found["features"] = session.features()
    found["loss"] = np.array(session.history["train_loss"])
"""

REPRESENT = """
from pathlib import Path
from lnl_core.learning import contrastive, features
from lnl_core.types import LabeledDataset

contrastive._TICK = 0.0
kind, folder, stop = words
rng = np.random.default_rng(3)
n = 71
images = rng.integers(0, 250, (n, 8, 8, 3), dtype=np.uint8)
data = LabeledDataset("d", ("a", "b"), np.zeros(n, np.int32), [str(i) for i in range(n)], images)

class Stop(Exception):
    pass

def report(stage, fraction, metrics):
    if stop and list(Path(folder).rglob(contrastive.STATE)):
        raise Stop

values = np.zeros(0)
try:
    values = features.cached(Path(folder), data, f"{kind}:2", "cpu", report)
except Stop:
    pass
found = {"values": values}
"""

WAIT = """
import threading
from pathlib import Path
from lnl_core.learning import contrastive, features
from lnl_core.store import locks
from lnl_core.store.arrays import write_array, write_json
from lnl_core.types import LabeledDataset

rng = np.random.default_rng(3)
images = rng.integers(0, 250, (20, 8, 8, 3), dtype=np.uint8)
data = LabeledDataset("d", ("a", "b"), np.zeros(20, np.int32), [str(i) for i in range(20)], images)
folder = Path(words[1]) / "features" / features.cache_key("v", "simclr:1")
held, go_on = threading.Event(), threading.Event()

def other_job():
    with locks.held(folder / "lock"):
        held.set()
        go_on.wait()
        write_array(folder / "features.npy", np.full((20, 8), 7, np.float16))
        write_json(folder / "meta.json", {"representation": "simclr:1", "shape": [20, 8]})

def train(*told, **more):
    raise SystemExit("trains, though another job has made the features")

contrastive.train = train
if group.rank == 0:
    folder.mkdir(parents=True)
    threading.Thread(target=other_job, daemon=True).start()
    held.wait()
report = lambda *told: go_on.set()  # this job waits
found = {"values": features.cached(Path(words[1]), data, "simclr:1", "cpu", report, version="v")}
"""

TOLERANCE = 2e-4
"""Largest difference of a weight or probability after nine steps: sums are rounded differently."""


@pytest.mark.slow
def test_two_processes_end_as_one_batch_norm_and_selection_included(tmp_path):
    (alone,) = gloo.run(tmp_path, TRAIN, 1, "resnet8")
    first, second = gloo.run(tmp_path, TRAIN, 2, "resnet8")
    assert alone["loss"][-1] < alone["loss"][0], "it learns nothing, so it proves nothing"
    for name, value in alone.items():
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        np.testing.assert_allclose(first[name], value, atol=TOLERANCE, rtol=2e-3, err_msg=name)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("simclr", marks=pytest.mark.slow),
        pytest.param("moco", marks=pytest.mark.long),
    ],
)
def test_two_processes_learn_one_representation_and_take_up_what_one_began(tmp_path, kind):
    (alone,) = gloo.run(tmp_path, REPRESENT, 1, kind, str(tmp_path / "one"), "")
    (none,) = gloo.run(tmp_path, REPRESENT, 1, kind, str(tmp_path / "stopped"), "stop")
    assert none["values"].size == 0
    assert list((tmp_path / "stopped").rglob("contrastive.safetensors"))
    for folder in ("two", "stopped"):
        first, second = gloo.run(tmp_path, REPRESENT, 2, kind, str(tmp_path / folder), "")
        np.testing.assert_array_equal(first["values"], second["values"])
        np.testing.assert_allclose(
            first["values"].astype(float), alone["values"].astype(float), atol=1e-3, rtol=2e-3
        )
    spread = np.ptp(alone["values"].astype(float), axis=0)
    assert spread.max() > 0.1, "all images look the same, so it proves nothing"


@pytest.mark.slow
def test_processes_that_wait_for_another_jobs_features_all_take_those(tmp_path):
    for each in gloo.run(tmp_path, WAIT, 2, "wait", str(tmp_path / "set")):
        np.testing.assert_array_equal(each["values"], np.full((20, 8), 7))


def test_shares_cover_a_batch_once():
    from lnl_core.learning.process_group import ProcessGroup

    for count in (0, 1, 2, 7, 64):
        for size in (1, 2, 3, 5):
            shares = [ProcessGroup(rank, size).shard(count) for rank in range(size)]
            rows = [row for share in shares for row in range(count)[share]]
            assert rows == list(range(count))
            lengths = [share.stop - share.start for share in shares]
            assert max(lengths) - min(lengths) <= 1


@pytest.mark.parametrize("shape", [(6, 4), (6, 4, 3, 3)])
def test_global_norm_of_one_process_is_batch_norm(shape, monkeypatch):
    import torch
    import torch.distributed as dist
    from torch import nn

    from lnl_core.learning.process_group import GlobalNorm, ProcessGroup

    monkeypatch.setattr(dist, "all_reduce", lambda value: None)  # one process: the sum is its own
    torch.manual_seed(0)
    kind = nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d
    native, twin = kind(4), kind(4)
    ours = GlobalNorm.of(twin, ProcessGroup())
    assert set(ours.state_dict()) == set(native.state_dict())
    values = 1000 + torch.randn(shape)  # a large mean costs naive sums their precision
    one, other = values.clone().requires_grad_(), values.clone().requires_grad_()
    weights = torch.randn(shape)
    expected, found = native(one), ours(other)
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)
    torch.testing.assert_close(other.grad, one.grad, atol=2e-3, rtol=1e-3)
    for name, value in native.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[name], value, msg=name)
    native.eval(), ours.eval()
    torch.testing.assert_close(ours(values), native(values))


def test_shares_of_global_dropout_are_the_mask_of_one_process():
    import torch
    from torch.nn import functional as F

    from lnl_core.learning.process_group import GlobalDropout, ProcessGroup

    values = 1 + torch.rand(7, 5)
    torch.manual_seed(4)
    expected = F.dropout(values, 0.4)
    after = torch.rand(1)
    found = []
    for rank in range(3):
        group = ProcessGroup(rank, 3)
        group.rows = len(values)
        torch.manual_seed(4)
        found.append(GlobalDropout(0.4, group)(values[group.shard(len(values))]))
        assert torch.equal(torch.rand(1), after), "what is drawn later must stay alike"
    assert torch.equal(torch.cat(found), expected)
    assert torch.equal(GlobalDropout(0.4, group).eval()(values), values)
