"""Lists whose rows hold the pixels themselves, as MNIST and FER-2013 are passed on."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from lnl_core.data.reading.column_names import OFF, ON
from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import visible
from lnl_core.types import LnlError

_FEWEST = 49
"""Numbers that a row of pixels has at least: 7 x 7."""


def refuse(file: Path, names: Sequence[str], values: Mapping[str, Sequence[str]]) -> None:
    """Refuse a list of pixels, and say how it is read.

    Args:
        file: the list.
        names: its columns as they are written, or its first row where it has no header.
        values: column -> its cells in the first rows.

    Raises:
        LnlError: a row holds at least 49 numbers that nothing tells from pixels.
    """
    if any(_is_name(cells) for cells in values.values()):
        return  # what the numbers belong to has a name: which column it is can be asked
    bare = sum(number(name) is not None for name in names)
    columns = [
        name
        for name, cells in values.items()
        if any(cells) and all(number(cell) is not None for cell in cells if cell)
    ]
    if all({*values[name]} <= {*ON, *OFF} for name in columns):  # a class in each, or a flag
        columns = []
    if max(bare, len(columns)) >= _FEWEST:
        pixels = _square(max(bare, len(columns)))
        raise _refused(file, f"in {pixels:,} columns", pixels)
    for name, cells in values.items():
        first = next(filter(None, cells), "")
        parts = re.split(r"[\s,;]+", first.strip("[]() "))
        if len(parts) >= _FEWEST and all(number(part) is not None for part in parts):
            raise _refused(file, f"in column “{visible(name)[:40]}”", len(parts))


def beside(names: Sequence[str]) -> list[str]:
    """Return the columns outside the largest family of numbered ones (pixel0, pixel1 ...)."""
    stems = [re.sub(r"\d+", "", name) for name in names]
    ((most, _),) = Counter(stems).most_common(1)
    return [name for name, stem in zip(names, stems, strict=True) if stem != most]


def _is_name(cells: Sequence[str]) -> bool:
    """Tell whether cells are short words that tell rows apart, as names of images do."""
    filled = [cell for cell in cells if cell]
    words = all(number(cell) is None and len(cell) < 2 * _FEWEST for cell in filled)
    return len(filled) > 2 and words and len(set(filled)) == len(filled)


def _square(count: int) -> int:
    """Return how many of some columns of numbers are pixels: a square, beside a label and an id."""
    return next((n for n in (count, count - 1, count - 2) if math.isqrt(n) ** 2 == n), count)


def _refused(file: Path, where: str, pixels: int) -> LnlError:
    side = math.isqrt(pixels)
    shape = f"{side}, {side}" if side * side == pixels else "height, width"
    return LnlError(
        f"{visible(file.name)} holds pixels as numbers ({where}), not names of image files. Save "
        "arrays instead, and import those: numpy.savez_compressed(path, "
        f"images=pixels.reshape(-1, {shape}).astype('uint8'), labels=labels). If a column does "
        "name files, say which: --image-column."
    )
