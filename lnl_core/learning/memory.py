"""How much memory a run takes, above what its process held when it began."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from pathlib import Path

import psutil

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Peak:
    """The most that this process holds above what it held at first.

    Linux keeps the peak itself and forgets it when told, so nothing between two looks is missed.
    Elsewhere it is the most that was seen. What an earlier run left is collected and given back
    before the first look, where the C library can: freed later, it would hide what this one takes.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.start = self._begin()
        self._most = 0

    def _begin(self) -> int:
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
        self._kept = False
        with contextlib.suppress(OSError):
            _RESET.write_text("5")
            self._kept = True
        return int(self._process.memory_info().rss)

    def now(self) -> int:
        """Return the bytes that are held above the first look, at least 0."""
        above = max(0, int(self._process.memory_info().rss) - self.start)
        self._most = max(self._most, above)
        return above

    def most(self) -> int:
        """Return the most bytes above the first look, since then or since `lap`."""
        self.now()
        if self._kept:
            self._most = max(self._most, _high_water() - self.start)
        return self._most

    def lap(self) -> int:
        """Return `most` and forget it; what is still held counts on."""
        most = self.most()
        self._begin()
        self._most = 0
        return most


def _high_water() -> int:
    with contextlib.suppress(OSError):
        for line in _STATUS.read_text("ascii").splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0
