"""Lists in the folders of their images: whether they or the folders have the labels is asked."""

import shutil
from pathlib import Path

import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops

SITES = {
    "flat": ("{}/labels.csv", "{}/{}.png", "{}.png"),
    "below": ("{}/labels.csv", "{}/images/{}.png", "{}.png"),
    "by their paths": ("{}/list.tsv", "{}/images/{}.png", "images/{}.png"),
}


def written(folder, form, folders, label_of):
    """Write a list and four pictures in every folder."""
    file, image, cell = form
    for each in folders:
        put(folder, [image.format(each, at) for at in range(4)])
        comma = "\t" if file.endswith(".tsv") else ","
        rows = [f"{cell.format(at)}{comma}{label_of(each, at)}" for at in range(4)]
        (folder / file.format(each)).write_text("\n".join([f"image{comma}label", *rows]) + "\n")
    return folder


@pytest.mark.parametrize("form", SITES.values(), ids=SITES)
def test_who_has_the_labels_is_asked(tmp_path, agrees, form):
    source = written(tmp_path / "s", form, ["north", "south"], lambda _, at: "ab"[at % 2])
    said = stops(source, "labels_in", tmp_path)
    assert "2 lists lie in folders of images, first “north/" in said
    assert "or are the folders of s the classes?" in said
    got = agrees(source, Answers(labels_in="list"))
    assert (got.names, got.report.n) == (["a", "b"], 8)
    for path, image in zip(got.paths, got.ids, strict=True):
        assert path.split("/")[0] == image.split("/")[0]
    assert agrees(source, Answers(labels_in="folders")).names == ["north", "south"]


def test_a_list_in_one_of_the_folders_is_asked_about(tmp_path):
    source = written(tmp_path / "s", SITES["flat"], ["north"], lambda _, at: "ab"[at % 2])
    put(source, ["south/0.png"])
    stops(source, "labels_in", tmp_path)


LONE = {
    "images below": ("labels.csv", "images/{}.png", "{}.png"),
    "images beside": ("labels.csv", "{}.png", "{}.png"),
    "called like a split": ("train.csv", "train_images/{}.png", "{}.png"),
    "class folders that agree": ("list.csv", "{}/{}.png", "{}/{}.png"),
}


@pytest.mark.parametrize("beside", [(), ("texts/notes.txt",), ("__MACOSX/birds/._labels.csv",)])
@pytest.mark.parametrize("form", LONE.values(), ids=LONE)
def test_one_folder_around_a_list_and_its_images_is_no_question(tmp_path, agrees, form, beside):
    file, image, cell = form
    source, names = tmp_path / "s", [("ab"[at % 2], at) for at in range(8)]
    of = [each if image.count("{}") > 1 else each[1:] for each in names]
    put(source / "birds", [image.format(*each) for each in of])
    rows = [f"{cell.format(*of[at])},{label}" for at, (label, _) in enumerate(names)]
    (source / "birds" / file).write_text("\n".join(["image,label", *rows]) + "\n")
    for name in beside:
        (source / name).parent.mkdir(parents=True)
        (source / name).write_text("x")
    packed = Path(shutil.make_archive(str(tmp_path / "z"), "zip", source))
    got = agrees(source)
    assert not any(each.stops for each in read(source).questions)
    assert (got.names, got.given) == (["a", "b"], [label for label, _ in names])
    assert agrees(packed).given == got.given
    assert read(source, lists=(file,)).n == 8


def test_lists_of_splits_in_one_folder_keep_their_splits(tmp_path, agrees):
    source = tmp_path / "s" / "data"
    for split in ("train", "test"):
        put(source, [f"{split}/{at}.png" for at in range(4)])
        rows = "".join(f"{split}/{at}.png,{'ab'[at % 2]}\n" for at in range(4))
        (source / f"{split}.csv").write_text(f"image,label\n{rows}")
    got = agrees(source.parent)
    assert sorted(got.splits) == ["test"] * 4 + ["train"] * 4
    assert got.splits == agrees(source).splits


def test_lists_of_splits_in_several_folders_keep_their_splits(tmp_path, agrees):
    source = tmp_path / "s"
    for site in ("north", "south"):
        for split in ("train", "test"):
            put(source / site, [f"{split}{at}.png" for at in range(4)])
            rows = "".join(f"{split}{at}.png,{'ab'[at % 2]}\n" for at in range(4))
            (source / site / f"{split}.csv").write_text(f"image,label\n{rows}")
    stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list"))
    assert sorted(got.splits) == ["test"] * 8 + ["train"] * 8


def test_lists_in_the_folders_of_splits_are_asked_about_too(tmp_path, agrees):
    folders = [f"{split}/{site}" for split in ("train", "test") for site in ("north", "south")]
    source = written(tmp_path / "s", SITES["flat"], folders, lambda _, at: "ab"[at % 2])
    assert "4 lists lie in folders" in stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list"))
    assert (got.names, sorted(got.splits)) == (["a", "b"], ["test"] * 8 + ["train"] * 8)
    same = written(tmp_path / "t", SITES["flat"], folders, lambda each, _: each[-5:])
    assert not asked(read(same))
    assert counts(read(same)) == {"north": 8, "south": 8}


def test_that_no_list_has_the_labels_is_said(tmp_path):
    source = put(tmp_path / "s", ["cat/0.png", "dog/0.png"])
    said = "No list has the labels: “--labels-in list” changes nothing."
    assert said in read(source, labels_in="list").notes
    assert said not in read(source).notes


@pytest.mark.parametrize("label_of", [lambda each, _: each, lambda each, _: each[-1]])
def test_lists_that_say_what_their_folders_say_are_no_question(tmp_path, label_of):
    source = written(tmp_path / "s", SITES["flat"], ["c0", "c1", "c2"], label_of)
    found = read(source)
    assert not asked(found)
    assert counts(found) == {"c0": 4, "c1": 4, "c2": 4}


def test_tables_of_something_else_in_class_folders_are_no_question(tmp_path):
    source = put(tmp_path / "s", [f"{name}/{at}.png" for name in ("cat", "dog") for at in range(4)])
    (source / "cat" / "sizes.csv").write_text("image,width\n0.png,16\n1.png,16\n")
    (source / "dog" / "old.csv").write_text("image,label\ngone.png,x\naway.png,y\n")
    assert not asked(read(source))


def test_a_list_for_every_month_is_asked_about(tmp_path, agrees):
    source = tmp_path / "s"
    for site in ("north", "south"):
        put(source, [f"{site}/{at}.png" for at in range(24)])
        for month in range(12):
            rows = [f"{at}.png,{'ab'[at % 2]}" for at in (2 * month, 2 * month + 1)]
            text = "\n".join(["file,label", *rows]) + "\n"
            (source / site / f"labels_{month:02d}.csv").write_text(text)
    assert "24 lists lie in folders" in stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list"))
    assert (got.names, got.report.n) == (["a", "b"], 48)


def test_tables_called_like_the_images_around_them_are_no_lists(tmp_path, agrees):
    source = tmp_path / "s"
    for site in ("north", "south"):
        put(source, [f"{site}/{at}.png" for at in range(12)])
        for at in range(12):
            (source / site / f"{at}.csv").write_text(f"image,label\n{at}.png,{'ab'[at % 2]}\n")
    assert agrees(source).names == ["north", "south"]


def test_lists_whose_first_images_are_gone_are_lists(tmp_path, agrees):
    source = tmp_path / "s"
    for site in ("north", "south"):
        put(source, [f"{site}/{at}.png" for at in range(70, 150)])
        rows = [f"{at}.png,{'ab'[at % 2]}" for at in range(150)]
        (source / site / "labels.csv").write_text("\n".join(["file,label", *rows]) + "\n")
    stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list"))
    assert (got.names, got.report.n) == (["a", "b"], 160)


SOUTH_NORTH = ("south", "north")
SHEETS = {
    "a sheet": ("labels.xlsx", b"PK"),
    "an open sheet": ("annotations.ods", b"PK"),
    "an object": ("labels.json", b'{"north/0.png": "a", "north/1.png": "b"}'),
}


@pytest.mark.parametrize(("name", "content"), SHEETS.values(), ids=SHEETS)
def test_labels_in_a_form_that_is_not_read_are_asked_about_beside_folders(
    tmp_path, agrees, name, content
):
    source = put(
        tmp_path / "s", [f"{site}/{at}.png" for site in ("north", "south") for at in (0, 1)]
    )
    (source / name).write_bytes(content)
    assert "may have the labels, and is not read" in stops(source, "labels_in", tmp_path)
    assert agrees(source, Answers(labels_in="folders")).names == ["north", "south"]


@pytest.mark.parametrize(
    ("name", "content"),
    [("prices.xlsx", b"PK"), ("class_index.json", b'{"0": "north", "1": "south"}')],
)
def test_what_cannot_be_labels_beside_folders_asks_nothing(tmp_path, agrees, name, content):
    source = put(
        tmp_path / "s", [f"{site}/{at}.png" for site in ("north", "south") for at in (0, 1)]
    )
    (source / name).write_bytes(content)
    assert agrees(source).names == ["north", "south"]
