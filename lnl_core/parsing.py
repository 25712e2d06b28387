"""Python's own parser among threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

TRIES = 8

P = ParamSpec("P")
T = TypeVar("T")

_ONE_AT_A_TIME = threading.RLock()


def parsed(parse: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call what makes a syntax tree, as `numpy.load` does of each array's header.

    Threads share the count of a tree's depth in CPython 3.11 and 3.12: where one makes a tree
    while another does, both may fail with SystemError though nothing is wrong with what they
    read (python/cpython issue 106905). So one does at a time, and does again where a tree of
    somebody else's, or of a finaliser, came between.

    Raises:
        SystemError: it failed that many times in a row.
        What `parse` raises.
    """
    with _ONE_AT_A_TIME:
        for _ in range(TRIES - 1):
            try:
                return parse(*args, **options)
            except SystemError:
                continue
        return parse(*args, **options)
