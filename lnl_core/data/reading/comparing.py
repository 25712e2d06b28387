"""What a list says of images that lie in class folders."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.files import NO_FILE
from lnl_core.data.reading import column_names, places
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.spellings import plain
from lnl_core.data.tables import BadRow

_MOST = 50_000
"""Rows of a list that is compared."""


@dataclass(slots=True)
class Seen:
    """Images that a list names, how many lie in class folders and agree; its labels.

    `missing` counts rows whose image is not there.
    """

    paths: set[str] = field(default_factory=set)
    in_classes: int = 0
    agree: int = 0
    missing: int = 0
    labels: set[str] = field(default_factory=set)

    @property
    def rows(self) -> int:
        """Images that it names and that are there."""
        return len(self.paths)


def with_folders(
    file: Path, decided: column_names.Columns, root: Path, top: Path, where: places.Places
) -> Seen | None:
    """Compare a list's labels with the folders of its images.

    Args:
        file: the list.
        decided: its columns.
        root: the folder that its paths start from.
        top: the folder around those of the classes.
        where: which folders are classes.

    Returns:
        None where a column is not known, or the list is too long.
    """
    if not decided.complete:
        return None
    seen = Seen()
    required = [key for key in column_names.REQUIRED if key in decided.accepted]
    there = tables.rows(file, file.name, decided.accepted, required, has_header=decided.has_header)
    rows = [cells for _, cells in islice(there, _MOST + 1) if not isinstance(cells, BadRow)]
    if len(rows) > _MOST:
        return None
    finder = Finder(root.resolve(), [cells["image"] for cells in rows[:: 1 + len(rows) // 256]])
    for cells in rows:
        place = finder.find(cells["image"])
        seen.missing += place == NO_FILE
        if isinstance(place, BadRow) or place[1] in seen.paths:
            continue
        seen.paths.add(place[1])
        label = decided.label_of(cells)
        seen.labels.add(plain(label))
        path = os.path.relpath(place[0], top).replace(os.sep, "/")
        found = where.of(tuple(path.split("/")))
        if not isinstance(found, BadRow):
            seen.in_classes += 1
            seen.agree += plain(found[1]) == plain(label)
    return seen
