"""What a figure has other in the dark: only that is sent beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Change = tuple[list[str | int], Any]
"""Where, and what stands there in the dark."""


def changes(light: Any, dark: Any) -> list[Change]:
    """Return what to write into a figure so that it becomes the other one.

    Args:
        light: a figure as JSON holds it.
        dark: the same figure in other colours.
    """
    return list(_changes(light, dark, []))


def _changes(one: Any, other: Any, path: list[str | int]) -> Iterator[Change]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            yield from _changes(one[key], other[key], [*path, key])
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _changes(mine, theirs, [*path, place])
    elif one != other:
        yield path, other
