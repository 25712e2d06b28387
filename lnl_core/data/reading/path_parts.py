"""What paths below a folder have in common: their folders, ends and beginnings."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from lnl_core.data.files import inside_path
from lnl_core.data.reading.indexing import composed
from lnl_core.data.tables import visible
from lnl_core.types import LnlError


def folder_of(path: str) -> str:
    """Return the folders of a path; "" where it has none."""
    return path.rpartition("/")[0]


def lies_in(path: str, folder: str) -> bool:
    """Tell whether a file lies in a folder or below it; "." is the root alone."""
    own = folder_of(path)
    return not own if folder == "." else f"{own}/".startswith(f"{folder}/")


def last_folders(path: str, depth: int) -> tuple[str, ...]:
    """Return the last folders of a path, capitals aside; fewer where it has no more."""
    return tuple(composed(part).casefold() for part in path.split("/")[:-1][-depth:])


def shared_start(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Return the parts that all paths start with."""
    low, high = min(paths), max(paths)
    same = [one == other for one, other in zip(low, high, strict=False)]
    return low[: same.index(False) if False in same else len(same)]


def where_shown(paths: Sequence[str]) -> str:
    """Return where files of one name lie: their folders, or the paths where a folder has two."""
    folders = sorted({folder_of(path) for path in paths})
    apart = len(folders) == len(paths)
    shown = [f"{folder or '.'}/…" for folder in folders] if apart else sorted(paths)
    return ", ".join(f"“{visible(each)[:60]}”" for each in shown[:3])


def spelled_so(name: str, paths: list[str]) -> list[str]:
    """Return the one path that has a name's capitals but for the ending; all where there is none.

    `a.PNG` is `a.png` where that lies beside `A.png`.
    """
    stem = os.path.splitext(composed(name))[0]
    same = [p for p in paths if os.path.splitext(composed(p.rpartition("/")[2]))[0] == stem]
    folders = set(map(folder_of, paths))
    return same if len(same) == 1 and len(folders) == 1 else paths


def inside(root: Path, said: str) -> str:
    """Return a folder as it is below the root, however it was written; "" and "none" as they are.

    By its path from the root, else from the current folder.

    Raises:
        LnlError: there is none.
    """
    if said in ("", "none"):
        return said
    written = [os.path.expanduser(unicodedata.normalize(form, said)) for form in ("NFC", "NFD")]
    for place in [os.path.normpath(root / each) for each in written] + [
        *map(os.path.abspath, written)
    ]:
        for each in (place, os.path.realpath(place)):
            if os.path.isdir(each) and each == str(root):
                return "."
            if os.path.isdir(each) and (below := inside_path(root, each)) is not None:
                return below
    raise LnlError(
        f"--images-in {visible(said)[:60]} is no folder below {visible(str(root))[:200]}. Name one "
        "of its folders by its path from there, or say none."
    )
