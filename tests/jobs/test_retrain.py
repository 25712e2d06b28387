"""Retraining on corrected labels: what trains, what judges, and the two trainings themselves."""

import numpy as np
import pytest

from lnl_core.jobs import queue, worker
from lnl_core.jobs.tasks import retrain
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, JobState, LnlError, Signals
from tests.conftest import write_dataset


def say(workspace, info, rows, route="queue", right=None):
    """Answer rows: confirm, or give them the class in `right`."""
    given = np.asarray(datasets.load(info).given_labels)
    for row in rows:
        label = None if right is None else int(right[row])
        action = Action.KEEP if label in (None, int(given[row])) else Action.RELABEL
        decision = Decision(
            row=int(row), action=action, reviewer="ann", route=route,
            label=label if action is Action.RELABEL else None,
        )  # fmt: skip
        decisions.append(info, [decision])


def test_nothing_that_judges_trains(workspace, tiny):
    truth = np.asarray(datasets.load(tiny).true_labels)
    say(workspace, tiny, [3, 25, 47, 50], right=truth)
    found = retrain.parts(tiny, retrain.DECISIONS)
    assert found.kind == "truth"
    assert not set(found.train) & set(found.test)
    assert len(found.train) + len(found.test) == 60
    assert np.bincount(truth[found.test]).tolist() == [4, 4, 4]
    assert (found.sure == truth).all()
    assert 1 <= found.changed <= 3


def test_random_audits_judge_where_there_are_enough(workspace, tiny, monkeypatch):
    truth = np.asarray(datasets.load(tiny).true_labels).copy()
    (tiny.directory / "true_labels.npy").unlink()
    monkeypatch.setattr(retrain, "AUDITS_NEEDED", 10)
    say(workspace, tiny, [3, 25, 1], right=truth)
    say(workspace, tiny, range(30, 42), route="audit", right=truth)
    found = retrain.parts(tiny, retrain.DECISIONS)
    assert found.kind == "audit"
    assert found.test.tolist() == list(range(30, 42))
    assert found.changed == 2


def test_half_of_the_confirmed_judge_otherwise_and_too_few_are_refused(
    workspace, tiny, monkeypatch
):
    truth = np.asarray(datasets.load(tiny).true_labels).copy()
    (tiny.directory / "true_labels.npy").unlink()
    say(workspace, tiny, range(20), right=truth)
    say(workspace, tiny, [25, 47], right=truth)
    with pytest.raises(LnlError, match="22 are confirmed by people, 100 are needed"):
        retrain.parts(tiny, retrain.DECISIONS)
    monkeypatch.setattr(retrain, "TRUSTED_NEEDED", 20)
    found = retrain.parts(tiny, retrain.DECISIONS)
    assert found.kind == "trusted"
    assert len(found.test) == 11
    with pytest.raises(LnlError, match="truth of this set is not known"):
        retrain.parts(tiny, retrain.SIMULATED, 10)


def few(workspace, tmp_path, truth, given):
    images = np.random.default_rng(0).integers(0, 256, (len(truth), 8, 8, 3), dtype=np.uint8)
    names = [str(label) for label in range(truth.max() + 1)]
    folder = write_dataset(tmp_path / "few", images, given, names, truth=truth)
    return datasets.register(workspace, "few", folder)


def test_two_images_of_a_class_are_enough_to_judge_by(workspace, tmp_path):
    truth = np.arange(24) % 12
    given = truth.copy()
    given[[0, 12]] = 1  # one of them trains
    info = few(workspace, tmp_path, truth, given)
    say(workspace, info, [0, 12], right=truth)
    found = retrain.parts(info, retrain.DECISIONS)
    assert np.bincount(truth[found.test]).tolist() == [1] * 12
    assert len(found.train) == 12
    assert found.changed == 1


def test_where_nothing_can_judge_it_is_said_before_anything_trains(workspace, tmp_path):
    truth = np.arange(12)
    given = truth.copy()
    given[0] = 1
    info = few(workspace, tmp_path, truth, given)
    say(workspace, info, [0], right=truth)
    with pytest.raises(LnlError, match="No image is left to judge"):
        retrain.parts(info, retrain.DECISIONS)


def test_the_images_of_a_part_are_read_when_asked_for(workspace, tiny):
    data = datasets.load(tiny)
    part = retrain._part(data, np.array([3, 7, 50]), np.arange(60) % 3)
    assert not isinstance(part.images, np.ndarray), "all of them are in memory at once"
    np.testing.assert_array_equal(part.images[1:], data.images[[7, 50]])
    assert part.given_labels.tolist() == [0, 1, 2]


@pytest.mark.slow
def test_it_trains_twice_and_resumes_where_it_was(workspace, tiny):
    truth = np.asarray(datasets.load(tiny).true_labels)
    say(workspace, tiny, [3, 25, 47], right=truth)
    job = queue.submit_task(tiny, "retrain", {"source": retrain.DECISIONS, "goal": 0})
    worker.run_job(workspace, queue.claim(workspace, lane=queue.TASKS))
    assert queue.job(workspace, job.id).state is JobState.DONE
    result = arrays.read_json(retrain.result_path(tiny, retrain.DECISIONS))
    assert result["judged_on"] == result["before"]["n"] == result["after"]["n"] == 12
    assert result["after"]["low"] <= result["after"]["accuracy"] <= result["after"]["high"]
    assert result["noise"]["after"] == 0 < result["noise"]["before"]
    assert result["gain"]["value"] == pytest.approx(
        result["after"]["accuracy"] - result["before"]["accuracy"]
    )
    # a task that was killed after its first network trains only the second one again
    folder = tiny.directory / "runs" / str(job.id)
    first = (folder / "given_right.npy").stat().st_mtime_ns
    (folder / "corrected_right.npy").unlink()
    again = queue.job(workspace, job.id)
    from lnl_core.jobs.context import JobContext

    retrain.run(tiny, again, JobContext(0, folder))
    assert (folder / "given_right.npy").stat().st_mtime_ns == first
    repeated = arrays.read_json(retrain.result_path(tiny, retrain.DECISIONS))
    assert repeated["after"] == result["after"]


def purify(workspace, info, labels, told=()):
    """Store a done run of a purifier, which was told the answers on some rows."""
    job = queue.submit(info, "dmlp")
    queue.claim(workspace, job.id)
    queue.finish(workspace, job.id, JobState.DONE)
    folder, n = info.directory / "runs" / str(job.id), len(labels)
    extras = {"purified_labels": np.asarray(labels, np.int32)}
    signals = Signals("dmlp", np.zeros(n), np.full((n, 3), 1 / 3), extras=extras)
    arrays.save_signals(folder, signals)
    arrays.write_array(folder / "trusted.npy", np.isin(np.arange(n), told))
    return job.id


def test_purified_labels_train_where_nobody_has_decided(workspace, tiny):
    truth = np.asarray(datasets.load(tiny).true_labels)
    say(workspace, tiny, [3, 25], right=truth)
    with pytest.raises(LnlError, match="lnl run tiny --methods dmlp"):
        retrain.parts(tiny, retrain.PURIFIED)
    made = ((truth + 1) % 3).astype(np.int32)
    made[7] = -1
    purify(workspace, tiny, made)
    found = retrain.parts(tiny, retrain.PURIFIED)
    assert (found.corrected[[3, 25]] == truth[[3, 25]]).all()
    assert found.corrected[7] == found.given[7]
    others = np.setdiff1d(np.arange(60), [3, 7, 25])
    assert (found.corrected[others] == made[others]).all()
    assert (found.sure == truth).all()  # a purifier never judges


def test_no_answer_that_a_purifier_was_told_judges_it(workspace, tiny, monkeypatch):
    truth = np.asarray(datasets.load(tiny).true_labels).copy()
    other = (truth + 1) % 3
    told = [3, 25, *range(30, 48)]
    purify(workspace, tiny, other, told)
    known = retrain.parts(tiny, retrain.PURIFIED)
    assert known.kind == "truth"
    assert not set(known.test) & set(told)
    (tiny.directory / "true_labels.npy").unlink()
    monkeypatch.setattr(retrain, "TRUSTED_NEEDED", 20)
    monkeypatch.setattr(retrain, "AUDITS_NEEDED", 10)
    say(workspace, tiny, told[:10], right=truth)
    say(workspace, tiny, told[10:], route="audit", right=truth)
    with pytest.raises(LnlError, match=r"told 20 of the 20 images.*Review 10 more"):
        retrain.parts(tiny, retrain.PURIFIED)
    assert retrain.parts(tiny, retrain.DECISIONS).kind == "audit", "people's labels are judged"
    say(workspace, tiny, range(48, 60), right=truth)
    judged = retrain.parts(tiny, retrain.PURIFIED)
    assert judged.kind == "trusted"
    assert set(judged.test) <= set(range(48, 60))
    say(workspace, tiny, range(4, 14), route="audit", right=truth)
    judged = retrain.parts(tiny, retrain.PURIFIED)
    assert (judged.kind, judged.test.tolist()) == ("audit", list(range(4, 14)))


def test_what_changes_no_label_says_so_of_its_own_source(workspace, tiny):
    data = datasets.load(tiny)
    number = purify(workspace, tiny, data.given_labels)
    with pytest.raises(LnlError, match=f"Run {number} changed no label .* --methods dmlp"):
        retrain.parts(tiny, retrain.PURIFIED)
    with pytest.raises(LnlError, match="Relabel some images in Review first"):
        retrain.parts(tiny, retrain.DECISIONS)
