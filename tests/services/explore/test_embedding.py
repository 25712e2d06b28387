"""The map and what can be done on it, without a browser: layout, loops, selections, matrix."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs import queue, worker
from lnl_core.jobs.tasks import embedding
from lnl_core.learning import feature_keys
from lnl_core.review import transition
from lnl_core.services.explore import confusions, nearby, selections
from lnl_core.services.explore import embedding as exploring
from lnl_core.services.review.desk import review_state
from lnl_core.services.review.filtering import Filters
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError

SETTINGS = exploring.Settings("raw", neighbours=5, min_dist=0.2, seed=3)


@pytest.fixture
def sure(scored):
    """`scored` under a ranking that calls its three planted errors wrong by more than a half."""
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    p_wrong = np.full(60, 0.02)
    p_wrong[[3, 25, 47]] = [0.9, 0.85, 0.95]
    order = np.argsort(-p_wrong, kind="stable")
    changed = replace(ranking, p_wrong=p_wrong, order=order)
    arrays.save_ranking(scored.directory / "ranking", changed, runs)
    return scored


def lay(info, positions):
    """Put a map in place as the task would."""
    key = embedding.write(info, SETTINGS, np.asarray(positions, dtype=np.float32), info.n)
    return exploring.layout(info, key)


def by_hand(points, loop):
    """The even-odd rule, one point at a time."""
    found = []
    for row, (x, y) in enumerate(points.astype(float)):
        crossings = 0
        for (x1, y1), (x2, y2) in zip(loop, loop[1:] + loop[:1], strict=True):
            if (y1 <= y) != (y2 <= y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
                crossings += 1
        if crossings % 2:
            found.append(row)
    return found


def test_a_loop_holds_what_the_even_odd_rule_says(scored):
    rng = np.random.default_rng(1)
    map_ = lay(scored, rng.normal(size=(60, 2)))
    for corners in (3, 7, 40):  # random corners: loops that cross themselves
        loop = rng.random((corners, 2)).tolist()
        wanted = by_hand(map_.points, [(65535 * x, 65535 * y) for x, y in loop])
        assert exploring.inside(map_, loop).tolist() == wanted
    everything = [[-1, -1], [2, -1], [2, 2], [-1, 2]]
    assert exploring.inside(map_, everything).tolist() == list(range(60))


@pytest.mark.parametrize(
    "loop", [[], [[0, 0], [1, 1]], [[0, 0], [1, "x"], [1, 1]], [[0, 0, 0]] * 5, [[0, 1]] * 501]
)
def test_what_is_no_loop_is_refused(scored, loop):
    map_ = lay(scored, np.random.default_rng(0).normal(size=(60, 2)))
    with pytest.raises(LnlError, match="Draw it again"):
        exploring.inside(map_, loop)


def test_a_selection_says_what_is_suspected_and_most_often_as_what(workspace, sure):
    found = exploring.select(sure, np.arange(60))
    assert found.suspected.tolist() == [47, 3, 25]
    given = np.asarray(datasets.load(sure).given_labels)
    truth = np.asarray(datasets.load(sure).true_labels)
    pairs = [(given[row], truth[row]) for row in (3, 25, 47)]
    assert found.pair in pairs
    assert exploring.select(sure, np.zeros(0, dtype=np.int64)).pair is None


def test_a_stored_selection_is_the_queue_and_any_other_name_is_empty(workspace, sure):
    name = selections.keep_selection(sure, np.array([47, 5, 5, 20]))
    assert name == selections.keep_selection(sure, np.array([5, 20, 47]))
    state = review_state(sure, "Ada", filters=Filters(selection=name))
    assert next(item["row"] for item in state.items) == 47
    assert {item["row"] for item in state.items} == {5, 20, 47}
    for other in ("0" * 12, "../ranking/current", "", name + "0"):
        assert len(selections.selection_rows(sure, other)) == 0
        gone = review_state(sure, "Ada", filters=Filters(selection=other))
        assert gone.items == []
    with pytest.raises(LnlError, match="Draw a loop"):
        selections.keep_selection(sure, np.zeros(0, dtype=np.int64))


def test_colours_follow_ranking_method_and_decisions(workspace, sure):
    suspicion = exploring.colouring(sure, "suspicion", None)
    assert set(np.flatnonzero(suspicion.codes & 15 == 2)) == {3, 25, 47}
    assert sum(number for _, _, number in suspicion.legend) == 60
    alone = exploring.colouring(sure, "suspicion", "knn")
    assert alone.version != suspicion.version
    before = exploring.colouring(sure, "verdict", None)
    decisions.append(
        sure,
        [
            Decision(3, Action.RELABEL, "Ada", label=0),
            Decision(3, Action.UNSURE, "Bob"),
            Decision(9, Action.UNSURE, "Bob"),
        ],
    )
    after = exploring.colouring(sure, "verdict", None)
    assert after.version != before.version
    assert after.codes[[3, 9, 10]].tolist() == [2 | 2 << 4, 5 | 2 << 4, 0]
    given = exploring.colouring(sure, "given", None)
    labels = np.asarray(datasets.load(sure).given_labels)
    for slot, name, number in given.legend:
        label = sure.class_names.index(name)
        assert number == (labels == label).sum()
        assert (given.codes[labels == label] & 15 == slot).all()
    for colour, method in (("size", None), ("suspicion", "gone")):
        with pytest.raises(LnlError):
            exploring.colouring(sure, colour, method)


def test_without_a_run_the_given_labels_are_there_and_the_rest_is_refused(workspace, tiny):
    assert exploring.colouring(tiny, "given", None).codes.max() < 16
    with pytest.raises(LnlError, match="Start a run"):
        exploring.colouring(tiny, "suspicion", None)
    assert confusions.matrix(tiny) is None
    assert nearby.point(tiny, 0)["p_wrong"] is None


def test_neighbours_say_label_and_verdict(workspace, scored):
    given = np.asarray(datasets.load(scored).given_labels)
    first = nearby.neighbours(scored, 3)["groups"][0]["images"][0]["row"]
    other = (int(given[first]) + 1) % 3
    decisions.append(scored, [Decision(first, Action.RELABEL, "Ada", label=other)])
    found = nearby.neighbours(scored, 3)
    assert [group["is"] for group in found["groups"]] == ["given", "suggested"]
    image = found["groups"][0]["images"][0]
    assert (image["row"], image["verdict"], image["by"]) == (first, "relabel", "Ada")
    assert image["to"] == scored.class_names[other]
    for group in found["groups"]:
        label = scored.class_names.index(group["name"])
        assert {int(given[image["row"]]) for image in group["images"]} == {label}
        assert 3 not in [image["row"] for image in group["images"]]


# Matrix (review science 6.2) --------------------------------------------------------------------


def test_the_matrix_is_the_joint_behind_the_ranking_and_its_rows_are_whole(workspace, scored):
    joint = np.array([[17.0, 2, 1], [0, 20, 0], [2.5, 0.5, 17]])  # given x true, 20 of each given
    ranking, runs = arrays.load_ranking(scored.directory / "ranking")
    kept = replace(ranking, transition_matrix=transition.transition_matrix(joint))
    arrays.save_ranking(scored.directory / "ranking", kept, runs)
    found = confusions.matrix(scored)
    np.testing.assert_allclose(found.count, joint, atol=1e-3)
    np.testing.assert_allclose(found.share.sum(axis=1), 1)
    assert (found.low <= found.share + 1e-9).all()
    assert (found.share <= found.high + 1e-9).all()


def test_what_people_settled_counts_as_they_say_and_the_interval_closes(workspace, scored):
    before = confusions.matrix(scored)
    given = np.asarray(datasets.load(scored).given_labels)
    truth = np.asarray(datasets.load(scored).true_labels)
    said = [
        Decision(row, Action.KEEP, "Ada", cid=f"{row}")
        if given[row] == truth[row]
        else Decision(row, Action.RELABEL, "Ada", label=int(truth[row]), cid=f"{row}")
        for row in range(60)
    ]
    decisions.append(scored, said[:30])
    half = confusions.matrix(scored)
    assert ((half.high - half.low) <= (before.high - before.low) + 1e-9).all()
    decisions.append(scored, said[30:])
    whole = confusions.matrix(scored)
    exact = np.zeros((3, 3))
    np.add.at(exact, (given, truth), 1)
    np.testing.assert_allclose(whole.count, exact, atol=1e-6)
    np.testing.assert_allclose(whole.high, whole.low, atol=1e-9)


def test_a_pair_that_people_found_is_told_though_few_are_expected(workspace, scored):
    assert not confusions.matrix(scored).says.any()  # under five in each cell
    data = datasets.load(scored)
    row = int(np.flatnonzero(np.asarray(data.given_labels) == 0)[0])
    other = np.flatnonzero(np.asarray(data.given_labels) == 1)[0]
    kept = Decision(int(other), Action.KEEP, "Ada", cid="kept")
    decisions.append(scored, [Decision(row, Action.RELABEL, "Ada", label=2, cid="moved"), kept])
    matrix = confusions.matrix(scored)
    assert matrix.found[0].tolist() == [0, 0, 1]
    assert matrix.found[1].tolist() == [0, 1, 0]
    assert np.argwhere(matrix.says).tolist() == [[0, 2]]  # what was confirmed is no error


# Maps of features that changed --------------------------------------------------------------------


def test_a_map_of_features_that_changed_is_none_of_today(workspace, scored, monkeypatch):
    monkeypatch.delenv("LNL_MAP")
    old = lay(scored, np.random.default_rng(2).normal(size=(60, 2)))
    assert [facts["key"] for facts in exploring.layouts(scored)] == [old.key]
    monkeypatch.setitem(feature_keys.RECIPES, "raw", 99)
    assert exploring.layouts(scored) == []
    assert exploring.layout(scored, exploring.key_of(scored, SETTINGS)) is None
    assert exploring.outdated(scored) == SETTINGS
    assert embedding.wanted(scored) == SETTINGS, "a new one, as the old one was asked for"
    task = queue.submit_task(scored, embedding.KEY, SETTINGS.as_dict())
    queue.cancel(workspace, task.id)
    assert embedding.wanted(scored) is None, "who cancelled it does not want it"
    new = lay(scored, np.random.default_rng(3).normal(size=(60, 2)))
    assert [facts["key"] for facts in exploring.layouts(scored)] == [new.key] != [old.key]
    assert exploring.outdated(scored) is None


def test_a_map_from_before_maps_knew_recipes_is_an_old_one(scored):
    told = json.dumps([1, scored.version, SETTINGS.as_dict()], sort_keys=True)
    key = hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
    path = embedding.place(scored, key)
    arrays.write_array(path, np.zeros((60, 2), np.float32))
    facts = SETTINGS.as_dict() | {"n": 60, "fitted": 60, "seconds": 1.0}
    arrays.write_json(path.with_suffix(".json"), facts)
    assert exploring.layouts(scored) == []
    assert exploring.outdated(scored) == SETTINGS


def test_a_map_of_a_run_stays_with_the_run(scored, monkeypatch):
    settings = replace(SETTINGS, source="run:1")
    key = embedding.write(scored, settings, np.zeros((60, 2), np.float32), 60)
    monkeypatch.setattr(feature_keys, "RECIPE", 99)
    assert [facts["key"] for facts in exploring.layouts(scored)] == [key]
    assert exploring.outdated(scored) is None


# The task ---------------------------------------------------------------------------------------


@pytest.mark.slow  # UMAP is compiled first
def test_a_map_is_laid_out_once_by_the_worker_of_tasks(workspace, scored, no_worker):
    job = exploring.start_layout(scored, SETTINGS)
    assert exploring.start_layout(scored, SETTINGS).id == job.id
    assert exploring.is_active(exploring.layout_job(scored, SETTINGS))
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert queue.job(workspace, job.id).state is JobState.DONE
    (facts,) = exploring.layouts(scored)
    map_ = exploring.layout(scored, facts["key"])
    assert map_.points.shape == (60, 2)
    truth = np.asarray(datasets.load(scored).true_labels)
    points = map_.points.astype(float)
    away = ((points[:, None] - points[None]) ** 2).sum(axis=2) + 1e12 * np.eye(60)
    assert (truth[away.argmin(axis=1)] == truth).mean() > 0.5
    written = embedding.place(scored, facts["key"]).stat().st_mtime_ns
    exploring.start_layout(scored, SETTINGS)
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert embedding.place(scored, facts["key"]).stat().st_mtime_ns == written


@pytest.mark.long  # the search tree of the rest is compiled first
def test_a_large_set_is_laid_out_from_a_sample_and_the_rest_stands_beside_its_own():
    rng = np.random.default_rng(0)
    label = np.arange(400) % 4
    features = 6 * np.eye(4, 8)[label] + rng.normal(size=(400, 8))
    stages = []
    settings = exploring.Settings("x", neighbours=10)

    def report(stage, fraction, _metrics):
        stages.append((stage, fraction))

    found, fitted = embedding.lay_out(features, settings, report, most=100)
    again, _ = embedding.lay_out(features, settings, report, most=100)
    assert fitted == 100
    assert found.shape == (400, 2)
    np.testing.assert_array_equal(found, again)
    centres = np.array([np.median(found[label == one], axis=0) for one in range(4)])
    nearest = ((found[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == label).mean() > 0.95
    assert [fraction for _, fraction in stages[: len(stages) // 2]] == sorted(
        fraction for _, fraction in stages[: len(stages) // 2]
    )
    assert {"laying out", "placing"} <= {stage for stage, _ in stages}


@pytest.mark.parametrize("n", [4, 5, 19])
def test_very_small_sets(n):
    features = np.random.default_rng(0).normal(size=(n, 3))
    features[0] = np.nan
    settings = exploring.Settings("x")
    if n < exploring.FEWEST:
        with pytest.raises(LnlError, match="at least 5"):
            embedding.lay_out(features, settings, lambda *_: None)
        return
    found, fitted = embedding.lay_out(features, settings, lambda *_: None)
    assert (fitted, found.shape) == (n, (n, 2))
    assert np.isfinite(found).all()


def test_settings_are_checked_and_name_the_map(scored):
    names = {
        exploring.key_of(scored, exploring.Settings(*values))
        for values in (("raw",), ("raw", 16), ("raw", 15, 0.2), ("raw", 15, 0.1, 1), ("run:3",))
    }
    assert len(names) == 5
    for bad in ({"neighbours": 1}, {"min_dist": -1}, {"seed": "x"}, {"neighbours": 10**9}):
        with pytest.raises(LnlError):
            embedding.settings_of(SETTINGS.as_dict() | bad)
