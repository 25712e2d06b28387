import csv
import io
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnl_core.data import chances, export
from lnl_core.data.reimport import unprotect
from lnl_core.types import Action, Decision, LnlError

NAMES = ("cat", "dog", "=HYPERLINK(1)", "two\nlines", 'say "hi", ok')
IDS = ("a", "b", "-c", "d")
GIVEN = np.array([0, 1, 2, 3])


def positions(ids):
    def find(asked):
        index = {name: row for row, name in enumerate(ids)}
        return np.array([index.get(name, -1) for name in asked], np.int64)

    return find


def written(rows, **options):
    stream = io.BytesIO()
    count = export.write_csv(stream, rows, **options)
    assert not stream.closed
    data = stream.getvalue()
    text = data.decode("utf-8-sig")
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(found) == count
    return data, found


def corrections(decisions, **options):
    return export.correction_rows(
        decisions, ids=IDS, given_labels=GIVEN, class_names=NAMES, **options
    )


DECISION = Decision(
    2,
    Action.RELABEL,
    "ann",
    label=3,
    decided_at="2025-11-20T13:58:00.000Z",
    suggested_label=1,
    p_wrong=0.9612345,
    run_ids=(3, 14),
)


def test_corrections_have_the_columns_of_the_contract():
    half = np.full(4, 0.25)
    rows = corrections(
        [DECISION],
        paths=["x/1.jpg"] * 4,
        p_wrong=np.full(4, 0.001),
        suspicion=half,
        suggested_labels=np.zeros(4, int),
        method_suspicions={"sr": half, "knn": half / 2},
    )
    data, (row,) = written(rows)
    assert data.split(b"\r\n")[0].decode() == (
        "id,path,given_label,corrected_label,action,reviewer,decided_at,suggested_label,p_wrong,"
        "label_quality,suspicion_sr,suspicion_knn,p_wrong_shown,run_ids,told,content"
    )
    assert row == {
        "id": "'-c",
        "path": "x/1.jpg",
        "given_label": "'=HYPERLINK(1)",
        "corrected_label": "two\nlines",
        "action": "relabel",
        "reviewer": "ann",
        "decided_at": "2025-11-20T13:58:00.000Z",
        "suggested_label": "dog",
        "p_wrong": "0.001000",  # as every export says it
        "p_wrong_shown": "0.961234",
        "label_quality": "0.750000",
        "suspicion_sr": "0.250000",
        "suspicion_knn": "0.125000",
        "run_ids": "3 14",
        "told": "",
        "content": "",
    }


def test_a_suggestion_that_was_not_recorded_comes_from_the_ranking_in_force():
    bare = replace(DECISION, suggested_label=None, p_wrong=None)
    rows = corrections([bare], p_wrong=np.full(4, 0.5), suggested_labels=np.full(4, -1))
    (row,) = rows
    assert (row["p_wrong"], row["suggested_label"], row["label_quality"]) == ("0.500000", "", "")
    assert row["p_wrong_shown"] == ""


def test_no_row_still_has_a_header():
    data, rows = written(corrections([], method_suspicions={"sr": GIVEN / 4}))
    assert rows == []
    assert b"suspicion_sr" in data
    assert written([], format="scores")[0].startswith(b"id,given_label")


def test_marks_and_raw_cells():
    assert written(corrections([DECISION]), bom=True)[0].startswith(b"\xef\xbb\xbfid,")
    assert written(corrections([DECISION]))[0].startswith(b"id,")
    assert written(corrections([DECISION]), safe=False)[1][0]["given_label"] == "=HYPERLINK(1)"


def test_a_cell_with_another_separator_is_in_quotes():
    odd = [{"id": "a;=1", "path": 'b "c"'}, {"id": "d\t=1", "path": "e"}, {"id": "f", "path": "g"}]
    data, rows = written(odd)
    assert data.splitlines()[1:] == [b'"a;=1","b ""c"""', b'"d\t=1","e"', b"f,g"]
    assert rows == odd


@pytest.mark.parametrize(
    "first", ["=", "+", "-", "@", "\t", "\r", "\n", "'=", "''@", "＝", "＋", "－", "＠"]
)
def test_formulas_are_kept_from_running(first):
    assert export.protect(f"{first}A1") == f"'{first}A1"
    assert unprotect(export.protect(f"{first}A1")) == f"{first}A1"


@pytest.mark.parametrize("text", ["-1", "+1", "-0.5", "+.5", "-2.", "-1e-05", "+3E8"])
def test_numbers_leave_as_numbers(text):
    assert export.protect(text) == text == unprotect(text)
    assert export.protect(f"'{text}") == f"''{text}"  # a name that has the apostrophe keeps it


@pytest.mark.parametrize("text", ["-1+1", "+1A", "--1", "-", "-1e", "-१", "-1\n", "=1", "@1"])
def test_what_only_begins_like_a_number_is_a_formula(text):
    assert export.protect(text) == f"'{text}"
    assert unprotect(f"'{text}") == text


@pytest.mark.parametrize("text", ["", "cat", "'tis", "a=b", "0.5", "猫"])
def test_other_text_is_left_alone(text):
    assert export.protect(text) == text == unprotect(text)


def test_rows_are_made_one_by_one():
    decisions = (replace(DECISION, row=i % 4) for i in range(20_000))

    class Nowhere(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            return len(data)

    tracemalloc.start()
    assert export.write_csv(io.BufferedWriter(Nowhere()), corrections(decisions)) == 20_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


nasty = st.text(
    st.one_of(st.sampled_from("=+-@'\"|[],;\r\n\t <&ä猫a"), st.characters(codec="utf-8")),
    min_size=1,
    max_size=8,
).filter(lambda text: text.strip() != "")


@st.composite
def answers(draw):
    names = draw(st.lists(nasty, min_size=2, max_size=5, unique=True))
    ids = draw(st.lists(nasty, min_size=1, max_size=5, unique=True))
    made = []
    for _ in range(draw(st.integers(0, 6))):
        action = draw(st.sampled_from([each for each in Action if each is not Action.AUTO]))
        label, labels = None, ()
        if action is Action.RELABEL:
            label = draw(st.integers(0, len(names) - 1))
        if action is Action.MULTIPLE:
            at = st.integers(0, len(names) - 1)
            labels = tuple(draw(st.lists(at, min_size=2, unique=True)))
        reviewer = draw(st.sampled_from(["ann", "=bob", "O'Neil", "-x"]))
        row = draw(st.integers(0, len(ids) - 1))
        made.append(
            Decision(
                row,
                action,
                reviewer,
                label=label,
                labels=labels,
                decided_at="2025-11-20T13:58:00.123Z",
                cid=f"cid{len(made)}",
            )
        )
    return names, ids, made


@settings(max_examples=150, deadline=None)
@given(answers(), st.booleans())
def test_decisions_come_back_as_they_went(case, bom):
    names, ids, made = case
    rows = export.decision_rows(
        made, ids=ids, given_labels=np.zeros(len(ids), int), class_names=names
    )
    stream = io.BytesIO()
    export.write_csv(stream, rows, format="decisions", bom=bom)
    entries, problems = export.read_decisions(stream, class_names=names, positions=positions(ids))
    assert problems == []
    fields = ("row", "action", "label", "labels", "reviewer", "decided_at")
    assert [[getattr(e, f) for f in fields] for e in entries] == [
        [getattr(d, f) for f in fields] for d in made
    ]


def read(text, **options):
    return export.read_decisions(
        io.BytesIO(text.encode()), class_names=NAMES, positions=positions(IDS), **options
    )


def test_a_hand_made_file():
    entries, problems = read(
        "ID;Action;Label\na;Relabel; dog \n b ;keep;\n-c;none;\nd;multiple;cat|dog\n"
    )
    assert problems == []
    assert [(e.row, e.action, e.label, e.labels) for e in entries] == [
        (0, Action.RELABEL, 1, ()),
        (1, Action.KEEP, None, ()),
        (2, Action.NONE, None, ()),
        (3, Action.MULTIPLE, None, (0, 1)),
    ]
    assert {e.reviewer + e.decided_at for e in entries} == {""}


def test_every_problem_names_its_row():
    entries, problems = read(
        "id,action,label,decided_at,reviewer\n"
        "x,keep,,,\n"
        "a,dance,,,\n"
        "a,relabel,,,\n"
        "a,relabel,zebra,,\n"
        "a,keep,dog,,\n"
        "a,multiple,cat,,\n"
        "a,multiple,cat|zebra,,\n"
        "a,keep,,yesterday,\n"
        f"a,keep,,,{'x' * 61}\n"
        "a,keep,,,,,extra\n"
        '"a"b,keep,,,\n'
        "b,keep,,2025-11-20T15:58:00+02:00,bob\n"
    )
    assert [(e.row, e.decided_at, e.reviewer) for e in entries] == [
        (1, "2025-11-20T13:58:00.000Z", "bob")
    ]
    assert [problem.split(":")[0] for problem in problems] == [f"Row {n}" for n in range(2, 13)]
    words = [
        *("“x”", "dance", "needs a label", "zebra", "takes no", "two or more", "zebra"),
        *("yesterday", "reviewer", "More cells", "quotes"),
    ]
    for problem, word in zip(problems, words, strict=True):
        assert word in problem


def test_files_that_are_no_decisions():
    with pytest.raises(LnlError, match="no column “action”"):
        read("id,label\na,cat\n", name="x.csv")
    with pytest.raises(LnlError, match="is empty"):
        read("")
    assert len(read("id,action\n" + "x,keep\n" * 1500)[1]) == 1001


def test_corrections_can_be_read_back_too(tmp_path):
    path = tmp_path / "c.csv"
    with path.open("wb") as stream:
        export.write_csv(stream, corrections([DECISION]))
    (entry,), problems = export.read_decisions(path, class_names=NAMES, positions=positions(IDS))
    assert problems == []
    assert (entry.row, entry.action, entry.label) == (2, Action.RELABEL, 3)


@pytest.mark.parametrize(
    ("p", "cell"),
    [
        (0.0, "0.000001"),
        (1.0, "0.999999"),
        (0.99999999, "0.999999"),
        (0.25, "0.250000"),
        (float("nan"), ""),
        (None, ""),
    ],
)
def test_a_chance_leaves_with_six_digits_and_is_never_certain(p, cell):
    assert chances.cell(p) == cell
    if cell:
        assert chances.number(p) == float(cell)
        assert chances.cell(1 - p) == f"{1 - float(cell):.6f}"  # quality and suspicion fit together
