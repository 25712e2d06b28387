"""Runs that build on other runs: who waits, who fails, whose labels are trained on."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from lnl_core.jobs import bases, outcome, queue, worker
from lnl_core.jobs.engines import local
from lnl_core.methods import AT, METHODS
from lnl_core.services.runs import running, status
from lnl_core.store import arrays, datasets, db, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Method, Signals, TopProbs


def method(fit, key="ce"):
    return Method(key, "A test", "", "", METHODS[key].config, fit)


def uniform(data, context, **more):
    n, k = len(data), len(data.class_names)
    return Signals("ce", np.linspace(0, 1, n), np.full((n, k), 1 / k), **more)


def finished(ws, info, **extras):
    """A run that is done, with these extras; its job."""
    job = queue.submit(info, "ce")
    claimed = queue.claim(ws)
    assert claimed.id == job.id
    worker.run_job(ws, claimed, method(lambda data, c, x: uniform(data, x, extras=extras)))
    return queue.job(ws, job.id)


def purified(info):
    """The given labels with rows 3, 25 and 47 put right and row 59 put wrong."""
    labels = np.array(datasets.load(info).given_labels, np.int32)
    labels[[3, 25, 47, 59]] = [0, 1, 2, 0]
    return labels


def test_a_run_waits_for_its_base_and_others_overtake_it(workspace, tiny):
    first = queue.submit(tiny, "ce")
    second = queue.submit(tiny, "influence", base=first.id)
    third = queue.submit(tiny, "knn")
    assert (second.base, first.base) == (first.id, None)
    assert queue.claim(workspace).id == first.id
    assert queue.claim(workspace).id == third.id
    assert queue.claim(workspace) is None
    queue.finish(workspace, first.id, JobState.DONE)
    assert queue.claim(workspace).id == second.id


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED])
def test_without_its_base_a_run_fails_and_says_which_and_what_to_do(workspace, tiny, state):
    first = queue.submit(tiny, "ce")
    second = queue.submit(tiny, "influence", base=first.id)
    third = queue.submit(tiny, "influence", base=second.id)
    queue.claim(workspace)
    queue.finish(workspace, first.id, state)
    queue.claim(workspace)
    found = queue.job(workspace, second.id)
    assert found.state == "failed"
    assert f"run {first.id}" in found.error
    assert "resume" in found.error
    assert queue.claim(workspace) is None
    assert f"run {second.id}" in queue.job(workspace, third.id).error
    # resumed in that order everything goes on
    for number in (first.id, second.id):
        queue.resume(workspace, number)
    assert queue.claim(workspace).id == first.id
    assert queue.claim(workspace) is None
    queue.finish(workspace, first.id, JobState.DONE)
    assert queue.claim(workspace).id == second.id


def test_a_removed_base_is_named(workspace, tiny):
    first = queue.submit(tiny, "ce")
    second = queue.submit(tiny, "influence", base=first.id)
    queue.remove(workspace, first.id)
    assert queue.claim(workspace) is None
    assert "is gone" in queue.job(workspace, second.id).error


def test_a_base_that_cannot_serve_is_refused_at_once(workspace, tiny, tmp_path):
    with pytest.raises(LnlError, match="There is no run 7"):
        queue.submit(tiny, "influence", base=7)
    first = queue.submit(tiny, "ce")
    with pytest.raises(LnlError, match="knn cannot build on ce"):
        queue.submit(tiny, "knn", base=first.id)
    queue.cancel(workspace, first.id)
    with pytest.raises(LnlError, match="cancelled"):
        queue.submit(tiny, "influence", base=first.id)
    assert len(queue.jobs(tiny)) == 1


def test_a_method_gets_its_base(workspace, tiny):
    first, seen = finished(workspace, tiny), []
    with pytest.raises(LnlError, match="influence cannot build on ce"):
        queue.submit(tiny, "influence", base=first.id)  # it kept no network
    (queue.run_dir(workspace, first) / bases.NETWORK).touch()
    queue.submit(tiny, "influence", base=first.id)

    def fit(data, config, context):
        seen.append(context.base)
        return uniform(data, context)

    worker.run_job(workspace, queue.claim(workspace), method(fit, "influence"))
    (base,) = seen
    assert (base.id, base.method, base.folder) == (
        first.id,
        "ce",
        queue.run_dir(workspace, first),
    )


def test_purified_labels_are_trained_on_and_review_speaks_of_the_given_ones(workspace, tiny):
    """Confirmed rows keep their label; suspicion is 1 - p(given), whatever was trained on."""
    given = np.array(datasets.load(tiny).given_labels)
    decisions.append(tiny, [Decision(59, Action.KEEP, "ann")])
    first = finished(workspace, tiny, purified_labels=purified(tiny))
    second = queue.submit(tiny, "ce", base=first.id)
    seen = []

    def fit(data, config, context):
        seen.append(np.array(data.given_labels))
        if len(seen) == 1:
            raise LnlError("The power went.")
        sure = np.eye(3)[data.given_labels] * 0.9 + 0.1 / 3
        curves = {
            "probs": np.stack([sure, sure]).astype(np.float16),
            "p_given": np.ones((2, 60), np.float16),
            "train_loss": np.ones(2),
        }
        return Signals("ce", np.zeros(60), sure, curves=curves)

    worker.run_job(workspace, queue.claim(workspace), method(fit))
    queue.resume(workspace, second.id)
    decisions.append(tiny, [Decision(0, Action.RELABEL, "ann", label=2)])
    worker.run_job(workspace, queue.claim(workspace), method(fit))
    done = queue.job(workspace, second.id)
    expected = purified(tiny)
    expected[59] = given[59]
    for labels in seen:  # the resumed run too, although a decision came between
        np.testing.assert_array_equal(labels, expected)
    signals = arrays.load_signals(queue.run_dir(workspace, done))
    assert np.flatnonzero(signals.suspicion > 0.9).tolist() == [3, 25, 47]
    assert signals.suspicion[59] == 0
    assert done.other_class == 3
    np.testing.assert_allclose(signals.curves["p_given"][0, [3, 4]], [0.1 / 3, 0.933], atol=1e-3)
    np.testing.assert_allclose(signals.curves["p_other"][1, [3, 4]], [0.933, 0.1 / 3], atol=1e-3)
    assert signals.curves["train_loss"].shape == (2,)


def test_a_base_without_purified_labels_fails_in_words(workspace, tiny):
    with pytest.raises(LnlError, match="ce cannot build on ce"):
        queue.submit(tiny, "ce", base=finished(workspace, tiny).id)
    first = queue.submit(tiny, "dmlp")  # it is to leave some, and does not
    second = queue.submit(tiny, "ce", base=first.id)
    for fit in (lambda data, config, context: uniform(data, context), lambda *all: None):
        worker.run_job(workspace, queue.claim(workspace), method(fit))
    error = queue.job(workspace, second.id).error
    assert f"run {first.id} (dmlp)" in error
    assert "purified" in error


@pytest.mark.parametrize("wrong", [np.zeros(59, np.int32), np.full(60, 3, np.int32)])
def test_purified_labels_of_another_set_are_refused(workspace, tiny, wrong):
    first = finished(workspace, tiny, purified_labels=wrong)
    second = queue.submit(tiny, "ce", base=first.id)
    worker.run_job(workspace, queue.claim(workspace), method(lambda *all: None))
    assert "do not fit" in queue.job(workspace, second.id).error


def test_scores_alone_and_top_classes_speak_of_the_given_label_too():
    given, trained = np.array([0, 1, 2]), np.array([0, 0, 2])
    score = outcome.against(Signals("aum", np.array([0.2, 0.1, 0.9])), given, trained)
    np.testing.assert_allclose(score.suspicion, [0.2, 1.0, 0.9])
    top = TopProbs(np.array([[0, 1], [0, 2], [2, 1]]), np.full((3, 2), [0.7, 0.2]), 4)
    said = outcome.against(Signals("sr", np.zeros(3), top), given, trained)
    np.testing.assert_allclose(said.suspicion, [0.3, 0.95, 0.3], atol=1e-6)


def test_recipes_queue_a_chain_and_share_what_stands_alone(workspace, tiny, no_worker):
    jobs = running.start_runs(tiny, ["ce", "knn", "ce->influence", "sr -> influence"])
    assert [(job.method, job.base) for job in jobs] == [
        ("ce", None),
        ("knn", None),
        ("influence", jobs[0].id),
        ("sr", None),
        ("influence", jobs[3].id),
    ]
    for methods, base in ((["influence"], jobs[0].id), ([f"{jobs[0].id}->influence"], None)):
        later = running.start_runs(tiny, methods, base=base)
        assert [(job.method, job.base) for job in later] == [("influence", jobs[0].id)]
    before = len(queue.all_jobs(workspace))
    for recipe, word in (
        ("sr->magic", "no method"),
        ("sr->", "no method"),
        ("12", "no method"),
        ("99->influence", "no run 99"),
        ("sr->jump", "jump cannot build on sr"),
    ):
        with pytest.raises(LnlError, match=word):
            running.start_runs(tiny, ["knn", recipe])
    assert len(queue.all_jobs(workspace)) == before
    assert status.status([tiny])["datasets"][0]["runs"][0]["base"] == jobs[0].id


def test_post_training_looks_at_what_its_base_looked_at(workspace, tiny):
    pixels = queue.submit(tiny, "ce")
    frozen = queue.submit(tiny, "ce", representation="raw")
    for base, asked in ((pixels, "raw"), (frozen, None)):
        found = queue.submit(tiny, "influence", base=base.id, representation=asked)
        assert found.representation == base.representation


def test_a_real_network_is_kept_and_post_trained(workspace, tiny):
    """The checkpoint goes, the network stays, and the next run starts from it."""
    first = queue.submit(tiny, "ce", overrides={"epochs": 2, "backbone": "mlp"})
    second = queue.submit(tiny, "influence", base=first.id, overrides={"rounds": 2, "lam": 0.1})
    for number in (first.id, second.id):
        claimed = queue.claim(workspace)
        assert claimed.id == number
        worker.run_job(workspace, claimed)
        done = queue.job(workspace, number)
        assert (done.state, done.error) == ("done", None)
        folder = queue.run_dir(workspace, done)
        assert (folder / bases.NETWORK).is_file()
        assert not (folder / "checkpoint.safetensors").exists()
    assert arrays.load_signals(folder).extras["round_removed"].max() >= 1
    offered = running.kept_networks(tiny)
    assert [job.id for job in offered] == [second.id, first.id]


def test_runs_with_a_kept_network_are_offered(workspace, tiny):
    first, second = finished(workspace, tiny), finished(workspace, tiny)
    (queue.run_dir(workspace, first) / bases.NETWORK).write_bytes(b"x")
    assert [job.id for job in running.kept_networks(tiny)] == [first.id]
    assert second.state == "done"


@pytest.fixture
def no_worker(workspace):

    held = local.lock(workspace)
    yield
    held.close()


def test_a_workspace_of_the_first_release_is_brought_up(tmp_path):
    """A workspace whose tables are those of the first release, with a run in them."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    home = tmp_path / "old"
    home.mkdir()
    url = f"sqlite:///{home / 'review.db'}"
    config = Config()
    config.set_main_option("script_location", str(Path(db.__file__).parent / "migrations"))
    engine = create_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for line in (
            "insert into datasets (id, name, folder, kind, n, class_count, created_at, used_at) "
            "values (1, 'old', 'old', 'npz', 60, 3, 'x', 'x')",
            "insert into jobs (dataset_id, method, preset, state, created_at) "
            "values (1, 'ce', 'quick', 'done', 'x')",
        ):
            connection.execute(text(line))
    engine.dispose()
    ws = db.open_workspace(home, url)
    found = queue.job(ws, 1)
    assert (found.method, found.base) == ("ce", None)
    (copy,) = (home / "backups").glob("review-0001-*.db")
    with sqlite3.connect(copy) as old:
        assert old.execute("select count(*) from jobs").fetchone() == (1,)
    old.close()
    db.dispose(ws)


def test_a_run_learns_from_the_features_of_another(workspace, tiny):
    seen = np.random.default_rng(2).normal(size=(tiny.n, 5)).astype(np.float16)
    first = queue.submit(tiny, "ce")
    second = queue.submit(tiny, "knn", representation=str(first.id))
    assert (second.representation, second.base) == (f"run:{first.id}", first.id)
    claimed = queue.claim(workspace)
    assert queue.claim(workspace) is None  # it waits for its features
    worker.run_job(workspace, claimed, method(lambda data, c, x: uniform(data, x, features=seen)))
    found = {}

    def look(data, config, context):
        found["features"] = context.features()
        found["base"] = context.base
        found["labels"] = np.array(data.given_labels)
        return uniform(data, context)

    worker.run_job(workspace, queue.claim(workspace), method(look, "knn"))
    assert queue.job(workspace, second.id).state == "done"
    np.testing.assert_array_equal(found["features"], seen.astype(np.float32))
    assert found["base"] is None  # nothing of the base but its features
    np.testing.assert_array_equal(found["labels"], datasets.load(tiny).given_labels)
    assert outcome.key(queue.job(workspace, second.id), tiny) == f"knn@run:{first.id}"


def test_features_of_a_run_that_keeps_none_are_refused(workspace, tiny, no_worker):
    first = finished(workspace, tiny)
    second = queue.submit(tiny, "knn", representation=f"run:{first.id}")
    worker.run_job(workspace, queue.claim(workspace))
    found = queue.job(workspace, second.id)
    assert found.state == "failed"
    assert f"Run {first.id} keeps no features" in found.error
    with pytest.raises(LnlError, match="hnml learns from pixels or maps"):
        queue.submit(tiny, "hnml", representation=f"run:{first.id}")
    with pytest.raises(LnlError, match="name it as the base"):
        queue.submit(tiny, "influence", representation=f"run:{first.id}")
    with pytest.raises(LnlError, match="99"):
        running.start_runs(tiny, ["probe"], representation="99")


def test_a_recipe_hands_features_on(workspace, tiny, no_worker):
    jobs = running.start_runs(tiny, ["ce->probe", "dmlp->knn"])
    assert [job.method for job in jobs] == ["ce", "probe", "dmlp", "knn"]
    assert jobs[1].representation == f"run:{jobs[0].id}"
    assert jobs[3].base == jobs[2].id
    assert jobs[3].representation == "auto"  # it takes purified labels, on the usual features


@pytest.mark.parametrize(
    ("asked", "representation", "words"),
    [
        ("finetune@raw", None, "finetune does not learn from “raw”"),
        ("hnml@simclr", None, "Ask for hnml or hnml@pretrained"),
        ("finetune", "raw", "finetune does not learn from “raw”"),
        ("sr->influence@raw", None, "Leave out “@raw”"),
        ("probe->knn", None, "knn cannot build on probe"),
    ],
)
def test_features_that_a_run_would_leave_alone_are_refused(
    tiny, no_worker, asked, representation, words
):
    with pytest.raises(LnlError, match=words):
        running.start_runs(
            tiny, ["ce", asked] if AT in asked else [asked], representation=representation
        )
    assert queue.jobs(tiny) == []


def test_features_for_some_of_several_runs_are_for_those(tiny, no_worker):
    jobs = running.start_runs(tiny, ["finetune", "knn"], representation="raw")
    assert [job.representation for job in jobs] == ["pixels", "raw"]


def test_runs_whose_features_can_be_used_are_offered(workspace, tiny, no_worker):
    without = finished(workspace, tiny)
    seen = np.ones((tiny.n, 4), np.float16)
    queue.submit(tiny, "ce")
    kept = queue.claim(workspace)
    worker.run_job(workspace, kept, method(lambda data, c, x: uniform(data, x, features=seen)))
    offered = running.feature_runs(tiny)
    assert list(offered) == [f"run:{kept.id}"]
    assert offered[f"run:{kept.id}"].endswith(f"run {kept.id}")
    assert f"run:{without.id}" not in offered
    key = next(iter(offered))
    (job,) = running.start_runs(tiny, ["knn"], representation=key)
    assert job.base == kept.id


def test_a_run_may_name_the_features_it_is_on(workspace, tiny, no_worker):
    """`jump@raw` beside a method on pixels: each job says what it runs on."""
    jobs = running.start_runs(tiny, ["jump@raw", "ce", "knn"])
    assert [(job.method, job.representation) for job in jobs] == [
        ("jump", "raw"),
        ("ce", "pixels"),
        ("knn", "auto"),
    ]
    assert jobs[0].config["backbone"] == "head"
    told = running.start_runs(tiny, ["ce@raw"], representation="pretrained")
    assert told[0].representation == "raw"
    with pytest.raises(LnlError, match="no method “magic”"):
        running.start_runs(tiny, ["magic@raw"])


def test_the_default_recipe_can_be_started_as_it_is(workspace, tiny, no_worker):
    recipe = running.default_recipe(tiny)
    jobs = running.start_runs(tiny, recipe)
    assert [job.method for job in jobs] == [run.partition("@")[0] for run in recipe]
