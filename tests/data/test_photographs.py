"""The photographs that ship: as many as their README says, and as the script makes them."""

import csv
import importlib.util
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import shared

CLOTHING = Path(__file__).resolve().parents[2] / "assets" / "clothing"


@pytest.fixture
def rows():
    with (CLOTHING / "list.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def script():
    spec = importlib.util.spec_from_file_location("make_clothing", CLOTHING / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_readme_says_what_is_there(rows):
    words = " ".join((CLOTHING / "README.md").read_text("utf-8").split())
    classes = Counter(row["label"] for row in rows)
    assert len(rows) == 600
    assert len(classes) == 17
    listed = words.partition("judged photograph in: ")[2].partition(". `make.py`")[0]
    assert listed.split(", ") == [
        f"{label} {count}" for label, count in sorted(classes.items(), key=lambda c: (-c[1], c[0]))
    ]
    verdicts = Counter(row["verdict"] for row in rows)
    for verdict in ("right", "wrong", "ambiguous"):
        assert f"`{verdict}` ({verdicts[verdict]})" in words
    assert f"blank for the {verdicts['']} photographs" in words
    assert f"known for {verdicts['right'] + verdicts['wrong']} photographs" in words


def test_true_labels_follow_the_verdicts(rows):
    classes = {row["label"] for row in rows}
    for row in rows:
        expected = {
            "right": row["true_label"] == row["label"],
            "wrong": row["true_label"] in classes - {row["label"]},
        }
        assert expected.get(row["verdict"], row["true_label"] == ""), row


def test_every_photograph_is_there_once_small_and_without_metadata(rows):
    names = [row["image"] for row in rows]
    found = sorted(f"images/{file.name}" for file in (CLOTHING / "images").iterdir())
    assert found == sorted(names) == names
    assert sum((CLOTHING / name).stat().st_size for name in names) < 3.2e6
    for name in names:
        with Image.open(CLOTHING / name) as image:
            assert (image.format, image.mode, max(image.size)) == ("JPEG", "RGB", 128), name
            assert not image.getexif(), name


def test_no_judged_photograph_of_a_class_is_left_out_and_classes_keep_their_shares(rows, script):
    source = shared("clothing")
    looks = {row["image"]: row["verdict"] for row in script.read(source / "checked.csv")}
    assert {row["image"]: row["verdict"] for row in rows if row["verdict"]} == looks
    whole = Counter(row["label"] for row in script.read(source / "list.csv"))
    here = Counter(row["label"] for row in rows)
    judged = Counter(row["label"] for row in rows if row["verdict"])
    drawn = [here[label] / whole[label] for label in here if here[label] > judged[label]]
    assert max(drawn) - min(drawn) < 0.02
    assert all(here[label] / whole[label] >= min(drawn) for label in here)


def test_the_script_makes_the_list_and_the_photographs_again(rows, script, tmp_path):
    source = shared("clothing")
    assert script.choose(source) == rows
    for row in rows[::40]:
        script.shrink(source / row["image"], tmp_path / "again.jpg")
        with Image.open(tmp_path / "again.jpg") as again, Image.open(CLOTHING / row["image"]) as at:
            apart = np.asarray(again, float) - np.asarray(at, float)
        assert np.abs(apart).mean() < 1, row["image"]  # libraries round JPEG in their own ways
