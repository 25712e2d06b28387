"""What an import understands of paths and links, and of what it leaves out."""

import os
import unicodedata

import numpy as np
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from lnl_core.services.datasets import catalog
from lnl_core.store import datasets
from tests.data.asking import asked, counts, listed, put, read, stops
from tests.data.making import encoded, picture

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
        "A whole path that leads out of the image folder.",
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


def test_images_that_are_cut_off_count_before_anything_is_stored(tmp_path):
    put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    whole = encoded(picture(64, 64), "PNG")
    for i in range(5):
        (tmp_path / "s" / "cat" / f"x{i}.png").write_bytes(whole[: len(whole) // 2])
    assert "71 % of the images" in stops(tmp_path / "s", "mostly_skipped", tmp_path)


def test_damage_that_headers_do_not_show_stops_at_the_end(tmp_path):
    put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    whole = encoded(picture(64, 64), "PNG")
    for i in range(5):
        damaged = whole[:60] + bytes(len(whole) - 80) + whole[-20:]
        (tmp_path / "s" / "cat" / f"x{i}.png").write_bytes(damaged)
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


@pytest.mark.parametrize("other", ["IM0.PNG", "im0", "im0.jpg", "./im0.png"])
def test_one_image_written_in_two_ways_is_one_image_with_two_labels(tmp_path, do_import, other):
    put(tmp_path / "s", ["im0.png", "im1.png", "im2.png"])
    rows = ["im0.png,cat", "im1.png,dog", "im2.png,cat", f"{other},dog"]
    (tmp_path / "s" / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    found = read(tmp_path / "s")
    assert counts(found) == {"cat": 2, "dog": 1}
    assert any("listed with different labels" in note for note in found.notes)
    got = do_import(tmp_path / "s")
    assert (got.report.n, got.given[0]) == (3, "cat")
    assert np.load(got.folder / "listed.npy").tolist() == [[0, 0], [0, 1]]


@pytest.mark.parametrize("written", ["{}", "{}.0", "{:03d}"])
def test_names_that_a_spreadsheet_made_numbers_are_found(tmp_path, do_import, written):
    put(tmp_path / "s", [f"{i:05d}.png" for i in range(4)])
    rows = [f"{written.format(i)},{'ab'[i % 2]}" for i in range(4)]
    (tmp_path / "s" / "list.csv").write_text("\n".join(["id,label", *rows]) + "\n")
    assert do_import(tmp_path / "s").given == ["a", "b", "a", "b"]


def test_a_number_that_two_images_have_is_none(tmp_path):
    put(tmp_path, ["01.png", "001.png", "2.png"])
    (tmp_path / "list.csv").write_text("image,label\n1,a\n2,b\n")
    found = read(tmp_path)
    assert counts(found) == {"a": 0, "b": 1}
    assert "2 files are called so" in found.left_out[0].reason


def test_a_list_by_image_ids_over_deeper_images_is_read(tmp_path):
    put(tmp_path, [f"img/a/im{i}.png" for i in range(4)])
    rows = [f"im{i},{'ab'[i % 2]}" for i in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["image_id,label", *rows]) + "\n")
    assert counts(read(tmp_path)) == {"a": 2, "b": 2}


def test_the_true_reason_is_said_where_nothing_comes_in(tmp_path):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n"
    for name in ("cat", "dog"):
        (tmp_path / "lfs" / name).mkdir(parents=True)
        (tmp_path / "lfs" / name / "0.png").write_bytes(pointer)
        (tmp_path / "gone" / name).mkdir(parents=True)
        (tmp_path / "gone" / name / "0.png").symlink_to(tmp_path / "nowhere.png")
    put(tmp_path / "flat", ["cat_0.png", "dog_0.png"])
    for source, words in (
        ("lfs", "A Git LFS pointer"),
        ("gone", "the link leads nowhere"),
        ("flat", "lie beside each other"),
    ):
        with pytest.raises(importers.LnlError, match=words):
            read(tmp_path / source)
        with pytest.raises(importers.LnlError, match=words):
            importers.import_source(tmp_path / source, "x", tmp_path / "out")


@pytest.mark.parametrize(
    ("folders", "name"),
    [(("images", "masks"), "im{}.png"), (("aug", "orig"), "im{}"), (("a/x", "b/x"), "im{}.png")],
)
def test_which_of_two_folders_with_the_same_names_is_meant_is_asked(
    tmp_path, agrees, folders, name
):
    source = tmp_path / "s"
    put(source, [f"{folder}/im{i}.png" for folder in folders for i in range(12)])
    rows = [f"{name.format(i)},{'ab'[i % 2]}" for i in range(12)]
    (source / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    question = asked(read(source))["images_in"]
    assert (question.is_open, question.taken) == (True, "")
    assert question.text.startswith("12 names of the list have files in several folders")
    tops = [folder.split("/")[0] for folder in folders]
    assert [each.value for each in question.choices] == [*tops, "none"]
    assert f"--images-in {tops[0]}, {tops[1]} or none" in stops(source, "images_in", tmp_path)
    got = agrees(source, Answers(images_in=tops[0]))
    assert got.paths == [f"{folders[0]}/im{i}.png" for i in range(12)]
    said = f"12 times, first .*2 files are called so: “{folders[0]}/…”, “{folders[1]}/…”."
    with pytest.raises(importers.LnlError, match=said):
        read(source, images_in="none")
    read_in = importers.read(source / "list.csv", root=source / folders[0])
    assert counts(read_in) == {"a": 6, "b": 6}


def test_a_few_names_in_two_folders_hold_nothing_up(tmp_path, agrees):
    put(tmp_path / "s", [*(f"a/{i}.png" for i in range(6)), *(f"b/{i}.png" for i in range(2, 8))])
    rows = [f"{i}.png,{'xy'[i % 2]}" for i in (0, 1, 2, 3, 6, 7)]
    (source := tmp_path / "s" / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    question = asked(read(source))["images_in"]
    assert (question.is_open, question.taken) == (False, "none")
    assert agrees(source).report.n == 4
    got = agrees(source, Answers(images_in="b"))
    assert got.paths == ["b/2.png", "b/3.png", "b/6.png", "b/7.png"]
    (left,) = read(source, images_in="b").left_out
    assert (left.count, left.first) == (2, "0.png")
    assert left.reason == "The file is not in “b”: there is “a/…”."


@pytest.mark.parametrize("ending", ["", ".png", ".PNG"])
def test_names_that_the_wrong_folder_alone_has_are_not_taken_from_there(tmp_path, agrees, ending):
    put(tmp_path / "s", [*(f"train/{i}.png" for i in range(1, 19)), "7.png"])
    put(tmp_path / "s", [f"test/{i}.png" for i in (*range(1, 9), 19, 20, 21)])
    rows = [f"{i}{ending},{'xy'[i % 2]}" for i in range(1, 21)]
    (source := tmp_path / "s" / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    said = stops(source, "images_in", tmp_path)
    assert "Other names are in one of them alone: 10 in “train”, 2 in “test”." in said
    got = agrees(source, Answers(images_in="train"))
    assert got.paths == [f"train/{i}.png" for i in range(1, 19)]
    (left,) = read(source, images_in="train").left_out
    assert (left.count, left.reason) == (2, "The file is not in “train”: there is “test/…”.")


def two_folders(folder):
    """Write a list of six names: two are in `a` and in `b`, the others in `a` alone."""
    put(folder, [*(f"a/{i}.png" for i in range(6)), "b/4.png", "b/5.png", "c/9.png"])
    rows = [f"{i}.png,{'xy'[i % 2]}" for i in range(6)]
    (folder / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("write", ["a", "a/", "./a", "c/../a", "{}/a", "{}/a/"])
def test_a_folder_of_images_may_be_written_in_any_way(tmp_path, agrees, write):
    source = two_folders(tmp_path / "s")
    got = agrees(source, Answers(labels_in="list", images_in=write.format(source)))
    assert got.paths == [f"a/{i}.png" for i in range(6)]


@pytest.mark.parametrize(
    ("here", "write"), [(".", "s/a"), ("s/b", "../a"), ("s/a", "."), ("a", "a")]
)
def test_it_may_be_written_from_the_current_folder(
    tmp_path, workspace, agrees, monkeypatch, here, write
):
    source = two_folders(tmp_path / "s")
    (tmp_path / "a/a").mkdir(parents=True)  # what lies below the root comes first
    monkeypatch.chdir(tmp_path / here)
    answers = Answers(labels_in="list", images_in=write)
    if write == ".":  # that is the root, which has none of them
        assert asked(importers.read(source, answers=answers))["images_in"].is_open
        return
    assert agrees(source, answers).paths == [f"a/{i}.png" for i in range(6)]
    catalog.import_dataset(workspace, source, "two", answers=answers)
    kept = datasets.read_meta(datasets.dataset(workspace, "two"))["answers"]
    assert kept["images_in"] == "a"  # as it holds in every folder


@pytest.mark.parametrize("write", ["aa", "../s2", "list.csv", "a/0.png", "/"])
def test_a_folder_of_images_that_is_not_there_is_refused(tmp_path, write):
    (tmp_path / "s2").mkdir()
    source = two_folders(tmp_path / "s")
    with pytest.raises(importers.LnlError, match=rf"--images-in {write} is no folder below .*/s\."):
        read(source, labels_in="list", images_in=write)


@pytest.mark.parametrize("write", ["c", "."])
def test_a_folder_that_settles_no_name_is_asked_about_again(tmp_path, write):
    source = two_folders(tmp_path / "s")
    question = asked(read(source, labels_in="list", images_in=write))["images_in"]
    assert question.is_open
    assert question.text.startswith(f"“{write}” has not just one file of any of them.")
    stops(source, "images_in", tmp_path, labels_in="list", images_in=write)


def test_files_of_one_name_are_in_the_list_that_names_them(tmp_path):
    source = two_folders(tmp_path / "s")
    said = "1 image is in no list that is read, first “c/9.png”: it does not come in."
    assert said in read(source, labels_in="list").notes
    settled = read(source, labels_in="list", images_in="a").notes
    assert any(note.startswith("3 images are in no list that is read") for note in settled)


def test_a_name_that_a_second_folder_has_here_and_there_is_of_the_first(tmp_path, do_import):
    put(tmp_path / "s", [*(f"images/im{i}.png" for i in range(20)), "more/im3.png"])
    put(tmp_path / "s", [f"masks/im{i}.tif" for i in range(20)])
    rows = [f"im{i}.png,{'ab'[i % 2]}" for i in range(20)]
    (tmp_path / "s" / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    got = do_import(tmp_path / "s" / "list.csv")
    assert got.paths == [f"images/im{i}.png" for i in range(20)]
    assert any("1 path is written without the folder" in note for note in got.report.notes)


def test_one_stray_file_of_a_small_set_loses_no_image(tmp_path, do_import):
    put(tmp_path / "s", [*(f"images/{i}.png" for i in range(6)), "notes/3.png"])
    rows = [f"{i}.png,{'ab'[i % 2]}" for i in range(6)]
    (tmp_path / "s" / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    got = do_import(tmp_path / "s" / "list.csv")
    assert got.paths == [f"images/{i}.png" for i in range(6)]
