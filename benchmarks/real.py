"""Is the ranking right where users are: on skewed, small and odd sets of real labels?

    python benchmarks/real.py --out benchmarks/results/real.json
    python benchmarks/real.py --sets clothing small --methods probe,knn --seeds 0
    python benchmarks/real.py --sets shipped --methods probe       from the repository alone
    python benchmarks/real.py --tables                 what was measured, as docs/measurements.md

Sets, from the shared development data but for `shipped`:

* `clothing`: photographs whose largest class is forty times the smallest, labelled by many people,
  of which some hundred were judged with care. Scored on what was judged: share wrong among the
  first 25, 50 and 100, average precision, suggestions right on wrong labels. Once as they are, up
  to 192 pixels, once at the 128 that the desk imports them at where it is not told.
* `cuts`: long-tailed cuts of 8,000 small photographs with human labels, at 10, 50 and 100 to 1, by
  the label given (each class is as noisy as before) and by the true one (rare given labels are
  mostly wrong), for three sets of labels.
* `balanced`: the same photographs uncut.
* `small`: 300 right labels, a few dozen images, classes of one to four, two classes, one class with
  all the errors, small grey digits. Scored by how long a queue p_wrong promises: `above` counts
  those above one half.
* `odd`: files, imported as the desk imports them (`_odd.py`): grey, tiny, 12-bit and very wide
  pictures, a folder of classes as it is and with right labels, each with the default recipe for
  such images as well; and 1,000 classes of five.
* `shipped`: the demo photographs and a long-tailed cut of scikit-learn's digits.
* `planted`: the demo digits, whose mistakes methods can learn, and scikit-learn's digits, right
  and with 2, 10 and 30 % wrong evenly, by pairs of classes and by how an image looks.

Beside every consensus: each method alone through the same ranking, cleanlab's self-confidence from
five-fold logistic regression on the same features (their 256 main directions), the same with
probabilities divided by class shares, and a random order. `mean p` is that of the set, to be
compared with `wrong`, or, where a part was judged, that of what nobody found vague, with
`wrong_all` (`_drawn`); `ece` is the calibration error; `rare25` the share of the first 25 that are
rightly labelled and of a class of less than half the average size; `fix` the share of wrong labels
whose true class is suggested, `fix3` of those among the first three, and `first of any method
alone` what choosing between methods could reach at best. The truth is for scoring only.

Everything is done with seeds 0, 1 and 2, of cuts, folds and methods; fine-tuned networks, and
others on pixels of whole sets, keep the first: they are dear. Means, and after ± half of what the
seeds differ by at most. Signals are kept between calls: for other methods, another `--work`.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import types
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from benchmarks import _data, _out, _real_tables, detection  # noqa: E402
from benchmarks._real_sets import Case, cases  # noqa: E402
from lnl_core.methods import _standardised, taught  # noqa: E402
from lnl_core.review import consensus, metrics  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import LabeledDataset, Signals, usual_representation  # noqa: E402

SETS = ("clothing", "cuts", "balanced", "small", "odd", "shipped", "planted")
AXES = 256
ANY = "first of any method alone"
ON_PIXELS = ("finetune", "ce", "sr", "jump")


def alone(case: Case, key: str, options: argparse.Namespace, seed: int) -> Signals:
    """Run one method on a case, or read what it said before."""
    if key == "finetune" or (key in ON_PIXELS and not case.recipe):
        seed = options.seeds[0]
    place = options.work / "signals" / case.name / (f"{key}-{seed}" if seed else key)
    if not (place / "signals.json").is_file():
        task = types.SimpleNamespace(preset="quick", device="cpu")
        dataset = dataclasses.replace(case.dataset, true_labels=None)
        found, _ = detection.fit(key, dataset, task, seed, lambda kind: case.features, None)
        arrays.save_signals(place, found)
    return arrays.load_signals(place)


def scores(case: Case, suspicion: np.ndarray, suggested: Any, p: Any = None) -> dict[str, float]:
    """Return every measure of a ranking."""
    score = np.asarray(suspicion, np.float64)[case.judged]
    found = {"n": len(case.dataset), "wrong": float(case.wrong.mean())}
    if case.drawn is not None:
        found["wrong_all"] = case.drawn.share
    if case.wrong.any():
        found["ap"] = metrics.average_precision(case.wrong, score)
        for first in (25, 50, 100):
            found[f"first{first}"] = metrics.precision_at(case.wrong, score, first)
    if (few := _rare(case)).any():
        found["rare25"] = float(few[np.argsort(-score, kind="stable")[:25]].mean())
    if suggested is not None and case.wrong.any():
        right = _right(case, suggested)
        found["fix"] = float(right[:, 0].mean())
        if right.shape[1] > 1:
            found["fix3"] = float(right.any(axis=1).mean())
    if p is not None:
        found["mean_p"] = float(np.delete(np.asarray(p, np.float64), case.vague).mean())
        found["above"] = int((np.asarray(p) > 0.5).sum())
        if len(case.judged) == len(case.dataset):
            found["ece"] = metrics.calibration_error(case.wrong, p)
    return {key: round(value, 4) for key, value in found.items()}


def _right(case: Case, suggested: Any) -> np.ndarray:
    """Return which suggestions are right on wrong labels, (e, s), of (n,) or (n, s) of them."""
    offered = np.asarray(suggested).reshape(len(case.dataset), -1)[case.judged]
    result: np.ndarray = (offered == case.truth[:, None])[case.wrong]
    return result


def reach(case: Case, first: Sequence[np.ndarray]) -> dict[str, float]:
    """Return in how many wrong labels any of some methods suggests the true class first."""
    right = np.concatenate([_right(case, each) for each in first], axis=1)
    return {"n": len(case.dataset), "fix": round(float(right.any(axis=1).mean()), 4)}


def _rare(case: Case) -> np.ndarray:
    """Return which judged labels are right and of a class below half the average size, (j,)."""
    given = np.asarray(case.dataset.given_labels)
    counts = np.bincount(given)
    small = counts < counts[counts > 0].mean() / 2
    result: np.ndarray = small[given[case.judged]] & ~case.wrong
    return result


def classes(case: Case, ranking: Any) -> dict[str, dict[str, float]]:
    """Return recall and precision of the first E of the queue, per given class; E wrong labels."""
    given, names = np.asarray(case.dataset.given_labels)[case.judged], case.dataset.class_names
    order = np.argsort(-ranking.suspicion[case.judged], kind="stable")[: int(case.wrong.sum())]
    shown = np.zeros(len(given), bool)
    shown[order] = True
    found = {}
    for label in np.unique(given):
        here = given == label
        hit = int((shown & case.wrong & here).sum())
        found[names[label]] = {
            "n": int(here.sum()),
            "wrong": int((case.wrong & here).sum()),
            "shown": int((shown & here).sum()),
            "hit": hit,
        }
    return found


def baselines(case: Case, seed: int) -> dict[str, dict[str, float]]:
    """Return the rows of cleanlab on the same features, plain and by class shares, and chance."""
    given = np.asarray(case.dataset.given_labels)
    shuffled = np.random.default_rng(7 + seed).random(len(given))
    rows = {"random order": scores(case, shuffled, None)}
    counts = np.bincount(given, minlength=len(case.dataset.class_names))
    if counts.max() >= 5:
        axes = _standardised.leading_axes(case.features, AXES)
        said = cleanlab(case.dataset, axes, seed)
        rows["cleanlab, same features"] = scores(
            case, said.suspicion, detection.best_other(said.pred_probs, given)
        )
        even = np.asarray(said.pred_probs) / np.maximum(counts, 1)
        even /= even.sum(axis=1, keepdims=True)
        rows["the same, by class shares"] = scores(
            case, 1 - even[np.arange(len(given)), given], detection.best_other(even, given)
        )
    return rows


def cleanlab(dataset: LabeledDataset, axes: np.ndarray, seed: int) -> Signals:
    """cleanlab's self-confidence from five-fold logistic regression, the usual recipe."""
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    given = np.asarray(dataset.given_labels)
    present, compact = np.unique(given, return_inverse=True)
    model = LogisticRegression(C=1 / (0.8 * len(axes) * 3e-4), max_iter=200, tol=1e-3)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    with warnings.catch_warnings():  # of classes of fewer than five
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        said = cross_val_predict(model, axes, compact, cv=folds, method="predict_proba")
    quality = get_label_quality_scores(compact, said, method="self_confidence")
    probs = np.zeros((len(given), len(dataset.class_names)))
    probs[:, present] = said
    return Signals("cleanlab", np.clip(1 - quality, 0, 1), probs)


def run(case: Case, options: argparse.Namespace, seed: int) -> dict[str, Any]:
    """Return name of the row -> measures, for one case and seed."""
    given, k = np.asarray(case.dataset.given_labels), len(case.dataset.class_names)
    keys = [key for key in options.methods if _suits(key, case, options)]
    keys += [key for key in case.recipe if key not in keys]
    heard = {key: alone(case, key, options, seed) for key in keys}
    chosen = {key: [key] for key in keys}
    chosen |= {f"consensus of {', '.join(few)}": few for few in _pools(keys)}
    if case.recipe:
        chosen["default recipe"] = list(case.recipe)
    rows: dict[str, Any] = baselines(case, seed)
    first = []
    for title, few in chosen.items():
        some = [heard[key] for key in few]
        ranking = consensus.rank(some, given, k, None, taught(each.method for each in some))
        rows[title] = scores(case, ranking.suspicion, ranking.top_labels, ranking.p_wrong)
        first += [ranking.suggested_labels] if len(few) == 1 else []
        if len(few) == len(keys) and case.wrong.any() and k <= 20:
            rows[title]["classes"] = classes(case, ranking)
    if len(first) > 1 and case.wrong.any():
        rows[ANY] = reach(case, first)
    return rows


def _suits(key: str, case: Case, options: argparse.Namespace) -> bool:
    """Networks that train on pixels are asked about whole sets only; tiny ones have no features."""
    tiny = usual_representation(*case.dataset.images.shape[1:3]) == "raw"
    if "@" in key and (tiny or len(case.dataset.class_names) > 100):
        return False
    kept = options.work / "signals" / case.name / key / "signals.json"
    whole = case.name.startswith(("clothing", "balanced", "shipped-clothing"))
    return key not in ON_PIXELS or whole or kept.is_file()


def _pools(keys: list[str]) -> list[list[str]]:
    pools = [["probe", "knn"], ["probe", "jump@pretrained", "finetune"], keys]
    found = [few for few in pools if len(few) > 1 and set(few) <= set(keys)]
    return [few for place, few in enumerate(found) if few not in found[:place]]


def over_seeds(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rows of several seeds as means, with `spread`, half of largest less smallest."""
    mean: dict[str, Any] = {}
    for title, first in runs[0].items():
        rows = [run[title] for run in runs]
        row: dict[str, Any] = {"seeds": len(rows)}
        spread = {}
        for key, value in first.items():
            if key == "classes":
                row[key] = value  # of the first seed
            elif all(key in each for each in rows):
                values = [each[key] for each in rows]
                row[key] = round(sum(values) / len(values), 4)
                if max(values) > min(values):
                    spread[key] = round((max(values) - min(values)) / 2, 4)
        mean[title] = row | ({"spread": spread} if len(rows) > 1 else {})
    return mean


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=SETS)
    parser.add_argument("--methods", default="probe,knn,jump@pretrained,finetune")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, default=_data.default_path().parent)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "lnl-real")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/real.json")
    parser.add_argument("--tables", action="store_true", help="print tables of --out, run nothing")
    options = _out.parse(parser, arguments, grows=True)
    if options.tables:
        print("\n".join(_real_tables.tables(arrays.read_json(options.out))))
        return
    options.data = options.data.resolve()
    options.methods = [key for key in options.methods.split(",") if key]
    stored = arrays.read_json(options.out) if options.out.is_file() else {}
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in options.seeds:
        for case in cases(options, seed):
            found.setdefault(case.name, []).append(run(case, options, seed))
            stored[case.name] = over_seeds(found[case.name])
            if seed == options.seeds[-1]:
                _real_tables.print_rows(case.name, stored[case.name])
            arrays.write_json(options.out, stored)


if __name__ == "__main__":
    main()
