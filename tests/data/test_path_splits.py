"""A list without a column of splits whose paths name folders called like splits."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import put, read

PATHS = [f"{split}/{at}.png" for split in ("train", "test") for at in range(4)]


def listed(folder, paths, name="list.csv", before=""):
    put(folder, paths)
    rows = [f"{before}{path},{'ab'[at % 2]}" for at, path in enumerate(paths)]
    (folder / name).write_text("\n".join(["image,label", *rows]) + "\n")
    return folder / name


@pytest.mark.parametrize("before", ["", "images/", "/srv/test/data/", "D:\\train\\data\\"])
def test_paths_say_their_split(tmp_path, agrees, before):
    inside = before if before == "images/" else ""
    put(tmp_path, [f"{inside}{path}" for path in PATHS])
    source = listed(tmp_path, [], before=before)
    rows = [f"{before}{path},{'ab'[at % 2]}" for at, path in enumerate(PATHS)]
    source.write_text("\n".join(["image,label", *rows]) + "\n")
    got = agrees(source)
    assert got.splits == ["train"] * 4 + ["test"] * 4
    assert read(source).splits == {"train": 4, "test": 4}
    said = "Splits are the folders of the paths that are called so: “train”, “test”."
    assert any(note.startswith(said) for note in read(source).notes)
    for other in (Answers(split_column="none"), Answers(parts="classes")):
        assert not any(agrees(source, other).splits)


def test_what_is_in_no_folder_of_a_split_has_none(tmp_path, agrees):
    source = listed(tmp_path, [*PATHS, "more/x.png", "y.png"])
    assert agrees(source).splits[-2:] == ["", ""]
    assert "2 images are in no split." in read(source).notes


@pytest.mark.parametrize(
    "paths",
    [
        [f"train/{at}.png" for at in range(4)],
        [f"{folder}/{at}.png" for folder in ("train", "train_images", "more") for at in range(2)],
        [f"train_test/{at}.png" for at in range(2)] + ["more/0.png", "more/1.png"],
    ],
)
def test_folders_of_one_split_or_of_none_tell_nothing_apart(tmp_path, agrees, paths):
    assert not any(agrees(listed(tmp_path, paths)).splits)


def test_a_column_of_splits_goes_before_the_paths(tmp_path, agrees):
    put(tmp_path, PATHS)
    rows = [f"{path},{'ab'[at % 2]},{(at % 2 and 'val') or 'dev'}" for at, path in enumerate(PATHS)]
    (tmp_path / "list.csv").write_text("\n".join(["image,label,split", *rows]) + "\n")
    assert agrees(tmp_path / "list.csv").splits == ["dev", "val"] * 4
