"""The plain loop that `ce` is timed against: its recipe, its epochs, its views."""

import numpy as np
import torch

from benchmarks import _bare, speed
from lnl_core.jobs.context import LocalContext


def test_it_rings_at_the_end_of_every_epoch_and_takes_the_recipe_of_the_others():
    ends = []

    class Ends(LocalContext):
        def save(self, arrays, state):
            ends.append(state["epoch"])

    fit, config = speed.contender("bare", "mlp", 16, 3)
    assert fit is _bare.fit
    assert config.batch_size == speed.contender("ce", "mlp", 16, 3)[1].batch_size
    fit(speed.images(48, 16), config, Ends("cpu"))
    assert ends == [1, 2, 3]


def test_a_view_is_the_image_moved_by_an_eighth_at_most():
    torch.manual_seed(0)
    image = torch.arange(16.0).expand(64, 1, 16, 16) / 16  # each column has its own value
    moved = _bare.views(image) * 0.25 + 0.5
    inner = moved[:, 0, 8, 2:14] * 16
    steps = np.unique(inner.diff(dim=1).round().numpy())
    assert set(steps) <= {-1.0, 1.0}
    first = set(inner[:, 0].round().int().tolist())
    assert first <= {0, 1, 2, 3, 4} | {11, 12, 13, 14, 15}  # column 2, or 13 where mirrored
    assert len(first) > 5
