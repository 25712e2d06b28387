"""Retraining on purified labels: what is planned and what came out say that no person looked."""

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.jobs.tasks import retrain
from lnl_core.services.compare import retraining
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, Signals


def purify(info, labels):
    """Store a done run of a purifier, as the worker leaves it."""
    job = queue.submit(info, "dmlp")
    queue.claim(info.workspace, job.id)
    queue.finish(info.workspace, job.id, JobState.DONE)
    probs = np.full((len(labels), info.class_count), 1 / info.class_count)
    extras = {"purified_labels": np.int32(labels)}
    signals = Signals("dmlp", np.zeros(len(labels)), probs, extras=extras)
    arrays.save_signals(info.directory / "runs" / str(job.id), signals)
    return job.id


@pytest.mark.parametrize("changed", [1, 40])
def test_the_plan_says_whose_labels_would_train(scored, changed):
    assert "--methods dmlp" in retraining.plan(scored, retraining.PURIFIED).refusal
    given = np.asarray(datasets.load(scored).given_labels).copy()
    others = retrain.parts(scored, retraining.SIMULATED, 20).train[:changed]
    given[others] = (given[others] + 1) % scored.class_count
    number = purify(scored, given)
    plan = retraining.plan(scored, retraining.PURIFIED)
    differ = "1 purified label differs" if changed == 1 else "40 purified labels differ"
    assert plan.refusal == ""
    trained = len(retrain.parts(scored, retraining.PURIFIED).train)
    assert plan.words.startswith(f"{differ}, among {trained} images that train.")
    assert f"Run {number} purified them, and nobody has looked at them" in plan.words


def test_the_outcome_says_whose_labels_trained():
    gain = {"value": 0.04, "low": 0.01, "high": 0.07}
    result = {"gain": gain, "judged_on": 400, "changed": 30, "trained_on": 900, "held_out": "truth"}
    said = {
        source: " ".join(retraining.words(result | {"source": source}))
        for source in retraining.SOURCES
    }
    mark = "The labels that train are a purifier's, not people's."
    assert [source for source, words in said.items() if mark in words] == [retraining.PURIFIED]
