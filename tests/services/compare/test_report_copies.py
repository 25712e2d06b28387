"""Copies in the report: leaks across splits and different labels, as the Data page lists them."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.services import in_force
from lnl_core.services.compare import report
from lnl_core.services.datasets import copied
from lnl_core.store import datasets
from lnl_core.store.table import table_of

LEAK, PLAIN = (5, 7, 30), (50, 51)


@pytest.fixture
def leaking(scored):
    """`scored` in two splits; one picture lies in both, under two labels, and another in one."""
    path = scored.arrays / "table.parquet"
    names = pa.array(["val" if row == 30 else "train" for row in range(60)])
    pq.write_table(pq.read_table(path).append_column("split", names), path)
    table_of.cache_clear()
    in_force._loaded.cache_clear()
    first = np.arange(60, dtype=np.int32)
    first[list(LEAK)], first[list(PLAIN)] = LEAK[0], PLAIN[0]
    np.save(scored.directory / datasets.COPIES, first)
    return scored


def test_leaks_are_listed_with_picture_labels_splits_and_ids(leaking):
    section = re.search(r"<h2>Copies</h2>(.*?)</section>", report.html(leaking), re.S)[1]
    for sentence in copied.notes(leaking):
        assert sentence in section
    assert "1 picture is in more than one split" in section
    leaks, labels = re.findall(r"<summary>(.*?)</summary>.*?<tbody>(.*?)</tbody>", section, re.S)
    assert (leaks[0], labels[0]) == ("In more than one split, 1", "With different labels, 1")
    for _, rows in (leaks, labels):
        (row,) = re.findall(r"<tr>.*?</tr>", rows)
        picture, *cells = re.findall(r"<td>(.*?)</td>", row)
        assert picture.startswith('<img src="data:image/')
        assert cells == [
            "3",
            f"{leaking.class_names[0]} 2, {leaking.class_names[1]} 1",
            "train 2, val 1",
            "item-00005, item-00007, item-00030",
        ]


def test_a_set_without_splits_has_no_empty_column_of_them(scored):
    first = np.arange(60, dtype=np.int32)
    first[list(LEAK)] = LEAK[0]
    np.save(scored.directory / datasets.COPIES, first)
    section = re.search(r"<h2>Copies</h2>(.*?)</section>", report.html(scored), re.S)[1]
    assert re.findall(r"<th>(.*?)</th>", section) == ["", "Times", "Labels", "Images"]
    assert len(re.findall(r"<td>", section)) == 4


def test_without_copies_there_is_no_such_section(scored):
    np.save(scored.directory / datasets.COPIES, np.arange(60, dtype=np.int32))
    assert "<h2>Copies</h2>" not in report.html(scored)
