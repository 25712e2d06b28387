"""What one piece of work asks again and again is asked of the database once.

For what nobody who is at that work changes, and what may as well be as it was when it began.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

V = TypeVar("V")

_SAID: ContextVar[dict[Hashable, Any] | None] = ContextVar("said", default=None)


@contextmanager
def at_once() -> Iterator[None]:
    """Keep what `asked` finds until the block ends; a block inside another one adds nothing."""
    if _SAID.get() is not None:
        yield
        return
    token = _SAID.set({})
    try:
        yield
    finally:
        _SAID.reset(token)


def asked(key: Hashable, ask: Callable[[], V]) -> V:
    """Return what `ask` says; within `at_once`, what it said the first time."""
    said = _SAID.get()
    if said is None:
        return ask()
    if key not in said:
        said[key] = ask()
    found: V = said[key]
    return found
