"""Lists over folders whose column of labels is not known: patients/P000/0.png, and `finding`."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops

SPLITS = ["train", "test"]
PATIENTS = [f"P{at:03d}" for at in range(6)]
FINDINGS = ["filename,finding", lambda _, at: ("normal", "lesion")[at % 2]]
ONE_HOT = ["filename,normal,lesion", lambda _, at: f"{at % 2},{1 - at % 2}"]


def written(folder, folders, header, cells_of, *, within=False):
    """Write four pictures in every folder, and one list above or one in each."""
    rows = {each: [f"{at}.png,{cells_of(each, at)}" for at in range(4)] for each in folders}
    put(folder, [f"{each}/{at}.png" for each in folders for at in range(4)])
    for each, lines in rows.items() if within else ():
        (folder / each / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    if not within:
        lines = [f"{each}/{line}" for each, own in rows.items() for line in own]
        (folder / "labels.csv").write_text("\n".join([header, *lines]) + "\n")
    return folder


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize("folders", [PATIENTS, ["north", "south"], ["2024-01-05", "2024-02-11"]])
@pytest.mark.parametrize(
    ("form", "said"),
    [(FINDINGS, {"label_column": "finding"}), (ONE_HOT, {"one_hot": "yes"})],
)
def test_folders_beside_labels_of_an_unknown_column_are_asked_about(
    tmp_path, agrees, within, folders, form, said
):
    source = written(tmp_path / "s", folders, *form, within=within)
    assert "no column is known to have the labels" in stops(source, "labels_in", tmp_path)
    stops(source, *said, tmp_path, labels_in="list")
    got = agrees(source, Answers(**(said | ({"labels_in": "list"} if within else {}))))
    assert sorted(got.names) == ["lesion", "normal"]
    assert got.report.n == 4 * len(folders)
    assert agrees(source, Answers(labels_in="folders")).names == folders


def test_patients_of_whom_each_has_one_finding_are_all_read(tmp_path, agrees):
    form = ["image,finding", lambda each, _: f"f{int(each[1:]) % 2}"]
    source = written(tmp_path / "s", PATIENTS, *form, within=True)
    stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list", label_column="finding"))
    assert (got.names, got.report.n) == (["f0", "f1"], 24)


def test_several_columns_beside_numbered_folders_are_asked_about(tmp_path):
    def cells_of(_, at):
        return f"{30 + at // 2},{'mf'[at % 2]},{('normal', 'lesion')[at // 2]}"

    source = written(tmp_path / "s", PATIENTS, "filename,age,sex,finding", cells_of)
    stops(source, "labels_in", tmp_path)
    choices = [each.value for each in asked(read(source))["label_column"].choices]
    assert choices == ["age", "sex", "finding"]


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize(
    ("header", "cells_of"),
    [
        ("filename,width,height", lambda _, at: f"{16 + at % 2},{32 + at % 2}"),
        ("filename,animal", lambda each, _: each),
        ("filename,camera,licence", lambda _, at: f"{'ab'[at % 2]},{'xy'[at // 2]}"),
        ("filename,dog,cat", lambda each, _: "0,1" if each == "cat" else "1,0"),
        ("filename,hash", lambda each, at: f"{each}{at}"),
    ],
)
def test_what_says_the_same_or_something_else_is_no_question(tmp_path, within, header, cells_of):
    source = written(tmp_path / "s", ["cat", "dog"], header, cells_of, within=within)
    found = read(source)
    assert not any(each.stops for each in found.questions)
    assert counts(found) == {"cat": 4, "dog": 4}


def test_a_list_of_few_of_the_images_is_no_question(tmp_path):
    source = written(tmp_path / "s", PATIENTS, *FINDINGS)
    text = (source / "labels.csv").read_text().splitlines()
    (source / "labels.csv").write_text("\n".join(text[:7]) + "\n")
    assert not any(each.stops for each in read(source).questions)


@pytest.mark.parametrize("folders", [PATIENTS, ["north", "south"]])
def test_a_list_above_the_only_folder_around_the_others_is_asked_about(tmp_path, agrees, folders):
    source = written(tmp_path / "s", [f"people/{each}" for each in folders], *FINDINGS)
    said = {"label_column": "finding"}
    assert "no column is known to have the labels" in stops(source, "labels_in", tmp_path)
    stops(source, *said, tmp_path, labels_in="list")
    assert agrees(source, Answers(**said)).names == ["lesion", "normal"]
    assert agrees(source, Answers(labels_in="folders")).names == folders


def test_a_list_above_the_only_folder_around_splits_is_asked_about(tmp_path, agrees):
    source = put(tmp_path / "s", [f"all/{each}/{each}{at}.png" for each in SPLITS for at in "01"])
    rows = [f"all/{each}/{each}{at}.png,{'ab'[int(at)]}" for each in SPLITS for at in "01"]
    (source / "list.csv").write_text("\n".join(["filename,finding", *rows]) + "\n")
    stops(source, "label_column", tmp_path)
    assert agrees(source, Answers(label_column="finding")).names == ["a", "b"]


def test_of_two_lists_over_one_folder_both_of_unknown_labels_one_is_chosen(tmp_path, agrees):
    source = put(tmp_path / "s", [f"images/{at}.png" for at in range(6)])
    (source / "a.csv").write_text("\n".join(["image,level", *(f"{i},{i % 2}" for i in range(6))]))
    rows = [f"{i},{i},{i % 3}" for i in range(6)]
    (source / "b.csv").write_text("\n".join([",image,level", *rows]))
    stops(source, "label_column", tmp_path)
    assert "2 lists are in" in stops(source, "lists", tmp_path, label_column="level")
    got = agrees(source, Answers(label_column="level", lists=("b.csv",)))
    assert got.names == ["0", "1", "2"]


def test_lists_without_a_common_column_are_offered_one_by_one(tmp_path, agrees):
    source = put(tmp_path / "s", [f"images/{at}.png" for at in range(6)])
    rows = [f"{i}.png,http://a/{i}" for i in range(6)]
    (source / "images.csv").write_text("\n".join(["filename,link", *rows]))
    rows = [f"{i},{'mf'[i % 2]},{'xyz'[i % 3]}" for i in range(6)]
    (source / "styles.csv").write_text("\n".join(["id,gender,sort", *rows]))
    question = asked(read(source))["lists"]
    assert [each.value for each in question.choices] == ["images.csv", "styles.csv"]
    assert agrees(source, Answers(lists=("styles.csv",), label_column="sort")).names == list("xyz")
    assert agrees(source, Answers(labels_in="folders")).names == ["images"]


def test_class_folders_are_offered_where_no_image_of_the_list_is_there(tmp_path, agrees):
    source = put(tmp_path / "s", [f"set/{c}/{at}.png" for c in ("abe", "bart") for at in range(3)])
    (source / "annotation.txt").write_text("".join(f"./other/{i}.png,1,2,abe\n" for i in range(4)))
    assert "none of its images is there" in stops(source, "labels_in", tmp_path)
    assert agrees(source, Answers(labels_in="folders")).names == ["abe", "bart"]


def test_options_of_lists_are_said_to_change_nothing_where_folders_are_read(tmp_path):
    source = put(tmp_path / "s", [f"{c}/{at}.png" for c in ("abe", "bart") for at in range(3)])
    notes = " ".join(read(source, one_hot="yes", label_column="x").notes)
    assert "“--label-column”, “--one-hot” changes nothing" in notes
    assert "changes nothing" not in " ".join(read(source).notes)
