"""A column for each class: what says yes and no in it, and which of such columns are classes."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops


def hot(folder, rows, names="cat,dog,fox", comma=","):
    """Write a picture for each row of a list with a column for each class."""
    put(folder, [f"im{at}.png" for at in range(len(rows))])
    lines = [f"im{at}.png{comma}{row}" for at, row in enumerate(rows)]
    header = "image," + names
    (folder / "list.csv").write_text(
        "\n".join([header.replace(",", comma), *lines]) + "\n", "utf-8"
    )
    return folder


@pytest.mark.parametrize(
    ("yes", "no", "comma"),
    [("x", "", ","), ("X", "", ";"), ("✓", "", ","), ("1", "-1", ","), ("1,0", "0,0", ";")],
)
def test_words_for_yes_and_no(tmp_path, agrees, yes, no, comma):
    at = [[no] * each + [yes] + [no] * (2 - each) for each in (0, 1, 2, 0, 1, 2)]
    source = hot(tmp_path / "s", [comma.join(row) for row in at], comma=comma)
    assert asked(read(source))["one_hot"].is_open
    got = agrees(source, Answers(one_hot="yes"))
    assert got.given == ["cat", "dog", "fox"] * 2


def test_minus_1_beside_0_is_no_0(tmp_path, agrees):
    rows = ["1,0,0", "0,1,0", "0,0,1"] * 10 + ["-1,1,0"]
    got = agrees(hot(tmp_path / "s", rows), Answers(one_hot="yes"))
    assert got.report.skipped == 1


FLAGS = ["0,1,0", "0,0,1", "1,1,0", "0,0,1", "1,0,1", "0,1,0"]


def test_which_columns_of_0_and_1_are_classes_can_be_said(tmp_path, agrees):
    source = hot(tmp_path / "s", FLAGS, "blurry,cat,dog")
    said = stops(source, "several", tmp_path, one_hot="yes")
    assert "blurry|cat" in said
    question = asked(read(source, one_hot="yes"))["class_columns"]
    assert not question.stops
    assert [each.value for each in question.choices] == ["all", "blurry", "cat", "dog"]
    for more in ({"class_columns": ("cat", "dog")}, {"label_column": "cat,Dog"}):
        got = agrees(source, Answers(one_hot="yes", **more))
        assert got.given == ["cat", "dog", "cat", "dog", "dog", "cat"]
        assert any("“blurry” is not taken along" in note for note in got.report.notes)
    every = read(source, one_hot="yes", class_columns=("all",), several="first")
    assert counts(every) == {"blurry": 2, "cat": 2, "dog": 2}


def test_columns_of_0_and_1_that_were_named_as_labels_are_classes(tmp_path, agrees):
    source = hot(tmp_path / "s", FLAGS, "blurry,cat,dog")
    got = agrees(source, Answers(label_column="cat,dog"))
    assert got.given == ["cat", "dog", "cat", "dog", "dog", "cat"]
    odd = hot(tmp_path / "o", [*FLAGS[:4], "0,2,0", *FLAGS[4:]], "blurry,cat,dog")
    got = agrees(odd, Answers(label_column="cat,dog"))
    assert (got.given, got.report.skipped) == (["cat", "dog", "cat", "dog", "dog", "cat"], 1)


@pytest.mark.parametrize("names", ["label,label_2,x", "label,dog,x"])
def test_of_columns_called_as_labels_the_first_is_meant(tmp_path, names):
    source = hot(tmp_path / "s", FLAGS, names)
    said = ",".join(names.split(",")[:2])
    assert counts(read(source, label_column=said)) == {"0": 4, "1": 2}


def test_of_columns_that_one_list_lacks_the_first_is_meant(tmp_path):
    source = hot(tmp_path / "s", FLAGS, "blurry,cat,dog")
    (source / "list.csv").rename(source / "train.csv")
    put(source, ["t0.png", "t1.png"])
    (source / "test.csv").write_text("image,dog\nt0.png,1\nt1.png,0\n")
    found = read(source, lists=("train.csv", "test.csv"), label_column="cat,dog")
    assert counts(found) == {"0": 4, "1": 4}


def test_classes_of_which_each_row_has_one_are_no_question(tmp_path):
    source = hot(tmp_path / "s", ["1,0,0", "0,1,0", "0,0,1", "0,0,0"])
    assert "class_columns" not in asked(read(source, one_hot="yes"))


def test_flags_beside_a_column_of_classes_leave_it_to_be_chosen(tmp_path, agrees):
    """`finding` may have the labels as well as the flags beside it: both answers are offered."""
    source = put(tmp_path / "s", [f"{at}.png" for at in range(6)])
    rows = [f"{at}.png,{'ab'[at % 2]},{at % 2},{at // 3}" for at in range(6)]
    (source / "list.csv").write_text("\n".join(["image,finding,blurry,dark", *rows]) + "\n")
    asked = {each.key: each for each in read(source).questions if each.stops}
    assert set(asked) == {"label_column", "one_hot"}
    assert [each.value for each in asked["label_column"].choices] == ["finding"]
    assert agrees(source, Answers(label_column="finding")).names == ["a", "b"]
