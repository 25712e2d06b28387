"""Fixtures that several rooms share."""

import itertools
import os
import shutil
import signal
from concurrent.futures import wait
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read once, when numpy and torch are imported
os.environ.setdefault("LNL_MAP", "off")  # half a minute of a core after every first run

import numpy as np
import pytest

from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.services.datasets import incoming
from lnl_core.services.review import course
from lnl_core.store import arrays, audits, datasets
from lnl_core.store.db import dispose, open_workspace

REPO = Path(__file__).resolve().parents[1]
FIRST_SEED = 2  # its first draws of sixty rows are none of `tiny`'s errors
_MADE = {}
SHARED = Path(os.environ.get("LNL_SHARED", REPO.parent / "shared"))


def shared(name):
    """A file of the development data, or a skip that says why."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"development data is not beside the repository ({name})")
    return path


def golden(name):
    """Arrays by name that the authors' functions returned, or a skip that says why."""
    path = SHARED / "golden" / name
    if not path.exists():
        pytest.skip(f"reference values are not beside the repository ({name})")
    with np.load(path) as held:
        return dict(held)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Of `-n auto`: as many processes as cores, each of them with one thread; eight at most."""
    affinity = getattr(os, "sched_getaffinity", None)
    return min(len(affinity(0)) if affinity else (os.cpu_count() or 1), 8)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A file's tests stay in one process: they share fixtures, trained runs and servers."""
    from xdist.scheduler import LoadFileScheduling

    return LoadFileScheduling(config, log)


def pytest_generate_tests(metafunc):
    """Tests of the store and the job queue run on both databases."""
    folder = Path(metafunc.module.__file__).parent.name
    if "workspace" in metafunc.fixturenames and folder in ("store", "jobs"):
        many_processes = (
            "test_kill" in metafunc.module.__name__ or "processes" in metafunc.function.__name__
        )
        other = pytest.param("postgresql", marks=[pytest.mark.slow] if many_processes else [])
        metafunc.parametrize("workspace", ["sqlite", other], indirect=True)


@pytest.fixture(autouse=True)
def drawing(monkeypatch):
    """The seed of a data set's random draws is random; in tests it counts on from one number."""
    numbers = itertools.count(FIRST_SEED)
    monkeypatch.setattr(audits.secrets, "randbits", lambda _bits: next(numbers))


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Workers and imports that a test has started end with it: they would go on for seconds."""
    before = [*local._started, *incoming._STARTED]  # those of a module's or session's fixture
    yield
    for started in (local._started, incoming._STARTED):
        for process in [each for each in started if each not in before]:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # it leads its own group
                process.wait()
            started.remove(process)


@pytest.fixture(scope="session")
def postgresql():
    """`postgresql(database)` is the URL of a server that lives as long as the tests."""
    from tests import postgres

    with postgres.server() as url:
        yield url


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory):
    """A workspace without sets, to be copied: its tables take ten times as long to make."""
    home = tmp_path_factory.mktemp("empty") / "home"
    dispose(open_workspace(home, f"sqlite:///{home / 'review.db'}"))
    return home


@pytest.fixture
def workspace(request, tmp_path, monkeypatch):
    if getattr(request, "param", "sqlite") == "postgresql":
        from tests import postgres

        url = postgres.emptied(request.getfixturevalue("postgresql"))
        monkeypatch.setenv("LNL_DATABASE_URL", url)  # for the processes that a test starts
    else:
        monkeypatch.delenv("LNL_DATABASE_URL", raising=False)
        shutil.copytree(request.getfixturevalue("empty_home"), tmp_path / "home")
    ws = open_workspace(tmp_path / "home")
    yield ws
    wait([asked for _, asked in course._asked.values()], 60)  # its thread reads the database
    dispose(ws)


@pytest.fixture
def once(workspace, tmp_path_factory):
    """`once(key, make)` is the set that `make()` leaves in the workspace.

    The first test that asks makes it, with hundreds of answers for instance; those that follow in
    this process get a copy of that workspace. What `make` returns beside the set stays as it is.
    """

    def prepared(key, make):
        if not workspace.on_sqlite:
            return make()
        if key not in _MADE:
            made = make()
            wait([asked for _, asked in course._asked.values()], 60)
            dispose(workspace)  # all that was written is in the file now
            kept = tmp_path_factory.mktemp("made") / "home"
            shutil.copytree(workspace.home, kept)
            _MADE[key] = kept, made
            return made
        kept, made = _MADE[key]
        dispose(workspace)
        for each in (*workspace.home.glob("review.db*"), *workspace.home.glob("datasets/*")):
            shutil.rmtree(each) if each.is_dir() else each.unlink()
        shutil.copytree(kept, workspace.home, dirs_exist_ok=True)  # locks that are held stay so
        info, *more = made if isinstance(made, tuple) else (made,)
        info = datasets.dataset(workspace, info.name)
        return (info, *more) if more else info

    return prepared


@pytest.fixture
def no_worker(workspace):
    """Hold both workers' locks, so that what is started stays in the queue."""
    held = [local.lock(workspace, lane) for lane in (local.LOCAL, queue.TASKS)]
    yield
    for each in held:
        each.close()


@pytest.fixture
def at_once(monkeypatch):
    """Every answer is a moment of its own: numbers follow at once, for tests of the numbers."""
    from lnl_core.services import moment
    from lnl_core.services.review import progress

    monkeypatch.setattr(moment, "step", lambda info: 1)
    monkeypatch.setattr(progress, "BEHIND", -1)


def write_dataset(folder, images, labels, class_names, *, truth=None, paths=None):
    """Write the directory that an import leaves behind."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, height, width, channels = images.shape
    arrays.write_array(folder / "images.npy", images)
    arrays.write_array(folder / "given_labels.npy", np.asarray(labels, np.int32))
    if truth is not None:
        arrays.write_array(folder / "true_labels.npy", np.asarray(truth, np.int32))
    table = pa.table(
        {
            "id": pa.array([f"item-{i:05d}" for i in range(n)]),
            "path": pa.array(paths or [None] * n, pa.string()),
        }
    )
    pq.write_table(table, folder / "table.parquet")
    meta = {
        "class_names": list(class_names),
        "n": n,
        "height": height,
        "width": width,
        "channels": channels,
        "kind": "npz",
        "source": "made by a test",
        "root": None,
        "skipped": 0,
        "version": "0123456789abcdef",
        "format": "arrays",
    }
    arrays.write_json(folder / "meta.json", meta)
    return folder


@pytest.fixture
def tiny(workspace, tmp_path):
    """Sixty 8x8 gray images of three classes, registered as `tiny`."""
    return register_tiny(workspace, tmp_path)


def register_tiny(workspace, place):
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1, 2], 20)
    images = rng.integers(0, 60, (60, 8, 8, 1), dtype=np.uint8)
    for i, label in enumerate(truth):
        images[i, label * 2 : label * 2 + 3] += 150
    labels = truth.copy()
    labels[[3, 25, 47]] = [1, 2, 0]
    folder = place / "tiny"
    folder.mkdir()
    write_dataset(folder, images, labels, ["bar", "belt", "base"], truth=truth)
    return datasets.register(workspace, "tiny", folder)
