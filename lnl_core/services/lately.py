"""Values that may be a little old: what was made last, while a thread makes the next one.

For what a person waits for, and what changes slowly: a fetch shows how many reviews are expected as
of some answers ago, and never waits for that to be counted.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

V = TypeVar("V")
_BEHIND = ThreadPoolExecutor(1, thread_name_prefix="lately")


class Lately(Generic[V]):
    """The last value made for each key; of `size` keys, those that came last."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[Hashable, V]] = {}
        self._making: dict[Hashable, Future[V]] = {}

    def get(self, key: Hashable, version: Hashable, make: Callable[[], V]) -> V:
        """Return the value made last; where its version is another one, a thread makes it anew.

        The first value of a key is made at once. What goes wrong in the thread is raised by the
        next call.

        Args:
            key: of what.
            version: what it rests on.
            make: makes it.
        """
        with self._lock:
            known = self._made.get(key)
        if known is None:
            return self._make(key, version, make)
        if known[0] != version:
            self.later(key, lambda: self._make(key, version, make))
        return known[1]

    def later(self, key: Hashable, make: Callable[[], V]) -> None:
        """Have a value made by a thread, unless it already makes one of this key."""
        with self._lock:
            making = self._making.get(key)
            if making is None or making.done():
                self._making[key] = _BEHIND.submit(make)
        if making is not None and making.done():
            making.result()

    def _make(self, key: Hashable, version: Hashable, make: Callable[[], V]) -> V:
        value = make()
        with self._lock:
            self._made.pop(key, None)
            self._made[key] = version, value
            while len(self._made) > self._size:
                self._made.pop(next(iter(self._made)))
        return value

    def wait(self) -> None:
        """Return once nothing is being made."""
        with self._lock:
            making = list(self._making.values())
        for each in making:
            each.result()
