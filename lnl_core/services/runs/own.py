"""Probabilities of a person's own model, beside the methods of this package."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data import probabilities
from lnl_core.services.in_force import loaded
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, Job


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
    probs = probabilities.read(file, called, data.ids, info.class_names)
    agreement = float((probs.argmax(axis=1) == np.asarray(data.given_labels)).mean())
    job = own.add(info, title, probs, called)
    datasets.touch(info)
    return Brought(job, agreement, _doubt(agreement, info.class_names))


def _doubt(agreement: float, class_names: tuple[str, ...]) -> str:
    if len(class_names) < 2 or agreement >= max(0.1, 2 / len(class_names)) or agreement > 0.5:
        return ""
    first = ", ".join(f"“{name[:40]}”" for name in class_names[:3])
    return (
        f"Only {agreement:.0%} of the given labels are its most probable class. Are the columns "
        f"in the order of the classes ({first}, …) and the rows in the order of the images?"
    )
