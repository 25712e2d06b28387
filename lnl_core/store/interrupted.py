"""Work that a copy of a database calls under way: nothing of it begins by itself.

A database says which file it is, by that file's number on its disk. One that was copied, or brought
back from a copy, says another. What it has as waiting or running is the original's, or was over
long ago: runs are shown as interrupted, and go on when a person resumes them. A file that is moved
within its disk keeps its number.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

WORDS = (
    "interrupted: the workspace is a copy, or came back from one, while this waited or ran. "
    "Nothing of it begins by itself; Resume goes on from what is kept"
)

Execute = Callable[[str], Any]
"""Runs a statement within the transaction that is open, and returns its cursor."""

_UNDERWAY = "state in ('queued', 'running', 'cancelling')"
_STOPPED = "eta_seconds = null, pid = null, engine_job = null"


def stop(execute: Execute, stamp: str, dataset: int | None = None) -> int:
    """Interrupt what waits or is under way, of one data set or of all; return how many runs.

    Small tasks of the pages end too: a page asks for one again when it needs it.
    """
    where = _UNDERWAY + ("" if dataset is None else f" and dataset_id = {dataset:d}")
    execute(
        f"update jobs set state = 'cancelled', finished_at = '{stamp}', {_STOPPED} "
        f"where {where} and executor = 'tasks'"
    )
    done = execute(
        f"update jobs set state = 'failed', error = '{WORDS}', finished_at = '{stamp}', {_STOPPED} "
        f"where {where}"
    )
    return int(done.rowcount)


def is_original(execute: Execute, file: Path) -> bool | None:
    """Say whether a database is the file that it was; None where it does not say."""
    (known,) = execute("pragma user_version").fetchone()
    return known == _number(file) if known else None


def mark(execute: Execute, file: Path) -> None:
    """Note in a database which file it is."""
    execute(f"pragma user_version = {_number(file)}")


def mark_copy(execute: Execute) -> None:
    """Note in a copy that it is one, also where it gets the original's name and number later."""
    execute("pragma user_version = -1")


def _number(file: Path) -> int:
    return file.stat().st_ino % (2**31 - 1) + 1
