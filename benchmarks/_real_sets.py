"""The sets of `real.py`: photographs, cuts, small, odd and shipped ones, with what was judged."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _data, _drawn, _odd
from lnl_core.data import importers
from lnl_core.learning import features as representation
from lnl_core.methods import default_runs
from lnl_core.store import arrays
from lnl_core.types import LabeledDataset, usual_representation

REPO = Path(__file__).resolve().parents[1]
COLUMNS = ("aggre", "random1", "worse")
RATIOS = (10, 50, 100)
NO_CLASS = ("Not sure", "Other", "Skip")
SIDE, DESK_SIDE = 192, 128


@dataclasses.dataclass(frozen=True)
class Case:
    """A set, the rows of it that are judged, and what is true of them."""

    name: str
    dataset: LabeledDataset
    features: np.ndarray
    judged: np.ndarray  # (j,) rows
    truth: np.ndarray  # (j,) true labels, -1 where only that the given one is wrong is known
    wrong: np.ndarray  # (j,) bool
    recipe: tuple[str, ...] = ()  # runs that are asked for beside those of the command line
    drawn: _drawn.Drawn | None = None  # how it was judged; None: all of it was
    vague: tuple[int, ...] = ()  # rows about which no one can say


def clothing(folder: Path, work: Path, side: int = SIDE) -> Case:
    """Read the clothing photographs, without the labels that are no classes."""
    name = "clothing" if side == SIDE else f"clothing-{side}"
    kept = [row for row in _drawn.rows(folder / "list.csv") if row["label"] not in NO_CLASS]
    if not (work / name / "images.npy").is_file():
        with tempfile.TemporaryDirectory() as temporary:
            source = Path(temporary) / "clothing.csv"
            with source.open("w", newline="") as file:
                csv.writer(file).writerows(
                    [("path", "label"), *((row["image"], row["label"]) for row in kept)]
                )
            importers.import_source(source, name, work / name, root=folder, size=side)
    names = tuple(arrays.read_json(work / name / "meta.json")["class_names"])
    given = np.asarray(arrays.read_array(work / name / "given_labels.npy"), np.int64)
    images = arrays.read_array(work / name / "images.npy")
    ids = [row["image"] for row in kept]
    dataset = LabeledDataset(name, names, given, ids, images)
    place = {image: row for row, image in enumerate(ids)}
    looked = [row for row in _drawn.rows(folder / "checked.csv") if row["image"] in place]
    checked = [row for row in looked if row["verdict"] != "ambiguous"]
    vague = tuple(place[row["image"]] for row in looked if row["verdict"] == "ambiguous")
    judged = np.array([place[row["image"]] for row in checked])
    wrong = np.array([row["verdict"] == "wrong" for row in checked])
    better = [row["better_label"] for row in checked]
    truth = np.array([names.index(name) if name in names else -1 for name in better])
    truth[~wrong] = given[judged][~wrong]
    seen, how = features_of(work, dataset), _drawn.drawn(looked, len(ids))
    return Case(name, dataset, seen, judged, truth, wrong, drawn=how, vague=vague)


def features_of(work: Path, dataset: LabeledDataset) -> np.ndarray:
    kind = usual_representation(*dataset.images.shape[1:3])
    return np.asarray(
        representation.cached(work / f"{dataset.name}-features", dataset, kind, "cpu")
    )


def known(name: str, dataset: LabeledDataset, features: np.ndarray) -> Case:
    """Make a case of a set whose truth is known for every image."""
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    return Case(name, dataset, features, np.arange(len(truth)), truth, truth != given)


def part(dataset: LabeledDataset, rows: np.ndarray, **changed: Any) -> LabeledDataset:
    """Return some rows of a set."""
    values = {
        "given_labels": np.asarray(dataset.given_labels)[rows],
        "true_labels": np.asarray(dataset.true_labels)[rows],
        "ids": [str(row) for row in rows],
        "images": dataset.images[rows],
    }
    return dataclasses.replace(dataset, **(values | changed))


def long_tail(labels: np.ndarray, ratio: float, seed: int, largest: int = 800) -> np.ndarray:
    """Choose rows so that class sizes fall from `largest` by `ratio`, classes in random order."""
    rng = np.random.default_rng(seed)
    k = int(labels.max()) + 1
    rows = []
    for place, label in enumerate(rng.permutation(k)):
        size = max(1, round(largest * ratio ** (-place / (k - 1))))
        rows.append(rng.permutation(np.flatnonzero(labels == label))[:size])
    return np.sort(np.concatenate(rows))


def cases(options: argparse.Namespace, seed: int) -> Iterator[Case]:
    """Give every case of the sets asked for; cuts are drawn by the seed."""
    if "shipped" in options.sets:
        yield from shipped(options.work)
    if "clothing" in options.sets:
        for side in (SIDE, DESK_SIDE):
            yield clothing(options.data / "clothing", options.work, side)
    planted = (_odd.demo_digits(), *_odd.planted(seed)) if "planted" in options.sets else ()
    for each in planted:
        found = known(each.name, each, features_of(options.work, each))
        name = each.name.removesuffix(f"-{seed}")
        recipe = tuple(default_runs(*each.images.shape[1:]))
        yield dataclasses.replace(found, name=name, recipe=recipe)
    if not set(options.sets) - {"clothing", "shipped", "planted"}:
        return
    whole = {c: _data.noisy_images(options.data / "cifar10n_dev.npz", c) for c in COLUMNS}
    first = dataclasses.replace(whole["aggre"], name="cifar")
    seen = features_of(options.work, first)
    for ratio in RATIOS if "cuts" in options.sets else ():
        for column, dataset in whole.items():
            for by in ("true", "given"):
                labels = dataset.true_labels if by == "true" else dataset.given_labels
                rows = long_tail(np.asarray(labels), ratio, seed)
                yield known(f"{by}-{column}-{ratio}", part(dataset, rows), seen[rows])
    if "balanced" in options.sets:
        for column, dataset in whole.items():
            yield known(f"balanced-{column}", dataset, seen)
    if "small" in options.sets:
        yield from small(whole["random1"], seen, options.work)
    if "odd" in options.sets:
        yield from odd(whole["random1"], seen, options)


def odd(dataset: LabeledDataset, seen: np.ndarray, options: argparse.Namespace) -> Iterator[Case]:
    """Give what was imported from files, each with its default recipe, and 1,000 classes."""
    for each in _odd.sets(options.data, options.work):
        found = known(each.name, each, features_of(options.work, each))
        yield dataclasses.replace(found, recipe=tuple(default_runs(*each.images.shape[1:])))
    rows, truth, given = _odd.thousand_classes(dataset, seen)
    names = tuple(f"{name} {i}" for name in dataset.class_names for i in range(_odd.GROUPS))
    many = part(dataset, rows, given_labels=given, true_labels=truth, class_names=names)
    yield known("odd-1000-classes", many, seen[rows])


def shipped(work: Path) -> Iterator[Case]:
    """Give two skewed sets that come with the repository and with scikit-learn."""
    photographs = REPO / "assets" / "clothing"
    dataset = _odd.imported("shipped-clothing", work, lambda _: photographs / "list.csv")
    rows_of = {row["image"]: row for row in _drawn.rows(photographs / "list.csv")}
    told = np.array([rows_of[image]["verdict"] for image in dataset.ids])
    judged = np.flatnonzero((told == "right") | (told == "wrong"))
    place = {name: label for label, name in enumerate(dataset.class_names)}
    right = [rows_of[image]["true_label"] for image in dataset.ids]
    truth = np.array([place.get(right[row], -1) for row in judged])
    wrong, seen = told[judged] == "wrong", features_of(work, dataset)
    vague = tuple(np.flatnonzero(told == "ambiguous").tolist())
    name, how = "shipped-clothing", _drawn.DEMO
    yield Case(name, dataset, seen, judged, truth, wrong, drawn=how, vague=vague)
    digits, _ = _data.digits("digits-symmetric-10", 0)
    rows = long_tail(np.asarray(digits.given_labels), 40, 0, largest=120)
    skewed = part(dataclasses.replace(digits, name="shipped-digits"), rows)
    yield known("shipped-digits", skewed, features_of(work, skewed))


def small(dataset: LabeledDataset, seen: np.ndarray, work: Path) -> Iterator[Case]:
    """Give small and odd sets."""
    rng = np.random.default_rng(0)
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    right = rng.permutation(np.flatnonzero(truth == given))
    for n in (20, 60, 300):
        rows = np.sort(right[:n])
        yield known(f"small-clean-{n}", part(dataset, rows), seen[rows])
    rows = np.sort(rng.permutation(len(truth))[:300])
    yield known("small-300", part(dataset, rows), seen[rows])
    counts = (1, 2, 3, 4, 30, 30, 30, 40, 60, 100)
    rows = np.concatenate([right[given[right] == c][:n] for c, n in enumerate(counts)])
    yield known("small-classes-of-1-to-4", part(dataset, rows), seen[rows])
    rows = np.flatnonzero(np.isin(truth, (3, 5)) & np.isin(given, (3, 5)))[:300]
    yield known("small-two-classes", part(dataset, rows), seen[rows])
    rows = np.sort(right[:1000])
    labels = given[rows].copy()
    moved = rng.permutation(np.flatnonzero(labels == 3))[:40]
    labels[moved] = 5  # dogs hold all the errors
    yield known("small-one-bad-class", part(dataset, rows, given_labels=labels), seen[rows])
    noisy, _ = _data.digits("digits-symmetric-10", 0)
    noisy = part(dataclasses.replace(noisy, name="digits"), np.arange(300))
    yield known("small-digits", noisy, features_of(work, noisy))
