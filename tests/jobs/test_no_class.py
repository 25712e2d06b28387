"""Runs on a set some of whose labels are no classes: what a method sees, what is kept."""

import numpy as np
import pytest

from lnl_core.jobs import inputs, outcome, own, queue
from lnl_core.services.datasets import settings
from lnl_core.store import arrays, datasets, decisions
from lnl_core.types import Action, Decision, Signals
from tests.jobs.test_run import run


def unsure(info):
    """`tiny`, whose label `belt` is no class any more."""
    datasets.update_meta(info, no_classes=["belt"])
    return datasets.dataset(info.workspace, info.name)


def truthful(data, info):
    """Signals that know the truth of the rows they were given, by their images."""
    truth = np.asarray(datasets.load(info).true_labels)
    whole = np.asarray(datasets.load(info).images)
    rows = [int(np.flatnonzero((whole == each).all(axis=(1, 2, 3)))[0]) for each in data.images]
    names = [info.class_names[label] for label in truth[rows]]
    probs = np.full((len(data), len(data.class_names)), 0.1)
    for row, name in enumerate(names):
        if name in data.class_names:
            probs[row, data.class_names.index(name)] = 0.9
    probs /= probs.sum(axis=1, keepdims=True)
    given = probs[np.arange(len(data)), data.given_labels]
    return Signals("ce", 1 - given, probs)


def test_a_method_sees_neither_the_label_nor_its_images(workspace, tiny):
    info = unsure(tiny)
    seen = []

    def fit(data, config, context):
        seen.append((data, context.features()))
        return truthful(data, info)

    job = run(workspace, info, fit)
    assert (job.state, job.error) == ("done", None)
    data, features = seen[0]
    given = np.asarray(datasets.load(info).given_labels)
    assert data.class_names == ("bar", "base")
    assert len(data) == len(features) == int((given != 1).sum())
    assert set(np.asarray(data.given_labels)) == {0, 1}
    folder = queue.run_dir(workspace, job)
    signals = arrays.load_signals(folder)
    assert signals.pred_probs.shape == (60, 3)
    assert (signals.pred_probs[:, 1] == 0).all()
    assert (signals.suspicion[given == 1] == 0).all()
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    assert (ranking.suggested_labels != 1).all()
    assert (ranking.p_wrong[given == 1] == 0).all()
    assert ranking.p_wrong[47] > 0.5  # a planted error of the rest
    assert job.other_class == int((np.asarray(data.given_labels) != signals.pred_probs[given != 1]
                               [:, [0, 2]].argmax(axis=1)).sum())  # fmt: skip
    assert inputs.no_classes_of(info, folder) == (1,)


def test_what_people_call_such_an_image_is_learned(workspace, tiny):
    info = unsure(tiny)
    row = int(np.flatnonzero(np.asarray(datasets.load(info).given_labels) == 1)[0])
    decisions.append(info, [Decision(row, Action.RELABEL, "ann", label=2)])
    seen = []

    def fit(data, config, context):
        seen.append(data)
        return truthful(data, info)

    job = run(workspace, info, fit)
    part = inputs.training_part(info, queue.run_dir(workspace, job))
    place = int(np.flatnonzero(part.rows == row)[0])
    assert seen[0].class_names[seen[0].given_labels[place]] == "base"
    assert seen[0].trusted[place]
    assert list(seen[0].ids)[place] == datasets.load(info).ids[row]


def test_without_any_class_left_a_run_fails_in_words(workspace, tiny):
    datasets.update_meta(tiny, no_classes=["bar", "belt", "base"])
    info = datasets.dataset(workspace, tiny.name)
    job = run(workspace, info, lambda data, config, context: None)
    assert job.state == "failed"
    assert "No image of “tiny” has a class yet" in job.error


def test_a_run_from_before_speaks_about_the_rest_and_one_that_lacks_a_class_is_not_heard(
    workspace, tiny
):
    run(workspace, tiny, lambda data, config, context: truthful(data, tiny))
    info = unsure(tiny)
    outcome.rank(info)
    ranking, runs = arrays.load_ranking(info.directory / "ranking")
    assert (ranking.suggested_labels != 1).all()
    assert (ranking.p_wrong[np.asarray(datasets.load(info).given_labels) == 1] == 0).all()
    before = runs["ce"]

    job = run(workspace, info, lambda data, config, context: truthful(data, info))
    assert not inputs.is_stale(info, queue.run_dir(workspace, job))
    assert inputs.is_stale(info, info.directory / "runs" / str(before))
    datasets.update_meta(info, no_classes=[])
    again = datasets.dataset(workspace, tiny.name)
    outcome.rank(again)  # the newest run never saw belts, and there is no other of its method
    assert arrays.load_ranking(again.directory / "ranking") is None


def test_a_label_called_no_class_during_a_run_is_not_suggested_when_it_ends(workspace, tiny):
    def fit(data, config, context):
        settings.set_no_classes(tiny, ["belt"])
        return truthful(data, tiny)

    job = run(workspace, tiny, fit)
    assert (job.state, job.error) == ("done", None)
    ranking, runs = arrays.load_ranking(tiny.directory / "ranking")
    assert runs == {"ce": job.id}
    assert (ranking.suggested_labels != 1).all()
    assert (ranking.p_wrong[np.asarray(datasets.load(tiny).given_labels) == 1] == 0).all()
    assert ranking.p_wrong[47] > 0.5


@pytest.mark.parametrize("zeroed", [False, True])
def test_somebodys_own_probabilities(workspace, tiny, zeroed):
    info = unsure(tiny)
    probs = np.full((60, 3), 0.2, np.float32)
    truth = np.asarray(datasets.load(info).true_labels)
    probs[np.arange(60), truth] = 0.6
    if zeroed:
        probs[:, 1] = 0
        probs /= probs.sum(axis=1, keepdims=True)
    own.add(info, "mine", probs, "mine.npy")
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    assert (ranking.top_labels != 1).all()
    assert ranking.p_wrong[47] > 0.5
