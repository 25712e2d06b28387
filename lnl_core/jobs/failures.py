"""Why a run failed, in one line, with what to do about it."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any

from lnl_core.types import LnlError


def place(stage: str, metrics: Mapping[str, Any]) -> str:
    """Say where a run was: `at epoch 12 of 30`, or `while features` before the first epoch."""
    epoch, epochs = metrics.get("epoch"), metrics.get("epochs")
    return f"at epoch {epoch:.0f} of {epochs:.0f}" if epoch and epochs else f"while {stage}"


_OF_MEMORY = (
    "can't allocate memory",
    "cannot allocate memory",
    "std::bad_alloc",
    "can't start new thread",
    "failed to map segment",
)
"""How libraries say that a limit of memory was met; a thread needs a stack."""


def _is_memory(error: BaseException) -> bool:
    """Tell whether a run came to the end of its memory, whoever noticed."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError | OSError | ImportError) and any(
        words in said for words in _OF_MEMORY
    )


def in_words(error: BaseException, where: str) -> str:
    """Say why a run failed; `where` as `place` gives it."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, OSError) and link.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"disk full {where}; free space, then resume"
        if type(link).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
            return f"GPU memory full {where}; choose a smaller batch, or device cpu, then resume"
        if type(link).__name__ in ("DistBackendError", "DistNetworkError") or "gloo" in str(link):
            return f"another process of this run died {where}; see the log, then resume"
        if _is_memory(link):
            return f"out of memory {where}; choose a smaller batch or preset, then resume"
        if isinstance(link, ValueError) and " is damaged: " in str(link):
            file = str(link).partition(" is damaged: ")[0]
            return f"{file} is damaged {where}; import the set again, or start a new run without it"
        link = link.__cause__ or link.__context__
    if isinstance(error, LnlError):
        return str(error)
    last = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__} {where}: {last[-1]}"[:500]
