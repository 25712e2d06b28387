"""Runs made again: for images that came since, and without spending the random checks."""

from dataclasses import replace

import numpy as np
import pytest

from lnl_core.jobs import inputs, queue
from lnl_core.methods import METHODS
from lnl_core.services.datasets import catalog, growing
from lnl_core.services.runs import again, running
from lnl_core.store import audits, datasets, decisions
from lnl_core.types import PRESETS, Action, Decision, LnlError
from tests.services.datasets.test_growing import again as reopened
from tests.services.datasets.test_growing import file_of, pictures, run


@pytest.fixture
def checked(workspace, tmp_path):
    """Thirty images; three random checks answered, and two images of the queue."""
    catalog.import_dataset(
        workspace, file_of(tmp_path, "thirty", pictures(30), np.arange(30) % 3), "thirty"
    )
    info = datasets.dataset(workspace, "thirty")
    audits.draw(info, "ann", 3, lambda: (decisions.last_id(info), np.zeros(30, bool)), seed=5)
    drawn = [each.row for each in audits.draws(info)]
    others = [row for row in range(30) if row not in drawn][:2]
    given = np.asarray(datasets.load(info).given_labels)
    decisions.append(
        info,
        [
            Decision(row, Action.RELABEL, "ann", label=int(given[row] + 1) % 3)
            for row in [*drawn, *others]
        ],
    )
    return info, sorted(drawn), others


def told(info, job):
    folder = info.directory / "runs" / str(job.id)
    return np.flatnonzero(inputs.training_set(info, folder, chosen=job.splits).trusted).tolist()


def test_a_run_is_told_all_answers_but_the_random_checks(checked, no_worker):
    info, drawn, others = checked
    (job,) = running.start_runs(info, ["knn"])
    assert told(info, job) == others
    assert running.told_words(info).startswith("Runs are told 2 answers; 3 random checks are held")
    (job,) = running.start_runs(info, ["knn"], tell_checks=True)
    assert told(info, job) == sorted([*drawn, *others])
    words = running.told_words(info, tell_checks=True)
    assert words.startswith("Runs are told 5 answers, 3 random checks among them")


ON = {"jump": "pretrained", "sr": "pretrained"}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_of_every_method_can_be_made_again(checked, no_worker, preset):
    info, _, _ = checked
    runs = [(key, features) for key in METHODS for features in {None, ON.get(key)}]
    jobs = [queue.submit(info, key, preset, representation=on) for key, on in runs]
    jobs.append(queue.submit(info, "sr", preset, overrides={"epochs": 7, "tau": 0.4}))
    alone = [job for job in jobs if job.base is None]
    for before, after in zip(alone, again.make_again(info, alone), strict=True):
        assert (after.method, after.representation) == (before.method, before.representation)
        assert after.config == before.config


def test_none_is_made_again_where_one_of_several_cannot_be(checked, no_worker):
    info, _, _ = checked
    jobs = [queue.submit(info, "knn"), queue.submit(info, "ce")]
    jobs[1] = replace(jobs[1], config=dict(jobs[1].config) | {"lr": -1.0})
    with pytest.raises(LnlError, match="lr must be above 0"):
        again.make_again(info, jobs)
    assert len(queue.jobs(info)) == 2


def test_what_came_since_is_scored_by_the_runs_of_the_ranking(checked, tmp_path, no_worker):
    info, _, others = checked
    run(info, method="knn")
    assert again.unscored(info) == 0
    growing.add_images(info, file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3))
    info = reopened(info)
    assert again.unscored(info) == 6
    (job,) = again.score_added(info)
    assert (job.method, job.base) == ("knn", None)
    assert told(info, job) == others
    run(info, method="knn")
    assert again.unscored(info) == 0


def test_without_runs_that_can_be_made_again_the_recipe_starts(checked, tmp_path, no_worker):
    info, _, _ = checked
    assert again.score_added(info)
    assert queue.jobs(info)
