"""Columns that may have the given labels beside the one called so, and images linked twice."""

import os

import pytest

from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, rows_of, stops

PAIRS = [("cat", "cat"), ("dog", "cat"), ("dog", "dog"), ("cat", "cat")] * 2


def two(folder, name, pairs=PAIRS, first="label"):
    rows = [f"im{i}.png,{one},{other}" for i, (one, other) in enumerate(pairs)]
    return rows_of(folder, "\n".join([f"image,{first},{name}", *rows]) + "\n")


@pytest.mark.parametrize(
    "name",
    ["original_label", "noisy_label", "label_2", "Label.Old", "annotator_b", "checked"],
)  # fmt: skip
def test_a_second_column_of_labels_is_asked_about(tmp_path, name):
    source = two(tmp_path / "s", name)
    said = stops(source, "label_column", tmp_path)
    assert f"--label-column label or {name}" in said
    assert counts(read(source, label_column=name)) == {"cat": 6, "dog": 2}
    assert counts(read(source, label_column="label")) == {"cat": 4, "dog": 4}


@pytest.mark.parametrize("name", ["clean_label", "goldLabel", "corrected_class"])
@pytest.mark.parametrize("first", ["label", "given_label"])
def test_beside_labels_that_were_made_sure_of_those_to_be_checked_are_read_and_it_is_said(
    tmp_path, name, first, agrees
):
    source = two(tmp_path / "s", name, first=first)
    found = read(source)
    assert not found.open_questions
    assert counts(found) == {"cat": 4, "dog": 4}
    (note,) = [each for each in found.notes if "look like labels" in each]
    assert f"“{first}” has the labels to be checked" in note
    assert "--label-column" in note
    assert counts(read(source, label_column=name)) == {"cat": 6, "dog": 2}
    agrees(source)


def test_of_two_columns_of_sure_labels_one_is_asked_for(tmp_path):
    stops(two(tmp_path / "a", "clean_label", first="ground_truth"), "label_column", tmp_path)
    stops(two(tmp_path / "b", "old_label", first="label"), "label_column", tmp_path)


@pytest.mark.parametrize("name", ["pred", "predicted_label", "model output"])
def test_what_a_model_said_is_named_and_not_read(tmp_path, name):
    found = read(two(tmp_path, name))
    assert counts(found) == {"cat": 4, "dog": 4}
    assert any(f"“{name}” is called like a model's output" in note for note in found.notes)


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("label_source", [("cat", "web"), ("dog", "hand")] * 4),
        ("class_weight", [("cat", "0.3"), ("dog", "0.7"), ("dog", "0.1")] * 2),
        ("flipped", [("1", "0"), ("0", "0"), ("1", "1")] * 2),
        ("comment", [("cat", ""), ("dog", "dog"), ("cat", "")] * 2),
        ("colour", [("cat", "red"), ("dog", "red"), ("cat", "blue")] * 2),
    ],
)
def test_other_columns_are_no_question(tmp_path, name, pairs):
    assert asked(read(two(tmp_path, name, pairs))) == {}


def test_the_known_truth_is_said_to_be_one_and_noise_beside_it_is_asked_about(tmp_path):
    found = read(two(tmp_path / "a", "true_label"))
    assert any("“true_label” is the known truth" in note for note in found.notes)
    assert not found.open_questions
    source = two(tmp_path / "b", "noisy_label", first="true_label")
    assert "noisy_label" in stops(source, "label_column", tmp_path)
    rows = [f"im{i}.png,cat,{one},{other}" for i, (one, other) in enumerate(PAIRS)]
    text = "\n".join(["image,true_label,label,noisy_label", *rows])
    assert "label_column" in asked(read(rows_of(tmp_path / "c", text)))


def test_links_to_images_of_the_set_are_counted_and_a_pool_is_asked_about(tmp_path, agrees):
    source = put(tmp_path / "s", ["cat/0.png", "cat/1.png", "dog/0.png"])
    (source / "pool").mkdir()
    for i in range(2):
        os.symlink(f"../cat/{i}.png", source / "pool" / f"{i}.png")
    os.symlink("0.png", source / "dog" / "again.png")
    found = read(source)
    assert any(
        "3 files are links to other images of the set" in note and "2 of them in another" in note
        for note in found.notes
    )
    assert [each.value for each in asked(found)["no_classes"].choices] == ["pool"]
    agrees(source)


def test_a_number_of_its_own_in_every_row_is_no_label_unasked(tmp_path, agrees):
    names = [f"{c:03}.Bird{c}/im{i}.png" for c in (1, 2) for i in range(12)]
    put(tmp_path / "s", [f"images/{name}" for name in names])
    file = tmp_path / "s" / "images.txt"
    file.write_text("".join(f"{at} {name}\n" for at, name in enumerate(names, 1)))
    assert asked(read(file, header="none"))["measured"].is_open
    agrees(file, Answers(header="none"))
    file.write_text("".join(f"{at} {name} {name[2]}\n" for at, name in enumerate(names, 1)))
    third = read(file, header="none")
    assert counts(third) == {"1": 12, "2": 12}
    assert any("Labels are column 3" in note for note in third.notes)


BOXES = {"corners": "xmin,ymin,xmax,ymax", "two": "x1,y1,x2,y2", "one": "bbox"}


@pytest.mark.parametrize("columns", BOXES.values(), ids=BOXES)
def test_boxes_of_several_classes_in_an_image_are_asked_about(tmp_path, agrees, columns):
    box = ",".join("5" for _ in columns.split(","))
    kinds = [("cat", "dog"), ("cat",), ("dog", "dog"), ("dog", "cat"), ("cat",), ("dog",)]
    rows = [f"im{i}.png,{box},{kind}" for i, all_of in enumerate(kinds) for kind in all_of]
    source = rows_of(tmp_path / "s", "\n".join([f"filename,{columns},class", *rows]), 6)
    found = read(source)
    question = asked(found)["several"]
    assert question.is_open
    assert "2 images have boxes of several classes, first “im0.png”: “cat” and “dog”" in (
        question.text
    )
    assert not any("certainly wrong" in note for note in found.notes)
    stops(source, "several", tmp_path)
    assert agrees(source, Answers(several="first")).given == [each[0] for each in kinds]
    left = agrees(source, Answers(several="skip", mostly_skipped="accept"))
    assert left.given == ["cat", "dog", "cat", "dog"]


def test_every_answer_about_several_labels_is_offered_for_boxes_alone(tmp_path, agrees):
    lines = ["image,label,x1,y1,x2,y2"]
    for image, label in (("a", "cat"), ("a", "dog"), ("b", "dog"), ("c", "cat")):
        lines.append(f"{image}.png,{label},0,0,4,4")
    put(tmp_path / "s", [f"{name}.png" for name in "abc"])
    (tmp_path / "s" / "list.csv").write_text("\n".join(lines) + "\n")
    question = asked(read(tmp_path / "s"))["several"]
    assert [each.value for each in question.choices] == ["first", "skip", "class"]
    for said in ("first", "class"):
        assert agrees(tmp_path / "s", Answers(several=said)).given == ["cat", "dog", "cat"]


def test_boxes_of_one_class_in_each_image_are_no_question(tmp_path):
    rows = [f"im{i // 2}.png,1,2,3,4,{'ab'[i // 2 % 2]}" for i in range(12)]
    source = rows_of(tmp_path, "\n".join(["image,xmin,ymin,xmax,ymax,label", *rows]), 6)
    assert "several" not in asked(read(source))
    assert counts(read(source)) == {"a": 3, "b": 3}


@pytest.mark.parametrize("rest", ["train", "", "train\n test"])
def test_without_a_header_the_first_column_that_says_something_has_the_labels(tmp_path, rest):
    rest = [each.strip() for each in rest.split("\n")]
    names = ["Anna", "Bert", "Carl", "Dora", "Emil", "Fritz", "Gina", "Hans", "Ida", "Jan"]
    rows = [f"im{i}.png,{name},{rest[i % len(rest)]}" for i, name in enumerate(names)]
    folder = rows_of(tmp_path / "s", "\n".join(rows) + "\n", count=10)
    assert counts(read(folder / "list.csv", header="none")) == dict.fromkeys(names, 1)


@pytest.mark.parametrize("rest", ["train", "", "train test"])
def test_numbers_that_count_rows_are_labels_where_no_other_column_may_be(tmp_path, rest):
    rest = rest.split(" ")
    rows = [f"im{i}.png,{i},{rest[i % len(rest)]}" for i in range(10)]
    folder = rows_of(tmp_path / "s", "\n".join(rows) + "\n", count=10)
    assert len(counts(read(folder / "list.csv", header="none"))) == 10


@pytest.mark.parametrize("said", ["first", "skip", "class"])
def test_boxes_and_cells_of_several_classes_are_one_question(tmp_path, agrees, said):
    rows = [f"im{i}.png,1,2,3,4,{'cat' if i % 2 else 'dog'}" for i in range(8)]
    more = ["im0.png,1,2,3,4,cat", "im5.png,1,2,3,4,cat|dog"]
    text = "\n".join(["image,xmin,ymin,xmax,ymax,label", *rows, *more])
    source = rows_of(tmp_path / "s", text)
    (question,) = [each for each in read(source).questions if each.key == "several"]
    assert question.is_open
    assert "“cat|dog”" in question.text
    assert "boxes of several classes, first “im0.png”" in question.text
    assert "of several boxes the first is given" in question.choices[2].words
    got = agrees(source, Answers(several=said))
    assert got.report.n == (7 if said == "skip" else 8)


def long(folder, header, first, last):
    """Write a list of 2,100 rows, of which the last 100 are other ones; pictures come again."""
    rows = [f"im{at % 8}.png,{(first if at < 2_000 else last)(at)}" for at in range(2_100)]
    return rows_of(folder, "\n".join([header, *rows]) + "\n")


def test_a_column_that_differs_in_the_last_rows_of_a_long_list_is_asked_about(tmp_path):
    def same(at):
        return ("cat,cat", "dog,dog")[at % 2]

    source = long(tmp_path / "s", "image,label,class", same, lambda at: "cat,dog")
    assert "Several columns of list.csv look like labels and differ" in stops(
        source, "label_column", tmp_path
    )
    found = read(long(tmp_path / "t", "image,label,class", same, same))
    assert "Labels are column “label”; “class” says the same." in found.notes


def test_a_second_opinion_in_a_list_that_is_sorted_by_label_is_asked_about(tmp_path):
    source = long(
        tmp_path / "s",
        "image,label,checked",
        lambda at: "cat,cat",
        lambda at: f"dog,{('dog', 'cat')[at % 2]}",
    )
    assert "“checked”" in stops(source, "label_column", tmp_path)
    source = long(
        tmp_path / "t",
        "image,label,old_label",
        lambda at: "cat,",
        lambda at: f"dog,{('dog', 'cat')[at % 2]}",
    )
    assert "“old_label”" in stops(source, "label_column", tmp_path)


def test_without_a_header_a_column_of_one_class_in_the_first_rows_has_the_labels(tmp_path):
    rows = [
        f"im{at % 8}.png,train,{'cat' if at < 2_000 else 'dog'},{at % 2}" for at in range(2_100)
    ]
    source = rows_of(tmp_path / "s", "\n".join(rows) + "\n")
    assert "3" in stops(source, "label_column", tmp_path, header="none")


def test_columns_of_one_name_that_nobody_reads_are_no_fault(tmp_path):
    rows = [f"im{i}.png,{'ab'[i % 2]},n{i % 3},m{i % 4}" for i in range(8)]
    found = read(rows_of(tmp_path, "\n".join(["image,label,notes,Notes", *rows])))
    assert not found.open_questions
    assert counts(found) == {"a": 4, "b": 4}
    rows_of(tmp_path, "\n".join(["image,label,class,class", *rows]))
    assert asked(read(tmp_path))["label_column"].is_open


def test_a_blank_in_a_second_column_of_labels_or_images_is_no_question(tmp_path):
    kinds = ["cat", "dog"] * 4
    rows = [f"im{i}.png,{kind},{'' if i > 5 else kind.upper()}" for i, kind in enumerate(kinds)]
    found = read(rows_of(tmp_path / "a", "\n".join(["image,label,class_name", *rows])))
    assert (found.open_questions, counts(found)) == ((), {"cat": 4, "dog": 4})
    rows = [f"im{i}.png,{i % 2},{'' if i > 5 else kind}" for i, kind in enumerate(kinds)]
    found = read(rows_of(tmp_path / "b", "\n".join(["image,label,class_name", *rows])))
    assert counts(found) == {"0": 4, "1": 4}  # names say more than numbers, where they are there
    names = ["im0.png", "im1.png", "", "gone.png", *(f"im{i}.png" for i in range(4, 8))]
    rows = [f"im{i}.png,{name},{kinds[i]}" for i, name in enumerate(names)]
    found = read(rows_of(tmp_path / "c", "\n".join(["path,filename,label", *rows])))
    assert (found.open_questions, counts(found)) == ((), {"cat": 4, "dog": 4})
    rows[2] = f",im2.png,{kinds[2]}"
    rows_of(tmp_path / "d", "\n".join(["path,filename,label", *rows]))
    assert asked(read(tmp_path / "d"))["image_column"].is_open


@pytest.mark.parametrize("other", [["dog", "cat"], ["dog", "bird", "cat"]])
def test_columns_that_exchange_the_classes_differ(tmp_path, other):
    pairs = list(zip(sorted(other, key=["cat", "dog", "bird"].index), other, strict=True)) * 3
    source = two(tmp_path / "s", "label_2", pairs)
    assert "--label-column label or label_2" in stops(source, "label_column", tmp_path)
    found = read(two(tmp_path / "t", "corrected_label", pairs, first="given_label"))
    assert any("“given_label” has the labels to be checked" in note for note in found.notes)


@pytest.mark.parametrize("kinds", [["cat", "dog"], ["cat", "dog", "bird"]])
def test_corrections_of_a_few_rows_are_a_second_column_of_labels(tmp_path, kinds):
    pairs = [(kinds[at % len(kinds)], "") for at in range(24)]
    for at in (0, 1, 2, 10):
        pairs[at] = (pairs[at][0], kinds[(at + 1) % len(kinds)])
    rows = [f"im{at % 8}-{at}.png,{one},{other}" for at, (one, other) in enumerate(pairs)]
    for name in ("a", "b"):
        put(tmp_path / name, [f"im{at % 8}-{at}.png" for at in range(24)])
    new = tmp_path / "a" / "list.csv"
    new.write_text("\n".join(["image,label,new_label", *rows]) + "\n")
    assert "new_label" in stops(tmp_path / "a", "label_column", tmp_path)
    fixed = tmp_path / "b" / "list.csv"
    fixed.write_text("\n".join(["image,given_label,corrected_label", *rows]) + "\n")
    found = read(tmp_path / "b")
    assert any("look like labels and differ" in note for note in found.notes)
    assert not any("says the same" in note for note in found.notes)


def test_columns_without_a_name_are_told_apart_by_their_number(tmp_path, agrees):
    rows = [f"im{i}.png,{'xy'[i % 2]},{('cat', 'dog', 'bird')[i % 3]}" for i in range(8)]
    source = rows_of(tmp_path / "s", "\n".join(["image,,", *rows]) + "\n")
    offered = asked(read(source))["label_column"].choices
    assert [(each.value, each.words) for each in offered] == [
        ("2", "column 2, without a name: 2 values, x …"),
        ("3", "column 3, without a name: 3 values, cat …"),
    ]
    assert counts(read(source, label_column="3")) == {"bird": 2, "cat": 3, "dog": 3}
    assert read(source, label_column="3", split_column="2").splits == {"x": 4, "y": 4}
    agrees(source, Answers(label_column="3", id_column="none"))
    rows = [f"{i},im{i}.png,{'xy'[i % 2]},note {i}," for i in range(12)]
    found = read(rows_of(tmp_path / "t", "\n".join([",image,label,,", *rows]) + "\n", 12))
    assert (found.open_questions, counts(found)) == ((), {"x": 6, "y": 6})
    (note,) = [each for each in found.notes if "not taken along" in each]
    assert note.startswith("Column “column 4” is not")  # the last is blank, the first counts rows


def test_columns_of_one_name_are_not_offered_as_what_is_refused(tmp_path):
    rows = [f"im{i}.png,{'xy'[i % 2]},{'ab'[i % 2]}" for i in range(8)]
    source = rows_of(tmp_path / "s", "\n".join(["image,annotator,annotator", *rows]) + "\n")
    with pytest.raises(LnlError, match=r"several columns called “annotator”\. Give each a name"):
        read(source / "list.csv")
