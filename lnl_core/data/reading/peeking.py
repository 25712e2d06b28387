"""A list whose columns are being decided: their names, and what is in the first rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

from lnl_core.data import tables
from lnl_core.data.reading import surveying
from lnl_core.data.reading.finding import Finder
from lnl_core.data.reading.split_names import is_split, split_in
from lnl_core.data.tables import BadRow, visible
from lnl_core.readings import Answers, Choice
from lnl_core.said import many
from lnl_core.types import LnlError, meant

_PEEK = 2000
_WIDE = 32
"""Columns above which those whose first values are nearly all different are not gone through."""

_ENOUGH = 10
"""Rows below which numbers that go up by one may be classes."""
_KEYED = (".parquet", ".pq", ".jsonl", ".json")
"""Endings of lists whose columns are named in any case."""


class Peek:
    """The names of a list's columns, the values of its first rows, and what all rows have.

    Lists of the same header that are read together are one here; the first rows are the first's.
    """

    def __init__(
        self,
        files: Sequence[Path],
        root: Path,
        answers: Answers,
        names: list[str],
        has_header: bool,
    ) -> None:
        self._files, self._file, self._root, self._answers = files, files[0], root, answers
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
            columns = {name: (name.lower(),) for name in self._single}
            rows = surveying.rows(self._file, tuple(columns), self._has_header)
            kept = list(islice(rows, _PEEK))
            self._peeked = {name: [cells.get(name, "") for cells in kept] for name in self.names}
        return self._peeked

    @cached_property
    def _single(self) -> list[str]:
        """The columns that share their name with no other."""
        times = Counter(name.lower() for name in self.names)
        return [name for name in self.names if times[name.lower()] == 1]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Column -> its number from 1, of those that share a name the first one's."""
        return {name: at for at, name in reversed([*enumerate(self.names, 1)])}

    @cached_property
    def _named_once(self) -> frozenset[str]:
        return frozenset(self._single)

    @cached_property
    def counts(self) -> Mapping[str, Counter[str]]:
        """Return column -> its values in all rows, how often each; none where most are there once.

        What a whole list says is known here alone: the first rows of a sorted one have one class.
        """
        first = self.values()
        wanted = [name for name in self._single if not self._all_differ(first[name])]
        found = surveying.counts(self._files, wanted, self._has_header)
        return {name: found.get(name, Counter()) for name in first}

    def cells(self, names: Sequence[str]) -> Iterator[Mapping[str, str]]:
        """Yield the cells of columns in all rows."""
        for file in self._files:
            yield from surveying.rows(file, names, self._has_header)

    def _all_differ(self, cells: Sequence[str]) -> bool:
        filled = [cell for cell in cells if cell]
        return len(self.names) > _WIDE and 2 * len(set(filled)) > max(len(filled), _PEEK // 2)

    def differing(self, first: str, others: Sequence[str]) -> dict[str, Path]:
        """Return the columns that do not split all rows as the first one does -> where it shows."""
        alone = [name for name in others if name in self._single]
        found = surveying.differing(self._files, first, alone, self._has_header)
        return {
            name: found.get(name, self._file)
            for name in others
            if name not in alone or name in found
        }

    def distinct(self, name: str) -> int:
        """Return how many values a column has; of one where most are there once, at first."""
        return len(set(filter(None, self.counts[name] or self.values()[name])))

    def told(self, name: str) -> str:
        """Return how many values a column has, and one of them."""
        return f"{many(self.distinct(name), 'value')}, {self.example(name)} …"

    def is_blank(self, name: str) -> bool:
        """Tell whether a column has nothing in any row."""
        return not any(self.values()[name]) and not any(self.counts[name])

    def shown(self) -> str:
        """Return the names of the columns as a sentence lists them."""
        return ", ".join(f"“{visible(name)[:40]}”" for name in self.names[:12])

    def choice(self, name: str, words: str) -> Choice:
        """Return a column as an answer: by its name, by its number where that says more."""
        at = self._numbers[name]
        if self.is_nameless(name):
            return Choice(str(at), f"column {at}, without a name: {words}")
        return Choice(name if name in self._named_once else str(at), words)

    def is_nameless(self, name: str) -> bool:
        """Tell whether a column has no name in the header."""
        return self._has_header and name == tables.NAMELESS.format(self._numbers[name])

    def free(self, taken: str = "") -> list[str]:
        """Return the columns that can be read, and are not taken: those of a name of their own.

        Raises:
            LnlError: there is none.
        """
        free = [name for name in self._single if name != taken]
        if not free:
            twin = next((name for name in self.names if name != taken), "")
            raise LnlError(tables.same_named(self._file.name, twin))
        return free

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

    def numbers_rows(self, name: str) -> bool:
        """Tell whether a column has another whole number in each row, in any order."""
        cells = self.values()[name]
        return len(cells) > 1 and all(map(str.isdecimal, cells)) and len({*cells}) == len(cells)

    def says_splits(self, name: str, *, several: bool = False) -> bool:
        """Tell whether all cells of a column are names of splits, such as train and test.

        Args:
            name: the column.
            several: one split alone is none.
        """
        cells = {value for value in self.counts[name] if value}
        return len({*map(split_in, cells)}) > several and all(map(is_split, cells))

    def may_be_classes(self, name: str) -> bool:
        """Tell whether a column has several values, again and again, that are no splits."""
        filled = {value: count for value, count in self.counts[name].items() if value}
        return 1 < len(filled) < sum(filled.values()) and not all(map(is_split, filled))

    def files_of(self, name: str) -> list[str]:
        """Return the files that the first cells of a column name, blank where there is none."""
        found = self._files_of(self.values()[name][:64])
        return found if any(found) else []

    def apart(self, one: str, other: str) -> tuple[Path, str, str] | None:
        """Return (list, cells) of the first row in which two columns name different files.

        A cell of the other column that is blank, or no file, names no other image.
        Rows in which one path ends as the other does are the same; of many others, a part is
        looked up.
        """
        rows = surveying.pairs_apart(self._files, one, other, self._has_header)
        first = self._files_of([cell for _, cell, _ in rows])
        second = self._files_of([cell for _, _, cell in rows])
        differ = (row for row, a, b in zip(rows, first, second, strict=True) if b and a != b)
        return next(differ, None)

    def _files_of(self, values: Sequence[str]) -> list[str]:
        finder = Finder(self._root, [value for value in values if value])
        places = [finder.find(value) if value else BadRow("", "") for value in values]
        return ["" if isinstance(place, BadRow) else place[1] for place in places]

    def names_image_first(self) -> bool:
        """Tell whether the first row, taken as one like the others, names an image as they do.

        By a name without its ending, or by a number: in a first or second column where most rows
        name an image, and each another one.
        """
        if self._file.suffix.lower() in _KEYED:
            return False
        numbers = tables.names(self._file, {}, has_header=False)
        rows = Peek([self._file], self._root, self._answers, numbers, False)
        for name in numbers[:2]:
            values = rows.values()[name]
            if not values or 2 * len(set(values)) <= len(values):
                continue
            first, *others = rows.files_of(name) or [""]
            if first and first not in others and 2 * sum(map(bool, others)) >= len(others):
                return True
        return False

    def names_files(self, name: str, *, of_several: bool = False) -> bool:
        """Tell whether most values of a column are files that are there.

        Args:
            name: the column.
            of_several: of a list that is called like a split a name that files in several folders
                have counts, too: they are told apart by its folder.
        """
        of_several = of_several and is_split(self._file.stem, lists=True)
        values = [value for value in dict.fromkeys(self.values()[name]) if value][:64]
        if len(values) < 2 and len(self.values()[name]) > 2:
            return False
        finder = Finder(self._root, values)
        found = [
            not isinstance(finder.find(value), BadRow)
            or (of_several and next(finder.called(value), None) is not None)
            for value in values
        ]
        return bool(found) and 2 * sum(found) > len(found)
