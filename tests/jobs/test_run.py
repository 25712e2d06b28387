"""One claimed job, run in this process by methods written for the test."""

from dataclasses import asdict, dataclass

import numpy as np
import pytest

from lnl_core.jobs import inputs, queue, worker
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, LnlError, Method, Signals


@dataclass(frozen=True, slots=True)
class Config:
    """No knobs that matter."""

    epochs: int = 3


def method(fit):
    return Method("ce", "A test", "", "", Config, fit, baseline=True)


def run(ws, info, fit):
    submitted = queue.submit(ws, info, "ce")
    from sqlalchemy import update

    from lnl_core.store import schema
    from lnl_core.store.db import transaction

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
    assert job.flagged == int((np.asarray(datasets.load(tiny).given_labels) != 0).sum())
    assert job.cost["seconds"] > 0
    folder = queue.run_dir(workspace, job)
    assert arrays.load_signals(folder).method == "ce"
    assert not (folder / "checkpoint.safetensors").exists()
    _, run_ids = arrays.load_ranking(tiny.directory / "ranking")
    assert run_ids == {"ce": job.id}


def test_a_method_sees_corrected_labels_trust_and_no_truth(workspace, tiny):
    decisions.append(
        workspace,
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


def test_a_resumed_run_trains_on_the_labels_it_began_with(workspace, tiny):
    seen = []

    def fit(data, config, context):
        seen.append(np.array(data.given_labels))
        if len(seen) == 1:
            raise LnlError("The power went.")
        return uniform(data, context)

    job = run(workspace, tiny, fit)
    assert (job.state, job.error) == ("failed", "The power went.")
    decisions.append(workspace, tiny, [Decision(3, Action.RELABEL, "ann", label=2)])
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
    with pytest.raises(LnlError, match="No GPU"):
        inputs.resolve_device("cuda")
