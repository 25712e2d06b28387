"""Sets as people have them and benchmarks have not: written as files, imported as the desk does.

Each is 300 of the small photographs with human labels unless it says otherwise. They are imported
into a workspace of the benchmark's own, so what importers do to pixels and names counts.
"""

from __future__ import annotations

import csv
import dataclasses
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import _data
from lnl_core.data import importers
from lnl_core.store import datasets, db
from lnl_core.types import LabeledDataset, LnlError

COUNT = 300
GROUPS, MEMBERS = 100, 5
"""Groups inside each class of the small photographs, and images of each: 1,000 classes of five."""

Write = Callable[[Path], Path]
"""Writes images into a folder and returns what is to be imported."""


def imported(name: str, work: Path, write: Write) -> LabeledDataset:
    """Return the set of this name in the workspace `work`, imported first where it is new."""
    workspace = db.open_workspace(work / "home")
    try:
        info = datasets.dataset(workspace, name)
    except LnlError:
        with tempfile.TemporaryDirectory(dir=workspace.home) as temporary:
            source = write(Path(temporary))
            root = source if source.is_dir() else source.parent
            importers.import_source(source, name, Path(temporary) / "set", root=root)
            info = datasets.register(workspace, name, Path(temporary) / "set")
    return datasets.load(info)


def listed(folder: Path, images: list[Image.Image], given: list[str], truth: list[str]) -> Path:
    """Write PNGs and a list of them with both labels."""
    with (folder / "list.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("image", "label", "true_label"))
        for row, image in enumerate(images):
            image.save(folder / f"{row}.png", compress_level=1)
            rows.writerow((f"{row}.png", given[row], truth[row]))
    return folder / "list.csv"


def sets(data: Path, work: Path) -> Iterator[LabeledDataset]:
    """Give every set that is about pixels, and the sample folder as it is and with right labels."""
    photographs = _data.noisy_images(data / "cifar10n_dev.npz", "random1")
    rows = np.sort(np.random.default_rng(3).permutation(len(photographs))[:COUNT])
    for name, look in (("grey", grey), ("tiny", tiny), ("12-bit", twelve_bits)):
        yield imported(f"odd-{name}", work, _of(photographs, rows, look))
    yield imported("odd-wide", work, _wide(photographs, rows))
    yield from sample_folder(data / "sample_folder", work)


def grey(pixels: np.ndarray) -> Image.Image:
    """Return a photograph without its colours."""
    return Image.fromarray(pixels).convert("L")


def tiny(pixels: np.ndarray) -> Image.Image:
    """Return a photograph of 12 pixels."""
    return Image.fromarray(pixels).resize((12, 12), Image.Resampling.LANCZOS)


def twelve_bits(pixels: np.ndarray) -> Image.Image:
    """Return a grey photograph as a detector of 12 bits stores it, 0..4095 in 16."""
    fine = pixels.astype(np.float64) @ (0.299, 0.587, 0.114)
    return Image.fromarray(np.rint(fine * 4095 / 255).astype(np.uint16))


def _of(
    source: LabeledDataset, rows: np.ndarray, look: Callable[[np.ndarray], Image.Image]
) -> Write:
    def write(folder: Path) -> Path:
        images = [look(np.asarray(source.images[row])) for row in rows]
        return listed(folder, images, *_names(source, rows))

    return write


def _names(source: LabeledDataset, rows: np.ndarray) -> tuple[list[str], list[str]]:
    assert source.true_labels is not None
    names = source.class_names
    given = [names[label] for label in np.asarray(source.given_labels)[rows]]
    return given, [names[label] for label in np.asarray(source.true_labels)[rows]]


def _wide(source: LabeledDataset, rows: np.ndarray, across: int = 8) -> Write:
    """Strips of eight photographs of one true class, eight times as wide as high.

    The label is what a person gave the first of them.
    """
    truth = np.asarray(source.true_labels)
    draw = np.random.default_rng(4)

    def strip(row: int) -> Image.Image:
        alike = draw.choice(np.flatnonzero(truth == truth[row]), across - 1, replace=False)
        return Image.fromarray(np.concatenate([source.images[i] for i in (row, *alike)], axis=1))

    def write(folder: Path) -> Path:
        return listed(folder, [strip(int(row)) for row in rows], *_names(source, rows))

    return write


def sample_folder(folder: Path, work: Path) -> Iterator[LabeledDataset]:
    """Give 300 JPEG files in folders named by the label given, and listed with the right labels."""
    with (folder / "truth.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    as_is = imported("odd-sample-folder", work, lambda _: folder / "images")
    right = {row["path"].removeprefix("images/"): row["clean_label"] for row in rows}
    truth = [as_is.class_names.index(right[image]) for image in as_is.ids]
    yield dataclasses.replace(as_is, true_labels=np.asarray(truth))

    def write(place: Path) -> Path:
        shutil.copytree(folder / "images", place / "images")
        with (place / "list.csv").open("w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(("image", "label", "true_label"))
            lines.writerows((row["path"], row["clean_label"], row["clean_label"]) for row in rows)
        return place / "list.csv"

    yield imported("odd-sample-folder-clean", work, write)


def demo_digits() -> LabeledDataset:
    """Return the second demo set: 15 % wrong by a rule that follows how a digit looks."""
    from lnl_core.data import digits

    demo = digits.digits()
    given, truth = np.array(demo.given_labels), np.array(demo.true_labels)
    ids = [str(row) for row in range(len(given))]
    name = "shipped-demo-digits"
    return LabeledDataset(name, digits.CLASS_NAMES, given, ids, demo.images, true_labels=truth)


def planted(seed: int) -> Iterator[LabeledDataset]:
    """Give scikit-learn's digits, none wrong and 2, 10 and 30 % by each kind of `data.noise`."""
    from lnl_core.data import digits, noise

    demo = digits.digits()
    truth, names = np.array(demo.true_labels), digits.CLASS_NAMES
    ids = [str(row) for row in range(len(truth))]
    yield LabeledDataset("planted-none", names, truth, ids, demo.images, true_labels=truth)
    for kind in noise.KINDS:
        for rate in (2, 10, 30):
            given = noise.inject(
                kind, truth, rate / 100, seed, class_count=len(names), images=demo.images
            )
            name = f"planted-{kind}-{rate}-{seed}"
            yield LabeledDataset(name, names, given, ids, demo.images, true_labels=truth)


def thousand_classes(
    source: LabeledDataset, features: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut each class into 100 groups of five images that look alike, by features.

    A person's wrong label stays one: such an image is given the class of the group, within the
    class that the person named, whose middle is nearest. The groups were made from the features
    that methods learn on, so they are easier to tell apart than classes of nature.

    Args:
        source: n images of ten classes, with the truth.
        features: (n, d).

    Returns:
        (m,) rows, their true and their given classes, 0..999.
    """
    truth, said = np.asarray(source.true_labels), np.asarray(source.given_labels)
    x = np.asarray(features, np.float32)
    x = (x - x.mean(axis=0)) / np.maximum(x.std(axis=0), 1e-6)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    rows, groups = [], []
    for label in range(len(source.class_names)):
        left = list(np.flatnonzero(truth == label))
        for group in range(GROUPS):
            near = np.argsort(-(x[left] @ x[left[0]]), kind="stable")[:MEMBERS]
            rows += [left[place] for place in near]
            groups += [label * GROUPS + group] * len(near)
            left = [row for place, row in enumerate(left) if place not in set(near.tolist())]
    kept, own = np.asarray(rows), np.asarray(groups)
    middle = np.stack([x[kept[own == group]].mean(axis=0) for group in range(own.max() + 1)])
    given = own.copy()
    for place in np.flatnonzero(said[kept] != truth[kept]):
        first = said[kept[place]] * GROUPS
        given[place] = first + int((middle[first : first + GROUPS] @ x[kept[place]]).argmax())
    return kept, own, given
