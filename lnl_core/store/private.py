"""A workspace's own files are its owner's: nobody else on the machine reads labels or answers."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OWN = (
    "datasets",
    "backups",
    "imports",
    "incoming",
    "downloads",
    "review.db",
    "review.db-wal",
    "review.db-shm",
    "worker.log",
    "app.log",
    "server.json",
)
"""What the program keeps in a workspace; `exports` is not among it, for others are to read it."""


def make(folder: Path) -> None:
    """Make a workspace's folder, for its owner alone; one that was there keeps its own mode.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "datasets").mkdir(mode=0o700, exist_ok=True)


def tighten(folder: Path) -> None:
    """Take from everybody else what of a workspace is this user's; Windows has no such modes."""
    if os.name != "posix":
        return
    for name in OWN:
        path = folder / name
        with suppress(OSError):  # not there, not ours, or on a disk that is read only
            found = path.lstat()
            mode = stat.S_IMODE(found.st_mode)
            mine = found.st_uid == os.getuid() and not stat.S_ISLNK(found.st_mode)
            if mine and mode & 0o077:
                path.chmod(mode & ~0o077)
