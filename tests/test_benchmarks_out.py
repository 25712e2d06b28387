"""A benchmark writes over no file unasked, and says so before it measures."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import _out
from lnl_core.types import LnlError

REPO = Path(__file__).resolve().parents[1]
SCRIPTS = [
    path
    for path in sorted((REPO / "benchmarks").glob("[a-z]*.py"))
    if '"--out"' in path.read_text("utf-8")
]


def test_a_file_that_is_there_is_replaced_only_with_force(tmp_path):
    there = tmp_path / "result.json"
    _out.check(there)
    there.write_text("[1]")
    for grows in (False, True):  # a list is none of ours to add to
        with pytest.raises(LnlError, match="there already"):
            _out.check(there, grows=grows)
    _out.check(there, force=True)
    there.write_text('{"a": 1}')
    _out.check(there, grows=True)
    for bad in (tmp_path / "no" / "x.json", tmp_path / "x.txt", tmp_path, Path("-")):
        with pytest.raises(LnlError):
            _out.check(bad, force=True, grows=True)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_asks_there(script):
    assert "_out.parse(" in script.read_text("utf-8")


def test_a_script_ends_before_it_measures(tmp_path):
    there = tmp_path / "result.json"
    there.write_text("mine")
    script = REPO / "benchmarks" / "content.py"
    done = subprocess.run(
        [sys.executable, script, "--out", there], capture_output=True, text=True, cwd=REPO
    )
    assert (done.returncode, there.read_text()) == (2, "mine")
    assert "is there already" in done.stderr
