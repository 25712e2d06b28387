import csv
import io

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.services.export import exporting, reimporting
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Signals

CORRECTIONS = [
    "id",
    "path",
    "given_label",
    "corrected_label",
    "action",
    "reviewer",
    "decided_at",
    "suggested_label",
    "p_wrong",
    "label_quality",
]


def decide(ws, info):
    decisions.append(
        info,
        [
            Decision(3, Action.RELABEL, "ann", label=0),
            Decision(25, Action.NONE, "ann"),
            Decision(47, Action.MULTIPLE, "ann", labels=(0, 2)),
            Decision(5, Action.KEEP, "ann"),
            Decision(6, Action.UNSURE, "ann"),
            Decision(7, Action.RELABEL, "ann", label=1),
            Decision(7, Action.KEEP, "bob"),
        ],
    )


def table(info, format, **options):
    out = io.BytesIO()
    result = exporting.write_export(info, format, out, **options)
    text = out.getvalue().decode("utf-8-sig")
    return result, list(csv.DictReader(io.StringIO(text)))


def test_corrections_hold_what_was_accepted(workspace, scored):
    decide(workspace, scored)
    result, rows = table(scored, "corrections", scores=True)
    assert (result.rows, result.left_out) == (3, 2)
    assert [(r["id"], r["given_label"], r["corrected_label"], r["action"]) for r in rows] == [
        ("item-00003", "belt", "bar", "relabel"),
        ("item-00025", "base", "", "none"),
        ("item-00047", "bar", "bar|base", "multiple"),
    ]
    assert list(rows[0])[: len(CORRECTIONS)] == CORRECTIONS
    assert list(rows[0])[-4:] == ["p_wrong_shown", "run_ids", "told", "content"]
    assert {"suspicion_sr", "suspicion_knn"} < set(rows[0])
    assert rows[0]["suggested_label"] == "bar"
    assert float(rows[0]["p_wrong"]) > 0.3
    assert 0 <= float(rows[0]["label_quality"]) < 0.7
    assert rows[0]["decided_at"].endswith("Z")


def test_contradictions_are_in_only_when_asked_for(workspace, scored):
    decide(workspace, scored)
    decisions.append(scored, [Decision(7, Action.RELABEL, "bob", label=2)])
    result, rows = table(scored, "corrections", only_agreed=False)
    assert [r["id"] for r in rows] == ["item-00003", "item-00007", "item-00025", "item-00047"]
    assert result.left_out == 1


def test_a_correction_changes_something(workspace, scored, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("id,action,label\nitem-00000,relabel,bar\nitem-00003,relabel,bar\n")
    assert reimporting.import_decisions(scored, path, "ann").stored == 2
    assert exporting.correction_counts(scored) == {"relabel": 1}
    _, rows = table(scored, "corrections")
    assert [(r["given_label"], r["corrected_label"]) for r in rows] == [("belt", "bar")]
    assert exporting.verdict_counts(scored)["kept"] == 1
    assert reimporting.import_decisions(scored, path, "ann").unchanged == 2


def test_decisions_hold_every_answer_and_come_back(workspace, scored, tmp_path):
    decide(workspace, scored)
    before = decisions.states(scored)
    path = tmp_path / "decisions.csv"
    assert exporting.write_export(scored, "decisions", path).rows == 7
    decisions.append(
        scored,
        [Decision(row, Action.REOPEN, who) for row, who, _, _ in before],
    )
    assert decisions.states(scored) == []
    found = reimporting.import_decisions(scored, path, "someone else", replace_newer=True)
    assert (found.stored, found.problems) == (7, ())
    assert sorted(decisions.states(scored)) == sorted(before)
    labels = decisions.in_force(scored)[47][0].labels
    assert labels == (0, 2)


def test_import_says_which_row_is_wrong(workspace, scored, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text(
        "id,action,label\nitem-00001,keep,\nnobody,keep,\nitem-00002,relabel,zebra\n"
        "item-00003,dance,\nitem-00004,relabel,base\n"
    )
    found = reimporting.import_decisions(scored, path, "bob")
    problems = found.problems
    assert found.stored == 2
    assert len(problems) == 3
    assert "3" in problems[0]
    assert "nobody" in problems[0]
    assert "zebra" in problems[1]
    assert "dance" in problems[2]


def test_scores_cover_every_image(workspace, scored, tmp_path):
    path = tmp_path / "scores.csv"
    assert exporting.write_scores(scored, path) == 60
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "id",
        "given_label",
        "suggested_label",
        "suspicion",
        "p_wrong",
        "label_quality",
        "told",
        "content",
    ]
    worst = sorted(rows, key=lambda r: -float(r["suspicion"]))[:3]
    assert {r["id"] for r in worst} == {"item-00003", "item-00025", "item-00047"}
    assert all(r["suggested_label"] != r["given_label"] for r in rows)
    assert all(abs(float(r["suspicion"]) + float(r["label_quality"]) - 1) < 1e-5 for r in rows)
    assert exporting.write_scores(scored, path, method="knn", force=True) == 60


def test_errors_name_what_there_is(workspace, tiny, tmp_path):
    with pytest.raises(LnlError, match="scored yet"):
        exporting.write_scores(tiny, tmp_path / "x.csv")
    with pytest.raises(LnlError, match="corrections"):
        exporting.write_export(tiny, "parrot", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()


def purify(info, labels):
    """Store a done run of a purifier, as the worker leaves it."""
    job = queue.submit(info, "dmlp")
    queue.claim(info.workspace, job.id)
    queue.finish(info.workspace, job.id, JobState.DONE)
    n = len(labels)
    probs = np.full((n, info.class_count), 1 / info.class_count)
    signals = Signals("dmlp", np.zeros(n), probs, extras={"purified_labels": np.int32(labels)})
    arrays.save_signals(info.directory / "runs" / str(job.id), signals)
    return job.id


def test_a_manifest_of_purified_labels_says_whose_each_label_is(workspace, scored):
    decide(workspace, scored)
    made = (np.asarray(datasets.load(scored).given_labels) + 1) % scored.class_count
    made[9] = -1
    number = purify(scored, made)
    _, rows = table(scored, "manifest", purified=True)
    by_id = {row["id"]: row for row in rows}
    names = scored.class_names
    assert by_id["item-00008"]["label"] == names[made[8]]
    assert by_id["item-00008"]["label_by"] == f"run {number}, not reviewed"
    assert by_id["item-00003"]["label"] == "bar"  # what a person said counts first
    assert by_id["item-00003"]["label_by"] == by_id["item-00005"]["label_by"] == "people"
    for kept in ("item-00006", "item-00007", "item-00009"):  # unsure, contradicted, not purified
        assert by_id[kept]["label"] == by_id[kept]["given_label"]
        assert by_id[kept]["label_by"] == "given"
    assert "label_by" not in table(scored, "manifest")[1][0]


def test_without_a_purifier_it_says_what_to_run(workspace, scored):
    with pytest.raises(LnlError, match=f"lnl run {scored.name} --methods dmlp"):
        table(scored, "manifest", purified=True)
