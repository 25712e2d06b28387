"""How true is p_wrong as answers come, and how many wrong labels does it expect to be left?

    python benchmarks/answered.py --out benchmarks/results/answered.json

`head`: the first hundred answers are of the most suspicious images, none is drawn at random, as by
somebody who works through a filter. `mixed`: as in the product, every fifth image is drawn until a
hundred, then every twentieth. What is left is judged by the labels without an answer: the
calibration error (15 bins) and what is expected over what is true, both with five added, for few
are left of some sets. Two figures tell what the error consists of: `level_known` is that of the
same chances, their odds moved alike so that they expect as many as there are; `by_luck` that of
chances which are true of every image, for bins are finite. `within` is the share of reviews in
which what is expected is within a fifth of what is left. The order is that of two cheap methods.
The numbers in `recalibration` were chosen on the first two groups, with looks at the others.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _odd, _out, _real_sets, real  # noqa: E402
from benchmarks.review import mixed  # noqa: E402
from lnl_core.methods import taught  # noqa: E402
from lnl_core.review import consensus, metrics, recalibration  # noqa: E402
from lnl_core.store import arrays  # noqa: E402

KEYS = ["probe", "knn"]
AT = {"head": (100,), "mixed": (100, 500, 800)}
GROUPS = ("people's labels", "planted digits", "unusual digits", "clothing")
MOST = 0.6
"""Share of a set that answers may cover; more leave too little to judge."""


def unusual(seed: int) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Give digits with mistakes as no kind of `data.noise` makes them: name, rows, labels."""
    demo = _odd.demo_digits()
    truth, rng = np.asarray(demo.true_labels), np.random.default_rng(seed)
    n = len(truth)
    every = np.arange(n)

    def evenly(rate: float, rows: np.ndarray) -> np.ndarray:
        labels = truth.copy()
        hit = rng.permutation(rows)[: round(rate * len(rows))]
        labels[hit] = (labels[hit] + rng.integers(1, 10, len(hit))) % 10
        return labels

    for percent in (1, 40, 50):
        labels = evenly(percent / 100, every)
        yield f"evenly {percent} %", every, labels
        yield f"evenly {percent} %, 300 images", np.sort(rng.permutation(n)[:300]), labels
    yield "a batch of 250, nine of ten wrong", every, evenly(0.9, np.arange(600, 850))
    labels = truth.copy()
    labels[rng.permutation(np.flatnonzero(truth == 8))[:60]] = 1
    labels[rng.permutation(np.flatnonzero(truth == 3))[:40]] = 5
    yield "two pairs", every, labels
    labels = truth.copy()
    dark = np.argsort(-np.asarray(demo.images, float).reshape(n, -1).mean(axis=1))[:300]
    labels[dark] = np.where(rng.random(300) < 0.6, (truth[dark] + 1) % 10, truth[dark])
    yield "dark images", every, labels


def cases(options: argparse.Namespace) -> Iterator[tuple[str, _real_sets.Case]]:
    """Give group and set."""
    if "clothing" in options.groups:
        yield "clothing", next(_real_sets.shipped(options.work))
        if (options.data / "clothing").is_dir():
            yield "clothing", _real_sets.clothing(options.data / "clothing", options.work, 128)
    if {"planted digits", "unusual digits"} & set(options.groups):
        options.sets = ["planted"]
        digits = list(_real_sets.cases(options, 0))
        if "planted digits" in options.groups:
            yield from (("planted digits", case) for case in digits)
        first = digits[0]
        for name, rows, labels in unusual(11) if "unusual digits" in options.groups else ():
            whole = dataclasses.replace(first.dataset, name=name, given_labels=labels)
            part, kept = _real_sets.part(whole, rows), first.features[rows]
            yield "unusual digits", _real_sets.known(f"unusual-{name}", part, kept)
    if "people's labels" in options.groups and (options.data / "cifar10n_dev.npz").is_file():
        options.sets = ["balanced"]
        yield from (("people's labels", case) for case in _real_sets.cases(options, 0))


def measure(case: _real_sets.Case, options: argparse.Namespace) -> dict[str, Any]:
    """Return a set's calibration error and what is expected to be left, at every moment."""
    dataset = case.dataset
    given, k = np.asarray(dataset.given_labels), len(dataset.class_names)
    heard = [real.alone(case, key, options, 0) for key in KEYS]
    ranking = consensus.rank(heard, given, k, None, taught(KEYS))
    rows, wrong = case.judged, case.wrong  # of some sets only a part was judged
    p = np.asarray(ranking.p_wrong, np.float64)[rows]
    suggested, order = np.asarray(ranking.suggested_labels)[rows], np.argsort(-p, kind="stable")
    found: dict[str, Any] = {"images": len(p), "wrong": int(wrong.sum())}
    found["before"] = _true(p, wrong, np.arange(len(p)))
    for way, counts in AT.items():
        for count in counts:
            if count > MOST * len(p):
                continue
            each = []
            for seed in range(1 if way == "head" else options.reviews):
                seen, drawn = mixed(order, seed, count)
                if way == "head":
                    seen, drawn = order[:count].tolist(), [False] * count
                at = np.array(seen)
                now = recalibration.recalibrated(
                    p, given[rows], suggested, at, wrong[at], np.array(drawn)
                )
                each.append(_true(now, wrong, np.setdiff1d(np.arange(len(p)), at)))
            found[f"{way} {count}"] = {
                name: round(float(np.mean([one[name] for one in each])), 4) for name in each[0]
            } | {"off_most": max(one["off"] for one in each)}
    return found


def _true(p: np.ndarray, wrong: np.ndarray, rest: np.ndarray) -> dict[str, float]:
    ratio = (float(p[rest].sum()) + 5) / (int(wrong[rest].sum()) + 5)
    level, luck = _levelled(p[rest], int(wrong[rest].sum())), np.random.default_rng(0)
    perfect = [luck.random(len(rest)) < level for _ in range(20)]
    figures = {
        "error": metrics.calibration_error(wrong[rest], p[rest]),
        "level_known": metrics.calibration_error(wrong[rest], level),
        "by_luck": float(np.mean([metrics.calibration_error(each, level) for each in perfect])),
        "expected": float(p[rest].sum()),
        "left": float(wrong[rest].sum()),
        "off": float(np.exp(abs(np.log(ratio)))) - 1,
        "within": float(0.8 <= ratio <= 1.2),
    }
    return {name: round(value, 4) for name, value in figures.items()}


def _levelled(p: np.ndarray, total: int) -> np.ndarray:
    """Return chances whose odds are moved alike so that they sum to what is wrong."""
    if not 0 < total < len(p):
        return np.full(len(p), float(total > 0))
    odds = logit(np.clip(p, recalibration.CLIP, 1 - recalibration.CLIP))
    return expit(odds + brentq(lambda by: float(expit(odds + by).sum()) - total, -30, 30))


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--groups", nargs="+", default=GROUPS, choices=GROUPS)
    parser.add_argument("--reviews", type=int, default=20, help="with draws of their own")
    parser.add_argument("--data", type=Path, default=_data.default_path().parent)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path, help="JSON; rows already in it are replaced")
    options = _out.parse(parser, arguments, grows=True)
    options.data, options.seeds = options.data.resolve(), [0]
    stored = arrays.read_json(options.out) if options.out and options.out.is_file() else {}
    for group, case in cases(options):
        row = stored[f"{group}: {case.name}"] = measure(case, options)
        print(f"{group}: {case.name}, {row['wrong']:,} of {row['images']:,} wrong")
        for moment, said in row.items():
            if isinstance(said, dict):
                parts = f"level known {said['level_known']:.3f}, by luck {said['by_luck']:.3f}"
                print(
                    f"  {moment:<10} error {said['error']:.3f} ({parts}), expected "
                    f"{said['expected']:,.0f} for {said['left']:,.0f}",
                    flush=True,
                )
        if options.out:
            arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
