"""Sets as well-known tools and challenges lay them out."""

import json
import zipfile

import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from lnl_core.services import wording
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read, stops


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_voc_with_its_lists_is_a_set_for_detection(tmp_path):
    source = put(tmp_path / "s", [f"JPEGImages/{i:06}.png" for i in range(6)])
    for i in range(6):
        write(source / f"Annotations/{i:06}.xml", "<annotation/>")
    for name in ("cat_train", "cat_val", "train"):
        write(source / f"ImageSets/Main/{name}.txt", "000000 1\n000001 -1\n")
    with pytest.raises(LnlError, match="this looks like a set for detection"):
        read(source)


def test_food101_has_its_texts_beside_the_only_folder_of_class_folders(tmp_path, agrees):
    source = put(tmp_path / "s", [f"images/{name}/{i}.png" for name in "ab" for i in range(4)])
    for name in ("classes", "labels", "train", "test"):
        write(source / f"meta/{name}.txt", "a\nb\n")
    assert not asked(read(source))
    assert (got := agrees(source)).names == ["a", "b"]
    assert (got.report.n, got.skipped) == (8, [])


def coco(folder, ids):
    return json.dumps(
        {
            "images": [{"id": i, "file_name": f"{folder}/{i}.png"} for i in ids],
            "annotations": [{"id": i, "image_id": i, "category_id": i % 2} for i in ids],
            "categories": [{"id": 0, "name": "rose"}, {"id": 1, "name": "tit"}],
        }
    )


def test_lists_of_inaturalist_say_the_split_not_the_folder_that_both_lie_in(tmp_path, agrees):
    source = put(tmp_path / "s", [f"train_val2019/{i}.png" for i in range(8)])
    write(source / "train2019.json", coco("train_val2019", range(6)))
    write(source / "val2019.json", coco("train_val2019", range(6, 8)))
    found = read(source)
    assert dict(found.splits) == {"train2019": 6, "val2019": 2}
    assert agrees(source).names == ["rose", "tit"]


@pytest.mark.parametrize("boxes", [True, False])
def test_roboflow_keeps_a_list_in_every_split(tmp_path, agrees, boxes):
    name = "_annotations.csv" if boxes else "_classes.csv"
    for split in ("train", "valid"):
        put(tmp_path / "s" / split, [f"{split}{i}.png" for i in range(4)])
        rows = ["filename,class,xmin,ymin,xmax,ymax" if boxes else "filename, cat, dog"]
        for i in range(4):
            cells = f"{['cat', 'dog'][i % 2]},0,0,5,5" if boxes else f" {1 - i % 2}, {i % 2}"
            rows.append(f"{split}{i}.png,{cells}")
        write(tmp_path / "s" / split / name, "\n".join(rows))
    write(tmp_path / "s" / "README.roboflow.txt", "about")
    if not boxes:
        assert asked(read(tmp_path / "s"))["one_hot"].is_open
    got = agrees(tmp_path / "s", Answers(one_hot="" if boxes else "yes"))
    assert [got.given.count(each) for each in ("cat", "dog")] == [4, 4]
    assert got.splits.count("train") == got.splits.count("valid") == 4


def test_a_list_over_folders_that_are_splits_has_the_labels(tmp_path, agrees):
    source = put(tmp_path / "s", [*(f"train/{i}.png" for i in range(8)), "test/x.png"])
    write(source / "labels.csv", "id,breed\n" + "".join(f"{i},{'ab'[i % 2]}\n" for i in range(8)))
    assert asked(read(source)) == {}
    assert counts(read(source)) == {"a": 4, "b": 4}
    assert agrees(source).report.n == 8


def test_a_class_that_is_still_packed_is_named(tmp_path):
    source = put(tmp_path / "s", [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)])
    assert not any("unpack" in note for note in read(source).notes)
    with zipfile.ZipFile(source / "emu.zip", "w") as archive:
        archive.writestr("0.png", "")
    said = "“emu.zip” is not read: unpack what is packed, then import."
    assert said in read(source).notes


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("{}/1.dcm", "2 images in a form that is not read. Write each as PNG, or as TIFF"),
        ("{}/1.nii.gz", "2 images in a form that is not read"),
        ("{}.tfrecord-00000-of-00002", "2 files of arrays"),
        ("{}.tar.gz", "2 archives. Unpack"),
    ],
)
def test_images_in_other_forms_are_refused_with_their_own_remedy(tmp_path, name, words):
    for each in "ab":
        write(tmp_path / "s" / name.format(each), "\0" * 200)
    with pytest.raises(LnlError, match=f"it holds {words}"):
        importers.import_source(tmp_path / "s", "x", tmp_path / "no")


def test_cub_may_be_read_off_its_folders_beside_its_numbered_list(tmp_path, agrees):
    names = [f"{name}/{i}.png" for name in ("001.Tern", "002.Wren") for i in range(4)]
    source = put(tmp_path / "s", [f"images/{name}" for name in names])
    write(source / "images.txt", "".join(f"{i + 1} {name}\n" for i, name in enumerate(names)))
    assert asked(read(source))["labels_in"].is_open
    agrees(source)
    got = agrees(source, Answers(labels_in="folders"))
    assert got.names == ["001.Tern", "002.Wren"]


def test_folders_that_are_numbers_have_their_names_of_cat_to_name(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{name}/{i}.png" for name in "123" for i in range(3)])
    write(source / "cat_to_name.json", json.dumps({"1": "pink primrose", "2": "rose", "3": "lily"}))
    assert asked(read(source))["classes_file"].default == "cat_to_name.json"
    assert agrees(source).names == ["pink primrose", "rose", "lily"]


def test_the_list_of_a_split_without_class_folders_is_pointed_to(tmp_path):
    """As Tiny ImageNet has it: labels of train in folders, of val in a list, of test nowhere."""
    source = put(
        tmp_path / "s", [f"train/n0{k}/images/{k}_{i}.png" for k in "12" for i in range(4)]
    )
    put(source, [f"{split}/images/{split}_{i}.png" for split in ("val", "test") for i in range(2)])
    write(source / "val/val_annotations.txt", "val_0.png\tn01\t0\t9\nval_1.png\tn02\t1\t8\n")
    taken = read(source)
    assert counts(taken) == {"n01": 4, "n02": 4}
    said = [note for note in taken.notes if "lists images" in note]
    assert said == [
        "“val/val_annotations.txt” lists images, and is not read. Import “val” alone, or add it to "
        "this set afterwards."
    ]
    assert counts(read(source / "val", header="none")) == {"n01": 1, "n02": 1}


@pytest.mark.parametrize(
    ("file", "names", "what"),
    [
        ("words.txt", "n01\tcrane, bird\nn02\tfox\nn03\tox\n", "codes"),
        ("classes.txt", "01 crane\n02 fox\n", "numbers"),
        ("words.txt", "m01\tcrane\nm02\tfox\n", ""),
    ],
)
def test_its_names_are_pointed_to_where_its_labels_are_codes(tmp_path, file, names, what):
    codes = {"numbers": ("1", "2")}.get(what, ("n01", "n02"))
    source = put(tmp_path / "s", [f"train/{k}/images/{k}_{i}.png" for k in codes for i in range(4)])
    put(source, [f"val/images/val_{i}.png" for i in range(2)])
    write(
        source / "val/val_annotations.txt",
        "".join(f"val_{i}.png\t{code}\t0\t9\n" for i, code in enumerate(codes)),
    )
    write(source / file, names)
    (said,) = [note for note in read(source).notes if "lists images" in note]
    more = f" Its labels are {what}: for their names put a copy of {file} beside it first"
    end = " to this set afterwards."
    assert said.endswith(f"{end}{more}, or import with --classes FILE." if what else end)
    if what:
        assert wording.on_page(said, {}).endswith(f"{end}{more}.")
        alone = read(source / "val", header="none", classes_file=str(source / file))
        assert {each.name.partition(",")[0] for each in alone.classes} == {"crane", "fox"}
        write(source / "val" / file, names)
        beside = read(source / "val", header="none", lists=("val_annotations.txt",))
        assert beside.class_names == alone.class_names


@pytest.mark.parametrize(
    ("images", "notes", "ending", "text"),
    [
        ("images/Images", "annotations/Annotation", "", "<annotation>{}</annotation>"),
        ("Images", "Annotation", "", "<annotation><name>{}</name></annotation>"),
        ("Images", "Annotation", ".xml", "<annotation><name>{}</name></annotation>"),
        ("101_ObjectCategories", "Annotations", ".mat", "MATLAB"),
    ],
)
def test_annotations_class_by_class_beside_class_folders_are_no_class(
    tmp_path, agrees, images, notes, ending, text
):
    classes = ["n02085620-Chihuahua", "n02085936-Maltese_dog"]
    put(tmp_path / "s", [f"{images}/{each}/{at}.jpg" for each in classes for at in "01"])
    for each in classes:
        for at in "01":
            said = text.format(each[10:].replace("_", " "))
            write(tmp_path / "s" / notes / each / f"{at}{ending}", said)
    found = read(tmp_path / "s")
    assert (found.open_questions, found.left_out) == ((), ())
    assert any("it holds annotations, no image" in note for note in found.notes)
    assert agrees(tmp_path / "s").names == classes


@pytest.mark.parametrize("ending", [".xml", ""])
@pytest.mark.parametrize("notes", ["Annotation", "annotations"])
def test_annotations_that_name_other_things_than_the_folders_are_boxes(tmp_path, notes, ending):
    put(tmp_path / "s", [f"images/cam{each}/{at}.jpg" for each in "12" for at in "01"])
    for each in "12":
        for at in "01":
            path = tmp_path / "s" / notes / f"cam{each}/{at}{ending}"
            write(path, "<annotation><object><name>car</name></object></annotation>")
    with pytest.raises(LnlError, match="a set for detection"):
        read(tmp_path / "s")


def test_files_without_an_ending_that_are_images_may_be_a_class(tmp_path):
    put(
        tmp_path / "s",
        [f"{e}/{c}/{i}" for e in ("Annotation", "Image") for c in "ab" for i in "01"],
    )
    assert counts(read(tmp_path / "s")) == {"Annotation": 4, "Image": 4}


def test_labelled_folders_beside_the_images_of_a_list_are_asked_about(tmp_path, agrees):
    kinds = ["cat", "dog", "fox"]
    source = put(tmp_path / "s", [f"test/{each}/t{at}.jpg" for each in kinds for at in "01"])
    put(source, [f"train/{at}.jpg" for at in range(6)])
    rows = [f"{at}.jpg,{kinds[at % 3]}" for at in range(6)]
    write(source / "train.csv", "\n".join(["file,label", *rows]))
    assert "“test/cat/t0.jpg”" in stops(source, "labels_in", tmp_path)
    got = agrees(source, Answers(labels_in="list"))
    assert {path.partition("/")[0] for path in got.paths} == {"train"}
    got = agrees(source, Answers(labels_in="folders"))
    assert {path.partition("/")[0] for path in got.paths} == {"test"}


def test_few_images_that_no_list_names_are_no_question(tmp_path):
    source = put(tmp_path / "s", ["old/cat/0.jpg", *(f"images/{at}.jpg" for at in range(12))])
    rows = [f"images/{at}.jpg,{'cat' if at % 2 else 'dog'}" for at in range(12)]
    write(source / "list.csv", "\n".join(["file,label", *rows]))
    found = read(source)
    assert not found.open_questions
    assert any("1 image is in no list" in note for note in found.notes)


@pytest.mark.parametrize("below", ["", "train/"])
def test_yolo_with_its_file_of_class_names_is_a_set_for_detection(tmp_path, below):
    source = put(tmp_path / "s", [f"images/{below}{at}.jpg" for at in range(13)])
    for at in range(13):
        write(source / f"labels/{below}{at}.txt", f"{at % 3} 0.5 0.5 0.2 0.2\n")
    write(source / "classes.txt", "cat\ndog\nfox\n")
    with pytest.raises(LnlError, match="a set for detection"):
        read(source)


@pytest.mark.parametrize("has_masks", [True, False])
def test_pets_say_how_their_list_is_read(tmp_path, has_masks):
    names = [f"{breed}_{at}" for breed in ("Abyssinian", "beagle") for at in range(7)]
    source = put(tmp_path / "s", [f"images/{name}.jpg" for name in names])
    if has_masks:
        put(source, [f"annotations/trimaps/{name}.png" for name in names])
    rows = [f"{name} {1 + at // 7} {1 + at // 7} 1" for at, name in enumerate(names)]
    write(source / "annotations/list.txt", "\n".join(["#Image CLASS-ID", *rows]))
    with pytest.raises(LnlError, match="names the images in “images”"):
        read(source)
    found = importers.read(
        source / "annotations/list.txt", root=source / "images", answers=Answers(header="none")
    )
    assert counts(found) == {"1": 7, "2": 7}
