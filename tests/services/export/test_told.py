"""A run that was told what people answered has no score of those images, in any export."""

import csv
import io
import json

import numpy as np
import pytest

from lnl_core.services.export import exporting
from lnl_core.store import arrays, decisions
from lnl_core.types import Action, Decision

TOLD = (3, 5)


@pytest.fixture
def told(scored):
    """`scored`, whose run sr was told the answers of two images; ann gave a third one since."""
    mask = np.zeros(60, bool)
    mask[list(TOLD)] = True
    arrays.write_array(scored.directory / "runs" / "1" / "trusted.npy", mask)
    made = [
        Decision(3, Action.RELABEL, "ann", label=0, p_wrong=0.9),
        Decision(5, Action.KEEP, "ann"),
        Decision(25, Action.RELABEL, "ann", label=1),
    ]
    decisions.append(scored, made)
    return scored


def table(info, format):
    out = io.BytesIO()
    exporting.write_export(info, format, out)
    return list(csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig"))))


def test_the_ranking_is_blank_where_a_run_of_it_was_told(told):
    def blank(method):
        rows = list(exporting.rank_rows(told, method))
        every = [[row[c] for c in ("suspicion", "p_wrong", "label_quality")] for row in rows]
        assert all(all(cells) or not any(cells) for cells in every)
        assert all(row["suggested_label"] for row in rows)
        return [at for at, cells in enumerate(every) if not any(cells)]

    assert blank("consensus") == list(TOLD)
    assert blank("sr") == list(TOLD)
    assert blank("knn") == []


def test_corrections_hold_what_was_shown_and_scores_of_who_was_not_told(told):
    first, second = table(told, "corrections")
    assert (first["p_wrong_shown"], second["p_wrong_shown"]) == ("0.900000", "")
    assert (first["p_wrong"], first["label_quality"], first["suspicion_sr"]) == ("", "", "")
    assert float(first["suspicion_knn"]) > 0.5
    scores = {row["id"]: row for row in exporting.rank_rows(told)}
    for name in ("p_wrong", "label_quality"):  # one number, one meaning
        assert second[name] == scores[second["id"]][name] != ""
    assert second["suspicion_sr"]


def test_layouts_hold_no_score_there(told, tmp_path):
    rows = table(told, "manifest")
    assert [at for at, row in enumerate(rows) if not row["p_wrong"]] == list(TOLD)
    exporting.write_export(told, "label-studio", tmp_path / "l")
    tasks = json.loads((tmp_path / "l" / "tasks.json").read_text())
    assert [at for at, task in enumerate(tasks) if "p_wrong" not in task["data"]] == list(TOLD)
    assert ["score" in task["predictions"][0] for task in tasks[3:5]] == [False, True]
    exporting.write_export(told, "fiftyone", tmp_path / "f")
    labels = json.loads((tmp_path / "f" / "labels.json").read_text())["labels"]
    without = [
        a["attributes"]["lnl_id"] for a in labels.values() if "p_wrong" not in a["attributes"]
    ]
    assert without == [f"item-{row:05}" for row in TOLD]


def test_exports_name_the_runs_that_were_told(told, tmp_path):
    mask = np.zeros(60, bool)
    mask[5] = True
    arrays.write_array(told.directory / "runs" / "2" / "trusted.npy", mask)
    wanted = {3: "1", 5: "1 2"}
    for rows in (list(exporting.rank_rows(told)), table(told, "manifest")):
        assert {at: row["told"] for at, row in enumerate(rows) if row["told"]} == wanted
    alone = enumerate(exporting.rank_rows(told, "knn"))
    assert {at: row["told"] for at, row in alone if row["told"]} == {5: "2"}
    assert [row["told"] for row in table(told, "corrections")] == ["1", ""]
    exporting.write_export(told, "label-studio", tmp_path / "l")
    tasks = json.loads((tmp_path / "l" / "tasks.json").read_text())
    found = {at: task["data"]["told"] for at, task in enumerate(tasks) if "told" in task["data"]}
    assert found == wanted
    exporting.write_export(told, "fiftyone", tmp_path / "f")
    labels = json.loads((tmp_path / "f" / "labels.json").read_text())["labels"]
    said = {a["attributes"]["lnl_id"]: a["attributes"].get("told") for a in labels.values()}
    assert {id_: runs for id_, runs in said.items() if runs} == {
        f"item-{row:05}": runs for row, runs in wanted.items()
    }
