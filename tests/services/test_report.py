import base64
import re

import numpy as np
import pytest

from lnl_core.cli import main
from lnl_core.services import lab, report, retraining
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, LnlError


def test_the_report_holds_everything_and_asks_nothing_of_a_network(workspace, scored):
    decisions.append(
        workspace, scored, [Decision(row=3, action=Action.RELABEL, reviewer="<ann>", label=0)]
    )
    page = report.html(workspace, "tiny")
    for words in ("Precision and recall", "Wrong labels found", "Top ", "Nearest neighbours: loss"):
        assert words in page, words
    assert page.count('class="figure"') == 6
    assert "relabelled 1" in page
    assert "&lt;ann&gt;" in page
    assert "<ann>" not in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.S)  # plotly's own has links
    assert "http" not in outside.replace("http-equiv", "")
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', outside)
    assert len(images) == 48
    assert base64.b64decode(images[0]).startswith(b"\x89PNG")
    assert page.count("plotly.js v") == 1
    head = page[: page.index("<body>")]
    assert "default-src 'none'" in head


def test_names_that_attack_stay_text(workspace, scored):
    meta = arrays.read_json(scored.directory / "meta.json")
    meta["class_names"] = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "b",
    ]
    arrays.write_json(scored.directory / "meta.json", meta)
    page = report.html(workspace, "tiny")
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_file_is_written_by_the_command_line(workspace, scored, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    out = tmp_path / "tiny.html"
    assert main(["report", "tiny", "--out", str(out), "--json"]) == 0
    assert f'"bytes": {out.stat().st_size}' in capsys.readouterr().out
    assert out.read_text("utf-8").startswith("<!doctype html>")
    assert main(["report", "tiny", "--out", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err


def test_nothing_scored_is_refused_in_words(workspace, tiny):
    with pytest.raises(LnlError, match="Nothing of “tiny” is scored yet"):
        report.html(workspace, "tiny")


def test_retraining_needs_a_correction_that_trains(workspace, scored):
    plan = retraining.plan(workspace, "tiny")
    assert "No label is corrected yet" in plan.refusal
    for row in (3, 25, 47):
        label = int(datasets.load(scored).true_labels[row])
        decision = Decision(row=row, action=Action.RELABEL, reviewer="ann", label=label)
        decisions.append(workspace, scored, [decision])
    plan = retraining.plan(workspace, "tiny")
    assert not plan.refusal
    assert "Held out: 12" in plan.words


def test_without_a_truth_confirmed_images_judge_or_it_is_refused(workspace, scored):
    (scored.directory / "true_labels.npy").unlink()
    plan = retraining.plan(workspace, "tiny")
    assert "0 are confirmed by people, 100 are needed" in plan.refusal
    assert "noise lab" in retraining.plan(workspace, "tiny", retraining.SIMULATED).refusal


def test_the_noise_lab_makes_a_copy_and_queues_the_cheapest_first(workspace, tiny, monkeypatch):
    started = []
    monkeypatch.setattr(lab, "start_runs", lambda ws, name, keys, preset: started.append(keys))
    made = lab.noise_lab(workspace, "tiny", "tiny noisy", "pair", 0.2, methods=["ce", "knn"])
    data = datasets.load(made)
    assert np.mean(np.asarray(data.given_labels) != np.asarray(data.true_labels)) == 0.2
    assert started == [["knn", "ce"]]
    with pytest.raises(LnlError, match="Choose methods"):
        lab.noise_lab(workspace, "tiny", "again", methods=["nothing"])
