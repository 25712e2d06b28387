"""What whole lists have in their columns: the first rows of a sorted one have one class alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.reading import rivals
from lnl_core.data.tables import BadRow, Cells

_MANY = 20_000
"""Different values above which a column is looked at: it may have another one in every row."""

_LONG = 200
"""Characters above which a cell is counted by its beginning and its hash."""

_AT_ONCE = 8192
_PAIRS = 1024


def rows(file: Path, names: Sequence[str], has_header: bool) -> Iterator[Cells]:
    """Yield the cells of columns, row by row, without those that are the header once more."""
    columns = {name: (name.lower(),) for name in names}
    for _, cells in tables.rows(file, file.name, columns, (), has_header=has_header):
        if isinstance(cells, BadRow):
            continue
        again = has_header and len(names) > 1
        if not again or any(cells.get(name, "").lower() != name.lower() for name in names):
            yield cells


def counts(
    files: Sequence[Path], names: Sequence[str], has_header: bool
) -> Mapping[str, Counter[str]]:
    """Return column -> its values in all rows of lists, and how often each is there.

    A column of which most values are there once has none: names, ids, measured numbers.
    """
    found: dict[str, Counter[str]] = {name: Counter() for name in names}
    seen = Counter[str]()
    for file in files:
        now = file.stat()
        own = _counts(file, tuple(names), has_header, now.st_size, now.st_mtime_ns)
        for name, values in own.items():
            if values is None:
                found.pop(name, None)
            elif name in found:
                found[name].update(values)
                seen[name] += values.total()
                if len(found[name]) > _MANY and 2 * len(found[name]) > seen[name]:
                    del found[name]
    return {name: found.get(name, Counter()) for name in names}


@lru_cache(maxsize=4)
def _counts(
    file: Path, names: tuple[str, ...], has_header: bool, size: int, changed: int
) -> dict[str, Counter[str] | None]:
    """Count the values of a list as it is on the disk now; None where most are there once."""
    left: dict[str, Counter[str]] = {name: Counter() for name in names}
    for seen, cells in enumerate(rows(file, names, has_header), start=1):
        for name, values in left.items():
            cell = cells.get(name, "")
            values[cell if len(cell) <= _LONG else f"{cell[:_LONG]}{hash(cell)}"] += 1
        if seen % _AT_ONCE == 0:
            for name in [name for name, values in left.items() if len(values) > _MANY]:
                if 2 * len(left[name]) > seen:
                    del left[name]
    return {name: left.get(name) for name in names}


def differing(
    files: Sequence[Path], first: str, others: Sequence[str], has_header: bool
) -> dict[str, Path]:
    """Return the columns that do not say the same in all rows as the first one -> where it shows.

    One that splits the rows as the first one does says the same, by other names (`0`, `cat`); not
    so where it has the first one's name of another part: dog where there is cat. A row in which
    such a column is blank says nothing of it; other names in less than half of the rows do not,
    either.
    """
    left = {name: _Pairs() for name in others}
    found: dict[str, Path] = {}
    for file in files:
        for cells in rows(file, (first, *others), has_header):
            own = cells.get(first, "")
            for name, pairs in left.items():
                if not pairs.add(own, cells.get(name, "")):
                    found[name] = file
            if len(found) > len(others) - len(left):
                left = {name: each for name, each in left.items() if name not in found}
        if not left:
            break
    found |= {name: files[0] for name, pairs in left.items() if not pairs.say_the_same()}
    return {name: found[name] for name in others if name in found}


class _Pairs:
    """Which value of one column goes with which of another."""

    def __init__(self) -> None:
        self._there: dict[str, str] = {}
        self._back: dict[str, str] = {}
        self._filled = self._blank = 0

    def add(self, own: str, other: str) -> bool:
        """Take in the cells of a row; False where a value goes with two."""
        if not other:
            self._blank += bool(own)
            self._there.setdefault(own, "")
            return True
        self._filled += bool(own)
        known = self._there[own] = self._there.get(own) or other
        return known == other and self._back.setdefault(other, own) == own

    def say_the_same(self) -> bool:
        """Tell whether the columns have the same names, or names apart in most rows."""
        pairs = {own: other for own, other in self._there.items() if other}
        if all(own == other for own, other in pairs.items()):
            return True
        return self._filled >= self._blank and rivals.are_apart(pairs, self._there)


def pairs_apart(
    files: Sequence[Path], one: str, other: str, has_header: bool
) -> list[tuple[Path, str, str]]:
    """Return (list, cells) of rows of which neither path ends as the other; of many, a part.

    Rows in which the other one is blank are not among them.
    """
    kept: list[tuple[Path, str, str]] = []
    seen, step = 0, 1
    for file in files:
        for cells in rows(file, (one, other), has_header):
            pair = cells.get(one, ""), cells.get(other, "")
            if not pair[1] or _ends_alike(*pair):
                continue
            seen += 1
            if seen % step == 0:
                kept.append((file, *pair))
            if len(kept) > _PAIRS:
                kept, step = kept[1::2], 2 * step
    return kept


def _ends_alike(one: str, other: str) -> bool:
    if one == other:
        return True
    short, long = sorted((one.replace("\\", "/"), other.replace("\\", "/")), key=len)
    return bool(short) and f"/{long}".endswith(f"/{short}")
