"""Lists that say nothing but splits, beside class folders: read where every line is an image."""

import json

import pytest

from lnl_core.readings import Answers
from tests.data.asking import put, read

TWO = [f"{name}/{at}.png" for name in ("cat", "dog") for at in range(4)]
SPLITS = {"train": [*TWO[:3], *TWO[4:7]], "test": [TWO[3], TWO[7]]}


def written(folder, line="{}", into="", ending=".txt"):
    """Write two class folders and a list for each split."""
    put(folder, TWO)
    (folder / into).mkdir(exist_ok=True)
    for split, paths in SPLITS.items():
        lines = [line.format(path) for path in paths]
        (folder / into / f"{split}{ending}").write_text("\n".join(lines) + "\n")
    return folder


def said(folder, **answers):
    return [each for each in read(folder, **answers).notes if "plits are read" in each]


@pytest.mark.parametrize("into", ["", "meta/"])
@pytest.mark.parametrize("line", ["{}", "./{}", "images/{}", "without the ending"])
def test_every_line_is_an_image(tmp_path, agrees, into, line):
    source = written(tmp_path / "s", line if "{" in line else "{}", into)
    for split in SPLITS if "{" not in line else ():
        file = source / into / f"{split}.txt"
        file.write_text(file.read_text().replace(".png", ""))
    (source / into / "README.txt").write_text("cat/dog pictures\n")
    got = agrees(source)
    splits = dict(zip(got.paths, got.splits, strict=True))
    assert splits == {path: split for split, paths in SPLITS.items() for path in paths}
    names = [f"{into}{split}.txt" for split in ("test", "train")]
    assert got.meta["lists"] == [str(source / name) for name in names]
    assert said(source) == [
        "Splits are read from “test.txt”, “train.txt”; --split-column none: they are not."
    ]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".txt"])
@pytest.mark.parametrize(("header", "more"), [("", ""), ("filename", ""), ("image,width", ",32")])
def test_a_table_called_like_a_split_has_its_images(tmp_path, agrees, header, more, ending):
    sign = "\t" if ending == ".tsv" else ","
    source = written(tmp_path / "s", "{}" + more.replace(",", sign), ending=ending)
    for split in SPLITS if header else ():
        file = source / f"{split}{ending}"
        file.write_text(header.replace(",", sign) + "\n" + file.read_text())
    got = agrees(source)
    splits = dict(zip(got.paths, got.splits, strict=True))
    assert splits == {path: split for split, paths in SPLITS.items() for path in paths}
    assert not any("not used" in note for note in got.report.notes)


def test_a_table_called_like_a_split_that_may_have_labels_says_none(tmp_path):
    source = written(tmp_path / "s", "{},7", ending=".csv")
    for split in SPLITS:
        rows = "".join(f"{path},{at % 2}\n" for at, path in enumerate(SPLITS[split] * 2))
        (source / f"{split}.csv").write_text("filename,finding\n" + rows)
    assert not said(source)


def test_images_without_labels_in_a_list_called_like_a_split_are_no_split(tmp_path):
    source = put(tmp_path / "s", [f"{split}/{at}.png" for split in ("a", "b") for at in range(3)])
    (source / "train.csv").write_text("image,label\na/0.png,x\na/1.png,y\na/2.png,x\n")
    (source / "test.csv").write_text("image\nb/0.png\nb/1.png\nb/2.png\n")
    assert not any("a list of a split" in note for note in read(source).notes)


@pytest.mark.parametrize("row", ["{}", ["{}", 0, "cat"]])
def test_an_object_of_splits(tmp_path, agrees, row):
    source = put(tmp_path / "s", TWO)
    rows = {
        split: [path if row == "{}" else [path, *row[1:]] for path in paths]
        for split, paths in SPLITS.items()
    }
    (source / "splits.json").write_text(json.dumps(rows))
    assert sorted(agrees(source).splits) == ["test"] * 2 + ["train"] * 6
    (source / "splits.json").write_text(json.dumps({"train": [{"path": TWO[0]}]}))
    assert not read(source).splits


@pytest.mark.parametrize("column", ["phase", "Usage"])
@pytest.mark.parametrize("name", ["split.csv", "split.tsv"])
def test_a_column_of_splits_may_be_called_anything(tmp_path, agrees, name, column):
    source = put(tmp_path / "s", TWO)
    sign = "," if name.endswith(".csv") else "\t"
    rows = [f"{path}{sign}{split}" for split, paths in SPLITS.items() for path in paths]
    (source / name).write_text("\n".join([f"filename{sign}{column}", *rows]) + "\n")
    assert sorted(agrees(source).splits) == ["test"] * 2 + ["train"] * 6


def test_a_table_of_paths_and_splits(tmp_path, agrees):
    source = put(tmp_path / "s", TWO)
    rows = [f"{path},{split}" for split, paths in SPLITS.items() for path in paths]
    (source / "splits.csv").write_text("\n".join(["path,split", *rows]) + "\n")
    got = agrees(source)
    assert sorted(got.splits) == ["test"] * 2 + ["train"] * 6
    assert not any("not used" in note for note in got.report.notes)


def test_what_is_in_no_list_or_in_two_is_said(tmp_path, agrees):
    source = written(tmp_path / "s")
    (source / "train.txt").write_text("\n".join([*TWO[:3], TWO[7]]) + "\n")
    (note,) = said(source)
    assert "3 images are in none. 1 image is in several, first “dog/3.png”: the first one" in note
    got = agrees(source)
    assert dict(zip(got.paths, got.splits, strict=True))["dog/3.png"] == "test"


@pytest.mark.parametrize("line", ["cat/9.png", "bird/0.png"])
def test_a_line_that_is_no_image_is_named_and_its_list_not_read(tmp_path, line):
    source = written(tmp_path / "s")
    with (source / "test.txt").open("a") as stream:
        stream.write(f"{line}\n")
    found = read(source)
    assert found.splits == {"train": 6}
    (note,) = [each for each in found.notes if "a list of a split" in each]
    assert note.startswith("“test.txt”: a list of a split, that is not read: 1 line is no image ")
    assert f"first “{line}”" in note


def test_folders_that_are_splits_and_a_person_have_the_word(tmp_path, agrees):
    source = written(tmp_path / "s")
    assert not read(source, split_column="none").splits
    assert agrees(source, Answers(split_column="none")).splits == [""] * 8
    put(source / "of folders", [f"{split}/{path}" for split in ("train", "val") for path in TWO])
    (source / "of folders" / "test.txt").write_text("train/cat/0.png\n")
    assert read(source / "of folders").splits == {"train": 8, "val": 8}


@pytest.mark.parametrize("top", ["", "images/", "set/images/", "set/"])
def test_a_folder_of_such_lists_is_no_class_and_asks_nothing(tmp_path, agrees, top):
    source = put(tmp_path / "s", [f"{top}{path}" for path in TWO])
    texts = source / ("set" if top.startswith("set") else "") / "splits"
    texts.mkdir()
    for split, paths in SPLITS.items():
        (texts / f"{split}.txt").write_text("\n".join(paths) + "\n")
    (texts / "README.txt").write_text("who made them\n")
    got = agrees(source)
    assert (got.names, got.skipped) == (["cat", "dog"], [])
    assert sorted(got.splits) == ["test"] * 2 + ["train"] * 6
    assert not read(source).left_out


def test_a_class_that_is_called_like_such_a_folder_stays_one(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{name}/{at}.png" for name in ("meta", "cat") for at in "01"])
    (source / "meta" / "notes.txt").write_text("x\n")
    (source / "lists").mkdir()
    got = agrees(source)
    assert got.names == ["cat", "lists", "meta"]
    assert got.given.count("meta") == 2


@pytest.mark.parametrize("line", ["{}", "D:\\set\\{}", "images/{}"])
@pytest.mark.parametrize("image", ["cat/im {}.png", "tabby cat/{}.png", "big dog/im {}.png"])
@pytest.mark.parametrize("into", ["", "splits"])
def test_blanks_in_names_part_no_label_from_a_path(tmp_path, agrees, line, image, into):
    names = [image.format(at) for at in range(4)] + [f"fox/{at}.png" for at in range(4)]
    source = put(tmp_path / "s", names)
    (source / into).mkdir(exist_ok=True)
    for split, paths in {"train": names[1:7], "test": [names[0], names[7]]}.items():
        lines = [
            line.format(path if "\\" not in line else path.replace("/", "\\")) for path in paths
        ]
        (source / into / f"{split}.txt").write_text("\n".join(lines) + "\n")
    got = agrees(source)
    assert got.names == sorted([image.split("/")[0], "fox"])
    assert sorted(got.splits) == ["test"] * 2 + ["train"] * 6


def test_a_label_before_a_path_is_a_label(tmp_path, agrees):
    source = put(tmp_path / "s", TWO)
    for split, paths in SPLITS.items():
        lines = [f"{path[:3].upper()} {path}" for path in paths]
        (source / f"{split}.txt").write_text("\n".join(lines) + "\n")
    assert agrees(source, Answers(header="none")).names == ["CAT", "DOG"]
    got = agrees(source, Answers(labels_in="folders"))
    assert (got.names, got.report.n) == (["cat", "dog"], 8)


@pytest.mark.parametrize("form", ["{}.csv", "{}/metadata.csv"])
def test_lists_of_splits_are_passed_by_where_a_person_says_folders(tmp_path, agrees, form):
    paths = [f"{split}/{name}/0.png" for split in SPLITS for name in ("cat", "dog")]
    source = put(tmp_path / "s", paths)
    for split in SPLITS:
        inside = "" if "/" in form else f"{split}/"
        rows = "".join(f"{inside}{name}/0.png,x{name}\n" for name in ("cat", "dog"))
        (source / form.format(split)).write_text(f"file_name,label\n{rows}")
    assert agrees(source).names == ["xcat", "xdog"]
    got = agrees(source, Answers(labels_in="folders"))
    assert got.names == ["cat", "dog"]
    said = [each.first for each in read(source, labels_in="folders").left_out]
    assert form.format("test") in said


LABELLED = {
    "texts": {f"{split}.txt": "\n".join(paths) for split, paths in SPLITS.items()},
    "texts in a folder": {f"meta/{split}.txt": "\n".join(SPLITS[split]) for split in SPLITS},
    "a table": {
        "splits.csv": "\n".join(
            ["image,split", *(f"{path},{split}" for split in SPLITS for path in SPLITS[split])]
        )
    },
    "a column of yes and no": {
        "splits.csv": "\n".join(
            ["image,is_train", *(f"{p},{int(s == 'train')}" for s in SPLITS for p in SPLITS[s])]
        )
    },
}


@pytest.mark.parametrize("has_list", [True, False])
@pytest.mark.parametrize("files", LABELLED.values(), ids=LABELLED)
def test_they_are_read_whoever_has_the_labels(tmp_path, agrees, files, has_list):
    source = put(tmp_path / "s", TWO)
    for name, text in files.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text + "\n")
    if has_list:
        rows = "".join(f"{path},{'xy'[at % 2]}\n" for at, path in enumerate(TWO))
        (source / "labels.csv").write_text(f"image,label\n{rows}")
    got = agrees(source)
    assert got.names == (["x", "y"] if has_list else ["cat", "dog"])
    splits = dict(zip(got.paths, got.splits, strict=True))
    assert splits == {path: split for split, paths in SPLITS.items() for path in paths}
    assert not read(source).left_out
    assert not any(agrees(source, Answers(split_column="none")).splits)


def test_a_list_that_says_splits_itself_is_not_overruled(tmp_path, agrees):
    source = written(tmp_path / "s")
    rows = "".join(f"{path},{path[:3]},all\n" for path in TWO)
    (source / "labels.csv").write_text(f"image,label,split\n{rows}")
    assert set(agrees(source).splits) == {"all"}


def test_a_list_of_splits_with_lines_that_have_no_label_is_said(tmp_path, agrees):
    source = written(tmp_path / "s")
    rows = "".join(f"{path},{'xy'[at % 2]}\n" for at, path in enumerate(TWO[:6]))
    (source / "labels.csv").write_text(f"image,label\n{rows}")
    assert agrees(source, Answers(labels_in="list")).report.n == 6
    said = "“test.txt”: a list of a split, that is not read: 1 line"
    assert any(said in note for note in read(source, labels_in="list").notes)
