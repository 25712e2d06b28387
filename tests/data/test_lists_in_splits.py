"""Lists that lie in splits, beside the images of these: train/labels.csv above train/images/."""

import json
import shutil
from pathlib import Path

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops

NAMES = ["cat", "dog", "fox"]
SPLITS = {"train": 0, "val": 1}  # names of files repeat, and mean another class


def label_of(split, at):
    return NAMES[(at + SPLITS[split]) % 3]


def written(folder, file, image, cell, header="file_name,label", more=""):
    """Write six pictures and a list into every split; `{c}` is the class, `{at}` the number."""
    for split in SPLITS:
        facts = [{"at": at, "c": label_of(split, at)} for at in range(6)]
        put(folder / split, [image.format(**each) for each in facts])
        (folder / split / file).parent.mkdir(exist_ok=True)
        rows = [f"{cell.format(**each)},{each['c']}{more}" for each in facts]
        (folder / split / file).write_text("\n".join([header, *rows]) + "\n")
    return folder


def holds_labels(got):
    """Hold that each picture has the label and the split of its own list."""
    assert (got.names, sorted(got.splits)) == (NAMES, ["train"] * 6 + ["val"] * 6)
    for path, given, split in zip(got.paths, got.given, got.splits, strict=True):
        name = Path(path).name
        assert path.startswith(f"{split}/")
        assert given == label_of(split, int(Path(name).stem))


FORMS = {
    "images below": ("labels.csv", "images/{at}.png", "{at}.png"),
    "by their paths": ("annotations.csv", "imgs/{at}.png", "imgs/{at}.png"),
    "a folder of any name": ("data.csv", "scans/{at}.png", "{at}.png"),
    "images beside": ("labels.csv", "{at}.png", "{at}.png"),
    "called metadata": ("metadata.csv", "images/{at}.png", "{at}.png"),
    "in a folder of lists": ("labels/list.csv", "images/{at}.png", "{at}.png"),
    "without endings": ("labels.csv", "images/{at}.png", "{at}"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_they_have_the_labels_where_no_folder_may_be_a_class(tmp_path, agrees, form):
    source = written(tmp_path / "s", *form)
    assert not any(each.stops for each in read(source).questions)
    holds_labels(agrees(source))
    holds_labels(agrees(Path(shutil.make_archive(str(tmp_path / "z"), "zip", source))))


def test_labels_of_fiftyone_in_every_split_are_read(tmp_path, agrees):
    source = tmp_path / "s"
    for split in SPLITS:
        put(source / split / "data", [f"{at}.png" for at in range(6)])
        labels = {str(at): NAMES.index(label_of(split, at)) for at in range(6)}
        whole = {"classes": NAMES, "labels": labels}
        (source / split / "labels.json").write_text(json.dumps(whole))
    holds_labels(agrees(source))


def test_a_person_may_say_that_the_folders_are_the_classes(tmp_path):
    source = written(tmp_path / "s", "labels.csv", "{at}.png", "{at}.png")
    stops(source, "parts", tmp_path, labels_in="folders")
    assert counts(read(source, parts="classes")) == {"train": 6, "val": 6}
    assert "labels_in" in asked(read(source, parts="classes"))


def test_a_list_in_one_split_alone_is_read(tmp_path, agrees):
    source = written(tmp_path / "s", "labels.csv", "images/{at}.png", "{at}.png")
    (source / "val" / "labels.csv").unlink()
    got = agrees(source)
    assert (got.report.n, set(got.splits)) == (6, {"train"})
    assert any("6 images are in no list" in note for note in read(source).notes)


def test_that_say_what_the_class_folders_say_are_no_question(tmp_path, agrees):
    source = written(tmp_path / "s", "labels.csv", "{c}/{at}.png", "{c}/{at}.png")
    assert not asked(read(source))
    holds_labels(agrees(source))
    holds_labels(agrees(source, Answers(labels_in="list")))
    deep = written(tmp_path / "t", "labels.csv", "images/{c}/{at}.png", "{c}/{at}.png")
    assert list(asked(read(deep))) == ["level"]


def test_that_call_the_class_folders_otherwise_are_named(tmp_path):
    source = written(tmp_path / "s", "labels.csv", "n{c}/{at}.png", "n{c}/{at}.png")
    found = read(source)
    assert not asked(found)
    assert counts(found) == {f"n{each}": 4 for each in NAMES}
    assert any("“train/labels.csv” is not used" in note for note in found.notes)
    assert counts(read(source, labels_in="list")) == dict.fromkeys(NAMES, 4)


def test_that_contradict_the_class_folders_are_asked_about(tmp_path, agrees):
    source = written(tmp_path / "s", "labels.csv", "{c}/{at}.png", "{c}/{at}.png")
    (source / "train" / "labels.csv").write_text("file_name,label\ncat/0.png,dog\ndog/1.png,dog\n")
    stops(source, "labels_in", tmp_path)
    assert agrees(source, Answers(labels_in="list")).report.n == 8  # the list of val, too
    assert agrees(source, Answers(labels_in="folders")).report.n == 12


def test_tables_of_something_else_beside_class_folders_are_named(tmp_path):
    source = tmp_path / "s"
    for split in SPLITS:
        put(source / split, [f"{name}/{at}.png" for name in NAMES for at in range(2)])
        rows = "".join(f"{name}/{at}.png,{'ab'[at]}\n" for name in NAMES for at in range(2))
        (source / split / "info.csv").write_text(f"file_name,photographer\n{rows}")
    found = read(source)
    assert not asked(found)
    assert any("“train/info.csv” is not used" in note for note in found.notes)
    assert "--labels-in list" in next(e.remedy for e in found.left_out if e.what == "lists")
    assert "label_column" in asked(read(source, labels_in="list"))


def test_folders_called_like_parts_below_splits_are_asked_about(tmp_path, agrees):
    header = "file_name,finding,age"
    source = written(tmp_path / "s", "info.csv", "P{at}/{at}.png", "P{at}/{at}.png", header, ",50")
    stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list", label_column="finding"))
    holds_labels(got)
    assert len(agrees(source, Answers(labels_in="folders")).names) == 6
