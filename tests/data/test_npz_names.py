"""Arrays of an NPZ under other names than ours: read where it is plain, asked where it is not."""

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from lnl_core.types import LnlError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (12, 9, 10, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3
OTHER = (LABELS + (np.arange(12) > 8)) % 3


def saved(tmp_path, **arrays):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, **arrays)
    return path


def asked(path, key="label_column", **answers):
    questions = importers.read(path, answers=Answers(**answers)).questions
    return [question for question in questions if question.key == key]


@pytest.mark.parametrize("name", ["label", "y", "targets", "y_train", "given_labels", "fine"])
def test_the_only_array_that_could_be_labels_is_read(tmp_path, do_import, name):
    path = saved(tmp_path, images=IMAGES, weights=np.linspace(0, 1, 12), **{name: LABELS})
    assert asked(path) == []
    np.testing.assert_array_equal(do_import(path).labels, LABELS)


def test_several_sets_of_labels_are_asked_about_and_the_chosen_one_is_read(tmp_path, do_import):
    path = saved(
        tmp_path, images=IMAGES, a_label=LABELS, b_label=OTHER, official_index=np.arange(12)
    )
    (question,) = asked(path)
    assert question.is_open
    assert [choice.value for choice in question.choices] == ["a_label", "b_label"]
    assert "25.0% of the rows differ" in question.choices[1].words
    np.testing.assert_array_equal(
        do_import(path, answers=Answers(label_column="B_label")).labels, OTHER
    )


def test_an_array_beside_labels_that_differs_is_asked_about_and_one_that_agrees_is_not(tmp_path):
    named = np.array(["ant", "bee", "cow"])[LABELS]
    path = saved(tmp_path, images=IMAGES, labels=LABELS, label_names_of_rows=named)
    assert asked(path) == []
    (question,) = asked(saved(tmp_path, images=IMAGES, labels=LABELS, noisy_labels=OTHER))
    assert (question.default, question.stops) == ("labels", True)
    assert asked(path, label_column="labels") == []


def test_truth_is_never_taken_for_the_given_labels(tmp_path):
    path = saved(tmp_path, images=IMAGES, labels=LABELS, true_labels=OTHER)
    assert asked(path) == []
    only = saved(tmp_path, images=IMAGES, true_labels=OTHER)
    with pytest.raises(LnlError, match="no array “labels”"):
        importers.read(only)


def test_two_arrays_of_images_are_asked_about_and_labels_go_with_the_chosen_one(
    tmp_path, do_import
):
    path = saved(tmp_path, x_train=IMAGES, y_train=LABELS, x_test=IMAGES[:5], y_test=OTHER[:5])
    (question,) = asked(path, "image_column")
    assert {choice.value for choice in question.choices} == {"x_train", "x_test"}
    got = do_import(path, answers=Answers(image_column="x_test"))
    np.testing.assert_array_equal(got.images, IMAGES[:5])
    np.testing.assert_array_equal(got.given, (OTHER[:5]).astype(str))


def test_what_is_not_read_is_named_and_a_wrong_name_is_answered_with_a_near_one(tmp_path):
    path = saved(tmp_path, images=IMAGES, labels=LABELS, camera=np.arange(12))
    assert "Array “camera” is not taken along." in importers.read(path).notes
    with pytest.raises(LnlError, match=r"Did you mean “labels”.*It holds: “camera”"):
        importers.read(path, answers=Answers(label_column="lables"))
    with pytest.raises(LnlError, match="--image-column"):
        importers.read(saved(tmp_path, labels=LABELS))
