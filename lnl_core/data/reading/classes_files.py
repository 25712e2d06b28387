"""Files of class names that lie beside a list: one name a line, for labels that are numbers."""

from __future__ import annotations

from pathlib import Path

from lnl_core.data.reading.spellings import number
from lnl_core.data.tables import visible
from lnl_core.types import LnlError


def classes_of(file: Path) -> list[str]:
    """Read a file with one class name a line.

    Raises:
        LnlError: it cannot be read, or holds no name.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise LnlError(f"{file.name} cannot be read as text. Save it as UTF-8.") from error
    names = [visible(line.strip()) for line in text.splitlines() if line.strip()]
    pairs = [name.split(maxsplit=1) for name in names]
    if all(len(pair) == 2 and pair[0].isdecimal() for pair in pairs):  # “0 cat”, “1 dog”
        numbers = [int(pair[0]) for pair in pairs]
        if numbers == list(range(numbers[0], numbers[0] + len(pairs))):
            names = [pair[1] for pair in pairs]
    if not names or len(set(names)) < len(names):
        raise LnlError(f"{file.name} names no classes, or one twice. Write one name a line.")
    return names


def classes_file(root: Path) -> Path | None:
    """Return the file of class names that lies beside a list, where there is one."""
    for name in ("classes.txt", "class_names.txt", "labels.txt", "classes.names", "obj.names"):
        if (root / name).is_file():
            return root / name
    return None


def whole(label: str) -> int | None:
    """Return the whole number that a label is; None where it is none."""
    value = number(label)
    return int(value) if value is not None and value == value.to_integral_value() else None
