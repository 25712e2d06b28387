"""A reading says the numbers that its import stores; rows, splits and columns that are odd."""

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.asking import arrays, asked, counts, listed, put, read, rows_of

# a reading and its import ---------------------------------------------------------------------


def test_missing_and_unreadable_images_are_counted_as_the_import_finds_them(tmp_path, agrees):
    folder = listed(tmp_path / "s", ["cat", "dog"] * 5)
    (folder / "im0.png").unlink()
    (folder / "im1.png").write_bytes(b"")
    (folder / "im2.png").write_text("<html>")
    with (folder / "list.csv").open("a") as file:
        file.write("im3.png,dog\nim4.png,dog\nim4.png,cat\n,cat\nim5.png,\nim6.png,NA\n")
        file.write("im0.png,cat\nim0.png,dog\n")
    found = read(folder)
    assert (found.n, counts(found)) == (7, {"cat": 3, "dog": 4})
    assert agrees(folder) is not None


def test_doubled_ids_are_counted_as_the_import_finds_them(tmp_path, agrees):
    ids = np.array(["a", "b", "a", "c", " ", "d"])
    names = np.array(["x", "y", "nan"])
    arrays(tmp_path / "s.npz", [0, 1, 1, 5, 0, -1], ids=ids, class_names=names)
    found = read(tmp_path / "s.npz")
    assert (found.n, sum(each.count for each in found.left_out)) == (2, 4)
    agrees(tmp_path / "s.npz")
    words = np.array(["cat", "NA", "dog", "cat", "dog", "cat"])
    np.savez(tmp_path / "t.npz", images=np.full((6, 8, 8), 99, np.uint8), labels=words, ids=ids,
             splits=np.array(["train", "val"] * 3))  # fmt: skip
    agrees(tmp_path / "t.npz")


def test_what_no_import_could_store_no_reading_promises(tmp_path, agrees):
    agrees(listed(tmp_path / "a", ["NA", "nan"]))
    agrees(arrays(tmp_path / "b.npz", [7, 8, 9], class_names=np.array(["x", "y"])))
    agrees(listed(tmp_path / "c", ["cat", "dog"]), Answers(no_classes=("emu",)))
    put(tmp_path / "d", ["cat/a.png", "dog/b.png"])
    for each in (tmp_path / "d").rglob("*.png"):
        each.write_bytes(b"none")
    agrees(tmp_path / "d")
    put(tmp_path / "e", ["cat/a.png", "dog/b.png"])
    agrees(tmp_path / "e", Answers(no_classes=("cat", "dog")))


def test_a_long_list_says_that_its_numbers_are_estimates(tmp_path, monkeypatch):
    from lnl_core.data import files

    folder = listed(tmp_path, ["cat", "dog"] * 5)
    assert read(folder).exact
    monkeypatch.setattr(files, "UP_TO", 5)
    assert not read(folder).exact


def test_a_quote_that_is_never_closed_loses_rows_by_number(tmp_path, agrees):
    lines = [f"im{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(8)]
    lines[3] = 'im3.png,"cat'
    rows_of(tmp_path / "s", "\n".join(["image,label", *lines, ""]))
    found = read(tmp_path / "s", mostly_skipped="accept")
    (left,) = found.left_out
    assert (found.n, left.count) == (3, 5)
    assert left.reason == "A quote is opened in row 5 and never closed."
    assert "4 rows after it were lost" in left.remedy
    got = agrees(tmp_path / "s", Answers(mostly_skipped="accept"))
    assert [each["row"] for each in got.skipped] == [5, 6, 7, 8, 9]


def test_splits_spelled_alike_are_one_unless_kept_apart(tmp_path, agrees, do_import):
    names = [f"{split}/{kind}/0.png" for split in ("train", "Train") for kind in ("cat", "dog")]
    put(tmp_path / "s", [*names, "train/cat/1.png", "val/cat/0.png", "val/dog/0.png"])
    found = read(tmp_path / "s")
    assert dict(found.splits) == {"train": 5, "val": 2}
    assert "“Train”, “train”" in asked(found)["split_spellings"].text
    assert any("--split-spellings" in note for note in found.notes)
    agrees(tmp_path / "s")
    kept = Answers(split_spellings="keep")
    assert dict(importers.read(tmp_path / "s", answers=kept).splits)["Train"] == 2
    agrees(tmp_path / "s", kept)
    rows_of(
        tmp_path / "l", "image,label,split\nim0.png,cat,VAL\nim1.png,dog,val \nim2.png,cat,val\n"
    )
    assert dict(read(tmp_path / "l").splits) == {"val": 3}
    agrees(tmp_path / "l")


def test_an_image_in_two_splits_is_named_as_a_leak(tmp_path, do_import):
    lines = ["im0.png,cat,train", "im1.png,dog,train", "im0.png,cat,val", "im1.png,dog,train"]
    rows_of(tmp_path / "s", "\n".join(["image,label,split", *lines]))
    assert {each.reason.split(";")[0]: each.count for each in read(tmp_path / "s").left_out} == {
        "The image is listed in another split, too": 1,
        "The image is listed twice": 1,
    }
    assert do_import(tmp_path / "s").report.n == 2


@pytest.mark.parametrize(
    ("header", "values", "splits"),
    [
        ("is_train", ["True", "True", "False", "True"], {"train": 3, "test": 1}),
        ("is_training_image", ["1", "0", "0", "1"], {"training": 2, "test": 2}),
        ("is_valid", ["0", "0", "0", "1"], {"train": 3, "valid": 1}),
        ("train,val,test", ["1,0,0", "1,0,0", "0,1,0", "0,0,1"], {"train": 2, "val": 1, "test": 1}),
    ],
)
def test_columns_that_say_yes_or_no_to_a_split(tmp_path, agrees, header, values, splits):
    kinds = ["cat", "dog", "cat", "dog"]
    lines = [f"im{i}.png,{kinds[i]},{value}" for i, value in enumerate(values)]
    rows_of(tmp_path / "s", "\n".join([f"image,label,{header}", *lines]), 4)
    found = read(tmp_path / "s")
    assert dict(found.splits) == splits
    assert found.columns["split"].startswith(header.split(",")[0])
    agrees(tmp_path / "s")
    assert read(tmp_path / "s", split_column="none").splits == {}


def test_one_column_per_class_leaves_out_those_of_splits(tmp_path):
    lines = ["im0.png,1,0,1", "im1.png,0,1,0", "im2.png,1,0,1"]
    rows_of(tmp_path, "\n".join(["image,cat,dog,is_train", *lines]), 3)
    found = read(tmp_path, one_hot="yes")
    assert counts(found) == {"cat": 2, "dog": 1}
    assert dict(found.splits) == {"train": 2, "test": 1}


def test_two_columns_of_other_images_are_asked_for(tmp_path, agrees):
    put(tmp_path / "s", [f"{part}/{i}.png" for part in ("before", "after") for i in range(3)])
    for header in ("image,photo,label", "left eye,right eye,label"):
        lines = [f"before/{i}.png,after/{i}.png,{'cat' if i else 'dog'}" for i in range(3)]
        (tmp_path / "s" / "l.csv").write_text("\n".join([header, *lines]))
        question = asked(read(tmp_path / "s" / "l.csv"))["image_column"]
        assert question.is_open
        agrees(tmp_path / "s" / "l.csv")
        second = header.split(",")[1]
        got = agrees(tmp_path / "s" / "l.csv", Answers(image_column=second))
        assert got.paths == [f"after/{i}.png" for i in range(3)]


def test_two_columns_of_the_same_images_are_no_question(tmp_path, agrees):
    put(tmp_path / "s", [f"pics/im{i}.png" for i in range(3)])
    lines = [f"im{i}.png,pics/im{i}.png,cat" for i in range(3)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["filename,path,label", *lines]))
    assert asked(read(tmp_path / "s" / "l.csv")) == {}
    lines = [f"/gone/im{i}.png,pics/im{i}.png,cat" for i in range(3)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["image,file_path,label", *lines]))
    assert agrees(tmp_path / "s" / "l.csv").report.n == 3


def test_true_labels_that_contradict_each_other_are_no_truth(tmp_path, do_import):
    lines = ["im0.png,cat,cat", "im1.png,dog,dog", "im0.png,cat,dog", "im2.png,cat,dog"]
    rows_of(tmp_path / "s", "\n".join(["image,label,true_label", *lines]))
    got = do_import(tmp_path / "s")
    assert any("1 image is listed with different true labels" in n for n in got.report.notes)
    assert np.load(got.folder / "judged_labels.npy").tolist() == [-1, 1, 1]


def test_columns_without_a_name_are_answered_by_number(tmp_path):
    from lnl_core.readings import advice

    lines = [f"im{i}.png,{i % 2}" for i in range(4)]
    rows_of(tmp_path, "\n".join(["image,", *lines]))
    question = asked(read(tmp_path / "list.csv"))["label_column"]
    assert [each.value for each in question.choices] == ["2"]
    assert advice(question) == "Give --label-column 2."
    assert counts(read(tmp_path / "list.csv", label_column="2")) == {"0": 2, "1": 2}
