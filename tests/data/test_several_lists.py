"""Lists that are read together: their ids and their columns."""

import pytest

from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, lists_of, put, read, stops


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


SAME, OTHER = "ab", "aabb"
"""Labels in turn, and labels that contradict them."""


def test_a_columns_number_means_one_column_in_all_lists(tmp_path, agrees):
    cells = {"label": SAME, "old_label": "xy"}
    train = ("image,label,old_label", cells)
    source = lists_of(tmp_path / "s", train=train, val=("image,old_label,label", cells))
    with pytest.raises(LnlError, match=r"Column 2 is “label” in train.csv and “old_label” in val"):
        read(source, label_column="2")
    agrees(source, Answers(label_column="2"))
    assert counts(read(source, label_column="old_label")) == {"x": 8, "y": 8}
    shorter = lists_of(tmp_path / "o", train=train, val=("image,label", cells))
    assert counts(read(shorter, label_column="2")) == {"a": 8, "b": 8}
    three = read(shorter, label_column="3")
    assert counts(three) == {"a": 4, "b": 4, "x": 4, "y": 4}
    assert "val.csv has other columns: image = image, label = label." in three.notes


@pytest.mark.parametrize("other", ["val", "test"])
@pytest.mark.parametrize(("first", "second"), [(SAME, OTHER), (SAME, "wxyz")])
def test_labels_that_contradict_each_other_are_asked_though_all_lists_have_one(
    tmp_path, agrees, other, first, second
):
    cells = {"label": first, "category": second}
    source = lists_of(
        tmp_path / "s", train=("image,label,category", cells), **{other: ("image,category", cells)}
    )
    question = asked(read(source))["label_column"]
    assert question.is_open
    assert {each.value for each in question.choices} == {"label", "category"}
    agrees(source)
    assert agrees(source, Answers(label_column="category")).names == sorted(set(second))


def test_a_question_that_has_to_be_told_hides_behind_none_that_has_not(tmp_path):
    sure = {"label": SAME, "clean_label": OTHER}
    unsure = {"class": SAME, "old_label": OTHER}
    source = lists_of(
        tmp_path / "s",
        train=("image,label,clean_label", sure),
        val=("image,class,old_label", unsure),
    )
    assert asked(read(source))["label_column"].is_open


def test_lists_that_each_ask_for_their_own_column_are_answered_in_turn(tmp_path, agrees):
    source = lists_of(
        tmp_path / "s",
        train=("image,class,category", {"class": SAME, "category": OTHER}),
        val=("image,target,species", {"target": OTHER, "species": "c"}),
    )
    assert [each.value for each in asked(read(source))["label_column"].choices] == [
        "class",
        "category",
    ]
    second = asked(read(source, label_column="class"))["label_column"]
    assert "val.csv look like labels" in second.text
    assert [each.value for each in second.choices] == ["class,target", "class,species"]
    got = agrees(source, Answers(label_column="class,species"))
    assert [got.given.count(name) for name in got.names] == [4, 4, 8]
    with pytest.raises(LnlError, match="has no column “speces”"):
        read(source, label_column="class,speces")


def test_a_list_of_columns_of_0_and_1_is_read_beside_one_of_labels(tmp_path, agrees):
    hot = {"cat": "01", "dog": "10"}
    source = lists_of(
        tmp_path / "s", train=("image,cat,dog", hot), val=("image,label", {"label": ["cat", "dog"]})
    )
    assert any("“train.csv” is not used" in n and "--one-hot" in n for n in read(source).notes)
    got = agrees(source, Answers(lists=("train.csv", "val.csv"), one_hot="yes"))
    assert [got.given.count(name) for name in got.names] == [8, 8]
    assert set(got.splits) == {"train", "val"}


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train_labels", "val_labels"), {"train", "val"}),
        (("labels-train", "Test List"), {"train", "Test"}),
        (("instances_train2017", "instances_val2017"), {"train2017", "val2017"}),
        (("train", "train_labels"), {"train", "train_labels"}),
    ],
)
def test_lists_are_of_the_split_that_they_are_called_after(tmp_path, agrees, names, splits):
    cells = ("image,label", {"label": SAME})
    source = lists_of(tmp_path / "s", **dict.fromkeys(names, cells))
    assert set(agrees(source).splits) == splits


def test_images_that_no_list_names_are_said(tmp_path, agrees):
    source = lists_of(
        tmp_path / "s", train=("image,label", {"label": SAME}), val=("image,label", {"label": SAME})
    )
    assert not any("no list" in note for note in read(source).notes)
    put(source / "more", ["a.png", "b.png"])
    said = "2 images are in no list that is read, first “more/a.png”: they do not come in."
    assert said in read(source).notes
    assert agrees(source).report.n == 16
    alone = read(source, lists=("train.csv",))
    assert any(note.startswith("10 images are in no list that is read") for note in alone.notes)


def test_an_image_with_a_blank_label_is_in_the_list(tmp_path):
    source = lists_of(tmp_path / "s", train=("image,label", {"label": ["a", "b", ""]}))
    found = read(source)
    assert asked(found)["unlabelled"].text.startswith("2 images")
    assert not any("no list" in note for note in found.notes)


def test_columns_of_labels_that_differ_in_one_of_the_lists_are_asked_about(tmp_path):
    train = [f"im{i}.png,{'ab'[i % 2]},{'abb'[i % 3]}" for i in range(5)]
    test = [f"im{i}.png,{'ab'[i % 2]},{'ab'[i % 2]}" for i in range(5, 8)]
    source = two_lists(tmp_path / "s", train, test, "image,label,class")
    said = stops(source, "label_column", tmp_path)
    assert "Several columns of train.csv look like labels and differ: “label”, “class”." in said
    found = read(two_lists(tmp_path / "t", test, test, "image,label,class"))
    assert "Labels are column “label”; “class” says the same." in found.notes


def test_columns_of_images_that_differ_in_one_of_the_lists_are_asked_about(tmp_path):
    train = [f"im{i}.png,im{7 - i}.png,{'ab'[i % 2]}" for i in range(5)]
    test = [f"im{i}.png,im{i}.png,{'ab'[i % 2]}" for i in range(5, 8)]
    source = two_lists(tmp_path / "s", train, test, "image,file,label")
    said = stops(source, "image_column", tmp_path)
    assert "Several columns of train.csv name images, and other ones: “image”, “file”." in said
    found = read(two_lists(tmp_path / "t", test, test, "image,file,label"))
    assert not found.open_questions


def test_columns_of_images_that_differ_further_down_are_asked_about(tmp_path):
    rows = [f"im{i % 8}.png,im{i % 8 if i < 100 else 0}.png,{'ab'[i % 2]}" for i in range(104)]
    source = put(tmp_path / "s", [f"im{i}.png" for i in range(8)])
    (source / "l.csv").write_text("\n".join(["image,file,label", *rows]))
    choices = asked(read(source))["image_column"].choices
    assert [(each.value, each.words) for each in choices] == [
        ("image", "im4.png"),
        ("file", "im0.png"),
    ]


def test_a_list_without_rows_silences_no_question(tmp_path):
    train = [f"im{i}.png,{'ab'[i % 2]},{'abb'[i % 3]}" for i in range(8)]
    for name, rows in (("a", (train, [])), ("b", ([], train))):
        source = two_lists(tmp_path / name, *rows, "image,label,original_label")
        assert "original_label" in stops(source, "label_column", tmp_path)


@pytest.mark.parametrize("inside", ["", "labels/"])
@pytest.mark.parametrize("kind", ["label_column", "one_hot"])
def test_lists_beside_flat_splits_are_asked_for_their_labels(tmp_path, agrees, kind, inside):
    source = tmp_path / "s"
    header, rows = ("image,kind", ["cat", "dog"])
    if kind == "one_hot":
        header, rows = ("image,cat,dog", ["1,0", "0,1"])
    for split in ("train", "valid"):
        names = [f"{split}/{split}{i}.png" for i in range(6)]
        put(source, names)
        lines = [f"{name},{rows[i % 2]}" for i, name in enumerate(names)]
        file = source / f"{inside}{split}.csv"
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join([header, *lines]) + "\n")
    said = stops(source, kind, tmp_path)
    assert "train.csv has no column “label”" in said
    assert "put a folder for each class" not in said
    answer = {"label_column": "kind", "one_hot": "yes"}[kind]
    found = read(source, **{kind: answer})
    assert counts(found) == {"cat": 6, "dog": 6}
    assert found.splits == {"train": 6, "valid": 6}
    agrees(source, Answers(**{kind: answer}))
    assert counts(read(source, parts="classes"))["valid"] == 6


def test_lists_of_outputs_beside_flat_splits_are_no_labels(tmp_path):
    put(tmp_path, [f"{split}/{i}.png" for split in ("train", "test") for i in range(4)])
    rows = [f"test/{i}.png,{i % 2}" for i in range(4)]
    (tmp_path / "submission.csv").write_text("\n".join(["image,kind", *rows]) + "\n")
    assert "are called like splits" in stops(tmp_path, "parts", tmp_path / "x")


def test_signs_of_traffic_with_a_box_each_have_their_class_in_class_id(tmp_path):
    put(tmp_path, [f"{part}/{i}.png" for part in ("Train", "Test") for i in range(6)])
    for part in ("Train", "Test"):
        rows = [f"{20 + i},{i % 3},{i % 3 + 2},40,41,{i % 3},{part}/{i}.png" for i in range(6)]
        header = "Width,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
        (tmp_path / f"{part}.csv").write_text("\n".join([header, *rows]) + "\n")
    found = read(tmp_path)
    assert (found.open_questions, counts(found)) == ((), {"0": 4, "1": 4, "2": 4})
    assert found.splits == {"Test": 6, "Train": 6}


def test_a_column_that_contradicts_the_names_of_the_lists_is_said(tmp_path):
    put(tmp_path, [f"im{i}.png" for i in range(12)])
    for at, (name, own) in enumerate((("train", "train"), ("test_list", "val"))):
        rows = [f"im{6 * at + i}.png,{'ab'[i % 2]},{own if i % 2 else name}" for i in range(6)]
        text = "\n".join(["image,label,split", *rows]) + "\n"
        (tmp_path / f"{name}.csv").write_text(text)
    (said,) = [note for note in read(tmp_path).notes if "another split" in note]
    assert said.startswith(
        "3 rows say another split than the list's name (test_list.csv: 3 in “val”)"
    )
    found = read(tmp_path, split_column="none")
    assert found.splits == {"test": 6, "train": 6}
    assert not any("another split" in note for note in found.notes)


def test_a_list_of_which_no_row_can_be_used_says_why(tmp_path):
    put(tmp_path, ["a.png", "b.png"])
    file = tmp_path / "list.csv"
    file.write_text("image,label,notes\na.png,cat,old, torn\nb.png,dog,new, wet\n")
    with pytest.raises(
        LnlError, match=r"both image and label\. 2 rows: More cells than the header has\. Put"
    ):
        read(file)
