"""One array of an NPZ file after another, row by row: no pickle, never the whole in memory."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from lnl_core.data import archives
from lnl_core.data.tables import visible
from lnl_core.parsing import parsed
from lnl_core.types import Array, LnlError

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, OSError),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, SyntaxError),
)
"""What a damaged archive or head of an array raises."""


class Member:
    """One array inside an NPZ: `shape` and `dtype` at once, rows in order when asked for."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self.name = name
        self._stream = archive.open(f"{name}.npy")
        try:
            self.shape, fortran, self.dtype = parsed(self._head)
        except DAMAGE as error:
            raise LnlError(f"“{name}” is no readable array: {error}. Save it again.") from error
        if not all(0 <= side < 2**40 for side in self.shape):
            raise LnlError(f"“{name}” has the shape {self.shape}. Save it again.")
        if self.dtype.hasobject:
            raise LnlError(
                f"“{name}” holds Python objects, which are never loaded: they could run code. "
                "Save it as numbers or text of one shape, e.g. numpy.array(x, dtype=str)."
            )
        if fortran and len(self.shape) > 1:
            raise LnlError(
                f"“{name}” is stored column by column. Save numpy.ascontiguousarray({name})."
            )

    def _head(self) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        self._stream.seek(0)
        if np.lib.format.read_magic(self._stream) == (1, 0):
            return np.lib.format.read_array_header_1_0(self._stream)
        return np.lib.format.read_array_header_2_0(self._stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def read(self, rows: int) -> Array:
        """Return the next rows.

        Raises:
            LnlError: the file is damaged, or ends before the array does.
        """
        rest = self.shape[1:]
        count = rows * int(np.prod(rest, dtype=np.int64))
        need = count * self.dtype.itemsize
        try:
            data = self._stream.read(need)
        except DAMAGE as error:
            raise LnlError(f"“{self.name}” is damaged. Copy or save the file again.") from error
        if len(data) != need:
            raise LnlError(f"“{self.name}” is cut off. Copy or save the file again.")
        if not need:
            return np.zeros((rows, *rest), self.dtype)
        return np.frombuffer(data, self.dtype).reshape(rows, *rest)

    def blocks(self, rows: int) -> Iterator[Array]:
        """Yield the whole array, `rows` rows at a time."""
        for start in range(0, self.shape[0], rows):
            yield self.read(min(rows, self.shape[0] - start))

    def all(self) -> Array:
        """Return the whole array."""
        return self.read(self.shape[0])


def opened(file: Path) -> zipfile.ZipFile:
    """Open an NPZ.

    Raises:
        LnlError: no zip, or one that swells.
    """
    try:
        archive = zipfile.ZipFile(file)
        inside = archive.infolist()
        total = sum(info.file_size for info in inside)
        archives.check_growth(file.name, total, sum(info.compress_size for info in inside))
        return archive
    except DAMAGE as error:
        raise LnlError(
            f"{file.name} is no readable NPZ file. Write it with numpy.savez_compressed."
        ) from error


def words(values: Array) -> list[str]:
    """Return the texts of an array, fit to show."""
    if values.dtype.kind == "S":
        return [visible(value.decode("utf-8", "replace")) for value in values.tolist()]
    return [visible(str(value)) for value in values.tolist()]
