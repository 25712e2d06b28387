"""Sites, splits and classes as three levels of folders, in any order."""

import itertools

import pyarrow.parquet as pq
import pytest

from lnl_core.readings import Answers
from tests.data.asking import asked, counts, put, read, stops

LEVELS = {"site": ("north", "south"), "split": ("train", "val"), "class": ("cat", "dog")}


def spread(root, order):
    """Write two pictures into each folder of the levels, in this order."""
    paths = itertools.product(*(LEVELS[each] for each in order), ("0.png", "1.png"))
    return put(root, ["/".join(parts) for parts in paths])


@pytest.mark.parametrize("order", list(itertools.permutations(LEVELS)))
def test_the_split_is_read_and_the_level_of_the_class_is_asked(tmp_path, agrees, order):
    source = spread(tmp_path / "s", order)
    stops(source, "level", tmp_path)
    says = "inner" if order.index("site") < order.index("class") else "top"
    other = {"inner": "top", "top": "inner"}[says]
    assert counts(read(source, level=other)) == {"north": 8, "south": 8}
    got = agrees(source, Answers(level=says))
    assert sorted(got.given) == ["cat"] * 8 + ["dog"] * 8
    table = pq.read_table(got.folder / "table.parquet").to_pydict()
    at = order.index("split")
    assert table["split"] == [path.split("/")[at] for path in table["path"]]


def test_three_levels_without_splits_are_asked_about(tmp_path, do_import):
    source = put(
        tmp_path / "s",
        [f"{site}/{day}/{kind}/0.png" for site in ("north", "south") for day in ("mon", "tue")
         for kind in ("cat", "dog")],
    )  # fmt: skip
    assert "--class-level top, inner or third" in stops(source, "level", tmp_path)
    got = do_import(source, answers=Answers(level="third"))
    assert (got.names, got.report.n) == (["cat", "dog"], 8)


def test_classes_below_one_folder_of_every_site_are_asked_about(tmp_path):
    source = put(
        tmp_path / "s",
        [f"{site}/images/{kind}/0.png" for site in ("north", "south") for kind in ("cat", "dog")],
    )
    assert [each.value for each in asked(read(source))["level"].choices] == ["top", "third"]
    assert counts(read(source, level="third")) == {"cat": 2, "dog": 2}


def test_sites_of_one_class_each_are_asked_about(tmp_path):
    source = put(tmp_path / "s", ["north/train/cat/0.png", "south/train/dog/0.png"])
    assert asked(read(source))["level"].is_open


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["cat/train/0.png", "dog/train/0.png", "dog/train/1.png"], {"train": 3}),
        (["cat/train/images/0.png", "dog/train/images/0.png"], {"train": 2}),
        (["cat/train/0.png", "cat/1.png", "cat/more/2.png", "dog/0.png"], {"train": 1}),
    ],
)
def test_one_split_below_the_classes_is_kept(tmp_path, agrees, paths, kept):
    source = put(tmp_path / "s", paths)
    found = read(source)
    assert (found.class_names, dict(found.splits)) == (("cat", "dog"), kept)
    left = len(paths) - sum(kept.values())
    assert any(f"{left} images are in no split." in note for note in found.notes) == bool(left)
    agrees(source)


def test_rows_with_a_blank_split_are_counted(tmp_path):
    put(tmp_path, [f"{i}.png" for i in range(4)])
    rows = "0.png,cat,train\n1.png,dog,\n2.png,dog, \n3.png,cat,val\n"
    (tmp_path / "list.csv").write_text(f"image,label,split\n{rows}")
    found = read(tmp_path)
    assert dict(found.splits) == {"train": 1, "val": 1}
    assert "2 images are in no split." in found.notes
