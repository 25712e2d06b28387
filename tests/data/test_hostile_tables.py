"""Tables made to be read for ever: many columns, rows that end early, very many tables."""

import json
import sys
from collections import Counter
from contextlib import contextmanager

import pytest

from lnl_core.data import table_heads
from lnl_core.readings import advice
from lnl_core.types import LnlError
from tests.data.asking import asked, counts, put, read


def test_a_question_offers_few_of_many_columns_and_any_can_be_named(tmp_path):
    listed = tmp_path / "wide.csv"
    cells = ",".join("xyz"[at % 3] for at in range(5_000))
    other = ",".join("zxy"[at % 3] for at in range(5_000))
    rows = [f"{at}.png,{cells if at % 2 else other}" for at in range(6)]
    names = ",".join(f"c{at}" for at in range(5_000))
    listed.write_text("\n".join([f"image,{names}", *rows]))
    put(tmp_path, [f"{at}.png" for at in range(6)])
    (question,) = read(listed).open_questions
    assert question.key == "label_column"
    assert len(question.choices) == 40
    assert advice(question).endswith("c10, c11 or another one.")
    assert read(listed, label_column="c4999").n == 6


def test_rows_that_leave_out_most_of_many_columns_are_refused(tmp_path):
    names = [f"c{at}" for at in range(5_000)]
    listed = tmp_path / "short.csv"
    listed.write_text("\n".join(["image," + ",".join(names), *["a"] * 5_000]))
    with pytest.raises(LnlError, match=r"5,001 columns, and most rows have few of their cells"):
        read(listed)
    lines = tmp_path / "short.jsonl"
    first = json.dumps({"image": "a", **dict.fromkeys(names, 1)})
    lines.write_text("\n".join([first, *['{"image": "a"}'] * 5_000]))
    with pytest.raises(LnlError, match=r"5,001 columns, and most rows have few of their cells"):
        read(lines)


def test_rows_that_leave_out_a_few_cells_are_read(tmp_path):
    listed = tmp_path / "few.csv"
    rows = [f"{at}.png,{'ab'[at % 2]}" for at in range(6)]
    listed.write_text("\n".join(["image,label,x,y,z", *rows]))
    put(tmp_path, [f"{at}.png" for at in range(6)])
    assert read(listed).n == 6


def test_a_header_of_more_columns_than_any_list_has_is_refused(tmp_path):
    listed = tmp_path / "wider.csv"
    listed.write_text("," * table_heads.MAX_COLUMNS)
    with pytest.raises(LnlError, match="at most 200,000 are read"):
        read(listed)


def test_comments_above_a_row_are_told_as_before(tmp_path):
    listed = tmp_path / "commented.csv"
    listed.write_text("# first\n\n# second, third\nimage,label\n")
    head = table_heads.head(listed, {"image": ("image",), "label": ("label",)}, True)
    assert (head.number, head.width, head.comments) == (4, 2, ("# first", "# second, third"))


def test_of_very_many_lists_of_one_header_all_are_read(tmp_path):
    put(tmp_path, [f"images/{at}.png" for at in range(230)])
    for at in range(230):
        (tmp_path / f"train_{at:03d}.csv").write_text(f"image,label\n{at}.png,{'ab'[at % 2]}\n")
    assert counts(read(tmp_path)) == {"a": 115, "b": 115}


def test_of_very_many_tables_the_longest_is_the_list(tmp_path):
    put(tmp_path, [f"{at}.png" for at in range(40)])
    rows = [f"{at}.png,{'ab'[at % 2]}" for at in range(40)]
    for at in range(400):
        (tmp_path / f"note{at}.csv").write_text("a note")
    (tmp_path / "few.csv").write_text("\n".join(["image,label", *rows[:4]]))
    (tmp_path / "all.csv").write_text("\n".join(["image,label", *rows]))
    with audited(".csv") as opened:
        assert read(tmp_path, lists=("few.csv",)).n == 4
        assert read(tmp_path, lists=("all.csv",)).n == 40
        assert "lists" in asked(read(tmp_path))
    often = Counter(opened)
    assert sum(count > 9 for count in often.values()) < 30  # of most, the first line of each look


def test_very_many_lists_are_read_where_a_person_says_all(tmp_path):
    put(tmp_path, [f"{at}.png" for at in range(210)])
    for at in range(210):
        (tmp_path / f"list{at}.csv").write_text(f"image,label\n{at}.png,{'ab'[at % 2]}\n")
    assert "lists" in asked(read(tmp_path))
    assert read(tmp_path, lists=("all",)).n == 210


_OPENED = []
_HOOKED = []


@contextmanager
def audited(ending):
    """Collect the files of an ending that are opened; an audit hook stays, and then is idle."""
    if not _HOOKED:
        sys.addaudithook(
            lambda event, args: (
                [each.append(str(args[0])) for each in _OPENED] if event == "open" else None
            )
        )
        _HOOKED.append(True)
    opened = []
    _OPENED.append(opened)
    try:
        yield opened
    finally:
        _OPENED.remove(opened)
        opened[:] = [each for each in opened if each.endswith(ending)]
