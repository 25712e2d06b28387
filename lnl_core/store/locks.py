"""One at a time, over threads and processes: locks of the kernel, gone with whoever holds them."""

from __future__ import annotations

import errno
import os
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_LOOK_SECONDS = 0.1

_OPEN_IN_SQLITE = (0x40000002, 510)
"""Where whoever has a SQLite database open in WAL mode holds a lock, and how many bytes."""


@contextmanager
def held(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock of a file, which is made and stays; not twice by one holder.

    Where the file cannot be made, its folder is gone, or the file system knows no locks, nobody
    waits for anybody.

    Args:
        path: of the file.
        waiting: called ten times a second while another holds it; what it raises ends the wait.
    """
    try:
        stream = path.open("ab")
    except OSError:  # nor can what it guards be written: who writes it says so
        yield
        return
    with stream:
        while not _taken(stream):
            waiting()
            time.sleep(_LOOK_SECONDS)
        yield


def _taken(stream: IO[bytes]) -> bool:
    """Take the lock; False where another holds it."""
    try:
        if fcntl is not None:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
    return True


@contextmanager
def alone(file: Path, patience: float) -> Iterator[int | None]:
    """Keep everybody else from opening a SQLite database; no connection of one's own is open.

    Args:
        file: the database, damaged or not.
        patience: seconds to wait for whoever has it open.

    Yields:
        None where nobody has it open, else the number of a process that has; 0 where that is not
        known. Where there are no such locks, nobody is seen.
    """
    if not hasattr(fcntl, "F_OFD_SETLK") or not file.is_file():  # Linux alone has them
        yield None
        return
    until = time.monotonic() + patience
    with file.open("r+b") as stream:
        while (holder := _holder(stream)) is not None and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
        yield holder


def _holder(stream: IO[bytes]) -> int | None:
    """Take a lock of the open file, which reading the file elsewhere in this process leaves."""
    layout = "hhqqi0q"
    lock = struct.pack(layout, fcntl.F_WRLCK, os.SEEK_SET, *_OPEN_IN_SQLITE, 0)
    try:
        fcntl.fcntl(stream, fcntl.F_OFD_SETLK, lock)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            return None
        *_, process = struct.unpack(layout, fcntl.fcntl(stream, fcntl.F_OFD_GETLK, lock))
        return max(0, int(process))
    return None
