"""Which process something belongs to: a number and a start time name one for good."""

from __future__ import annotations

import os
from pathlib import Path

_LINUX = Path("/proc/self/stat").is_file()


def process_started(pid: int) -> float | None:
    """Return when a process started, None where there is none (a zombie is none).

    On Linux in seconds since boot, which setting the clock does not change; elsewhere as psutil
    has it. Together with the pid it names one process for good.
    """
    if _LINUX:
        try:
            # "pid (any name) state ppid ...": the name may hold blanks and brackets
            fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        except OSError:
            return None
        state, started = fields.split()[0], int(fields.split()[19])
        return None if state in "ZX" else started / os.sysconf("SC_CLK_TCK")
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def process_lives(pid: int | None, started: float | None) -> bool:
    """Say whether the very process is alive; a reused pid or a zombie is not it."""
    if pid is None or started is None:
        return False
    present = process_started(pid)
    return present is not None and abs(present - started) < 0.5
