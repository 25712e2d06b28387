"""What a command says to a reader who has gone is dropped, and the command goes on.

`lnl import photos | head -1` has to store the set: without this the first line that nobody reads
would end the command between its reading and its import, and nothing would say so.
"""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import Any


def go_on_unread() -> None:
    """Make standard output and standard error outlive their readers, where they are pipes."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper) and _is_pipe(stream):
            stream.flush()
            whole = io.BufferedWriter(_Unread(stream.fileno(), "w", closefd=False))
            kept = {key: getattr(stream, key) for key in ("encoding", "errors", "line_buffering")}
            setattr(sys, name, io.TextIOWrapper(whole, **kept))


def _is_pipe(stream: io.TextIOWrapper) -> bool:
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except OSError:  # closed, or not a file
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


class _Unread(io.FileIO):
    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            return memoryview(data).nbytes
