"""How long a person waits for a run to start, to stop and to go on: here, on Slurm, on Ray.

    python benchmarks/engines.py --engines local,slurm,ray --repeats 3

Starts a Slurm of one node and a Ray head on this machine, as the tests do, and prints the median:

- running: from the start until the job table says that a worker has it;
- training: until the first epochs are reported (the import of torch is most of it);
- cancelled: from the request until the table says so; gone: until the engine says so;
- on again: from the request to resume until it trains, further on than it was;
- after kill -9: until another worker trains.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lnl_core.jobs import engines, executors, queue
from lnl_core.services.datasets import catalog
from lnl_core.services.runs import running
from lnl_core.store.db import open_workspace
from lnl_core.types import ACTIVE_STATES, DatasetInfo, Job, Workspace
from tests import engines as real

RESULTS = Path(__file__).parent / "results" / "engines.json"


def until(ws: Workspace, number: int, true: Callable[[Job], bool]) -> Job:
    end = time.monotonic() + 180
    while time.monotonic() < end:
        executors.reconcile(ws)
        job = queue.job(ws, number)
        if true(job):
            return job
        if job.state == "failed":
            break
        time.sleep(0.02)
    raise SystemExit(f"{job.state}: {job.error} {executors.log_tail(ws, job)}")


def trains(job: Job) -> bool:
    return job.state == "running" and job.stage == "train" and job.metrics.get("epoch", 0) > 1


def once(info: DatasetInfo, executor: str) -> dict[str, float]:
    found: dict[str, float] = {}

    def lap(key: str, since: float) -> None:
        found[key] = time.monotonic() - since

    began = time.monotonic()
    (job,) = running.start_runs(info, ["ce"], overrides={"ce": {"epochs": 2000}}, executor=executor)
    until(info.workspace, job.id, lambda j: j.state == "running")
    lap("running", began)
    before = until(info.workspace, job.id, trains)
    lap("training", began)
    began = time.monotonic()
    executors.cancel(info.workspace, job.id)
    until(info.workspace, job.id, lambda j: j.state not in ACTIVE_STATES)
    lap("cancelled", began)
    if before.engine_job is not None:
        while engines.engine(executor).look(before.engine_job)[0] is engines.Seen.THERE:
            time.sleep(0.05)
        lap("gone", began)
    began = time.monotonic()
    executors.resume(info.workspace, job.id)
    now = until(info.workspace, job.id, trains)
    lap("on again", began)
    assert now.metrics["epoch"] >= before.metrics["epoch"] > 1
    began = time.monotonic()
    os.kill(now.pid or 0, signal.SIGKILL)
    until(info.workspace, job.id, lambda j: trains(j) and j.pid != now.pid)
    lap("after kill -9", began)
    executors.cancel(info.workspace, job.id)
    until(info.workspace, job.id, lambda j: j.state not in ACTIVE_STATES)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engines", default="local,slurm,ray")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    os.environ.pop("LNL_DATABASE_URL", None)
    start = {"local": nullcontext, "slurm": real.slurm, "ray": real.ray}
    table = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for executor in options.engines.split(","):
        with start[executor](), tempfile.TemporaryDirectory() as home:
            ws = open_workspace(home)
            info = catalog.add_demo(ws, catalog.DIGITS)
            laps = [once(info, executor) for _ in range(options.repeats)]
            time.sleep(6)  # a worker of this machine ends after a few idle seconds
        table[executor] = {
            key: round(statistics.median(each[key] for each in laps), 2) for key in laps[0]
        }
        table[executor]["load"] = round(os.getloadavg()[0], 1)
        print(executor, table[executor], flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
