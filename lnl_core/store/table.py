"""The table of a set, `table.parquet`: its columns of text, memory-mapped, and its splits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from lnl_core.store.files import readable

if TYPE_CHECKING:  # a list of data sets needs no array
    from lnl_core.types import IntArray


class ArrowStrings(Sequence[str]):
    """A column of strings that stays in Arrow's memory; items are made when asked for."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [str(value) for value in self._column[index].to_pylist()]
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return str(self._column[index % len(self)].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self._column.chunks:
            yield from chunk.to_pylist()

    def positions(self, values: Sequence[str]) -> IntArray:
        """Return where each value stands, -1 for those that are not here."""
        import pyarrow as pa
        import pyarrow.compute as pc

        places = pc.index_in(pa.array(values, pa.string()), value_set=self._column.combine_chunks())
        rows: IntArray = places.fill_null(-1).to_numpy(zero_copy_only=False).astype("int64")
        return rows


class Paths(ArrowStrings):
    """A column of paths; whole ones below a folder that has moved start from where it is now."""

    def __init__(self, column: Any, moved: Sequence[tuple[str, str, int]]) -> None:
        super().__init__(column)
        self._moved = moved

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            rows = range(*index.indices(len(self)))
            return [
                self._now(row, path)
                for row, path in zip(rows, super().__getitem__(index), strict=True)
            ]
        return self._now(index % len(self) if len(self) else index, super().__getitem__(index))

    def __iter__(self) -> Iterator[str]:
        if not self._moved:
            return super().__iter__()
        return (self._now(row, path) for row, path in enumerate(super().__iter__()))

    def _now(self, row: int, path: str) -> str:
        for old, new, rows in self._moved:
            if path and row < rows and path.startswith(f"{old.rstrip('/')}/"):
                path = f"{new.rstrip('/')}/{path[len(old.rstrip('/')) + 1 :]}"
        return path


def read_table(path: Path) -> Any:
    """Read one Parquet file as an Arrow table.

    Raises:
        Missing: it is gone.
        Damaged: it is cut off or something else.
    """
    import pyarrow.parquet as pq

    # `pq.read_table` reads folders of files too, and imports pandas for it: a third of a second
    with readable(path), pq.ParquetFile(path, memory_map=True) as file:
        return file.read()


@lru_cache(maxsize=8)
def table_of(path: Path, _version: str) -> Any:
    """Return the table of a set, read once for each of its versions."""
    return read_table(path)


def splits_of(table: Any) -> tuple[tuple[str, ...], IntArray] | None:
    """Return what `splits` does, of a set's table."""
    if "split" not in table.column_names or table.column("split").null_count == len(table):
        return None
    coded = table.column("split").combine_chunks().dictionary_encode()
    codes: IntArray = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return tuple(str(name) for name in coded.dictionary.to_pylist()), codes


def column_of_splits(table: Any) -> ArrowStrings | None:
    """Return the column of splits, blank where an image has none; None where none has one."""
    if "split" not in table.column_names or table.column("split").null_count == len(table):
        return None
    import pyarrow.compute as pc

    return ArrowStrings(pc.fill_null(table.column("split"), ""))
