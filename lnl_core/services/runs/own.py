"""Probabilities of a person's own model, beside the methods of this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data import probabilities
from lnl_core.said import percent
from lnl_core.services.in_force import loaded
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, FloatArray, Job, LnlError


@dataclass(frozen=True, slots=True)
class Brought:
    """What became of a file of probabilities.

    Attributes:
        job: the finished run.
        agreement: share of images whose most probable class is the given label.
        doubt: a sentence where the file looks wrong though it could be read, else empty.
    """

    job: Job
    agreement: float
    doubt: str


def score_with(
    info: DatasetInfo, file: Path | IO[bytes], title: str, *, called: str | None = None
) -> Brought:
    """Take the probabilities of somebody's own model as a finished run; they join the consensus.

    They should be out of fold: a model that has learned a wrong label does not doubt it.

    Args:
        info: the data set.
        file: see `data.probabilities.read`.
        title: what people call the model.
        called: name of the file where it is a stream.

    Raises:
        LnlError: no such data set, or the file or the title does not do; then nothing is stored.
    """
    from lnl_core.jobs import own

    own.key_of(title)  # before the long part
    data = loaded(info)
    called = called or (file.name if isinstance(file, Path) else "The file")
    probs = _read(info, file, called)
    given = np.asarray(data.given_labels)
    classed = ~np.isin(given, info.no_classes)
    agreement = float((probs.argmax(axis=1) == given)[classed].mean())
    job = own.add(info, title, probs, called)
    datasets.touch(info)
    return Brought(job, agreement, _doubt(agreement, info.class_names))


def _read(info: DatasetInfo, file: Path | IO[bytes], called: str) -> FloatArray:
    """Read (n, k) probabilities; a model that knows the real classes alone has no other columns."""
    ids = loaded(info).ids
    try:
        return probabilities.read(file, called, ids, info.class_names)
    except LnlError:
        if not info.no_classes:
            raise
        if not isinstance(file, Path):
            file.seek(0)
        real = [label for label in range(info.class_count) if label not in info.no_classes]
        names = [info.class_names[label] for label in real]
        wide = np.zeros((info.n, info.class_count), np.float32)
        wide[:, real] = probabilities.read(file, called, ids, names)
        return wide


def _doubt(agreement: float, class_names: tuple[str, ...]) -> str:
    if len(class_names) < 2 or agreement >= max(0.1, 2 / len(class_names)) or agreement > 0.5:
        return ""
    first = ", ".join(f"“{name[:40]}”" for name in class_names[:3])
    return (
        f"Only {percent(agreement)} of the given labels are its most probable class. Are the "
        f"columns in the order of the classes ({first}, …) and the rows in the order of the images?"
    )
