"""Faults of the program's own: told apart from damage, kept with their traceback, said plainly.

Damaged data raises where it is decoded, in libraries, or a `ValueError` here. A `TypeError` and its
like that arises in one of our own lines is a mistake of ours: nobody's file is blamed for it.
"""

from __future__ import annotations

import logging
import logging.handlers
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from lnl_core.records import LnlError, Unexpected

HOUSE = Path(__file__).resolve().parents[1]
"""Our own lines; whatever else a traceback ends in is a library's."""

KINDS = (
    TypeError,
    AttributeError,
    AssertionError,
    NameError,
    LookupError,
    NotImplementedError,
)
"""What a mistake in a program raises, and bytes that somebody changed hardly ever do."""

_LOG = logging.getLogger("lnl_review")
_LOG.propagate = False


def is_ours(error: BaseException) -> bool:
    """Say whether an exception is a mistake of this program, not what damaged data raises."""
    if isinstance(error, LnlError) or not isinstance(error, KINDS):
        return False
    last = _last(error.__traceback__)
    return last is not None and _file(last).is_relative_to(HOUSE)


def refusal(what: str, error: BaseException) -> Unexpected:
    """Keep a mistake's traceback in the log, and return what a person is told.

    Args:
        what: what could not be done, a sentence without its stop.
        error: as it was raised.
    """
    file = write_down(what, error)
    place, last = "", _last(error.__traceback__)
    if last is not None:
        place = f" at {_file(last).name}:{last.tb_lineno}"
    kept = "" if file is None else f" with the end of {file}"
    return Unexpected(
        f"{what}, unexpectedly: {type(error).__name__}{place}. This is a fault of the program; "
        f"please report it{kept}."
    )


def write_down(what: str, error: BaseException) -> Path | None:
    """Append a traceback to the log of the workspace; return its file, None where none could be."""
    file = log_file()
    try:
        if not file.parent.is_dir():
            return None
        if not any(getattr(each, "baseFilename", "") == str(file) for each in _LOG.handlers):
            _open(file)
        _LOG.error(what, exc_info=error)
        return file
    except (OSError, ValueError):  # a disk that is full, or read only; a closed file
        _close()
        return None


class _Handler(logging.handlers.RotatingFileHandler):
    """Lets an error of writing through, where the library would print a traceback of its own."""

    def handleError(self, record: logging.LogRecord) -> None:
        raise


def _open(file: Path) -> None:
    _close()  # that of another workspace
    handler = _Handler(
        file,
        maxBytes=1_000_000,
        backupCount=1,
        encoding="utf-8",
        delay=True,
        errors="backslashreplace",  # names of files may be no UTF-8
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    _LOG.addHandler(handler)


def _close() -> None:
    for each in list(_LOG.handlers):
        _LOG.removeHandler(each)
        with suppress(OSError):
            each.close()


def log_file() -> Path:
    """Return where unexpected errors are written."""
    from lnl_core.store.db import located  # which itself reads files

    return located().home / "app.log"


def _last(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _file(trace: TracebackType) -> Path:
    return Path(trace.tb_frame.f_code.co_filename).resolve()
