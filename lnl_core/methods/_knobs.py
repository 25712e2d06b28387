"""How a Config declares a knob."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def knob(default: Any, text: str, choices: tuple[str, ...] = ()) -> Any:
    """Return a dataclass field with what the Runs page says beside it.

    Args:
        default: the paper's value where it is known.
        text: one line of help.
        choices: all that a text may be; none for numbers and switches.
    """
    said: dict[str, Any] = {"help": text}
    if choices:
        said["choices"] = choices
    return field(default=default, metadata=said)
