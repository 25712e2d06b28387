"""What files of annotations in JSON share: they are read whole, and anew once they changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lnl_core.types import LnlError

MOST = 200 * 2**20
"""Bytes of a file that is read; a larger one, of boxes in a million images, is no list."""

_HEAD = 2**12


def is_about(file: Path, parts: Iterable[str]) -> bool:
    """Tell whether a file begins as a JSON object and names one of some parts near its start."""
    if file.suffix.lower() != ".json":
        return False
    try:
        with file.open("rb") as stream:
            head = stream.read(_HEAD).lstrip(b"\xef\xbb\xbf \r\n\t")
    except OSError:
        return False
    return head.startswith(b"{") and any(f'"{part}"'.encode() in head for part in parts)


def modified(file: Path) -> int:
    """Return when a file was written last, in nanoseconds, by which what was read of it is kept.

    Raises:
        LnlError: it cannot be read, or is too large to be read whole.
    """
    try:
        found = file.stat()
    except OSError as error:
        raise LnlError(f"{file.name} cannot be read: {error.strerror}. Check the path.") from error
    if found.st_size > MOST:
        raise LnlError(
            f"{file.name} is larger than 200 MB. Write a list of image and label, a row an image."
        )
    return found.st_mtime_ns
