"""Labelled images with known truth for the benchmarks: read from one NPZ, nothing is downloaded."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from lnl_core.types import LabeledDataset, LnlError

REPO = Path(__file__).resolve().parents[1]

LABEL_SETS = {
    "aggre": "aggre_label",
    "random1": "random_label1",
    "random2": "random_label2",
    "random3": "random_label3",
    "worse": "worse_label",
    "labels": "labels",
}
"""Name on the command line -> array in the file: real human labels, or an importable NPZ's own."""


def default_path() -> Path:
    """Return where the development images lie: beside the repository, or under LNL_SHARED."""
    shared = Path(os.environ.get("LNL_SHARED", REPO.parent / "shared"))
    return shared / "data" / "cifar10n_dev.npz"


def digits(recipe: str, seed: int) -> tuple[LabeledDataset, LabeledDataset]:
    """Return 1,297 noisy digits of scikit-learn to train on, and 500 right ones to test on.

    Args:
        recipe: `digits-KIND-PERCENT`, e.g. `digits-pair-20`; kinds as in `lnl_core.data.noise`.
        seed: of the noise and of the split.

    Raises:
        LnlError: no such recipe.
    """
    from sklearn.datasets import load_digits

    from lnl_core.data import noise

    _, kind, percent = (*recipe.split("-"), "", "")[:3]
    if kind not in noise.KINDS or not percent.isdigit():
        raise LnlError(f"No labels are called {recipe}. Write e.g. digits-symmetric-20.")
    source = load_digits()
    order = np.random.default_rng(seed).permutation(len(source.target))
    images = (source.images[order] * 255 / 16).round().astype(np.uint8)[..., None]
    truth = source.target[order].astype(np.int64)
    rate = int(percent) / 100
    cut = len(truth) - 500
    given = noise.inject(kind, truth[:cut], rate, seed, class_count=10, images=images[:cut])
    names = tuple(str(digit) for digit in range(10))

    def of(part: slice, labels: np.ndarray) -> LabeledDataset:
        ids = [str(row) for row in range(len(labels))]
        return LabeledDataset(recipe, names, labels, ids, images[part], true_labels=truth[part])

    return of(slice(cut), np.asarray(given)), of(slice(cut, None), truth[cut:])


def noisy_images(path: Path, label_set: str) -> LabeledDataset:
    """Read images, given labels and the truth, which is for scoring only.

    Args:
        path: an NPZ with `images` (n, h, w[, c]) uint8, the label set's array, the truth as
            `clean_label` or `true_labels`, and perhaps `class_names`.
        label_set: a key of `LABEL_SETS`.

    Raises:
        LnlError: no such file, or no such array in it.
    """
    if not path.is_file():
        raise LnlError(f"{path} is not there. Name an NPZ of images and labels with --data.")
    with np.load(path) as arrays:
        truth_key = "clean_label" if "clean_label" in arrays else "true_labels"
        for key in ("images", LABEL_SETS[label_set], truth_key):
            if key not in arrays:
                held = ", ".join(arrays.files)
                raise LnlError(f"{path} holds no {key}, only {held}. Choose another label set.")
        images = arrays["images"]
        given = arrays[LABEL_SETS[label_set]].astype(np.int64)
        truth = arrays[truth_key].astype(np.int64)
        names = arrays["class_names"] if "class_names" in arrays else np.arange(given.max() + 1)
    return LabeledDataset(
        name=f"{path.stem} {label_set}",
        class_names=tuple(str(name) for name in names),
        given_labels=given,
        ids=[str(row) for row in range(len(given))],
        images=images if images.ndim == 4 else images[..., None],
        true_labels=truth,
    )
