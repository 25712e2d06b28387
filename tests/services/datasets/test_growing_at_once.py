"""Images added while something else happens to the set."""

import time
from threading import Thread

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.services import in_force
from lnl_core.services.datasets import growing, settings
from lnl_core.services.runs import status
from lnl_core.store import datasets
from lnl_core.store.table import table_of
from lnl_core.types import JobState, LnlError
from tests.services.datasets.test_growing import again, file_of, pictures
from tests.services.datasets.test_growing import thirty as thirty


def test_nothing_is_added_while_a_run_goes_on(thirty, tmp_path):
    job = queue.claim(thirty.workspace, queue.submit(thirty, "probe").id)
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    with pytest.raises(LnlError, match="is going on"):
        growing.add_images(thirty, source)
    queue.finish(thirty.workspace, job.id, JobState.CANCELLED)
    assert growing.add_images(thirty, source).added == 6


def test_a_map_that_is_drawn_stops_while_images_are_added_and_is_drawn_anew_after(thirty, tmp_path):
    """It begins by itself after a first run, and nobody sees it."""
    told = {"source": "raw", "neighbours": 15, "min_dist": 0.1, "seed": 0}
    job = queue.submit_task(thirty, "embedding", told)
    assert queue.claim(thirty.workspace, lane=queue.TASKS).id == job.id
    answers = Thread(target=stops, args=(thirty.workspace, job.id))
    answers.start()
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    with local.lock(thirty.workspace, queue.TASKS):  # as if a worker lived: none is started
        assert growing.add_images(thirty, source).added == 6
    answers.join()
    assert queue.job(thirty.workspace, job.id).state is JobState.QUEUED


def stops(ws, number):
    """Stop as a worker does, once it is asked to."""
    while queue.job(ws, number).state is JobState.RUNNING:
        time.sleep(0.05)
    queue.finish(ws, number, JobState.CANCELLED)


def test_a_task_that_people_wait_for_is_named(thirty, tmp_path):
    job = queue.submit_task(thirty, "retrain", {"source": "decisions"})
    queue.claim(thirty.workspace, lane=queue.TASKS)
    source = file_of(tmp_path, "more", pictures(6, seed=8), np.arange(6) % 3)
    with pytest.raises(LnlError, match=rf"A task .* \({job.id}, Accuracy before and after\)"):
        growing.add_images(thirty, source)
    (shown,) = status.status([thirty])["datasets"][0]["tasks"]
    assert (shown["id"], shown["task"], shown["state"]) == (job.id, "retrain", "running")


@pytest.mark.parametrize("when", ["before it writes", "once it has written"])
def test_of_two_who_add_at_once_one_is_told_to_ask_again(thirty, tmp_path, monkeypatch, when):
    mine = file_of(tmp_path, "mine", pictures(6, seed=8), np.arange(6) % 3)
    theirs = file_of(tmp_path, "theirs", pictures(9, seed=9), np.arange(9) % 3)
    write = growing.written

    def among(batch):
        monkeypatch.setattr(growing, "written", write)
        part = None if when == "before it writes" else write(batch)
        assert growing.add_images(again(thirty), theirs).n == 39
        return part or write(batch)

    monkeypatch.setattr(growing, "written", among)
    with pytest.raises(LnlError, match="changed meanwhile"):
        growing.add_images(thirty, mine)
    table_of.cache_clear()
    np.testing.assert_array_equal(datasets.load(again(thirty)).images[30:], pictures(9, seed=9))
    assert growing.add_images(again(thirty), mine).n == 45
    data = datasets.load(again(thirty))
    np.testing.assert_array_equal(data.images[39:], pictures(6, seed=8))
    assert len(data.ids) == 45
    assert [each.name for each in thirty.directory.glob("*grown*")] == ["grown-2"]


def test_who_looks_at_the_set_as_it_was_adds_to_it_as_it_is(thirty, tmp_path):
    """A dialog that is open while images come from elsewhere."""
    mine = file_of(tmp_path, "mine", pictures(6, seed=8), np.arange(6) % 3)
    theirs = file_of(tmp_path, "theirs", pictures(9, seed=9), np.arange(9) % 3)
    growing.add_images(thirty, theirs)
    in_force.contents.cache_clear()
    assert growing.foresee(thirty, mine).would.n == 45
    assert growing.add_images(thirty, mine).n == 45
    datasets.remove(thirty)
    with pytest.raises(LnlError, match="no such data set"):
        growing.add_images(thirty, mine)


@pytest.mark.parametrize("call", [growing.foresee, growing.add_images])
def test_who_reads_while_another_adds_is_told_so(thirty, tmp_path, call):
    mine = file_of(tmp_path, "mine", pictures(6, seed=8), np.arange(6) % 3)
    theirs = [file_of(tmp_path, f"t{i}", pictures(9, seed=i), np.arange(9) % 3) for i in (9, 10)]

    def meanwhile(*_):
        for each in theirs[:1]:
            theirs.remove(each)
            growing.add_images(again(thirty), each)
            in_force.contents.cache_clear()
            in_force._loaded.cache_clear()

    growing.add_images(thirty, theirs.pop())
    with pytest.raises(LnlError, match="was changed meanwhile"):
        call(thirty, mine, report=meanwhile)


def test_a_set_that_is_renamed_while_images_are_read_has_them(thirty, tmp_path, monkeypatch):
    read = growing._read

    def meanwhile(*asked):
        told = read(*asked)
        datasets.rename(thirty, "renamed")
        return told

    monkeypatch.setattr(growing, "_read", meanwhile)
    more = file_of(tmp_path, "more", pictures(4, seed=8), np.arange(4) % 3)
    assert growing.add_images(thirty, more).added == 4
    assert datasets.dataset(thirty.workspace, "renamed").n == 34


def test_what_is_no_class_is_stored_of_a_set_that_was_renamed_meanwhile(thirty):
    datasets.rename(thirty, "renamed")
    changed = settings.set_no_classes(thirty, ["emu"])
    assert (changed.name, changed.no_classes) == ("renamed", (2,))
