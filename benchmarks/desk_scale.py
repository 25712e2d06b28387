"""Open the review queue of a million images in a thousand classes; print how long and how much.

    python benchmarks/desk_scale.py --rows 1000000 --classes 1000

Makes a synthetic workspace (sparse image file, top-10 probabilities of three methods), ranks it in
a process of its own as the worker does, then measures (a) the services that the Review page calls
in a fresh process and, with --browser, (b) the page itself in headless Chromium. The baseline in
the same run is the same work on 10,000 rows.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _desk, _out  # noqa: E402


def make(home: Path, rows: int, classes: int) -> None:
    """Write a data set with three finished runs, streaming in blocks."""
    from lnl_core.store import arrays
    from lnl_core.types import KEPT_CLASSES, Signals, TopProbs

    rng = np.random.default_rng(0)
    given = rng.integers(0, classes, rows, dtype=np.int32)
    info = _desk.register(home, given, [f"class {c:04d}" for c in range(classes)])
    kept = min(KEPT_CLASSES, classes)
    wrong = rng.random(rows) < 0.1
    truth = np.where(wrong, (given + 1 + rng.integers(0, classes - 1, rows)) % classes, given)
    for run, key in enumerate(("sr", "jump", "probe"), start=1):
        top = rng.integers(0, classes, (rows, kept), dtype=np.int32)
        sure = rng.random(rows) < 0.85
        top[:, 0] = np.where(sure, truth, top[:, 0])
        for column in range(1, kept):  # distinct classes along the row
            top[:, column] = (top[:, 0] + column * 7) % classes
        probs = np.sort(rng.dirichlet(np.full(kept, 0.4), rows).astype(np.float32), axis=1)[:, ::-1]
        probs = np.ascontiguousarray(probs * 0.95)
        p_given = np.where(top == given[:, None], probs, 0).sum(axis=1)
        suspicion = 1 - p_given
        arrays.save_signals(
            info.directory / "runs" / str(run),
            Signals(key, suspicion, TopProbs(top, probs, classes)),
        )


def rank(home: Path) -> None:
    """Rank as the worker does, and say how long it took."""
    from lnl_core.review import consensus
    from lnl_core.store import arrays, datasets
    from lnl_core.store.db import open_workspace

    ws = open_workspace(home)
    (info,) = datasets.datasets(ws)
    data = datasets.load(info)
    found = [arrays.load_signals(info.directory / "runs" / str(i)) for i in (1, 2, 3)]
    start = time.perf_counter()
    ranking = consensus.rank(found, np.asarray(data.given_labels), info.class_count)
    seconds = time.perf_counter() - start
    arrays.save_ranking(info.directory / "ranking", ranking, {"sr": 1, "jump": 2, "probe": 3})
    print(json.dumps({"rank_seconds": seconds, "rank_rss_mb": peak_mb()}))


def peak_mb() -> float:
    """Return the peak resident memory of this process, file-backed pages included."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def serve(home: Path) -> None:
    """Do what the Review page asks of its services, once cold and then warm."""
    from lnl_core.services.datasets import catalog
    from lnl_core.services.review import desk, evidence, recording
    from lnl_core.services.review.filtering import Filters
    from lnl_core.store import datasets
    from lnl_core.store.db import open_workspace

    times = {}

    def timed(name: str, call) -> None:
        start = time.perf_counter()
        call()
        times[name] = time.perf_counter() - start

    ws = open_workspace(home)
    timed("cards", lambda: catalog.overview(ws))  # the first page, before the queue is opened
    (info,) = datasets.datasets(ws)
    timed("open_queue", lambda: desk.review_state(info, "ann"))
    timed("open_queue_again", lambda: desk.review_state(info, "ann"))
    timed(
        "answer",
        lambda: recording.record(info, "ann", [{"cid": "1", "row": 5, "action": "keep"}]),
    )
    timed("queue_after_answer", lambda: desk.review_state(info, "ann"))
    timed(
        "class_pair",
        lambda: desk.review_state(info, "ann", filters=Filters(given=7)),
    )
    timed("page_of_twelve", lambda: desk.page_state(info, "ann"))
    timed("evidence", lambda: evidence.evidence(info, 5))
    print(json.dumps({"seconds": times, "services_rss_mb": peak_mb()}))


_PAINTED = """() => {
    const seek = (root) => {
        for (const one of root.querySelectorAll('*')) {
            const image = one.tagName === 'IMG' && one.src.includes('/full');
            if (image && one.complete && one.naturalWidth) return true;
            if (one.shadowRoot && seek(one.shadowRoot)) return true;
        }
        return false;
    };
    return seek(document);
}"""
"""True once the large picture of the review page is there and decoded."""


def browse(home: Path) -> dict[str, float]:
    """Open /review in Chromium; time from the request to the first painted image."""
    from urllib.parse import quote

    from playwright.sync_api import sync_playwright

    from lnl_core.store import datasets
    from lnl_core.store.db import open_workspace

    (info,) = datasets.datasets(open_workspace(home))
    with _desk.Server(home, 8691) as server:
        with sync_playwright() as play:
            browser = _desk.chromium(play)
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            # As people come to it: the desk is open on its first page, then the queue is opened.
            page.goto(f"{server.url}/")
            page.get_by_text(info.name).first.wait_for(timeout=60_000)
            times = []
            for _ in range(3):
                start = time.perf_counter()
                page.goto(f"{server.url}/review?dataset={quote(info.name)}")
                page.wait_for_function(_PAINTED, timeout=60_000)
                times.append(time.perf_counter() - start)
            browser.close()
        found = {"page_first_seconds": times[0], "page_again_seconds": min(times[1:])}
        return found | server.memory()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--browser", action="store_true")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/desk_scale.json")
    parser.add_argument("--step", choices=["make", "rank", "serve"], help=argparse.SUPPRESS)
    parser.add_argument("--home", type=Path, help=argparse.SUPPRESS)
    options = _out.parse(parser)
    if options.step == "make":
        return make(options.home, options.rows, options.classes)
    if options.step == "rank":
        return rank(options.home)
    if options.step == "serve":
        return serve(options.home)
    results = []
    for rows in (10_000, options.rows):
        with tempfile.TemporaryDirectory() as place:
            found = {"rows": rows, "classes": options.classes}
            for step in ("make", "rank", "serve"):
                command = [sys.executable, __file__, "--step", step, "--home", place]
                command += ["--rows", str(rows), "--classes", str(options.classes)]
                done = subprocess.run(
                    command, capture_output=True, text=True, cwd=REPO, check=False
                )
                if done.returncode:
                    raise SystemExit(done.stderr)
                if done.stdout.strip():
                    found |= json.loads(done.stdout.strip().splitlines()[-1])
            if options.browser:
                found |= browse(Path(place))
            results.append(found)
            print(json.dumps(found, indent=1))
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
