"""Lists of plain lines: image and label, commas in names of images, and the endings they have."""

import pytest

from lnl_core.readings import Answers
from tests.data.asking import put, read, stops

LABELS = [str(at % 3) for at in range(12)]


def lines(folder, name, image, row):
    """Write images and a list, a line for each: row(number, path, label)."""
    paths = [image.format(at, half=at % 2) for at in range(12)]
    put(folder, paths)
    rows = [row(at, path, LABELS[at]) for at, path in enumerate(paths)]
    (folder / name).write_text("\n".join(rows) + "\n")
    return {path.rpartition("/")[2]: label for path, label in zip(paths, LABELS, strict=True)}


def given(got):
    return {p.rpartition("/")[2]: g for p, g in zip(got.paths, got.given, strict=True)}


@pytest.mark.parametrize("sign", [" ", "\t", ";"])
@pytest.mark.parametrize("name", ["labels.txt", "kv.txt", "data.lst", "labels.list"])
def test_commas_in_names_of_images_part_no_cells(tmp_path, agrees, name, sign):
    source = tmp_path / "s"
    truth = lines(source, name, "images/{half}/{0},7.png", lambda _, p, label: f"{p}{sign}{label}")
    assert "--labels-in folders or list" in stops(source, "labels_in", tmp_path)
    assert given(agrees(source, Answers(header="none", labels_in="list"))) == truth


@pytest.mark.parametrize("image", ["images/d{half}/{0}.png", "{0}.png"])
@pytest.mark.parametrize("step", [1, 5])
def test_lists_of_records_number_their_rows_in_any_order(tmp_path, agrees, image, step):
    source = tmp_path / "s"
    truth = lines(
        source, "train.lst", image, lambda at, p, label: f"{step * at % 13}\t{label}\t{p}"
    )
    assert "--no-header" in stops(source, "header", tmp_path)
    got = agrees(source, Answers(header="none", labels_in="list" if "/" in image else ""))
    assert given(got) == truth


def test_a_list_called_labels_names_no_classes(tmp_path):
    lines(tmp_path, "labels.txt", "{half}/{0}.png", lambda at, p, label: f"{p} {label}")
    found = read(tmp_path, labels_in="folders")
    assert found.class_names == ("0", "1")


def test_lists_of_splits_number_their_own_rows(tmp_path, agrees):
    source = tmp_path / "s"
    truth = {}
    for split in ("train", "val"):
        image = f"{split}/{split}{{0}}.png"
        truth |= lines(source, f"{split}.lst", image, lambda at, p, label: f"{at}\t{label}\t{p}")
    assert given(agrees(source, Answers(header="none"))) == truth
