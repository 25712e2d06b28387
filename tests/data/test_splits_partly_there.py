"""Sets of which a split's folder is missing or partly there: no row gets another split's image."""

import itertools

import pytest

from lnl_core.data import manifests
from lnl_core.data.files import Item
from lnl_core.data.list_rows import Listing
from lnl_core.readings import Answers
from tests.data.asking import asked, put, read, stops

SPLITS = ("train", "val", "test")
ROWS = range(5)
THERE = {"wholly": ROWS, "partly": range(1, 3), "missing": ()}


def named(split, at, repeat):
    return f"{at}.png" if repeat else f"{split}{at}.png"


def label_of(split, at):
    return "abc"[(at + SPLITS.index(split)) % 3]


def listed(folder, repeat, in_lists, order):
    """Write a list per split, or one with a column; every image has a row of its own split."""
    rows = {
        split: [f"{named(split, at, repeat)},{label_of(split, at)}" for at in ROWS]
        for split in order
    }
    if not in_lists:
        lines = [f"{row},{split}" for split in order for row in rows[split]]
        (folder / "all.csv").write_text("\n".join(["image,label,split", *lines]) + "\n")
        return [Listing(folder / "all.csv")]
    for split in order:
        (folder / f"{split}.csv").write_text("\n".join(["image,label", *rows[split]]) + "\n")
    return [Listing(folder / f"{split}.csv", split) for split in order]


@pytest.mark.parametrize("in_lists", [True, False])
@pytest.mark.parametrize("repeat", [True, False])
def test_every_image_has_the_label_and_split_of_its_own_row(tmp_path, repeat, in_lists):
    states = [each for each in itertools.product(THERE, repeat=3) if set(each) != {"missing"}]
    for at, (there, order) in enumerate(itertools.product(states, (SPLITS, SPLITS[::-1]))):
        folder = tmp_path / str(at)
        folder.mkdir()
        files = {}
        for split, state in zip(SPLITS, there, strict=True):
            for number in THERE[state]:
                files[f"{split}/{named(split, number, repeat)}"] = split, label_of(split, number)
        for path in files:  # what is in them is not looked at
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).touch()
        source = manifests.scan(listed(folder, repeat, in_lists, order))
        items = list(source.items())
        got = [each for each in items if isinstance(each, Item)]
        stored = {each.path: (each.split, source.class_names[each.label]) for each in got}
        assert stored == files, (there, order)
        assert len(got) == len(files)
        assert not any("certainly wrong" in note for note in source.outline.notes)
        left = [each for each in items if not isinstance(each, Item)]
        assert len(left) == len(SPLITS) * len(ROWS) - len(files)
        for each in left:
            split, _, name = each.where.rpartition("/")
            others = [path for path in files if path.endswith(f"/{name}")]
            said = [other for other in SPLITS if f"“{other}/…”" in each.reason]
            assert f"{split}/{name}" not in files
            assert sorted(f"{other}/{name}" for other in said) == sorted(others), each


def test_the_other_splits_images_are_not_taken_by_a_path_in_label_studios_form(tmp_path, agrees):
    put(tmp_path, [f"val/{at}.png" for at in ROWS])
    rows = [
        f"/data/local-files/?d={at}.png,{label_of(split, at)},{split}"
        for split in ("train", "val")
        for at in ROWS
    ]
    (tmp_path / "all.csv").write_text("\n".join(["image,label,split", *rows]) + "\n")
    got = agrees(tmp_path / "all.csv", Answers(mostly_skipped="accept"))
    assert got.splits == ["val"] * len(ROWS)


def test_the_images_of_a_split_that_has_no_row_are_asked_about(tmp_path, agrees):
    source = put(tmp_path / "s", [f"{split}/{at}.png" for split in SPLITS[:2] for at in ROWS])
    for split in ("train", "test"):
        rows = [f"{at}.png,{label_of(split, at)}" for at in ROWS]
        (source / f"{split}.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    (left,) = read(source).left_out
    assert left.reason == "Another split may have the only such file, “val/…”."
    assert [each.value for each in asked(read(source))["images_in"].choices] == ["val", "none"]
    got = agrees(source, Answers(images_in="val"))
    assert [path.split("/")[0] for path in got.paths] == ["val"] * 5 + ["train"] * 5
    assert got.splits == ["test"] * 5 + ["train"] * 5
    assert set(agrees(source, Answers(images_in="none")).splits) == {"train"}


def test_a_lone_list_of_a_split_is_asked_whether_anothers_folder_has_its_images(tmp_path, agrees):
    source = put(tmp_path / "s", [f"train/{at}.png" for at in ROWS])
    rows = [f"{at}.png,{label_of('test', at)}" for at in ROWS]
    (source / "test.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    said = stops(source, "images_in", tmp_path)
    assert "5 images are found in another split's folder alone, first “test/0.png”" in said
    assert agrees(source, Answers(images_in="train")).report.n == 5


def test_images_that_no_row_names_are_no_other_splits_where_names_repeat(tmp_path):
    source = put(tmp_path / "s", [f"train/{at}.png" for at in range(10)])
    for split, numbers in (("train", range(6)), ("val", range(4, 10))):
        rows = [f"{at}.png,{label_of(split, at)}" for at in numbers]
        (source / f"{split}.csv").write_text("\n".join(["image,label", *rows]) + "\n")
    left = {each.reason: each.count for each in read(source).left_out}
    assert left == {
        "There is no such file but “train/…”: another split's row has it.": 2,
        "Another split may have the only such file, “train/…”.": 4,
    }
    assert "images_in" in asked(read(source))


def test_a_list_called_like_a_split_whose_folder_lacks_some_stops(tmp_path, agrees):
    """`trainLabels.csv` numbers 1 to 14; `test/` has its own 1 to 4, and 13, 14 alone."""
    source = tmp_path / "s"
    there = [f"train/{i}.png" for i in range(1, 13)]
    there += [f"test/{i}.png" for i in (1, 2, 3, 4, 13, 14)]
    put(source, there)
    rows = [f"{i},{'ab'[i % 2]}" for i in range(1, 15)]
    (source / "trainLabels.csv").write_text("\n".join(["id,label", *rows]) + "\n")
    question = asked(read(source))["images_in"]
    assert question.is_open
    assert [each.value for each in question.choices] == ["train", "test", "none"]
    assert "--images-in" in stops(source, "images_in", tmp_path)
    got = agrees(source, Answers(images_in="train"))
    assert got.given == ["b", "a"] * 6
    none = agrees(source, Answers(images_in="none"))
    assert none.given == ["b", "a"] * 4  # 5 to 12, which no other folder has
