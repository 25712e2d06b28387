"""What is a network that knows images worth under each method, alone and in the default recipe?

    python benchmarks/known_networks.py --out benchmarks/results/known_networks.json

Photographs with people's own labels (CIFAR-10N), the first `--images` of them. Each method that
trains on pixels at its quick knobs with `backbone=lite0-96`, which makes them short; `finetune`,
that network under plain cross-entropy, beside them. Then the default recipe of photographs (probe,
jump@pretrained, finetune) with each of them in the place of `finetune`, and beside it, through the
product's own ranking. AP of "the label is wrong", AUROC, fix = share of wrong labels for which the
suggestion is the true label, CPU s of one thread. Results are written after each run; a second call
goes on where the first one stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, _real_sets, detection  # noqa: E402
from lnl_core.methods import METHODS, taught  # noqa: E402
from lnl_core.review import consensus  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import LabeledDataset, Signals  # noqa: E402

NETWORK = "lite0-96"
METHODS_ON_IT = ("finetune", "influence", "sr", "jump", "hnml")
HEADS = ("probe", "jump@pretrained")


def trained(key: str, dataset: LabeledDataset, seed: int) -> tuple[Signals, float]:
    """Run one method on the network, as the worker would; return its signals and CPU seconds."""
    from lnl_core.jobs import knobs
    from lnl_core.jobs.context import LocalContext

    n, height, width, _ = dataset.images.shape
    asked = {} if key == "finetune" else {"backbone": NETWORK}
    k, size = len(dataset.class_names), max(height, width)
    config = knobs.config_for(key, "quick", asked, n, k, size, "pixels")
    context = LocalContext("cpu", seed, features=None, representation="pixels", maps=None)
    before = detection.cpu_seconds()
    unseen = dataclasses.replace(dataset, true_labels=None)
    found = METHODS[key].fit(unseen, config, context)
    return Signals(key, found.suspicion, detection.dense(found)), detection.cpu_seconds() - before


def measures(dataset: LabeledDataset, few: list[Signals]) -> dict[str, float]:
    """Return AP, AUROC and right suggestions of some runs, ranked as the product does."""
    given, k = np.asarray(dataset.given_labels), len(dataset.class_names)
    ranking = consensus.rank(few, given, k, None, taught(each.method for each in few))
    row = detection.scores(dataset, ranking.suspicion, ranking.top_labels[:, 0])
    return {name: row[name] for name in ("ap", "auroc", "fix")}


def run(dataset: LabeledDataset, seed: int, work: Path, rows: dict[str, Any], keep: Any) -> None:
    """Fill the rows of one set of labels and one seed."""
    task = argparse.Namespace(preset="quick", device="cpu")
    features = _real_sets.features_of(work, dataset)
    said, place = {}, work / "known" / f"{dataset.name}-{len(dataset)}-{seed}"
    for key in (*HEADS, *METHODS_ON_IT):
        if not (place / key / "signals.json").is_file():
            print(f"{dataset.name}, seed {seed}: {key} ...", flush=True)
            if key in HEADS:
                said[key], _ = detection.fit(key, dataset, task, seed, lambda _: features, None)
                spent = None
            else:
                said[key], spent = trained(key, dataset, seed)
            arrays.save_signals(place / key, said[key])
            if spent is not None:
                rows[key] = measures(dataset, [said[key]]) | {"cpu_seconds": round(spent, 1)}
                keep()
        said[key] = arrays.load_signals(place / key)
    heads, plain = [said[key] for key in HEADS], said["finetune"]
    for key in METHODS_ON_IT:
        rows[f"recipe with {key}"] = measures(dataset, [*heads, said[key]])
        if key != "finetune":
            rows[f"recipe and {key}"] = measures(dataset, [*heads, plain, said[key]])
    keep()


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", nargs="+", default=["random1"])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path)
    options = _out.parse(parser, arguments, grows=True)
    stored: dict[str, Any] = {}
    if options.out is not None and options.out.is_file():
        stored = arrays.read_json(options.out)

    def keep() -> None:
        if options.out is not None:
            arrays.write_json(options.out, stored)

    for name in options.labels:
        whole = _data.noisy_images(options.data, name)
        some = np.arange(min(options.images, len(whole)))
        dataset = dataclasses.replace(
            _real_sets.part(whole, some), name=f"known-{name}-{len(some)}"
        )
        wrong = np.asarray(dataset.given_labels) != np.asarray(dataset.true_labels)
        for seed in options.seeds:
            of = stored.setdefault(name, {}).setdefault(str(seed), {})
            of |= {"n": len(dataset), "noise": round(float(wrong.mean()), 4)}
            rows = of.setdefault("rows", {})
            run(dataset, seed, options.work, rows, keep)
            print(f"\n{name}, seed {seed}: {len(dataset)} images, {100 * of['noise']:.1f} % wrong")
            for title, row in rows.items():
                cells = "".join(f"{value:>10}" for value in row.values())
                print(f"{title:24}{cells}")


if __name__ == "__main__":
    main()
