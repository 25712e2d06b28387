"""Small pictures and small sets."""

import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from lnl_core.data import importers
from lnl_core.readings import Unanswered
from lnl_core.types import LnlError
from tests.data.making import encoded, picture


class Imported:
    """What an import left behind."""

    def __init__(self, folder, report):
        self.folder, self.report = folder, report
        self.images = np.load(folder / "images.npy", mmap_mode="r")
        self.labels = np.load(folder / "given_labels.npy")
        self.meta = json.loads((folder / "meta.json").read_text("utf-8"))
        table = pq.read_table(folder / "table.parquet").to_pydict()
        self.ids, self.paths = table["id"], table["path"]
        self.splits = [split or "" for split in table.get("split", [""] * len(self.ids))]
        self.skipped = pq.read_table(folder / "skipped.parquet").to_pylist()
        self.names = self.meta["class_names"]

    @property
    def given(self):
        return [self.names[label] for label in self.labels]

    @property
    def truth(self):
        return np.load(self.folder / "true_labels.npy")


@pytest.fixture
def do_import(tmp_path):
    def run(source, **options):
        out = tmp_path / "out" / "set"
        return Imported(out, importers.import_source(source, "set", out, **options))

    return run


@pytest.fixture
def sample_folder():
    """Three hundred real JPEG in ten folders, where the development data is at hand."""
    repo = Path(__file__).resolve().parents[2]
    path = Path(os.environ.get("LNL_SHARED", repo.parent / "shared")) / "data/sample_folder"
    if not path.exists():
        pytest.skip("development data is not beside the repository (sample_folder)")
    return path


@pytest.fixture
def photos(tmp_path):
    """Two classes with three images each."""
    root = tmp_path / "photos"
    for at, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True)
        for i in range(3):
            data = encoded(picture(seed=10 * at + i), quality=95)
            (root / name / f"{i}.jpg").write_bytes(data)
    return root


@pytest.fixture
def agrees(tmp_path):
    """Hold that the reading of a source says what its import stores, or why it stores nothing."""
    numbers = iter(range(1000))

    def compare(source, answers=None, **options):
        at = next(numbers)
        try:
            found = importers.read(
                source, answers=answers, scratch=tmp_path / f"zip-{at}", **options
            )
        except LnlError as error:
            with pytest.raises(type(error)):
                importers.import_source(source, "x", tmp_path / "no", answers=answers, **options)
            return None
        out = tmp_path / f"agrees-{at}"
        if found.open_questions:
            with pytest.raises(Unanswered) as stopped:
                importers.import_source(source, "x", out, answers=answers, **options)
            assert {each.key for each in stopped.value.questions} == {
                each.key for each in found.open_questions
            }
            return None
        got = Imported(out, importers.import_source(source, "x", out, answers=answers, **options))
        table = pq.read_table(got.folder / "table.parquet").to_pydict()
        assert found.n == got.report.n == len(got.ids)
        assert {each.name: each.count for each in found.classes} == {
            name: got.given.count(name) for name in got.names
        }
        assert dict(found.splits) == Counter(filter(None, table["split"]))
        left = Counter()
        for each in found.left_out:
            if each.what != "lists":
                left[each.reason] += each.count
        assert left == Counter(row["reason"] for row in got.skipped)
        return got

    return compare
