"""What an import understands of lists, folders and columns."""

import json

import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.asking import asked, counts, listed, put, read, rows_of, stops

# lists and folders -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stems", [("train", "val", "test"), ("Train", "valid"), ("train_set", "test-data")]
)
def test_lists_called_like_splits_are_read_together(tmp_path, do_import, stems):
    for stem in stems:
        put(tmp_path / "s", [f"{stem}0.png", f"{stem}1.png"])
        rows = f"image,label\n{stem}0.png,cat\n{stem}1.png,dog\n"
        (tmp_path / "s" / f"{stem}.csv").write_text(rows)
    found = read(tmp_path / "s")
    assert dict(found.splits) == dict.fromkeys(stems, 2)
    assert any("each as a split" in note for note in found.notes)
    got = do_import(tmp_path / "s")
    assert got.report.n == 2 * len(stems)
    alone = read(tmp_path / "s", lists=(f"{stems[0]}.csv",))
    assert counts(alone) == {"cat": 1, "dog": 1}


def test_lists_that_are_no_splits_are_asked_for(tmp_path, do_import):
    listed(tmp_path / "s", ["cat", "dog"] * 3, "labels.csv")
    listed(tmp_path / "s", ["dog", "cat"] * 3, "labels_fixed.csv")
    assert "--list" in stops(tmp_path / "s", "lists", tmp_path)
    got = do_import(tmp_path / "s", answers=Answers(lists=("labels_fixed.csv",)))
    assert got.given == ["dog", "cat"] * 3
    both = read(tmp_path / "s", lists=("all",))
    assert any("listed with different labels" in note for note in both.notes)


def test_a_list_without_labels_and_one_called_like_an_output_are_named_not_read(tmp_path):
    listed(tmp_path, ["cat", "dog"], "train.csv")
    listed(tmp_path, ["dog", "dog"], "sample_submission.csv")
    (tmp_path / "test.csv").write_text("image\nim0.png\n")
    found = read(tmp_path)
    assert found.files == ("train.csv",)
    named = " ".join(found.notes)
    assert "“sample_submission.csv” is not used" in named
    assert "“test.csv” is not used" in named


@pytest.mark.parametrize("name", ["predictions.csv", "labels.csv"])
def test_a_list_over_part_of_the_class_folders_is_named_not_read(tmp_path, do_import, name):
    put(tmp_path / "s", [f"{kind}/{i}.png" for kind in ("cat", "dog") for i in range(5)])
    (tmp_path / "s" / name).write_text("file,label\ncat/0.png,cat\ndog/0.png,cat\ndog/1.png,cat\n")
    got = do_import(tmp_path / "s")
    assert (got.report.kind, got.report.n) == ("folder", 10)
    assert any(f"“{name}” is not used" in note for note in got.report.notes)
    assert read(tmp_path / "s", labels_in="list").n == 3


def test_a_list_that_contradicts_all_class_folders_is_asked_for(tmp_path):
    put(tmp_path / "s", [f"{kind}/{i}.png" for kind in ("cat", "dog") for i in range(3)])
    rows = [f"{kind}/{i}.png,dog" for kind in ("cat", "dog") for i in range(3)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["file,label", *rows]))
    assert "--labels-in folders or list" in stops(tmp_path / "s", "labels_in", tmp_path)


def test_folders_that_only_store_images_leave_the_labels_to_the_list(tmp_path):
    put(tmp_path, [f"part_{p}/{p}{i}.png" for p in (1, 2) for i in range(3)])
    rows = [f"part_{p}/{p}{i}.png,{'cat' if i else 'dog'}" for p in (1, 2) for i in range(2)]
    (tmp_path / "l.csv").write_text("\n".join(["file,label", *rows]))
    assert counts(read(tmp_path)) == {"cat": 2, "dog": 2}


def test_folders_beside_splits_are_named_not_classes(tmp_path, do_import):
    names = [f"{split}/{kind}/{i}.png" for split in ("train", "val") for kind in ("cat", "dog")
             for i in range(2)]  # fmt: skip
    put(tmp_path / "s", names)
    (tmp_path / "s" / "annotations").mkdir()
    (tmp_path / "s" / "annotations" / "readme.txt").write_text("x")
    found = read(tmp_path / "s")
    assert counts(found) == {"cat": 4, "dog": 4}
    assert dict(found.splits) == {"train": 4, "val": 4}
    assert any("“annotations”" in note for note in found.notes)
    put(tmp_path / "s" / "holdout", ["cat/9.png", "dog/9.png"])  # the same classes: one more split
    assert read(tmp_path / "s").splits["holdout"] == 2
    put(tmp_path / "s" / "loose", ["0.png", "1.png"])
    assert "--parts" in stops(tmp_path / "s", "parts", tmp_path)
    assert counts(read(tmp_path / "s", parts="splits")) == {"cat": 5, "dog": 5}
    assert set(counts(read(tmp_path / "s", parts="classes"))) >= {"train", "loose", "val"}


def test_a_split_without_class_folders_is_left_out(tmp_path):
    put(tmp_path, ["train/cat/0.png", "train/dog/0.png", "test/0.png", "test/1.png"])
    found = read(tmp_path)
    assert counts(found) == {"cat": 1, "dog": 1}
    assert (asked(found)["unlabelled"].taken, found.left_out[0].count) == ("skip", 2)


def test_images_without_a_label_may_come_in_to_be_labelled(tmp_path, do_import):
    put(tmp_path / "s", ["cat/0.png", "dog/0.png", "loose.png"])
    assert asked(read(tmp_path / "s"))["unlabelled"].taken == "skip"
    got = do_import(tmp_path / "s", answers=Answers(unlabelled="keep"))
    assert (got.names, got.meta["no_classes"]) == (["cat", "dog", "unlabelled"], ["unlabelled"])


def test_two_levels_of_folders_are_asked_for(tmp_path, do_import):
    put(
        tmp_path / "s", ["animal/cat/0.png", "animal/dog/0.png", "tool/saw/0.png", "tool/awl/0.png"]
    )
    assert "--class-level top or inner" in stops(tmp_path / "s", "level", tmp_path)
    assert counts(read(tmp_path / "s", level="top")) == {"animal": 2, "tool": 2}
    got = do_import(tmp_path / "s", answers=Answers(level="inner"))
    assert got.names == ["awl", "cat", "dog", "saw"]


def test_a_folder_inside_each_class_is_no_second_level(tmp_path):
    put(tmp_path, ["cat/images/0.png", "dog/images/0.png"])
    assert counts(read(tmp_path)) == {"cat": 1, "dog": 1}
    put(tmp_path, ["cat/1.png", "cat/hard/2.png", "dog/1.png"])
    assert asked(read(tmp_path)) == {}


def test_splits_stay_with_the_images(tmp_path, do_import):
    put(tmp_path / "s", ["train/cat/0.png", "train/dog/0.png", "val/cat/1.png", "val/dog/1.png"])
    import pyarrow.parquet as pq

    got = do_import(tmp_path / "s")
    splits = pq.read_table(got.folder / "table.parquet").column("split").to_pylist()
    assert splits == ["train", "train", "val", "val"]


# columns ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("image_path", "target"),
        ("filepath", "category"),
        ("file_name", "y"),
        ("Image Path", "Class"),
        ("img", "species"),
        ("filename", "class_id"),
        ("image_name", "dx"),
    ],
)
def test_common_column_names_are_known(tmp_path, image, label):
    listed(tmp_path, ["cat", "dog"], header=f"{image},{label}")
    found = read(tmp_path)
    assert (dict(found.columns), counts(found)) == (
        {"image": image, "label": label},
        {"cat": 1, "dog": 1},
    )


def test_other_columns_are_asked_for_and_named_by_name_or_number(tmp_path, do_import):
    file = listed(tmp_path / "s", ["cat", "dog", "cat", "dog"], header="which,kind") / "list.csv"
    said = stops(file, "label_column", tmp_path)
    assert "--label-column" in said
    for label in ("kind", "2"):
        got = read(file, label_column=label)
        assert (got.columns["image"], counts(got)) == ("which", {"cat": 2, "dog": 2})
    with pytest.raises(importers.LnlError, match=r"no column “knd”\. Did you mean “kind”"):
        read(file, label_column="knd")
    assert do_import(file, answers=Answers(label_column="kind")).report.n == 4


def test_a_class_id_in_a_column_called_id_is_no_id(tmp_path):
    put(tmp_path, [f"im{i}.png" for i in range(6)])
    rows = [f"im{i}.png,{i % 2},{'cat' if i % 2 else 'dog'}" for i in range(6)]
    (tmp_path / "list.csv").write_text("\n".join(["image,id,label", *rows]))
    found = read(tmp_path)
    assert (found.n, asked(found)["id_column"].taken) == (6, "none")
    rows = [f"im{i}.png,{i % 2}" for i in range(6)]
    (tmp_path / "list.csv").write_text("\n".join(["image,id", *rows]))
    assert asked(read(tmp_path / "list.csv"))["label_column"].is_open
    assert counts(read(tmp_path / "list.csv", label_column="id")) == {"0": 3, "1": 3}


def test_two_columns_of_labels_that_differ_are_asked_for(tmp_path):
    put(tmp_path, [f"im{i}.png" for i in range(4)])
    rows = ["im0.png,cat,pet", "im1.png,dog,pet", "im2.png,emu,bird", "im3.png,cat,bird"]
    (tmp_path / "l.csv").write_text("\n".join(["image,label,category", *rows]))
    assert asked(read(tmp_path))["label_column"].is_open
    assert len(read(tmp_path, label_column="category").classes) == 2
    rows = ["im0.png,cat,0", "im1.png,dog,1", "im2.png,cat,0"]
    (tmp_path / "l.csv").write_text("\n".join(["image,label,class_id", *rows]))
    assert asked(read(tmp_path)) == {}


@pytest.mark.parametrize(("name", "separator"), [("l.csv", ","), ("l.txt", " ")])
def test_lists_without_a_header(tmp_path, do_import, name, separator):
    put(tmp_path / "s", ["a.png", "b.png", "c.png"])
    rows = ["a.png,cat", "b.png,dog", "c.png,cat"]
    (tmp_path / "s" / name).write_text("\n".join(rows).replace(",", separator))
    if separator == ",":
        assert "--no-header" in stops(tmp_path / "s" / name, "header", tmp_path)
    got = do_import(tmp_path / "s" / name, answers=Answers(header="none"))
    assert got.given == ["cat", "dog", "cat"]


@pytest.mark.parametrize("image", ["{:04}", "{}", "{}.0"])
@pytest.mark.parametrize("label_first", [False, True])
def test_lists_of_ids_without_a_header_lose_no_row(tmp_path, do_import, image, label_first):
    put(tmp_path / "s", [f"{at:04}.png" for at in range(1, 9)])
    pairs = [(image.format(at), ("cat", "dog")[at % 2]) for at in range(1, 9)]
    rows = [",".join(pair[::-1] if label_first else pair) for pair in pairs]
    file = tmp_path / "s" / "labels.csv"
    file.write_text("\n".join(rows) + "\n")
    assert "--no-header" in stops(file, "header", tmp_path)
    assert "--no-header" in stops(file, "header", tmp_path, label_column=rows[0].split(",")[1])
    found = read(file, header="none", **({"label_column": "1"} if label_first else {}))
    assert (found.n, counts(found)) == (8, {"cat": 4, "dog": 4})


def test_a_first_row_of_numbers_that_is_a_header_is_one(tmp_path):
    put(tmp_path, [f"{at}.png" for at in range(6)])
    file = tmp_path / "labels.csv"
    file.write_text("\n".join(["0,1", *(f"{at},{at % 2}" for at in range(6))]))
    assert "header" not in asked(read(file))  # 0.png has a row of its own
    file.write_text("\n".join(["name,0,1", *(f"{at},{at % 2},{1 - at % 2}" for at in range(6))]))
    assert "header" not in asked(read(file))  # a column per class


def test_one_column_per_class(tmp_path, do_import):
    put(tmp_path / "s", ["a.png", "b.png", "c.png", "d.png"])
    (tmp_path / "s" / "l.csv").write_text(
        "image,cat,dog,emu\na.png,1.0,0.0,0\nb.png,0.0,1.0,0\nc.png,0,0,1\nd.png,0,0,0\n"
    )
    assert "--one-hot" in stops(tmp_path / "s" / "l.csv", "one_hot", tmp_path)
    got = do_import(tmp_path / "s" / "l.csv", answers=Answers(one_hot="yes"))
    assert (got.given, got.report.skipped) == (["cat", "dog", "emu"], 1)


@pytest.mark.parametrize("last", ["0,0,1", "1,0,1"])
def test_a_class_of_the_last_rows_of_a_long_list_has_its_column(tmp_path, last):
    names = [f"{at}.png" for at in range(2_010)]
    put(tmp_path, names)
    cells = ["1,0,0", "0,1,0"] * 1_002 + [last] * 6
    rows = [f"{name},{each}" for name, each in zip(names, cells, strict=True)]
    (tmp_path / "l.csv").write_text("\n".join(["image,cat,dog,fox", *rows]))
    found = read(tmp_path / "l.csv", one_hot="yes")
    if last == "0,0,1":
        assert {each.name: each.count for each in found.classes} == {
            "cat": 1002,
            "dog": 1002,
            "fox": 6,
        }
    else:
        assert "cat|fox" in asked(found)["several"].text


@pytest.mark.parametrize("place", [40, 2_050])
def test_a_header_amid_the_rows_of_lists_put_together_is_no_row(tmp_path, place):
    names = [f"{at}.png" for at in range(2_100)]
    put(tmp_path, names)
    rows = [f"{name},{at % 2},{1 - at % 2}" for at, name in enumerate(names)]
    rows[place] = "image,cat,dog"
    (tmp_path / "l.csv").write_text("\n".join(["image,cat,dog", *rows]))
    found = read(tmp_path / "l.csv", one_hot="yes")
    assert [each.name for each in found.classes] == ["cat", "dog"]
    rows = [f"{name},{at % 2},{('cat', 'dog')[at % 2]}" for at, name in enumerate(names)]
    rows[place] = "image,label,label_name"
    (tmp_path / "l.csv").write_text("\n".join(["image,label,label_name", *rows]))
    assert [each.name for each in read(tmp_path / "l.csv").classes] == ["cat", "dog"]


def test_a_column_that_is_no_longer_0_and_1_further_down_is_no_class_and_named(tmp_path):
    names = [f"{at}.png" for at in range(2_010)]
    put(tmp_path, names)
    rows = [f"{name},{at % 2},{1 - at % 2},{at // 2005}" for at, name in enumerate(names)]
    rows[-1] = rows[-1][:-1] + "7"
    (tmp_path / "l.csv").write_text("\n".join(["image,cat,dog,age", *rows]))
    found = read(tmp_path / "l.csv", one_hot="yes")
    assert {each.name for each in found.classes} == {"cat", "dog"}
    assert "Column “age” has “7” beside 0 and 1: it is not read as a class." in found.notes


@pytest.mark.parametrize("odd", ["NA", "l"])
def test_an_odd_cell_leaves_out_its_row_and_no_class(tmp_path, do_import, odd):
    names = [f"{i}.png" for i in range(45)]
    put(tmp_path / "s", names)
    cells = ["1,0,0", "0,1,0", "0,0,1"] * 15
    cells[4], cells[7] = f"1,0,{odd}", "1,0,1"
    rows = [f"{name},{each}" for name, each in zip(names, cells, strict=True)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["image,cat,dog,fox", *rows]))
    found = read(tmp_path / "s", one_hot="yes")
    assert {each.name for each in found.classes} == {"cat", "dog", "fox"}
    assert "cat|fox" in asked(found)["several"].text
    said = f"Column “fox” has “{odd}” beside 0 and 1: such rows are left out."
    assert said in found.notes
    got = do_import(tmp_path / "s", answers=Answers(one_hot="yes", several="first"))
    (left,) = [each for each in got.skipped if each["row"] == 6]
    assert left["reason"].startswith("A class has neither 0 nor 1 in its column")
    assert (got.report.n, got.given.count("fox")) == (44, 15)


def hot(folder, odd, count=40):
    """Write a list of three classes, a column each; `odd` rows are added."""
    cells = ["1,0,0", "0,1,0", "0,0,1"] * (count // 3) + odd
    put(folder, [f"{at}.png" for at in range(len(cells))])
    rows = [f"{at}.png,{each}" for at, each in enumerate(cells)]
    (folder / "l.csv").write_text("\n".join(["image,cat,dog,fox", *rows]))
    return folder


@pytest.mark.parametrize("odd", ["0.5,0.5,0", "-1,0,0", "1,0,-1.0"])
def test_a_number_from_minus_1_to_1_leaves_out_its_row_and_no_class(tmp_path, agrees, odd):
    source = hot(tmp_path / "s", [odd])
    got = agrees(source, Answers(one_hot="yes"))
    assert (got.report.n, got.report.skipped) == (39, 1)
    assert [each.count for each in read(source, one_hot="yes").classes] == [13, 13, 13]


@pytest.mark.parametrize("odd", [["1,0,-1"] * 4 + ["1,0,1"], ["1,0,?"] * 4 + ["1,0,1"], ["1,0,2"]])
def test_which_columns_with_more_than_0_and_1_are_classes_is_asked(tmp_path, agrees, odd):
    source = hot(tmp_path / "s", [*odd, "1,1,0"])
    said = stops(source, "class_columns", tmp_path, one_hot="yes", several="first")
    assert "“fox” has" in said
    assert "--class-column all, fox or none" in said
    for answer in (("all",), ("FOX",)):
        answers = Answers(one_hot="yes", several="first", class_columns=answer)
        got = agrees(source, answers)
        assert "fox" in got.names
        assert got.report.skipped == sum(not set(each) <= set("01,") for each in odd)
    left = Answers(one_hot="yes", several="first", class_columns=("none",), unlabelled="skip")
    got = agrees(source, left)
    assert got.names == ["cat", "dog"]
    assert any("it is not read as a class" in note for note in got.report.notes)
    with pytest.raises(importers.LnlError, match=r"no column “fix”.*fox"):
        read(source, one_hot="yes", class_columns=("fix",))


def test_classes_that_all_have_rows_in_doubt_are_asked_about(tmp_path, agrees):
    source = hot(tmp_path / "s", ["-1,-1,-1"] * 4)
    assert asked(read(source))["one_hot"].is_open
    stops(source, "class_columns", tmp_path, one_hot="yes")
    got = agrees(source, Answers(one_hot="yes", class_columns=("all",)))
    assert (got.report.n, got.names) == (39, ["cat", "dog", "fox"])


def test_lists_of_one_header_have_the_classes_of_all(tmp_path):
    for split, cells in (("test", ["1,0,0", "0,1,0"]), ("train", ["0,0,1", "1,0,0"])):
        put(tmp_path / split, ["a.png", "b.png"])
        rows = [f"{name},{each}" for name, each in zip(["a.png", "b.png"], cells, strict=True)]
        (tmp_path / split / "_classes.csv").write_text("\n".join(["image,cat,dog,fox", *rows]))
    found = read(tmp_path, one_hot="yes")
    assert {each.name: each.count for each in found.classes} == {"cat": 2, "dog": 1, "fox": 1}


def test_a_column_of_splits_is_kept(tmp_path):
    put(tmp_path, ["a.png", "b.png"])
    (tmp_path / "l.csv").write_text("image,label,Subset\na.png,cat,train\nb.png,dog,val\n")
    assert dict(read(tmp_path).splits) == {"train": 1, "val": 1}
    assert read(tmp_path, split_column="none").splits == {}


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
def test_lists_of_splits_without_a_header_beside_their_images(tmp_path, do_import, separator):
    for split, n in (("train", 4), ("val", 2)):
        put(tmp_path / "s", [f"images/{split}{i}.png" for i in range(n)])
        rows = [f"images/{split}{i}.png{separator}{i % 2}" for i in range(n)]
        (tmp_path / "s" / f"{split}.txt").write_text("\n".join(rows) + "\n")
    assert "--no-header" in stops(tmp_path / "s", "header", tmp_path)
    got = read(tmp_path / "s", header="none")
    assert (counts(got), dict(got.splits)) == ({"0": 3, "1": 3}, {"train": 4, "val": 2})


def test_a_list_of_names_alone_is_no_list_of_labels(tmp_path):
    put(tmp_path, ["cat/0.png", "dog/0.png"])
    (tmp_path / "train.txt").write_text("cat/0.png\ndog/0.png\n")
    assert counts(read(tmp_path)) == {"cat": 1, "dog": 1}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model_output.csv", "path,pred\ncat/0.png,dog\n"),
        ("submission.csv", "id,label\ncat/0,1\n"),
        ("results.json", '[{"image": "cat/0.png", "label": "dog"}]'),
    ],
)
def test_what_a_model_said_beside_class_folders_is_named_and_not_read(tmp_path, name, text):
    put(tmp_path, ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"])
    (tmp_path / name).write_text(text)
    found = read(tmp_path)
    assert counts(found) == {"cat": 2, "dog": 2}
    assert any(f"“{name}” is not used" in note for note in found.notes)


def test_a_column_is_named_as_a_shell_takes_it(tmp_path):
    put(tmp_path, ["a.png", "b.png"])
    (tmp_path / "l.csv").write_text("image,the kind\na.png,cat\nb.png,dog\n")
    assert "--label-column 'the kind'" in stops(tmp_path / "l.csv", "label_column", tmp_path)


def headless(folder, *columns):
    rows = [f"im{i}.png,{','.join(of[i % len(of)] for of in columns)}" for i in range(8)]
    return rows_of(folder, "\n".join(rows) + "\n")


def test_columns_without_names_that_may_all_be_labels_are_asked_about(tmp_path, agrees):
    source = headless(tmp_path / "a", "1234", "1122", "ab")
    question = asked(read(source, header="none"))["label_column"]
    assert question.is_open
    assert [each.value for each in question.choices] == ["2", "3", "4"]
    assert agrees(source, Answers(header="none", label_column="4")).names == ["a", "b"]
    same = read(headless(tmp_path / "b", "01", ["cat", "dog"]), header="none")
    assert counts(same) == {"cat": 4, "dog": 4}


def test_splits_in_a_column_without_a_name_are_splits(tmp_path, agrees):
    got = agrees(headless(tmp_path / "s", ["train", "test"], "aabb"), Answers(header="none"))
    assert got.names == ["a", "b"]
    assert sorted(set(got.splits)) == ["test", "train"]
    more = read(headless(tmp_path / "m", ["train"], "ab", ["", "", "c"]), header="none")
    assert any("“4” is not taken along" in note for note in more.notes)
    one = read(headless(tmp_path / "t", ["train"], "ab"), header="none")
    assert counts(one) == {"a": 4, "b": 4}


def test_fields_within_fields_of_json_lines_are_columns(tmp_path, agrees):
    put(tmp_path / "s", [f"im{i}.png" for i in range(6)])
    lines = [
        {"file": {"uri": f"im{i}.png"}, "mark": {"by": {"name": "cd"[i % 2]}}, "boxes": [{"x": 1}]}
        for i in range(6)
    ]
    (tmp_path / "s" / "l.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n")
    question = asked(read(tmp_path / "s"))["label_column"]
    assert "“file.uri”, “mark.by.name”, “boxes”" in question.text
    got = agrees(tmp_path / "s", Answers(label_column="mark.by.name"))
    assert got.given == ["c", "d"] * 3


def test_a_column_with_a_comma_in_its_name_can_be_named(tmp_path, agrees):
    put(tmp_path / "s", [f"im{i}.png" for i in range(4)])
    rows = [f"im{i}.png,{'ab'[i % 2]},{'cd'[i // 2]}" for i in range(4)]
    head = 'file,"kind, English","kind, German"'
    (tmp_path / "s" / "l.csv").write_text("\n".join([head, *rows]) + "\n")
    assert agrees(tmp_path / "s", Answers(label_column="kind, German")).names == ["c", "d"]
    both = Answers(label_column="kind, English,kind, German")
    assert agrees(tmp_path / "s", both).names == ["a", "b"]
