"""Threads that make syntax trees at one time: each array's head is one, and each page's script."""

import gc
import sys
import threading
import zipfile

import numpy as np
import pytest
from streamlit import config

from lnl_core.data import probabilities
from lnl_core.data.members import Member
from lnl_core.data.reading.several import listed
from lnl_core.store.arrays import read_array

THREADS, TIMES = 4, 400


class Leaves:
    """Python's collector runs this in the middle of whatever makes objects, a tree too."""

    def __init__(self):
        self.me = self

    def __del__(self):
        for _ in range(300):
            pass


@pytest.fixture
def hurried():
    """Threads that take turns and collections that come as often as they can."""
    turns, often = sys.getswitchinterval(), gc.get_threshold()
    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    yield
    gc.set_threshold(*often)
    sys.setswitchinterval(turns)


def _member(folder):
    with zipfile.ZipFile(folder / "a.npz") as archive, Member(archive, "a") as member:
        return member.shape


@pytest.mark.parametrize(
    "read",
    [
        lambda folder: read_array(folder / "a.npy").shape,
        _member,
        lambda folder: (
            probabilities.read(folder / "a.npz", "a.npz", ["x", "y", "z"], list("abcd")).shape
        ),
        lambda _: (len(listed(str(["a"] * 100 + ["b", "c"]))), 4),
    ],
    ids=["array", "member", "probabilities", "cell"],
)
def test_many_threads_read_at_one_time_and_none_calls_it_damage(tmp_path, hurried, read):
    values = np.full((3, 4), 0.25, np.float32)
    np.save(tmp_path / "a.npy", values)
    np.savez(tmp_path / "a.npz", a=values)
    wrong = []

    def go():
        for _ in range(TIMES):
            Leaves()
            try:
                assert read(tmp_path) == (3, 4)
            except BaseException as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=go) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong, f"{len(wrong)}, the first: {wrong[0]}"


def test_a_page_is_compiled_without_a_tree():
    assert config.get_option("runner.magicEnabled") is False
