"""What does a method gain from building on another one's network, labels or features?

    python benchmarks/recipes.py --labels aggre random1 --out benchmarks/results/recipes.json
    python benchmarks/recipes.py --labels digits-pair-40 digits-instance-40

Runs each recipe through the product's queue and worker: `sr->influence` post-trains the network
of sr, `dmlp->jump` trains on the labels that dmlp purified, `ce->probe` regresses out of fold on
the features of ce's network. The rows beside them are the same methods alone. Truth is for scoring
only. Columns: AUROC and AP of the wrong labels; `fix`, the suggestion is the true label, on wrong
labels, the given class excluded; CPU s, of the row's own run and of the whole chain. Results are
kept after each run, and a second call goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, detection  # noqa: E402
from lnl_core.jobs import queue, worker  # noqa: E402
from lnl_core.services.datasets import catalog  # noqa: E402
from lnl_core.store import arrays, datasets  # noqa: E402
from lnl_core.store.db import open_workspace  # noqa: E402
from lnl_core.types import DatasetInfo, Job, JobState, LabeledDataset, Workspace  # noqa: E402

RECIPES = ("sr->influence", "ce->influence", "ce->probe", "jump", "dmlp->jump")
"""What runs without --recipes; a recipe's first method is a row of its own."""

COLUMNS = ("auroc", "ap", "fix", "cpu_seconds", "chain_cpu_seconds")
HEADINGS = ("AUROC", "AP", "fix", "CPU s", "chain")


def prepared(ws: Workspace, dataset: LabeledDataset, name: str) -> DatasetInfo:
    """Return the set in the workspace, without its truth: runs cannot even look at it."""
    if name not in [info.name for info in datasets.datasets(ws)]:
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "set.npz"
            names = np.array(dataset.class_names)
            given = np.asarray(dataset.given_labels)
            np.savez(source, images=dataset.images, labels=given, class_names=names)
            catalog.import_dataset(ws, source, name)
    return datasets.dataset(ws, name)


def run(ws: Workspace, info: DatasetInfo, recipe: str, preset: str, device: str) -> list[Job]:
    """Run one recipe in this process, or what is left of it; return its jobs, the last one last."""
    chain: list[Job] = []
    for key in recipe.split("->"):
        under = chain[-1].id if chain else None
        done = [
            job
            for job in queue.jobs(info)
            if (job.method, job.base, job.state) == (key, under, JobState.DONE)
        ]
        if not done:
            feeds = key == "probe" and under is not None  # it learns from features, not a network
            building = {"representation": f"run:{under}"} if feeds else {"base": under}
            job = queue.submit(info, key, preset, device=device, **building)
            claimed = queue.claim(ws, job.id)
            assert claimed is not None, "somebody else took the job"
            worker.run_job(ws, claimed)
            done = [queue.job(ws, job.id)]
        if done[0].state is not JobState.DONE:
            raise SystemExit(f"{key} of {recipe} {done[0].state}: {done[0].error}")
        chain.append(done[0])
    return chain


def row(info: DatasetInfo, chain: list[Job], dataset: LabeledDataset) -> dict[str, Any]:
    """Score the last run of a chain."""
    found = arrays.load_signals(info.directory / "runs" / str(chain[-1].id))
    given = np.asarray(dataset.given_labels)
    suggested = detection.best_other(detection.dense(found), given)
    spent = [float(job.cost["cpu_seconds"]) for job in chain]
    return detection.scores(dataset, np.asarray(found.suspicion), suggested) | {
        "cpu_seconds": round(spent[-1], 1),
        "chain_cpu_seconds": round(sum(spent), 1),
    }


def plot(results: dict[str, Any], out: Path) -> None:
    """Write the average precision of every row, one panel per label set, as one HTML file."""
    from plotly.subplots import make_subplots

    panels = [
        (f"{name}, {preset}", rows) for name, by in results.items() for preset, rows in by.items()
    ]
    figure = make_subplots(rows=len(panels), cols=1, subplot_titles=[title for title, _ in panels])
    for line, (_, rows) in enumerate(panels, start=1):
        colours = ["#0b6e4f" if "->" in part else "#8a929a" for part in rows]
        values = [found["ap"] for found in rows.values()]
        figure.add_bar(x=list(rows), y=values, marker_color=colours, row=line, col=1)
    figure.update_yaxes(title="average precision")
    figure.update_layout(showlegend=False, height=300 * len(panels), template="plotly_white")
    figure.write_html(out.with_suffix(".html"), include_plotlyjs=True)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", nargs="+", default=["aggre", "random1"], help="label sets")
    parser.add_argument("--recipes", default=",".join(RECIPES), help="recipes with commas")
    parser.add_argument("--preset", default="quick", choices=["quick", "standard", "paper"])
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lnl-recipes",
        help="workspace in which the runs are kept between calls",
    )
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    ws = open_workspace(options.work)
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    for name in options.labels:
        dataset = (
            _data.digits(name, 0)[0]
            if name.startswith("digits")
            else _data.noisy_images(options.data, name)
        )
        info = prepared(ws, dataset, f"{name} {options.preset}")
        rows = stored.setdefault(name, {}).setdefault(options.preset, {})
        for recipe in options.recipes.split(","):
            keys = recipe.split("->")
            for length in range(1, len(keys) + 1):
                part = "->".join(keys[:length])
                print(f"{name}: {part} ...", flush=True)
                chain = run(ws, info, part, options.preset, options.device)
                rows[part] = row(info, chain, dataset)
                if options.out:
                    arrays.write_json(options.out, stored)
        print(f"\n{name}, {options.preset}: {len(dataset)} images")
        print(f"{'':20}" + "".join(f"{heading:>8}" for heading in HEADINGS))
        for part, found in rows.items():
            cells = [f"{found[c]:8.3f}" for c in COLUMNS[:3]]
            cells += [f"{found[c]:8.0f}" for c in COLUMNS[3:]]
            print(f"{part:20}" + "".join(cells), flush=True)
    if options.out:
        plot(stored, options.out)


if __name__ == "__main__":
    main()
