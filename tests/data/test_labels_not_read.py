"""Labels beside images in a form that is not read: named, with the way out, never passed over."""

import json

import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, stops

IMAGES = [f"images/im{i}.png" for i in range(8)]


@pytest.mark.parametrize("name", ["labels.xlsx", "labels.ods", "Labels.XLS"])
def test_a_spreadsheet_beside_one_folder_is_asked_about(tmp_path, agrees, name):
    put(tmp_path / "s", IMAGES)
    (tmp_path / "s" / name).write_bytes(b"PK\3\4")
    question = asked(read(tmp_path / "s"))["labels_in"]
    assert name in question.text
    assert "Save it as CSV" in question.text
    stops(tmp_path / "s", "labels_in", tmp_path)
    assert agrees(tmp_path / "s", Answers(labels_in="folders")).report.n == 8
    with pytest.raises(LnlError, match="Save it as CSV"):
        read(tmp_path / "s" / name)


@pytest.mark.parametrize("more", [(), ("meta.csv",)])
def test_a_column_per_class_beside_one_folder_is_asked_about(tmp_path, agrees, more):
    put(tmp_path / "s", IMAGES)
    rows = [f"im{i},{i % 2}.0,{1 - i % 2}.0" for i in range(8)]
    (tmp_path / "s" / "truth.csv").write_text("\n".join(["image,cat,dog", *rows]))
    for name in more:
        ages = [f"im{i},{20 + i}" for i in range(8)]
        (tmp_path / "s" / name).write_text("\n".join(["image,age", *ages]))
    found = read(tmp_path / "s")
    assert asked(found)["one_hot"].is_open
    assert "not taken along" not in " ".join(found.notes)  # that is not decided yet
    got = agrees(tmp_path / "s", Answers(one_hot="yes"))
    assert got.given == ["dog", "cat"] * 4


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.json", json.dumps([{"file_name": each, "label": "cat"} for each in IMAGES])),
        ("annotations.json", json.dumps(dict.fromkeys(IMAGES, "cat"))),
        ("annotations/list.txt", "first picture is a cat\nsecond picture is a dog\n"),
    ],
)
def test_labels_in_another_form_are_no_boxes(tmp_path, name, text):
    put(tmp_path, IMAGES)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    (tmp_path / "README.txt").write_text("about this set")
    with pytest.raises(LnlError, match=rf"{name} is no form that is read.*as CSV or JSON lines"):
        read(tmp_path)


def test_what_datasets_saved_to_disk_is_named(tmp_path):
    for split in ("train", "test"):
        (tmp_path / split).mkdir()
        (tmp_path / split / "data-00000-of-00001.arrow").write_bytes(b"\xff\xff\xff\xff")
        (tmp_path / split / "state.json").write_text("{}")
    for source in (tmp_path, tmp_path / "train"):
        with pytest.raises(LnlError, match=r"of Arrow.*to_parquet"):
            read(source)
    with pytest.raises(LnlError, match="to_parquet"):
        importers.read(tmp_path / "train" / "data-00000-of-00001.arrow")


def test_class_folders_beside_a_spreadsheet_are_classes(tmp_path):
    put(tmp_path, ["cat/0.png", "dog/0.png"])
    (tmp_path / "labels.xlsx").write_bytes(b"PK")
    assert counts(read(tmp_path)) == {"cat": 1, "dog": 1}


def test_images_without_an_ending_are_read_beside_a_file_of_arrow(tmp_path, agrees):
    put(tmp_path / "s", [f"{name}/{i:03d}" for name in ("cat", "dog") for i in range(4)])
    (tmp_path / "s" / "embeddings.feather").write_bytes(b"ARROW1")
    assert agrees(tmp_path / "s").report.n == 8


TWO = [f"{'cat' if i < 4 else 'dog'}/im{i}.png" for i in range(8)]
ROWS = "".join(f"{path},{'dog' if i < 5 else 'cat'}\n" for i, path in enumerate(TWO))
ABOVE = ["# labels by ann\n", "# labels by ann, 2024\n#\n\n", '"# by ann, and bob",\n', "#by ann\n"]


@pytest.mark.parametrize("above", ABOVE)
@pytest.mark.parametrize("name", ["list.csv", "list.txt"])
def test_a_list_below_a_comment_is_asked_about_as_any_beside_class_folders(tmp_path, above, name):
    source = put(tmp_path / "s", TWO)
    (source / name).write_text(f"{above}image,label\n{ROWS}")
    assert f"class folders and in {name}" in stops(source, "labels_in", tmp_path)
    taken = read(source, labels_in="list")
    assert counts(taken) == {"cat": 3, "dog": 5}
    assert any(f"{name} begins with" in note and "by ann" in note for note in taken.notes)
    (source / name).write_text(f"{above}{ROWS}")
    assert "has no header" in stops(source, "header", tmp_path, labels_in="list")
    assert counts(read(source, labels_in="list", header="none")) == {"cat": 3, "dog": 5}


def test_rows_below_a_comment_keep_their_numbers(tmp_path, do_import):
    put(tmp_path, ["a.png", "b.png"])
    (tmp_path / "list.csv").write_text(
        "# by ann\n\nimage,label\na.png,cat\ngone.png,dog\nb.png,dog\n"
    )
    assert [each["row"] for each in do_import(tmp_path / "list.csv").skipped] == [5]


@pytest.mark.parametrize(
    ("text", "classes"),
    [
        ("#,image,label\n1,#1.png,cat\n2,#2.png,dog\n", {"cat": 1, "dog": 1}),
        ("#image,label\n#1.png,cat\n#2.png,dog\n", {"cat": 1, "dog": 1}),
        ("image,label\n#1.png,cat\n#2.png,dog\n", {"cat": 1, "dog": 1}),
    ],
)
def test_a_sharp_that_is_no_comment_stays(tmp_path, text, classes):
    put(tmp_path, ["#1.png", "#2.png"])
    (tmp_path / "list.csv").write_text(text)
    taken = read(tmp_path / "list.csv")
    assert counts(taken) == classes
    assert not any("comment" in note for note in taken.notes)


def test_a_first_row_that_begins_with_a_sharp_is_a_row(tmp_path):
    put(tmp_path, ["#1.png", "2.png"])
    for rows in ("#1.png,cat\n2.png,dog\n", "#1,cat\n2,dog\n"):
        (tmp_path / "list.csv").write_text(rows)
        assert counts(read(tmp_path / "list.csv", header="none")) == {"cat": 1, "dog": 1}


@pytest.mark.parametrize("name", ["#pic", "#shown"])
def test_a_header_of_other_names_that_begins_with_a_sharp_is_no_comment(tmp_path, name):
    rows = "".join(f"im{i}.png,{'ab'[i % 2]}\n" for i in range(4))
    put(tmp_path, [f"im{i}.png" for i in range(4)])
    (tmp_path / "list.csv").write_text(f"{name},breed_of\n{rows}")
    taken = read(tmp_path / "list.csv", label_column="breed_of")
    assert (counts(taken), taken.columns["image"]) == ({"a": 2, "b": 2}, name)
    assert not any("comment" in note for note in taken.notes)


@pytest.mark.parametrize("name", ["train.records", "labels.dat", "labels"])
def test_a_text_of_any_name_that_names_images_is_asked_about(tmp_path, agrees, name):
    put(tmp_path / "s", IMAGES)
    (tmp_path / "s" / name).write_text("".join(f"{i}\t{i % 2}\tim{i}.png\n" for i in range(8)))
    question = asked(read(tmp_path / "s"))["labels_in"]
    assert f"{name} beside it is not read. Its lines name images: save it as CSV" in question.text
    (tmp_path / "s" / name).write_text("notes to people\nof two lines\n")
    assert agrees(tmp_path / "s").report.n == 8


def _flat_splits(folder):
    put(folder, [f"{split}/{i}.png" for split in ("train", "test") for i in range(4)])


def _a_list_in_another_encoding(folder):
    put(folder, [f"img/{i}.png" for i in range(4)])
    rows = [f"img/{i}.png;{label}" for i, label in enumerate(["B\u00e4r", "Hund"] * 2)]
    (folder / "l.csv").write_text("\n".join(["image;label", *rows]), "cp1252")


def _two_levels(folder):
    of = {"animal": ("cat", "dog"), "vehicle": ("car", "bus")}
    put(folder, [f"{top}/{name}/{i}.png" for top in of for name in of[top] for i in range(2)])


@pytest.mark.parametrize(
    ("write", "key", "wrong", "right"),
    [
        (_flat_splits, "parts", "splits", "classes"),
        (_a_list_in_another_encoding, "labels_in", "list", "folders"),
        (_two_levels, "level", "third", "inner"),
    ],
)
def test_an_answer_that_a_question_does_not_offer_is_refused(
    tmp_path, agrees, write, key, wrong, right
):
    write(tmp_path / "s")
    said = stops(tmp_path / "s", key, tmp_path, **{key: wrong})
    assert f"“{wrong}” is no answer here." in said
    question = asked(read(tmp_path / "s", **{key: wrong}))[key]
    assert question.is_open
    assert right in {each.value for each in question.choices}
    agrees(tmp_path / "s", Answers(**{key: right}))
