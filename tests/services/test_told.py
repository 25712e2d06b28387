"""What a run was told is no score of its own: masked and marked wherever scores are shown."""

import csv
import re
import uuid
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.figures import embedding as map_figures
from lnl_core.figures.palette import TONES
from lnl_core.jobs.tasks.embedding import write
from lnl_core.library.workspace import Workspace
from lnl_core.services import in_force
from lnl_core.services.compare import comparing, five_views, losses, report
from lnl_core.services.explore import embedding, filters, nearby
from lnl_core.services.explore.filters import Narrow
from lnl_core.services.export import exporting
from lnl_core.services.review import evidence, filtering, recording
from lnl_core.services.review.filtering import Filters
from lnl_core.store import arrays, decisions
from lnl_core.types import Action, Decision

TOLD = [3, 8, 50]
"""Rows whose answer run sr = 1 was told; 3 is a planted error. Run knn = 2 was told nothing."""


@pytest.fixture
def told(scored):
    """`scored` with three answers that run sr knows, under a ranking that is sure of its errors."""
    mask = np.zeros(60, bool)
    mask[TOLD] = True
    folder = scored.directory / "runs" / "1"
    arrays.write_array(folder / "trusted.npy", mask)
    signals = arrays.load_signals(folder)
    arrays.save_signals(folder, replace(signals, suspicion=np.where(mask, 0, signals.suspicion)))
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    p_wrong = np.full(60, 0.02)
    p_wrong[[3, 25, 47, 50]] = [0.9, 0.85, 0.95, 0.3]
    arrays.save_ranking(scored.directory / "ranking", replace(ranking, p_wrong=p_wrong), runs)
    made = [Decision(row, Action.KEEP, "ann") for row in TOLD[1:]]
    decisions.append(scored, [Decision(3, Action.RELABEL, "ann", label=0), *made])
    return scored


def rows(mask):
    return np.flatnonzero(mask).tolist()


def test_the_masks(told):
    assert rows(in_force.unjudged(told)) == rows(in_force.unjudged(told, 1)) == TOLD
    assert rows(in_force.unjudged(told, 2)) == []
    assert in_force.score_shown(told, 3) is None
    assert in_force.score_shown(told, 25) == 0.85


def test_the_reports_class_pairs_say_no_score_of_them(told):
    page = report.html(told)
    cards = re.findall(r"<figcaption>([^<]+)<small>([^<]+)</small>", page)
    said = {identity: words for words, identity in cards}
    ids = in_force.loaded(told).ids
    assert said[str(ids[3])] == "no score: told or not judged"
    assert any(words.startswith("p wrong ") for words in said.values())


def test_explore_draws_them_in_a_colour_of_their_own_with_a_legend(told):
    drawn = embedding.colouring(told, "suspicion", None)
    assert rows(drawn.codes & 15 == embedding.UNJUDGED) == TOLD
    assert (drawn.codes[TOLD] >> 4 == 0).all()  # not drawn as if it were suspected
    assert drawn.legend == (
        (2, "above 0.5", 2),
        (1, "0.25–0.5", 0),
        (0, "below", 55),
        (3, "told or not judged", 3),
    )
    assert len(embedding.colouring(told, "suspicion", "knn").legend) == 3
    assert rows(embedding.colouring(told, "suspicion", "sr").codes & 15 == 3) == TOLD
    given = embedding.colouring(told, "given", None)
    assert rows(given.codes >> 4 == 2) == [25, 47]
    for mode in ("light", "dark"):
        colours = map_figures.colours(TONES[mode])
        assert len(set(colours)) == 4


def test_explore_filters_and_loops_do_not_count_them_as_suspected(told):
    assert rows(filters.mask(told, Narrow(levels=(2,)))) == [25, 47]
    assert rows(filters.mask(told, Narrow(levels=(1,)))) == []
    assert rows(filters.mask(told, Narrow(levels=(3,)))) == TOLD
    assert set(embedding.select(told, np.arange(60)).suspected.tolist()) == {25, 47}


def test_explore_says_of_a_point_that_a_run_was_told(told):
    assert (nearby.point(told, 3)["p_wrong"], nearby.point(told, 3)["told"]) == (None, True)
    assert (nearby.point(told, 25)["p_wrong"], nearby.point(told, 25)["told"]) == (0.85, False)
    near = [
        each
        for row in range(20)
        for group in nearby.neighbours(told, row)["groups"]
        for each in group["images"]
    ]
    assert {each["row"] for each in near} & set(TOLD)
    assert {each["row"] for each in near if "p_wrong" not in each} <= set(TOLD)
    assert not any("p_wrong" in each for each in near if each["row"] in TOLD)


def test_the_queue_has_no_chance_to_narrow_them_by(told):
    ranked, now = in_force.scored(told), in_force.standing(told)

    def left(chance):
        asked = Filters(chance=filtering.BANDS[chance], include_reviewed=True)
        return rows(~filtering.excluded(told, ranked, "ann", asked, now))

    assert left("high") == [25, 47]
    assert left("middle") == []
    assert not set(left("low")) & set(TOLD)


def test_review_marks_them_and_shows_neither_chance_nor_course(told):
    said = evidence.evidence(told, 3)
    assert (said["told"], said["p_wrong"]) == (True, None)
    assert [(one["key"], one["told"]) for one in said["methods"]] == [("sr", True), ("knn", False)]
    assert [one["key"] for one in said["curves"]] == ["knn"]
    assert [one["key"] for one in evidence.evidence(told, 25)["curves"]] == ["sr", "knn"]


def test_an_answer_notes_no_chance_that_nobody_was_shown(told):
    for row in (3, 25):
        entry = {"cid": uuid.uuid4().hex, "row": row, "action": "none"}
        recording.record(told, "bob", [entry])
    noted = {d.row: d.p_wrong for d in decisions.history(told, reviewer="bob")}
    assert noted == {3: None, 25: 0.85}


def test_compare_shows_no_course_and_no_chance_of_them(told):
    assert losses.trajectory(told, "1", 3) == {}
    assert losses.trajectory(told, "2", 3)["given"]
    assert five_views.views(told, 3).p_wrong is None
    assert five_views.views(told, 25).p_wrong == 0.85
    own = losses.losses(told, "2", "suspicion")
    assert own.counted.all()
    every = losses.above(own, float(own.x.min()))
    assert every.queued == 60
    assert every.consensus == pytest.approx((0.85 + 0.95 + 55 * 0.02) / 57)  # of the untold ones


def test_peoples_point_counts_the_images_of_the_curves(told):
    compared = comparing.compare(told)
    assert compared.left_out == 3
    assert compared.reviewed == (0, 0)
    assert compared.found == 1
    decisions.append(told, [Decision(25, Action.NONE, "ann"), Decision(9, Action.UNSURE, "ann")])
    compared = comparing.compare(told)
    assert {d.size for d in compared.detections.values()} == {57}
    assert compared.reviewed == (2, 1)
    assert compared.found == 2
    assert comparing.compare(told, ["2"]).reviewed == (5, 2)  # that run was told nothing


def test_the_report_draws_them_as_such(told):
    settings = embedding.Settings("raw", neighbours=5)
    write(told, settings, np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32), 60)
    decisions.append(told, [Decision(3, Action.REOPEN, "ann")])  # back in the queue, known to sr
    page = report.html(told)
    assert "told or not judged (3)" in page
    assert "above 0.5 (2)" in page
    assert page.count("no score: told or not judged") == 1


def test_cleanlabs_table_has_no_quality_of_them(told, tmp_path):
    exporting.write_export(told, "cleanlab", tmp_path / "c")
    with (tmp_path / "c" / "label_issues.csv").open() as stream:
        issues = list(csv.DictReader(stream))
    assert [at for at, each in enumerate(issues) if not each["label_quality"]] == TOLD
    assert issues[3]["is_label_issue"] == "True"  # as people say


def test_a_notebooks_ranking_has_none_of_them(told):
    table = Workspace(told.workspace.home).ranking("tiny")
    assert sorted(table.index[table["p_wrong"].isna()]) == TOLD
    assert sorted(table.index[-3:]) == TOLD  # behind all that has a score
