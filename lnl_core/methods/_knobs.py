"""How a Config declares a knob."""

from __future__ import annotations

from dataclasses import field, fields
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


def check_choices(config: Any) -> None:
    """Refuse a Config with a text that its knob does not offer.

    Raises:
        ValueError: names the knob, what it may be and what it got.
    """
    for each in fields(config):
        value, choices = getattr(config, each.name), each.metadata.get("choices")
        if choices and value not in choices:
            raise ValueError(f"{each.name} must be one of {', '.join(choices)}, got {value!r}")
