"""Two files of names, copies of lists, points, endings of other forms, folders inside classes."""

import pytest

from lnl_core.data import importers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, stops


def listed(folder, name, rows, header="image,label"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("\n".join([header, *rows]) + "\n")


@pytest.mark.parametrize("second", ["dog\ncat\n", "cat\ndog\n"])
def test_files_of_names_that_differ_between_splits_are_refused(tmp_path, second):
    for split, names in (("train", "cat\ndog\n"), ("val", second)):
        put(tmp_path, [f"{split}/{split}{at}.png" for at in range(4)])
        rows = [f"{split}{at}.png,{at % 2}" for at in range(4)]
        listed(tmp_path, f"{split}/metadata.csv", rows, "file_name,label")
        (tmp_path / split / "classes.txt").write_text(names)
    if second.startswith("cat"):
        assert counts(read(tmp_path)) == {"cat": 4, "dog": 4}
        return
    with pytest.raises(LnlError, match="name the classes otherwise"):
        importers.read(tmp_path)


def test_where_a_point_lies_is_no_label(tmp_path):
    put(tmp_path, [f"{at}.png" for at in range(8)])
    rows = [f"{at}.png,{at},{20 + at % 4},{('cat', 'dog')[at % 2]}" for at in range(8)]
    listed(tmp_path, "points.csv", rows, "image,x,y,kind")
    stops(tmp_path, "label_column", tmp_path)


def test_y_is_the_label_where_x_is_the_image(tmp_path):
    put(tmp_path, [f"{at}.png" for at in range(8)])
    listed(tmp_path, "list.csv", [f"{at}.png,{'ab'[at % 2]}" for at in range(8)], "x,y")
    assert read(tmp_path, image_column="x").columns["label"] == "y"


@pytest.mark.parametrize("copy", ["train (1)", "train - Copy", "train_copy"])
def test_a_copy_of_a_list_is_no_split(tmp_path, copy):
    put(tmp_path, [f"{at}.png" for at in range(9)])
    for name, numbers in (("train", range(6)), (copy, range(6)), ("test", range(6, 9))):
        listed(tmp_path, f"{name}.csv", [f"{at}.png,{'ab'[at % 2]}" for at in numbers])
    stops(tmp_path, "lists", tmp_path)
    assert asked(read(tmp_path))["lists"].default == ""


@pytest.mark.parametrize("ending", [".dcm", ".nii.gz", ".heic", ".DCM"])
def test_a_list_may_name_the_form_that_images_were_made_from(tmp_path, agrees, ending):
    put(tmp_path, [f"images/1.2.{at}.png" for at in range(6)])
    listed(tmp_path, "list.csv", [f"1.2.{at}{ending},{'ab'[at % 2]}" for at in range(6)])
    got = agrees(tmp_path)
    assert got.report.n == 6
    assert all(
        "ab"[int(path.split(".")[2]) % 2] == label
        for path, label in zip(got.paths, got.given, strict=True)
    )


def test_a_class_folder_dropped_into_another_is_said(tmp_path):
    put(tmp_path, [f"{c}/{at}.png" for c in ("cat", "dog") for at in range(3)])
    assert not any("inside class folders" in note for note in read(tmp_path).notes)
    put(tmp_path, ["dog/cat/7.png", "dog/rejected/8.png"])
    (note,) = [note for note in read(tmp_path).notes if "inside class folders" in note]
    assert note.startswith("2 images lie")
    assert "“dog/cat”, “dog/rejected”" in note


def test_patients_inside_classes_are_no_accident(tmp_path):
    put(tmp_path, [f"{c}/p{p}/{at}.png" for c in ("sick", "well") for p in (1, 2) for at in (0, 1)])
    assert not any("inside class folders" in note for note in read(tmp_path).notes)


@pytest.mark.parametrize("names", [("seg_train", "seg_test"), ("train", "val")])
def test_a_split_inside_a_folder_of_its_name_is_passed_through(tmp_path, agrees, names):
    put(
        tmp_path,
        [f"{s}/{s}/{c}/{s}{at}.png" for s in names for c in ("sea", "ice") for at in (0, 1)],
    )
    got = agrees(tmp_path)
    assert got.names == ["ice", "sea"]
    assert [path.split("/")[0] for path in got.paths] == got.splits
    assert [path.split("/")[2] for path in got.paths] == got.given
