"""Small files of a workspace: written aside, then renamed, so no reader sees half of one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lnl_core.records import Damaged, LnlError, Missing
from lnl_core.store import unexpected

_LITTLE = 2**30
"""Bytes."""

DOCTOR = "`lnl doctor` says what can be restored"


def write_atomic(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a temporary file, flush it to disk and rename it to `path`.

    Raises:
        LnlError: no room on the disk, or no right to write.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except OSError as error:
        with suppress(OSError):  # where its folder could not be made, it is not there either
            part.unlink(missing_ok=True)
        raise LnlError(f"{path} cannot be written: {error.strerror}. {_way_on(error)}") from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


NO_RIGHT = (errno.EROFS, errno.EACCES, errno.EPERM)
"""What a disk or a folder says that can be read only."""


def _way_on(error: OSError) -> str:
    if error.errno in NO_RIGHT:
        return "Make the workspace writable, or copy it and set LNL_HOME to the copy."
    return "Free space there, or set LNL_HOME to another disk, then resume."


def is_short(folder: Path) -> bool:
    """Tell whether a disk has little room, and that of temporary files has more."""
    free = shutil.disk_usage(folder).free
    return free < _LITTLE and shutil.disk_usage(tempfile.gettempdir()).free > free


def write_json(path: Path, value: Any) -> None:
    """Save JSON, atomically."""
    data = json.dumps(value, ensure_ascii=False, indent=1).encode()
    write_atomic(path, lambda stream: stream.write(data))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file of the workspace is read into a refusal that names it.

    Raises:
        Missing: it is gone.
        Damaged: it does not hold what was written into it.
        Unexpected: this program made a mistake in reading it.
        LnlError: it may not be read.
    """
    place = f"{path.parent.name}/{path.name}"
    try:
        yield
    except LnlError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Missing(f"{place} is missing ({path}). {DOCTOR}.") from error
    except OSError as error:
        why = error.strerror or error
        raise LnlError(f"{path} cannot be read: {why}. Check the disk and its rights.") from error
    except MemoryError as error:
        raise LnlError(f"Memory is too small for {place}. Close other programs.") from error
    except Exception as error:  # what is damaged may raise anything
        if unexpected.is_ours(error):
            raise unexpected.refusal(f"{place} could not be read", error) from error
        raise Damaged(f"{place} is damaged: {_in_words(error)}. {DOCTOR}.") from error


_CUT = ("mmap length", "No data left", "reshape array", "EOF", "truncated", "header too small")
_NOT_OURS = ("pickled (object)", "magic string", "magic bytes", "HeaderTooLarge", "Invalid header")


def _in_words(error: Exception) -> str:
    """Say what is wrong with a file; what decoders say of it is for programmers."""
    said = " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
    if isinstance(error, json.JSONDecodeError):
        return f"it is no JSON from line {error.lineno} on"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    if any(words in said for words in _CUT):
        return "it is cut off"
    return "it holds something else, or is cut off" if any(w in said for w in _NOT_OURS) else said


class Facts(dict[str, Any]):
    """A JSON object of the workspace: that it lacks what is asked for is damage of its file."""

    path: Path

    def __missing__(self, key: str) -> Any:
        place = f"{self.path.parent.name}/{self.path.name}"
        raise Damaged(f"{place} is damaged: it lacks “{key}”. {DOCTOR}.")


def read_json(path: Path, kind: type = dict) -> Any:
    """Read JSON written by `write_json`.

    Args:
        path: the file.
        kind: what it holds; `object` where that may be anything.

    Raises:
        Missing: it is gone.
        Damaged: it is no JSON, or of another kind.
    """
    with readable(path):
        value: Any = json.loads(path.read_text("utf-8"))
        if not isinstance(value, kind):
            raise ValueError(f"it holds a {type(value).__name__} where a {kind.__name__} belongs")
    if kind is not dict or not isinstance(value, dict):
        return value
    facts = Facts(value)
    facts.path = path
    return facts


def ranking_version(folder: Path) -> str | None:
    """Return the name of the ranking in force, None before the first run is done."""
    path = folder / "current.json"
    try:
        return str(read_json(path)["version"])
    except Missing:
        return None
