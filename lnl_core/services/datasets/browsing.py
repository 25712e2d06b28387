"""Folders as a person walks through them in the browser, never out of what may be read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lnl_core.services.datasets.incoming import roots

MOST = 200
"""Names that one look shows; the rest is counted."""

_SCANNED = 20_000
"""Entries of a folder that are looked at: one that holds a million images still answers at once."""


@dataclass(frozen=True, slots=True)
class Look:
    """What lies in one folder.

    Attributes:
        folder: that folder; None where the folders that may be read are listed themselves.
        above: the folder above it, None where that may not be read.
        folders: paths of the folders in it, by name.
        files: paths of the files in it with one of the endings asked for.
        more: how many of both are not listed.
    """

    folder: Path | None
    above: Path | None
    folders: tuple[Path, ...]
    files: tuple[Path, ...]
    more: int


def look(text: str, endings: Sequence[str] = ()) -> Look:
    """List the deepest folder that a path leads to, perhaps half typed.

    Args:
        text: what somebody typed; what follows the last folder that exists narrows the list to
            names that begin so. Blank is the home folder (the topmost one where that is empty), or
            the folders that may be read.
        endings: of files that are listed, such as `.csv`.
    """
    allowed = roots()
    folder, begun = _deepest(text.strip(), allowed)
    if folder is None:
        return Look(None, None, tuple(allowed), (), 0)
    folders, files = _entries(folder, begun.casefold(), tuple(endings))
    if not (text.strip() or folders or files):
        folder = Path(folder.anchor)
        folders, files = _entries(folder, "", tuple(endings))
    shown = folders[:MOST]
    listed = files[: MOST - len(shown)]
    more = len(folders) + len(files) - len(shown) - len(listed)
    return Look(folder, _above(folder, allowed), tuple(shown), tuple(listed), more)


def _deepest(text: str, allowed: Sequence[Path]) -> tuple[Path | None, str]:
    """Return the deepest folder that exists and may be read, and the name begun after it."""
    if not text:
        return (None, "") if allowed else (Path.home(), "")
    path, begun = Path(text).expanduser(), ""
    while True:
        try:
            if path.is_dir():
                folder = path.resolve()
                inside = not allowed or any(folder.is_relative_to(root) for root in allowed)
                return (folder, begun) if inside else (None, "")
        except (OSError, ValueError, RuntimeError):
            pass
        if path == path.parent:
            return (None, "") if allowed else (Path.home(), "")
        path, begun = path.parent, path.name


def _above(folder: Path, allowed: Sequence[Path]) -> Path | None:
    above = folder.parent
    if above == folder or (allowed and not any(above.is_relative_to(root) for root in allowed)):
        return None
    return above


def _entries(folder: Path, begun: str, endings: tuple[str, ...]) -> tuple[list[Path], list[Path]]:
    """Return the folders and the files with an ending, by name; what is hidden is left out."""
    folders: list[Path] = []
    files: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number == _SCANNED:
                    break
                if entry.name.startswith(".") or not entry.name.casefold().startswith(begun):
                    continue
                if entry.is_dir():
                    folders.append(folder / entry.name)
                elif entry.name.lower().endswith(endings) and endings:
                    files.append(folder / entry.name)
    except OSError:
        return [], []
    return sorted(folders, key=_by_name), sorted(files, key=_by_name)


def _by_name(path: Path) -> tuple[str, str]:
    return path.name.casefold(), path.name
