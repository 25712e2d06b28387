"""Which image a person sees next: orders over a million rows, and pages of one class.

The default is greedy on p_wrong; a page holds images of one given class, because switching classes
costs a person more than slightly less suspicious images do (Active label cleaning, Bernhardt et
al., Nature Communications 2022, measures effort the same way: errors found per decision).
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import BoolArray, FloatArray, IntArray

PAGE_SIZE = 12

ORDERS = ("suspicious", "pages", "pair", "diverse", "random")


def order(
    kind: str,
    *,
    p_wrong: FloatArray,
    given_labels: IntArray,
    suggested_labels: IntArray,
    seed: int = 0,
) -> IntArray:
    """Return all n rows in the order a person should see them; ties by row number.

    Args:
        kind: `suspicious` = p_wrong falling; `pages` = twelve at a time of one given class, the
            page with most expected errors first; `pair` = the same for one confusion (given class
            and suggestion); `diverse` = p_wrong falling, but the j-th of a confusion counts
            1 / sqrt(j), so that no confusion fills the screen; `random` = by `seed`.
        p_wrong: (n,) in [0, 1].
        given_labels: (n,) in 0..k-1.
        suggested_labels: (n,) in -1..k-1.
        seed: for `random` only.

    Raises:
        ValueError: an unknown kind.
    """
    p = np.asarray(p_wrong)
    if kind == "suspicious":
        return np.argsort(-p, kind="stable")
    if kind == "random":
        return np.random.default_rng(seed).permutation(len(p))
    given = np.asarray(given_labels, dtype=np.int64)
    if kind == "pages":
        return _in_pages(p, given)
    suggested = np.asarray(suggested_labels, dtype=np.int64)
    pair = given * (int(suggested.max(initial=-1)) + 2) + suggested + 1
    if kind == "pair":
        return _in_pages(p, pair)
    if kind == "diverse":
        rows, place = _within(p, pair)
        value = p[rows] / np.sqrt(1 + place)
        return rows[np.lexsort((rows, -value))]
    raise ValueError(f"an order is one of {', '.join(ORDERS)}, got {kind!r}")


def next_rows(order: IntArray, excluded: BoolArray, limit: int) -> IntArray:
    """Return the first `limit` rows of an order that are not excluded.

    Args:
        order: (n,) row numbers; may lie on disk, only what is needed is read.
        excluded: (n,) True where a row is not to be shown.
        limit: how many at most.
    """
    blocks: list[IntArray] = []
    missing, start, step = limit, 0, 4096
    while missing > 0 and start < len(order):
        rows = np.asarray(order[start : start + step])
        rows = rows[~excluded[rows]][:missing]
        blocks.append(rows)
        missing -= len(rows)
        start, step = start + step, 2 * step
    return np.concatenate(blocks).astype(np.int64) if blocks else np.zeros(0, dtype=np.int64)


def next_page(
    p_wrong: FloatArray, given_labels: IntArray, excluded: BoolArray, size: int = PAGE_SIZE
) -> tuple[int | None, IntArray]:
    """Return the given class whose `size` most suspicious open rows sum to most, and those rows.

    Looks at the most suspicious rows only, and at more of them until no class can do better with
    what was not looked at.

    Args:
        p_wrong: (n,) in [0, 1].
        given_labels: (n,) in 0..k-1.
        excluded: (n,) True where a row is not to be shown.
        size: rows per page, at least 1.

    Returns:
        The class, None where nothing is open, and up to `size` rows, most suspicious first, ties
        by row number.
    """
    rows = np.flatnonzero(~excluded)
    if not len(rows):
        return None, rows
    p, given = np.asarray(p_wrong)[rows], np.asarray(given_labels)[rows]
    looked_at = 4096
    while True:
        looked_at = min(looked_at, len(rows))
        cut = p[np.argpartition(-p, looked_at - 1)[looked_at - 1]]
        near = np.flatnonzero(p >= cut)  # every row at the cut, so that ties go by row number
        everything = len(near) == len(rows)
        inside, place = _within(p[near], given[near])
        inside = near[inside[place < size]]
        labels, first, counts = np.unique(given[inside], return_index=True, return_counts=True)
        sums = np.add.reduceat(p[inside].astype(np.float64), first)
        best = int(np.argmax(sums))
        could = sums + (size - counts) * float(cut)
        if everything or sums[best] >= max(could.max(), size * float(cut)):
            chosen = inside[first[best] : first[best] + counts[best]]
            return int(labels[best]), rows[chosen]
        looked_at *= 8


def _within(p: FloatArray, group: IntArray) -> tuple[IntArray, IntArray]:
    """Sort rows by group, then p falling, then row; return them and their place in the group."""
    rows = np.lexsort((-p, group))  # stable: ties stay in row order
    starts = np.flatnonzero(np.diff(group[rows], prepend=group[rows][:1] - 1))
    sizes = np.diff(starts, append=len(rows))
    place = np.arange(len(rows)) - np.repeat(starts, sizes)
    return rows, place


def _in_pages(p: FloatArray, group: IntArray, size: int = PAGE_SIZE) -> IntArray:
    """Return rows page by page: within a group the best first, pages by their sum of p."""
    if not len(p):
        return np.zeros(0, dtype=np.int64)
    rows, place = _within(p, group)
    starts = np.flatnonzero(place % size == 0)
    sums = np.add.reduceat(p[rows].astype(np.float64), starts)
    lengths = np.diff(starts, append=len(rows))
    page_rank = np.empty(len(starts), dtype=np.int64)
    page_rank[np.argsort(-sums, kind="stable")] = np.arange(len(starts))
    return rows[np.argsort(np.repeat(page_rank, lengths), kind="stable")]
