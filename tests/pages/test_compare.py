import dataclasses
import shutil

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.methods import METHODS, short_of
from lnl_core.review import consensus
from lnl_core.services.compare import report, truth
from lnl_core.services.compare.rounds import Change
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, Signals
from pages._compare import again, agreement, page
from pages._words import plain


@pytest.fixture
def judged(tiny):
    """`tiny` with two runs that were finished by hand."""
    data = datasets.load(tiny)
    rng = np.random.default_rng(0)
    given, truth = np.asarray(data.given_labels), np.asarray(data.true_labels)
    found, runs = [], {"sr": 1, "ce": 2}
    for key, number in runs.items():
        probs = 0.2 * rng.dirichlet(np.ones(3), 60)
        probs[np.arange(60), truth] += 0.8
        suspicion = 1 - probs[np.arange(60), given]
        curve = np.linspace(0.5, 1, 6)[:, None] * (1 - suspicion)
        signals = Signals(key, suspicion, probs, curves={"p_given": curve, "p_other": 1 - curve})
        arrays.save_signals(tiny.directory / "runs" / str(number), signals)
        found.append(signals)
    arrays.save_ranking(tiny.directory / "ranking", consensus.rank(found, given, 3), runs)
    return tiny


def test_nothing_scored_says_what_helps(desk, tiny, texts):
    app = desk("compare", dataset="tiny")
    assert not app.exception
    assert "Nothing scored yet." in texts(app)
    assert app.button(key="score_empty").label == "Score it"


def test_every_view_draws_and_the_address_names_it(desk, judged, texts):
    for view in page.VIEWS:
        app = desk("compare", dataset="tiny", view=view)
        assert not app.exception, view
        assert not app.error, view
        assert view in app.query_params["view"]
        if view != "five":  # one image needs the height
            assert "Best single method" in texts(app)
    assert "What do the corrections buy?" in texts(app)


def test_the_table_has_the_best_first_and_says_how_plain_training_does(desk, judged, texts):
    app = desk("compare", dataset="tiny")
    table = app.dataframe[0].value
    assert sorted(table["method"]) == ["SR", "consensus", "plain CE"]
    assert list(table["ap"]) == sorted(table["ap"], reverse=True)
    assert plain("Plain cross-entropy reaches") in texts(app)


def test_the_chances_stand_beside_what_is_so(desk, judged, texts):
    data = datasets.load(judged)
    truth = np.array(data.true_labels)
    truth[50:55] = (truth[50:55] + 1) % 3
    arrays.write_array(judged.directory / "true_labels.npy", truth)
    wrong = int((truth != np.asarray(data.given_labels)).sum())
    p = arrays.load_ranking(judged.directory / "ranking")[0].p_wrong
    expected = round(float(np.asarray(p).sum()))
    sentence = f"Of these 60 images the chances expect {expected} to be wrong; {wrong} are."
    assert expected != wrong
    assert plain(sentence) in texts(desk("compare", dataset="tiny"))
    assert "Are the chances true?" in report.html(judged)
    (judged.directory / "true_labels.npy").unlink()
    assert "the chances expect" not in texts(desk("compare", dataset="tiny"))


def test_without_a_truth_the_page_says_what_is_missing_and_shows_the_rest(
    desk, judged, texts, at_once
):
    (judged.directory / "true_labels.npy").unlink()
    app = desk("compare", dataset="tiny")
    assert not app.exception
    said = texts(app)
    assert plain("0 settled random checks so far; 60 more are needed, about 4 min at 4 s") in said
    assert "Best single method" not in said
    decisions.append(judged, [Decision(4, Action.KEEP, "ann", route="audit")])
    told = np.zeros(60, bool)
    told[4] = True
    arrays.write_array(judged.directory / "runs" / "1" / "trusted.npy", told)
    app = desk("compare", dataset="tiny")
    words = "0 settled random checks so far (1 more that these runs were told of judge nothing); "
    assert plain(words) in texts(app)
    table = app.dataframe[0].value
    assert "ap" not in table
    assert dict(zip(table["method"], table["other"], strict=True)) == {
        "consensus": "–",
        "Sparse Regularization": "3",
        "Plain cross-entropy": "3",
    }
    assert "No image is called wrong by some methods and right by others." in said


def test_the_press_for_random_checks_opens_review_in_random_order(desk, judged):
    (judged.directory / "true_labels.npy").unlink()
    app = desk("compare", dataset="tiny")
    app.button(key="missing_start").click().run()
    assert not app.exception
    assert app.title[0].value == "Review"
    assert app.selectbox(key="review_order").value == "random"


def test_images_on_which_methods_disagree_are_walked_through_in_five_views(desk, judged, texts):
    (judged.directory / "true_labels.npy").unlink()
    given = np.asarray(datasets.load(judged).given_labels)
    probs = np.eye(3)[given]
    probs[7] = np.eye(3)[(given[7] + 1) % 3]  # it alone calls this one wrong
    arrays.save_signals(judged.directory / "runs" / "2", Signals("ce", 1 - probs.max(1), probs))
    app = desk("compare", dataset="tiny")
    assert f"**Only {short_of('ce')} expects another class**" in texts(app)
    app.button(key=f"apart_{short_of('ce')}").click().run()
    assert not app.exception
    assert app.query_params["view"] == "five"
    assert app.button_group(key="compare_view_1").value == "five"
    assert app.query_params["id"] == str(datasets.load(judged).ids[7])


def test_five_views_offer_the_methods_that_have_not_run_with_their_cost(
    desk, judged, workspace, no_worker, texts
):
    app = desk("compare", dataset="tiny", view="five")
    assert "preset quick" in texts(app)
    assert "**about " in texts(app)
    app = app.button(key="five_run").click().run()
    assert not app.exception
    waiting = queue.jobs(judged)
    published = {key for key, method in METHODS.items() if not method.baseline}
    assert {job.method for job in waiting} == published - {"sr"}
    assert {job.preset for job in waiting} == {"quick"}
    assert "five_run" not in [button.key for button in app.button]
    assert f"remove_{waiting[0].id}" in [button.key for button in app.button]  # the queue is shown


def test_the_table_says_how_far_seeds_lie_apart(desk, judged, workspace, tmp_path):
    shutil.copytree(judged.directory / "runs", tmp_path / "runs")
    for seed in (0, 1):
        job = queue.submit(judged, "ce", seed=seed)  # which begins in an empty folder
        queue.claim(workspace, job.id)
        queue.finish(workspace, job.id, JobState.DONE)
    shutil.copytree(tmp_path / "runs", judged.directory / "runs", dirs_exist_ok=True)
    app = desk("compare", dataset="tiny")
    assert not app.exception
    said = [words for words in app.dataframe[0].value["seeds"] if words]
    assert said
    assert all(words.endswith("(2)") for words in said)


def test_one_run_alone_has_no_matrix(desk, judged, texts):
    app = desk("compare", dataset="tiny", view="agreement")
    app.button_group(key=f"compare_runs_{judged.id}_3").set_value(["1"]).run()
    assert not app.exception
    assert app.info[0].value == agreement.ALONE
    assert not app.get("plotly_chart")


def test_figures_on_some_judged_labels_say_of_which_images_they_speak(
    desk, judged, texts, monkeypatch
):
    monkeypatch.setattr(truth, "WRONG_NEEDED", 2)
    some = np.full(60, -1, np.int32)
    some[[0, 1, 3, 25]] = np.asarray(datasets.load(judged).true_labels)[[0, 1, 3, 25]]
    arrays.write_array(judged.directory / datasets.JUDGED_LABELS, some)
    (judged.directory / datasets.TRUE_LABELS).unlink()
    app = desk("compare", dataset="tiny")
    assert not app.exception
    assert app.selectbox(key=f"compare_truth_{judged.id}").options == [
        "Truth: 4 judged, 2 wrong",
    ]
    assert "about the 4 images of 60" in texts(app)
    info = datasets.dataset(judged.workspace, "tiny")
    assert "about the 4 images of 60" in report.html(info)


def test_the_threshold_says_what_it_queues(desk, judged, texts):
    app = desk("compare", dataset="tiny", view="losses")
    slider = app.select_slider[0]
    slider.set_value(slider.options[0] if slider.options else None)
    assert "Really wrong" in texts(app)


def test_what_a_run_says_of_one_image_waits_for_the_answer_or_until_asked(desk, judged, texts):
    app = desk("compare", dataset="tiny", view="losses")
    assert "best other class" not in texts(app)
    assert "You have not answered this image yet" in texts(app)
    app.button(key="losses_show").click().run()
    assert "best other class" in texts(app)


def test_an_image_of_a_run_is_chosen_by_its_place_and_named_by_its_path(desk, judged, texts):
    """A row of the data set was asked for, a number that no page shows."""
    app = desk("compare", dataset="tiny", view="losses")
    app.button(key="losses_show").click().run()

    def place():
        (field,) = [each for each in app.number_input if each.label.startswith("Place")]
        return field

    assert place().value == 1
    assert "place 1 of 60" in texts(app)
    data = datasets.load(judged)
    names = [plain(str(each)) for each in (data.ids if data.paths is None else data.paths)]
    first = next(each for each in names if each in texts(app))
    app.button(key="losses_next").click().run()
    assert place().value == 2
    assert "place 2 of 60" in texts(app)
    assert first not in texts(app)
    place().set_value(1).run()
    assert first in texts(app)


def test_retraining_is_refused_with_the_remedy_and_started_where_it_can_be(
    desk, judged, no_worker, texts
):
    app = desk("compare", dataset="tiny", view="retraining")
    source = f"retrain_source_{judged.id}"
    assert app.button_group(key=source).value == "simulated"  # what can be started
    app.button_group(key=source).set_value("decisions").run()
    assert "Relabel some images in Review first" in app.warning[0].value
    assert app.button(key="retrain_start").disabled
    app.button_group(key=source).set_value("simulated").run()
    assert not app.exception
    app.button(key="retrain_start").click().run()
    jobs = queue.jobs(judged, tasks=True)
    assert [(job.method, job.config["source"]) for job in jobs] == [("retrain", "simulated")]


def test_hostile_names_are_shown_as_text(desk, hostile, texts):
    data = datasets.load(hostile)
    given = np.asarray(data.given_labels)
    signals = Signals("knn", np.linspace(0, 1, 60), np.eye(3)[(given + 1) % 3])
    arrays.save_signals(hostile.directory / "runs" / "1", signals)
    other = dataclasses.replace(signals, method="knn")
    arrays.save_ranking(
        hostile.directory / "ranking", consensus.rank([other], given, 3), {"knn": 1}
    )
    for view in ("quality", "losses"):
        app = desk("compare", dataset=hostile.name, view=view)
        assert not app.exception
        assert "<b>bold" not in texts(app)
        assert "![x](http" not in texts(app)


def test_recall_in_a_class_is_held_against_one_method(desk, judged, texts):
    app = desk("compare", dataset="tiny", view="differences")
    app.session_state["classes_measure"] = "against"
    app.run()
    assert not app.exception
    against = app.selectbox(key="classes_against")
    assert against.value == "2", "plain training"
    assert "differences are clear" in texts(app)
    against.select("1").run()
    assert not app.exception


def test_a_telephone_shows_what_a_round_brought():
    """Before, after and change stood to the right of the screen."""
    change = Change(
        "probe@pretrained",
        JobState.DONE,
        (0.4, 0.5),
        (0.1, -0.02, 0.2),
        (0.7, 0.8),
        (0.1, 0.0, 0.2),
    )
    precision, right = map(again._folded, again._lines(change))
    assert list(precision) == ["Method", "Before → after"]
    assert precision["Before → after"] == "0.400 → 0.500, +0.100 (\N{MINUS SIGN}0.020 to +0.200)"
    assert right["Method"].endswith(": right class")
    (waits,) = map(again._folded, again._lines(Change("jump", JobState.FAILED)))
    assert waits == {"Method": "Jump-teaching: failed"}
