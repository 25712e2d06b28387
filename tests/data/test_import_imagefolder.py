"""Hugging Face's imagefolder: class folders, or metadata beside the images."""

import json

import pandas as pd
import pytest

from lnl_core.data import importers
from lnl_core.readings import Unanswered
from tests.data.making import encoded, picture


@pytest.fixture
def images(tmp_path):
    """Two splits with three images each, no class folders."""
    root = tmp_path / "set"
    for split in ("train", "test"):
        (root / split / "deep").mkdir(parents=True)
        for i, place in enumerate(("0.jpg", "1.jpg", "deep/2.jpg")):
            (root / split / place).write_bytes(encoded(picture(seed=i)))
    return root


def write(path, rows):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif path.suffix == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    else:
        lines = [",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)]
        path.write_text("\n".join(lines) + "\n", "utf-8")


ROWS = [
    {"file_name": "0.jpg", "label": "cat"},
    {"file_name": "1.jpg", "label": "dog"},
    {"file_name": "deep/2.jpg", "label": "cat"},
]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_metadata_beside_the_images(images, do_import, name):
    write(images / "train" / name, ROWS)
    done = do_import(images / "train")
    assert done.given == ["cat", "dog", "cat"]
    assert done.paths == ["0.jpg", "1.jpg", "deep/2.jpg"]


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl", "metadata.parquet"])
def test_every_split_has_its_own_metadata(images, do_import, name):
    for split in ("train", "test"):
        write(images / split / name, ROWS)
    found = importers.read(images)
    assert (found.kind, found.n, found.class_names) == ("manifest", 6, ("cat", "dog"))
    assert found.notes == ("Read together: test, train.",)
    done = do_import(images)
    assert done.ids == [f"{s}/{r['file_name']}" for s in ("test", "train") for r in ROWS]
    assert done.skipped == []


def test_number_labels_stay_numbers(images, do_import):
    write(images / "train" / "metadata.jsonl", [{**r, "label": i % 2} for i, r in enumerate(ROWS)])
    assert do_import(images / "train").given == ["0", "1", "0"]


def test_metadata_without_labels_leaves_the_class_folders(photos, do_import):
    write(photos / "metadata.csv", [{"file_name": "cat/0.jpg", "caption": "a cat"}])
    done = do_import(photos)
    assert (done.report.kind, done.report.n, done.names) == ("folder", 6, ["cat", "dog"])


def test_metadata_without_labels_and_without_folders_says_what_is_missing(tmp_path):
    (tmp_path / "0.jpg").write_bytes(encoded(picture()))
    write(tmp_path / "metadata.csv", [{"file_name": "0.jpg", "caption": "a cat"}])
    with pytest.raises(Unanswered, match=r"metadata\.csv has no column “label”.*caption"):
        importers.import_source(tmp_path, "x", tmp_path / "out")


def test_lines_that_cannot_be_used_are_named(images, do_import):
    lines = [
        json.dumps(ROWS[0]),
        "{broken",
        json.dumps({"file_name": "1.jpg"}),
        json.dumps({"file_name": "1.jpg", "label": {"a": 1}}),
        json.dumps([1]),
        "",
        json.dumps({"file_name": "../../x.jpg", "label": "dog"}),
        json.dumps({"LABEL": "dog", "File_Name": "1.jpg"}),
    ]
    (images / "train" / "metadata.jsonl").write_text("\n".join(lines), "utf-8")
    done = do_import(images / "train")
    assert done.given == ["cat", "dog"]
    assert [(s["row"], s["reason"]) for s in done.skipped] == [
        (2, "The line is no JSON object."),
        (3, "“label” is missing."),
        (4, "“label” holds nested values."),
        (5, "The line is no JSON object."),
        (7, "The path leads out of the image folder."),
    ]


def test_rows_of_several_lists_name_theirs(images, do_import):
    for split in ("train", "test"):
        write(images / split / "metadata.csv", [*ROWS, ROWS[0], {"file_name": "", "label": "cat"}])
    done = do_import(images)
    assert [(s["row"], s["where"], s["reason"].split(";")[0]) for s in done.skipped] == [
        (5, "test/0.jpg", "The image is listed twice"),
        (6, "row 6 of test/metadata.csv", "No image is named."),
        (5, "train/0.jpg", "The image is listed twice"),
        (6, "row 6 of train/metadata.csv", "No image is named."),
    ]


def test_a_folder_around_the_splits_is_passed_through(images, do_import, tmp_path):
    for split in ("train", "test"):
        write(images / split / "metadata.csv", ROWS)
    hub = tmp_path / "hub"
    hub.mkdir()
    images.rename(hub / "data")
    (hub / "README.md").write_text("about")
    done = do_import(hub)
    assert (done.report.kind, done.names, done.report.n) == ("manifest", ["cat", "dog"], 6)
    assert done.ids[0] == "test/0.jpg"


def test_splits_without_labels_are_not_silently_classes(images):
    found = importers.read(images)
    assert found.class_names == ("test", "train")
    assert [(each.key, each.is_open) for each in found.questions] == [("parts", True)]
