"""Which labels are no classes, set after the import: what becomes of rankings, runs and noise."""

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.services.datasets import catalog, settings
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError
from tests.jobs.test_no_class import truthful
from tests.jobs.test_run import run


def test_runs_are_stale_until_they_are_started_again(workspace, tiny, no_worker):
    first = run(workspace, tiny, lambda data, config, context: truthful(data, tiny))
    assert settings.stale_runs(tiny) == []
    info = settings.set_no_classes(tiny, ["belt"])
    assert settings.stale_runs(info) == [first.id]
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    assert (ranking.top_labels != 1).all()
    second = run(workspace, info, lambda data, config, context: truthful(data, info))
    assert settings.stale_runs(info) == []
    back = settings.set_no_classes(info, [])
    assert settings.stale_runs(back) == [second.id]
    assert len(queue.jobs(back)) == 2


def test_images_of_a_class_have_to_be_left(workspace, tiny):
    with pytest.raises(LnlError, match="nothing is left to learn from"):
        settings.set_no_classes(tiny, ["bar", "belt", "base"])
    assert settings.no_classes(datasets.dataset(workspace, tiny.name)) == ()


def test_a_likely_name_is_a_question_and_no_more():
    assert settings.likely_no_classes(["Shirt", "Not sure", "Skip"]) == ("Not sure", "Skip")


def test_noise_touches_no_such_label_and_makes_none(workspace, tiny):
    info = settings.set_no_classes(tiny, ["belt"])
    made = catalog.add_noise(info, "noisy", "symmetric", 0.5, seed=1)
    before, after = (np.asarray(datasets.load(each).given_labels) for each in (info, made))
    truth = np.asarray(datasets.load(info).true_labels)
    np.testing.assert_array_equal((truth == 1), (after == 1))
    assert settings.no_classes(made) == ("belt",)
    assert (after != truth).sum() == 20  # half of the forty that have a class
    assert before.shape == after.shape


def test_counts_say_which_label_is_none(workspace, tiny):
    info = settings.set_no_classes(tiny, ["belt"])
    assert [each["no_class"] for each in catalog.class_counts(info)] == [False, True, False]
