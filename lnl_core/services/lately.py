"""Values that may be a little old: what was made last, while somebody makes the next one.

For what changes in steps and that several people ask for at once: whoever comes first to a new step
makes it, the others go on with what is there.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Lately(Generic[V]):
    """The last value made for each key; of `size` keys, those that came last."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[Hashable, V]] = {}
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, version: Hashable, make: Callable[[], V]) -> V:
        """Return the value of a version: made now, unless another thread is at work on the key.

        Then it is the last one, whatever its version; who finds none waits for the first.

        Args:
            key: of what.
            version: what it rests on.
            make: makes it.
        """
        with self._lock:
            known = self._made.get(key)
            making = self._making.setdefault(key, threading.Lock())
        if known is not None and known[0] == version:
            return known[1]
        if not making.acquire(blocking=known is None):
            assert known is not None
            return known[1]
        try:
            with self._lock:
                known = self._made.get(key)
            if known is not None and known[0] == version:
                return known[1]
            value = make()
            with self._lock:
                self._keep(key, version, value)
            return value
        finally:
            making.release()

    def _keep(self, key: Hashable, version: Hashable, value: V) -> None:
        self._made.pop(key, None)
        self._made[key] = version, value
        while len(self._made) > self._size:
            oldest = next(iter(self._made))
            self._made.pop(oldest)
            self._making.pop(oldest, None)
