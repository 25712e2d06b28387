"""Image bytes for the browser: found by number, never by a path that came over the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lnl_core.services.in_force import loaded
from lnl_core.store import datasets
from lnl_core.types import DatasetInfo, LnlError

FULL_SIDE = 1024
ORIGINAL_SIDE = 8192
"""Longest side in px of what is shown at full size: a browser draws no more in one piece."""

THUMB_SIDE = 128
if TYPE_CHECKING:
    from lnl_core.data.contrast import Contrast

SIZES = ("full", "thumb", "original")


def image_bytes(info: DatasetInfo, version: str, row: int, size: str) -> tuple[bytes, str]:
    """Return one image and its media type.

    Args:
        info: the data set.
        version: digest of its contents; a URL with another one is refused.
        row: row number.
        size: `full` (the original, at most 1,024 px), `original` (as large as it is) or `thumb`
            (the working resolution).

    Raises:
        LnlError: any of them does not fit.
    """
    if version != info.version or not 0 <= row < info.n or size not in SIZES:
        raise LnlError("There is no such image.")
    from lnl_core.data import images

    if size != "thumb":
        side = FULL_SIDE if size == "full" else ORIGINAL_SIDE
        original = _original(info, row)
        if original is not None:
            try:
                return images.render(original, side, _contrast(info)), "image/jpeg"
            except (LnlError, OSError):
                pass  # moved or damaged since the import: the working copy is still there
    array = np.asarray(loaded(info).images[row])
    if size == "thumb" and max(array.shape[:2]) > THUMB_SIDE:
        step = -(-max(array.shape[:2]) // THUMB_SIDE)
        array = array[::step, ::step]
    return images.encode_png(array), "image/png"


def _contrast(info: DatasetInfo) -> Contrast | None:
    """Return the contrast that the working copies were made with."""
    from lnl_core.data.contrast import Contrast

    return Contrast.from_json(datasets.read_meta(info).get("contrast"))


def _original(info: DatasetInfo, row: int) -> Path | None:
    """Return the original's path where it still lies inside the imported folder.

    A link that leads out is followed where the import was told to.
    """
    from lnl_core.data import files

    paths = loaded(info).paths
    if info.root is None or paths is None or not paths[row]:
        return None
    root = info.directory / info.root  # an unpacked zip's originals lie beside its arrays
    return files.original(root, paths[row], datasets.follows_links(info))
