"""Python's own parser among threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

TRIES = 8


P = ParamSpec("P")
T = TypeVar("T")


def parsed(parse: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call what makes a syntax tree, as `numpy.load` does of each array's header.

    Threads share the count of a tree's depth in CPython 3.11 and 3.12: where one makes a tree
    while another does, both may fail with SystemError though nothing is wrong with what they
    read (python/cpython issue 106905).

    Raises:
        SystemError: it failed that many times in a row.
        What `parse` raises.
    """
    for _ in range(TRIES - 1):
        try:
            return parse(*args, **options)
        except SystemError:
            continue
    return parse(*args, **options)
