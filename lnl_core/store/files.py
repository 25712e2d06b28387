"""Small files of a workspace: written aside, then renamed, so no reader sees half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from lnl_core.records import LnlError


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
        raise LnlError(
            f"{path} cannot be written: {error.strerror}. Free space there, or set LNL_HOME "
            "to another disk, then resume."
        ) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_json(path: Path, value: Any) -> None:
    """Save JSON, atomically."""
    data = json.dumps(value, ensure_ascii=False, indent=1).encode()
    write_atomic(path, lambda stream: stream.write(data))


def read_json(path: Path) -> Any:
    """Read JSON written by `write_json`."""
    return json.loads(path.read_text("utf-8"))


def ranking_version(folder: Path) -> str | None:
    """Return the name of the ranking in force, None before the first run is done."""
    try:
        return str(read_json(folder / "current.json")["version"])
    except FileNotFoundError:
        return None
