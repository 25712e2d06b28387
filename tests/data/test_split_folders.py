"""Lists of splits whose folders have files of the same names: train/0.png and test/0.png."""

import pytest

from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, stops

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


def splits_apart(got):
    """Hold that every image lies in the folder of its split."""
    for path, split in zip(got.paths, got.splits, strict=True):
        assert path.split("/")[0] == split


def test_the_folder_that_is_meant_is_asked_and_said_within_each_split(tmp_path, agrees):
    source = tmp_path / "s"
    for split in ("train", "test"):
        put(source, [f"{split}/{each}/{at}.png" for each in ("images", "masks") for at in range(4)])
        rows = "".join(f"{at}.png,{split[0]}{at % 2}\n" for at in range(4))
        (source / f"{split}.csv").write_text(f"image,label\n{rows}")
    said = stops(source, "images_in", tmp_path)
    assert "8 names of the list have files in several folders" in said
    choices = [each.value for each in asked(read(source))["images_in"].choices]
    assert choices == ["images", "masks", "none"]
    for each in choices[:2]:
        got = agrees(source, Answers(images_in=each))
        splits_apart(got)
        assert {path.split("/")[1] for path in got.paths} == {each}
        assert got.report.n == 8
    stops(source, "images_in", tmp_path, images_in="train/images")
    assert read(source, images_in="train/images").splits == {"train": 4}
    with pytest.raises(LnlError, match="no folder below"):
        read(source, images_in="pictures")


def test_a_split_cut_out_of_anothers_folder_is_found_there(tmp_path, agrees):
    names = [*(f"train/{at}.png" for at in range(10)), *(f"test/{at}.png" for at in range(5))]
    source = put(tmp_path / "s", names)
    for split, rows in (("train", range(7)), ("val", range(7, 10)), ("test", range(5))):
        lines = [f"{at}.png,{'ab'[at % 2]}" for at in rows]
        (source / f"{split}.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    got = agrees(source)
    assert got.report.n == 15
    assert sorted(got.paths) == sorted(names)
    lines = [f"{at}.png,{'ab'[at % 2]}" for at in range(3)]
    (source / "val.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    lines = [f"{at}.png,{'ab'[at % 2]}" for at in range(3, 10)]
    (source / "train.csv").write_text("\n".join(["image,label", *lines]) + "\n")
    got = agrees(source)  # those in test/ are the ones that rows of test name
    assert got.report.n == 15
    assert {p for p, s in zip(got.paths, got.splits, strict=True) if s == "val"} == {*names[:3]}
    assert any("in the folder of “train”, too" in note for note in read(source).notes)
    assert agrees(source, Answers(images_in="train")).report.n == 15


def test_of_folders_called_like_a_split_the_furthest_up_is_meant(tmp_path, agrees):
    source = written(tmp_path / "s", AROUND["beside"], [range(5)] * 2, [range(5)] * 2)
    put(source, [f"backup/train/{at}.png" for at in range(5)])
    put(source, [f"train/crops/{at}.png" for at in range(5)])
    got = agrees(source)
    assert got.report.n == 10
    splits_apart(got)
    assert not any("/crops/" in path for path in got.paths)


def test_a_row_that_names_a_splits_folder_itself_is_taken_at_its_word(tmp_path, agrees):
    source = put(
        tmp_path / "s", [f"images/{s}/{at}.png" for s in ("train", "test") for at in range(4)]
    )
    rows = [f"train/{at}.png,{'ab'[at % 2]},{'test' if at < 2 else 'train'}" for at in range(4)]
    rows += [f"{at}.png,{'ab'[at % 2]},test" for at in range(4)]
    (source / "list.csv").write_text("\n".join(["image,label,split", *rows]) + "\n")
    got = agrees(source)
    assert got.report.n == 8
    assert sorted(got.paths) == sorted(
        f"images/{s}/{at}.png" for s in ("train", "test") for at in range(4)
    )


def test_one_list_called_like_a_split_has_the_images_of_its_folder(tmp_path, agrees):
    source = put(tmp_path / "s", [f"train/{at}.png" for at in range(8)])
    put(source, [f"test/{at}.png" for at in range(6)])
    rows = [f"{at}.png,{'ab'[at % 2]}" for at in range(8)]
    (source / "train.csv").write_text("\n".join(["id,label", *rows]) + "\n")
    got = agrees(source)
    assert got.paths == [f"train/{at}.png" for at in range(8)]
    assert not any(got.splits)
    assert counts(read(source, images_in="test")) == {"a": 3, "b": 3}
    (source / "train" / "7.png").unlink()  # then its name alone says too little
    put(source, ["test/7.png"])
    stops(source, "images_in", tmp_path)
    assert agrees(source, Answers(images_in="train")).report.n == 7


@pytest.mark.parametrize("lists", [["train"], ["train", "test"]])
@pytest.mark.parametrize(("ending", "called"), [("", "{}"), (".png", "{}"), ("", "{}Labels")])
def test_ids_that_the_folders_of_splits_share_name_images(tmp_path, agrees, lists, ending, called):
    source = put(tmp_path / "s", [f"{s}/{at}.png" for s in ("train", "test") for at in range(6)])
    for split in lists:
        rows = [f"{at}{ending},{split} {'ab'[at % 2]}" for at in range(6)]
        name = f"{called.format(split)}.csv"
        (source / name).write_text("\n".join(["id,label", *rows]) + "\n")
    rows = [f"{at},train a" for at in range(6)]
    (source / "sample_submission.csv").write_text("\n".join(["id,label", *rows]) + "\n")
    got = agrees(source)
    assert got.report.n == 6 * len(lists)
    for path, label in zip(got.paths, got.given, strict=True):
        assert path.split("/")[0] == label.split(" ")[0]


def test_a_name_in_several_folders_stays_as_it_is_where_splits_are_called_otherwise(tmp_path):
    source = put(tmp_path / "s", [f"train/{at}.png" for at in range(8)])
    put(source, ["test/0.png", "test/1.png"])
    rows = [f"{at}.png,{'ab'[at % 2]},{at % 4}" for at in range(8)]
    (source / "folds.csv").write_text("\n".join(["image,label,fold", *rows]) + "\n")
    (left,) = read(source, labels_in="list").left_out
    assert (left.count, left.first) == (2, "0.png")
