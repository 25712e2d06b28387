"""A reading made in a process of its own, with a limit of time and memory.

What a person points to may be hostile, or just very large: the page that asked stays alive, and so
does everybody else's. The child answers in JSON; no pickle comes back.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
import typing
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import UnionType
from typing import Any

import psutil

from lnl_core.readings import Reading
from lnl_core.services.datasets import incoming
from lnl_core.services.datasets.incoming import Look
from lnl_core.store import unexpected
from lnl_core.types import LnlError

SECONDS = 120.0
"""Until a reading is given up; an import, which nobody waits for, has no such limit."""

MEMORY = 4 * 2**30
"""Bytes that a reading may take, and never more than three quarters of the machine's."""

_LOOK = 0.2
"""Seconds between two looks at whether somebody still waits."""


def read(look: Look, waiting: Callable[[float], None] | None = None) -> Reading:
    """Say what would be imported, as `incoming.read` does, and never at the page's expense.

    Args:
        look: what is to be looked over, and how.
        waiting: called with the seconds so far, a few times a second; what it raises ends the
            reading at once.

    Raises:
        LnlError: nothing there can be imported, or looking takes too long or too much memory.
    """
    said = ask(json.dumps(look.to_json()), waiting=waiting)
    if "error" in said:
        raise LnlError(said["error"])
    reading: Reading = _made(Reading, said["reading"])
    return reading


def ask(
    asked: str,
    seconds: float = SECONDS,
    memory: int = MEMORY,
    waiting: Callable[[float], None] | None = None,
) -> dict[str, Any]:
    """Let a child read; return what it said: `reading`, or `error` in words."""
    name = Path(json.loads(asked)["source"]).name
    with tempfile.TemporaryDirectory(prefix="lnl-apart-") as scratch:
        child = subprocess.Popen(
            [sys.executable, "-m", "lnl_core.importer", "--read", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": incoming.python_path(), "TMPDIR": scratch},
        )
        with child:
            try:
                out = _heard(child, asked.encode(), seconds, waiting)
            except subprocess.TimeoutExpired:
                child.kill()
                return {
                    "error": f"Looking over {name} takes longer than {seconds:.0f} seconds and was "
                    "stopped. Choose a folder further down, or import it: that has no such limit."
                }
            except BaseException:  # whoever waited has gone on
                child.kill()
                raise
    with suppress(ValueError):
        said: dict[str, Any] = json.loads(out)
        return said
    return {
        "error": f"Looking over {name} took too much memory and was stopped. Check that it is what "
        "it says, or import a part of it."
    }


def _heard(
    child: subprocess.Popen[bytes],
    asked: bytes,
    seconds: float,
    waiting: Callable[[float], None] | None,
) -> bytes:
    """Return what a child writes until its end.

    Raises:
        TimeoutExpired: it takes longer than that.
    """
    if waiting is None:
        return child.communicate(asked, timeout=seconds)[0]
    began = time.monotonic()
    sent: bytes | None = asked
    while True:
        try:
            return child.communicate(sent, timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            sent = None  # it has been given what was asked
            passed = time.monotonic() - began
            if passed > seconds:
                raise
            waiting(passed)


def answer(asked: str, memory: int) -> str:
    """In the child: read within a limit of memory; return what it found as JSON."""
    _limit(memory)
    try:
        reading = incoming.read(Look.from_json(json.loads(asked)))
    except LnlError as error:
        return json.dumps({"error": str(error)})
    except Exception as error:
        if isinstance(error, MemoryError | OSError):
            raise
        said = unexpected.refusal("This could not be looked over", error)
        return json.dumps({"error": str(said)})
    return json.dumps({"reading": dataclasses.asdict(reading)}, default=_as_text)


def _limit(memory: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    most = min(memory, int(0.75 * psutil.virtual_memory().total))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    raise TypeError(type(value))


def _made(kind: Any, value: Any) -> Any:
    """Return a value of our own nouns from the JSON of `dataclasses.asdict`."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, UnionType):
        real = next(each for each in inside if each is not type(None))
        return None if value is None else _made(real, value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        kinds = typing.get_type_hints(kind)
        return kind(**{key: _made(kinds[key], each) for key, each in value.items()})
    if origin is tuple:
        return tuple(_made(inside[0], each) for each in value)
    if kind is bytes:
        return base64.b64decode(value)
    return dict(value) if origin in (dict, Mapping) else value
