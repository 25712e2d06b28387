"""Files that leave the workspace: nothing that is there is lost, unless somebody says so.

`place` looks at where an output is to go and refuses what would destroy; `write` fills it. The
workspace's own files have a writer of their own, `store.files.write_atomic`.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lnl_core.data.images import SUFFIXES
from lnl_core.store.files import NO_RIGHT
from lnl_core.types import LnlError

TABLES = (".csv", ".parquet", ".pq")
"""Endings of a table: CSV, or Parquet."""

PARQUET = (".parquet", ".pq")

STDOUT = "-"
"""The name that stands for standard output."""

_OWN_STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")

Guard = Callable[[Path], str]
"""Says why a file, all links followed, must not be written; empty where it may."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an output goes, looked at once.

    Attributes:
        name: as it was asked for.
        path: the file, links followed; None for standard output.
        stream: whether it is a pipe or a device, which is written to and never replaced.
        force: whether a file that stands there is replaced.
    """

    name: str
    path: Path | None
    stream: bool = False
    force: bool = False

    @property
    def parquet(self) -> bool:
        """Whether a table becomes Parquet there."""
        if self.stream or self.path is None:
            return False
        ending = self.path.suffix.lower()  # of the file itself, where the name is a link to one
        return (ending if ending in TABLES else Path(self.name).suffix.lower()) in PARQUET


def place(out: str | Path, endings: Sequence[str], guard: Guard, *, force: bool = False) -> Place:
    """Look at where an output is to go.

    Args:
        out: a file, a pipe, a device, or `-` for standard output.
        endings: that a file of this format has, the usual one first.
        guard: what must not be written whoever asks for it.
        force: a file that stands there may be replaced.

    Raises:
        LnlError: what is in the way, and what to do.
    """
    name = str(out)
    if name == STDOUT or name in _OWN_STDOUT:
        return Place(name, None, stream=True)
    asked = Path(out).expanduser()
    if is_loop(asked):
        raise LnlError(f"{name} cannot be written: {LOOP}. Choose another name.")
    try:
        there = asked.stat() if asked.exists() else None  # before links: a pipe has no real path
        path = asked.resolve()
        folder_there = path.parent.is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        words = getattr(error, "strerror", None) or "it is no path"
        raise LnlError(f"{name} cannot be written: {words}. Choose another name.") from error
    if there is not None and stat.S_ISDIR(there.st_mode):
        raise LnlError(f"{name} is a folder. Name a file in it, ending in {endings[0]}.")
    if there is not None and not stat.S_ISREG(there.st_mode):
        if stat.S_ISFIFO(there.st_mode) or stat.S_ISCHR(there.st_mode):
            return Place(name, asked, stream=True)
        raise LnlError(f"{name} is a disk or a socket, not a file. Choose a file.")
    if Path(name).suffix.lower() not in endings:
        known = " or ".join(dict.fromkeys(each for each in endings if each != ".pq"))
        raise LnlError(f"{name} does not end in {known}, as this format does. Choose such a name.")
    if not folder_there:
        raise LnlError(f"There is no folder {path.parent}. Make it first, or choose another one.")
    if refusal := guard(path):
        raise LnlError(f"{name} is {refusal}, which no output touches. Choose another name.")
    if there is not None:
        if path.suffix.lower() in SUFFIXES:
            raise LnlError(f"{name} is an image, which no output replaces. Choose another name.")
        if not force:
            raise _taken(name)
    return Place(name, path, force=force)


LOOP = "it is a link that leads to itself"


def is_loop(path: Path) -> bool:
    """Say whether a path is a link that leads to itself, over others or not."""
    try:
        path.stat()
    except OSError as error:
        return error.errno == errno.ELOOP
    except ValueError:  # no path at all
        return False
    return False


def write(where: Place, fill: Callable[[IO[bytes]], object], *, binary: bool = False) -> None:
    """Fill a place: a file appears whole or not at all, a stream gets the bytes as they come.

    Args:
        where: of `place`.
        fill: writes the bytes.
        binary: whether they are no text; then they do not go to a terminal.

    Raises:
        LnlError: no room, no right to write, a file that appeared meanwhile, or a terminal.
    """
    try:
        if where.path is None:
            if binary and sys.stdout.isatty():
                raise LnlError("This is no text, for a terminal. Send it to a file: > NAME")
            sys.stdout.flush()
            fill(sys.stdout.buffer)
            sys.stdout.buffer.flush()
        elif where.stream:
            with open(os.open(where.path, os.O_WRONLY | os.O_NOCTTY), "wb") as stream:
                fill(stream)
        else:
            _file(where.path, where, fill)
    except OSError as error:
        if where.path is None and isinstance(error, BrokenPipeError):
            raise  # who reads has seen enough: `lnl rank birds --out - | head`
        help_ = "Choose" if error.errno in NO_RIGHT else "Free space there, or choose"
        raise LnlError(
            f"{where.name} cannot be written: {error.strerror or error}. {help_} another place."
        ) from error


def _file(path: Path, where: Place, fill: Callable[[IO[bytes]], object]) -> None:
    part = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}.part")
    number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(number, "wb") as stream:
            fill(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if where.force and path.exists():
            part.chmod(stat.S_IMODE(path.stat().st_mode))
            os.replace(part, path)
        else:
            _appear(part, path, where.name)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _appear(part: Path, path: Path, name: str) -> None:
    """Give a file its name where nothing has that name, in one step where the disk can."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise _taken(name) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        if path.exists():
            raise _taken(name) from error
        os.replace(part, path)


def _taken(name: str) -> LnlError:
    return LnlError(f"{name} is there already. Choose another name, or add --force to replace it.")
