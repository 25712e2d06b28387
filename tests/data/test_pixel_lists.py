"""Lists that hold pixels are refused with the way to read them; other numbers are none."""

import csv

import pytest

from lnl_core.data import importers
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


def listed(tmp_path, *rows):
    path = tmp_path / "list.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


PIXELS = [[row * 7 + at for at in range(64)] for row in range(1, 6)]


@pytest.mark.parametrize(
    ("rows", "where"),
    [
        ([["label", *(f"pixel{i}" for i in range(64))], *([1, *px] for px in PIXELS)], "64 col"),
        ([[i % 3, *px] for i, px in enumerate(PIXELS)], "64 columns"),
        (
            [["emotion", "pixels", "Usage"], *([1, " ".join(map(str, px)), "T"] for px in PIXELS)],
            "column “pixels”",
        ),
    ],
)
def test_a_list_of_pixels_says_what_to_save(tmp_path, rows, where):
    with pytest.raises(LnlError, match=rf"pixels as numbers \(in {where}.*reshape\(-1, 8, 8\)"):
        importers.read(listed(tmp_path, *rows))


def test_features_beside_an_image_and_one_hot_classes_are_no_pixels(tmp_path):
    head = [f"f{i}" for i in range(64)]
    features = [["pic", "kind", *head], *([f"{i}.png", "a", *px] for i, px in enumerate(PIXELS))]
    assert importers.read(listed(tmp_path, *features)).notes
    hot = [["who", *head], *([f"n{i}", *(int(i == j) for j in range(64))] for i in range(5))]
    questions = importers.read(listed(tmp_path, *hot)).questions
    assert {question.key for question in questions} >= {"one_hot"}


def test_attributes_beside_names_are_no_pixels(tmp_path):
    head = [f"a{i}" for i in range(60)]
    signs = [[(i + at) % 2 * 2 - 1 for at in range(60)] for i in range(5)]
    named = [["name", "kind", *head], *([f"n{i}", "ab"[i % 2], *s] for i, s in enumerate(signs))]
    questions = importers.read(listed(tmp_path, *named)).questions
    assert {question.key for question in questions} == {
        *("image_column", "label_column", "one_hot")  # the kind, or each attribute
    }
    for i in range(5):
        (tmp_path / f"p{i}.png").write_bytes(encoded(picture(seed=i)))
    rows = [
        ["photo_id", "label", *head],
        *([f"p{i}", "ab"[i % 2], *s] for i, s in enumerate(signs)),
    ]
    assert importers.read(listed(tmp_path, *rows)).n == 5
