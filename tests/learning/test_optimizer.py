"""Our descent, and the baselines' Adam, against torch's own, on both paths and in both layouts."""

import subprocess
import sys

import pytest
import torch

from benchmarks._adam import Adam
from lnl_core.learning import optimizer as module
from lnl_core.learning.optimizer import Sgd


def network(layout):
    torch.manual_seed(0)
    body = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten(), torch.nn.Linear(64, 2))
    return body.to(memory_format=layout)


def go_the_same_way(*pairs):
    """Take six steps with each network and its optimiser; their weights stay the same."""
    images = torch.linspace(-1, 1, 5 * 3 * 36).view(5, 3, 6, 6)
    for _ in range(6):
        for model, descent in pairs:
            descent.zero_grad()
            model(images).square().mean().backward()
            descent.step()
    (ours, _), (theirs, _) = pairs
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.9, True), (0.9, False), (0.0, False)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_same_steps_as_torch(monkeypatch, fused, momentum, nesterov, layout):
    if not fused:
        monkeypatch.setattr(module, "_fits_one_kernel", lambda *parts: False)
    with torch.random.fork_rng(devices=[]):
        ours, theirs = network(layout), network(layout)
    knobs = {"lr": 0.1, "momentum": momentum, "weight_decay": 0.01, "nesterov": nesterov}
    pairs = (
        (ours, Sgd(ours.parameters(), **knobs)),
        (theirs, torch.optim.SGD(theirs.parameters(), **knobs)),
    )
    go_the_same_way(*pairs)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_baselines_adam_takes_the_same_steps_as_torch(layout):
    with torch.random.fork_rng(devices=[]):
        ours, theirs = network(layout), network(torch.contiguous_format)
    start = Sgd(ours.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    pairs = ((ours, Adam(start)), (theirs, torch.optim.Adam(theirs.parameters(), lr=1e-3)))
    go_the_same_way(*pairs)


def test_training_does_not_load_the_compiler():
    code = (
        "import sys, torch\n"
        "from lnl_core.learning import training\n"
        "w = torch.nn.Parameter(torch.ones(3)); s = training.Sgd([w], lr=.1, momentum=.9,"
        " weight_decay=0.)\n"
        "w.sum().backward(); torch.nn.utils.clip_grad_norm_([w], 5.0); s.step()\n"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
