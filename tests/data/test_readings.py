"""What an import understands before it stores anything: one small instance of every kind."""

import os
import unicodedata

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers, Unanswered
from tests.data.making import encoded, picture


def put(folder, names):
    """Write a picture under each name."""
    for at, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(picture(16, 16, seed=at), "PNG"))
    return folder


def listed(folder, labels, name="list.csv", header="image,label"):
    """Write one picture per label, and the list of them."""
    put(folder, [f"im{i}.png" for i in range(len(labels))])
    rows = [f"im{i}.png,{label}" for i, label in enumerate(labels)]
    (folder / name).write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return folder


def read(source, **answers):
    return importers.read(source, answers=Answers(**answers))


def asked(reading):
    return {each.key: each for each in reading.questions}


def counts(reading):
    return {each.name: each.count for each in reading.classes}


def stops(source, key, tmp_path, **answers):
    """Hold that an import of a source stores nothing and names its question."""
    with pytest.raises(Unanswered) as stopped:
        importers.import_source(source, "x", tmp_path / "no", answers=Answers(**answers))
    assert key in [each.key for each in stopped.value.questions]
    assert not (tmp_path / "no").exists()
    return str(stopped.value)


# class names -----------------------------------------------------------------------------------

COMPOSED, SPLIT_UP = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(
    "names",
    [
        ["Cat", "cat"],
        ["cat", "cat "],
        ["polar bear", "polar_bear", "Polar-Bear", "polarbear"],
        [COMPOSED, SPLIT_UP],
        ["\uff23at", "Cat"],
        ["STRASSE", "stra\u00dfe"],
        ["cat", "c\u200bat"],
        ["cat", "'cat'", "\u201ccat\u201d"],
    ],
)
def test_one_class_under_several_spellings_is_asked_for(tmp_path, do_import, names):
    for name in names:
        put(tmp_path / "s" / name, ["0.png", "1.png"])
    put(tmp_path / "s", ["dog/0.png", f"{names[0]}/2.png"])
    assert "--spellings merge or keep" in stops(tmp_path / "s", "spellings", tmp_path)
    kept = read(tmp_path / "s", spellings="keep")
    assert (len(kept.classes), kept.open_questions) == (len(names) + 1, ())
    one = do_import(tmp_path / "s", answers=Answers(spellings="merge"))
    assert sorted(one.names) == sorted([names[0], "dog"])
    assert one.report.n == 2 * len(names) + 2


def test_names_that_differ_in_more_are_no_question(tmp_path):
    listed(tmp_path, ["A+", "A-", "A", "c", "c#", "t1", "t2"])
    assert asked(read(tmp_path)) == {}


@pytest.mark.parametrize(
    ("labels", "merged"),
    [
        (["1", "1.0", "01", "2", "2.0"], ["1", "2"]),
        (["0.5", ".5", "0.50", "1.5"], ["0.5", "1.5"]),
        (["+1", "1", "-1", "-1.0"], ["-1", "1"]),
        (["1e1", "10", "3"], ["3", "10"]),
        (["1000", '"1,000"', "7"], ["7", "1000"]),
    ],
)
def test_one_number_written_in_several_ways_is_asked_for(tmp_path, do_import, labels, merged):
    listed(tmp_path / "s", labels)
    assert "--numbers merge or keep" in stops(tmp_path / "s", "numbers", tmp_path)
    one = do_import(tmp_path / "s", answers=Answers(numbers="merge"))
    assert sorted(one.names, key=float) == merged
    assert len(read(tmp_path / "s", numbers="keep").classes) == len(labels)


def test_signed_numbers_are_two_classes(tmp_path):
    listed(tmp_path, ["-1", "+1"] * 3)
    assert asked(read(tmp_path)) == {}


MISSING = ["nan", "NaN", "NA", "None", "null", "N/A", "<NA>", "?", "-", "#N/A"]


def test_words_for_missing_leave_their_rows_out_and_say_so(tmp_path, do_import):
    listed(tmp_path / "s", ["cat", "dog", *MISSING, "cat", "dog"])
    found = read(tmp_path / "s")
    assert counts(found) == {"cat": 2, "dog": 2}
    assert not found.open_questions
    assert any("words for a missing label" in note for note in found.notes)
    assert found.left_out[0].count == len(MISSING)
    got = do_import(tmp_path / "s")
    assert (got.report.n, got.report.skipped) == (4, len(MISSING))
    assert any("--missing-words" in note for note in got.report.notes)


def test_words_for_missing_may_be_a_class_or_images_to_label(tmp_path, do_import):
    listed(tmp_path / "s", ["cat", "dog", "NA", "cat", "dog", "None"])
    assert counts(read(tmp_path / "s", missing="class"))["NA"] == 1
    got = do_import(tmp_path / "s", answers=Answers(missing="no-class"))
    assert got.meta["no_classes"] == ["NA", "None"]
    assert got.report.n == 6


def test_a_word_for_missing_on_many_rows_may_be_a_class_so_it_is_asked(tmp_path):
    listed(tmp_path / "s", ["crack", "none", "none", "dent", "none"])
    assert "--missing-words" in stops(tmp_path / "s", "missing", tmp_path)
    assert counts(read(tmp_path / "s", missing="class"))["none"] == 3


def test_a_class_folder_called_none_stays_a_class(tmp_path):
    put(tmp_path, ["none/0.png", "none/1.png", "dent/0.png"])
    assert counts(read(tmp_path)) == {"dent": 1, "none": 2}


# several labels --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "cat|dog",
        '"cat,dog"',
        '"cat, dog"',
        "cat;dog",
        "\"['cat', 'dog']\"",
        "['cat' 'dog']",
        '"[""cat"",""dog""]"',
        '"{cat, dog}"',
        "cat/dog",
        "cat dog",
        "cat+dog",
    ],
)
def test_several_labels_in_a_cell_are_asked_for(tmp_path, do_import, cell):
    listed(tmp_path / "s", ["cat", "dog", cell, "cat", "dog"])
    assert "--several-labels" in stops(tmp_path / "s", "several", tmp_path)
    first = do_import(tmp_path / "s", answers=Answers(several="first"))
    assert (first.names, first.given[2]) == (["cat", "dog"], "cat")
    assert np.load(first.folder / "listed.npy").tolist() == [[2, 0], [2, 1]]
    assert len(read(tmp_path / "s", several="class").classes) == 3
    assert counts(read(tmp_path / "s", several="skip")) == {"cat": 2, "dog": 2}


@pytest.mark.parametrize("cell", ["cat|cat", "cat/cat", '"cat, cat"', "cat;cat;"])
def test_one_label_twice_in_a_cell_is_no_class_of_its_own(tmp_path, cell):
    listed(tmp_path, ["cat", "dog", cell])
    assert list(asked(read(tmp_path))) == ["several"]
    assert counts(read(tmp_path, several="first")) == {"cat": 2, "dog": 1}


def test_an_end_that_could_separate_is_part_of_a_name(tmp_path):
    listed(tmp_path, ["A", "A+", "B", "C++", "C"])
    assert asked(read(tmp_path)) == {}


def test_a_comma_inside_a_name_is_no_list(tmp_path):
    listed(tmp_path, ['"tench, Tinca tinca"', '"crane, bird"', "T-shirt/top", "(small) cat"])
    assert asked(read(tmp_path)) == {}


def test_sets_of_labels_of_which_none_stands_alone(tmp_path):
    listed(tmp_path, ['"cat,dog"', '"dog,emu"', '"emu,cat"'])
    assert list(asked(read(tmp_path))) == ["several"]


# numbers for names -----------------------------------------------------------------------------


def arrays(path, labels, **more):
    pixels = np.random.default_rng(0).integers(0, 255, (len(labels), 8, 8, 3), np.uint8)
    np.savez(path, images=pixels, labels=np.array(labels), **more)
    return path


def test_labels_of_arrays_that_go_from_one_are_asked_for(tmp_path, do_import):
    names = np.array(["cat", "dog", "emu", "fox"])
    path = arrays(tmp_path / "s.npz", [1, 2, 3, 4] * 3, class_names=names)
    assert "--count-from 0 or 1" in stops(path, "count_from", tmp_path)
    got = do_import(path, answers=Answers(count_from="1"))
    assert got.given == ["cat", "dog", "emu", "fox"] * 3
    assert counts(read(path, count_from="0")) == {"cat": 0, "dog": 3, "emu": 3, "fox": 3}


def test_a_class_without_images_is_not_settled_either(tmp_path):
    path = arrays(tmp_path / "s.npz", [1, 2, 3] * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert list(asked(read(path))) == ["count_from"]
    full = arrays(tmp_path / "t.npz", [0, 1, 3] * 3, class_names=np.array(["a", "b", "c", "d"]))
    assert asked(read(full)) == {}


def test_numbers_of_a_list_stand_for_the_lines_of_a_classes_file(tmp_path, do_import):
    listed(tmp_path / "s", ["1", "2", "1", "2"])
    (tmp_path / "s" / "classes.txt").write_text("cat\ndog\n")
    assert "--count-from" in stops(tmp_path / "s", "count_from", tmp_path)
    got = do_import(tmp_path / "s", answers=Answers(count_from="1"))
    assert got.given == ["cat", "dog", "cat", "dog"]
    listed(tmp_path / "t", ["0", "1", "0", "1"])
    (tmp_path / "names").write_text("cat\ndog\n")
    said = Answers(classes_file=str(tmp_path / "names"))
    assert counts(importers.read(tmp_path / "t", answers=said)) == {"cat": 2, "dog": 2}


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


def test_one_column_per_class(tmp_path, do_import):
    put(tmp_path / "s", ["a.png", "b.png", "c.png", "d.png"])
    (tmp_path / "s" / "l.csv").write_text(
        "image,cat,dog,emu\na.png,1.0,0.0,0\nb.png,0.0,1.0,0\nc.png,0,0,1\nd.png,0,0,0\n"
    )
    assert "--one-hot" in stops(tmp_path / "s" / "l.csv", "one_hot", tmp_path)
    got = do_import(tmp_path / "s" / "l.csv", answers=Answers(one_hot="yes"))
    assert (got.given, got.report.skipped) == (["cat", "dog", "emu"], 1)


def test_a_column_of_splits_is_kept(tmp_path):
    put(tmp_path, ["a.png", "b.png"])
    (tmp_path / "l.csv").write_text("image,label,Subset\na.png,cat,train\nb.png,dog,val\n")
    assert dict(read(tmp_path).splits) == {"train": 1, "val": 1}
    assert read(tmp_path, split_column="none").splits == {}


# paths -----------------------------------------------------------------------------------------


def test_names_without_ending_are_found_where_one_image_has_them(tmp_path, do_import):
    put(tmp_path / "s", ["deep/a.png", "deep/b.png", "more/c.png"])
    (tmp_path / "s" / "l.csv").write_text("image,label\na,cat\nb,dog\nc,cat\n")
    assert do_import(tmp_path / "s" / "l.csv").paths == ["deep/a.png", "deep/b.png", "more/c.png"]
    put(tmp_path / "s", ["x/d.png", "y/d.png"])
    (tmp_path / "s" / "l.csv").write_text("image,label\na,cat\nc,dog\nd,cat\n")
    lost = read(tmp_path / "s" / "l.csv").left_out[0]
    assert (lost.count, lost.reason[:24]) == (1, "2 files are called so: “")


@pytest.mark.parametrize(
    "prefix",
    ["C:\\Users\\ann\\set\\", "/lab/ann/set/", "\\\\server\\share\\", "D:/a/b/", "old/set/"],
)
def test_paths_of_another_computer_are_read_below_what_they_share(tmp_path, do_import, prefix):
    put(tmp_path / "s", ["cats/a.png", "cats/b.png", "dogs/a.png"])
    separator = "\\" if "\\" in prefix else "/"
    rows = [("cats", "a", "cat"), ("cats", "b", "cat"), ("dogs", "a", "dog")]
    lines = [f"{prefix}{folder}{separator}{name}.png,{label}" for folder, name, label in rows]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["image,label", *lines]))
    got = do_import(tmp_path / "s" / "l.csv")
    assert got.paths == got.ids == ["cats/a.png", "cats/b.png", "dogs/a.png"]
    assert any("Paths start with" in note for note in got.report.notes)


def test_an_image_elsewhere_on_this_computer_is_not_taken_for_one_here(tmp_path, do_import):
    put(tmp_path / "s", ["a.png", "b.png"])
    put(tmp_path / "other", ["a.png"])
    (tmp_path / "s" / "l.csv").write_text(f"image,label\nb.png,dog\n{tmp_path}/other/a.png,cat\n")
    got = do_import(tmp_path / "s" / "l.csv")
    assert (got.paths, got.skipped[0]["reason"]) == (
        ["b.png"],
        "The path leads out of the image folder.",
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_both_unicode_forms_of_a_name_are_found(tmp_path, do_import, form):
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    put(tmp_path / "s", [unicodedata.normalize(form, "caf\u00e9/\u00e4.png"), "b.png"])
    cell = unicodedata.normalize(other, "caf\u00e9/\u00e4.png")
    (tmp_path / "s" / "l.csv").write_text(f"image,label\n{cell},cat\nb.png,dog\n", "utf-8")
    assert do_import(tmp_path / "s" / "l.csv").report.n == 2


def linked(tmp_path):
    put(tmp_path / "store", ["0.png", "1.png", "2.png", "3.png"])
    for at, kind in enumerate(("cat", "cat", "dog", "dog")):
        link = tmp_path / "s" / kind / f"{at}.png"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(tmp_path / "store" / f"{at}.png")
    return tmp_path / "s"


def test_links_are_the_reason_and_are_followed_when_asked_to(tmp_path, do_import, monkeypatch):
    source = linked(tmp_path)
    assert "links that lead out" in stops(source, "links", tmp_path)
    monkeypatch.setenv("LNL_DATA_ROOTS", str(source))
    assert read(source, links="follow").open_questions
    monkeypatch.setenv("LNL_DATA_ROOTS", os.pathsep.join(map(str, (source, tmp_path / "store"))))
    assert do_import(source, answers=Answers(links="follow")).given == ["cat"] * 2 + ["dog"] * 2


def test_class_folders_that_are_links(tmp_path, do_import):
    put(tmp_path / "store", ["cat/0.png", "dog/0.png"])
    (tmp_path / "s").mkdir()
    for kind in ("cat", "dog"):
        (tmp_path / "s" / kind).symlink_to(tmp_path / "store" / kind)
    (tmp_path / "store" / "cat" / "back").symlink_to(tmp_path / "s")  # no end, if it were followed
    assert "links that lead out" in stops(tmp_path / "s", "links", tmp_path)
    assert do_import(tmp_path / "s", answers=Answers(links="follow")).given == ["cat", "dog"]


def test_a_listed_link_is_followed_when_asked_to(tmp_path, do_import):
    source = linked(tmp_path)
    (source / "l.csv").write_text("image,label\ncat/0.png,cat\ndog/2.png,dog\n")
    stops(source / "l.csv", "links", tmp_path)
    assert do_import(source / "l.csv", answers=Answers(links="follow")).report.n == 2


# what is left out ------------------------------------------------------------------------------


def test_more_than_half_left_out_is_asked_for(tmp_path, do_import):
    put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    for i in range(5):
        (tmp_path / "s" / "cat" / f"x{i}.png").write_bytes(b"no image")
    assert "--accept-skipped" in stops(tmp_path / "s", "mostly_skipped", tmp_path)
    got = do_import(tmp_path / "s", answers=Answers(mostly_skipped="accept"))
    assert (got.report.n, got.report.skipped) == (2, 5)


def test_damage_that_headers_do_not_show_stops_at_the_end(tmp_path):
    put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    whole = encoded(picture(64, 64), "PNG")
    for i in range(5):
        (tmp_path / "s" / "cat" / f"x{i}.png").write_bytes(whole[: len(whole) // 2])
    assert not read(tmp_path / "s").open_questions
    assert "5 of 7 images" in stops(tmp_path / "s", "mostly_skipped", tmp_path)


def test_an_image_listed_twice_with_two_labels_is_kept_with_both(tmp_path, do_import):
    folder = listed(tmp_path / "s", ["cat", "dog", "cat", "dog"])
    with (folder / "list.csv").open("a") as file:
        file.write("im0.png,dog\n./im1.png,cat\nim2.png,cat\n")
    found = read(folder)
    assert counts(found) == {"cat": 2, "dog": 2}
    assert any("first “im0.png” as “cat” and “dog”" in note for note in found.notes)
    got = do_import(folder)
    assert got.given == ["cat", "dog", "cat", "dog"]
    assert np.load(got.folder / "listed.npy").tolist() == [[0, 0], [0, 1], [1, 1], [1, 0]]
    assert [each["row"] for each in got.skipped] == [8]


# the value -------------------------------------------------------------------------------------


def test_a_reading_shows_images_of_every_class_and_goes_into_json(tmp_path):
    put(tmp_path, ["cat/0.png", "cat/1.png", "dog/0.png"])
    found = importers.read(tmp_path, pictures=True)
    assert [[len(e.picture) > 50 for e in each.examples] for each in found.classes] == [
        [True, True],
        [True],
    ]
    value = found.to_json()
    assert [each["examples"] for each in value["classes"]] == [
        ["cat/0.png", "cat/1.png"],
        ["dog/0.png"],
    ]
    answers = Answers(spellings="merge", no_classes=("a", "b"), lists=("x.csv",))
    assert Answers.from_json(answers.to_json()) == answers
    assert Answers.from_json({"unknown": "x"}) == Answers()


# more instances -------------------------------------------------------------------------------


def test_lists_in_a_folder_of_their_own(tmp_path, do_import):
    put(tmp_path / "s", ["images/a.png", "images/b.png", "images/c.png"])
    (tmp_path / "s" / "labels").mkdir()
    (tmp_path / "s" / "labels" / "train_labels.csv").write_text(
        "image,label\na.png,cat\nb.png,dog\n"
    )
    (tmp_path / "s" / "labels" / "test_labels.csv").write_text("image,label\nc.png,cat\n")
    got = do_import(tmp_path / "s")
    assert (got.names, got.report.n) == (["cat", "dog"], 3)
    assert set(got.paths) == {"images/a.png", "images/b.png", "images/c.png"}
    alone = read(tmp_path / "s", lists=("train_labels.csv",))
    assert counts(alone) == {"cat": 1, "dog": 1}


def test_a_folder_of_images_is_no_class_where_a_table_names_them(tmp_path):
    put(tmp_path, [f"images/{i}.png" for i in range(4)])
    rows = [f"{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(4)]
    (tmp_path / "notes.csv").write_text("\n".join(["photo_of,kind", *rows]))
    assert asked(read(tmp_path))["label_column"].is_open
    assert counts(read(tmp_path, label_column="kind")) == {"cat": 2, "dog": 2}


def test_names_in_other_capitals_and_with_other_endings_are_found(tmp_path, do_import):
    put(tmp_path / "s", ["IMG_1.PNG", "b.png", "c.png"])
    (tmp_path / "s" / "l.csv").write_text("image,label\nimg_1.png,cat\nb.jpg,dog\nc.png,cat\n")
    got = do_import(tmp_path / "s" / "l.csv")
    assert got.paths == ["IMG_1.PNG", "b.png", "c.png"]
    assert sum("found by the one" in note for note in got.report.notes) == 2


def test_lists_as_values_are_several_labels(tmp_path):
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq

    put(tmp_path, ["a.png", "b.png"])
    rows = [{"image": "a.png", "label": ["cat", "dog"]}, {"image": "b.png", "label": ["cat"]}]
    (tmp_path / "l.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert list(asked(read(tmp_path / "l.jsonl"))) == ["several"]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "l.parquet")
    assert list(asked(read(tmp_path / "l.parquet"))) == ["several"]
    assert counts(read(tmp_path / "l.parquet", several="first")) == {"cat": 2, "dog": 0}


def test_a_list_against_class_folders_that_numbers_tell_apart(tmp_path):
    names = ["n01/a.png", "n01/b.png", "n02/c.png", "n02/d.png"]
    put(tmp_path, names)
    rows = [f"{name},{'n02' if name == 'n01/a.png' else name[:3]}" for name in names]
    (tmp_path / "labels.csv").write_text("\n".join(["image,label", *rows]))
    question = asked(read(tmp_path))["labels_in"]
    assert question.stops
    assert "another label for 1" in question.text


# a reading and its import ---------------------------------------------------------------------


def test_missing_and_unreadable_images_are_counted_as_the_import_finds_them(tmp_path, agrees):
    folder = listed(tmp_path / "s", ["cat", "dog"] * 5)
    (folder / "im0.png").unlink()
    (folder / "im1.png").write_bytes(b"")
    (folder / "im2.png").write_text("<html>")
    with (folder / "list.csv").open("a") as file:
        file.write("im3.png,dog\nim4.png,dog\nim4.png,cat\n,cat\nim5.png,\nim6.png,NA\n")
        file.write("im0.png,cat\nim0.png,dog\n")
    found = read(folder)
    assert (found.n, counts(found)) == (7, {"cat": 3, "dog": 4})
    assert agrees(folder) is not None


def test_doubled_ids_are_counted_as_the_import_finds_them(tmp_path, agrees):
    ids = np.array(["a", "b", "a", "c", " ", "d"])
    names = np.array(["x", "y", "nan"])
    arrays(tmp_path / "s.npz", [0, 1, 1, 5, 0, -1], ids=ids, class_names=names)
    found = read(tmp_path / "s.npz")
    assert (found.n, sum(each.count for each in found.left_out)) == (2, 4)
    agrees(tmp_path / "s.npz")
    words = np.array(["cat", "NA", "dog", "cat", "dog", "cat"])
    np.savez(tmp_path / "t.npz", images=np.full((6, 8, 8), 99, np.uint8), labels=words, ids=ids,
             splits=np.array(["train", "val"] * 3))  # fmt: skip
    agrees(tmp_path / "t.npz")


def test_what_no_import_could_store_no_reading_promises(tmp_path, agrees):
    agrees(listed(tmp_path / "a", ["NA", "nan"]))
    agrees(arrays(tmp_path / "b.npz", [7, 8, 9], class_names=np.array(["x", "y"])))
    agrees(listed(tmp_path / "c", ["cat", "dog"]), Answers(no_classes=("emu",)))
    put(tmp_path / "d", ["cat/a.png", "dog/b.png"])
    for each in (tmp_path / "d").rglob("*.png"):
        each.write_bytes(b"none")
    agrees(tmp_path / "d")
    put(tmp_path / "e", ["cat/a.png", "dog/b.png"])
    agrees(tmp_path / "e", Answers(no_classes=("cat", "dog")))


def test_a_long_list_says_that_its_numbers_are_estimates(tmp_path, monkeypatch):
    from lnl_core.data import files

    folder = listed(tmp_path, ["cat", "dog"] * 5)
    assert read(folder).exact
    monkeypatch.setattr(files, "UP_TO", 5)
    assert not read(folder).exact


def rows_of(folder, text, count=8):
    """Write pictures im0 ... and a list with these lines."""
    put(folder, [f"im{i}.png" for i in range(count)])
    (folder / "list.csv").write_text(text)
    return folder


def test_a_quote_that_is_never_closed_loses_rows_by_number(tmp_path, agrees):
    lines = [f"im{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(8)]
    lines[3] = 'im3.png,"cat'
    rows_of(tmp_path / "s", "\n".join(["image,label", *lines, ""]))
    found = read(tmp_path / "s", mostly_skipped="accept")
    (left,) = found.left_out
    assert (found.n, left.count) == (3, 5)
    assert left.reason == "A quote is opened in row 5 and never closed."
    assert "4 rows after it were lost" in left.remedy
    got = agrees(tmp_path / "s", Answers(mostly_skipped="accept"))
    assert [each["row"] for each in got.skipped] == [5, 6, 7, 8, 9]


def test_splits_spelled_alike_are_one_unless_kept_apart(tmp_path, agrees, do_import):
    names = [f"{split}/{kind}/0.png" for split in ("train", "Train") for kind in ("cat", "dog")]
    put(tmp_path / "s", [*names, "train/cat/1.png", "val/cat/0.png", "val/dog/0.png"])
    found = read(tmp_path / "s")
    assert dict(found.splits) == {"train": 5, "val": 2}
    assert "“Train”, “train”" in asked(found)["split_spellings"].text
    assert any("--split-spellings" in note for note in found.notes)
    agrees(tmp_path / "s")
    kept = Answers(split_spellings="keep")
    assert dict(importers.read(tmp_path / "s", answers=kept).splits)["Train"] == 2
    agrees(tmp_path / "s", kept)
    rows_of(
        tmp_path / "l", "image,label,split\nim0.png,cat,VAL\nim1.png,dog,val \nim2.png,cat,val\n"
    )
    assert dict(read(tmp_path / "l").splits) == {"val": 3}
    agrees(tmp_path / "l")


def test_an_image_in_two_splits_is_named_as_a_leak(tmp_path, do_import):
    lines = ["im0.png,cat,train", "im1.png,dog,train", "im0.png,cat,val", "im1.png,dog,train"]
    rows_of(tmp_path / "s", "\n".join(["image,label,split", *lines]))
    assert {each.reason.split(";")[0]: each.count for each in read(tmp_path / "s").left_out} == {
        "The image is listed in another split, too": 1,
        "The image is listed twice": 1,
    }
    assert do_import(tmp_path / "s").report.n == 2


@pytest.mark.parametrize(
    ("header", "values", "splits"),
    [
        ("is_train", ["True", "True", "False", "True"], {"train": 3, "test": 1}),
        ("is_training_image", ["1", "0", "0", "1"], {"training": 2, "test": 2}),
        ("is_valid", ["0", "0", "0", "1"], {"train": 3, "valid": 1}),
        ("train,val,test", ["1,0,0", "1,0,0", "0,1,0", "0,0,1"], {"train": 2, "val": 1, "test": 1}),
    ],
)
def test_columns_that_say_yes_or_no_to_a_split(tmp_path, agrees, header, values, splits):
    kinds = ["cat", "dog", "cat", "dog"]
    lines = [f"im{i}.png,{kinds[i]},{value}" for i, value in enumerate(values)]
    rows_of(tmp_path / "s", "\n".join([f"image,label,{header}", *lines]), 4)
    found = read(tmp_path / "s")
    assert dict(found.splits) == splits
    assert found.columns["split"].startswith(header.split(",")[0])
    agrees(tmp_path / "s")
    assert read(tmp_path / "s", split_column="none").splits == {}


def test_one_column_per_class_leaves_out_those_of_splits(tmp_path):
    lines = ["im0.png,1,0,1", "im1.png,0,1,0", "im2.png,1,0,1"]
    rows_of(tmp_path, "\n".join(["image,cat,dog,is_train", *lines]), 3)
    found = read(tmp_path, one_hot="yes")
    assert counts(found) == {"cat": 2, "dog": 1}
    assert dict(found.splits) == {"train": 2, "test": 1}


def test_two_columns_of_other_images_are_asked_for(tmp_path, agrees):
    put(tmp_path / "s", [f"{part}/{i}.png" for part in ("before", "after") for i in range(3)])
    for header in ("image,photo,label", "left eye,right eye,label"):
        lines = [f"before/{i}.png,after/{i}.png,{'cat' if i else 'dog'}" for i in range(3)]
        (tmp_path / "s" / "l.csv").write_text("\n".join([header, *lines]))
        question = asked(read(tmp_path / "s" / "l.csv"))["image_column"]
        assert question.is_open
        agrees(tmp_path / "s" / "l.csv")
        second = header.split(",")[1]
        got = agrees(tmp_path / "s" / "l.csv", Answers(image_column=second))
        assert got.paths == [f"after/{i}.png" for i in range(3)]


def test_two_columns_of_the_same_images_are_no_question(tmp_path, agrees):
    put(tmp_path / "s", [f"pics/im{i}.png" for i in range(3)])
    lines = [f"im{i}.png,pics/im{i}.png,cat" for i in range(3)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["filename,path,label", *lines]))
    assert asked(read(tmp_path / "s" / "l.csv")) == {}
    lines = [f"/gone/im{i}.png,pics/im{i}.png,cat" for i in range(3)]
    (tmp_path / "s" / "l.csv").write_text("\n".join(["image,file_path,label", *lines]))
    assert agrees(tmp_path / "s" / "l.csv").report.n == 3


def test_true_labels_that_contradict_each_other_are_no_truth(tmp_path, do_import):
    lines = ["im0.png,cat,cat", "im1.png,dog,dog", "im0.png,cat,dog", "im2.png,cat,dog"]
    rows_of(tmp_path / "s", "\n".join(["image,label,true_label", *lines]))
    got = do_import(tmp_path / "s")
    assert any("1 image is listed with different true labels" in n for n in got.report.notes)
    assert np.load(got.folder / "judged_labels.npy").tolist() == [-1, 1, 1]


def test_columns_without_a_name_are_answered_by_number(tmp_path):
    from lnl_core.readings import advice

    lines = [f"im{i}.png,{i % 2}" for i in range(4)]
    rows_of(tmp_path, "\n".join(["image,", *lines]))
    question = asked(read(tmp_path / "list.csv"))["label_column"]
    assert [each.value for each in question.choices] == ["2"]
    assert advice(question) == "Give --label-column 2."
    assert counts(read(tmp_path / "list.csv", label_column="2")) == {"0": 2, "1": 2}
