"""Open the map of Explore with very many points in headless Chromium; print how long and how much.

    python benchmarks/embedding_plot.py --rows 10000 100000 1000000

For each size: a workspace with made-up positions, labels and a ranking (ten classes, a tenth of the
labels wrong), the app as people start it, then by script: request to painted map, wheel to sharp
picture, a loop around about a third of the points until the page says how many are inside, a click
on "Review these" until the queue is there, and the longest that the page's own thread was busy in
between. While the page opens, another client asks the server for its health: the longest that this
took says whether the server stood still. The memory is that of the app's process. Three rounds, the
median is kept.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _desk, _out  # noqa: E402

CLASSES = 10


def make(home: Path, rows: int) -> None:
    """Write a data set with one run, a ranking and a map."""

    from lnl_core.jobs.tasks import embedding
    from lnl_core.store import arrays
    from lnl_core.types import Ranking, Signals

    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, rows)
    wrong = rng.random(rows) < 0.1
    given = np.where(wrong, (truth + 1) % CLASSES, truth).astype(np.int32)
    info = _desk.register(home, given, [f"class {c}" for c in range(CLASSES)])
    p_wrong = np.where(wrong, rng.uniform(0.4, 1, rows), rng.uniform(0, 0.3, rows))
    suggested = np.where(wrong, truth, (given + 1) % CLASSES).astype(np.int32)
    top = np.stack([suggested, (given + 2) % CLASSES, (given + 3) % CLASSES], axis=1)
    arrays.save_signals(info.directory / "runs" / "1", Signals("probe", p_wrong))
    ranking = Ranking(
        methods=("probe",),
        weights={"probe": 1.0},
        suspicion=p_wrong.astype(np.float32),
        p_wrong=p_wrong.astype(np.float32),
        suggested_labels=suggested,
        top_labels=top.astype(np.int32),
        top_probs=np.tile(np.float32([0.8, 0.1, 0.05]), (rows, 1)),
        order=np.argsort(-p_wrong, kind="stable"),
        noise_rate=0.1,
        transition_matrix=0.9 * np.eye(CLASSES) + 0.1 * np.roll(np.eye(CLASSES), 1, axis=1),
    )
    arrays.save_ranking(info.directory / "ranking", ranking, {"probe": 1})
    angle = 2 * np.pi * truth / CLASSES
    positions = 6 * np.stack([np.cos(angle), np.sin(angle)], axis=1) + rng.normal(size=(rows, 2))
    fitted = min(rows, embedding.FITTED)
    embedding.write(info, embedding.Settings("pretrained"), positions.astype(np.float32), fitted)


_WATCH = """() => {
    window.longest = 0;
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) {
            window.longest = Math.max(window.longest, entry.duration);
        }
    }).observe({ type: 'longtask', buffered: true });
}"""


def browse(home: Path, port: int) -> dict[str, float]:
    """Measure one size in a server and a browser of its own."""
    from playwright.sync_api import sync_playwright

    with _desk.Server(home, port) as server:
        with sync_playwright() as play:
            browser = _desk.chromium(play)
            rounds = [_round(browser, port) for _ in range(3)]
            browser.close()
        found = {
            name: round(statistics.median(each[name] for each in rounds), 3) for name in rounds[0]
        }
        found["first_open_seconds"] = round(rounds[0]["painted_seconds"], 3)
        found["first_server_wait_ms"] = round(rounds[0]["longest_server_wait_ms"])
        return found | server.memory()


class Waits:
    """Asks the server for its health all the time; `longest` says how long it did not answer."""

    def __init__(self, port: int) -> None:
        self.url, self.longest, self.on = f"http://127.0.0.1:{port}/_stcore/health", 0.0, True
        self.thread = threading.Thread(target=self._ask, daemon=True)

    def _ask(self) -> None:
        while self.on:
            start = time.perf_counter()
            urllib.request.urlopen(self.url).read()
            self.longest = max(self.longest, time.perf_counter() - start)
            time.sleep(0.01)

    def __enter__(self) -> Waits:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.on = False
        self.thread.join()


def _round(browser: object, port: int) -> dict[str, float]:
    page = browser.new_page(viewport={"width": 1280, "height": 800})  # type: ignore[attr-defined]
    page.set_default_timeout(40_000)
    page.add_init_script(f"({_WATCH})()")
    found: dict[str, float] = {}
    with Waits(port) as waits:
        start = time.perf_counter()
        page.goto(f"http://127.0.0.1:{port}/explore")
        page.locator(".map[data-painted]").wait_for()
        found["painted_seconds"] = time.perf_counter() - start
        page.wait_for_timeout(1000)
    found["longest_server_wait_ms"] = 1000 * waits.longest
    found["longest_task_opening_ms"] = page.evaluate("window.longest")
    page.wait_for_timeout(1500)
    found["paint_ms"] = float(page.locator(".map").get_attribute("data-ms"))
    box = page.locator(".field").bounding_box()
    middle = box["x"] + 0.35 * box["width"], box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.evaluate("window.longest = 0")
    for _ in range(5):
        page.mouse.wheel(0, -60)
    for _ in range(5):
        page.mouse.wheel(0, 60)
    page.wait_for_timeout(600)
    page.evaluate("window.longest = 0")
    radius = 0.3 * min(box["width"], box["height"])
    page.mouse.move(middle[0] + radius, middle[1])
    page.mouse.down()
    for step in range(1, 49):
        turn = 2 * math.pi * step / 48
        page.mouse.move(middle[0] + radius * math.cos(turn), middle[1] + radius * math.sin(turn))
    start = time.perf_counter()
    page.mouse.up()
    page.locator(".st-key-explore_selected").get_by_text("selected").wait_for()
    found["selection_seconds"] = time.perf_counter() - start
    words = page.locator(".st-key-explore_selected").inner_text().split(" selected")[0]
    found["selected"] = int("".join(c for c in words if c.isdigit()))
    found["longest_task_selecting_ms"] = page.evaluate("window.longest")
    start = time.perf_counter()
    page.locator(".st-key-explore_primary button").click()
    page.get_by_text("Labelled").first.wait_for()
    found["to_queue_seconds"] = time.perf_counter() - start
    page.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/embedding_plot.json")
    options = _out.parse(parser)
    results = []
    for number, rows in enumerate(options.rows):
        with tempfile.TemporaryDirectory() as place:
            made = "import sys; sys.path[:0] = [sys.argv[3]]; from pathlib import Path; "
            made += "from benchmarks.embedding_plot import make; "
            made += "make(Path(sys.argv[1]), int(sys.argv[2]))"
            subprocess.run([sys.executable, "-c", made, place, str(rows), str(REPO)], check=True)
            found = {"rows": rows, "load": round(os.getloadavg()[0], 1)}
            found |= browse(Path(place), 8701 + number)
            results.append(found)
            print(json.dumps(found, indent=1), flush=True)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
