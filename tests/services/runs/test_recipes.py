"""The default recipe as one thing: chosen by kind of images, priced on one basis, started once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from lnl_core.jobs import queue
from lnl_core.learning.feature_keys import cache_key
from lnl_core.services.datasets import catalog, incoming
from lnl_core.services.datasets.incoming import Look
from lnl_core.services.runs import recipes, running
from lnl_core.store import arrays, datasets
from lnl_core.types import JobState, LnlError


@pytest.fixture
def photographs(workspace, tmp_path):
    """Forty small photographs of two classes, as an import leaves them; and their folder."""
    folder = tmp_path / "photos"
    rng = np.random.default_rng(0)
    for i in range(40):
        path = folder / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    catalog.import_dataset(workspace, folder, "photos")
    return datasets.dataset(workspace, "photos"), folder


def test_the_recipe_before_an_import_is_the_recipe_after_it(photographs):
    info, folder = photographs
    before = recipes.recipe_before(incoming.read(Look(folder, pictures=True)))
    assert before == recipes.recipe(info)
    assert before.runs == running.default_recipe(info) == ["probe", "jump@pretrained", "finetune"]


def test_grey_images_are_told_from_photographs_before_the_import(workspace, tmp_path):
    for i in range(6):
        path = tmp_path / "grey" / "ab"[i % 2] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (64, 64), 40 * i).save(path)
    before = recipes.recipe_before(incoming.read(Look(tmp_path / "grey", pictures=True)))
    assert before.title == "Recipe for grey images"
    assert before.runs == ["probe", "jump@pretrained", "ce"]


def test_costs_add_up_on_one_basis(photographs):
    info, _ = photographs
    known = recipes.recipe(info)
    own = [running.estimate(info, run, "quick") for run in known.runs]
    assert [(step.seconds, step.held) for step in known.steps] == own
    assert known.features_seconds == running.features_seconds(info, known.runs) > 0
    assert known.seconds == pytest.approx(
        recipes.START_SECONDS + known.features_seconds + sum(seconds for seconds, _ in own)
    )
    assert known.first_seconds < known.seconds
    assert known.held == running.WORKER_BYTES + max(held for _, held in own)


def test_scoring_starts_once_and_the_rest_is_what_is_missing(photographs, workspace, no_worker):
    info, _ = photographs
    first = recipes.start_scoring(info)
    assert [job.method for job in first] == ["probe", "jump", "finetune"]
    assert recipes.start_scoring(info) == []
    assert recipes.missing(info) == []
    with pytest.raises(LnlError):
        recipes.start_rest(info)
    for job in first:
        queue.claim(workspace, job.id)
    queue.finish(workspace, first[0].id, JobState.DONE, other_class=1)
    queue.finish(workspace, first[1].id, JobState.FAILED, error="out of memory")
    queue.finish(workspace, first[2].id, JobState.DONE, other_class=1)
    assert recipes.missing(info) == ["jump@pretrained"]
    assert [job.method for job in recipes.start_rest(info)] == ["jump"]


def test_two_windows_at_one_moment_start_one_recipe(photographs, no_worker):
    info, _ = photographs
    together = threading.Barrier(4)

    def press(_):
        together.wait()
        return recipes.start_scoring(info)

    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(press, range(4)))
    assert sorted(len(each) for each in started) == [0, 0, 0, 3]
    assert len(queue.jobs(info)) == 3


def test_of_a_long_recipe_the_press_starts_two(photographs, no_worker, monkeypatch):
    info, _ = photographs
    monkeypatch.setattr(recipes, "ALL_AT_ONCE", 1.0)
    assert [job.method for job in recipes.start_scoring(info)] == ["probe", "jump"]
    assert recipes.missing(info) == ["finetune"]


def test_a_method_asked_for_by_hand_is_no_recipe_run_on_other_features(tiny, no_worker):
    running.start_runs(tiny, ["jump"], representation="raw")
    assert "jump" in [run.partition("@")[0] for run in recipes.missing(tiny)]


def test_features_of_an_earlier_recipe_do_not_count_as_there(photographs):
    info, _ = photographs
    asked = running.features_seconds(info, ["probe"])
    old = info.directory / "features" / "pretrained-0123456789ab"
    arrays.write_json(old / "meta.json", {})
    assert running.features_seconds(info, ["probe"]) == asked > 0
    arrays.write_json(old.with_name(cache_key(info.version, "pretrained")) / "meta.json", {})
    assert running.features_seconds(info, ["probe"]) == 0
