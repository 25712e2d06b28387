"""Parquet files with images in several folders, and with several columns of images."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.data import hub_shards
from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, read, stops
from tests.data.making import encoded, picture
from tests.data.test_import_hub import shard


def test_folders_of_other_labels_are_asked_about(tmp_path, agrees):
    source = tmp_path / "s"
    shard(source / "coarse" / "train-00000-of-00001.parquet", [0, 1, 0], ("mammal", "bird"))
    shard(source / "fine" / "train-00000-of-00001.parquet", [0, 1, 2], ("cat", "emu", "dog"))
    question = asked(read(source))["lists"]
    assert question.is_open
    assert [each.value for each in question.choices] == ["coarse", "fine", "all"]
    assert "--list" in stops(source, "lists", tmp_path)
    fine = read(source, lists=("fine",))
    assert counts(fine) == {"cat": 1, "emu": 1, "dog": 1}
    assert "“coarse/train-00000-of-00001.parquet” is not used." in " ".join(fine.notes)
    assert agrees(source, Answers(lists=("all",))).report.n == 6
    with pytest.raises(LnlError, match=r"no Parquet files in “fina”.*fine"):
        read(source, lists=("fina",))


def test_the_images_of_two_folders_may_have_other_columns(tmp_path):
    shard(tmp_path / "s" / "a" / "train.parquet", [0, 1], column="label")
    shard(tmp_path / "s" / "b" / "train.parquet", [0, 1], column="kind")
    assert asked(read(tmp_path / "s"))["lists"].is_open
    assert read(tmp_path / "s", lists=("b",)).columns["label"] == "kind"


def test_a_file_above_the_shards_hides_none_of_them(tmp_path):
    shard(tmp_path / "s" / "extra.parquet", [0, 1])
    shard(tmp_path / "s" / "data" / "train-00000-of-00001.parquet", [0, 1, 1])
    assert [each.value for each in asked(read(tmp_path / "s"))["lists"].choices] == [
        ".",
        "data",
        "all",
    ]
    assert read(tmp_path / "s", lists=(".",)).n == 2


@pytest.mark.parametrize(
    "files",
    [
        ("data/train/0000.parquet", "data/test/0000.parquet"),
        ("train/0000.parquet", "test/0000.parquet"),
        ("a/train.parquet", "b/test.parquet"),
    ],
)
def test_a_folder_for_each_split_is_one_set(tmp_path, files):
    for at, name in enumerate(files):
        shard(tmp_path / "s" / name, [0, 1, 1][: at + 2])
    found = read(tmp_path / "s")
    assert (asked(found), dict(found.splits)) == ({}, {"train": 2, "test": 3})


def test_a_parquet_file_without_images_is_named(tmp_path):
    shard(tmp_path / "s" / "train.parquet", [0, 1])
    table = pq.read_table(tmp_path / "s" / "train.parquet")
    pq.write_table(table.select(["label"]), tmp_path / "s" / "more.parquet")
    assert "“more.parquet” is not used. No image is in it." in read(tmp_path / "s").notes


def masks(tmp_path, *names):
    file = shard(tmp_path / "s.parquet", [0, 1, 1], names=())
    table = pq.read_table(file)
    columns = {name: table["image"] for name in names}
    pq.write_table(table.from_pydict({**columns, "label": table["label"]}), file)
    return file


def test_the_column_called_image_has_the_images(tmp_path):
    found = read(masks(tmp_path, "mask", "image"))
    assert (found.columns["image"], asked(found)) == ("image", {})
    assert "Column “mask” is not read." in found.notes
    assert read(masks(tmp_path, "mask", "image"), image_column="mask").columns["image"] == "mask"


@pytest.mark.parametrize("names", [("left", "right"), ("photo", "image")])
def test_columns_of_images_of_which_none_stands_out_are_asked_about(tmp_path, agrees, names):
    file = masks(tmp_path, *names)
    question = asked(read(file))["image_column"]
    assert (question.is_open, [each.value for each in question.choices]) == (True, list(names))
    agrees(file)
    assert agrees(file, Answers(image_column=names[1])).report.n == 3
    with pytest.raises(LnlError, match="no images in a column “label”"):
        read(file, image_column="label")


def test_shards_without_a_column_called_label_are_asked_about(tmp_path):
    for at in range(2):
        shard(tmp_path / "s" / f"train-{at}.parquet", [0, 1], names=(), column="what")
    assert asked(read(tmp_path / "s"))["label_column"].is_open


def test_nothing_is_said_of_rows_before_their_folder_or_label_is_chosen(tmp_path):
    shard(tmp_path / "s" / "a" / "train.parquet", [0, 1], column="kind")
    shard(tmp_path / "s" / "b" / "train.parquet", [0, 1], names=(), column="what")
    for found in (read(tmp_path / "s"), read(tmp_path / "s", lists=("b",))):
        assert found.open_questions
        assert not found.left_out


def other_images(file, first, labels, names=("cat", "dog")):
    """Write a shard whose images are in no other, from a seed on."""
    shard(file, labels, names)
    table = pq.read_table(file)
    at = table.schema.get_field_index("image")
    cells = [
        {"bytes": encoded(picture(16, 16, seed=first + i), "PNG"), "path": None}
        for i in range(len(labels))
    ]
    field = table.schema.field(at)
    pq.write_table(table.set_column(at, field, pa.array(cells, field.type)), file)


@pytest.mark.parametrize("folders", [("train/batch1", "train/batch2"), ("a", "b")])
def test_folders_of_other_images_with_the_same_classes_are_one_set(tmp_path, agrees, folders):
    for at, name in enumerate(folders):
        other_images(tmp_path / "s" / name / "0000.parquet", 10 * at, [0, 1, 1, 0])
    found = read(tmp_path / "s")
    assert asked(found) == {}
    assert any(f"Read together: “{folders[0][-6:]}”" in note for note in found.notes)
    split = "train" if "train" in folders[0] else ""
    assert agrees(tmp_path / "s").splits == [split] * 8
    other_images(tmp_path / "s" / folders[1] / "0000.parquet", 10, [0, 1], ("x", "y"))
    assert asked(read(tmp_path / "s"))["lists"].is_open  # other classes


def test_a_folder_above_the_set_says_no_split(tmp_path, agrees):
    shard(tmp_path / "train" / "birds" / "a" / "0000.parquet", [0, 1, 1])
    assert agrees(tmp_path / "train" / "birds").splits == [""] * 3
    assert agrees(tmp_path / "train").splits == ["train"] * 3


def test_the_same_images_in_another_order_are_no_part(tmp_path):
    other_images(tmp_path / "s" / "clean" / "0000.parquet", 0, [0, 1, 1, 0])
    shard(tmp_path / "s" / "noisy" / "0000.parquet", [1, 0, 0, 1])
    table = pq.read_table(tmp_path / "s" / "noisy" / "0000.parquet")
    pq.write_table(table.take([3, 1, 2, 0]), tmp_path / "s" / "noisy" / "0000.parquet")
    assert asked(read(tmp_path / "s"))["lists"].is_open


def test_a_set_that_the_hub_cut_short_is_one_set(tmp_path):
    shard(tmp_path / "s" / "default" / "partial-train" / "0000.parquet", [0, 1, 1])
    shard(tmp_path / "s" / "default" / "partial-test" / "0000.parquet", [0, 1])
    found = read(tmp_path / "s")
    assert (asked(found), dict(found.splits)) == ({}, {"train": 3, "test": 2})


def test_files_that_are_not_read_are_a_line_a_folder(tmp_path):
    for at in range(5):
        shard(tmp_path / "s" / "fine" / f"train-{at}.parquet", [0, 1])
        shard(tmp_path / "s" / "coarse" / f"train-{at}.parquet", [0, 1], ("x", "y"))
    notes = [note for note in read(tmp_path / "s", lists=("fine",)).notes if "not used" in note]
    assert notes == [
        "“coarse/train-0.parquet” and 4 files more beside it are not used. "
        "The folder was not chosen."
    ]


def test_a_small_part_of_the_images_under_other_labels_is_no_part_of_a_set(tmp_path):
    other_images(tmp_path / "s" / "audit" / "0000.parquet", 40, [1, 0])
    other_images(tmp_path / "s" / "whole" / "0000.parquet", 0, [0, 1] * 30)
    assert asked(read(tmp_path / "s"))["lists"].is_open


def test_folders_too_large_to_compare_every_image_are_asked_about(tmp_path, monkeypatch):
    for at, name in enumerate(("clean", "noisy")):
        other_images(tmp_path / "s" / name / "0000.parquet", 10 * at, [0, 1, 1, 0])
    stored = sum(len(encoded(picture(16, 16, seed=i), "PNG")) for i in (*range(4), *range(10, 14)))
    monkeypatch.setattr(hub_shards, "_COMPARED", 2 * stored)
    assert asked(read(tmp_path / "s")) == {}
    monkeypatch.setattr(hub_shards, "_COMPARED", stored // 2)
    assert asked(read(tmp_path / "s"))["lists"].is_open
