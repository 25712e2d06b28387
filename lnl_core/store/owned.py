"""Whose a folder is while it is made or taken away, so that what a dead process left can go.

A folder that is not yet, or no longer, in the list of data sets holds a mark: machine, process and
its start. `sweep` removes what is marked by a process that is gone, never what a living one holds.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from lnl_core.records import Workspace
from lnl_core.store import schema
from lnl_core.store.db import reading
from lnl_core.store.files import read_json, write_json
from lnl_core.store.processes import process_lives, process_started

MARK = ".owner.json"
"""In a folder: who is making it, or taking it away."""

REMOVED = ".removed-"
"""What a removed data set's folder is called until its files are gone."""

_ELSEWHERE = 7 * 24 * 3600.0
"""Seconds after which a mark of another machine, or a folder without one, counts as left behind."""

_SHARED = 3600.0
"""Seconds without a write after which a half file counts as left behind on shared storage."""

_PART = re.compile(r"\..*\.(\d+)\.part")
_ORIGINALS = "originals"


def claim(folder: Path) -> None:
    """Mark a folder as this process's own.

    Raises:
        LnlError: it cannot be written.
    """
    own = {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "started": process_started(os.getpid()),
    }
    write_json(folder / MARK, own)


def release(folder: Path) -> None:
    """Take the mark off: what is in the folder is to stay."""
    with suppress(OSError):
        (folder / MARK).unlink(missing_ok=True)


def abandoned(folder: Path) -> bool:
    """Say whether whoever marked a folder is gone; without a mark only age tells, after a week."""
    try:
        mark: dict[str, Any] = read_json(folder / MARK)
        if mark["host"] == socket.gethostname():
            return not process_lives(mark["pid"], mark["started"])
        touched = (folder / MARK).stat().st_mtime
    except (OSError, ValueError, KeyError, TypeError):
        try:
            touched = folder.lstat().st_mtime
        except OSError:
            return False
    return time.time() - touched > _ELSEWHERE


def sweep(ws: Workspace) -> list[Path]:
    """Remove what dead processes left among the data sets and half written; return what went."""
    with reading(ws) as connection:
        listed = set(connection.execute(select(schema.datasets.c.folder)).scalars())
    gone: list[Path] = []
    for folder in _folders(ws.datasets_dir):
        if folder.name in listed:
            if (folder / MARK).is_file() and abandoned(folder):
                release(folder)  # died after the list had it
        elif folder.name.startswith(REMOVED) or ((folder / MARK).is_file() and abandoned(folder)):
            shutil.rmtree(folder, ignore_errors=True)
            gone.append(folder)
    for part in _half_files(ws):
        if part.is_dir() and not part.is_symlink():
            shutil.rmtree(part, ignore_errors=True)
        else:
            with suppress(OSError):
                part.unlink()
        gone.append(part)
    return gone


def sweep_folders(parent: Path) -> list[Path]:
    """Remove the folders in `parent` whose makers are gone; return them."""
    gone = [folder for folder in _folders(parent) if abandoned(folder)]
    for folder in gone:
        shutil.rmtree(folder, ignore_errors=True)
    return gone


def _folders(parent: Path) -> list[Path]:
    try:
        return [each for each in parent.iterdir() if each.is_dir() and not each.is_symlink()]
    except OSError:
        return []


def _half_files(ws: Workspace) -> Iterator[Path]:
    """Yield what `.NAME.PID.part` says was being written by a process that is no more."""
    places = [(ws.home, False), (ws.home / "backups", False), (ws.datasets_dir, True)]
    for top, deep in places:
        for folder, inner, files in os.walk(top):
            for name in [*inner, *files]:
                found = _PART.fullmatch(name)
                path = Path(folder, name)
                if found and _left_behind(ws, path, int(found[1])):
                    yield path
            keep = [each for each in inner if each != _ORIGINALS and not each.endswith(".part")]
            inner[:] = keep if deep else []


def _left_behind(ws: Workspace, path: Path, pid: int) -> bool:
    if ws.on_sqlite:  # all of its processes are on this machine
        return process_started(pid) is None
    with suppress(OSError):
        return time.time() - path.lstat().st_mtime > _SHARED
    return False
