"""Where the names of classes stand on a map: beside their images, never on each other.

As on Explore's map: the middle of a class first, then rings around it, where the fewest dots lie.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lnl_core.types import Array, IntArray

ROOM = (640, 520)
"""Pixels of the map on paper: what finds room there has it on a screen, too."""

LETTER, LINE = 8, 20
"""Pixels of a letter and of a line, about."""

_CELL, _STEP, _FARTHEST, _DIRECTIONS = 5, 12, 168, 16

Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A name: where it stands and what it is about, both in [0, 1], y pointing down."""

    name: str
    at: tuple[float, float]
    middle: tuple[float, float]

    @property
    def moved(self) -> bool:
        """Whether it stands so far from its class's middle that a line has to tie it."""
        away = ((a - b) * size for a, b, size in zip(self.at, self.middle, ROOM, strict=True))
        return math.hypot(*away) > LINE


def place(names: Sequence[tuple[str, float, float]], points: Array) -> list[Placed]:
    """Place names, the first first; one that finds no free place is left out.

    Args:
        names: (name, x, y) of the middle of each class, in [0, 1].
        points: (n, 2) uint16 where the images lie; 0..65535 spans the map.
    """
    crowd, taken, found = _crowd(points), list[Box](), list[Placed]()
    for name, x, y in names:
        best: tuple[float, Box, tuple[float, float]] | None = None
        for at, away in _around(x * ROOM[0], y * ROOM[1]):
            box = box_of(name, at)
            if not _inside(box) or any(meet(box, other) for other in taken):
                continue
            dots = _dots(crowd, box)
            cost = dots + away / _FARTHEST
            if best is None or cost < best[0]:
                best = cost, box, at
            if not dots:
                break  # nearest first: none is better
        if best is not None:
            taken.append(best[1])
            across, down = best[2]
            found.append(Placed(name, (across / ROOM[0], down / ROOM[1]), (x, y)))
    return found


def box_of(name: str, at: tuple[float, float]) -> Box:
    """Return the box of a name around a place in pixels."""
    half = LETTER * len(name) / 2 + 4
    return at[0] - half, at[1] - LINE / 2, at[0] + half, at[1] + LINE / 2


def meet(a: Box, b: Box) -> bool:
    """Tell whether two boxes have a point in common."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _inside(box: Box) -> bool:
    return box[0] >= 0 and box[1] >= 0 and box[2] <= ROOM[0] and box[3] <= ROOM[1]


def _around(x: float, y: float) -> Iterator[tuple[tuple[float, float], float]]:
    """Yield the places that are tried, in pixels, and how far away they are; nearest first."""
    yield (x, y), 0.0
    for away in range(2 * _STEP, _FARTHEST + 1, _STEP):
        for direction in range(_DIRECTIONS):
            turn = 2 * math.pi * direction / _DIRECTIONS
            yield (x + 1.35 * away * math.cos(turn), y + away * math.sin(turn)), float(away)


def _crowd(points: Array) -> IntArray:
    """Return (rows + 1, columns + 1) how many points lie above and left of each corner."""
    columns, rows = (size // _CELL for size in ROOM)
    x = (np.asarray(points[:, 0], np.int64) * columns) >> 16
    y = (np.asarray(points[:, 1], np.int64) * rows) >> 16
    counts = np.bincount(y * columns + x, minlength=rows * columns).reshape(rows, columns)
    return np.pad(counts.cumsum(0).cumsum(1), ((1, 0), (1, 0)))


def _dots(crowd: IntArray, box: Box) -> int:
    """Return how many points lie in the cells that a box touches."""
    rows, columns = (size - 1 for size in crowd.shape)
    left, right = (min(columns, max(0, math.floor(box[0] / _CELL))), math.ceil(box[2] / _CELL))
    top, bottom = (min(rows, max(0, math.floor(box[1] / _CELL))), math.ceil(box[3] / _CELL))
    right, bottom = min(columns, right), min(rows, bottom)
    inside = crowd[bottom, right] - crowd[top, right] - crowd[bottom, left] + crowd[top, left]
    return int(inside)
