"""What an image is, whatever it is called: a digest of its pixels, and one of its file.

Both are taken at import and kept beside the working copies. The digest of the *pixels* is that of
the working copy: upright (EXIF), 8 bit, one channel where all three are equal. A set that is
imported again from elsewhere (a folder, then the same images as NPZ or in another lossless format,
files renamed, metadata taken off) has the same ones, as long as it is worked on at the same
resolution. JPEG files more than twice as large as the working copy are the exception: they are
decoded at a smaller scale, which arrays are not. The digest of the *file* is SHA-256, as
`sha256sum` prints it: it holds at any working resolution, but only for the very same file.
Encoding an image anew with loss changes both.

Shapes: `n` images.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from lnl_core.store.arrays import read_array, write_array
from lnl_core.store.datasets import CONTENT, FILE_DIGESTS
from lnl_core.types import Array, ByteArray, IntArray, LnlError

PIXEL_BYTES, FILE_BYTES = 16, 32
_BLOCK_BYTES = 2**22
_FEW = 8


@dataclass(frozen=True, slots=True, eq=False)
class Contents(Sequence[str]):
    """The digests of a set; as a sequence, how exports write them (`word`).

    Attributes:
        pixels: (n,) 16 bytes each, of the working copy.
        files: (n,) 32 bytes each, of the original; all zero where there was none. None for a set
            of arrays, and for one that an older version imported.
    """

    pixels: Array
    files: Array | None

    def __len__(self) -> int:
        return len(self.pixels)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self.word(row) for row in range(*index.indices(len(self)))]
        return self.word(index)

    def word(self, row: int) -> str:
        """Return the digests in hexadecimal: of the pixels, and of the file where there is one."""
        word = bytes(self.pixels[row]).hex()
        digest = b"" if self.files is None else bytes(self.files[row])
        return f"{word} {digest.hex()}" if any(digest) else word


class Finder:
    """Rows by content; built once, then asked for many digests."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._pixels = np.argsort(contents.pixels.view(f"S{PIXEL_BYTES}"), kind="stable")
        files = contents.files
        self._files = None if files is None else np.argsort(files.view(f"S{FILE_BYTES}"))
        self._many: dict[str, list[int]] = {}  # of words with many rows, which are asked for often

    def rows(self, word: str) -> list[int]:
        """Return the rows with one of the digests of a word, rising; none where it is blank."""
        if word in self._many:
            return self._many[word]
        found: set[int] = set()
        for each in word.split():
            found |= set(_equal(self._contents.pixels, self._pixels, each, PIXEL_BYTES))
            if self._files is not None and self._contents.files is not None:
                found |= set(_equal(self._contents.files, self._files, each, FILE_BYTES))
        rows = sorted(found)
        if len(rows) > _FEW:
            self._many[word] = rows
        return rows

    def has(self, row: int, word: str) -> bool:
        """Tell whether a row is one of `rows`, without a look at the others."""
        wanted = {each for each in map(_digest_of, word.split()) if any(each)}
        files = self._contents.files
        return bytes(self._contents.pixels[row]) in wanted or (
            files is not None and bytes(files[row]) in wanted
        )


def has_changed(word: str, file: Path) -> bool:
    """Tell whether a file is another one than a word's; False where the word names no file."""
    known = [part for part in word.split() if len(part) == 2 * FILE_BYTES]
    return bool(known) and file_digest(file).hex() not in known


def is_word(text: str) -> bool:
    """Tell whether a text is digests as exports write them."""
    parts = text.lower().split()
    sizes = {2 * PIXEL_BYTES, 2 * FILE_BYTES}
    return bool(parts) and all(len(p) in sizes and not p.strip("0123456789abcdef") for p in parts)


def _equal(digests: Array, order: IntArray, word: str, size: int) -> Sequence[int]:
    """Return the rows whose digest is `word`; trailing zero bytes are compared too."""
    wanted = _digest_of(word)
    if len(wanted) != size or not any(wanted):
        return []
    sorted_words = digests.view(f"S{size}")
    place = int(np.searchsorted(sorted_words, np.bytes_(wanted), sorter=order))
    rows = []
    while place < len(order) and bytes(digests[order[place]]) <= wanted:
        if bytes(digests[order[place]]) == wanted:
            rows.append(int(order[place]))
        place += 1
    return rows


def _digest_of(word: str) -> bytes:
    try:
        return bytes.fromhex(word)
    except ValueError:
        return b""


def pixel_digest(image: ByteArray) -> bytes:
    """Return 16 bytes that stand for the pixels of an image (h, w, 1 or 3)."""
    if image.shape[2] == 3 and _is_gray(image[:1]) and _is_gray(image):
        image = image[:, :, :1]
    digest = hashlib.blake2b(f"{image.shape}".encode(), digest_size=PIXEL_BYTES)
    digest.update(np.ascontiguousarray(image).data)
    return digest.digest()


def _is_gray(image: ByteArray) -> bool:
    first = image[:, :, 0]
    return bool((first == image[:, :, 1]).all() and (first == image[:, :, 2]).all())


def file_digest(file: Path) -> bytes:
    """Return the SHA-256 of a file, 32 bytes.

    Raises:
        OSError: it cannot be read.
    """
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def noted(folder: Path) -> Contents:
    """Return the digests of a set; those of its pixels are made once where they are missing."""
    images = read_array(folder / "images.npy")
    pixels = _stored(folder / CONTENT, len(images))
    if pixels is None:
        pixels = of_images(images)
        with suppress(LnlError):  # where nothing can be written they are made again
            write_array(folder / CONTENT, pixels)
    return Contents(pixels, _stored(folder / FILE_DIGESTS, len(images)))


def of_images(images: ByteArray) -> Array:
    """Return (n,) digests of the pixels of (n, h, w, c) images, read in blocks."""
    size = max(1, _BLOCK_BYTES // max(1, int(np.prod(images.shape[1:]))))
    digests = bytearray()
    for start in range(0, len(images), size):
        for image in np.ascontiguousarray(images[start : start + size]):
            digests += pixel_digest(image)
    return np.frombuffer(bytes(digests), f"V{PIXEL_BYTES}")


def write(folder: Path, pixels: bytes | bytearray, files: bytes | bytearray) -> None:
    """Write the digests of a set that is being made; files that are all zero are left out."""
    write_array(folder / CONTENT, np.frombuffer(bytes(pixels), f"V{PIXEL_BYTES}"))
    if any(files):
        write_array(folder / FILE_DIGESTS, np.frombuffer(bytes(files), f"V{FILE_BYTES}"))


def _stored(path: Path, n: int) -> Array | None:
    digests = read_array(path) if path.is_file() else None
    return digests if digests is not None and len(digests) == n else None
