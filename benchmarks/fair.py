"""Which method is better where everything else is the same? And where classes are rare?

    python benchmarks/fair.py recipe --labels aggre random1 worse --seeds 0 1 2
    python benchmarks/fair.py long --images 2000 --labels random1 worse --seeds 0 1 2
    python benchmarks/fair.py pairs --images 2000 --labels random1 --seeds 0
    python benchmarks/fair.py preset --images 2000 --seeds 0 1 2
    python benchmarks/fair.py rare --ratios 10 100 --seeds 0 1 2

`recipe` trains every method that learns from pixels with ONE recipe: the same network, epochs,
batches, learning rate, views and blanked square, the same moving average of the weights, and
scores averaged over the same last epochs. What makes a method that method stays: its loss, its
selection, its own second view, its schedule within the epochs. 6,000 images; 2,000 others, with
true labels, are held out. fl and gce are focal loss and generalised cross-entropy by themselves,
sr-ce, sr-fl and sr-gce the same with Sparse Regularization.

`long` is one recipe as well, of the kind that the papers train with: 60 epochs without a blanked
square, long enough for a network to learn wrong labels by heart. All else is as in `recipe`.

`pairs` puts the methods with two networks beside Jump-teaching at the recipe of `long`: Co-teaching
and JoCoR as speed.py has them, told that a fifth of the labels is wrong, and DivideMix.

`preset` trains each with the knobs of its own `standard` preset instead, on pixels: what a user
gets who lets it run for as long as it asks.

`rare` cuts the classes to an exponential tail (the largest 10 or 100 times the smallest), makes
20 % of the labels wrong evenly, and asks for accuracy on held-out images of all classes alike: the
claim of Sparse Regularization's abstract on imbalanced classes. There its numbers are those of
`setting=imbalance`.

Columns: AP of "the label is wrong", fix = the suggestion is the true label, on wrong labels, test =
accuracy on the images held out, known and learned = share of the right and of the wrong labels
that the network gives back in the epochs which score (runs of before have neither), CPU s; mean
over seeds and standard deviation. Results are written after each run; a second call goes on where
the first one stopped.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _coteaching, _data, _jocor, _out  # noqa: E402
from benchmarks._real_sets import long_tail  # noqa: E402
from benchmarks.detection import best_other, cpu_seconds, dense, test_accuracy  # noqa: E402
from lnl_core.review import metrics  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import LabeledDataset  # noqa: E402

EPOCHS, SCORED = 24, 8

PAIRS: dict[str, Any] = {"coteaching": _coteaching, "jocor": _jocor}
"""Baselines of the benchmarks alone."""

RECIPE: dict[str, Any] = {
    "backbone": "resnet8",
    "epochs": EPOCHS,
    "batch_size": 64,
    "lr": 0.2,
    "momentum": 0.9,
    "nesterov": True,
    "weight_decay": 5e-4,
    "schedule": "one_cycle",
    "clip": 5.0,
    "shift": -1,
    "flip": "auto",
    "border": "reflect",
    "cutout": 0.5,
    "rotate": 0.0,
    "jitter": 0.0,
    "resolution": 0,
    "ema_decay": 0.98,
}

LONG = RECIPE | {"epochs": 60, "cutout": 0.0}

PLAIN = {"kappa": 0.0, "tau": 1.0, "normalise": False}
"""Sparse Regularization without sharpening and penalty: the base loss alone."""

LAST = {"record_from": 1 - SCORED / EPOCHS}

ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "ce": ("ce", LAST),
    "fl": ("sr", LAST | PLAIN | {"base": "fl"}),
    "gce": ("sr", LAST | PLAIN | {"base": "gce", "q": 0.7}),
    "sr-ce": ("sr", LAST | {"base": "ce"}),
    "sr-fl": ("sr", LAST | {"base": "fl"}),
    "sr-gce": ("sr", LAST | {"base": "gce"}),
    "jump": ("jump", {"score_epochs": SCORED, "warm_up": 2 * EPOCHS // 3}),
    "hnml": ("hnml", {"source": "pixels"}),
    "influence": ("influence", {}),
}

LONG_ROWS = {
    key: (method, {"score_epochs": 20} if key == "jump" else knobs)
    for key, (method, knobs) in ROWS.items()
    if key != "hnml"
}
"""Jump-teaching warms up as its preset does at as many images; scores are of the last third, as in
`recipe`."""

PAIR_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "ce": LONG_ROWS["ce"],
    "jump": LONG_ROWS["jump"],
    "coteaching": ("coteaching", {"score_epochs": 20}),
    "jocor": ("jocor", {"score_epochs": 20}),
    "dividemix": ("dividemix", {"warm_up": 30, "ramp": 15, "score_epochs": 20}),
}
"""DivideMix's phases as parts of the epochs, as in its preset."""

RARE = {"kappa": 1.0, "tau": 0.5, "normalise": False, "growth": 4 ** (1 / EPOCHS)}
"""What the authors' script for imbalanced classes changes; lambda grows as much over our epochs."""

RARE_ROWS = {
    key: (method, knobs | (RARE if key.startswith("sr-") else {}))
    for key, (method, knobs) in ROWS.items()
    if key in ("ce", "fl", "gce", "sr-ce", "sr-fl", "sr-gce")
}

PRESET_ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "ce": ("ce", {}),
    "fl": ("sr", PLAIN | {"base": "fl"}),
    "gce": ("sr", PLAIN | {"base": "gce", "q": 0.7}),
    "sr-ce": ("sr", {"base": "ce"}),
    "sr-fl": ("sr", {"base": "fl"}),
    "sr-gce": ("sr", {"base": "gce"}),
    "jump": ("jump", {}),
    "influence": ("influence", {}),
    "hnml": ("hnml", {}),
}
"""The same methods with their own knobs."""

COLUMNS = ("ap", "fix", "test", "known", "learned", "cpu_seconds")
HEADINGS = ("AP", "fix", "test", "known", "learned", "CPU s")


def preset_of(method: str, dataset: LabeledDataset) -> Any:
    """Return a method's knobs of the preset `standard`."""
    from lnl_core.methods import METHODS

    n, height, width, _ = dataset.images.shape
    kind = METHODS[method].config
    return kind.preset("standard", n, len(dataset.class_names), max(height, width))


def one_recipe(
    method: str,
    changes: dict[str, Any],
    dataset: LabeledDataset,
    recipe: dict[str, Any] = RECIPE,
) -> Any:
    """Return a method's standard knobs with the one recipe, and with what makes the method."""
    if method in PAIRS:
        return PAIRS[method].Config(**(recipe | changes))
    start = preset_of(method, dataset)
    if method == "sr":  # its strength grows as far in the end as in its preset
        start = start.over(recipe["epochs"])
    if method == "hnml":  # its phases as parts of the epochs, as in its preset
        changes = {"warm_up": EPOCHS // 3, "ramp": EPOCHS // 5} | changes
        changes["ema_decay"] = start.ema_decay  # the teacher is the method's own
    return dataclasses.replace(start, **(recipe | changes))


def own_preset(method: str, changes: dict[str, Any], dataset: LabeledDataset) -> Any:
    """Return a method's standard knobs, with another base loss where a row has one."""
    return dataclasses.replace(preset_of(method, dataset), **changes)


def measure(
    method: str, config: Any, dataset: LabeledDataset, held_out: LabeledDataset, seed: int
) -> dict[str, Any]:
    """Train one method as the worker would, without showing it the truth; return its columns."""
    from lnl_core.jobs.context import LocalContext
    from lnl_core.methods import METHODS

    fit = PAIRS[method].fit if method in PAIRS else METHODS[method].fit
    context = LocalContext("cpu", seed, features=None, representation="pixels", maps=None)
    before = cpu_seconds()
    unseen = dataclasses.replace(dataset, true_labels=None)
    signals = fit(unseen, config, context)
    spent = cpu_seconds() - before
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    wrong = truth != given
    probs = dense(signals)
    same = probs.argmax(axis=1) == given
    suggested = best_other(probs, given)
    return {
        "ap": round(metrics.average_precision(wrong, signals.suspicion), 4),
        "fix": round(metrics.suggestion_accuracy(wrong, suggested, truth), 4),
        "test": round(test_accuracy(context.kept["network"], held_out, "cpu") or 0.0, 4),
        "known": round(float(same[~wrong].mean()), 4),
        "learned": round(float(same[wrong].mean()), 4),
        "cpu_seconds": round(spent, 1),
        "config": dataclasses.asdict(config),
    }


def part(dataset: LabeledDataset, rows: np.ndarray, given: np.ndarray) -> LabeledDataset:
    """Return some images of a set, with other given labels (n,)."""
    return dataclasses.replace(
        dataset,
        images=np.asarray(dataset.images)[rows],
        ids=[dataset.ids[row] for row in rows],
        given_labels=given,
        true_labels=np.asarray(dataset.true_labels)[rows],
    )


def halves(whole: LabeledDataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the rows to train on and 2,000 rows held out: the same for every method and label set.

    The 2,000 are the same for each seed as well, so that its deviation is the training's.
    """
    order = np.random.default_rng(20).permutation(len(whole))
    return np.random.default_rng([seed, 1]).permutation(order[2000:]), order[:2000]


def recipes(options: argparse.Namespace) -> Iterator[tuple[str, int, Any]]:
    """Yield a name, a seed and how to make its set and the one held out."""
    for seed in options.seeds:
        for label_set in options.labels:

            def make(name: str = label_set, seed: int = seed) -> Any:
                whole = _data.noisy_images(options.data, name)
                train, test = halves(whole, seed)
                rows = np.sort(train[: options.images])
                truth = np.asarray(whole.true_labels)
                return (
                    part(whole, rows, np.asarray(whole.given_labels)[rows]),
                    part(whole, test, truth[test]),
                )

            yield label_set, seed, make


def tails(options: argparse.Namespace) -> Iterator[tuple[str, int, Any]]:
    """Yield the same for imbalanced classes with even noise."""
    from lnl_core.data import noise

    for seed in options.seeds:
        for ratio in options.ratios:

            def make(ratio: int = ratio, seed: int = seed) -> Any:
                whole = _data.noisy_images(options.data, "aggre")
                truth = np.asarray(whole.true_labels)
                train, test = halves(whole, seed)
                train = np.sort(train)
                largest = int(np.bincount(truth[train]).min())
                rows = train[long_tail(truth[train], ratio, seed, largest)]
                k = len(whole.class_names)
                given = noise.inject("symmetric", truth[rows], 0.2, seed, class_count=k)
                return part(whole, rows, np.asarray(given)), part(whole, test, truth[test])

            yield f"1:{ratio}", seed, make


def print_table(name: str, seeds: dict[str, Any]) -> None:
    found = next(iter(seeds.values()))
    noise = 100 * found["noise"]
    print(f"\n{name}: {found['n']} images, {noise:.1f} % wrong, {len(seeds)} seeds")
    print(f"{'':12}" + "".join(f"{heading:>17}" for heading in HEADINGS))
    keys = dict.fromkeys(key for run in seeds.values() for key in run["rows"])
    for key in keys:
        several = [run["rows"][key] for run in seeds.values() if key in run["rows"]]
        cells = []
        for column in COLUMNS:
            values = np.array([row[column] for row in several if column in row])
            spread = f"{values.mean():.3f} ± {values.std():.3f}" if len(values) else ""
            cells.append(f"{values.mean():.0f}" if column == "cpu_seconds" else spread)
        print(f"{key:12}" + "".join(f"{cell:>17}" for cell in cells))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=["recipe", "long", "pairs", "preset", "rare"])
    parser.add_argument("--labels", nargs="+", default=["aggre", "random1", "worse"])
    parser.add_argument("--ratios", nargs="+", type=int, default=[10, 100])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--images", type=int, default=6000, help="images to train on (not rare)")
    parser.add_argument("--rows", nargs="+", default=[], help="some rows; all where empty")
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/fair.json")
    options = _out.parse(parser, arguments, grows=True)
    kinds: dict[str, tuple[dict[str, tuple[str, dict[str, Any]]], Callable[..., Any]]] = {
        "recipe": (ROWS, one_recipe),
        "long": (LONG_ROWS, functools.partial(one_recipe, recipe=LONG)),
        "pairs": (PAIR_ROWS, functools.partial(one_recipe, recipe=LONG)),
        "preset": (PRESET_ROWS, own_preset),
        "rare": (RARE_ROWS, one_recipe),
    }
    table, config_of = kinds[options.which]
    source = tails if options.which == "rare" else recipes
    stored = arrays.read_json(options.out) if options.out.is_file() else {}
    results = stored.setdefault(options.which, {})
    for name, seed, make in source(options):
        run = results.setdefault(name, {}).setdefault(str(seed), {"rows": {}})
        for key in options.rows or table:
            if key in run["rows"]:
                continue
            dataset, held_out = make()
            wrong = np.asarray(dataset.given_labels) != np.asarray(dataset.true_labels)
            run |= {"n": len(dataset), "noise": round(float(wrong.mean()), 4)}
            print(f"{name}, seed {seed}: {key} ...", flush=True)
            method, changes = table[key]
            config = config_of(method, changes, dataset)
            run["rows"][key] = measure(method, config, dataset, held_out, seed)
            arrays.write_json(options.out, stored)
    for name, seeds in results.items():
        print_table(name, seeds)


if __name__ == "__main__":
    main()
