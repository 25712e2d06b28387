"""A relabelled copy of a set: one folder per class, named by the corrected labels.

A set with splits has one folder per split around them; images without a split lie in `unsplit`.
A class without any image has no folder. One that only some splits have has an empty one in the
others: torchvision numbers classes by the folders it finds, and would number them otherwise there.

torchvision's ImageFolder reads the class folders; Hugging Face's imagefolder and this program read
`metadata.csv` (file_name, label) beside them, which has the classes' names and ids as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

import numpy as np

from lnl_core.data.layouts import lists, placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.data.layouts.placing import Names, Placer, Report, Written
from lnl_core.data.tables import visible
from lnl_core.said import many
from lnl_core.types import IntArray, LnlError

LIST = "metadata.csv"
UNSPLIT = "unsplit"


def write(
    cleaned: Cleaned, target: Path, *, images: str = "copy", report: Report | None = None
) -> Written:
    """Write CLASS/FILE for every image that has one right class.

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
        filled = {(cleaned.split(row), int(cleaned.labels[row])) for row in placed}
        for label in set(range(len(folders))) - {label for _, label in filled}:
            for split in around.values():
                (part / split / folders[label]).rmdir()
        problems = placer.problems()
        kept = _only(cleaned, placed)
        with (part / LIST).open("wb") as stream:
            lists.write_list(stream, kept, placed.__getitem__, "file_name")
    return Written(len(placed), problems, _empty(cleaned, filled, around))


def _empty(cleaned: Cleaned, filled: Set[tuple[str, int]], around: Mapping[str, str]) -> list[str]:
    """Say which classes have no image, and which have none in a split."""
    names, used = cleaned.data.class_names, {label for _, label in filled}
    without = [
        f"“{visible(name)[:40]}”"
        for label, name in enumerate(names)
        if label not in used and label not in cleaned.no_classes
    ]
    notes = []
    if without:
        more = f" and {len(without) - 5:,} more" if len(without) > 5 else ""
        has = "has no image, and no folder" if len(without) == 1 else "have no image, and no folder"
        notes.append(f"{', '.join(without[:5])}{more} {has}.")
    empty = [(s, label) for s in around for label in sorted(used) if (s, label) not in filled]
    if empty:
        split, label = empty[0]
        few = many(len(empty), "class folder of a split is", "class folders of splits are")
        notes.append(
            f"{few} empty, first “{visible(names[label])[:40]}” in "
            f"“{visible(around[split])[:40]}”, so that classes have the same numbers in "
            "every split: torchvision's ImageFolder reads it with allow_empty=True."
        )
    return notes


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
