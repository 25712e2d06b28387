"""Sources that people point to: sets for detection, archives, copies of folders, loops of links."""

import json
import os
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from lnl_core.data import importers
from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


def photos(root, paths):
    for seed, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(picture(seed=seed)))
    return root


def pair(root, names=("cat", "dog"), n=2):
    return photos(root, [f"{name}/{i}.jpg" for name in names for i in range(n)])


def asked(reading):
    return {each.key: each for each in reading.questions}


def counts(reading):
    return {each.name: each.count for each in reading.classes}


def test_a_link_that_leads_round_in_a_circle_stops_nothing(tmp_path, agrees):
    source = pair(tmp_path / "s")
    (source / "self").symlink_to("self")
    (source / "cat" / "up").symlink_to("..")
    (source / "cat" / "gone.jpg").symlink_to("nowhere.jpg")
    reading = importers.read(source)
    assert counts(reading) == {"cat": 2, "dog": 2}
    assert any("leads nowhere" in each.reason for each in reading.left_out)
    agrees(source)


def test_a_set_for_detection_is_no_set_of_classes(tmp_path):
    source = photos(tmp_path / "s", [f"images/train/{i}.jpg" for i in range(4)])
    for i in range(4):
        (source / "labels" / "train").mkdir(parents=True, exist_ok=True)
        (source / "labels" / "train" / f"{i}.txt").write_text("0 .5 .5 .2 .2\n")
    with pytest.raises(LnlError, match=r"no classes: this looks like a set for detection"):
        importers.read(source)


def coco(images, labels):
    """An annotation file as COCO writes it: the categories of each image's boxes."""
    names = {"cat": 7, "dog": 3}
    boxes = [(i, names[name]) for i, each in enumerate(labels) for name in each]
    return json.dumps(
        {
            "images": [{"id": i, "file_name": name} for i, name in enumerate(images)],
            "categories": [{"id": number, "name": name} for name, number in names.items()],
            "annotations": [{"id": i, "image_id": a, "category_id": b, "bbox": [0, 0, 2, 2]}
                            for i, (a, b) in enumerate(boxes)],
        }
    )  # fmt: skip


SIX = (["cat"], ["dog"], ["cat", "cat"], ["dog"], ["cat"], ["cat"])
PLACES = ("train/0.jpg", "train/1.jpg", "train/2.jpg", "val/3.jpg", "val/4.jpg", "val/5.jpg")


def annotated(root, how):
    """Split folders beside annotations: in one file, one a split, or one inside each."""
    around = "" if how == "inside" else "images/"
    photos(root, [around + place for place in PLACES])
    if how == "one":
        (root / "annotations.json").write_text(coco(PLACES, SIX))
        return root
    for split, part in (("train", slice(0, 3)), ("val", slice(3, 6))):
        file = root / "annotations" / f"instances_{split}.json"
        file = root / split / "_annotations.coco.json" if how == "inside" else file
        file.parent.mkdir(exist_ok=True)
        file.write_text(coco([place.rpartition("/")[2] for place in PLACES[part]], SIX[part]))
    return root


@pytest.mark.parametrize("how", ["one", "each", "inside"])
def test_split_folders_beside_an_annotation_file_are_read_with_splits(tmp_path, agrees, how):
    source = annotated(tmp_path / "s", how)
    reading = importers.read(source)
    assert counts(reading) == {"cat": 4, "dog": 2}
    assert dict(reading.splits) == {"train": 3, "val": 3}
    agrees(source)


def test_images_with_boxes_of_several_classes_are_asked_about(tmp_path):
    source = photos(tmp_path / "s", [f"images/{place}" for place in PLACES])
    boxes = (["cat", "dog"], [], *SIX[2:])
    (source / "annotations.json").write_text(coco(PLACES, boxes))
    questions = asked(importers.read(source))
    assert questions["several"].is_open
    assert questions["unlabelled"].text == "1 image with a blank label."


def test_class_folders_are_read_where_the_annotations_are_of_other_images(tmp_path):
    source = pair(tmp_path / "s")
    (source / "annotations.json").write_text(coco(["a.jpg", "b.jpg"], SIX))
    reading = importers.read(source)
    assert counts(reading) == {"cat": 2, "dog": 2}
    assert any("annotations.json" in each for each in reading.notes)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"images": 3}', '{"images": [{}], "annotations": []}']
)
def test_other_json_beside_class_folders_is_no_list(tmp_path, text):
    source = pair(tmp_path / "s")
    (source / "annotations.json").write_text(text)
    assert counts(importers.read(source)) == {"cat": 2, "dog": 2}


def test_folders_that_are_all_called_like_splits_are_asked_about(tmp_path, agrees):
    source = pair(tmp_path / "s", ("train", "val"))
    question = asked(importers.read(source))["parts"]
    assert question.is_open
    assert "“train”, “val” are called like splits" in question.text
    assert counts(importers.read(source, answers=Answers(parts="classes"))) == {
        "train": 2,
        "val": 2,
    }
    agrees(source, Answers(parts="classes"))


def test_archives_inside_are_said_to_be_unpacked_first(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "s" / name).mkdir(parents=True)
        with zipfile.ZipFile(tmp_path / "s" / name / "all.zip", "w") as packed:
            packed.writestr("0.jpg", encoded(picture()))
    with pytest.raises(LnlError, match=r"2 archives\. Unpack what is packed"):
        importers.read(tmp_path / "s")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as outer:
        for name in ("cat", "dog"):
            outer.write(tmp_path / "s" / name / "all.zip", f"{name}.zip")
    with pytest.raises(LnlError, match=r"2 archives\. Unpack what is packed"):
        importers.read(tmp_path / "all.zip", scratch=tmp_path / "zip")


def test_a_folder_that_was_copied_is_asked_about(tmp_path, agrees):
    names = ("cat", "cat (2)", "cat - Copy", "dog", "type (2)")
    reading = importers.read(pair(tmp_path / "s", names))
    question = asked(reading)["spellings"]
    assert question.is_open
    assert all(f"“{name}”" in question.text for name in names[:3])
    assert "type" not in question.text
    merged = importers.read(tmp_path / "s", answers=Answers(spellings="merge"))
    assert counts(merged) == {"cat": 6, "dog": 2, "type (2)": 2}
    agrees(tmp_path / "s", Answers(spellings="merge"))


def test_a_flat_folder_called_like_a_split_beside_classes_is_asked_about(tmp_path, agrees):
    source = pair(tmp_path / "s", ("blood", "urine", "test"))
    question = asked(importers.read(source))["parts"]
    assert question.is_open
    assert "“test” is called like a split and lies beside blood, urine" in question.text
    kept = importers.read(source, answers=Answers(parts="classes"))
    assert counts(kept) == {"blood": 2, "test": 2, "urine": 2}
    apart = importers.read(source, answers=Answers(parts="splits"))
    assert counts(apart) == {"blood": 2, "urine": 2}
    assert asked(apart)["unlabelled"].taken == "skip"
    agrees(source, Answers(parts="splits"))
    got = agrees(source, Answers(parts="splits", unlabelled="keep"))
    assert got.given.count("unlabelled") == 2
    assert {s for s, g in zip(got.splits, got.given, strict=True) if g == "unlabelled"} == {"test"}


LINES = ["im0.jpg,cat", "im1.jpg,dog", "im2.jpg,", "im3.jpg,", "im4.jpg,cat"]


def listed(tmp_path, lines):
    photos(tmp_path, [f"im{i}.jpg" for i in range(5)])
    (tmp_path / "list.csv").write_text("\n".join(["image,label", *lines]))
    return tmp_path


def test_rows_with_a_blank_label_can_be_kept_to_be_labelled(tmp_path, agrees):
    source = listed(tmp_path / "s", LINES)
    reading = importers.read(source)
    assert asked(reading)["unlabelled"].text == "2 images with a blank label."
    assert counts(reading) == {"cat": 2, "dog": 1}
    got = agrees(source, Answers(unlabelled="keep"))
    assert got.given.count("unlabelled") == 2
    assert got.meta["no_classes"] == ["unlabelled"]


def test_a_header_in_the_middle_is_no_class(tmp_path, agrees):
    source = listed(tmp_path / "s", [*LINES[:2], "image,label", LINES[4]])
    reading = importers.read(source)
    assert counts(reading) == {"cat": 2, "dog": 1}
    assert [each.reason for each in reading.left_out] == [
        "The row says the names of the columns again."
    ]
    agrees(source)


def test_arrays_labelled_by_sign_have_two_classes(tmp_path, agrees):
    file = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 255, (6, 8, 8), np.uint8)
    np.savez(file, images=images, labels=np.array([-1, 1] * 3))
    assert counts(importers.read(file)) == {"-1": 3, "1": 3}
    assert agrees(file).given == ["-1", "1"] * 3


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP"])
def test_pages_and_frames_that_are_not_read_are_said(tmp_path, format):
    source = pair(tmp_path / "s")
    more = [picture(seed=50), picture(seed=51)]
    picture(seed=9).save(source / "cat" / "all", format, save_all=True, append_images=more)
    notes = importers.read(source).notes
    assert any(note.startswith("1 of 5 file holds several pictures") for note in notes)
    Image.open(source / "cat" / "0.jpg").save(source / "cat" / "all", format)
    assert not any("several pictures" in note for note in importers.read(source).notes)


def test_a_thing_of_every_system_is_passed_over(tmp_path, agrees):
    source = pair(tmp_path / "s")
    for name in ("._0.jpg", ".DS_Store"):
        (source / "cat" / name).write_bytes(b"\0\5\x16\7")
    for name in ("Thumbs.db", "desktop.ini"):
        (source / "cat" / name).write_bytes(b"x")
    for folder in ("@eaDir", "lost+found", "cat/@eaDir", "#recycle", "$RECYCLE.BIN"):
        (source / folder).mkdir()
        shutil.copy(source / "cat" / "0.jpg", source / folder / "9.jpg")
    os.mkfifo(source / "dog" / "pipe.jpg")
    reading = importers.read(source)
    assert counts(reading) == {"cat": 2, "dog": 2}
    assert [each.first for each in reading.left_out] == ["dog/pipe.jpg"]
    agrees(source)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("shard-000.tar", "Unpack it"),
        ("set.tar.gz", "Unpack it"),
        ("images.npy", "numpy.savez_compressed"),
        ("train.h5", "numpy.savez_compressed"),
        ("train_32x32.mat", "numpy.savez_compressed"),
        ("set.pt", "numpy.savez_compressed"),
        ("notes.docx", "Choose a folder of class folders"),
    ],
)
def test_a_file_of_another_form_says_what_to_do_with_it(tmp_path, name, remedy):
    path = tmp_path / name
    path.write_bytes(b"PK\x03\x04" + bytes(200))  # .pt and .docx are zip files inside
    with pytest.raises(LnlError, match=f"{name} is none of the known forms.*{remedy}"):
        importers.read(path)


def test_a_folder_of_arrays_says_what_to_save(tmp_path):
    for name in ("images", "labels"):
        np.save(tmp_path / f"{name}.npy", np.arange(6))
    with pytest.raises(LnlError, match=r"holds 2 files of arrays.*images=\.\.\., labels="):
        importers.read(tmp_path)
