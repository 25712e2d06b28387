"""Fixtures of the benchmarks' tests."""

import numpy as np
import pytest


@pytest.fixture
def small_npz(tmp_path):
    rng = np.random.default_rng(0)
    truth = np.arange(90) % 3
    images = rng.integers(0, 80, (90, 8, 8, 1), dtype=np.uint8)
    for row, label in enumerate(truth):
        images[row, label * 2 : label * 2 + 3] += 120
    labels = truth.copy()
    labels[:9] = (labels[:9] + 1) % 3
    path = tmp_path / "small.npz"
    np.savez(path, images=images, labels=labels, true_labels=truth)
    return path
