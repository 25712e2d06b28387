import io
import os
import time
from pathlib import Path

import numpy as np
import pytest

from lnl_core import importer
from lnl_core.jobs import queue
from lnl_core.services.datasets import incoming
from lnl_core.services.runs import recipes
from lnl_core.store import arrays, datasets
from lnl_core.types import LnlError


def arrays_file(path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (30, 8, 8), dtype=np.uint8)
    np.savez(path, images=images, labels=np.arange(30) % 3)
    return path


def settled(workspace):
    """The one import, once it is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        (task,) = incoming.imports(workspace)
        if task.state != "reading":
            return task
        time.sleep(0.05)
    raise AssertionError("the import did not end")


def test_an_import_ends_as_a_data_set(workspace, tmp_path):
    with arrays_file(tmp_path / "set.npz").open("rb") as stream:
        copy = incoming.keep_upload(workspace, stream, "../my *set*.npz")
    assert copy.name == "my _set_.npz"
    incoming.start_import(workspace, copy, "thirty", uploaded="set.npz")
    with pytest.raises(LnlError, match="already"):
        incoming.start_import(workspace, copy, "thirty")
    task = settled(workspace)
    assert (task.state, task.imported, task.skipped) == ("done", 30, 0)
    assert datasets.dataset(workspace, "thirty").n == 30
    assert not copy.parent.exists()
    incoming.dismiss(workspace, task.id)
    assert incoming.imports(workspace) == []


def test_an_import_that_scores_starts_the_recipe_whoever_watches(workspace, tmp_path, no_worker):
    file = arrays_file(tmp_path / "set.npz")
    incoming.start_import(workspace, file, "scored", score=True)
    task = settled(workspace)
    assert (task.state, task.scores, task.message) == ("done", True, "")
    info = datasets.dataset(workspace, "scored")
    assert [job.method for job in queue.jobs(info)][::-1] == recipes.recipe(info).runs
    incoming.start_import(workspace, file, "only in")
    only = next(t for t in iter(lambda: newest(workspace), None) if t.state != "reading")
    assert not only.scores
    assert queue.jobs(datasets.dataset(workspace, "only in")) == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (LnlError("No such recipe. Choose one."), "No such recipe. Choose one."),
        (ZeroDivisionError("x"), "The set is in: press Score it, or lnl run."),
        (OSError(28, "No space left on device"), "No space left on device"),
    ],
)
def test_whatever_hinders_the_scoring_takes_no_import_back(
    workspace, tmp_path, monkeypatch, error, words
):
    """The task says that the set is in, and why no run has started; nothing is left half done."""

    def fail(_info):
        raise error

    monkeypatch.setattr(importer.recipes, "start_scoring", fail)
    file = workspace.home / "imports" / "abc.json"
    file.parent.mkdir()
    values = {"home": str(workspace.home), "url": workspace.url, "name": "in", "root": None}
    values |= {"source": str(arrays_file(tmp_path / "s.npz")), "uploaded": False, "size": None}
    arrays.write_json(file, values | {"shown": "s", "started_at": "", "score": True})
    assert importer.main(file) == 0
    (task,) = incoming.imports(workspace)
    assert (task.state, task.imported) == ("done", 30)
    assert words in task.message
    assert datasets.dataset(workspace, "in").n == 30


def newest(workspace):
    time.sleep(0.05)
    return incoming.imports(workspace)[0]


def test_a_refused_import_says_why(workspace, tmp_path):
    (tmp_path / "empty").mkdir()
    incoming.start_import(workspace, tmp_path / "empty", "nothing")
    task = settled(workspace)
    assert task.state == "failed"
    assert "No image" in task.message
    assert datasets.datasets(workspace) == []


def test_an_import_whose_process_is_gone_has_failed(workspace):
    file = workspace.home / "imports" / "abc.json"
    file.parent.mkdir()
    values = {"name": "x", "shown": "x", "state": "reading", "started": 0, "started_at": ""}
    arrays.write_json(file, values | {"pid": os.getpid(), "pid_started": 1.0})
    (task,) = incoming.imports(workspace)
    assert task.state == "failed"


def test_dismiss_takes_no_path(workspace, tmp_path):
    other = tmp_path / "keep.json"
    other.write_text("{}")
    incoming.dismiss(workspace, "../../keep")
    assert other.exists()


def test_paths_stay_inside_the_allowed_roots(tmp_path, monkeypatch):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    monkeypatch.setenv("LNL_DATA_ROOTS", str(inside))
    assert incoming.allowed_path(f" {inside} ") == inside.resolve()
    for text in (str(outside), str(inside / "link"), f"{inside}/../out"):
        with pytest.raises(LnlError, match="outside the folders"):
            incoming.allowed_path(text)
    for text in ("", str(inside / "gone"), "a\0b"):
        with pytest.raises(LnlError):
            incoming.allowed_path(text)


def test_only_uploads_are_dropped(tmp_path):
    file = tmp_path / "mine.zip"
    file.write_bytes(b"")
    incoming.drop_upload(file)
    assert file.exists()


def test_an_upload_is_copied_in_pieces(workspace):
    content = os.urandom((1 << 20) + 17)
    copy = incoming.keep_upload(workspace, io.BytesIO(content), "a.ZIP")
    assert Path(copy).read_bytes() == content
    assert copy.suffix == ".zip"


def test_a_public_set_offline_fails_in_words(workspace, monkeypatch):
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with pytest.raises(LnlError, match="Known: aggre"):
        incoming.start_public(workspace, "cifar10n", "best", "people")
    incoming.start_public(workspace, "cifar10n", "worse", "people")
    task = settled(workspace)
    assert task.state == "failed"
    assert "www.cs.toronto.edu" in task.message
    assert "torchvision folder" in task.message
    assert datasets.datasets(workspace) == []
