"""A list whose columns are being decided: their names, and what is in the first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.split_names import is_split
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice
from lnl_core.types import LnlError, meant

_PEEK = 2000
_FEW = 24
_ENOUGH = 10
"""Rows below which numbers that go up by one may be classes."""
_KEYED = (".parquet", ".pq", ".jsonl", ".json")
"""Endings of lists whose columns are named in any case."""


class Peek:
    """The names of a list's columns and the values of its first rows."""

    def __init__(
        self, file: Path, root: Path, answers: Answers, names: list[str], has_header: bool
    ) -> None:
        self._file, self._root, self._answers = file, root, answers
        self.names, self._has_header = names, has_header
        self._peeked: dict[str, list[str]] | None = None

    def said(self, key: str) -> str | None:
        """Return the column that a person named, by its name or number; None where none was."""
        said: str = getattr(self._answers, f"{key}_column")
        if not said:
            return None
        by_name = {name.lower(): name for name in reversed(self.names)}
        if said.lower() in by_name:
            return by_name[said.lower()]
        if said.isdecimal() and 1 <= int(said) <= len(self.names):
            return self.names[int(said) - 1]
        if said == "none" and key in ("id", "split"):
            return ""
        raise LnlError(
            f"{self._file.name} has no column “{said[:40]}”.{meant(said, self.names)} "
            f"Its columns: {self.shown()}."
        )

    def values(self) -> dict[str, list[str]]:
        """Return column -> its values in the first rows; none where columns share a name."""
        if self._peeked is None:
            counts = Counter(name.lower() for name in self.names)
            columns = {name: (name.lower(),) for name in self.names if counts[name.lower()] == 1}
            rows = tables.rows(
                self._file, self._file.name, columns, (), has_header=self._has_header
            )
            kept = [cells for _, cells in islice(rows, _PEEK) if not isinstance(cells, BadRow)]
            self._peeked = {name: [cells.get(name, "") for cells in kept] for name in self.names}
        return self._peeked

    def all_values(self, names: Collection[str]) -> dict[str, set[str]]:
        """Return column -> what its cells are in all rows, a few of them where they are many."""
        found: dict[str, set[str]] = {name: set() for name in names}
        columns = {name: (name.lower(),) for name in names}
        rows = tables.rows(self._file, self._file.name, columns, (), has_header=self._has_header)
        for _, cells in rows:
            if isinstance(cells, BadRow):
                continue
            for name, seen in found.items():
                if len(seen) < _FEW:
                    seen.add(cells.get(name, ""))
        return found

    def shown(self) -> str:
        """Return the names of the columns as a sentence lists them."""
        return ", ".join(f"“{visible(name)[:40]}”" for name in self.names[:12])

    def choice(self, name: str, words: str) -> Choice:
        """Return a column as an answer: by its name, by its number where that says more."""
        alone = sum(each.lower() == name.lower() for each in self.names) == 1
        if name and alone:
            return Choice(name, words)
        at = self.names.index(name) + 1
        return Choice(str(at), f"column {at}, without a name: {words}" if not name else words)

    def example(self, name: str) -> str:
        """Return the first value of a column that is not blank."""
        first = next((value for value in self.values()[name] if value), "")
        return visible(first)[:40]

    def counts_rows(self, name: str) -> bool:
        """Tell whether a column has whole numbers that go up by one from row to row."""
        cells = self.values()[name]
        if len(cells) < _ENOUGH or not all(cell.isdecimal() for cell in cells):
            return False
        return all(int(cell) == int(cells[0]) + at for at, cell in enumerate(cells))

    def says_splits(self, name: str) -> bool:
        """Tell whether all cells of a column are names of splits, such as train and test."""
        cells = {value for value in self.values()[name] if value}
        return bool(cells) and all(map(is_split, cells))

    def may_be_classes(self, name: str) -> bool:
        """Tell whether a column has several values, again and again, that are no splits."""
        cells = [value for value in self.values()[name] if value]
        return 1 < len(set(cells)) < len(cells) and not all(map(is_split, set(cells)))

    def files_of(self, name: str) -> list[str]:
        """Return the files that the first cells of a column name, blank where there is none."""
        values = self.values()[name][:64]
        finder = Finder(self._root, [value for value in values if value])
        places = [finder.find(value) if value else BadRow("", "") for value in values]
        found = ["" if isinstance(place, BadRow) else place[1] for place in places]
        return found if any(found) else []

    def names_image_first(self) -> bool:
        """Tell whether the first row, taken as one like the others, names an image as they do.

        By a name without its ending, or by a number: in a first or second column where most rows
        name an image, and each another one.
        """
        if self._file.suffix.lower() in _KEYED:
            return False
        numbers = tables.names(self._file, {}, has_header=False)
        rows = Peek(self._file, self._root, self._answers, numbers, False)
        for name in numbers[:2]:
            values = rows.values()[name]
            if not values or 2 * len(set(values)) <= len(values):
                continue
            first, *others = rows.files_of(name) or [""]
            if first and first not in others and 2 * sum(map(bool, others)) >= len(others):
                return True
        return False

    def names_files(self, name: str) -> bool:
        """Tell whether most values of a column are files that are there."""
        values = [value for value in dict.fromkeys(self.values()[name]) if value][:64]
        if len(values) < 2 and len(self.values()[name]) > 2:
            return False
        finder = Finder(self._root, values)
        found = [finder.find(value) for value in values]
        return bool(found) and 2 * sum(not isinstance(each, BadRow) for each in found) > len(found)
