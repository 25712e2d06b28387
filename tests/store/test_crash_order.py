"""Killed at any step, `register` and `remove` leave a list and folders that belong together."""

import os
import shutil
import threading

import numpy as np
import pytest

from lnl_core.store import datasets, owned
from lnl_core.store.db import dispose, open_workspace
from tests.conftest import write_dataset
from tests.killing import killed_at_every_step

CLASSES = ["left", "right"]


def write_set(folder, value):
    """Four 8x8 images, each pixel of them `value`."""
    folder.mkdir(parents=True)
    images = np.full((4, 8, 8, 1), value, np.uint8)
    return write_dataset(folder, images, [0, 1, 0, 1], CLASSES)


def pixels(info):
    return np.unique(datasets.load(info).images).tolist()


@pytest.fixture
def homes(tmp_path, monkeypatch):
    """`homes()` is the folder of a new workspace with one set, “old”, that nobody has open."""
    monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
    master = open_workspace(tmp_path / "master")
    datasets.register(master, "old", write_set(tmp_path / "old", 1))
    dispose(master)
    numbers = iter(range(1000))

    def new():
        home = tmp_path / f"home-{next(numbers)}"
        shutil.copytree(tmp_path / "master", home)
        write_set(home / "incoming" / "set", 7)
        return home

    return new


def reopened(home):
    """Open a workspace as the next start does, and sweep."""
    ws = open_workspace(home)
    owned.sweep(ws)
    return ws


def folders(ws):
    return sorted(each.name for each in ws.datasets_dir.iterdir())


def test_register_killed_at_every_step(homes):
    def act(home):
        datasets.register(open_workspace(home), "new", home / "incoming" / "set")

    def check(home, _step):
        ws = reopened(home)
        known = {info.name: info for info in datasets.datasets(ws)}
        assert pixels(known["old"]) == [1]
        if "new" in known:
            assert pixels(known["new"]) == [7]
        assert folders(ws) == sorted(info.directory.name for info in known.values())
        assert not [each for info in known.values() for each in info.directory.glob(".*")]
        if "new" not in known:  # the next import gets its own pixels, whatever was left
            again = datasets.register(ws, "new", write_set(home / "again", 9))
            assert pixels(again) == [9]
        dispose(ws)

    assert killed_at_every_step(homes, act, check) >= 5


def test_remove_killed_at_every_step(homes):
    def act(home):
        ws = open_workspace(home)
        datasets.remove(datasets.dataset(ws, "old"))

    def check(home, step):
        ws = reopened(home)
        known = datasets.datasets(ws)
        assert folders(ws) == [info.directory.name for info in known]
        for info in known:
            assert pixels(info) == [1]
        assert known == [] or step is not None
        dispose(ws)

    assert killed_at_every_step(homes, act, check) >= 5


def test_a_folder_that_is_there_already_is_never_taken_for_a_new_set(homes):
    home = homes()
    ws = open_workspace(home)
    write_set(ws.datasets_dir / "2-new", 5)  # as an earlier version left it, without a mark
    info = datasets.register(ws, "new", home / "incoming" / "set")
    assert pixels(info) == [7]
    assert folders(ws) == ["1-old", "2-new", "2-new-2"]
    owned.sweep(ws)
    assert folders(ws) == ["1-old", "2-new", "2-new-2"]  # nobody's, perhaps somebody's: it stays
    dispose(ws)


def test_what_a_living_process_makes_is_not_swept(homes, tmp_path):
    ws = open_workspace(homes())
    mine = write_set(ws.datasets_dir / "9-mine", 3)
    owned.claim(mine)
    half = ws.datasets_dir / "1-old" / f".meta.json.{os.getpid()}.part"
    half.write_text("half")
    assert owned.sweep(ws) == []
    assert mine.is_dir()
    assert half.is_file()
    dispose(ws)


def test_half_files_of_the_dead_are_swept(homes):
    ws = open_workspace(homes())
    gone = os.fork()
    if gone == 0:
        os._exit(0)
    os.waitpid(gone, 0)
    places = [ws.home, ws.datasets_dir, ws.datasets_dir / "1-old" / "runs" / "3"]
    places[2].mkdir(parents=True)
    for place in places:
        (place / f".some.npy.{gone}.part").write_text("half")
    half = ws.datasets_dir / f".9-new.{gone}.part"
    half.mkdir()
    (half / "images.npy").write_text("half")
    keep = ws.datasets_dir / "1-old" / "originals"
    keep.mkdir()
    (keep / f".photo.{gone}.part").write_text("a person's own file")
    owned.sweep(ws)
    assert not [
        *ws.home.glob("*.part"),
        *ws.home.glob("datasets/**/.some*"),
        *half.parent.glob(".*"),
    ]
    assert (keep / f".photo.{gone}.part").is_file()
    dispose(ws)


def test_changes_of_meta_by_many_at_once_all_stay(workspace, tiny):
    def change(number):
        for step in range(5):
            datasets.update_meta(tiny, **{f"key {number}": step})

    many = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    meta = datasets.read_meta(tiny)
    assert [meta[f"key {number}"] for number in range(6)] == [4] * 6
