"""Classes called train or valid, inside the folders of splits; splits that lie deep."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import put, read, stops

CLASSES = {"vehicles": ("bus", "train"), "valid": ("valid", "invalid")}


def images(classes):
    """Yield (split, class, path), every name once."""
    number = 0
    for split in ("train", "test"):
        for label in classes:
            for _ in range(3):
                yield split, label, f"{label}/{number}.png"
                number += 1


@pytest.mark.parametrize("classes", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("form", ["whole paths", "a column", "below the split", "a list each"])
def test_the_split_is_the_folder_that_all_have(tmp_path, agrees, classes, form):
    rows = list(images(classes))
    source = put(tmp_path / "s", [f"{split}/{path}" for split, _, path in rows])
    lines = {
        "whole paths": [f"{split}/{path},{label}" for split, label, path in rows],
        "a column": [f"{path.split('/')[1]},{label},{split}" for split, label, path in rows],
        "below the split": [f"{path},{label},{split}" for split, label, path in rows],
        "a list each": [f"{path},{label}" for _, label, path in rows],
    }[form]
    parts = {"train": lines[:6], "test": lines[6:]} if form == "a list each" else {"all": lines}
    header = "image,label,split" if lines[0].count(",") == 2 else "image,label"
    for name, part in parts.items():
        (source / f"{name}.csv").write_text("\n".join([header, *part]) + "\n")
    got = agrees(source)
    assert got.report.n == 12
    for path, label, split in zip(got.paths, got.given, got.splits, strict=True):
        assert path.split("/")[:2] == [split, label]


def test_names_that_come_in_both_splits_are_told_apart_below_a_class(tmp_path, agrees):
    paths = [f"{split}/train/{at}.png" for split in ("train", "test") for at in range(3)]
    source = put(tmp_path / "s", [*paths, "train/bus/9.png", "test/bus/8.png"])
    rows = [f"train/{at}.png,train,{split}" for split in ("train", "test") for at in range(3)]
    rows += ["bus/9.png,bus,train", "bus/8.png,bus,test"]
    (source / "labels.csv").write_text("\n".join(["image,label,split", *rows]) + "\n")
    got = agrees(source)
    assert sorted(got.paths) == sorted([*paths, "train/bus/9.png", "test/bus/8.png"])
    assert all(
        path.startswith(f"{split}/") for path, split in zip(got.paths, got.splits, strict=True)
    )


@pytest.mark.parametrize("deep", ["", "images", "data/v1/images/raw"])
def test_rows_of_train_never_get_images_of_test_however_deep_these_lie(tmp_path, agrees, deep):
    around = f"{deep}/" if deep else ""
    there = [f"{around}train/{at}.png" for at in range(4)]
    source = put(tmp_path / "s", [*there, *(f"{around}test/{at}.png" for at in range(4, 8))])
    rows = [f"{at}.png,{'ab'[at % 2]}" for at in range(6)]
    (source / "train.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    stops(source, "images_in", tmp_path)
    got = agrees(source, Answers(images_in="none"))
    assert sorted(got.paths) == there
    assert read(source, images_in="none").n == 4
