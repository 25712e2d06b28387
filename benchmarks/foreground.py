"""Does HNML look at the object? Maps on digits whose place in a photograph is known.

    python benchmarks/foreground.py --seeds 0 1 2

1,500 digits of scikit-learn, each drawn anywhere on a photograph of its own (CIFAR-10, at half
contrast), 32 x 32 in colour; 40 % of the labels are wrong, evenly. 297 others, made in the same
way, are held out. Every row trains with the one recipe of fair.py: plain cross-entropy; HNML; HNML
whose teacher is asked about the whole image instead of its foreground; HNML without any inner step.

Columns: the share of the positive part of a map that lies on the digit's strokes, and whether its
peak lies in the digit's box, for the true class, on rightly labelled and on wrongly labelled images
(an even map: what strokes and boxes cover); AP of "the label is wrong"; accuracy on the images held
out. Maps are those of the network that a run keeps, made larger by bilinear interpolation. Results
are written after each run; a second call goes on where the first one stopped.
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
from benchmarks.claims import accuracy_of  # noqa: E402
from lnl_core.review import metrics  # noqa: E402
from lnl_core.store import arrays  # noqa: E402
from lnl_core.types import BoolArray, FloatArray, LabeledDataset  # noqa: E402

SIDE, DIGIT, TRAIN, WRONG = 32, 16, 1500, 0.4
WHOLE = {"mu_foreground": 0.0, "mu_map": 0.0, "mu_consistency": 1.0}
ROWS: dict[str, tuple[str, dict[str, Any]]] = {
    "ce": ("ce", fair.LAST),
    "hnml": ("hnml", {"source": "pixels"}),
    "hnml, whole image": ("hnml", {"source": "pixels", **WHOLE}),
    "hnml, no inner step": ("hnml", {"source": "pixels", "eta": 0.0}),
}
COLUMNS = ("right_share", "wrong_share", "right_peak", "wrong_peak", "ap", "test")
HEADINGS = ("on it, right", "on it, wrong", "peak, right", "peak, wrong", "AP", "test")


def scenes(path: Path, seed: int) -> tuple[LabeledDataset, LabeledDataset, BoolArray, BoolArray]:
    """Draw digits on photographs.

    Returns:
        What trains, what is held out, and for what trains (n, 32, 32) the strokes and the boxes.
    """
    from sklearn.datasets import load_digits

    from lnl_core.data import noise

    rng = np.random.default_rng([seed, 50])
    source = load_digits()
    order = rng.permutation(len(source.target))
    ink = np.kron(source.images[order] / 16, np.ones((1, 2, 2)))  # (n, 16, 16)
    truth = source.target[order].astype(np.int64)
    n = len(truth)
    photographs = np.asarray(_data.noisy_images(path, "aggre").images)
    ground = 64 + 0.5 * photographs[rng.choice(len(photographs), n, replace=False)]
    alpha, boxes = np.zeros((n, SIDE, SIDE)), np.zeros((n, SIDE, SIDE), bool)
    for row, (y, x) in enumerate(rng.integers(0, SIDE - DIGIT + 1, (n, 2))):
        alpha[row, y : y + DIGIT, x : x + DIGIT] = ink[row]
        boxes[row, y : y + DIGIT, x : x + DIGIT] = True
    colours = rng.choice([0, 255], (n, 1, 1, 3))
    images = np.round(ground * (1 - alpha[..., None]) + colours * alpha[..., None])
    given = np.asarray(noise.inject("symmetric", truth, WRONG, seed, class_count=10))
    given[TRAIN:] = truth[TRAIN:]
    names = tuple("0123456789")

    def of(part: slice) -> LabeledDataset:
        ids = [str(row) for row in range(len(truth[part]))]
        pixels = images[part].astype(np.uint8)
        return LabeledDataset("scenes", names, given[part], ids, pixels, true_labels=truth[part])

    return of(slice(TRAIN)), of(slice(TRAIN, None)), alpha[:TRAIN] > 0.25, boxes[:TRAIN]


def looks(maps: FloatArray, strokes: BoolArray, boxes: BoolArray) -> tuple[FloatArray, BoolArray]:
    """Return how much of each map lies on the strokes, (n,), and whether its peak is in the box.

    Args:
        maps: (n, u, v) signed.
        strokes: (n, h, w).
        boxes: (n, h, w).
    """
    import torch
    from torch.nn import functional as F

    large = F.interpolate(
        torch.from_numpy(maps)[:, None].float(), strokes.shape[1:], mode="bilinear"
    )[:, 0]
    positive = large.clamp_min(0).numpy()
    share = (positive * strokes).sum((1, 2)) / np.maximum(positive.sum((1, 2)), 1e-9)
    at = positive.reshape(len(maps), -1).argmax(axis=1)
    peak = boxes.reshape(len(maps), -1)[np.arange(len(maps)), at]
    return share, peak


def measure(key: str, path: Path, seed: int) -> dict[str, float]:
    """Train one row and return its columns."""
    from lnl_core.jobs.context import LocalContext
    from lnl_core.learning import cam
    from lnl_core.methods import METHODS

    method, changes = ROWS[key]
    dataset, held_out, strokes, boxes = scenes(path, seed)
    truth, given = np.asarray(dataset.true_labels), np.asarray(dataset.given_labels)
    unseen = dataclasses.replace(dataset, true_labels=None)
    with tempfile.TemporaryDirectory() as folder:
        context = LocalContext(seed=seed, folder=Path(folder))
        signals = METHODS[method].fit(unseen, fair.one_recipe(method, changes, dataset), context)
        rows = np.arange(len(dataset))
        maps = cam.class_maps(Path(folder), unseen, rows, truth[:, None])[:, 0]
        test = accuracy_of(Path(folder), held_out)
    share, peak = looks(maps, strokes, boxes)
    wrong = truth != given
    found = {
        "right_share": share[~wrong].mean(),
        "wrong_share": share[wrong].mean(),
        "right_peak": peak[~wrong].mean(),
        "wrong_peak": peak[wrong].mean(),
        "ap": metrics.average_precision(wrong, signals.suspicion),
        "test": test,
        "even_share": strokes.mean(),
        "even_peak": boxes.mean(),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--data", type=Path, default=_data.default_path(), help="an NPZ")
    parser.add_argument("--out", type=Path, default=REPO / "benchmarks/results/foreground.json")
    options = _out.parse(parser, arguments, grows=True)
    results = arrays.read_json(options.out) if options.out.is_file() else {}
    for seed in options.seeds:
        for key in ROWS:
            if str(seed) not in results.setdefault(key, {}):
                print(f"seed {seed}: {key} ...", flush=True)
                results[key][str(seed)] = measure(key, options.data, seed)
                arrays.write_json(options.out, results)
    print(f"{'':22}" + "".join(f"{heading:>15}" for heading in HEADINGS))
    for key, seeds in results.items():
        cells = []
        for column in COLUMNS:
            values = np.array([run[column] for run in seeds.values()])
            cells.append(f"{values.mean():.3f} ± {values.std():.3f}")
        print(f"{key:22}" + "".join(f"{cell:>15}" for cell in cells))
    even = next(iter(next(iter(results.values())).values()))
    print(
        f"an even map: {even['even_share']:.3f} on the strokes, {even['even_peak']:.3f} in the box"
    )


if __name__ == "__main__":
    main()
