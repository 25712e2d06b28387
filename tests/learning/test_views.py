"""Second views of a batch: made in blocks, handed out batch by batch."""

import numpy as np
import pytest
import torch

from lnl_core.jobs.context import LocalContext
from lnl_core.learning import training
from lnl_core.types import LabeledDataset


def numbered(n, size):
    """Images that are flat, each of a shade of its own."""
    images = np.broadcast_to(np.arange(n, dtype=np.uint8)[:, None, None, None], (n, size, size, 1))
    return LabeledDataset(
        "shades", ("a", "b"), np.arange(n) % 2, [str(i) for i in range(n)], images
    )


@pytest.mark.parametrize("pixels", [1, 3 * 16 * 64, 1 << 20], ids=["one", "three", "all"])
def test_second_views_show_the_same_images(monkeypatch, pixels):
    monkeypatch.setattr(training, "_BLOCK_PIXELS", pixels)
    recipe = training.TrainingKnobs(backbone="cnn3", epochs=2, batch_size=16, shift=0)
    made = []

    def change(images):
        made.append(len(images))
        return 255 - images

    with training.Session(numbered(100, 8), recipe, LocalContext()) as session:
        for epoch in session.epochs():
            made.clear()
            for batch in session.batches(epoch, change):
                assert torch.equal(batch.at, batch.rows.cpu())
                plain = session.source.normalise(session.source.batch(batch.at))
                turned = session.source.normalise(255 - session.source.batch(batch.at))
                assert torch.equal(batch.images, plain)
                assert torch.equal(batch.changed, turned)
            assert sum(made) == 100
            assert max(made) == {1: 20, 3 * 16 * 64: 48, 1 << 20: 100}[pixels]


def test_without_a_change_there_is_no_second_view():
    recipe = training.TrainingKnobs(backbone="cnn3", epochs=1, batch_size=16)
    with training.Session(numbered(40, 8), recipe, LocalContext()) as session:
        for epoch in session.epochs():
            assert all(batch.changed is None for batch in session.batches(epoch))
