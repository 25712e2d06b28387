"""Class activation maps of a kept network for images that somebody looks at, ahead of time or now.

One file a map pair: `<data set>/maps/<run>/<technique>/<row>-<given>-<other>.npy`, (2, u, v)
float16. Plain maps (`cam`) are signed and comparable; those of the grad-cam package lie in [0, 1],
each over its own range.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from lnl_core.jobs.context import JobContext
from lnl_core.jobs.tasks import Task
from lnl_core.store import arrays, datasets
from lnl_core.types import Array, DatasetInfo, FloatArray, Job, LabeledDataset, LnlError

TECHNIQUES = {
    "cam": "CAM",
    "GradCAM": "Grad-CAM",
    "GradCAMPlusPlus": "Grad-CAM++",
    "EigenCAM": "EigenCAM",
    "LayerCAM": "LayerCAM",
}
"""Key -> name on screen; all but the first are the grad-cam package's and need a pixel network."""

NETWORKS = ("map_head.safetensors", "network.safetensors")
"""Files of a run that can draw maps: a head on frozen maps, or a network on pixels."""

HEAD = 300
"""Images at the head of the queue whose maps are made as soon as there is a ranking."""

SIDE = 56
"""Largest side of a stored map; the package gives maps as large as the image."""

_CHUNK = 64


def place(info: DatasetInfo, run: int, technique: str, row: int, given: int, other: int) -> Path:
    """Return the file of one pair of maps."""
    return info.directory / "maps" / str(run) / technique / f"{row}-{given}-{other}.npy"


def run(info: DatasetInfo, job: Job, context: JobContext) -> None:
    """Make the maps that are not there yet.

    Parameters: `run`, `technique`, and `rows` with `labels` (given and other class of each), or
    neither: then those of the head of the queue. A class that the run has not learned has no map:
    pairs with one are left out.

    Raises:
        LnlError: every pair that was asked for has such a class.
    """
    told = job.config
    technique, number = str(told["technique"]), int(told["run"])
    if "rows" in told:
        rows = np.asarray(told["rows"], np.int64)
        labels = np.asarray(told["labels"], np.int64).reshape(-1, 2)
    else:
        rows, labels = head_of_queue(info)
    rows, labels = _learned(info, number, rows, labels)
    if "rows" in told and not len(rows):
        raise LnlError(f"Run {number} has not learned this class. Run its method again.")
    todo = [
        i
        for i, (row, pair) in enumerate(zip(rows, labels, strict=True))
        if not place(info, number, technique, int(row), *map(int, pair)).is_file()
    ]
    data = datasets.load(info)
    for start in range(0, len(todo), _CHUNK):
        part = np.asarray(todo[start : start + _CHUNK])
        made = _maps(info, data, number, technique, rows[part], labels[part], context)
        if not (info.directory / "runs" / str(number)).is_dir():
            raise LnlError(f"Run {number} was removed meanwhile.")
        for row, pair, maps in zip(rows[part], labels[part], made, strict=True):
            file = place(info, number, technique, int(row), *map(int, pair))
            file.parent.mkdir(parents=True, exist_ok=True)
            arrays.write_array(file, maps.astype(np.float16))
        context.report("maps", min(1.0, (start + _CHUNK) / max(len(todo), 1)))


def _learned(info: DatasetInfo, number: int, rows: Array, labels: Array) -> tuple[Array, Array]:
    """Return the pairs of which a run knows both classes."""
    from lnl_core.jobs import inputs

    unknown = inputs.left_out(info, info.directory / "runs" / str(number))
    known = ~np.isin(labels, unknown).any(axis=1)
    return rows[known], labels[known]


def head_of_queue(info: DatasetInfo, count: int = HEAD) -> tuple[Array, Array]:
    """Return the first rows of the ranking in force, and their given and suggested classes."""
    stored = arrays.load_ranking(info.directory / "ranking")
    if stored is None:
        return np.zeros(0, np.int64), np.zeros((0, 2), np.int64)
    ranking, _ = stored
    rows = np.asarray(ranking.order[:count], np.int64)
    given = np.asarray(datasets.load(info).given_labels)[rows]
    other = np.asarray(ranking.suggested_labels)[rows]
    known = (other >= 0) & ~np.isin(given, info.no_classes)
    return rows[known], np.stack([given, other], axis=1)[known].astype(np.int64)


def _maps(
    info: DatasetInfo,
    data: LabeledDataset,
    number: int,
    technique: str,
    rows: Array,
    labels: Array,
    context: JobContext,
) -> FloatArray:
    """Return (b, 2, u, v) maps by one of `TECHNIQUES`."""
    from lnl_core.jobs import inputs
    from lnl_core.learning import cam
    from lnl_core.review import labelled

    folder = info.directory / "runs" / str(number)
    part = labelled.part(data.given_labels, info.class_count, inputs.left_out(info, folder))
    if not part.whole:  # the network knows its own classes alone, by their own numbers
        labels = part.renumbered(labels)
        names = tuple(data.class_names[label] for label in part.classes)
        some = np.zeros(len(data), np.int64)
        data = replace(data, class_names=names, given_labels=some, true_labels=None)
    if technique == "cam":
        frozen = partial(inputs.maps, info, data, context.device, context.report)
        return cam.class_maps(folder, data, rows, labels, maps=frozen, device=context.device)
    return cam.packaged_maps(technique, folder, data, rows, labels, context.device, SIDE)


TASK = Task("maps", "Activation maps", run)
