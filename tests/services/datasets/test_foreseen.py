"""What an addition would do is said beforehand, and which splits it brings."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lnl_core.readings import Answers, Unanswered
from lnl_core.services.datasets import catalog, growing
from lnl_core.store import datasets
from tests.data.making import picture
from tests.services.datasets.test_growing import NAMES, again, file_of, pictures, thirty

__all__ = ["thirty"]


def drawn(file, seed, side=20):
    file.parent.mkdir(parents=True, exist_ok=True)
    picture(side, side, seed).save(file)


def everything(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".db" not in p.name}


def test_what_would_come_in_is_said_and_nothing_is_stored(workspace, tmp_path):
    for at in range(12):
        place = tmp_path / "old" / ("train" if at < 8 else "test") / NAMES[at % 2]
        drawn(place / f"{at}.png", seed=at, side=32)
    catalog.import_dataset(workspace, tmp_path / "old", "old")
    info = datasets.dataset(workspace, "old")
    for name, seed in (("dog/1", 1), ("cat/12", 12), ("cat/wrong", 3)):
        drawn(tmp_path / "more" / f"{name}.png", seed=seed, side=32)
    whole = Image.open(tmp_path / "old" / "train" / "cat" / "2.png")
    whole.save(tmp_path / "more" / "cat" / "again.jpg", quality=90)
    (tmp_path / "more" / "dog" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    before = everything(info.workspace.home)
    seen = growing.foresee(info, tmp_path / "more")
    assert everything(info.workspace.home) == before
    would = seen.would
    assert (seen.reading.n, seen.refused, would.skipped) == (4, "", 1)
    assert (would.added, would.n) == (2, 14)
    assert set(would.new) == {"cat/12.png", "cat/again.jpg"}
    assert ("dog/1.png", "train/dog/1.png") in would.known
    assert would.conflicts == (("cat/wrong.png", "train/dog/3.png", "cat", "dog"),)
    assert would.copies == (("cat/again.jpg", "train/cat/2.png"),)
    assert any("2 images are added in no split; “old” has" in note for note in would.notes)
    told = growing.add_images(info, tmp_path / "more")
    counts = ("added", "n", "known", "conflicts", "copies", "new", "skipped")
    assert [getattr(told, each) for each in counts] == [getattr(would, each) for each in counts]


def test_questions_and_new_classes_are_foreseen(thirty, tmp_path):
    images = pictures(4, seed=8)
    names = np.array(["cat", "yak"])
    source = file_of(tmp_path, "more", images, np.arange(4) % 2, class_names=names)
    seen = growing.foresee(thirty, source)
    assert seen.would.added == 4
    assert seen.would.new_classes == ("yak",)
    assert "give --new-classes" in seen.refused
    assert growing.foresee(thirty, source, new_classes=True).refused == ""
    names = np.array(["cat", "Cat"])
    asked = file_of(tmp_path, "asked", images, np.arange(4) % 2, class_names=names)
    seen = growing.foresee(thirty, asked)
    assert [each.key for each in seen.reading.open_questions] == ["spellings"]
    assert seen.would is None
    assert again(thirty).n == 30


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        ((), (), ""),
        (("train", "test"), ("train", "test"), ""),
        (("train", "test"), ("", ""), "2 images are added in no split; “set” has train, test."),
        (("train", "test"), ("train", ""), "1 image is added in no split; “set” has train, test."),
        (
            ("train", "test"),
            ("Train", "dev"),
            "New splits: Train (did you mean train?), dev;",
        ),
        ((), ("train", "train"), "New splits: train; “set” has none so far. Its other images stay"),
    ],
)
def test_splits_that_are_not_the_sets_are_said(workspace, tmp_path, here, there, said):
    def listed(name, splits, seed):
        rows = "image,label,split\n" if splits else "image,label\n"
        for at in range(2 if name == "more" else 6):
            drawn(tmp_path / name / f"{name}{at}.png", seed=seed + at)
            rows += f"{name}{at}.png,{NAMES[at % 2]}" + (f",{splits[at % 2]}" if splits else "")
            rows += "\n"
        (tmp_path / name / "list.csv").write_text(rows)
        return tmp_path / name / "list.csv"

    catalog.import_dataset(workspace, listed("set", here, 1), "set")
    told = growing.add_images(datasets.dataset(workspace, "set"), listed("more", there, 90))
    notes = [note for note in told.notes if " split" in note or "splits:" in note]
    assert [note.startswith(said) for note in notes] == [True] * bool(said), notes


def test_a_set_from_before_splits_takes_those_that_come(workspace, tmp_path, thirty):
    file = thirty.arrays / "table.parquet"
    table = pq.read_table(file).drop(["split"])
    pq.write_table(table, file)
    for at in range(4):
        drawn(tmp_path / "more" / "train" / NAMES[at % 2] / f"{at}.png", seed=90 + at, side=9)
        drawn(tmp_path / "more" / "test" / NAMES[at % 2] / f"{at}.png", seed=95 + at, side=9)
    growing.add_images(thirty, tmp_path / "more")
    names, places = datasets.splits(again(thirty))
    assert set(names) == {"train", "test"}
    assert (np.bincount(places + 1) == [30, 4, 4]).all()


def numbered(folder, labels, seed):
    """Write a picture per label and the list of them."""
    for at in range(len(labels)):
        drawn(folder / f"{at}.png", seed=seed + at)
    rows = [f"{at}.png,{label}" for at, label in enumerate(labels)]
    (folder / "list.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    return folder / "list.csv"


def test_numbers_that_are_classes_of_the_set_are_not_asked_about(workspace, tmp_path):
    catalog.import_dataset(workspace, numbered(tmp_path / "a", [*range(24)] * 2, 0), "old")
    info = datasets.dataset(workspace, "old")
    seen = growing.foresee(info, numbered(tmp_path / "b", range(24), 100))
    assert (seen.reading.open_questions, seen.would.added) == ((), 24)
    with pytest.raises(Unanswered):
        growing.add_images(info, numbered(tmp_path / "c", range(25), 200), new_classes=True)
    assert growing.add_images(info, tmp_path / "b" / "list.csv").n == 72


def test_that_numbers_are_classes_is_remembered(workspace, tmp_path):
    said = Answers(measured="classes")
    source = numbered(tmp_path / "a", range(24), 0)
    catalog.import_dataset(workspace, source, "old", answers=said)
    info = datasets.dataset(workspace, "old")
    more = numbered(tmp_path / "b", range(25), 100)
    assert growing.add_images(info, more, new_classes=True).new_classes == ("24",)
