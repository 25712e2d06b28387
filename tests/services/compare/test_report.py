import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update

from lnl_core import views
from lnl_core.cli import main
from lnl_core.figures import embedding as map_figures
from lnl_core.figures.palette import TONES
from lnl_core.jobs.tasks import embedding
from lnl_core.learning import feature_keys
from lnl_core.services.compare import lab, report, retraining
from lnl_core.services.explore import embedding as exploring
from lnl_core.services.in_force import standing
from lnl_core.store import arrays, audits, datasets, decisions, schema
from lnl_core.store.db import transaction
from lnl_core.types import Action, Decision, LnlError


def test_the_report_holds_everything_and_asks_nothing_of_a_network(workspace, scored):
    decisions.append(scored, [Decision(row=3, action=Action.RELABEL, reviewer="<ann>", label=0)])
    page = report.html(scored)
    for words in ("Precision and recall", "Wrong labels found", "Top ", "Nearest neighbours: loss"):
        assert words in page, words
    assert page.count('class="figure"') == 14
    assert "No map of the images has been laid out" in page
    assert "relabelled 1" in page
    assert "&lt;ann&gt;" in page
    assert "<ann>" not in page
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.S)  # plotly's own has links
    assert "http" not in outside.replace("http-equiv", "")
    queue = outside[outside.index("Head of the queue") :]
    images = re.findall(r'src="data:image/png;base64,([^"]+)"', queue)
    assert len(images) == 48
    for words in (
        "Which is better, and is it sure?",
        "Recall by given class",
        "All pairs (3)",
        "Recall above that of",
    ):
        assert words in page, words
    assert base64.b64decode(images[0]).startswith(b"\x89PNG")
    assert page.count("plotly.js v") == 1
    head = page[: page.index("<body>")]
    assert "default-src 'none'" in head


def test_the_matrix_is_in_it_once_a_cell_has_something_to_say(workspace, scored, monkeypatch):
    assert "Given and true classes" not in report.html(scored), "three errors fill no cell"
    assert "No class pair expects" in report.html(scored)
    monkeypatch.setattr(views, "FEWEST_ERRORS", 0)
    assert "Given and true classes" in report.html(scored)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("/ho" + "me/ann/secret/birds", "birds"),
        (r"C:\Users\ann\birds", "birds"),
        ("/", "/"),
        ("scikit-learn digits", "scikit-learn digits"),
        ("https://example.org/a.npz", "https://example.org/a.npz"),
    ],
)
def test_the_report_names_the_folder_and_not_the_path_to_it(workspace, scored, source, told):
    with transaction(workspace) as connection:
        connection.execute(update(schema.datasets).values(source=source))
    page = report.html(datasets.dataset(workspace, scored.name))
    assert f'<p class="muted">Source: {told}</p>' in page
    assert "secret" not in page


def test_wrong_labels_are_told_with_an_interval_or_not_at_all(workspace, scored):
    assert "<dt>Errors left</dt>" not in report.html(scored)  # the truth says it
    (scored.directory / "true_labels.npy").unlink()
    scored = datasets.dataset(workspace, scored.name)
    assert "after 20 random checks (0 so far)" in report.html(scored)

    def ask():
        now = standing(scored)
        return now.last_id, now.answered

    for each in audits.draw(scored, "ann", 24, ask):
        answer = Decision(each.row, Action.KEEP, "ann", route="audit")
        decisions.append(scored, [answer])
    said = r"<dt>Errors left</dt><dd>about (\d+), at most (\d+) \(95 % sure\)"
    found = re.search(said, report.html(scored))
    estimate, limit = (int(each) for each in found.groups())
    assert 0 <= estimate < limit <= scored.n - 24  # none of 24 was wrong


def laid_out(info, positions):
    embedding.write(info, exploring.Settings("raw"), positions.astype(np.float32), info.n)


def test_a_map_of_features_that_changed_is_left_out_and_said(scored, monkeypatch):
    laid_out(scored, np.random.default_rng(0).normal(size=(60, 2)))
    monkeypatch.setitem(feature_keys.RECIPES, "raw", 99)
    page = report.html(scored)
    assert "made by an earlier recipe" in page
    assert "map" not in figures_of(page)


def figures_of(page):
    found = re.search(r'id="figures-data" type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found.group(1))


def test_the_map_is_in_it_point_by_point_or_as_one_picture(workspace, scored, monkeypatch):
    rng = np.random.default_rng(0)
    laid_out(scored, rng.normal(size=(60, 2)))
    page = report.html(scored)
    assert "No map of the images" not in page
    (drawn,) = [f for f in figures_of(page) if "Map of the images" in str(f["layout"]["title"])]
    assert [each["type"] for each in drawn["data"]] == ["scattergl"] * 3
    assert "each a point" in drawn["layout"]["title"]["text"]
    assert "raw features" in drawn["layout"]["title"]["text"].replace("<br>", " ")
    p = np.asarray(arrays.load_ranking(scored.directory / "ranking")[0].p_wrong)
    suspected = int((p >= 0.5).sum())
    assert suspected
    assert drawn["data"][2]["name"] == f"above 0.5 ({suspected})"
    assert len(drawn["data"][2]["text"]) == suspected

    monkeypatch.setattr(map_figures, "MOST", 59)
    (drawn,) = [
        f
        for f in figures_of(report.html(scored))
        if "Map of the images" in str(f["layout"]["title"])
    ]
    assert "a picture of all 60" in drawn["layout"]["title"]["text"]
    assert all(each["type"] == "scatter" for each in drawn["data"])
    assert drawn["layout"]["images"][0]["source"].startswith("data:image/png;base64,")


def test_the_picture_shows_every_level_where_it_lies():
    points = np.array([[10_000, 10_000]] * 50 + [[30_000, 30_000]] + [[60_000, 60_000]], "<u2")
    level = np.array([0] * 50 + [1, 2], np.uint8)
    data = map_figures.picture(points, level, TONES["light"])
    image = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    assert image.shape == (map_figures.HIGH, map_figures.WIDE, 3)
    for x, y, colour in (
        (10_000, 10_000, (0xB4, 0xBC, 0xC5)),
        (30_000, 30_000, (0xE6, 0x9F, 0)),
        (60_000, 60_000, (0xD5, 0x5E, 0)),
    ):
        there = image[y * map_figures.HIGH >> 16, x * map_figures.WIDE >> 16]
        assert np.abs(there - colour).max() < 90
    assert (image[0, 0] == 255).all()


def test_names_that_attack_stay_text(workspace, scored):
    meta = arrays.read_json(scored.directory / "meta.json")
    meta["class_names"] = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "b",
    ]
    arrays.write_json(scored.directory / "meta.json", meta)
    page = report.html(scored)
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
        report.html(tiny)


def test_retraining_needs_a_correction_that_trains(workspace, scored):
    plan = retraining.plan(scored)
    assert "No label is corrected yet" in plan.refusal
    for row in (3, 25, 47):
        label = int(datasets.load(scored).true_labels[row])
        decision = Decision(row=row, action=Action.RELABEL, reviewer="ann", label=label)
        decisions.append(scored, [decision])
    plan = retraining.plan(scored)
    assert not plan.refusal
    assert "Held out: 12" in plan.words


def test_without_a_truth_confirmed_images_judge_or_it_is_refused(workspace, scored):
    (scored.directory / "true_labels.npy").unlink()
    plan = retraining.plan(scored)
    assert "0 are confirmed by people, 100 are needed" in plan.refusal
    assert "noise lab" in retraining.plan(scored, retraining.SIMULATED).refusal


def test_the_noise_lab_makes_a_copy_and_queues_the_cheapest_first(workspace, tiny, monkeypatch):
    started = []
    monkeypatch.setattr(lab, "start_runs", lambda info, keys, preset, by: started.append(keys))
    made = lab.noise_lab(tiny, "tiny noisy", "pair", 0.2, methods=["ce", "knn"])
    data = datasets.load(made)
    assert np.mean(np.asarray(data.given_labels) != np.asarray(data.true_labels)) == 0.2
    assert started == [["knn", "ce"]]
    with pytest.raises(LnlError, match="Choose methods"):
        lab.noise_lab(tiny, "again", methods=["nothing"])
