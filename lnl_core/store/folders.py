"""Where the folder of a data set goes, how it gets there, and how it goes away."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from lnl_core.records import Workspace
from lnl_core.store import owned


def free(ws: Workspace, folder: str) -> Path:
    """Return where a new set's folder goes: never where anything is.

    A number can come a second time (a database that was cut off or restored), and what another set
    left under it must neither be read as this one's nor be lost.
    """
    target, again = ws.datasets_dir / folder, 1
    while os.path.lexists(target):
        again += 1
        target = ws.datasets_dir / f"{folder}-{again}"
    return target


def move(directory: Path, target: Path) -> None:
    """Rename a folder to `target`, in one step also where it comes from another disk."""
    try:
        os.rename(directory, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        shutil.copytree(directory, part)
        os.rename(part, target)
        shutil.rmtree(directory, ignore_errors=True)


def drop(directory: Path) -> None:
    """Take a folder away: out of sight in one step, then file by file; of a link the link alone."""
    if directory.is_symlink():
        directory.unlink()
        return
    gone = directory.with_name(f"{owned.REMOVED}{directory.name}")
    os.rename(directory, gone)
    shutil.rmtree(gone, ignore_errors=True)
