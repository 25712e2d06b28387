"""What does a feedback round bring: the order, and a classifier on corrected labels?

    python benchmarks/feedback.py --out benchmarks/results/feedback.json

A random cut of 2,000 photographs with labels by people, and 1,000 others to test on. A reviewer who
never errs answers the head of the queue, as deep as a quarter, half and all of the number of wrong
labels, and 200 images drawn at random. The methods then run again on the corrected labels, but for
the 200, which keep the labels that they came with and judge both orders, as the round of the desk
does (`lnl_core.services.compare.rounds`). Two hundred are few, so all images without an answer are
judged as well, by the truth. Order: average precision of "the label is wrong". `test` is the
accuracy of a logistic regression on the same features that learns the labels, on right ones.

`p`: mean p_wrong of the images without an answer, beside the share of them that is wrong (`rest`),
and its calibration error. `before` is the ranking's own, `run` that of the methods that learned the
answers, and `after` what the product says: the earlier chances, as all answers correct them, in
the order of the new ones (`lnl_core.jobs.carried`).
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, _real_sets, detection  # noqa: E402
from lnl_core.methods import taught  # noqa: E402
from lnl_core.review import consensus, metrics, recalibration  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import LabeledDataset  # noqa: E402

COLUMNS = ("aggre", "random1", "worse")
IMAGES, TESTED, HELD = 2000, 1000, 200
DEPTHS = (0.25, 0.5, 1.0)


def ranked(dataset: LabeledDataset, features: np.ndarray, keys: list[str], seed: int) -> Any:
    """Return the consensus of methods that learn the labels of a set."""
    task = types.SimpleNamespace(preset="quick", device="cpu")
    blind = dataclasses.replace(dataset, true_labels=None)
    found = [detection.fit(key, blind, task, seed, lambda _: features, None)[0] for key in keys]
    given = np.asarray(dataset.given_labels)
    k = len(dataset.class_names)
    return consensus.rank(found, given, k, None, taught(keys))


def precision(p: np.ndarray, wrong: np.ndarray, rows: np.ndarray) -> float | None:
    """Return the average precision among some rows; None where none of them is wrong."""
    if not wrong[rows].any():
        return None
    return round(float(metrics.average_precision(wrong[rows], p[rows])), 3)


def accuracy(
    features: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray
) -> float:
    """Return the share of right answers of a logistic regression, on images it did not learn."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.003, max_iter=300))
    return round(float((model.fit(features, labels).predict(test) == truth).mean()), 3)


def rounds(
    dataset: LabeledDataset,
    features: np.ndarray,
    test: tuple[np.ndarray, np.ndarray],
    keys: list[str],
    seed: int,
) -> list[dict[str, Any]]:
    """Return what holds before a round, and after one at each depth of the review."""
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    n, wrong = len(truth), truth != given
    held = np.zeros(n, bool)
    held[np.random.default_rng(seed).choice(n, min(HELD, n // 5), replace=False)] = True
    before = ranked(dataset, features, keys, seed)
    order = np.asarray(before.order)
    queue = order[~held[order]]
    found = []
    for depth in DEPTHS:
        seen = queue[: round(depth * wrong.sum())]
        labels = given.copy()
        labels[seen] = truth[seen]
        again = ranked(dataclasses.replace(dataset, given_labels=labels), features, keys, seed)
        unseen = np.ones(n, bool)
        unseen[seen] = False
        line: dict[str, Any] = {
            "depth": depth,
            "reviewed": len(seen),
            "corrected": int(wrong[seen].sum()),
            "left": int(wrong[unseen].sum()),
        }
        for name, rows in (("held", held), ("unseen", unseen)):
            line[f"{name}_before"] = precision(np.asarray(before.p_wrong), wrong, rows)
            line[f"{name}_after"] = precision(np.asarray(again.p_wrong), wrong, rows)
        line |= chances(before, again, given, wrong, ~unseen, held)
        line["test_before"] = accuracy(features, given, *test)
        line["test_after"] = accuracy(features, labels, *test)
        found.append(line)
    return found


def chances(
    before: Any,
    again: Any,
    given: np.ndarray,
    wrong: np.ndarray,
    seen: np.ndarray,
    held: np.ndarray,
) -> dict[str, float]:
    """Return how true p is of what has no answer: before a round, by its runs, and as it is said.

    Args:
        before: the ranking from before.
        again: that of the methods that learned the answers.
        given: (n,) given labels.
        wrong: (n,) True where one is wrong.
        seen: (n,) True where the methods were told the answer.
        held: (n,) True where chance drew the image; it has an answer as well.
    """
    rest, rows = ~(seen | held), np.flatnonzero(seen | held)
    own = np.asarray(before.p_wrong, np.float64)
    known = recalibration.recalibrated(
        own, given, before.suggested_labels, rows, wrong[rows], held[rows]
    )
    learned = np.asarray(again.p_wrong, np.float64)
    carried = recalibration.as_sure_as(learned, known, rest)
    found = {"rest": round(float(wrong[rest].mean()), 3)}
    for name, p in (("before", own), ("run", learned), ("after", carried)):
        found[f"p_{name}"] = round(float(p[rest].mean()), 3)
        found[f"error_{name}"] = round(metrics.calibration_error(wrong[rest], p[rest]), 3)
    return found


def cut(path: Path, column: str, work: Path) -> tuple[LabeledDataset, np.ndarray, Any]:
    """Return 2,000 images, their features, and features and truth of 1,000 others."""
    whole = _data.noisy_images(path, column)
    rows = np.random.default_rng(0).permutation(len(whole.ids))[: IMAGES + TESTED]
    taken = _real_sets.part(whole, rows, name="feedback")
    features = _real_sets.features_of(work, taken)
    cut_ = _real_sets.part(taken, np.arange(IMAGES), name=f"feedback {column}")
    truth = np.asarray(taken.true_labels)
    return cut_, features[:IMAGES], (features[IMAGES:], truth[IMAGES:])


def main(arguments: list[str] | None = None) -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=_data.default_path())
    parser.add_argument("--methods", default="probe,knn", help="comma-separated")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-feedback")
    parser.add_argument("--out", type=Path)
    options = _out.parse(parser, arguments)
    keys = options.methods.split(",")
    results: dict[str, Any] = {}
    for column in COLUMNS:
        dataset, features, test = cut(options.data, column, options.work)
        every = [rounds(dataset, features, test, keys, seed) for seed in options.seeds]
        results[column] = [mean([each[k] for each in every]) for k in range(len(DEPTHS))]
        for line in results[column]:
            print(column, line, flush=True)
    if options.out is not None:
        told = {"methods": keys, "seeds": options.seeds, "images": IMAGES, "rounds": results}
        arrays.write_json(options.out, told)


def mean(lines: list[dict[str, Any]]) -> dict[str, float | None]:
    """Return the mean of every figure; None where one is missing."""
    found: dict[str, float | None] = {}
    for key in lines[0]:
        values = [line[key] for line in lines]
        found[key] = None if None in values else round(float(np.mean(values)), 3)
    return found


if __name__ == "__main__":
    main()
