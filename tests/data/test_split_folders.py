"""Lists of splits whose folders have files of the same names: train/0.png and test/0.png."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import put, read

AROUND = {"beside": ("{}.csv", "{}/"), "apart": ("labels/{}.csv", "images/{}/")}


def written(folder, around, train, test, ending=".png"):
    """Write train and test, each with a list of names; the labels tell the splits apart."""
    for split, (there, listed) in {"train": train, "test": test}.items():
        file, images = (each.format(split) for each in around)
        put(folder, [f"{images}{at}.png" for at in there])
        (folder / file).parent.mkdir(exist_ok=True)
        rows = [f"{at}{ending},{split} {at % 2}" for at in listed]
        (folder / file).write_text("\n".join(["image,label", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("ending", [".png", "", ".PNG"])
@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_each_list_has_the_images_of_its_split(tmp_path, agrees, around, ending):
    numbers = range(6)
    source = written(tmp_path / "s", around, [numbers] * 2, [numbers] * 2, ending)
    got = agrees(source)
    assert (got.report.n, got.report.skipped) == (12, 0)
    for path, label, split in zip(got.paths, got.given, got.splits, strict=True):
        assert path.split("/")[-2] == split == label.split(" ")[0]
    assert any(note.startswith("Images of splits are those") for note in read(source).notes)


def test_an_image_is_never_taken_from_the_folder_of_another_split(tmp_path, agrees):
    source = written(tmp_path / "s", AROUND["beside"], [range(9)] * 2, [range(5), range(7)])
    got = agrees(source, Answers(images_in="none"))
    assert got.paths.count("train/5.png") == 1
    assert sorted(got.splits) == ["test"] * 5 + ["train"] * 9
    (left,) = read(source).left_out
    assert (left.count, left.first) == (2, "test/5.png")


def test_a_split_without_a_folder_of_its_own_is_found_by_name(tmp_path, agrees):
    source = put(tmp_path / "s", [*(f"train/{at}.png" for at in range(8)), "test/90.png"])
    for split, rows in (("train", range(4)), ("val", range(4, 8)), ("test", [90])):
        lines = [f"{at}.png,{'ab'[at % 2]}" for at in rows]
        (source / f"{split}.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    got = agrees(source)
    assert (got.report.n, got.splits.count("val")) == (9, 4)


def test_the_column_of_splits_says_the_folder(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{s}/{at}.png" for s in ("train", "valid") for at in range(4)])
    rows = [f"{at}.png,{s[0]}{at % 2},{s}" for s in ("train", "val") for at in range(4)]
    (source / "list.csv").write_text("\n".join(["image,label,split", *rows]) + "\n")
    got = agrees(source, Answers(labels_in="list"))
    assert got.paths == [f"{s}/{at}.png" for s in ("train", "valid") for at in range(4)]
