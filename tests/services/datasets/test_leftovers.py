"""What a killed import or upload left goes at the next start; what a living one holds stays."""

import io
import os
import signal
import subprocess
import sys
import time

import numpy as np

from lnl_core.services.datasets import catalog, incoming, leftovers
from lnl_core.store import arrays, datasets, owned

KILLED = """
import os, signal, sys
from pathlib import Path
from lnl_core.services.datasets import catalog
from lnl_core.store.db import open_workspace

def die(done, total, skipped):
    if done > 20:
        os.kill(os.getpid(), signal.SIGKILL)

catalog.import_dataset(open_workspace(), Path(sys.argv[1]), "killed", report=die)
"""

UPLOADING = """
import os, signal, sys, time
from lnl_core.services.datasets import incoming
from lnl_core.store.db import open_workspace

class Slow:
    def read(self, size):
        print("reading", flush=True)
        sys.stdin.read(1)
        os.kill(os.getpid(), signal.SIGKILL)

incoming.keep_upload(open_workspace(), Slow(), "slow.npz")
"""


def arrays_file(tmp_path, n=60):
    file = tmp_path / "set.npz"
    images = np.random.default_rng(0).integers(0, 255, (n, 8, 8), np.uint8)
    np.savez(file, images=images, labels=np.arange(n) % 2)
    return file


def test_a_killed_import_leaves_nothing_for_ever(workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    file = arrays_file(tmp_path)
    done = subprocess.run([sys.executable, "-c", KILLED, str(file)], timeout=120)
    assert done.returncode == -signal.SIGKILL
    assert list((workspace.home / "incoming").glob("*/.set.*.part"))
    leftovers.sweep(workspace)
    assert not list((workspace.home / "incoming").glob("*"))
    assert catalog.import_dataset(workspace, file, "killed").n == 60


def test_an_upload_goes_once_its_process_is_dead_and_not_before(workspace, monkeypatch):
    monkeypatch.setenv("LNL_HOME", str(workspace.home))
    with subprocess.Popen(
        [sys.executable, "-c", UPLOADING], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"reading\n"
        leftovers.sweep(workspace)
        assert len(list((workspace.home / "imports").glob("upload-*/slow.npz"))) == 1
        child.stdin.write(b"x")
    assert child.returncode == -signal.SIGKILL
    leftovers.sweep(workspace)
    assert list((workspace.home / "imports").iterdir()) == []


def test_an_upload_that_an_import_reads_stays(workspace):
    copy = incoming.keep_upload(workspace, io.BytesIO(b"1234"), "a.zip")
    gone = os.fork()
    if gone == 0:
        owned.claim(copy.parent)  # the app that took it, which has ended since
        os._exit(0)
    os.waitpid(gone, 0)
    task = workspace.home / "imports" / "0123.json"
    told = {"state": "reading", "uploaded": True, "source": str(copy), "name": "a", "shown": "a"}
    arrays.write_json(task, told | {"started": time.time(), "started_at": "2026-01-01T00:00:00Z"})
    leftovers.sweep(workspace)
    assert copy.is_file()
    arrays.write_json(task, told | {"started": time.time() - 3600, "started_at": "2026"})
    leftovers.sweep(workspace)
    assert not copy.exists()


def test_a_set_is_not_swept_while_it_is_made(workspace, tmp_path):
    seen = []

    def look(*_):
        seen.append(leftovers.sweep(workspace))

    catalog.import_dataset(workspace, arrays_file(tmp_path), "made", report=look)
    assert seen
    assert not any(seen)
    assert datasets.dataset(workspace, "made").n == 60
