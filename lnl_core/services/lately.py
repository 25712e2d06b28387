"""Values that may be a little old: what was made last, while somebody makes the next one.

For what changes in steps and that several people ask for at once: whoever comes first to a new step
makes it, or has a thread make it, and the others go on with what is there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

V = TypeVar("V")

_LOG = logging.getLogger(__name__)
_BEHIND = ThreadPoolExecutor(1, thread_name_prefix="lately")


def idle() -> None:
    """Wait until threads have made all that they were asked for so far."""
    _BEHIND.submit(int).result()


class Lately(Generic[V]):
    """The last value made for each key; of `size` keys, those that came last."""

    def __init__(self, size: int = 8) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._made: dict[Hashable, tuple[Hashable, V]] = {}
        self._making: dict[Hashable, threading.Lock] = {}
        self._failed: set[Hashable] = set()

    def get(
        self,
        key: Hashable,
        version: Hashable,
        make: Callable[[], V],
        may_be_old: Callable[[V], bool] = lambda known: False,
    ) -> V:
        """Return the value of a version: made now, unless another thread is at work on the key.

        Then it is the last one, whatever its version; who finds none waits for the first. Where
        the last one will do, a thread makes the next, one at a time. If that thread fails, the
        next who asks makes it, and gets the error.

        Args:
            key: of what.
            version: what it rests on.
            make: makes it.
            may_be_old: whether a value of another version will do until a thread has made this one.
        """
        with self._lock:
            known = self._made.get(key)
            making = self._making.setdefault(key, threading.Lock())
            failed = key in self._failed
        if known is not None and known[0] == version:
            return known[1]
        old = known is not None and not failed and may_be_old(known[1])
        if not making.acquire(blocking=known is None):
            assert known is not None
            return known[1]
        if old:
            assert known is not None
            try:
                _BEHIND.submit(self._make_behind, key, version, make, making)
            except RuntimeError:  # the process ends
                making.release()
            return known[1]
        try:
            return self._make(key, version, make)
        finally:
            making.release()

    def _make(self, key: Hashable, version: Hashable, make: Callable[[], V]) -> V:
        """Make a value, unless it was made while this thread waited; `making` is held."""
        with self._lock:
            known = self._made.get(key)
        if known is not None and known[0] == version:
            return known[1]
        value = make()
        with self._lock:
            self._failed.discard(key)
            self._keep(key, version, value)
        return value

    def _make_behind(
        self, key: Hashable, version: Hashable, make: Callable[[], V], making: threading.Lock
    ) -> None:
        try:
            self._make(key, version, make)
        except Exception:
            _LOG.exception("what a new moment says could not be worked out")
            with self._lock:
                self._failed.add(key)
        finally:
            making.release()

    def _keep(self, key: Hashable, version: Hashable, value: V) -> None:
        self._made.pop(key, None)
        self._made[key] = version, value
        while len(self._made) > self._size:
            oldest = next(iter(self._made))
            self._made.pop(oldest)
            self._making.pop(oldest, None)
