"""Splits inside the folders of the classes, and examples that can be looked at."""

import pyarrow.parquet as pq
import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops
from tests.data.making import encoded, picture


def photos(root, paths):
    for seed, path in enumerate(paths):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encoded(picture(seed=seed)))
    return root


UNDER = [
    f"{name}/{split}/{i}.jpg"
    for name in ("cat", "dog")
    for split in ("train", "val")
    for i in (0, 1)
]


def test_the_split_inside_a_class_is_kept(tmp_path, agrees):
    source = photos(tmp_path / "s", [*UNDER, "cat/loose.jpg"])
    reading = importers.read(source)
    assert reading.class_names == ("cat", "dog")
    assert (reading.splits, reading.open_questions) == ({"train": 4, "val": 4}, ())
    assert any("Splits lie inside the classes: train, val." in note for note in reading.notes)
    got = agrees(source)
    splits = pq.read_table(got.folder / "table.parquet").to_pydict()["split"]
    assert list(zip(got.ids, splits, strict=True))[:3] == [
        ("cat/loose.jpg", None),
        ("cat/train/0.jpg", "train"),
        ("cat/train/1.jpg", "train"),
    ]


def test_folders_inside_a_class_are_no_splits_where_a_person_says_so(tmp_path):
    source = photos(tmp_path / "s", UNDER)
    reading = importers.read(source, answers=Answers(parts="classes", level="top"))
    assert (reading.class_names, reading.splits) == (("cat", "dog"), {})


@pytest.mark.parametrize(
    "paths",
    [
        [*UNDER, "cat/odd/0.jpg"],  # not all of them are splits
        [f"{where}/{split}/{name}/0.jpg" for where in ("home", "lab") for split in ("train", "val")
         for name in ("cat", "dog")],  # the classes lie inside the splits
    ],
)  # fmt: skip
def test_what_may_be_classes_inside_is_asked(tmp_path, paths):
    reading = importers.read(photos(tmp_path / "s", paths))
    assert [each.key for each in reading.open_questions] == ["level"]


def test_examples_of_a_class_can_be_read_and_what_cannot_is_named(tmp_path):
    paths = [f"{name}/{i}.jpg" for name in ("cat", "dog") for i in range(9)]
    source = photos(tmp_path / "s", paths)
    for i in range(3):
        (source / "cat" / f"{i}.jpg").write_bytes(b"no picture")
    whole = encoded(picture(200, 200))
    (source / "dog" / "0.jpg").write_bytes(whole[: -len(whole) // 3])
    broken = bytearray(encoded(picture(200, 200), "PNG"))
    broken[len(broken) // 2] ^= 255
    (source / "dog" / "1.jpg").write_bytes(bytes(broken))
    for pictures in (False, True):
        reading = importers.read(source, pictures=pictures)
        cat, dog = reading.classes
        assert [each.where for each in cat.examples] == [f"cat/{i}.jpg" for i in (3, 4, 5, 6)]
        assert [each.where for each in dog.examples] == [f"dog/{i}.jpg" for i in (2, 3, 4, 5)]
        assert all((each.picture is not None) == pictures for each in cat.examples)
        assert [(each.count, each.first) for each in reading.left_out] == [
            (3, "cat/0.jpg"),
            (1, "dog/0.jpg"),
        ]
        assert any("“dog/1.jpg”" in note for note in reading.notes)


@pytest.mark.parametrize("only", ["images", "Images", "test", "unlabelled"])
def test_a_lone_folder_of_images_in_a_split_is_no_class(tmp_path, agrees, only):
    classes = [f"train/{name}/images/{i}.png" for name in ("cat", "dog") for i in range(2)]
    put(tmp_path / "s", [*classes, f"val/{only}/0.png", f"test/{only}/0.png", f"test/{only}/1.png"])
    found = read(tmp_path / "s")
    assert counts(found) == {"cat": 2, "dog": 2}
    assert "3 images lie outside the class folders" in asked(found)["unlabelled"].text
    agrees(tmp_path / "s")
    kept = agrees(tmp_path / "s", Answers(unlabelled="keep"))
    assert sorted(zip(kept.splits, kept.given, strict=True)) == [
        ("test", "unlabelled"),
        ("test", "unlabelled"),
        *[("train", name) for name in ("cat", "cat", "dog", "dog")],
        ("val", "unlabelled"),
    ]


def test_a_folder_beside_the_splits_that_is_kept_is_not_said_to_be_left(tmp_path):
    files = [f"{split}/{name}/0.png" for split in ("train", "val") for name in ("cat", "dog")]
    put(tmp_path / "s", [*files, "loose/0.png"])
    kept = read(tmp_path / "s", parts="splits", unlabelled="keep")
    assert "Beside the splits, and kept without a class: “loose”." in kept.notes
    left = read(tmp_path / "s", parts="splits")
    assert "Beside the splits, and not read: “loose”." in left.notes


def test_unlabelled_images_that_are_kept_keep_the_split_inside_the_classes(tmp_path, agrees):
    classes = [f"{name}/{split}/0.png" for name in ("cat", "dog") for split in ("train", "test")]
    put(tmp_path / "s", [*classes, "loose.png"])
    kept = agrees(tmp_path / "s", Answers(unlabelled="keep"))
    assert sorted(zip(kept.splits, kept.given, strict=True))[0] == ("", "unlabelled")
    assert sorted(kept.splits) == ["", "test", "test", "train", "train"]


@pytest.mark.parametrize("split", ["train", "val"])
def test_class_folders_below_a_lone_folder_of_images_are_classes(tmp_path, agrees, split):
    other = {"train": "val", "val": "train"}[split]
    below = [f"{split}/images/{name}/{i}.png" for name in ("cat", "dog") for i in range(3)]
    put(tmp_path / "s", [*below, f"{other}/cat/0.png", f"{other}/dog/0.png"])
    question = asked(read(tmp_path / "s"))["level"]
    assert question.is_open
    assert counts(read(tmp_path / "s", level="inner")) == {"cat": 4, "dog": 4}
    agrees(tmp_path / "s", Answers(level="inner"))


def test_a_lone_class_in_a_split_is_one_where_its_name_is(tmp_path):
    put(tmp_path / "a", ["train/cat/0.png", "train/dog/0.png", "val/cat/0.png"])
    assert counts(read(tmp_path / "a")) == {"cat": 2, "dog": 1}
    put(tmp_path / "b", ["train/photos/0.png", "train/dog/0.png", "val/photos/0.png"])
    assert counts(read(tmp_path / "b")) == {"dog": 1, "photos": 2}
    put(tmp_path / "c", ["train/cat/0.png", "train/dog/0.png", "val/emu/0.png"])
    assert counts(read(tmp_path / "c")) == {"cat": 1, "dog": 1, "emu": 1}


@pytest.mark.parametrize(
    "mask",
    [
        *("{}_mask.png", "{}_mask_1.PNG", "{}-segmentation.png", "{} GT.png", "{}mask.png"),
        *("{}_label.png", "{}_overlay.png"),
    ],
)
def test_masks_beside_their_images_are_asked_about(tmp_path, agrees, mask):
    images = [f"{name}/{name} ({at})" for name in ("benign", "normal") for at in range(3)]
    source = put(tmp_path / "s", [f"{each}.jpg" for each in images])
    put(source, [mask.format(each) for each in images])
    said = stops(source, "masks", tmp_path)
    assert "6 files are called like masks of images beside them" in said
    got = agrees(source, Answers(masks="skip"))
    assert got.paths == [f"{each}.jpg" for each in images]
    assert agrees(source, Answers(masks="keep")).report.n == 12
    put(source, [f"normal/{at}_mask.png" for at in range(3, 6)])  # they are no one's masks
    assert agrees(source, Answers(masks="skip")).report.n == 9


def test_masks_called_so_in_front_or_in_a_folder_of_their_own_are_asked_about(tmp_path, agrees):
    names = [f"{name}/{at}" for name in ("benign", "normal") for at in range(3)]
    front = put(tmp_path / "front", [f"{each}.png" for each in names])
    put(front, [each.replace("/", "/mask_") + ".png" for each in names])
    folder = tmp_path / "folder"
    for of in ("images", "Masks"):
        put(folder, [each.replace("/", f"/{of}/") + ".png" for each in names])
    for source, said in ((front, {}), (folder, {"level": "top"})):
        stops(source, "masks", tmp_path, **said)
        assert agrees(source, Answers(masks="skip", **said)).report.n == 6
        assert agrees(source, Answers(masks="keep", **said)).report.n == 12
    for mask in ("mask/{}", "Masks/{}_mask", "ground_truth/{}_gt"):
        inside = tmp_path / mask.split("/")[0]
        put(inside, [f"{each}.png" for each in names])
        put(inside, [f"{each.split('/')[0]}/{mask.format(each[-1])}.png" for each in names])
        assert "6 files are called like masks" in stops(inside, "masks", tmp_path)
        got = agrees(inside, Answers(masks="skip"))
        assert got.paths == [f"{each}.png" for each in names]
        assert agrees(inside, Answers(masks="keep")).report.n == 12
    put(tmp_path / "faces", ["mask/0.png", "mask/1.png", "none/0.png"])  # a class
    assert counts(read(tmp_path / "faces")) == {"mask": 2, "none": 1}


def test_what_is_no_picture_is_no_mask(tmp_path, agrees):
    """German traffic signs: `GT-00000.csv` beside `00000.ppm`."""
    source = put(tmp_path / "s", [f"0000{at}/0000{at}.png" for at in range(3)])
    for at in range(3):
        (source / f"0000{at}" / f"GT-0000{at}.csv").write_text("Filename;Width\n0.png;8\n")
        (source / f"0000{at}" / f"0000{at}_labels.txt").write_text("8\n")
    assert not any(each.stops for each in read(source).questions)
    assert agrees(source).report.n == 3


@pytest.mark.parametrize("other", ["extra", "Validierung", "unlabeled"])
def test_flat_splits_beside_one_other_are_no_classes_unasked(tmp_path, agrees, other):
    source = put(tmp_path / "s", [f"{s}/{at}.png" for s in ("Training", "test") for at in range(2)])
    put(source, [f"{other}/0.png"])
    assert f"as “{other}” beside them does" in stops(source, "parts", tmp_path)
    assert agrees(source, Answers(parts="classes")).report.n == 5
    for each in ("Training", "test", other):
        rows = "".join(f"{each}/{at}.png;{'ab'[at % 2]}\n" for at in range(2))
        (source / f"{each}.csv").write_text(f"Datei;Klasse\n{rows}")
    stops(source, "label_column", tmp_path)
    put(tmp_path / "vehicles", ["train/0.png", "bus/0.png"])
    assert not any(each.stops for each in read(tmp_path / "vehicles").questions)


def test_one_class_folder_with_a_list_of_its_own_is_not_the_only_class(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{name}/{at}.png" for name in "abc" for at in range(3)])
    (source / "a" / "metadata.csv").write_text("file_name,label\n0.png,a\n1.png,a\n2.png,a\n")
    got = agrees(source)
    assert (got.names, got.report.n) == (["a", "b", "c"], 9)
    (source / "a" / "metadata.csv").write_text("file_name,label\n0.png,x\n1.png,y\n2.png,y\n")
    stops(source, "labels_in", tmp_path)
