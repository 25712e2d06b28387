"""The pictures of a report: small, each counted, so that the file says what it carries."""

from __future__ import annotations

import base64
from contextlib import suppress

from lnl_core.data import images
from lnl_core.records import file_size
from lnl_core.services.review import pictures
from lnl_core.types import DatasetInfo, LnlError

LARGE, SMALL = 384, 128
"""Longest sides in px: of an image at the head of its views, and of all others."""

AS_IT_IS = {"full": 24_000, "thumb": 6_000}
"""Bytes up to which a picture stays as it is; a larger one becomes a JPEG."""


class Album:
    """Pictures as data URIs; each picture is made once, and counted once a place it stands."""

    def __init__(self, info: DatasetInfo) -> None:
        """Begin without a picture."""
        self._info = info
        self._made: dict[tuple[int, str], str] = {}
        self.count = 0
        self.size = 0

    def uri(self, row: int, size: str = "thumb") -> str:
        """Return an image as a data URI.

        Args:
            row: of the data set.
            size: `full`, at most 384 px, or `thumb`, at most 128 px.
        """
        key = (row, size)
        if key not in self._made:
            self._made[key] = as_uri(*self._bytes(row, size))
        self.count += 1
        self.size += len(self._made[key])
        return self._made[key]

    def _bytes(self, row: int, size: str) -> tuple[bytes, str]:
        data, kind = pictures.image_bytes(self._info, self._info.version, row, size)
        if len(data) > AS_IT_IS[size]:
            with suppress(LnlError, OSError):
                smaller = images.render(data, LARGE if size == "full" else SMALL)
                if len(smaller) < len(data):
                    return smaller, "image/jpeg"
        return data, kind

    def words(self) -> str:
        """Say how many pictures the report carries, and how much they take."""
        return (
            f"{self.count:,} pictures of images, {file_size(self.size)} in all: at most {LARGE} px "
            f"at the head of five views, {SMALL} px elsewhere."
        )


def as_uri(data: bytes, kind: str) -> str:
    """Return bytes as a data URI."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
