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


@pytest.mark.parametrize("name", ["label", "y", "targets", "y_train", "given_labels"])
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
    assert asked(saved(tmp_path, images=IMAGES, labels=LABELS, noisy_labels=(LABELS + 1) % 3))
    assert asked(saved(tmp_path, images=IMAGES, labels=LABELS, label_ids=LABELS + 1)) == []


def test_truth_is_never_taken_for_the_given_labels(tmp_path):
    path = saved(tmp_path, images=IMAGES, labels=LABELS, true_labels=OTHER)
    assert asked(path) == []
    only = saved(tmp_path, images=IMAGES, true_labels=OTHER)
    with pytest.raises(LnlError, match="no array “labels”"):
        importers.read(only)


def test_two_arrays_of_images_are_asked_about_and_labels_go_with_the_chosen_one(
    tmp_path, do_import
):
    path = saved(tmp_path, day=IMAGES, day_y=LABELS, night=IMAGES[:8], night_y=OTHER[:8])
    (question,) = asked(path, "image_column")
    assert {choice.value for choice in question.choices} == {"day", "night"}
    got = do_import(path, answers=Answers(image_column="night"))
    np.testing.assert_array_equal(got.images, IMAGES[:8])
    np.testing.assert_array_equal(got.given, (OTHER[:8]).astype(str))


def test_what_is_not_read_is_named_and_a_wrong_name_is_answered_with_a_near_one(tmp_path):
    path = saved(tmp_path, images=IMAGES, labels=LABELS, camera=np.arange(12))
    assert "Array “camera” is not taken along." in importers.read(path).notes
    with pytest.raises(LnlError, match=r"Did you mean “labels”.*It holds: “camera”"):
        importers.read(path, answers=Answers(label_column="lables"))
    with pytest.raises(LnlError, match="--image-column"):
        importers.read(saved(tmp_path, labels=LABELS))


def in_parts(tmp_path, *, column=False, **changed):
    labels = OTHER[:, None].astype(np.uint8) if column else OTHER
    parts = {
        "test_images": IMAGES[9:],
        "test_labels": labels[9:],
        "train_images": IMAGES[:7],
        "train_labels": labels[:7],
        "val_images": IMAGES[7:9],
        "val_labels": labels[7:9],
    }
    return saved(tmp_path, **(parts | changed))


@pytest.mark.parametrize("column", [False, True])
def test_arrays_in_parts_are_read_together_as_splits(tmp_path, do_import, column):
    path = in_parts(tmp_path, column=column)
    reading = importers.read(path)
    assert not reading.questions
    assert dict(reading.splits) == {"train": 7, "val": 2, "test": 3}
    assert any("“val_images”, “val_labels” are val" in note for note in reading.notes)
    got = do_import(path)
    np.testing.assert_array_equal(got.images, IMAGES)
    np.testing.assert_array_equal(got.given, OTHER.astype(str))


def test_one_part_can_be_asked_for_with_its_own_labels(tmp_path, do_import):
    got = do_import(in_parts(tmp_path), answers=Answers(image_column="val_images"))
    np.testing.assert_array_equal(got.images, IMAGES[7:9])
    np.testing.assert_array_equal(got.given, OTHER[7:9].astype(str))


def test_parts_that_do_not_fit_together_are_asked_about(tmp_path):
    path = in_parts(tmp_path, val_images=IMAGES[7:9, :5])
    assert asked(path, "image_column")
    path = in_parts(tmp_path, train_labels_2=LABELS[:7])
    assert asked(path, "image_column")


@pytest.mark.parametrize("name", ["preds", "fold", "is_test", "index", "fine"])
def test_an_array_that_is_not_called_like_labels_is_asked_about(tmp_path, name):
    cells = np.arange(12) if name == "index" else LABELS % 2 if name == "is_test" else LABELS
    (question,) = asked(saved(tmp_path, images=IMAGES, **{name: cells}))
    assert question.is_open
    assert [choice.value for choice in question.choices] == [name]


def test_of_several_that_could_be_labels_outputs_splits_and_an_index_come_last(tmp_path):
    path = saved(tmp_path, images=IMAGES, fold=LABELS, preds=LABELS[::-1], index=np.arange(12),
                 what=OTHER)  # fmt: skip
    (question,) = asked(path)
    assert question.choices[0].value == "what"


def test_labels_of_another_kind_say_what_to_save(tmp_path):
    with pytest.raises(LnlError, match="astype"):
        importers.read(saved(tmp_path, images=IMAGES, y=LABELS.astype(float)))
    with pytest.raises(LnlError, match="argmax"):
        importers.read(saved(tmp_path, images=IMAGES, label=np.eye(3)[LABELS]))
    path = saved(tmp_path, images=IMAGES, labels=LABELS)
    with pytest.raises(LnlError, match="holds no images"):
        importers.read(path, answers=Answers(image_column="labels"))


def test_labels_of_parts_are_whole_numbers_together_and_words_are_not_mixed_in(tmp_path, do_import):
    path = in_parts(
        tmp_path, train_labels=OTHER[:7].astype(np.uint64), val_labels=OTHER[7:9].astype(np.int64)
    )
    np.testing.assert_array_equal(do_import(path).given, OTHER.astype(str))
    path = in_parts(tmp_path, train_labels=np.array(["ant", "bee", "cow"])[OTHER[:7]])
    assert asked(path, "image_column")


def test_arrays_of_labels_that_differ_in_the_last_images_are_asked_about(tmp_path):
    labels = np.arange(6_000) % 3
    other = np.where(np.arange(6_000) < 5_900, labels, 0)
    images = np.zeros((6_000, 2, 2), np.uint8)
    (question,) = asked(saved(tmp_path, images=images, labels=labels, old_labels=other))
    assert "look like labels and differ" in question.text
