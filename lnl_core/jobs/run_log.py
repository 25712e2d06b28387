"""The log of a run: all that its process logs or prints, whoever does so, in one file."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger("lnl.worker")


class _ToStderr(logging.Handler):
    """Writes straight to file descriptor 2, which is a run's log; a full disk is no failure."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):
            os.write(2, (self.format(record) + "\n").encode())


@contextlib.contextmanager
def written_to(path: Path) -> Iterator[None]:
    """Send everything that this process logs and prints to a run's log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = [(number, os.dup(number)) for number in (1, 2)]
    handler = _ToStderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    flush()
    with path.open("ab", buffering=0) as stream:
        for number, _ in kept:
            os.dup2(stream.fileno(), number)
    try:
        yield
    finally:
        flush()
        log.removeHandler(handler)
        for number, saved in kept:
            os.dup2(saved, number)
            os.close(saved)


def flush() -> None:
    """Write out what Python still holds; a full disk is no failure."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
