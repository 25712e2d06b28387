"""One claimed job, run in this process by methods written for the test."""

from dataclasses import asdict, dataclass

import numpy as np
import pytest
from sqlalchemy import update

from lnl_core.jobs import inputs, queue, worker
from lnl_core.jobs.context import HISTORY, JobContext
from lnl_core.store import arrays, datasets, decisions, schema
from lnl_core.store.db import transaction
from lnl_core.types import Action, Decision, Group, LnlError, Method, Signals


@dataclass(frozen=True, slots=True)
class Config:
    """No knobs that matter."""

    epochs: int = 3


def method(fit):
    return Method("ce", "A test", "", "", Config, fit, group=Group.BASELINE)


def run(ws, info, fit):
    submitted = queue.submit(info, "ce")
    with transaction(ws) as connection:
        connection.execute(
            update(schema.jobs)
            .values(config='{"epochs": 3}')
            .where(schema.jobs.c.id == submitted.id)
        )
    job = queue.claim(ws)
    assert job.config == asdict(Config())
    worker.run_job(ws, job, method(fit))
    return queue.job(ws, job.id)


def uniform(data, context):
    n, k = len(data), len(data.class_names)
    probs = np.full((n, k), 1 / k)
    return Signals("ce", np.linspace(0, 1, n), probs)


def test_done_leaves_signals_ranking_and_costs(workspace, tiny):
    def fit(data, config, context):
        context.report("train", 0.5, {"epoch": 1, "epochs": 3, "loss": 2.0})
        context.save({"w": np.ones(2)}, {"epoch": 1})
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    assert (job.state, job.fraction, job.error) == ("done", 1.0, None)
    assert job.other_class == int((np.asarray(datasets.load(tiny).given_labels) != 0).sum())
    assert job.cost["seconds"] > 0
    folder = queue.run_dir(workspace, job)
    assert arrays.load_signals(folder).method == "ce"
    assert not (folder / "checkpoint.safetensors").exists()
    _, run_ids = arrays.load_ranking(tiny.directory / "ranking")
    assert run_ids == {"ce": job.id}


def test_a_method_sees_corrected_labels_trust_and_no_truth(workspace, tiny):
    decisions.append(
        tiny,
        [
            Decision(3, Action.RELABEL, "ann", label=0),
            Decision(59, Action.KEEP, "ann"),
            Decision(8, Action.RELABEL, "ann", label=2),
            Decision(8, Action.KEEP, "bob"),  # contradicted: not in force for a method
            Decision(9, Action.NONE, "ann"),
        ],
    )
    seen = []

    def fit(data, config, context):
        seen.append(data)
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    (data,) = seen
    assert data.true_labels is None
    assert np.flatnonzero(data.trusted).tolist() == [3, 59]
    assert (data.given_labels[3], data.given_labels[8]) == (0, 0)
    suspicion = arrays.load_signals(queue.run_dir(workspace, job)).suspicion
    assert suspicion[59] == 0  # the most suspicious row, were it not confirmed
    assert suspicion[58] > 0.9
    untold = np.delete(np.asarray(datasets.load(tiny).given_labels), [3, 59])
    assert job.other_class == (untold != 0).sum(), "it repeats what it was told, and that counts"


def test_a_resumed_run_trains_on_the_labels_it_began_with(workspace, tiny):
    seen = []

    def fit(data, config, context):
        seen.append(np.array(data.given_labels))
        if len(seen) == 1:
            raise LnlError("The power went.")
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    assert (job.state, job.error) == ("failed", "The power went.")
    decisions.append(tiny, [Decision(3, Action.RELABEL, "ann", label=2)])
    queue.resume(workspace, job.id)
    worker.run_job(workspace, queue.claim(workspace), method(fit))
    assert queue.job(workspace, job.id).state == "done"
    np.testing.assert_array_equal(seen[0], seen[1])


def test_a_checkpoint_comes_back_with_its_loss_curve(workspace, tiny):
    found = []

    def fit(data, config, context):
        found.append(context.load())
        if len(found) == 1:
            context.report("train", 0.3, {"epoch": 1, "epochs": 3, "loss": 1.5})
            context.save({"w": np.arange(3)}, {"epoch": 1})
            raise MemoryError
        context.report("train", 0.6, {"epoch": 2, "epochs": 3, "loss": 1.0})
        assert context.history == [[1, 1.5], [2, 1.0]]
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    assert job.error.startswith("out of memory at epoch 1 of 3")
    queue.resume(workspace, job.id)
    worker.run_job(workspace, queue.claim(workspace), method(fit))
    assert queue.job(workspace, job.id).state == "done"
    assert found[0] is None
    kept, state = found[1]
    assert (kept["w"].tolist(), state) == ([0, 1, 2], {"epoch": 1})


def test_cancel_reaches_a_method_that_reports(workspace, tiny):
    def fit(data, config, context):
        queue.cancel(workspace, 1)
        while True:  # ends by Cancelled, raised once the heartbeat has seen the flag
            context.report("train", 0.5)

    assert run(workspace, tiny, fit).state == "cancelled"


def test_a_bug_in_a_method_is_a_failed_run(workspace, tiny):
    def fit(data, config, context):
        raise ZeroDivisionError("of course")

    job = run(workspace, tiny, fit)
    assert job.error == "ZeroDivisionError while starting: of course"


def test_a_gpu_that_is_not_there_is_said(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert inputs.resolve_device("auto") == "cpu"
    with pytest.raises(LnlError, match="not on this machine"):
        inputs.resolve_device("cuda")


def test_a_worker_that_died_while_ranking_does_not_train_again(workspace, tiny):
    fits = []

    def fit(data, config, context):
        fits.append(1)
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    with transaction(workspace) as connection:
        connection.execute(update(schema.jobs).values(state="queued"))
    worker.run_job(workspace, queue.claim(workspace), method(fit))
    again = queue.job(workspace, job.id)
    assert (again.state, again.other_class, len(fits)) == ("done", job.other_class, 1)


def test_a_ranking_that_fails_does_not_fail_the_run(workspace, tiny):
    first = run(workspace, tiny, lambda data, config, context: uniform(data, context))
    with transaction(workspace) as connection:  # another method's run, its files gone
        connection.execute(update(schema.jobs).values(method="sr"))
    (queue.run_dir(workspace, first) / "suspicion.npy").unlink()
    second = run(workspace, tiny, lambda data, config, context: uniform(data, context))
    assert second.state == "done"
    assert "ranking failed" in queue.log_tail(workspace, second)


def test_features_are_most_of_the_progress_where_they_are_computed(tmp_path):
    def make(report):
        report("features", 0.5, {"images_per_second": 10.0})
        assert context.fraction == pytest.approx(0.45)
        report("features", 1.0, None)
        return np.ones((3, 2), np.float16)

    context = JobContext(0, tmp_path, features=make)
    assert context.features().dtype == np.float32
    context.report("probe", 0.5)
    assert context.fraction == pytest.approx(0.95)
    cached = JobContext(0, tmp_path, features=lambda report: np.ones((3, 2)))
    cached.features()
    cached.report("probe", 0.5)
    assert cached.fraction == 0.5


def test_a_loss_curve_stays_short_and_whole(tmp_path):
    context = JobContext(0, tmp_path)
    for epoch in range(1, 3001):
        context.report("train", epoch / 3000, {"epoch": epoch, "loss": 1 / epoch})
    epochs = [epoch for epoch, _ in context.history]
    assert len(epochs) <= HISTORY + 1
    assert (epochs[0], epochs[-1]) == (1, 3000)
    assert epochs == sorted(epochs)


def test_checkpoints_are_rare_and_bfloat16_is_kept_exactly(tmp_path):
    import torch

    context = JobContext(0, tmp_path, save_every=3600)
    context.save({"w": torch.tensor([1.5, -3.0], dtype=torch.bfloat16)}, {"epoch": 1})
    context.save({"w": torch.zeros(2)}, {"epoch": 2})  # too soon
    kept, state = JobContext(0, tmp_path).load()
    assert (kept["w"].tolist(), state) == ([1.5, -3.0], {"epoch": 1})
    assert context.kept


def test_what_speaks_against_a_run_is_kept_with_it(workspace, tiny):
    def collapsed(data, config, context):
        n, k = len(data), len(data.class_names)
        probs = np.full((n, k), 0.1 / (k - 1))
        probs[:, 0] = 0.9
        return Signals("ce", np.linspace(0, 1, n), probs)

    doubts = run(workspace, tiny, collapsed).metrics["doubts"]
    assert len(doubts) == 1
    assert "again" in doubts[0]  # says what to change

    def sound(data, config, context):
        n, k = len(data), len(data.class_names)
        return Signals("ce", np.linspace(0, 1, n), np.eye(k)[np.asarray(data.given_labels)])

    assert run(workspace, tiny, sound).metrics["doubts"] == []


def test_told_to_stop_right_after_the_claim_the_job_goes_back(workspace, tiny, monkeypatch):
    """A worker that is ended has many moments between claiming a job and its first line of work."""
    job = queue.submit(tiny, "knn")
    claim = queue.claim

    def interrupted(ws, number):
        assert claim(ws, number) is not None
        raise worker.Stopped

    monkeypatch.setattr(queue, "claim", interrupted)
    with pytest.raises(worker.Stopped):
        worker._run(workspace, job.id)
    assert queue.job(workspace, job.id).state == "queued"
