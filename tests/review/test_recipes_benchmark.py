"""The recipes benchmark on a handful of images: chains run, are scored, and are not run twice."""

import pytest

from benchmarks import recipes
from lnl_core.jobs import queue
from lnl_core.store import arrays, datasets
from lnl_core.store.db import open_workspace


@pytest.mark.slow
def test_chains_are_scored_and_a_second_call_runs_nothing(small_npz, tmp_path):
    out = tmp_path / "out.json"
    call = ["--labels", "labels", "--data", str(small_npz), "--work", str(tmp_path / "work")]
    call += ["--recipes", "ce->probe,ce->influence", "--out", str(out)]
    recipes.main(call)
    rows = arrays.read_json(out)["labels"]["quick"]
    assert list(rows) == ["ce", "ce->probe", "ce->influence"]
    for part, found in rows.items():
        assert found["chain_cpu_seconds"] >= found["cpu_seconds"], part
    for part in ("ce->probe", "ce->influence"):  # a chain costs what its runs cost, to a tenth
        runs = rows["ce"]["cpu_seconds"] + rows[part]["cpu_seconds"]
        assert rows[part]["chain_cpu_seconds"] == pytest.approx(runs, abs=0.16)
    assert rows["ce->influence"]["ap"] > 0.5
    ws = open_workspace(tmp_path / "work")
    (info,) = datasets.datasets(ws)
    jobs = queue.jobs(info)
    ce, probe, influence = sorted(jobs, key=lambda job: job.id)
    assert probe.representation == f"run:{ce.id}"
    assert influence.base == ce.id
    assert datasets.load(info).true_labels is None  # runs could not look at it
    recipes.main(call)
    assert len(queue.jobs(info)) == 3
    assert "ce-\\u003eprobe" in out.with_suffix(".html").read_text()
