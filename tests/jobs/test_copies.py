"""From images to the queue: copies hide no wrong label."""

import subprocess
import sys
import threading

import numpy as np
import pytest

from lnl_core.data import copies
from lnl_core.data.importers import import_source
from lnl_core.jobs import queue, worker
from lnl_core.methods import METHODS
from lnl_core.services.datasets import copied
from lnl_core.store import arrays, datasets
from tests.conftest import SHARED, write_dataset

K, RIGHT = 4, 240
SINGLE, TIMES = 6, 8
"""Six single wrong labels; four pictures that come eight times each, wrong every time."""


def pictures(seed=0):
    """Images of four classes, each with a look of its own, then the pictures that come often."""
    rng = np.random.default_rng(seed)
    looks = rng.integers(40, 200, (K, 4, 4, 1))
    truth = np.append(np.arange(RIGHT) % K, np.arange(K))
    coarse = looks[truth] + rng.normal(0, 45, (len(truth), 4, 4, 1))
    fine = np.kron(coarse, np.ones((1, 4, 4, 1))) + rng.normal(0, 12, (len(truth), 16, 16, 1))
    return np.clip(fine, 0, 255).astype(np.uint8), truth


@pytest.fixture
def repeated(workspace, tmp_path):
    images, truth = pictures()
    rows = np.append(np.arange(RIGHT), np.repeat(np.arange(RIGHT, RIGHT + K), TIMES))
    truth = truth[rows]
    given = truth.copy()
    given[:SINGLE] = (given[:SINGLE] + 1) % K
    given[RIGHT:] = (given[RIGHT:] + 1) % K
    write_dataset(tmp_path / "set", images[rows], given, "abcd", truth=truth)
    return datasets.register(workspace, "repeated", tmp_path / "set")


def run(info, key, representation=None):
    submitted = queue.submit(info, key, representation=representation)
    job = queue.claim(info.workspace)
    assert job.id == submitted.id
    worker.run_job(info.workspace, job, METHODS[key])
    done = queue.job(info.workspace, job.id)
    assert done.state == "done", done.error
    return np.asarray(arrays.load_signals(queue.run_dir(info.workspace, done)).suspicion)


def kinds():
    kind = np.full(RIGHT + K * TIMES, "right", dtype="<U6")
    kind[:SINGLE], kind[RIGHT:] = "single", "copies"
    return kind


@pytest.mark.parametrize(
    ("key", "representation"),
    [
        ("probe", None),
        ("knn", None),
        ("influence", "raw"),
        ("jump", "raw"),
        ("sr", "raw"),
        ("dmlp", "raw"),
    ],
)
def test_eight_wrong_copies_are_as_suspicious_as_one_wrong_image(repeated, key, representation):
    suspicion, kind = run(repeated, key, representation), kinds()
    single, many, right = (
        np.median(suspicion[kind == each]) for each in ("single", "copies", "right")
    )
    assert many > 0.5 > right
    assert many > 0.8 * single


def test_an_older_set_is_looked_over_by_its_next_run(repeated):
    assert datasets.load(repeated).groups is None
    run(repeated, "knn")
    groups = datasets.load(repeated).groups
    assert np.bincount(groups, minlength=len(groups))[RIGHT::TIMES].tolist() == [TIMES] * K


def test_contradicting_copies_are_first_in_the_queue(workspace, tmp_path):
    images, truth = pictures()
    rows = np.append(np.arange(RIGHT), [17, 17, 30])
    given = truth[rows].copy()
    given[:SINGLE] = (given[:SINGLE] + 1) % K
    given[17] = (given[17] + 1) % K  # one of three copies
    given[-1] = (given[-1] + 2) % K  # one of two
    write_dataset(tmp_path / "set", images[rows], given, "abcd")
    info = datasets.register(workspace, "contradicting", tmp_path / "set")
    run(info, "probe")
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    assert set(ranking.order[:3].tolist()) == {17, 30, RIGHT + 2}
    assert ranking.p_wrong[17] > 0.8
    assert ranking.suggested_labels[17] == truth[17]
    assert copies.noted(info.directory)[RIGHT + 2] == 30


def test_a_set_from_before_there_were_groups_is_ranked_anew_once_they_are_found(
    workspace, tmp_path
):
    images, truth = pictures()
    rows = np.append(np.arange(RIGHT), 17)
    given = truth[rows].copy()
    given[-1] = (given[-1] + 1) % K
    write_dataset(tmp_path / "set", images[rows], given, "abcd")
    info = datasets.register(workspace, "older", tmp_path / "set")
    np.save(info.directory / datasets.COPIES, np.arange(len(rows), dtype=np.int32))
    run(info, "knn")
    (info.directory / datasets.COPIES).unlink()
    before, _ = arrays.load_ranking(info.directory / "ranking")
    before = before.p_wrong[[17, RIGHT]].tolist()
    assert copied.known(info) == {}  # begins to look
    for thread in threading.enumerate():
        if thread.name == "copies":
            thread.join()
    assert copied.known(info)["different_labels"] == 1
    after, _ = arrays.load_ranking(info.directory / "ranking")
    assert set(after.order[:2].tolist()) == {17, RIGHT}
    assert after.p_wrong[[17, RIGHT]].tolist() != before


@pytest.fixture
def case(workspace, tmp_path):
    """The awkward input `copies.npz` of the shared cases, imported, and each row's kind."""
    script = SHARED / "cases/make_cases.py"
    if not script.is_file():
        pytest.skip("the shared cases are not beside the repository (cases/make_cases.py)")
    subprocess.run([sys.executable, str(script), str(tmp_path / "cases")], check=True)
    import_source(tmp_path / "cases/copies.npz", "copies", tmp_path / "set")
    told = (tmp_path / "cases/copies_kinds.txt").read_text().split("\n")[:-1]
    return datasets.register(workspace, "copies", tmp_path / "set"), np.array(told)


def test_the_shared_case_six_pictures_of_eight_wrong_copies_each(case):
    info, kind = case
    listed = copied.listed(info)
    assert [len(each.rows) for each in listed] == [8] * 6
    assert not any(each.contradicts for each in listed)
    assert {row for each in listed for row in each.rows} == set(
        np.flatnonzero(kind == "copies wrong")
    )
    for key, representation in (("probe", "raw"), ("knn", "raw")):
        suspicion = run(info, key, representation)
        many, single, right = (
            float(np.median(suspicion[kind == each]))
            for each in ("copies wrong", "single wrong", "right")
        )
        assert many > 0.9 * single
        assert many > right + 0.25  # raw pixels tell little
    ranking, _ = arrays.load_ranking(info.directory / "ranking")
    p = np.asarray(ranking.p_wrong)
    assert np.median(p[kind == "copies wrong"]) > 0.7 * np.median(p[kind == "single wrong"])
