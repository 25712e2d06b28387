"""Two claims of the papers, on real people's labels: what purified labels and post-training bring.

    python benchmarks/claims.py --labels random1 worse --seeds 0 1
    python benchmarks/claims.py --labels digits-pair-40 digits-instance-40 --seeds 0 1 2

`purified` (DMLP): networks trained with the one recipe of fair.py on other labels of the same 6,000
images, judged on 2,000 held out with true labels. Labels: `given`; `purified`, by DMLP on features
of ImageNet without any confirmed image; `purified-100`, with ten confirmed images a class drawn at
random; `reviewed`, where a person who never errs answered the first 1,000 images of the queue of
`purified-100`; `right`, the true ones. Networks: plain cross-entropy, Sparse Regularization and
Jump-teaching.

`post-training` (Influential Rank): the networks trained on given labels (their row of `purified`),
after rounds of removal that refit the head alone (`head`) or refine the whole network (`network`),
with and without the same 100 confirmed images. `random` is the control: the same refining, images
taken out blindly, for more epochs alone change a network as well.

Digits with injected noise (1,297, 500 held out) are purified on their pixels and trained without a
blanked square; a sixth of them is reviewed.

Columns: labels = share of the 6,000 labels that are true, test = accuracy on the images held out,
CPU s. Results are written after each row; a second call goes on where the first one stopped.
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

from benchmarks import _data, _out, fair  # noqa: E402
from benchmarks.detection import cpu_seconds  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import BaseRun, LabeledDataset, Leaves, Signals  # noqa: E402

CONFIRMED, REVIEWED = 10, 1000
NETWORKS = {"ce": "ce", "sr": "sr-ce", "jump": "jump"}
"""Name here -> row of fair.py."""
LABELS = ("given", "purified", "purified-100", "reviewed", "right")
ROBUST_LABELS = ("given", "purified-100", "reviewed")
WAYS = ("head", "network", "random", "head-100", "network-100")
"""What Influential Rank refits after each removal, and whether 100 images are confirmed; `random`
refines the network as well, and takes images out blindly."""

CONTROL_CAP = 0.2
"""Share of the images that the control takes out: about the share of wrong labels."""


def accuracy_of(folder: Path, held_out: LabeledDataset) -> float:
    """Return how often the network that a run kept is right about images held out."""
    from lnl_core.learning import networks

    network = networks.load_network(folder, held_out, "cpu")
    truth = np.asarray(held_out.true_labels)
    right = [
        logits.argmax(1).cpu().numpy() == truth[rows] for rows, _, logits in network.predictions()
    ]
    return round(float(np.concatenate(right).mean()), 4)


class Bench:
    """One set of given labels with one seed: what trains, what judges, and what is kept between.

    Args:
        options: of the command line.
        label_set: name of the given labels.
        seed: of the draws and of every training.
        place: folder for networks and features.
    """

    def __init__(self, options: argparse.Namespace, label_set: str, seed: int, place: Path) -> None:
        self.digits = label_set.startswith("digits")
        if self.digits:
            self.train, self.held_out = _data.digits(label_set, seed)
            whole, self.rows = self.train, np.arange(len(self.train))
        else:
            whole = _data.noisy_images(options.data, label_set)
            train, test = fair.halves(whole, seed)
            self.rows = np.sort(train[: options.images])
            truth = np.asarray(whole.true_labels)
            self.train = fair.part(whole, self.rows, np.asarray(whole.given_labels)[self.rows])
            self.held_out = fair.part(whole, test, truth[test])
        self.given, self.truth = (
            np.asarray(labels) for labels in (self.train.given_labels, self.train.true_labels)
        )
        self.reviewed = min(REVIEWED, len(self.truth) // 6)
        self.side = max(self.train.images.shape[1:3])
        self.seed, self.place, self._whole = seed, place, whole
        self._purified: dict[str, Signals] = {}

    def confirmed(self) -> Any:
        """Draw ten images a class that a person has confirmed, (n,) bool."""
        drawn = np.random.default_rng([self.seed, 30]).permutation(len(self.truth))
        chosen = np.zeros(len(self.truth), bool)
        for label in range(len(self.train.class_names)):
            chosen[drawn[self.truth[drawn] == label][:CONFIRMED]] = True
        return chosen

    def with_confirmed(self) -> LabeledDataset:
        """Return the training set whose confirmed images carry their true labels."""
        chosen = self.confirmed()
        labels = np.where(chosen, self.truth, self.given)
        return dataclasses.replace(self.train, given_labels=labels, trusted=chosen)

    def purify(self, name: str) -> Signals:
        """Run DMLP on frozen features once."""
        if name not in self._purified:
            from lnl_core.jobs.context import LocalContext
            from lnl_core.learning import features
            from lnl_core.methods import METHODS

            kind = "raw" if self.digits else "pretrained"
            place = self.place if self.digits else self.place.parent / "shared"
            made = features.cached(place, self._whole, kind)
            dataset = self.with_confirmed() if name == "purified-100" else self.train
            config = METHODS["dmlp"].config.preset("quick", len(dataset), 10, self.side)
            context = LocalContext(seed=self.seed, features=made[self.rows], representation=kind)
            unseen = dataclasses.replace(dataset, true_labels=None)
            self._purified[name] = METHODS["dmlp"].fit(unseen, config, context)
        return self._purified[name]

    def labels(self, name: str) -> Any:
        """Return (n,) labels to train on."""
        if name in ("given", "right"):
            return self.given if name == "given" else self.truth
        signals = self.purify("purified-100" if name == "reviewed" else name)
        if name == "reviewed":
            answered = self.confirmed()
            answered[np.argsort(-signals.suspicion, kind="stable")[: self.reviewed]] = True
            return np.asarray(np.where(answered, self.truth, self.given))
        own = np.asarray(signals.extras[Leaves.PURIFIED_LABELS])
        return np.asarray(np.where(own >= 0, own, self.given))

    def network(self, key: str, labels: str) -> tuple[Any, float]:
        """Train a network, keep it, and return (its folder, CPU seconds)."""
        from lnl_core.jobs.context import LocalContext
        from lnl_core.methods import METHODS

        method, changes = fair.ROWS[NETWORKS[key]]
        dataset = dataclasses.replace(
            self.train, given_labels=self.labels(labels), true_labels=None
        )
        folder = self.place / f"{key}-{labels}"
        context = LocalContext(seed=self.seed, folder=folder)
        before = cpu_seconds()
        recipe = fair.RECIPE | ({"cutout": 0.0} if self.digits else {})
        METHODS[method].fit(dataset, fair.one_recipe(method, changes, dataset, recipe), context)
        return folder, cpu_seconds() - before

    def post_train(self, key: str, *, confirmed: bool, refine: str) -> tuple[Path, float]:
        """Post-train the network of `given`, keep it, and return (its folder, CPU seconds)."""
        from lnl_core.jobs.context import LocalContext
        from lnl_core.methods import METHODS

        dataset = self.with_confirmed() if confirmed else self.train
        config = METHODS["influence"].config.preset("standard", len(dataset), 10, self.side)
        # blind removal is given back at once and would end after one round: as many are set
        blind = {"refine": "network", "criterion": "random", "cap": CONTROL_CAP}
        changes = blind if refine == "random" else {"refine": refine}
        config = dataclasses.replace(config, **changes)
        base = BaseRun(1, NETWORKS[key], self.place / f"{key}-given")
        folder = self.place / f"{key}-{refine}{'-100' if confirmed else ''}"
        context = LocalContext(seed=self.seed, base=base, folder=folder)
        before = cpu_seconds()
        unseen = dataclasses.replace(dataset, true_labels=None)
        METHODS["influence"].fit(unseen, config, context)
        return folder, cpu_seconds() - before


def purified(bench: Bench, key: str, labels: str) -> dict[str, float]:
    """Train one network on one kind of labels and judge it."""
    share = float((bench.labels(labels) == bench.truth).mean())
    folder, spent = bench.network(key, labels)
    test = accuracy_of(folder, bench.held_out)
    return {"labels": round(share, 4), "test": test, "cpu_seconds": round(spent, 1)}


def post_trained(bench: Bench, key: str, name: str) -> dict[str, float]:
    """Post-train one network one way and judge it."""
    if not (bench.place / f"{key}-given").is_dir():
        bench.network(key, "given")
    refine, _, confirmed = name.partition("-")
    folder, spent = bench.post_train(key, confirmed=bool(confirmed), refine=refine)
    return {"test": accuracy_of(folder, bench.held_out), "cpu_seconds": round(spent, 1)}


def plan(networks: list[str], ways: list[str]) -> list[tuple[str, str, str]]:
    """Return (part, network, what of it) of every row."""
    rows = [
        ("purified", key, labels)
        for key in networks
        for labels in (LABELS if key == "ce" else ROBUST_LABELS)
    ]
    return rows + [("post-training", key, way) for key in networks for way in ways]


def print_table(name: str, seeds: dict[str, Any]) -> None:
    found = next(iter(seeds.values()))
    print(f"\n{name}: {found['n']} images, {len(seeds)} seeds")
    for row in dict.fromkeys(key for run in seeds.values() for key in run["rows"]):
        several = [run["rows"][row] for run in seeds.values() if row in run["rows"]]
        cells = []
        for column in ("labels", "test", "cpu_seconds"):
            values = np.array([own[column] for own in several if column in own])
            if column == "cpu_seconds" or not len(values):
                cells.append(f"{values.mean():.0f}" if len(values) else "")
            else:
                cells.append(f"{values.mean():.3f} ± {values.std():.3f}")
        print(f"{row:32}" + "".join(f"{cell:>16}" for cell in cells))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", nargs="+", default=["aggre", "random1", "worse"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=6000, help="images to train on")
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    parser.add_argument("--parts", nargs="+", default=["purified", "post-training"])
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--work", type=Path, help="keep networks here; a temporary folder if none")
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/claims.json")
    options = _out.parse(parser, arguments, grows=True)
    results = arrays.read_json(options.out) if options.out.is_file() else {}
    with tempfile.TemporaryDirectory() as fresh:
        work = options.work or Path(fresh)
        for seed in options.seeds:
            for name in options.labels:
                run = results.setdefault(name, {}).setdefault(str(seed), {"rows": {}})
                left = [
                    row
                    for row in plan(options.networks, options.ways)
                    if row[0] in options.parts and " ".join(row) not in run["rows"]
                ]
                if not left:
                    continue
                bench = Bench(options, name, seed, work / f"{name}-{seed}")
                run["n"] = len(bench.truth)
                for part, key, what in left:
                    print(f"{name}, seed {seed}: {part} {key} {what} ...", flush=True)
                    measure = purified if part == "purified" else post_trained
                    run["rows"][f"{part} {key} {what}"] = measure(bench, key, what)
                    arrays.write_json(options.out, results)
    for name, seeds in results.items():
        print_table(name, seeds)


if __name__ == "__main__":
    main()
