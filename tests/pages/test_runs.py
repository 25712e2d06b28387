import dataclasses
import json
import os

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.jobs import engines, queue
from lnl_core.learning.knobs import GROUPS
from lnl_core.methods import METHODS
from lnl_core.services import methods as known
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.runs import recipes
from lnl_core.services.runs.running import estimate
from lnl_core.store import datasets, schema
from lnl_core.store.db import transaction
from lnl_core.types import JobState
from pages import _jobs, _words
from tests.services.datasets.test_growing import file_of, pictures, run


def running(workspace, info, method="knn", **metrics):
    """A job that this very process has claimed."""
    queue.submit(info, method)
    job = queue.claim(workspace)
    queue.report(
        workspace, job.id, stage="train *x*", fraction=0.62, metrics=metrics, eta_seconds=100
    )
    return job


def ticking(desk, *methods):
    """Runs with these methods ticked; AppTest cannot click into a table."""
    app = desk(dataset="tiny")
    app.session_state["ticked"] = dict.fromkeys(methods, True)
    return app.switch_page("runs.py").run()


def test_the_recipe_is_one_press_with_its_cost(desk, workspace, tiny, no_worker, texts):
    app = desk("runs", dataset="tiny")
    assert not app.exception
    said = texts(app)
    recipe = recipes.recipe(tiny)
    assert "Recipe for tiny images" in said
    assert f"about {_words.about(recipe.seconds)}**" in said
    assert f"first queue after **{_words.about(recipe.first_seconds)}**" in said
    app.button(key="recipe").click().run()
    assert not app.exception
    assert [job.method for job in queue.jobs(tiny)][::-1] == recipe.runs
    assert "recipe" not in [button.key for button in app.button]
    assert texts(app).count(":orange-badge[:material/schedule: waiting]") >= len(recipe.runs)


def test_of_a_recipe_that_partly_failed_the_rest_can_be_started(desk, workspace, tiny, no_worker):
    for job in recipes.start_scoring(tiny):
        queue.claim(workspace, job.id)
        ends = JobState.FAILED if job.method == "jump" else JobState.DONE
        queue.finish(workspace, job.id, ends, error="no disk" if ends is JobState.FAILED else None)
    app = desk("runs", dataset="tiny")
    button = app.button(key="recipe")
    assert button.label == "Start 1 more run"
    button.click().run()
    assert queue.jobs(tiny)[0].method == "jump"


def test_start_queues_every_ticked_method_the_fastest_first_and_unticks_it(
    desk, workspace, tiny, no_worker
):
    app = ticking(desk, "ce", "knn")
    assert not app.exception
    assert app.button(key="start").label == "Start 2 runs"
    app.button(key="start").click().run()
    assert not app.exception
    jobs = queue.jobs(tiny)[::-1]
    assert [job.method for job in jobs] == ["knn", "ce"]
    costs = [estimate(tiny, job.method, "quick")[0] for job in jobs]
    assert costs == sorted(costs)
    button = app.button(key="start")
    assert (button.label, button.disabled) == ("Start", True)


def test_changed_knobs_go_into_the_run(desk, workspace, tiny, no_worker):
    key = next(key for key in METHODS if "epochs" in METHODS[key].config.__dataclass_fields__)
    app = ticking(desk, key)
    app.session_state["knobs"] = {(tiny.id, "quick"): {key: {"epochs": 3}}}
    app.run()
    app.button(key="start").click().run()
    changed = {job.method: job.config.get("epochs") for job in queue.jobs(tiny)}
    assert changed[key] == 3


def test_knobs_of_what_is_not_ticked_stop_nothing(desk, workspace, tiny, no_worker):
    app = ticking(desk, "knn")
    app.session_state["knobs"] = {(tiny.id, "quick"): {"sr": {"epochs": 20}}}
    app.run()
    app.button(key="start").click().run()
    assert not app.exception
    assert [job.method for job in queue.jobs(tiny)] == ["knn"]


def test_a_running_job_shows_where_it_stands(desk, workspace, tiny, texts):
    running(workspace, tiny, epoch=19, epochs=30, images_per_second=2140, memory_bytes=7e8)
    app = desk("runs", dataset="tiny")
    assert not app.exception
    said = texts(app)
    assert "epoch 19 of 30" in said
    assert "1 min 40 s left" in said
    assert "2,140" in said
    assert "0.7 GB" in said
    assert ":blue-badge[:material/sync: running]" in said
    assert "train \\*x\\*" in said


def test_cancel_asks_the_job_to_stop(desk, workspace, tiny):
    job = running(workspace, tiny)
    app = desk("runs", dataset="tiny")
    app.button(key=f"cancel_{job.id}").click().run()
    assert not app.exception
    assert queue.job(workspace, job.id).state is JobState.CANCELLING


def test_a_failed_job_says_why_and_resumes(desk, workspace, tiny, no_worker):
    job = running(workspace, tiny)
    queue.finish(workspace, job.id, JobState.FAILED, error="disk full at epoch 12 of 30 <b>")
    app = desk("runs", dataset="tiny")
    assert app.text[0].value == "disk full at epoch 12 of 30 <b>"
    app.button(key=f"resume_{job.id}").click().run()
    assert not app.exception
    assert queue.job(workspace, job.id).state is JobState.QUEUED


def test_the_remedy_at_the_end_of_a_long_reason_is_shown(desk, workspace, tiny):
    job = running(workspace, tiny)
    reason = "The method confident needs the package cleanlab, which is not installed. Install it."
    queue.finish(workspace, job.id, JobState.FAILED, error=reason)
    assert desk("runs", dataset="tiny").text[0].value == reason


def test_an_idle_set_says_what_the_machine_does_for_another(
    desk, workspace, tiny, hostile, no_worker, texts
):
    running(workspace, tiny, epoch=1, epochs=30)
    said = texts(desk("runs", dataset=hostile.name))
    assert "Nothing runs on this set" in said
    assert "at work on tiny: Nearest neighbours" in said
    queue.submit(hostile, "knn")
    assert "at work on tiny" not in texts(desk("runs", dataset=hostile.name))


def test_a_waiting_job_can_be_removed(desk, workspace, tiny, no_worker, texts):
    job = queue.submit(tiny, "knn")
    app = desk("runs", dataset="tiny")
    assert ":orange-badge[:material/schedule: waiting]" in texts(app)
    app.button(key=f"remove_{job.id}").click().run()
    assert not app.exception
    assert queue.jobs(tiny) == []


def test_a_narrow_window_cuts_what_methods_are_good_for_not_what_they_cost(desk, tiny):
    app = desk("runs", dataset="tiny")
    for table in app.dataframe[:2]:
        assert list(table.value.columns) == ["run", "method", "time", "gb", "knobs", "line"]


def test_a_tick_marks_what_has_run_and_dots_what_waits(desk, workspace, tiny, no_worker):
    job = running(workspace, tiny, "knn")
    queue.finish(workspace, job.id, JobState.DONE)
    queue.submit(tiny, "sr")
    app = desk("runs", dataset="tiny")
    names = {name for table in app.dataframe[:2] for name in table.value["method"]}
    assert {"Nearest neighbours ✓", "Sparse Regularization …"} <= names
    assert len([name for name in names if name[-1] in "✓…"]) == 2


def test_history_lists_what_is_done(desk, workspace, tiny):
    job = running(workspace, tiny)
    queue.finish(
        workspace, job.id, JobState.DONE, other_class=1524, cost=json.dumps({"seconds": 100.0})
    )
    app = desk("runs", dataset="tiny")
    table = app.dataframe[-1].value
    assert list(table["state"]) == [["done"]]
    assert list(table["took"]) == ["1 min 40 s"]
    assert list(table["other_class"]) == ["1,524"]


def test_the_primary_button_is_what_is_not_done_yet(desk, workspace, tiny, no_worker):
    def primary(app):
        inside = ("own_go",)  # of a popover
        found = [b.key for b in app.button if b.proto.type == "primary"]
        return [key for key in found if key not in inside]

    app = desk("runs", dataset="tiny")
    assert primary(app) == ["recipe"]
    app.button(key="recipe").click().run()
    assert primary(app) == []
    while job := queue.peek(workspace):
        queue.claim(workspace, job)
        queue.finish(workspace, job, JobState.DONE, other_class=1)
    assert primary(desk("runs", dataset="tiny")) == ["idle_review"]
    assert primary(ticking(desk, "dmlp")) == ["start"]
    queue.submit(tiny, "dmlp")
    assert primary(ticking(desk, "dmlp")) == []


def test_every_preset_shows_a_cost(desk, tiny, texts):
    for preset in ("standard", "paper"):
        app = ticking(desk, "ce")
        app.session_state["preset"] = preset
        app.run()
        assert not app.exception
        assert "first result after" in texts(app)


def test_states_in_words(workspace, tiny):
    job = queue.submit(tiny, "knn")
    assert _jobs.state_word(job) == "waiting"
    job = running(workspace, tiny)
    assert _jobs.state_word(queue.job(workspace, job.id)) == "running"
    for state in (JobState.CANCELLED, JobState.FAILED, JobState.DONE):
        assert str(state) in _jobs.BADGES


def test_runs_on_an_engine_show_where_they_are_and_several_at_a_time(
    desk, workspace, tiny, no_worker, texts, monkeypatch
):
    for method in ("knn", "ce"):
        number = queue.submit(tiny, method, executor="slurm").id
        queue.claim(workspace, number)
        queue.report(
            workspace, number, stage="train", fraction=0.4, metrics={"epoch": 2, "epochs": 5},
            eta_seconds=None,
        )  # fmt: skip
    waiting = queue.submit(tiny, "sr", executor="slurm").id
    with transaction(workspace) as connection:
        connection.execute(
            update(schema.jobs)
            .where(schema.jobs.c.id == waiting)
            .values(engine_job="7", stage="Slurm 7: pending, Resources")
        )
    monkeypatch.setattr(engines, "_look", lambda job: (engines.Seen.THERE, job.stage))
    app = desk("runs", dataset="tiny")
    assert not app.exception
    said = texts(app)
    assert "Slurm, 40\u202f%, epoch 2 of 5" in said
    assert "Slurm 7" in said
    assert "Resources" in said
    app.button(key="cancel_2").click().run()
    assert queue.job(workspace, 2).state is JobState.CANCELLING
    assert queue.job(workspace, 1).state is JobState.RUNNING


def test_executors_are_offered_where_they_can_be_used(
    desk, workspace, tiny, no_worker, monkeypatch
):
    monkeypatch.setattr(engines, "usable", lambda: ("local",))
    app = ticking(desk, "knn")
    assert not [box for box in app.selectbox if box.key == "executor"]
    monkeypatch.setattr(engines, "usable", lambda: ("local", "slurm"))
    monkeypatch.setattr(engines, "check", lambda ws, executor, options: {"time": "60"})
    monkeypatch.setattr(engines, "reconcile", lambda ws, job: None)
    app.run()
    box = app.selectbox(key="executor")
    assert box.options == ["this machine", "Slurm"]
    box.select("slurm").run()
    app.button(key="start").click().run()
    assert not app.exception
    assert {(job.executor, job.engine_options["time"]) for job in queue.jobs(tiny)} == {
        ("slurm", "60")
    }


def test_post_training_is_offered_on_finished_runs_and_recipes_start_in_a_chain(
    desk, workspace, tiny, no_worker
):
    job = running(workspace, tiny, "ce")
    queue.finish(workspace, job.id, JobState.DONE, cost=json.dumps({"seconds": 2.0}))
    folder = queue.run_dir(workspace, job)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.safetensors").write_bytes(b"x")
    app = ticking(desk, "influence")
    assert not app.exception
    select = app.selectbox(key="post_train")
    assert select.options == ["a fresh plain cross-entropy run", "run 1, Plain cross-entropy"]
    select.select_index(1).run()
    words = METHODS["influence"].after_words
    assert [each.value for each in app.caption].count(words) == 1
    app.session_state["recipes"] = ["ce->influence"]
    app.run()
    assert [each.value for each in app.caption].count(words) == 1
    assert app.button(key="start").label == "Start 3 runs"
    app.button(key="start").click().run()
    assert not app.exception
    started = [(job.method, job.base) for job in queue.jobs(tiny)[::-1][1:]]
    assert started == [("influence", 1), ("ce", None), ("influence", 3)]
    table = desk("runs", dataset="tiny")
    assert not table.exception


def test_what_would_make_a_run_better_is_a_hint_not_a_warning(desk, workspace, tiny):
    job = running(workspace, tiny, "dmlp", doubts=[], hints=["Ten confirmed *images* help."])
    queue.finish(workspace, job.id, JobState.DONE, cost=json.dumps({"seconds": 2.0}))
    app = desk("runs", dataset="tiny")
    assert not app.exception
    assert not app.warning
    (hint,) = [info.value for info in app.info]
    assert "Ten confirmed \\*images\\*" in hint


def test_knobs_are_grouped_and_searched():
    groups = known.grouped_knobs(METHODS["sr"].config)
    assert list(groups) == ["This method", "Training", "Views of an image", "Scoring", "Advanced"]
    names = [field.name for fields in groups.values() for field in fields]
    assert sorted(names) == sorted(f.name for f in dataclasses.fields(METHODS["sr"].config))
    assert "epochs" in [field.name for field in groups["Training"]]
    found = known.grouped_knobs(METHODS["sr"].config, "MIRROR images")
    assert {title: [f.name for f in fields] for title, fields in found.items()} == {
        "Views of an image": ["flip"]
    }
    assert known.grouped_knobs(METHODS["sr"].config, "no such knob") == {}


def test_every_group_of_a_knob_is_known():
    for method in METHODS.values():
        for field in dataclasses.fields(method.config):
            assert field.metadata.get("group", "") in GROUPS, (method.key, field.name)


def test_every_method_says_what_it_is_good_for():
    for method in METHODS.values():
        assert 10 < len(method.good_for) <= 46, method.key


def test_images_that_no_run_has_seen_are_said_and_scored_by_one_press(
    desk, workspace, tmp_path, no_worker, texts
):
    source = file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3)
    catalog.import_dataset(workspace, source, "thirty")
    info = datasets.dataset(workspace, "thirty")
    run(info, method="knn")
    assert "no score" not in texts(desk("runs", dataset="thirty"))
    growing.add_images(info, file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3))
    app = desk("runs", dataset="thirty")
    assert "**6 images have no score**" in texts(app)
    app.button(key="score_added").click().run()
    assert not app.exception
    assert [job.method for job in queue.jobs(info)][:2] == ["knn", "knn"]
    assert "Runs are on their way" in texts(app)


@pytest.mark.skipif(not hasattr(os, "getloadavg"), reason="this system tells no load")
def test_a_first_queue_that_is_late_says_that_the_machine_is_busy(
    desk, workspace, tiny, no_worker, texts, monkeypatch
):
    recipes.start_scoring(tiny)
    with transaction(workspace) as connection:
        connection.execute(update(schema.jobs).values(created_at="2026-01-01T00:00:00Z"))
    monkeypatch.setattr(os, "getloadavg", lambda: (99.0, 0.0, 0.0))
    app = desk("review", dataset="tiny")
    assert any("later than estimated" in each.proto.text for each in app.get("progress"))
    assert "This machine is busy: 99 tasks want its" in texts(app)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.1, 0.0, 0.0))
    assert "This machine is busy" not in texts(desk("review", dataset="tiny"))
