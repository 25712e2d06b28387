"""How well do methods and their consensus find real wrong labels, and at what cost?

    python benchmarks/detection.py --labels aggre random1 --out benchmarks/results/detection.json

    python benchmarks/detection.py --labels digits-symmetric-20 digits-pair-40 --seeds 0 1 2

A method is a key, or key@features for its head on frozen features (jump@pretrained); probe@ce is
out-of-fold regression on the features of the network that ce trained. For each set
of given labels: every method alone, the consensus of all of them, of those that train on pixels
from scratch and of those on features, and, in the same run on the same images, cleanlab's
self-confidence on the same features (5-fold logistic regression), the mean of ranks and a random
order. The truth is used for scoring only. Ties count by expectation. Results are written after
each method; a second call goes on where the first one stopped, and --again names what to repeat.

Columns: AUROC; AP average precision; P@k precision at k = number of wrong labels; R20 share of the
wrong labels inside the 20 % most suspicious; effort = effort-AUC; fix = suggestion is the true
label, on wrong labels, the given class excluded; acc = most probable class is the true one, over
all images of the set; test = the same by the trained network on images held out (digits only);
CPU s of all threads, features not included (their own row). A consensus lists the sum of what it
is made of, features included once. Over several seeds: means, and the deviation of AP.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out  # noqa: E402
from lnl_core.review import consensus, metrics, trust  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import (  # noqa: E402
    REFUSED,
    LabeledDataset,
    Ranking,
    Signals,
    usual_representation,
)

COLUMNS = ("auroc", "ap", "p_at_k", "r20", "effort", "fix", "acc", "test", "cpu_seconds")
HEADINGS = ("AUROC", "AP", "P@k", "R20", "effort", "fix", "acc", "test", "CPU s")

CITED = {  # cleanlab 2.9 on a small network's 5-fold probabilities, measured once, not in this run
    "aggre": {"auroc": 0.871, "ap": 0.492, "p_at_k": 0.495, "r20": 0.706, "cpu_seconds": 183},
    "random1": {"auroc": 0.880, "ap": 0.674, "p_at_k": 0.597, "r20": 0.629, "cpu_seconds": 189},
    "worse": {"auroc": 0.839, "ap": 0.797, "p_at_k": 0.701, "r20": 0.419, "cpu_seconds": 200},
}

CLEANLAB = "cleanlab, same features"

HEADS = ("jump", "sr", "ce", "influence")
METHODS_HERE = ("probe", "knn", "dmlp", *(f"{key}@pretrained" for key in HEADS), "hnml", "ce")
METHODS_HERE = (*METHODS_HERE, "probe@ce", "sr", "jump", "confident", "aum", "finetune")
"""What runs without --methods; on digits the heads take the pixels as features, and what ImageNet
taught is left out (`finetune`)."""

FRUGAL = (("ce", "probe@ce", "jump"), ("probe", "jump@pretrained", "finetune"))
"""From scratch, and with pretrained features: within three times the processor time, features
included, of cleanlab on five folds of a small network."""


def cpu_seconds() -> float:
    """Return what this process, its threads and its ended children have used so far."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def best_other(probs: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return (n,) the likeliest class other than the given one."""
    probs = np.array(probs, dtype=np.float64)
    probs[np.arange(len(given)), given] = -1
    return probs.argmax(axis=1)


def scores(dataset: LabeledDataset, suspicion: np.ndarray, suggested: Any = None) -> dict[str, Any]:
    """Return every measure of one ranking; `fix` is None for a method without suggestions."""
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    wrong = truth != given
    found = {
        "auroc": metrics.auroc(wrong, suspicion),
        "ap": metrics.average_precision(wrong, suspicion),
        "p_at_k": metrics.precision_at(wrong, suspicion),
        "r20": metrics.recall_at(wrong, suspicion, 0.2),
        "effort": metrics.effort_auc(wrong, suspicion),
        "fix": None,
    }
    if suggested is not None:
        found["fix"] = metrics.suggestion_accuracy(wrong, suggested, truth)
    return {key: None if value is None else round(value, 4) for key, value in found.items()}


def curve(wrong: np.ndarray, suspicion: np.ndarray, points: int = 200) -> dict[str, np.ndarray]:
    """Return recall and precision along the reviews, for the plot."""
    found = metrics.found_after(wrong, suspicion)
    at = np.unique(np.geomspace(min(10, len(found)), len(found), points).astype(int))
    return {"x": np.round(found[at - 1] / wrong.sum(), 4), "y": np.round(found[at - 1] / at, 4)}


def split(name: str, dataset: LabeledDataset) -> tuple[str, str]:
    """Read `key@representation`; without one, pixels or the features usual for the image size."""
    from lnl_core.methods import METHODS

    key, _, chosen = name.partition("@")
    if chosen:
        return key, chosen
    if "features" in METHODS[key].needs:
        return key, usual_representation(*dataset.images.shape[1:3])
    return key, "pixels"


def knobs(key: str, representation: str, dataset: LabeledDataset, preset: str) -> Any:
    """Return a method's config for this data set."""
    from lnl_core.methods import METHODS

    kind = METHODS[key].config
    n, height, width, _ = dataset.images.shape
    if representation != "pixels" and hasattr(kind, "on_features"):
        return kind.on_features(preset, n, len(dataset.class_names))
    return kind.preset(preset, n, len(dataset.class_names), max(height, width))


def fit(
    name: str,
    dataset: LabeledDataset,
    options: argparse.Namespace,
    seed: int,
    features: Callable[[str], Any],
    held_out: LabeledDataset | None,
) -> tuple[Signals, dict[str, Any]]:
    """Run one method as the worker would, without showing it the truth."""
    from lnl_core.jobs.context import LocalContext
    from lnl_core.methods import METHODS

    key, representation = split(name, dataset)
    method, config = METHODS[key], knobs(key, representation, dataset, options.preset)
    ready = None if representation == "pixels" else features(representation)
    takes_maps = "maps" in method.needs or getattr(config, "representation", "") == "maps"
    context = LocalContext(
        options.device,
        seed,
        features=ready,
        representation=representation,
        maps=(lambda: features("maps")) if takes_maps or key == "hnml" else None,
    )
    began, before = time.perf_counter(), cpu_seconds()
    signals = method.fit(dataclasses.replace(dataset, true_labels=None), config, context)
    cost = {
        "cpu_seconds": round(cpu_seconds() - before, 1),
        "seconds": round(time.perf_counter() - began, 1),
        "config": dataclasses.asdict(config),
    }
    if held_out is not None and "network" in context.kept:
        cost["test"] = round(test_accuracy(context.kept["network"], held_out, options.device), 4)
    kept = signals.features if representation == "pixels" else None
    extras = {key: each for key, each in signals.extras.items() if key == REFUSED}
    return Signals(name, signals.suspicion, signals.pred_probs, kept, extras=extras), cost


def test_accuracy(kept: Any, held_out: LabeledDataset, device: str) -> float | None:
    """Return how often a kept network of pixels is right about images it never saw."""
    from lnl_core.learning import networks

    network = networks.open_network(*kept, held_out, device)
    truth = np.asarray(held_out.true_labels)
    right = [
        (logits.argmax(1).cpu().numpy() == truth[rows]) for rows, _, logits in network.predictions()
    ]
    return float(np.concatenate(right).mean())


def cleanlab_on_features(dataset: LabeledDataset, features: np.ndarray, seed: int) -> Signals:
    """cleanlab's self-confidence from out-of-fold logistic regression, the usual recipe."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    given = np.asarray(dataset.given_labels)
    x = np.asarray(features, dtype=np.float64)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6) / np.sqrt(x.shape[1])
    model = LogisticRegression(C=1 / (0.8 * len(x) * 3e-4), max_iter=200, tol=1e-3)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    probs = cross_val_predict(model, x, given, cv=folds, method="predict_proba")
    quality = get_label_quality_scores(given, probs, method="self_confidence")
    return Signals(CLEANLAB, np.clip(1 - quality, 0, 1), probs)


def mean_of_ranks(signals: list[Signals]) -> np.ndarray:
    """The naive pool: every method's normal scores, added."""
    return np.sum([trust.normal_scores(np.asarray(s.suspicion)) for s in signals], axis=0)


def groups(keys: list[str], rows: dict[str, Any]) -> dict[str, list[str]]:
    """Name the consensus rows: all methods, those from scratch, on features, knowing ImageNet."""
    from lnl_core.methods import METHODS

    maps = [key for key in keys if rows[key]["config"].get("source") == "maps"]
    of_runs = [key for key in keys if key.partition("@")[2] in METHODS]
    probing = [k for k in keys if "@" in k or k in maps or "features" in METHODS[k].needs]
    probing = [key for key in probing if key not in of_runs]
    tuned = [key for key in keys if key == "finetune"]
    scratch = [key for key in keys if key not in [*probing, *tuned]]
    named = {"consensus": keys}
    if scratch and probing:
        named["consensus, from scratch only"] = scratch
        named["consensus, features only"] = probing
        if tuned:
            named["consensus, pretrained only"] = [*probing, *tuned]
    for few in FRUGAL:
        if set(few) < set(keys):
            named[f"consensus of {', '.join(few)}"] = list(few)
    return {name: chosen for name, chosen in named.items() if len(chosen) > 1}


def mean_rows(seeds: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return method -> column -> mean over seeds, and `ap_sd`."""
    runs = [found["rows"] for found in seeds.values()]
    rows: dict[str, dict[str, Any]] = {}
    for key in runs[0]:
        several = [run[key] for run in runs if key in run]
        rows[key] = {
            column: float(np.mean(values))
            for column in COLUMNS
            if (values := [row[column] for row in several if row.get(column) is not None])
        }
        rows[key]["ap_sd"] = float(np.std([row["ap"] for row in several]))
    return rows


def print_table(name: str, seeds: dict[str, Any], cite: bool) -> None:
    found = next(iter(seeds.values()))
    told = f", mean of {len(seeds)} seeds" if len(seeds) > 1 else ""
    print(f"\n{name}: {found['n']} images, {100 * found['noise']:.1f} % wrong labels{told}")
    print(f"{'':56}" + "".join(f"{heading:>8}" for heading in HEADINGS) + f"{'AP ±':>8}")
    rows = mean_rows(seeds)
    if cite and name in CITED:
        rows["cleanlab from scratch (cited)"] = CITED[name]
    for key, row in sorted(rows.items(), key=lambda item: item[1]["ap"]):
        cells = [row.get(column) for column in (*COLUMNS, "ap_sd")]
        formats = [*["{:8.3f}"] * (len(COLUMNS) - 1), "{:8.0f}", "{:8.3f}"]
        text = [
            f.format(cell) if cell is not None else f"{'-':>8}"
            for f, cell in zip(formats, cells, strict=True)
        ]
        print(f"{key:56}" + "".join(text))
    for kind, price in found.get("features", {}).items():
        print(f"{'features ' + kind:56}" + " " * 64 + f"{price:8.0f}")
    if "consensus" in found:
        weights = ", ".join(f"{k} {w:.2f}" for k, w in found["consensus"]["weights"].items())
        print(
            f"consensus: noise rate {100 * found['consensus']['noise_rate']:.1f} %, "
            f"calibration error {found['consensus']['ece']:.3f}, weights {weights}"
        )


def plot(curves: dict[str, dict[str, dict[str, np.ndarray]]], out: Path) -> None:
    """Write precision against recall, one panel per label set, as one HTML file."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    names = list(curves)
    figure = make_subplots(cols=len(names), rows=1, subplot_titles=names, shared_yaxes=True)
    palette = ["#0b6e4f", "#c8553d", "#3a6ea5", "#8d5a97", "#d99a2b", "#5f6b6d", "#1aa6b7"]
    keys = list(dict.fromkeys(key for name in names for key in curves[name]))
    for column, name in enumerate(names, start=1):
        for key, line in curves[name].items():
            place = keys.index(key)
            look = {
                "width": 3 if key == "consensus" else 1.5,
                "color": palette[place % len(palette)],
                "dash": "solid" if place < len(palette) else "dot",
            }
            trace = go.Scatter(**line, name=key, legendgroup=key, showlegend=column == 1, line=look)
            figure.add_trace(trace, row=1, col=column)
    figure.update_xaxes(title="share of wrong labels found", range=[0, 1])
    figure.update_yaxes(title="share wrong among those seen", range=[0, 1], col=1)
    figure.update_layout(template="plotly_white", height=480, title="Finding wrong labels")
    figure.write_html(out, include_plotlyjs=True)


def run_label_set(
    name: str,
    options: argparse.Namespace,
    seed: int,
    found: dict[str, Any],
    keep: Callable[[], None],
) -> dict[str, dict[str, np.ndarray]]:
    """Fill the results of one set of given labels, method by method; return the lines to plot."""
    held_out = None
    if name.startswith("digits"):
        dataset, held_out = _data.digits(name, seed)
        work = options.work / f"{name}-{options.preset}-{seed}"
    else:
        dataset = _data.noisy_images(options.data, name)
        work = options.work / f"{options.data.stem}-{options.preset}-{seed}"
    shared = work if held_out is not None else options.work / f"{options.data.stem}-features"
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    wrong = truth != given
    found.setdefault("rows", {})
    found |= {"n": len(dataset), "noise": round(float(wrong.mean()), 4)}

    def features(kind: str) -> np.ndarray:
        from lnl_core.learning import features as representation
        from lnl_core.methods import METHODS

        if kind in METHODS:
            return np.asarray(arrays.load_signals(work / name / kind).features, np.float32)
        before = cpu_seconds()
        make = representation.cached_maps if kind == "maps" else representation.cached
        made = (
            make(shared, dataset, options.device)
            if kind == "maps"
            else make(shared, dataset, kind, options.device)
        )
        spent = round(cpu_seconds() - before, 1)
        price = shared / f"features-{kind}.json"
        if not price.is_file():
            arrays.write_json(price, {"cpu_seconds": spent})
        found.setdefault("features", {})[kind] = arrays.read_json(price)["cpu_seconds"]
        return np.asarray(made) if kind != "maps" else made

    signals: list[Signals] = []
    for key in options.methods:
        place = work / name / key
        if (
            key in options.again
            or key not in found["rows"]
            or not (place / "signals.json").exists()
        ):
            print(f"{name}, seed {seed}: {key} ...", flush=True)
            fitted, cost = fit(key, dataset, options, seed, features, held_out)
            arrays.save_signals(place, fitted)
            suggested = accuracy = None
            if fitted.pred_probs is not None:
                suggested = best_other(dense(fitted), given)
                accuracy = round(float((dense(fitted).argmax(1) == truth).mean()), 4)
            row = scores(dataset, fitted.suspicion, suggested) | {"acc": accuracy}
            found["rows"][key] = row | cost
            keep()
        signals.append(arrays.load_signals(place))
    place = work / name / "cleanlab"
    if CLEANLAB not in found["rows"] or not (place / "signals.json").is_file():
        made = features(split("probe", dataset)[1])
        before = cpu_seconds()
        base = cleanlab_on_features(dataset, made, seed)
        arrays.save_signals(place, base)
        row = scores(dataset, base.suspicion, best_other(base.pred_probs, given))
        row["acc"] = round(float((np.asarray(base.pred_probs).argmax(1) == truth).mean()), 4)
        found["rows"][CLEANLAB] = row | {"cpu_seconds": round(cpu_seconds() - before, 1)}
        keep()
    lines = {s.method: curve(wrong, s.suspicion) for s in [*signals, arrays.load_signals(place)]}
    by_key = dict(zip(options.methods, signals, strict=True))
    for title, keys in groups(options.methods, found["rows"]).items():
        some = [by_key[key] for key in keys]
        from lnl_core.methods import taught

        schooled = taught(each.method for each in some)
        ranking = consensus.rank(some, given, len(dataset.class_names), None, schooled)
        row = scores(dataset, ranking.suspicion, ranking.suggested_labels)
        found["rows"][title] = row | {"cpu_seconds": price_of(found, keys, dataset)}
        lines[title] = curve(wrong, ranking.suspicion)
        if title == "consensus":
            found["consensus"] = about(ranking, wrong)
    found["rows"]["mean of ranks"] = scores(dataset, mean_of_ranks(signals))
    shuffled = np.random.default_rng([seed, 7]).random(len(dataset))  # not the noise again
    found["rows"]["random order"] = scores(dataset, shuffled)
    keep()
    return lines


def dense(signals: Signals) -> np.ndarray:
    probs = signals.pred_probs
    return np.asarray(probs if isinstance(probs, np.ndarray) else probs.dense(slice(None)))


def about(ranking: Ranking, wrong: np.ndarray) -> dict[str, Any]:
    return {
        "weights": {key: round(weight, 3) for key, weight in ranking.weights.items()},
        "noise_rate": round(ranking.noise_rate, 4),
        "ece": round(metrics.calibration_error(wrong, ranking.p_wrong), 4),
    }


def price_of(found: dict[str, Any], keys: list[str], dataset: LabeledDataset) -> float:
    """Return CPU seconds of the methods and, once, of the features they share."""
    total = sum(found["rows"][key]["cpu_seconds"] for key in keys)
    kinds = {split(key, dataset)[1] for key in keys} | ({"maps"} if "hnml" in keys else set())
    total += sum(found.get("features", {}).get(kind, 0.0) for kind in kinds)
    return round(float(total), 1)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", nargs="+", default=["aggre", "random1"], help="label sets")
    parser.add_argument("--methods", default="", help="keys with commas; all where empty")
    parser.add_argument("--preset", default="quick", choices=["quick", "standard", "paper"])
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--again", default="", help="keys to run once more, with commas; or all")
    parser.add_argument("--cite", action="store_true", help="also print figures measured before")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lnl-detection",
        help="where signals and features are kept between calls",
    )
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/detection.json")
    options = _out.parse(parser, arguments, grows=True)
    asked = [key for key in options.methods.split(",") if key]
    again = options.again
    stored = arrays.read_json(options.out) if options.out.is_file() else {}
    same = {"preset": options.preset, "data": options.data.stem}
    if stored.get("run") != same:
        stored = {"run": same, "results": {}}

    def keep() -> None:
        arrays.write_json(options.out, stored)

    curves = {}
    for name in options.labels:
        digits = name.startswith("digits")
        keys = asked or [key for key in METHODS_HERE if not (digits and key == "finetune")]
        features = "@raw" if digits else "@pretrained"
        options.methods = [key.replace("@pretrained", features) for key in keys]
        options.again = options.methods if again == "all" else again.split(",")
        seeds = stored["results"].setdefault(name, {})
        for seed in options.seeds:
            found = seeds.setdefault(str(seed), {})
            curves[name] = run_label_set(name, options, seed, found, keep)
        print_table(name, seeds, options.cite)
    plot(curves, options.out.with_suffix(".html"))


if __name__ == "__main__":
    main()
