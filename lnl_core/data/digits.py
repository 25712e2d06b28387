"""The second demo set: scikit-learn's handwritten digits, 15 % made wrong on purpose.

The images are the test part of the UCI set "Optical Recognition of Handwritten Digits" (Alpaydin
and Kaynak, 1998; CC BY 4.0), 8 × 8, grey, and come with scikit-learn: no network. The wrong labels
are instance-dependent (`noise.instance_dependent`), so they are the mistakes that a person could
make: a 9 that looks like a 3 is called a 3. The truth is known for all of them, and no method
sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from lnl_core.data import noise
from lnl_core.data.writing import Plan, Row, SetWriter
from lnl_core.types import ByteArray, IntArray

RATE = 0.15
SEED = 1998
CLASS_NAMES = tuple("0123456789")


@dataclass(frozen=True, slots=True)
class Digits:
    """Images (1797, 8, 8, 1) uint8, white on black; true and given labels (1797,) int64."""

    images: ByteArray
    true_labels: IntArray
    given_labels: IntArray


@dataclass(frozen=True, slots=True)
class Tile:
    """One digit of the first-visit card: its row, its image (8, 8, 1), what it is labelled."""

    row: int
    image: ByteArray
    given: str
    wrong: bool


@lru_cache(maxsize=1)
def digits() -> Digits:
    """Return the set; the same on every machine."""
    from sklearn.datasets import load_digits

    pixels, truth = load_digits(return_X_y=True)
    whole = pixels.astype(np.int64).reshape(-1, 8, 8, 1)
    images = ((whole * 255 + 8) // 16).astype(np.uint8)
    true_labels = truth.astype(np.int64)
    flipped = noise.instance_dependent(true_labels, images, RATE, SEED, class_count=10)
    for array in (images, true_labels, flipped.labels):
        array.setflags(write=False)
    return Digits(images, true_labels, flipped.labels)


def write(folder: Path) -> None:
    """Write the set as an import would: what `store.datasets.register` adopts."""
    demo = digits()
    with SetWriter(folder, Plan(8, 8, 1, "8 × 8, grey"), len(demo.images), True) as writer:
        for row, image in enumerate(demo.images):
            given, true = int(demo.given_labels[row]), int(demo.true_labels[row])
            writer.add(Row(f"digit-{row:04d}", image, given, None, true))
        writer.finish(
            {
                "name": "digits",
                "class_names": list(CLASS_NAMES),
                "kind": "demo",
                "source": "scikit-learn's handwritten digits, 15 % of the labels made wrong",
                "root": None,
                "format": "8 × 8, grey",
                "notes": [],
            }
        )


def sample(count: int = 18, wrong: int = 5) -> list[Tile]:
    """Return digits for the first-visit card, `wrong` of them with a wrong label.

    Wrong ones are clear images, so that a person sees the mistake at once; the order is mixed.
    """
    demo = digits()
    bad = demo.given_labels != demo.true_labels
    clear = _clearness(demo)
    chosen = [*_spread(np.flatnonzero(bad), demo.true_labels, clear, wrong)]
    chosen += _spread(np.flatnonzero(~bad), demo.true_labels, clear, count - wrong)
    order = np.argsort(np.random.default_rng(SEED).random(len(chosen)), kind="stable")
    rows = [chosen[at] for at in order]
    return [
        Tile(row, demo.images[row], CLASS_NAMES[demo.given_labels[row]], bool(bad[row]))
        for row in rows
    ]


def _clearness(demo: Digits) -> IntArray:
    """Return minus the squared distance to the mean image of the true class, (n,)."""
    flat = demo.images.reshape(len(demo.images), -1).astype(np.int64)
    means = np.stack([flat[demo.true_labels == k].sum(axis=0) for k in range(10)])
    counts = np.bincount(demo.true_labels, minlength=10)
    means = (2 * means + counts[:, None]) // (2 * counts[:, None])
    clearness: IntArray = -((flat - means[demo.true_labels]) ** 2).sum(axis=1)
    return clearness


def _spread(rows: IntArray, classes: IntArray, clear: IntArray, count: int) -> list[int]:
    """Return the clearest rows, one class after the other, so that none fills the card."""
    by_class = [
        sorted(rows[classes[rows] == k].tolist(), key=lambda row: (-int(clear[row]), row))
        for k in range(10)
    ]
    turns = [row for turn in range(count) for rows in by_class for row in rows[turn : turn + 1]]
    return turns[:count]
