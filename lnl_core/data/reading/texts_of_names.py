"""Texts that are no tables: files of class names, and lists of names that lie apart."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lnl_core.data.reading import classes_files, columns, indexing, texts_beside
from lnl_core.data.reading.indexing import composed
from lnl_core.data.tables import visible
from lnl_core.readings import Answers
from lnl_core.types import LnlError


def is_one(file: Path) -> bool:
    """Tell whether a file is called as those of class names are, and names no image."""
    if not classes_files.is_called_so(file):
        return False
    try:
        decided = columns.decide(file, file.parent, Answers())
    except LnlError:
        return True
    return "image" not in decided.used and all(each.key != "header" for each in decided.questions)


def names_images_of(texts: Sequence[Path], source: Path) -> str:
    """Say how a text in another folder than the images that it names is read; "" where none is.

    `annotations/list.txt` with lines `Abyssinian_1 1 1 1` beside `images/Abyssinian_1.jpg`.

    Args:
        texts: that may be such.
        source: the folder that holds all.
    """
    root = source.resolve()
    stems = indexing.of(root).stems
    for file in sorted(texts, key=lambda each: each.stat().st_size, reverse=True):
        lines = [line for line in texts_beside.first_lines(file) if not line.startswith("#")]
        rows = [[cell for cell in re.split(r"[\s,;|]+", line) if cell] for line in lines]
        own = os.path.relpath(file.parent, root)
        named = Counter[str]()
        for cells in rows:
            name = composed(cells[0].rpartition("/")[2]) if len(cells) > 1 else ""
            paths = stems.get(name) or stems.get(os.path.splitext(name)[0], [])
            named.update({os.path.dirname(p) for p in paths if not p.startswith(f"{own}/")})
        folder, count = next(iter(named.most_common(1)), ("", 0))
        if 2 * count > len(rows) and folder:
            list_name = os.path.relpath(file, root)
            return (
                f"“{visible(list_name)[:60]}” names the images in “{visible(folder)[:60]}”, and "
                "has no header. Import it by itself, with --no-header and that folder as --root."
            )
    return ""
