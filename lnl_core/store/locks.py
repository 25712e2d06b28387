"""One at a time, over threads and processes: locks of the kernel, gone with whoever holds them."""

from __future__ import annotations

import errno
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
