"""A real server on a workspace of its own, a headless browser, and scored sets without training."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path
from urllib.parse import urljoin

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lnl_core.store import arrays, datasets, db
from lnl_core.types import Signals
from tests import rankings
from tests.browser.desk import CLASSES, Desk

REPO = Path(__file__).resolve().parents[2]
PATIENCE = 120_000
"""Milliseconds that a busy machine may take for what is usually done at once."""

VIEWPORT = {"width": 1280, "height": 800}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`streamlit run app.py` in a process of its own."""

    def __init__(self, home, *paths):
        self.home, self.port, self.process = home, free_port(), None
        self.path = os.pathsep.join(map(str, (*paths, REPO)))
        self.url = f"http://localhost:{self.port}"

    def start(self):
        env = {k: v for k, v in os.environ.items() if not k.startswith(("LNL_", "STREAMLIT_"))}
        env |= {"LNL_HOME": str(self.home), "PYTHONPATH": self.path}
        env |= {"LNL_REVIEWER": "reviewer A"}  # else a new browser is asked once there are several
        options = ("--server.port", str(self.port), "--server.headless", "true")
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", "app.py", *options],
                cwd=REPO,
                env=env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_up = time.monotonic() + PATIENCE / 1000
        while time.monotonic() < give_up and self.process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                    return self
            except OSError:
                time.sleep(0.1)
        raise RuntimeError((self.home / "server.log").read_text()[-2000:])

    def kill(self):
        """End it as a power cut would: nothing is flushed, nobody is asked."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture
def server(tmp_path):
    """A server on an empty workspace."""
    running = Server(tmp_path / "home").start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def common_server(tmp_path_factory):
    """One server for all tests that bring a set of their own."""
    running = Server(tmp_path_factory.mktemp("common") / "home").start()
    yield running
    running.kill()


@pytest.fixture(scope="session")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if chromium is None:
        pytest.skip("no chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as p:
        running = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


class Window:
    """One window of 1280 x 800 with a memory of its own, and what its pages threw."""

    def __init__(self, browser):
        self.context = browser.new_context(viewport=VIEWPORT, accept_downloads=True)
        self.context.set_default_timeout(PATIENCE)
        self.page, self.thrown = self.context.new_page(), []
        self.page.on("pageerror", lambda error: self.thrown.append(str(error)))

    def emptied(self):
        """Forget all but compiled scripts, most of what a page costs; tell whether it went."""
        from playwright.sync_api import Error

        for other in self.context.pages:
            if other != self.page:
                other.close()
        try:
            self.page.unroute_all(behavior="ignoreErrors")
            self.page.goto(urljoin(self.page.url, "/_stcore/health"), timeout=5000)
            self.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        except Error:  # its server is gone
            return False
        self.context.clear_cookies()
        self.context.clear_permissions()
        self.page.emulate_media(color_scheme="null", reduced_motion="null")
        self.page.set_viewport_size(VIEWPORT)
        self.page.mouse.move(0, 0)
        return not self.thrown


@pytest.fixture
def alone():
    """Asked for by a test that listens or adds scripts to its window, or needs a first visit."""


@pytest.fixture(scope="session")
def kept_windows():
    """The window that the last test left, if another test can have it."""
    kept = []
    yield kept
    for window in kept:
        window.context.close()


@pytest.fixture
def page(browser, kept_windows, request):
    """A window of 1280 x 800 without a past; what the page throws fails the test."""
    alone = "alone" in request.fixturenames
    window = kept_windows.pop() if kept_windows and not alone else Window(browser)
    failed = request.session.testsfailed
    yield window.page
    if not alone and request.session.testsfailed == failed and window.emptied():
        kept_windows.append(window)
    else:
        window.context.close()
    assert window.thrown == []


@pytest.fixture(scope="session")
def make_set():
    """Register a set of 8 x 8 images, a third of them doubtful, with a ranking in force."""

    def make(server, name, class_names, n=60, paths=None, true_labels=None):
        k = len(class_names)
        rng = np.random.default_rng(0)
        given = np.arange(n) % k
        images = rng.integers(0, 255, (n, 8, 8, 3), dtype=np.uint8)
        folder = server.home / "incoming" / re.sub(r"\W+", "-", name)
        arrays.write_array(folder / "images.npy", images)
        arrays.write_array(folder / "given_labels.npy", given.astype(np.int32))
        if true_labels is not None:
            arrays.write_array(folder / "true_labels.npy", np.asarray(true_labels, np.int32))
        ids = pa.array([f"item-{i}" for i in range(n)])
        columns = {"id": ids, "path": pa.array(paths or [f"set/{i:05d}.png" for i in range(n)])}
        pq.write_table(pa.table(columns), folder / "table.parquet")
        meta = {
            "class_names": list(class_names),
            "n": n,
            "height": 8,
            "width": 8,
            "channels": 3,
            "kind": "npz",
            "source": "made by a test",
            "root": None,
            "skipped": 0,
            "version": f"{zlib.crc32(name.encode()):016x}",
            "format": "arrays",
        }
        arrays.write_json(folder / "meta.json", meta)
        info = datasets.register(db.open_workspace(server.home), name, folder)
        _score(info, given, k, rng)
        return info

    return make


def _score(info, given, k, rng):
    """Let two made-up methods call every third label wrong; the next class is their advice."""
    n = len(given)
    doubtful = np.arange(n) % 3 == 0
    found, runs = [], {}
    for number, key in enumerate(("sr", "knn"), start=1):
        probs = rng.dirichlet(np.ones(k), n) * 0.2
        best = np.where(doubtful, (given + 1) % k, given)
        probs[np.arange(n), best] += 0.8
        suspicion = 1 - probs[np.arange(n), given]
        rising = np.linspace(0.5, 1, 6)[:, None]
        curves = {
            "p_given": (1 - suspicion) * rising,
            "p_other": suspicion * rising,
        }
        signals = Signals(key, suspicion, probs, curves=curves)
        arrays.save_signals(info.directory / "runs" / str(number), signals)
        found.append(signals)
        runs[key] = number
    arrays.save_ranking(info.directory / "ranking", rankings.rank(found, given, k), runs)
    features = rng.normal(size=(n, 4)) + 3 * np.eye(k, 4)[given]
    arrays.write_array(
        info.directory / "features" / "raw" / "features.npy", features.astype(np.float16)
    )


@pytest.fixture
def desk(common_server, page, make_set, request):
    """Review, opened on a set of its own."""
    info = make_set(common_server, request.node.name[:60], CLASSES)
    return Desk(common_server, page, info).open()
