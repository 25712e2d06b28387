"""Splits that are called true and false, and ids that are none."""

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.making import encoded, picture


def asked(reading):
    return {each.key: each for each in reading.questions}


@pytest.fixture
def listed(tmp_path):
    """Four images in a list whose column `split` says true and false."""
    source = tmp_path / "s"
    source.mkdir()
    lines = ["image,label,split"]
    for i, kind in enumerate(("cat", "dog", "cat", "dog")):
        (source / f"{i}.jpg").write_bytes(encoded(picture(seed=i)))
        lines.append(f"{i}.jpg,{kind},{i != 1}")
    (source / "list.csv").write_text("\n".join(lines))
    return source


@pytest.fixture
def arrays(tmp_path):
    """The same as arrays."""
    file = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 255, (4, 8, 8), np.uint8)
    np.savez(file, images=images, labels=[0, 1, 0, 1], splits=np.array([True, False, True, True]))
    return file


@pytest.mark.parametrize("kind", ["listed", "arrays"])
@pytest.mark.parametrize(
    ("said", "splits"),
    [
        ("", {"True": 3, "False": 1}),
        ("names", {"True": 3, "False": 1}),
        ("train", {"train": 3, "test": 1}),
        ("test", {"test": 3, "train": 1}),
        ("val", {"val": 3, "train": 1}),
    ],
)
def test_splits_called_true_and_false_are_asked_about(request, agrees, kind, said, splits):
    source = request.getfixturevalue(kind)
    reading = importers.read(source, answers=Answers(split_true=said))
    question = asked(reading)["split_true"]
    assert (question.stops, question.answer) == (False, said)
    assert "says only true and false" in question.text
    assert dict(reading.splits) == splits
    assert any("--split-true" in note for note in reading.notes) == (not said)
    agrees(source, Answers(split_true=said))


def test_ids_that_repeat_as_labels_do_are_no_ids(tmp_path, agrees):
    file = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 255, (8, 8, 8), np.uint8)
    labels = np.arange(8) % 2
    np.savez(file, images=images, labels=labels, ids=np.array(["cat", "dog"])[labels])
    reading = importers.read(file)
    assert reading.n == 8
    assert "2 values in 8 rows" in asked(reading)["id_column"].text
    assert agrees(file).ids[:2] == ["0000000", "0000001"]
    kept = importers.read(file, answers=Answers(id_column="ids"))
    assert (kept.n, kept.left_out[0].count) == (2, 6)
