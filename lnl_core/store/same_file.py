"""A connection stays with the file that has the name it was opened by.

A restoring puts a damaged database aside. Whoever goes on saving into that one says that answers
are safe which nobody sees again.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from typing import Any

from sqlalchemy.exc import DisconnectionError

_FILE = "lnl_file"


def which(path: str) -> tuple[int, int] | None:
    """Return what tells a file from another one that gets its name later; None: there is none."""
    with suppress(OSError):
        found = os.stat(path)
        return found.st_dev, found.st_ino
    return None


def note(record: Any, path: str, before: tuple[int, int] | None) -> None:
    """Note which file a new connection has: the one there `before`, else the one it made."""
    record.info[_FILE] = path, before or which(path)


def check(_connection: Any, record: Any, _proxy: Any) -> None:
    """Refuse a pooled connection whose file was put aside or deleted.

    Raises:
        DisconnectionError: another file has its name; the pool opens that one.
        sqlite3.DatabaseError: there is none, and none is made.
    """
    path, opened = record.info.get(_FILE, (None, None))
    if path is None or opened == (there := which(path)):
        return
    if there is None:
        raise sqlite3.DatabaseError("the file is gone since it was opened")
    raise DisconnectionError("another file has its name")
