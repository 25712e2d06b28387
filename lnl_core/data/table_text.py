"""The text of a table: its encoding, and where it is not what it says it is."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from lnl_core.types import LnlError

MAX_LINE = 2**20
SAVE_AS = "Save it as “CSV UTF-8”, then import again."

_PICTURES = {code: 0x2400 + code for code in range(32) if code not in (9, 10, 13)} | {
    0x7F: 0x2421,
    **dict.fromkeys(range(0xD800, 0xE000), 0xFFFD),
}


def visible(text: str) -> str:
    """Return text fit to store and show: control characters as their pictures (␀), rest kept.

    Line breaks and tabs stay; half surrogates, which no file can hold, become U+FFFD.
    """
    return text.translate(_PICTURES)


def lines_of(text: io.TextIOBase, name: str) -> Iterator[str]:
    """Give the lines of a text, ends kept.

    Raises:
        LnlError: one is longer than `MAX_LINE`.
    """
    number = 0
    while line := text.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE:
            raise LnlError(
                f"Line {number} of {name} is longer than a million characters. {SAVE_AS}"
            )
        yield line


@contextmanager
def text_of(file: Path | IO[bytes], name: str) -> Iterator[io.TextIOWrapper]:
    """Open CSV as text in the encoding that its first bytes tell; errors name line and byte."""
    try:
        stream = file.open("rb") if isinstance(file, Path) else file
    except OSError as error:
        raise LnlError(f"{name} cannot be opened: {error.strerror}. Check the path.") from error
    stream.seek(0)
    head = stream.read(4096)
    stream.seek(0)
    try:
        text = io.TextIOWrapper(stream, encoding=_encoding(head, name), newline="")
        try:
            yield text
        except UnicodeError as error:
            raise LnlError(_where_not_utf8(text.detach(), name)) from error
        finally:
            with suppress(ValueError):  # detached already
                text.detach()
    finally:
        if isinstance(file, Path):
            stream.close()


def _encoding(head: bytes, name: str) -> str:
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"\xd0\xcf\x11\xe0"):
        raise LnlError(f"{name} is a spreadsheet or archive, not CSV. {SAVE_AS}")
    if head[:512].count(0) > len(head[:512]) // 8:
        raise LnlError(f"{name} is not text (or UTF-16 without its mark). {SAVE_AS}")
    return "utf-8-sig"


def _where_not_utf8(stream: Any, name: str) -> str:
    stream.seek(0)
    offset = 0
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=1):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            return (
                f"{name} is not UTF-8: line {number}, byte {offset + error.start:,} is "
                f"0x{line[error.start]:02X}. {SAVE_AS}"
            )
        offset += len(line)
    return f"{name} is not UTF-8. {SAVE_AS}"


FORMULA = "[=+\\-@\uff1d\uff0b\uff0d\uff20\\t\\r\\n]"
"""What a cell begins with that a spreadsheet runs, as a pattern; the full-width signs, too."""

_PROTECTED = re.compile(rf"'+{FORMULA}")


def unprotect(text: str) -> str:
    """Take off the apostrophe that `export.protect` put on."""
    return text[1:] if _PROTECTED.match(text) else text
