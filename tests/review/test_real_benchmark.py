"""The benchmark of skewed, small and odd sets: its cuts, its scores, and one small run of it."""

import numpy as np
import pytest

from benchmarks import real
from lnl_core.store import arrays
from lnl_core.types import LabeledDataset
from tests.conftest import shared


def case(given, truth, names=("a", "b", "c")):
    n = len(given)
    images = np.zeros((n, 8, 8, 3), np.uint8)
    ids = [str(row) for row in range(n)]
    dataset = LabeledDataset("set", names, np.asarray(given), ids, images, true_labels=truth)
    return real.known("case", dataset, np.zeros((n, 4), np.float32))


def test_a_cut_falls_from_800_by_the_ratio():
    labels = np.repeat(np.arange(5), 900)
    rows = real.long_tail(labels, 16, 0)
    assert sorted(np.bincount(labels[rows]).tolist()) == [50, 100, 200, 400, 800]
    assert len(np.unique(rows)) == len(rows)
    assert not np.array_equal(rows, real.long_tail(labels, 16, 1))


def test_scores_by_hand():
    one = case([0, 0, 1, 2], np.array([0, 1, 1, 0]))
    p = np.array([0.1, 0.9, 0.2, 0.6])
    found = real.scores(one, p, np.array([1, 1, 0, 1]), p)
    assert (found["ap"], found["fix"], found["wrong"]) == (1, 0.5, 0.5)
    assert (found["mean_p"], found["above"]) == (0.45, 2)
    clean = real.scores(case([0, 1], np.array([0, 1])), np.array([0.2, 0.7]), None, [0.2, 0.7])
    assert "ap" not in clean
    assert clean["above"] == 1


def test_what_is_not_judged_is_not_scored():
    one = case([0, 0, 1, 2], np.array([0, 1, 1, 0]))
    part = real.Case(
        "part",
        one.dataset,
        one.features,
        np.array([0, 3]),
        np.array([0, 0]),
        np.array([False, True]),
    )
    assert real.scores(part, np.array([0.5, 0.9, 0.9, 0.1]), None)["ap"] == 0.5


@pytest.mark.slow
def test_the_small_sets_run(tmp_path):
    shared("cifar10n_dev.npz")
    out = tmp_path / "real.json"
    real.main(["--sets", "small", "--methods", "probe", "--work", str(tmp_path), "--out", str(out)])
    assert len(arrays.read_json(out)) == 8
