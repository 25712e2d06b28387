"""Lists without a header whose columns stand below each other, by blanks or by tabs."""

import pytest

from lnl_core.data import importers
from lnl_core.readings import Answers
from tests.data.asking import counts, put

VALUES = ["-1", "1", "-1", "1", "-1", "-1"]
WRITTEN = {
    "blanks": [f"im{at} {value:>2}" for at, value in enumerate(VALUES)],
    "from the first row": [f"im{at} {value:>2}" for at, value in enumerate(VALUES[1:], 1)],
    "many blanks": [f"  im{at}{' ' * (9 - len(value))}{value} " for at, value in enumerate(VALUES)],
    "tabs": [f"im{at}\t{'' if value[0] == '-' else chr(9)}{value}" for at, value in
             enumerate(VALUES)],
}  # fmt: skip


@pytest.mark.parametrize("rows", WRITTEN.values(), ids=WRITTEN)
def test_no_label_is_lost(tmp_path, rows):
    put(tmp_path, [f"im{at}.png" for at in range(6)])
    (tmp_path / "list.txt").write_text("\n".join(rows) + "\n")
    found = importers.read(tmp_path / "list.txt", answers=Answers(header="none"))
    ones = sum(row.split()[1] == "1" for row in rows)
    assert counts(found) == {"-1": len(rows) - ones, "1": ones}
    assert not found.left_out
    assert any("Several tabs in a row" in note for note in found.notes) == ("\t" in rows[0])


@pytest.mark.parametrize(
    "rows",
    [["im0.png\tcat\t", "im1.png\t\tx", "im2.png\tdog\ty"], ["im0.png\t\t", "im1.png\tcat\tx"]],
)
def test_a_blank_cell_between_tabs_stays_one(tmp_path, rows):
    put(tmp_path, [f"im{at}.png" for at in range(3)])
    (tmp_path / "list.tsv").write_text("\n".join(rows) + "\n")
    found = importers.read(tmp_path / "list.tsv", answers=Answers(header="none", label_column="2"))
    assert sum(each.count for each in found.left_out if "blank" in each.reason) == 1


def test_a_name_with_blanks_before_a_comma_stays_whole(tmp_path):
    put(tmp_path, ["my nice cat.png", "my nice dog.png"])
    (tmp_path / "list.csv").write_text("my nice cat.png,cat\nmy nice dog.png,dog\n")
    assert counts(importers.read(tmp_path / "list.csv", answers=Answers(header="none"))) == {
        "cat": 1,
        "dog": 1,
    }
