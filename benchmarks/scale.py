"""Do the methods on features stay within bounds at a million rows and a thousand classes?

    python benchmarks/scale.py --out benchmarks/results/scale.json           1,000,000 x 512, 1,000
    python benchmarks/scale.py --rows 50000 --classes 200

DMLP's purifier (weight space, no network retrained) and Influential Rank (on frozen features),
through their own `fit`, each in a process of its own, on synthetic features in a memory-mapped
file: Gaussian classes, a fifth of the labels moved to another class. Columns: wall and processor
seconds; `private MB`, the largest private memory above what the process held before the fit (pages
of the mapped features are the system's to drop and do not count); AUROC of the wrong labels; `fix`,
the suggestion is the true class, on wrong labels, the given class excluded.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _out  # noqa: E402

METHODS = ("dmlp", "influence")
CHUNK = 50_000


def write_features(folder: Path, n: int, d: int, k: int, spread: float) -> None:
    """Write features.npy (n, d) float32, given.npy and truth.npy (n,), a chunk at a time."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, k, n)
    wrong = rng.random(n) < 0.2
    given = np.where(wrong, (truth + rng.integers(1, max(k, 2), n)) % k, truth)
    centres = rng.normal(size=(k, d)).astype(np.float32) * np.float32(spread / np.sqrt(d))
    shape = (n, d)
    held = np.lib.format.open_memmap(folder / "features.npy", "w+", np.float32, shape)
    for start in range(0, n, CHUNK):
        part = truth[start : start + CHUNK]
        noise = rng.standard_normal((len(part), d), dtype=np.float32)
        held[start : start + len(part)] = centres[part] + noise
    held.flush()
    np.save(folder / "given.npy", given)
    np.save(folder / "truth.npy", truth)


def one(name: str, folder: Path, k: int, changes: dict[str, Any]) -> dict[str, Any]:
    """Fit one method in this process; return time, memory and quality."""
    from lnl_core.jobs.context import LocalContext
    from lnl_core.methods import METHODS as found
    from lnl_core.review import metrics
    from lnl_core.types import LabeledDataset, TopProbs

    given, truth = np.load(folder / "given.npy"), np.load(folder / "truth.npy")
    features = np.load(folder / "features.npy", mmap_mode="r")
    n = len(given)
    images = np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (n, 1, 1, 1))
    names = tuple(f"class {i}" for i in range(k))
    data = LabeledDataset("scale", names, given, [str(i) for i in range(n)], images)
    kind = found[name].config
    if hasattr(kind, "on_features"):
        config = kind.on_features("quick", n, k)
    else:
        config = dataclasses.replace(kind.preset("quick", n, k, 32), retrain=False)
    config = dataclasses.replace(config, **changes)
    import torch  # noqa: F401 - its import is not the method's memory

    context = LocalContext(features=features, representation="synthetic")
    with Watch() as watch:
        began, cpu = time.perf_counter(), time.process_time()
        signals = found[name].fit(data, config, context)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    wrong = given != truth
    probs = signals.pred_probs
    fix = None
    if probs is not None:
        rows = np.flatnonzero(wrong)[:20_000]
        said = probs.dense(rows) if isinstance(probs, TopProbs) else np.array(probs[rows])
        said[np.arange(len(rows)), given[rows]] = -1
        fix = round(float((said.argmax(axis=1) == truth[rows]).mean()), 4)
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "private_bytes": watch.peak - watch.before,
        "auroc": round(float(metrics.auroc(wrong, signals.suspicion)), 4),
        "fix": fix,
    }


class Watch:
    """Looks ten times a second at the private memory of this process, in bytes."""

    def __enter__(self) -> Watch:
        self.before = self.peak = private_bytes()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, private_bytes())

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.peak = max(self.peak, private_bytes())


def private_bytes() -> int:
    """Return memory that is this process's own: no mapped files."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) * 1024
    raise SystemExit("this benchmark reads /proc, which only Linux has")


def plot(results: dict[str, Any], out: Path) -> None:
    """Write time and memory by number of rows as one HTML file."""
    from plotly.subplots import make_subplots

    figure = make_subplots(cols=2, rows=1, subplot_titles=["processor seconds", "private MB"])
    for name, colour in zip(METHODS, ("#0b6e4f", "#c8553d"), strict=True):
        here = sorted((r["rows"], r) for r in results.values() if r["method"] == name)
        x = [rows for rows, _ in here]
        for column, key, scale in ((1, "cpu_seconds", 1), (2, "private_bytes", 1e6)):
            figure.add_scatter(
                x=x,
                y=[row[key] / scale for _, row in here],
                text=[f"{row['classes']} classes" for _, row in here],
                name=name,
                marker_color=colour,
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.update_xaxes(type="log", title="rows")
    figure.update_yaxes(type="log")
    figure.update_layout(template="plotly_white")
    figure.write_html(out.with_suffix(".html"), include_plotlyjs=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--spread", type=float, default=8.0, help="distance of the classes")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    parser.add_argument("--set", nargs="*", default=[], metavar="KNOB=NUMBER")
    parser.add_argument("--work", type=Path, help="folder for the features; a temporary one")
    parser.add_argument("--out", type=Path, help="JSON; a setting already in it is replaced")
    parser.add_argument("--one", choices=METHODS, help=argparse.SUPPRESS)
    options = _out.parse(parser, grows=True)
    if options.one:
        changes = {key: json.loads(value) for key, value in (one.split("=") for one in options.set)}
        print(json.dumps(one(options.one, options.work, options.classes, changes)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        work.mkdir(parents=True, exist_ok=True)
        write_features(work, options.rows, options.features, options.classes, options.spread)
        size = f"{options.rows:,} x {options.features}, {options.classes:,} classes"
        print(size)
        print(f"{'':12}{'s':>9}{'CPU s':>9}{'private MB':>12}{'AUROC':>8}{'fix':>8}")
        for name in options.methods:
            command = [sys.executable, __file__, "--one", name, "--work", str(work)]
            command += ["--classes", str(options.classes), "--set", *options.set]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
            found = json.loads(done.stdout.splitlines()[-1])
            fix = "-" if found["fix"] is None else f"{found['fix']:.3f}"
            print(
                f"{name:12}{found['seconds']:9.1f}{found['cpu_seconds']:9.1f}"
                f"{found['private_bytes'] / 1e6:12.0f}{found['auroc']:8.3f}{fix:>8}",
                flush=True,
            )
            if options.out:
                keep(options, name, found)


def keep(options: argparse.Namespace, name: str, found: dict[str, Any]) -> None:
    """Add one row to the results and draw them anew."""
    held = json.loads(options.out.read_text()) if options.out.is_file() else {}
    sizes = {"rows": options.rows, "features": options.features, "classes": options.classes}
    key = f"{name}, {options.rows} x {options.features}, {options.classes} classes"
    held[key] = {"method": name, **sizes, "set": options.set, **found}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(held, indent=1))
    plot(held, options.out)


if __name__ == "__main__":
    main()
