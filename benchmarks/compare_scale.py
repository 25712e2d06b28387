"""Open Compare on a million images and five methods; print how long until it is painted.

    python benchmarks/compare_scale.py --rows 1000000 --against ../another-checkout

Makes a synthetic workspace (sparse image file, known truth, ten classes, probabilities and ten
epochs of curves of five methods) and ranks it in a process of its own, as the worker does. Then,
for each view, a fresh server and a fresh browser: from the request until the page's frame, its
facts and every figure and table of the view are painted, and the same again. The first opening
finds no file that the page may have kept; `again` is the same page once more in the same server;
`restarted` a new server that finds what the first one kept. The baseline is the app of another
checkout (`--against`), on the same workspace in the same run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _desk, _out  # noqa: E402

CLASSES, EPOCHS = 10, 10
METHODS = ("sr", "jump", "hnml", "ce", "probe")
READY = {
    "quality": ["precision_recall", "effort", "overlap", "table"],
    "losses": ["losses_figure"],
    "agreement": ["agreement", "overlap_depth_figure"],
}
"""View -> keys of what must be painted."""


def make(home: Path, rows: int) -> None:
    """Write a data set with five finished runs and their ranking."""
    from lnl_core.review import consensus
    from lnl_core.store import arrays
    from lnl_core.types import Signals

    rng = np.random.default_rng(0)
    truth = rng.integers(0, CLASSES, rows, dtype=np.int32)
    wrong = rng.random(rows) < 0.1
    given = np.where(wrong, (truth + 1) % CLASSES, truth).astype(np.int32)
    info = _desk.register(home, given, [f"class {c}" for c in range(CLASSES)], truth)
    found = []
    for run, key in enumerate(METHODS, start=1):
        p_given = np.where(
            wrong, rng.beta(1.2, 2.5 + 0.3 * run, rows), rng.beta(4.5 - 0.3 * run, 1.1, rows)
        ).astype(np.float32)
        probs = np.repeat((1 - p_given)[:, None] / (CLASSES - 1) * 0.3, CLASSES, axis=1)
        best = np.where(wrong, truth, (given + run) % CLASSES)
        probs[np.arange(rows), best] += (1 - p_given) * 0.7
        probs[np.arange(rows), given] = p_given
        probs /= probs.sum(axis=1, keepdims=True)
        rising = np.linspace(0.5, 1, EPOCHS, dtype=np.float32)[:, None]
        curves = {}
        if key != "probe":
            curves["p_given"] = (p_given * rising).astype(np.float16)
            curves["p_other"] = ((1 - p_given) * rising).astype(np.float16)
        cost = {"seconds": 60.0 * run, "cpu_seconds": 110.0 * run, "peak_memory_bytes": 2e9,
                "images": float(rows * EPOCHS)}  # fmt: skip
        signals = Signals(key, (1 - p_given).clip(0, 1), probs, curves=curves, cost=cost)
        arrays.save_signals(info.directory / "runs" / str(run), signals)
        found.append(Signals(key, signals.suspicion, probs))
    ranking = consensus.rank(found, given, CLASSES)
    runs = {key: run for run, key in enumerate(METHODS, start=1)}
    arrays.save_ranking(info.directory / "ranking", ranking, runs)


def visit(browser: Any, server: _desk.Server, view: str) -> dict[str, float]:
    """Open a view in a new window; seconds until its frame, its facts and all figures are there.

    `server_cpu` are seconds of a core that the app used for it.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(180_000)
    start, spent = time.perf_counter(), server.cpu()
    page.goto(f"{server.url}/compare?view={view}", wait_until="commit")
    found = {}
    page.locator("h1", has_text="Compare").wait_for()
    found["title"] = time.perf_counter() - start
    shell = page.locator('[data-testid="stSkeleton"], .js-plotly-plot, .st-key-facts').first
    shell.wait_for()
    found["something"] = time.perf_counter() - start
    page.locator(".st-key-facts").wait_for()
    found["facts"] = time.perf_counter() - start
    for key in READY[view]:
        what = "[data-testid=stDataFrame] canvas" if key == "table" else f".st-key-{key} .main-svg"
        page.locator(what).first.wait_for()
    found["painted"] = time.perf_counter() - start
    found["server_cpu"] = server.cpu() - spent
    page.close()
    return {name: round(seconds, 2) for name, seconds in found.items()}


def measure(repo: Path, home: Path, port: int, views: Sequence[str]) -> dict[str, Any]:
    """Measure every view of one checkout, the caches of earlier servers removed."""
    from playwright.sync_api import sync_playwright

    found: dict[str, Any] = {}
    _once(repo, home, port, views)
    for view in views:
        for kept in home.glob("datasets/*/comparison"):
            shutil.rmtree(kept)
        server = _desk.Server(home, port, repo)
        times: dict[str, Any] = {}
        try:
            with sync_playwright() as play:
                browser = _desk.chromium(play)
                warm = browser.new_page()  # the browser's own first page, not the app's
                warm.goto(f"{server.url}/export")
                warm.locator("h1").first.wait_for(timeout=60_000)
                warm.close()
                times["first"] = visit(browser, server, view)
                times["again"] = visit(browser, server, view)
                server.end()
                server = _desk.Server(home, port, repo)
                times["restarted"] = visit(browser, server, view)
                times["ui_unshared_mb"] = server.memory()["ui_unshared_mb"]
                browser.close()
        finally:
            server.end()
        print(repo.name, view, json.dumps(times), flush=True)
        found[view] = times
    return found


def _once(repo: Path, home: Path, port: int, views: Sequence[str]) -> None:
    """Open every view once, unmeasured: an installation compiles its packages only once."""
    from playwright.sync_api import sync_playwright

    with _desk.Server(home, port, repo) as server, sync_playwright() as play:
        browser = _desk.chromium(play)
        for view in views:
            visit(browser, server, view)
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--views", nargs="+", choices=list(READY), default=list(READY))
    parser.add_argument("--against", type=Path, help="another checkout, measured as the baseline")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/compare_scale.json")
    parser.add_argument("--home", type=Path, help="keep the workspace here, and use it again")
    parser.add_argument("--make", action="store_true", help=argparse.SUPPRESS)
    options = _out.parse(parser)
    if options.make:
        return make(options.home, options.rows)
    with tempfile.TemporaryDirectory() as place:
        home = options.home or Path(place)
        if not (home / "datasets").exists():
            command = [sys.executable, __file__, "--make", "--home", str(home)]
            subprocess.run([*command, "--rows", str(options.rows)], check=True)
        found: dict[str, Any] = {
            "rows": options.rows,
            "methods": len(METHODS),
            "classes": CLASSES,
            "cores": os.cpu_count(),
        }
        if options.against:
            found["baseline"] = {"load": round(os.getloadavg()[0], 1)}
            found["baseline"] |= measure(options.against.resolve(), home, 8741, options.views)
        found["now"] = {"load": round(os.getloadavg()[0], 1)}
        found["now"] |= measure(REPO, home, 8742, options.views)
    options.out.parent.mkdir(exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
