"""Runs that train on some splits and judge others: one mechanism for every method."""

import csv
import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.jobs import inputs, queue, splits, worker
from lnl_core.methods import METHODS
from lnl_core.services import in_force
from lnl_core.services.export import exporting
from lnl_core.services.review import evidence
from lnl_core.services.runs import running, status
from lnl_core.store import arrays, datasets, decisions
from lnl_core.store.table import read_table
from lnl_core.types import Action, Decision, LnlError, Signals
from tests.jobs.test_no_class import truthful

SPLITS = np.array((["train"] * 8 + [None] + ["val"] * 3) * 5, object)
TRAIN = np.flatnonzero(SPLITS == "train")
VAL = SPLITS == "val"


@pytest.fixture
def split(tiny):
    """`tiny`: 40 images in train, 15 in val, 5 in neither."""
    table = read_table(tiny.arrays / "table.parquet")
    table = table.append_column("split", pa.array(SPLITS.tolist(), pa.string()))
    pq.write_table(table, tiny.arrays / "table.parquet")
    datasets.update_meta(tiny, version="with splits")
    return datasets.dataset(tiny.workspace, tiny.name)


def knowing(info, seen=None):
    """A method that knows the truth of what it is given."""

    def method(data, config, context):
        if seen is not None:
            seen.append(data)
        return truthful(data, info)

    return method


def run(info, fit, method="ce", **chosen):
    queue.submit(info, method, **chosen)
    job = queue.claim(info.workspace)
    worker.run_job(info.workspace, job, replace(METHODS[method], fit=fit))
    return queue.job(info.workspace, job.id)


def scored_rows(rows, key="p_wrong"):
    return [bool(row[key]) for row in rows]


def test_a_run_trains_on_one_split_and_judges_another(workspace, split):
    seen = []
    job = run(split, knowing(split, seen), train_on=["train"], judge=["val"])
    assert (job.state, job.error) == ("done", None)
    assert job.splits == {"train_on": ["train"], "judge": ["val"]}
    assert list(seen[0].ids) == [f"item-{i:05d}" for i in TRAIN]
    signals = arrays.load_signals(queue.run_dir(workspace, job))
    given = np.asarray(datasets.load(split).given_labels)
    np.testing.assert_array_equal(signals.suspicion[~VAL], 0)
    np.testing.assert_allclose(
        signals.suspicion[VAL], 1 - signals.pred_probs[VAL, given[VAL]], atol=1e-6
    )
    wrong = VAL & (np.asarray(datasets.load(split).true_labels) != given)
    assert wrong.any()
    assert signals.suspicion[wrong].min() > signals.suspicion[VAL & ~wrong].mean()
    assert job.other_class == wrong.sum(), "of what it judges, not of what it was trained on"
    (told,) = status.status([split])["datasets"][0]["runs"]
    assert told["splits"] == job.splits


def test_what_is_not_judged_is_blank_and_last_not_nought(workspace, split):
    run(split, knowing(split), train_on=["train"], judge=["val"])
    for method in ("consensus", "ce"):
        rows = list(exporting.rank_rows(split, method))
        for key in ("suspicion", "p_wrong", "label_quality"):
            assert scored_rows(rows, key) == VAL.tolist()
    out = io.BytesIO()
    exporting.write_export(split, "manifest", out)
    rows = csv.DictReader(io.StringIO(out.getvalue().decode("utf-8-sig")))
    assert scored_rows(rows) == VAL.tolist()
    ranked = in_force.scored(split)
    assert set(ranked.ranking.order[:15].tolist()) == set(np.flatnonzero(VAL).tolist())
    assert [ranked.is_scored(row) for row in range(60)] == VAL.tolist()
    assert evidence.evidence(split, 3)["p_wrong"] is None
    assert evidence.evidence(split, 3)["methods"] == []
    assert len(evidence.evidence(split, 45)["methods"]) == 1
    np.testing.assert_array_equal(in_force.told_of(split, ["1"]), ~VAL)


def test_labels_of_which_nothing_was_learned_are_not_judged(workspace, split):
    given = np.array(datasets.load(split).given_labels)
    given[TRAIN[given[TRAIN] == 2]] = 0  # no image of the third class is in train
    arrays.write_array(split.arrays / "given_labels.npy", given)
    job = run(split, knowing(split), train_on=["train"])
    judged = splits.judged_rows(queue.run_dir(workspace, job), 60)
    np.testing.assert_array_equal(judged, given != 2)


def test_runs_that_judge_different_splits_are_ranked_together(workspace, split):
    run(split, knowing(split), judge=["val"])
    run(split, knowing(split), method="probe")
    ranked = in_force.scored(split)
    assert ranked.judged is None
    assert ranked.ranking.p_wrong.min() > 0
    assert [len(evidence.evidence(split, row)["methods"]) for row in (3, 45)] == [1, 2]
    assert all(scored_rows(exporting.rank_rows(split)))
    assert scored_rows(exporting.rank_rows(split, "ce")) == VAL.tolist()


def test_what_cannot_be_is_refused_before_it_is_queued(workspace, split):
    with pytest.raises(LnlError, match=r"no split “tain”\. Its splits: train, val"):
        running.start_runs(split, ["probe"], train_on=["tain"])
    arrays.write_array(split.arrays / "given_labels.npy", np.zeros(60, np.int32))
    with pytest.raises(LnlError, match="fewer than two classes"):
        running.start_runs(split, ["probe"], train_on=["train"])
    assert queue.jobs(split) == []


def test_a_score_alone_cannot_judge_what_it_was_not_given(workspace, split):
    def fit(data, config, context):
        return Signals("ce", np.zeros(len(data)))

    job = run(split, fit, train_on=["train"])
    assert job.state == "failed"
    assert "no probabilities" in job.error


@pytest.mark.parametrize("method", ["probe", "knn", "confident", "ce"])
def test_real_methods_judge_what_they_have_not_seen(workspace, split, method):
    knobs = {"epochs": "2"} if method == "ce" else {}
    queue.submit(split, method, overrides=knobs, train_on=["train"], judge=["val"], device="cpu")
    job = queue.claim(workspace)
    worker.run_job(workspace, job)
    job = queue.job(workspace, job.id)
    assert (job.state, job.error) == ("done", None)
    signals = arrays.load_signals(queue.run_dir(workspace, job))
    given = np.asarray(datasets.load(split).given_labels)
    expected = 1 - np.asarray(signals.pred_probs)[VAL, given[VAL]]
    np.testing.assert_allclose(signals.suspicion[VAL], expected, atol=1e-5)
    assert len(np.unique(expected.round(4))) > 3
    assert (signals.suspicion[~VAL] == 0).all()


def test_a_run_is_told_no_answer_to_an_image_that_it_never_sees(workspace, split):
    given = np.asarray(datasets.load(split).given_labels)
    inside, kept, changed = int(TRAIN[0]), *(int(row) for row in np.flatnonzero(VAL)[:2])
    other = int(given[changed] + 1) % 3
    answers = [
        Decision(inside, Action.KEEP, "ada"),
        Decision(kept, Action.KEEP, "ada"),
        Decision(changed, Action.RELABEL, "ada", label=other),
    ]
    decisions.add_reviewer(workspace, "ada")
    decisions.append(split, answers)
    assert running.told_words(split) == "Runs are told 3 answers."
    assert running.told_words(split, train_on=["train"]) == "Runs are told 1 answer."
    job = run(split, knowing(split), train_on=["train"])
    assert np.flatnonzero(inputs.told_rows(split, job.id)).tolist() == [inside]
    assert not in_force.told_of(split, [str(job.id)])[[kept, changed]].any()
    signals = arrays.load_signals(queue.run_dir(workspace, job))
    expected = 1 - np.asarray(signals.pred_probs)[changed, given[changed]]
    assert signals.suspicion[changed] == pytest.approx(expected, abs=1e-6)
    rows = list(exporting.rank_rows(split, "ce"))
    assert [bool(rows[row]["suspicion"]) for row in (inside, kept, changed)] == [False, True, True]
    whole = run(split, knowing(split), method="knn")
    assert inputs.told_rows(split, whole.id).sum() == 3


def test_a_copy_of_a_picture_that_a_run_was_told_does_not_judge_it(workspace, split):
    inside, copy, other = int(TRAIN[0]), *(int(row) for row in np.flatnonzero(VAL)[:2])
    images = np.array(datasets.load(split).images)
    images[copy] = images[inside]
    arrays.write_array(split.arrays / "images.npy", images)
    decisions.add_reviewer(workspace, "ada")
    decisions.append(split, [Decision(row, Action.KEEP, "ada") for row in (inside, copy, other)])
    job = run(split, knowing(split), train_on=["train"])
    assert np.flatnonzero(inputs.told_rows(split, job.id)).tolist() == sorted([inside, copy])


@pytest.mark.parametrize("scale", [lambda p: 1 - p / 0.91, lambda p: (1 - p) ** 3, lambda p: 1 - p])
def test_what_is_outside_is_on_the_scale_that_the_method_has(workspace, split, scale):
    def fit(data, config, context):
        signals = truthful(data, split)
        rng = np.random.default_rng(3)
        probs = signals.pred_probs + 0.3 * rng.random(signals.pred_probs.shape)
        probs /= probs.sum(axis=1, keepdims=True)
        given = probs[np.arange(len(data)), data.given_labels]
        return replace(signals, suspicion=np.clip(scale(given), 0, 1), pred_probs=probs)

    job = run(split, fit, train_on=["train"])
    signals = arrays.load_signals(queue.run_dir(workspace, job))
    given = np.asarray(datasets.load(split).given_labels)
    p = np.asarray(signals.pred_probs)[VAL, given[VAL]]
    inner = np.asarray(signals.pred_probs)[TRAIN, given[TRAIN]]
    between = (p > inner.min()) & (p < inner.max())
    assert between.sum() > 5
    expected = np.clip(scale(p[between]), 0, 1)
    np.testing.assert_allclose(signals.suspicion[VAL][between], expected, atol=0.06)


def test_sparse_regularization_is_read_as_it_reads_itself(workspace, split):
    knobs = {"epochs": "2"}
    queue.submit(split, "sr", overrides=knobs, train_on=["train"], device="cpu")
    job = queue.claim(workspace)
    worker.run_job(workspace, job)
    assert queue.job(workspace, job.id).error is None
    signals = arrays.load_signals(queue.run_dir(workspace, job))
    highest = np.asarray(signals.pred_probs).max(axis=1)
    most = float(signals.extras["p_max"][0])
    assert highest.max() <= most + 1e-4
    given = np.asarray(datasets.load(split).given_labels)
    p = np.asarray(signals.pred_probs)[VAL, given[VAL]]
    np.testing.assert_allclose(signals.suspicion[VAL], np.clip(1 - p / most, 0, 1), atol=0.05)
