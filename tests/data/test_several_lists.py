"""Lists that are read together: their ids and their columns."""

import pytest

from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read


def two_lists(folder, train, test, header="id,image,label", other=""):
    """Write train.csv and test.csv over eight images."""
    put(folder, [f"im{i}.png" for i in range(8)])
    for name, rows, first in (("train", train, header), ("test", test, other or header)):
        (folder / f"{name}.csv").write_text("\n".join([first, *rows]) + "\n")
    return folder


TRAIN = [f"{i},im{i}.png,{'ab'[i % 2]}" for i in range(5)]
TEST = [f"{i - 5},im{i}.png,{'ab'[i % 2]}" for i in range(5, 8)]


def test_ids_that_count_anew_in_every_list_lose_no_image(tmp_path, agrees):
    source = two_lists(tmp_path / "s", TRAIN, TEST)
    found = read(source)
    question = asked(found)["id_column"]
    assert "3 of its values name another image" in question.text
    assert (found.n, dict(found.splits), question.taken) == (8, {"test": 3, "train": 5}, "none")
    assert "id" not in found.columns
    assert agrees(source).ids == [f"im{i}.png" for i in (5, 6, 7, 0, 1, 2, 3, 4)]
    said = agrees(source, Answers(id_column="id"))
    assert {row["reason"].split(";")[0] for row in said.skipped} == {"The id is used twice"}


def test_ids_that_count_anew_in_every_split_of_one_list_lose_no_image(tmp_path, agrees):
    rows = [f"{row},{split}" for rows, split in ((TRAIN, "train"), (TEST, "test")) for row in rows]
    source = put(tmp_path / "s", [f"im{i}.png" for i in range(8)])
    (source / "all.csv").write_text("\n".join(["id,image,label,split", *rows]))
    assert "id_column" in asked(read(source))
    assert agrees(source).report.n == 8


@pytest.mark.parametrize("first", ["3,im0.png", "0,im0.png"])
def test_one_image_in_two_lists_is_a_leak_whatever_its_id(tmp_path, agrees, first):
    found = agrees(two_lists(tmp_path / "s", TRAIN, [f"{first},a", *TEST[1:]]))
    reasons = [row["reason"].split(";")[0] for row in found.skipped]
    assert reasons == ["The image is listed in another split, too"]
    assert found.report.n == 7


def test_lists_may_call_their_columns_otherwise(tmp_path, agrees):
    train = [f"im{i}.png,{'ab'[i % 2]}" for i in range(5)]
    test = [f"{'ab'[i % 2]};im{i}.png;{i}" for i in range(5, 8)]
    source = two_lists(tmp_path / "s", train, test, "image,label", "class;filename;width")
    found = read(source)
    assert not found.open_questions
    assert (counts(found), dict(found.splits)) == ({"a": 4, "b": 4}, {"test": 3, "train": 5})
    assert any(
        note == "train.csv has other columns: image = image, label = label." for note in found.notes
    )
    assert any("“width” is not taken along" in note for note in found.notes)
    assert agrees(source).report.n == 8
    said = read(source, label_column="class", image_column="filename")
    assert counts(said) == counts(found)
    with pytest.raises(LnlError, match="has no column “klass”"):
        read(source, lists=("train.csv", "test.csv"), label_column="klass")


def test_a_question_of_the_second_list_is_asked(tmp_path, agrees):
    train = [f"im{i}.png,{'ab'[i % 2]}" for i in range(5)]
    test = [f"im{i}.png,{'ab'[i % 2]},{'bba'[i - 5]}" for i in range(5, 8)]
    source = two_lists(tmp_path / "s", test, train, "image,label,old_label", "image,label")
    assert asked(read(source))["label_column"].is_open
    agrees(source)
    assert agrees(source, Answers(label_column="old_label")).report.n == 8


def test_one_mistyped_id_loses_its_row_and_not_the_column(tmp_path, agrees):
    source = put(tmp_path / "s", [f"im{i}.png" for i in range(20)])
    ids = [f"K{i}" for i in range(20)]
    ids[15] = "K3"
    rows = [f"im{i}.png,{'ab'[i % 2]},{ids[i]},{'train' if i < 12 else 'test'}" for i in range(20)]
    (source / "all.csv").write_text("\n".join(["image,label,id,split", *rows]) + "\n")
    assert "id_column" not in asked(read(source))
    found = agrees(source)
    assert found.ids == [each for at, each in enumerate(ids) if at != 15]
    assert [row["reason"].split(";")[0] for row in found.skipped] == ["The id is used twice"]


@pytest.mark.parametrize("order", [("train", "test"), ("train", "val"), ("dev", "train")])
@pytest.mark.parametrize("more", [0, 1])
def test_the_labels_of_lists_are_in_the_column_that_all_have(tmp_path, agrees, order, more):
    source = put(tmp_path / "s", [f"im{i}.png" for i in range(8)])
    words = [["image,label,label_name"], ["image,label"]]
    for i in range(8):
        row = f"im{i}.png,{i % 2}"
        words[i // 4].append(row if i // 4 else f"{row},{('cat', 'dog')[i % 2]}")
    for name, rows in zip(order, words if more else words[::-1], strict=True):
        (source / f"{name}.csv").write_text("\n".join(rows) + "\n")
    found = read(source)
    assert counts(found) == {"0": 4, "1": 4}
    assert not found.open_questions
    assert "“label” is the column of labels: all lists have it." in found.notes
    assert agrees(source).names == ["0", "1"]


def test_names_are_the_labels_where_all_lists_have_them(tmp_path):
    train = [f"im{i}.png,{i % 2},{('cat', 'dog')[i % 2]}" for i in range(5)]
    test = [f"im{i}.png,{('cat', 'dog')[i % 2]}" for i in range(5, 8)]
    source = two_lists(tmp_path / "s", train, test, "image,label,label_name", "image,label_name")
    assert counts(read(source)) == {"cat": 4, "dog": 4}
