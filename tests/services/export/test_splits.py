"""A split travels: from the folders or the column that an image came in to every export."""

import csv
import io
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from lnl_core.services import in_force
from lnl_core.services.datasets import catalog
from lnl_core.services.explore import filters
from lnl_core.services.export import exporting
from lnl_core.services.review import desk
from lnl_core.services.review.filtering import Filters
from lnl_core.store import datasets, decisions
from lnl_core.store.table import table_of
from lnl_core.types import Action, Decision
from tests.data.making import encoded, picture


@pytest.fixture
def divided(workspace, tmp_path):
    """Classes in train and val, each file name in both; one image relabelled."""
    root = tmp_path / "pets"
    for at, split in enumerate(("train", "val")):
        for label in ("cat", "dog"):
            (root / split / label).mkdir(parents=True)
            for i in range(3):
                file = root / split / label / f"{i}.png"
                file.write_bytes(encoded(picture(seed=100 * at + 10 * (label == "dog") + i)))
    catalog.import_dataset(workspace, root, "pets")
    info = datasets.dataset(workspace, "pets")
    row = info_row(info, "val/cat/0.png")
    decisions.append(info, [Decision(row, Action.RELABEL, "ann", label=1)])
    return info


def info_row(info, path):
    return list(datasets.load(info).paths).index(path)


def table(info, format):
    out = io.BytesIO()
    exporting.write_export(info, format, out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"))))


def test_a_set_knows_its_splits(divided, tiny):
    data = datasets.load(divided)
    assert list(data.splits) == [path.split("/")[0] for path in data.paths]
    assert datasets.load(tiny).splits is None


@pytest.mark.parametrize("format", ["corrections", "decisions", "manifest", "audit-trail"])
def test_every_table_has_the_column_last(divided, tiny, format):
    rows = table(divided, format)
    assert rows
    assert all(list(row)[-1] == "split" for row in rows)
    assert all(row["split"] == (row.get("path") or row["image"]).split("/")[0] for row in rows)
    out = io.BytesIO()
    exporting.write_export(tiny, format, out)
    assert b"split" not in out.getvalue().splitlines()[0]  # a set without has no such column


def test_a_folder_per_split_that_comes_back(workspace, divided, tmp_path):
    out = tmp_path / "clean"
    exporting.write_export(divided, "folder", out)
    files = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert len(files) == 12
    assert {file.rsplit("/", 1)[0] for file in files} == {
        "train/cat", "train/dog", "val/cat", "val/dog"}  # fmt: skip
    assert sum(file.startswith("val/dog/") for file in files) == 4
    catalog.import_dataset(workspace, out, "again")
    again = datasets.load(datasets.dataset(workspace, "again"))
    assert sorted(again.splits) == ["train"] * 6 + ["val"] * 6


def test_a_manifest_comes_back(workspace, divided, tmp_path):
    out = tmp_path / "m.parquet"
    exporting.write_export(divided, "manifest", out)
    assert pq.read_table(out).column("split").to_pylist() == ["train"] * 6 + ["val"] * 6
    catalog.import_dataset(workspace, out, "again", root=tmp_path / "pets")
    again = datasets.load(datasets.dataset(workspace, "again"))
    assert sorted(again.splits) == ["train"] * 6 + ["val"] * 6


def test_other_tools_see_it(divided, tmp_path):
    exporting.write_export(divided, "fiftyone", tmp_path / "f", images="none")
    labels = json.loads((tmp_path / "f" / "labels.json").read_text())["labels"]
    said = [(each["attributes"]["split"], each["attributes"]["tags"]) for each in labels.values()]
    assert sorted(said) == [("train", ["train"])] * 6 + [("val", ["val"])] * 6
    exporting.write_export(divided, "label-studio", tmp_path / "l")
    tasks = json.loads((tmp_path / "l" / "tasks.json").read_text())
    assert [task["data"]["split"] for task in tasks] == ["train"] * 6 + ["val"] * 6


def with_splits(info, names):
    """Give the images of a set these splits, as its import would have."""
    path = info.directory / "table.parquet"
    table = pq.read_table(path)
    if "split" in table.column_names:
        table = table.drop_columns("split")
    pq.write_table(table.append_column("split", [[name or None for name in names]]), path)
    table_of.cache_clear()
    in_force._loaded.cache_clear()


def test_cleanlab_and_scores_have_it(scored, tmp_path):
    names = [("val", "train", "")[row % 3] for row in range(60)]
    with_splits(scored, names)
    exporting.write_export(scored, "cleanlab", tmp_path / "c")
    assert (tmp_path / "c" / "splits.txt").read_text().split("\n")[:-1] == names
    assert [row["split"] for row in exporting.rank_rows(scored)] == names
    exporting.write_scores(scored, tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines()[0].endswith(",split")
    exporting.write_export(scored, "folder", tmp_path / "f")
    folders = {path.name for path in (tmp_path / "f").iterdir() if path.is_dir()}
    assert folders == {"train", "val", "unsplit"}  # an image without a split lies in the last


def test_review_and_the_map_are_narrowed_to_a_split(scored):
    names = [("val", "train", "")[row % 3] for row in range(60)]
    with_splits(scored, names)
    assert filters.splits(scored) == ["val", "train", ""]
    for place, split in enumerate(filters.splits(scored)):
        of = [row for row in range(60) if names[row] == split]
        asked = Filters(split=split)
        state = desk.review_state(scored, "ann", filters=asked, limit=60)
        assert sorted(item["row"] for item in state.items) == of
        narrow = filters.from_text(filters.Narrow(splits=(place,)).as_text(), None)
        assert np.flatnonzero(filters.mask(scored, narrow)).tolist() == of
    gone = desk.review_state(scored, "ann", filters=Filters(split="test"), limit=60)
    assert not gone.items


def test_a_set_without_splits_has_no_such_filter(scored):
    assert filters.splits(scored) == []
    assert desk.review_state(scored, "ann", filters=Filters(split="train")).items
