"""A relabelled copy of a set: one folder per class, named by the corrected labels.

A set with splits has one folder per split around them; images without a split lie in `unsplit`.

torchvision's ImageFolder reads the class folders; Hugging Face's imagefolder and this program read
`metadata.csv` (file_name, label) beside them, which has the classes' names and ids as they are.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from lnl_core.data.layouts import lists, placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.data.layouts.placing import Names, Placer, Report
from lnl_core.types import IntArray, LnlError

LIST = "metadata.csv"
UNSPLIT = "unsplit"


def write(
    cleaned: Cleaned, target: Path, *, images: str = "copy", report: Report | None = None
) -> tuple[int, list[str]]:
    """Write CLASS/FILE for every image that has one right class; return (images, problems).

    A name taken already in its class folder gets a number, and so do class names that a disk
    cannot tell apart; `metadata.csv` says what is what.

    Args:
        cleaned: the set.
        target: a folder that does not exist yet.
        images: `copy`, or `link` for hard links.
        report: told how far it is.

    Raises:
        LnlError: no room, no such mode, or a target that cannot be used.
    """
    if images not in ("copy", "link"):
        raise LnlError("A folder per class needs its images: choose copy or link.")
    rows = cleaned.rows()
    placing.check_space(placing.need(cleaned, rows, target, images), target)
    with placing.new_folder(target, cleaned) as part:
        names = Names()
        names.take(LIST)
        folders = [names.take(name) for name in cleaned.data.class_names]
        around = _splits(cleaned, rows)
        inside = {(split, name): Names() for split in around for name in folders}
        for split in around.values():
            for name in folders:
                (part / split / name).mkdir(parents=True)
        placer = Placer(part, cleaned, images, len(rows), report)
        placed: dict[int, str] = {}
        for row in map(int, rows):
            label = int(cleaned.labels[row])
            split, name = cleaned.split(row), folders[label]
            file = inside[split, name].take(placer.wanted_name(row))
            place = "/".join(filter(None, (around[split], name, file)))
            if placer.put(row, place):
                placed[row] = place
        problems = placer.problems()
        kept = _only(cleaned, placed)
        with (part / LIST).open("wb") as stream:
            lists.write_list(stream, kept, placed.__getitem__, "file_name")
    return len(placed), problems


def _splits(cleaned: Cleaned, rows: IntArray) -> dict[str, str]:
    """Return split -> its folder; one without a name where the set has no splits."""
    if cleaned.data.splits is None:
        return {"": ""}
    names = Names()
    names.take(LIST)
    found = sorted({cleaned.split(int(row)) for row in rows})
    return {split: names.take(split or UNSPLIT) for split in found}


def _only(cleaned: Cleaned, placed: dict[int, str]) -> Cleaned:
    """Return the set without the images whose originals are gone."""
    if len(placed) == len(cleaned.rows()):
        return cleaned
    labels = np.full_like(cleaned.labels, -1)
    rows = np.fromiter(placed, np.int64, len(placed))
    labels[rows] = cleaned.labels[rows]
    return replace(cleaned, labels=labels)
