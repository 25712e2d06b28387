"""Copies in the front door: told, or found in the images."""

import numpy as np
import pytest

import lnl_core as lnl
from lnl_core.types import LnlError


def repeated(n=90, k=3, seed=0):
    """Pictures of k looks; the first three wrong, and the last one stored six times, all wrong."""
    rng = np.random.default_rng(seed)
    looks = rng.integers(40, 200, (k, 4, 4))
    truth = np.append(np.arange(n) % k, np.full(6, 1))
    coarse = looks[truth] + rng.normal(0, 30, (len(truth), 4, 4))
    images = np.kron(coarse, np.ones((1, 4, 4))) + rng.normal(0, 8, (len(truth), 16, 16))
    images[n + 1 :] = images[n]
    labels = truth.copy()
    labels[:3] = (labels[:3] + 1) % k
    labels[n:] = 2
    return np.clip(images, 0, 255).astype(np.uint8), labels, truth


def suspicion(images, labels, **more):
    """What the probe says, by row: of copies, and of single wrong labels, the medians."""
    table = lnl.rank(images, labels, ["probe", "knn"], progress=False, **more).sort_index()
    return table["suspicion_probe"][90:].median(), table["suspicion_probe"][:3].median()


def test_copies_are_found_in_the_images():
    images, labels, _ = repeated()
    copies, single = suspicion(images, labels)
    assert copies > 0.9 * single
    copies, single = suspicion(images, labels, groups=range(96))
    assert copies < 0.6 * single


def test_features_bring_no_pictures_so_copies_are_told():
    images, labels, _ = repeated()
    features = images.reshape(96, -1).astype(float)
    groups = [f"photo {min(row, 90)}" for row in range(96)]
    blind, single = suspicion(features, labels)
    assert blind < 0.6 * single
    told, single = suspicion(features, labels, groups=groups)
    assert told > 0.9 * single


def test_contradicting_copies_come_first_and_are_errors():
    labels = np.arange(60) % 3
    probs = np.full((60, 3), 0.05)
    probs[np.arange(60), labels] = 0.9
    labels[7] = 2  # one of three copies of one picture
    probs[7] = [0.05, 0.4, 0.55]  # and the model believes it
    groups = np.where(np.isin(np.arange(60), [7, 10, 13]), 7, np.arange(60))
    assert not lnl.find_label_errors(labels, probs).any()
    assert np.flatnonzero(lnl.find_label_errors(labels, probs, groups=groups)).tolist() == [7]
    assert lnl.find_label_errors(labels, probs, groups=groups, ranked=True).tolist() == [7]
    table = lnl.rank_probs(labels, [probs], groups=groups)
    assert table.index[0] == 7
    assert table["suggested_label"].iloc[0] == "1"


@pytest.mark.parametrize(
    ("groups", "words"),
    [([1, 2], "one per image"), ([[1, 2]] * 6, "one per image"), ([1, 2, 3, None, 4, 5], "Row 3")],
)
def test_groups_that_do_not_do_are_refused(groups, words):
    with pytest.raises(LnlError, match=words):
        lnl.find_label_errors([0, 1] * 3, np.full((6, 2), 0.5), groups=groups)
