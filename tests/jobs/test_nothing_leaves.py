"""Runs ask nothing of the network: with the weights that a package ships, every method trains."""

import os
import subprocess
import sys

import numpy as np
import pytest

from lnl_core.services import methods
from tests.browser.conftest import REPO
from tests.watching import WATCH, away

pytestmark = pytest.mark.slow


def test_no_run_of_any_method_asks_anything_of_the_network(tmp_path):
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(WATCH)
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    pictures = (
        rng.integers(0, 120, (40, 32, 32, 3), dtype=np.uint8) + 100 * labels[:, None, None, None]
    )
    np.savez(tmp_path / "set.npz", images=pictures.astype(np.uint8), labels=labels)
    env = os.environ | {"LNL_HOME": str(tmp_path), "PYTHONPATH": f"{hook}:{REPO}"}

    def lnl(*words):
        call = [sys.executable, "-m", "lnl_core", *words]
        done = subprocess.run(call, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    lnl("import", str(tmp_path / "set.npz"), "--name", "set")
    keys = [each.key for each in methods.every()]
    said = lnl("run", "set", "--methods", ",".join(keys), "--preset", "quick")
    assert said.count(" done in ") == len(keys), said
    assert (tmp_path / "asked.log").read_text().count("watching") > 2, "the worker was not watched"
    assert away(tmp_path) == []
