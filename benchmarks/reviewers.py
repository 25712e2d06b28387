"""Let eight scripted reviewers fetch and answer at once; print what is doubled, lost, and how slow.

    python benchmarks/reviewers.py --rows 200000 --reviewers 8

Each reviewer does what a browser makes the Review page do: it fetches the next images before it
answers any, answers a few, stores them, fetches again, at a pace of `--pace` seconds per image
(people need two). All are threads of one process, as sessions of one server are, or with
`--processes` a process each. `--url` names a PostgreSQL database; else it is SQLite. The baseline
in the same run fetches without leases and works out the numbers of a moment in a fetch, as before.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _desk, _out  # noqa: E402


def make(home: Path, rows: int, answered: int) -> None:
    """Write a scored set of ten classes, some of which has been answered before."""
    from lnl_core.store import arrays, datasets, decisions
    from lnl_core.store.db import open_workspace
    from lnl_core.types import Action, Decision, Ranking

    rng = np.random.default_rng(0)
    given = rng.integers(0, 10, rows, dtype=np.int32)
    info = _desk.register(home, given, [f"class {c}" for c in range(10)])
    p_wrong = rng.beta(0.3, 3, rows).astype(np.float32)
    p_wrong = np.clip(p_wrong, 0.001, 0.999)
    top = (given[:, None] + np.arange(1, 4)) % 10
    ranking = Ranking(
        methods=("probe",),
        weights={"probe": 1.0},
        suspicion=p_wrong,
        p_wrong=p_wrong,
        suggested_labels=top[:, 0].astype(np.int32),
        top_labels=top.astype(np.int32),
        top_probs=np.full((rows, 3), 0.33, np.float32),
        order=np.argsort(-p_wrong, kind="stable"),
        noise_rate=float(p_wrong.mean()),
        transition_matrix=np.full((10, 10), 0.1),
    )
    arrays.save_ranking(info.directory / "ranking", ranking, {})
    before = [Decision(int(r), Action.KEEP, "before") for r in ranking.order[::3][:answered]]
    for start in range(0, len(before), 5000):
        decisions.append(info, before[start : start + 5000])
    datasets.dataset(open_workspace(home), info.name)


def review(home: Path, number: int, options: Any, leases: bool, gate: Any) -> dict[str, list]:
    """Fetch and answer until a share is done; return the (wall, CPU) seconds of each call."""
    from lnl_core.services.review import desk
    from lnl_core.services.review.recording import record
    from lnl_core.store import datasets
    from lnl_core.store.db import open_workspace

    (info,) = datasets.datasets(open_workspace(home, options.url))
    who, luck = f"reviewer {number}", random.Random(number)
    tab = who if leases else None
    times: dict[str, list[tuple[float, float]]] = {"open": [], "fetch": [], "store": []}
    asked: list[int] = []

    def timed(name: str, call: Any) -> Any:
        start, spent = time.perf_counter(), time.thread_time()
        found = call()
        times[name].append((time.perf_counter() - start, time.thread_time() - spent))
        return found

    desk.review_state(info, who, limit=60)  # what a process opens once
    gate.wait()
    state = timed("open", lambda: desk.review_state(info, who, limit=60, tab=tab))  # all at once
    while len(asked) < options.answers and state.items:
        some = state.items[: luck.randint(1, 5)]
        time.sleep(len(some) * options.pace * luck.uniform(0.5, 1.5))
        answers = [_answer(f"{number}-{len(asked)}-{item['row']}", item) for item in some]
        timed("store", lambda a=answers: record(info, who, a))
        asked += [item["row"] for item in some]
        state = timed("fetch", lambda: desk.review_state(info, who, limit=60, tab=tab))
    return times | {"answered": asked}


def _answer(cid: str, item: dict[str, Any]) -> dict[str, Any]:
    """Return what a browser sends: that a label is right, or a class where none is shown."""
    said = {"action": "relabel", "label": 0} if item.get("blind") else {"action": "keep"}
    return {"cid": cid, "row": item["row"], "look": item["look"], "ms": 2000} | said


def _threads(home: Path, options: Any, leases: bool) -> list[dict[str, list]]:
    gate, found = threading.Barrier(options.reviewers), []

    def one(number: int) -> None:
        found.append(review(home, number, options, leases, gate))

    many = [threading.Thread(target=one, args=(i,)) for i in range(options.reviewers)]
    for each in many:
        each.start()
    for each in many:
        each.join()
    return found


def _in_process(home: Path, number: int, options: Any, leases: bool, gate: Any, out: Any) -> None:
    out.put(review(home, number, options, leases, gate))


def _processes(home: Path, options: Any, leases: bool) -> list[dict[str, list]]:
    spawn = multiprocessing.get_context("spawn")
    gate, out = spawn.Barrier(options.reviewers), spawn.Queue()
    many = [
        spawn.Process(target=_in_process, args=(home, i, options, leases, gate, out))
        for i in range(options.reviewers)
    ]
    for each in many:
        each.start()
    found = [out.get() for _ in many]
    for each in many:
        each.join()
    return found


def measure(options: Any, leases: bool) -> dict[str, Any]:
    """Make a set, let everybody review it, and count."""
    from lnl_core.services import lately
    from lnl_core.store import datasets, decisions, looks
    from lnl_core.store.db import dispose, open_workspace

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:  # threads may write
        home = Path(place)
        make(home, options.rows, options.before)
        cpu = time.process_time()
        found = (_processes if options.processes else _threads)(home, options, leases)
        lately.idle()
        cpu = time.process_time() - cpu
        ws = open_workspace(home, options.url)
        (info,) = datasets.datasets(ws)
        stored = [row for _, row, who, _ in decisions.log(info) if who != "before"]
        looked = len(looks.every(info))
        dispose(ws)
        datasets.remove(info) if options.url else None
    sent = [row for each in found for row in each["answered"]]
    line: dict[str, Any] = {
        "leases": leases,
        "answers": len(stored),
        "images": len(set(stored)),
        "doubled": len(stored) - len(set(stored)),
        "hidden_looks": looked,
        "lost": len(sent) - len(stored) - looked,
        "cpu_seconds": round(cpu, 1),
    }
    for what in ("open", "fetch", "store"):
        spent = 1000 * np.array([each for one in found for each in one[what]])  # (calls, 2)
        for name, column in zip(("wall", "cpu"), spent.T, strict=True):
            line[f"{what}_{name}_ms_median"] = round(float(np.median(column)), 1)
            line[f"{what}_{name}_ms_p95"] = round(float(np.quantile(column, 0.95)), 1)
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--reviewers", type=int, default=8)
    parser.add_argument("--answers", type=int, default=100, help="of each reviewer")
    parser.add_argument("--before", type=int, default=5_000, help="answers that are there already")
    parser.add_argument("--pace", type=float, default=0.25, help="seconds per image")
    parser.add_argument("--processes", action="store_true")
    parser.add_argument("--url", help="of an empty PostgreSQL database")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/reviewers.json")
    options = _out.parse(parser)
    if options.url:
        os.environ["LNL_DATABASE_URL"] = options.url  # where the set is registered, too
    lines = [measure(options, leases) for leases in (False, True)]
    said = {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}
    del said["out"], said["url"]
    found = said | {"database": "postgresql" if options.url else "sqlite", "lines": lines}
    print(json.dumps(found, indent=1))
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
