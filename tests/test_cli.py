"""The command line as a user runs it: real files, a real worker, exit codes."""

import argparse
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lnl_core.cli import main, runs
from lnl_core.cli.screen import FAILED
from lnl_core.jobs import queue
from lnl_core.jobs.engines import local
from lnl_core.store import datasets
from lnl_core.store.db import dispose, open_workspace


@pytest.fixture
def lnl(tmp_path, capsys, monkeypatch):
    """Call the command as its entry point does, in this process; the worker is a real one."""
    home = tmp_path / "home"
    monkeypatch.setenv("LNL_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def call(*arguments, code=0):
        try:
            found = main([str(one) for one in arguments])
        except SystemExit as end:  # argparse
            found = end.code
        told = capsys.readouterr()
        assert found == code, told.out + told.err
        return told

    yield call
    if home.is_dir():
        dispose(open_workspace(home))


def test_the_module_is_the_command(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "lnl_core", "status", "--json"],
        env=os.environ | {"LNL_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, json.loads(done.stdout)) == (0, {"datasets": []})


def test_an_import_that_nobody_reads_is_stored(photos, tmp_path):
    read, write = os.pipe()
    os.close(read)  # as `| head` does
    call = [sys.executable, "-m", "lnl_core"]
    home = os.environ | {"LNL_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [*call, "import", photos, "--name", "birds"], env=home, stdout=write, stderr=write
    )
    os.close(write)
    assert done.returncode == 3  # one file is no image
    told = subprocess.run([*call, "status", "--json"], env=home, capture_output=True, text=True)
    assert [each["name"] for each in json.loads(told.stdout)["datasets"]] == ["birds"]


@pytest.fixture
def photos(tmp_path):
    """Two classes of striped images, a text file among them."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(["=cat", "dog"]):
        folder = tmp_path / "photos" / name
        folder.mkdir(parents=True)
        for i in range(15):
            pixels = rng.integers(0, 90, (12, 12), dtype=np.uint8)
            pixels[:, label * 6 : label * 6 + 6] += 120
            Image.fromarray(pixels).save(folder / f"{i}.png")
    (tmp_path / "photos" / "dog" / "broken.jpg").write_bytes(b"nothing")
    return tmp_path / "photos"


def test_help_teaches_and_bad_usage_is_two(lnl):
    text = lnl("--help").out
    assert lnl(code=2).out == text  # who types `lnl` alone asks what it does
    assert "lnl import photos/ --name birds" in text
    assert "exit codes" in text
    assert "--executor" in lnl("run", "--help").out
    lnl("run", code=2)
    lnl("nonsense", code=2)
    for wrong, word in (
        (["--methods", "knn", "--slurm", "gpus=1"], "goes with --executor slurm"),
        (["--methods", ","], "name the methods"),
        (["--methods", "knn", "--set", "k=3"], "METHOD.KNOB=VALUE"),
        (["--methods", "knn", "--preset", "slow"], "invalid choice"),
        (["--resume", "--seed", "5", "--train-on", "a"], "leave out --train-on, --seed"),
        (["--resume", "--methods", "knn", "--set", "knn.k=3"], "leave out --set"),
        (["--resume", "--executor", "ray", "--ray", "gpus=1"], "leave out --executor, --ray"),
        (["--resume", "--tell-checks"], "leave out --tell-checks"),
        (["--resume", "--seed", "0", "--preset", "quick"], "leave out --preset, --seed"),
        (["--resume", "--device", "auto"], "leave out --device"),
        (["--resume", "--executor", "local"], "leave out --executor"),
    ):
        assert word in lnl("run", "birds", *wrong, code=2).err


def test_errors_are_sentences_with_a_remedy(lnl):
    done = lnl("run", "nothing", "--methods", "knn", code=1)
    assert done.err.startswith("lnl: There is no data set named “nothing”")
    assert "Traceback" not in done.err


def test_a_run_that_somebody_removes_does_not_end_the_watch(lnl, photos, capsys):
    lnl("import", photos, "--name", "pets", code=3)
    ws = open_workspace(Path(os.environ["LNL_HOME"]))
    info = datasets.dataset(ws, "pets")
    held = local.lock(ws, local.LOCAL)  # no worker: both wait
    try:
        numbers = [queue.submit(info, method).id for method in ("probe", "knn")]
        queue.cancel(ws, numbers[1])
        queue.remove(ws, numbers[0])
        options = argparse.Namespace(json=True, out=None)
        assert runs._watch(options, info, numbers, 0.0) == FAILED
    finally:
        held.close()
        dispose(ws)
    told = capsys.readouterr()
    assert told.err.count(f"Run {numbers[0]} was removed while it was watched.") == 1
    assert [run["state"] for run in json.loads(told.out)["runs"]] == ["cancelled"]


def test_from_folder_to_csv(lnl, photos, tmp_path):
    done = lnl("import", photos, "--name", "pets", "--json", code=3)
    told = json.loads(done.out)
    assert (told["n"], told["classes"], told["skipped"]) == (30, 2, 1)
    assert "broken.jpg" in told["problems"][0]["where"]
    assert "Repaired files come in with: lnl add pets" in done.err

    lnl("run", "pets", "--methods", "probe,nope", code=1)
    done = lnl("run", "pets", "--methods", "probe,knn", "--json")
    told = json.loads(done.out)
    assert [r["state"] for r in told["runs"]] == ["done", "done"]
    assert told["first_queue_s"] > 0
    assert "First queue after" in done.err
    lnl("run", "pets", "--resume", code=1)  # nothing to resume

    (found,) = json.loads(lnl("status", "pets", "--json").out)["datasets"]
    assert {"name", "n", "classes", "reviewed", "runs"} <= set(found)
    assert {"id", "method", "state", "fraction", "eta_s"} <= set(found["runs"][0])
    own = {"peak_memory_bytes", "features_seconds", "estimated_seconds", "speed", "busy"}
    assert own <= set(found["runs"][0])
    assert [run["fraction"] for run in found["runs"]] == [1.0, 1.0]

    lnl("rank", "pets", "--out", tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open(encoding="utf-8-sig", newline="") as stream:
        scores = list(csv.DictReader(stream))
    assert len(scores) == 30
    assert {row["suggested_label"] for row in scores} == {"'=cat", "dog"}

    ids = [row["id"] for row in scores]
    decisions = tmp_path / "decisions.csv"
    decisions.write_text(f"id,action,label\n{ids[0]},relabel,dog\n{ids[1]},keep,\nnobody,keep,\n")
    done = lnl("decide", "pets", "--file", decisions, "--reviewer", "ann", "--json", code=3)
    assert json.loads(done.out)["stored"] == 2

    out = tmp_path / "corrections.csv"
    lnl("export", "pets", "--format", "corrections", "--out", out)
    with out.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["id"], row["given_label"], row["corrected_label"]) == (ids[0], "'=cat", "dog")

    lnl("remove", "pets", code=1)
    lnl("remove", "pets", "--yes")
    assert photos.joinpath("dog", "0.png").exists()
    assert json.loads(lnl("status", "--json").out) == {"datasets": []}


def test_failures_are_json_where_json_is_asked_for(lnl):
    told = lnl("status", "nothing", "--json", code=1)
    error = json.loads(told.out)["error"]
    assert error["code"] == "not_found"
    assert error["message"].startswith("There is no data set named “nothing”")
    assert error["message"] in told.err
    error = json.loads(lnl("run", "--json", "--preset", "Quick", "x", code=2).out)["error"]
    assert error["code"] == "usage"
    assert "Did you mean “quick”?" in error["message"]
    assert lnl("status", "nothing", code=1).out == ""


def test_a_misspelt_command_is_answered_with_the_right_one(lnl):
    assert "Did you mean “status”?" in lnl("statsu", code=2).err


def test_runs_are_removed_together_or_not_at_all(lnl, photos):
    lnl("import", photos, "--name", "stripes", code=3)
    lnl("run", "stripes", "--methods", "probe,knn")
    refused = lnl("runs", "rm", "1", "99", "--json", code=1)
    assert json.loads(refused.out)["error"]["code"] == "not_found"
    assert [r["id"] for r in _runs(lnl)] == [2, 1]
    assert json.loads(lnl("runs", "rm", "1", "--json").out) == {"removed": [1]}
    assert [r["id"] for r in _runs(lnl)] == [2]
    lnl("import", photos, "--name", "other", code=3)
    assert "is of “stripes”" in lnl("runs", "rm", "other", "2", code=1).err
    assert "numbers of runs" in lnl("runs", "rm", "stripes", code=2).err
    lnl("rename", "other", "2")
    told = lnl("runs", "rm", "2", "1", code=2).err
    assert "2 is the name of a set" in told
    assert "lnl runs rm 2; lnl runs rm 1" in told
    assert [r["id"] for r in _runs(lnl)] == [2]
    lnl("runs", "rm", "stripes", "2")
    assert _runs(lnl) == []


def test_a_misspelt_format_is_answered_with_the_right_one(lnl, photos):
    lnl("import", photos, "--name", "stripes", code=3)
    told = lnl("export", "stripes", "--format", "manifst", "--out", "-", code=2)
    assert "Did you mean “manifest”?" in told.err


def _runs(lnl):
    return json.loads(lnl("status", "stripes", "--json").out)["datasets"][0]["runs"]
