"""The benchmark of the feedback round: who judges is not told, and deeper reviews correct more."""

import numpy as np
import pytest

from benchmarks import feedback
from lnl_core.types import LabeledDataset


@pytest.fixture
def blobs():
    """Three hundred points in three heaps, a fifth of the labels wrong; and others to test on."""
    rng = np.random.default_rng(2)
    truth = np.arange(300) % 3
    wrong = rng.random(300) < 0.2
    given = np.where(wrong, (truth + 1) % 3, truth)
    features = (np.eye(3)[truth] * 3 + rng.normal(size=(300, 3))).astype(np.float32)
    ids = [str(row) for row in range(300)]
    images = np.zeros((300, 8, 8, 3), np.uint8)
    dataset = LabeledDataset("blobs", ("a", "b", "c"), given, ids, images, true_labels=truth)
    right = np.arange(90) % 3
    return dataset, features, ((np.eye(3)[right] * 3).astype(np.float32), right)


def test_images_that_judge_keep_their_labels_and_no_answer_is_judged(blobs, monkeypatch):
    dataset, features, test = blobs
    given, truth = np.asarray(dataset.given_labels), np.asarray(dataset.true_labels)
    told = []
    plain = feedback.ranked

    def heard(some, *more):
        told.append(np.asarray(some.given_labels))
        return plain(some, *more)

    monkeypatch.setattr(feedback, "ranked", heard)
    lines = feedback.rounds(dataset, features, test, ["probe"], 0)
    held = np.random.default_rng(0).choice(300, 60, replace=False)
    assert len(told) == 1 + len(lines)
    for line, labels in zip(lines, told[1:], strict=True):
        changed = np.flatnonzero(labels != given)
        assert np.array_equal(labels[changed], truth[changed])
        assert not np.isin(changed, held).any()
        assert line["corrected"] == len(changed) <= line["reviewed"]
        assert line["left"] + line["corrected"] == (truth != given).sum()
        assert 0 <= line["held_before"] <= 1
        assert line["error_after"] <= line["error_before"]
        assert abs(line["p_after"] - line["rest"]) <= abs(line["p_run"] - line["rest"]) + 0.005
    corrected = [line["corrected"] for line in lines]
    assert corrected == sorted(corrected)
    assert corrected[0] < corrected[-1]


def test_a_mean_without_a_figure_is_none():
    assert feedback.mean([{"a": 1.0, "b": None}, {"a": 2.0, "b": 1.0}]) == {"a": 1.5, "b": None}
