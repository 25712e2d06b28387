"""Copies of one picture with different labels: at least one of these labels is wrong, for certain.

Which one, the copies say together: each label of the group counts by the square of how often it is
given, times how likely the ranking finds it. (People who label copies err partly alone: were they
to err quite alone, two against one would mean fifty to one at 5 % of errors; were one to copy from
the other, two to one.) What a person has confirmed counts alone.

Groups are those of `data.copies`: (n,) the row of the first copy of each image's picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lnl_core.types import BoolArray, FloatArray, IntArray, Ranking

_CONFIRMED = 1e6
_LEAST = 1e-3
_SUREST = 0.99


def of_part(groups: IntArray, rows: IntArray) -> IntArray:
    """Return the groups among some rows, numbered by their places there, (len(rows),)."""
    _, first, place = np.unique(np.asarray(groups)[rows], return_index=True, return_inverse=True)
    found: IntArray = first[place.reshape(-1)]
    return found


def sizes(groups: IntArray) -> IntArray:
    """Return how many copies of its picture there are, itself included, for each row, (n,)."""
    groups = np.asarray(groups)
    counts: IntArray = np.bincount(groups, minlength=len(groups))[groups]
    return counts


def differing(groups: IntArray, values: IntArray, leave_out: Sequence[int] = ()) -> IntArray:
    """Return the rows of pictures whose copies differ in something, rising.

    Args:
        groups: (n,) first row of each image's group.
        values: (n,) int: labels, or splits.
        leave_out: values that differ from nothing.
    """
    groups, values = np.asarray(groups), np.asarray(values)
    rows = np.flatnonzero((sizes(groups) > 1) & ~np.isin(values, list(leave_out)))
    pairs = np.unique(np.stack([groups[rows], values[rows]]), axis=1)
    pictures, several = np.unique(pairs[0], return_counts=True)
    found: IntArray = rows[np.isin(groups[rows], pictures[several > 1])]
    return found


def standing_for(
    groups: IntArray, labels: IntArray, confirmed: BoolArray
) -> tuple[IntArray, IntArray]:
    """Return the row that counts for each row's picture, and the first with its label, (n,) each.

    A picture counts once, with the label that most of its copies carry, or that is confirmed.

    Args:
        groups: (n,) first row of each row's copies.
        labels: (n,) int.
        confirmed: (n,) bool.
    """
    n, k = len(labels), int(labels.max(initial=0)) + 1
    pairs, first, place, count = np.unique(
        groups.astype(np.int64) * k + labels,
        return_index=True,
        return_inverse=True,
        return_counts=True,
    )
    weight = count + n * np.bincount(place, confirmed, minlength=len(pairs))
    order = np.lexsort((first, -weight, pairs // k))
    pictures, best = np.unique(pairs[order] // k, return_index=True)
    stands: IntArray = first[order][best][np.searchsorted(pictures, groups)]
    return stands, first[place]


class Groups:
    """Which rows are copies of which, looked up at once in sets of any size.

    Attributes:
        first: (n,) first row of each image's group.
        rows: (m,) rows of pictures that come more than once, group by group, rising in each.
    """

    def __init__(self, first: IntArray) -> None:
        self.first: IntArray = np.asarray(first)
        several = np.flatnonzero(sizes(self.first) > 1)
        self.rows: IntArray = several[np.argsort(self.first[several], kind="stable")]
        self._keys = self.first[self.rows]

    def of(self, row: int) -> IntArray:
        """Return the rows of an image's picture, itself among them, rising."""
        key = self.first[row]
        low, high = np.searchsorted(self._keys, [key, key + 1])
        return self.rows[low:high] if high > low else np.array([row], np.int64)


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Rows whose copies carry another label.

    Attributes:
        rows: (m,) rising.
        chance: (m,) that the row's label is the right one, by the group.
        contradicted: (m,) True where another label of the group is likelier, or given as often.
        other: (m,) the likeliest other label of the group.
        chance_of_other: (m,) given that the row's label is wrong. All labels of a group may be:
            as likely as the likeliest of them is wrong.
    """

    rows: IntArray
    chance: FloatArray
    contradicted: BoolArray
    other: IntArray
    chance_of_other: FloatArray


def conflicts(
    groups: IntArray,
    given_labels: IntArray,
    right: FloatArray | None = None,
    confirmed: BoolArray | None = None,
    none: Sequence[int] = (),
) -> Conflicts:
    """Return the copies whose labels contradict each other.

    Args:
        groups: (n,) first row of each image's group.
        given_labels: (n,) labels.
        right: (n,) how likely each label is right as far as is known; alike where None.
        confirmed: (n,) True where a person confirmed the label.
        none: labels that are no classes; they contradict nothing.
    """
    groups, given = np.asarray(groups), np.asarray(given_labels, dtype=np.int64)
    rows = np.flatnonzero((sizes(groups) > 1) & ~np.isin(given, list(none)))
    k = int(given.max(initial=0)) + 1
    pairs, entry, count = np.unique(
        groups[rows].astype(np.int64) * k + given[rows], return_inverse=True, return_counts=True
    )
    of_row = np.ones(len(rows)) if right is None else np.maximum(np.asarray(right)[rows], _LEAST)
    said = np.bincount(entry, of_row, minlength=len(pairs)).astype(np.float64)
    weight: FloatArray = count * said
    doubt = 1 - said / count
    if confirmed is not None:
        weight += _CONFIRMED * np.bincount(entry, confirmed[rows].astype(np.float64), len(pairs))
    # labels of a group stand together, the likeliest first
    group, label = pairs // k, pairs % k
    order = np.lexsort((-weight, group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    several = np.diff(starts, append=len(order)) > 1
    total = np.add.reduceat(weight[order], starts) if len(starts) else np.zeros(0)
    most = np.maximum.reduceat(count[order], starts) if len(starts) else np.zeros(0, np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    first = order[starts]
    second = order[np.minimum(starts + 1, max(len(order) - 1, 0))]
    least = np.minimum.reduceat(doubt[order], starts) if len(starts) else np.zeros(0)
    is_first = np.arange(len(pairs)) == first[place]
    other = np.where(is_first, second[place], first[place])
    certain = weight >= _CONFIRMED
    tied = (count == most[place]) & (count[other] == count) & ~certain & ~certain[other]
    chosen = several[place][entry]
    at = entry[chosen]
    share = weight / np.maximum(total[place], _LEAST)
    rest = weight[other] / np.maximum(total[place] - weight, _LEAST)
    rest = np.where(certain[other], 1, rest * (1 - least[place]))
    return Conflicts(
        rows=rows[chosen],
        chance=share[at],
        contradicted=(~is_first | tied)[at],
        other=label[other][at],
        chance_of_other=np.minimum(rest[at], _SUREST),
    )


def put_first(
    ranking: Ranking,
    groups: IntArray,
    given_labels: IntArray,
    confirmed: BoolArray | None = None,
    none: Sequence[int] = (),
    *,
    bounds: tuple[float, float] = (0.001, 0.999),
) -> Ranking:
    """Put copies that contradict each other at the head of a ranking.

    The labels that their group speaks against come first, the most surely wrong ones before the
    others; of labels given equally often, all. Their p_wrong is the chance that the group leaves
    to other labels, at least a half. The suggestion is the likeliest of these, or what the methods
    suggest where they find it likelier: every copy may be labelled wrong. A label that the group
    speaks for keeps its place.

    Args:
        ranking: of the methods.
        groups, given_labels, confirmed, none: as in `conflicts`.
        bounds: p_wrong stays inside.
    """
    p_wrong = np.array(ranking.p_wrong)
    found = conflicts(groups, given_labels, 1 - p_wrong, confirmed, none)
    open_rows = found.contradicted
    if confirmed is not None:
        open_rows = open_rows & ~confirmed[found.rows]
    rows, other = found.rows[open_rows], found.other[open_rows]
    if not len(rows):
        return ranking
    p_wrong[rows] = np.clip(np.maximum(1 - found.chance[open_rows], 0.5), *bounds)
    return to_front(ranking, rows, p_wrong[rows], other, found.chance_of_other[open_rows])


def to_front(
    ranking: Ranking,
    rows: IntArray,
    p_of_rows: FloatArray,
    other: IntArray,
    chance_of_other: FloatArray,
) -> Ranking:
    """Put rows at the head of a ranking, the most surely wrong first.

    Args:
        ranking: of the methods.
        rows: (m,) rows, each once.
        p_of_rows: (m,) probability that the given label is wrong.
        other: (m,) the class that is suggested instead.
        chance_of_other: (m,) its probability, given that the given label is wrong.
    """
    p_wrong = np.array(ranking.p_wrong)
    p_wrong[rows] = p_of_rows
    others = np.ones(len(p_wrong), dtype=bool)
    others[rows] = False
    suspicion = np.array(ranking.suspicion, dtype=np.float64)
    highest = float(suspicion[others].max(initial=0))
    suspicion[rows] = highest + (1 - highest) * (0.5 + 0.5 * p_wrong[rows])
    labels, probs = _suggested(ranking, rows, other, chance_of_other)
    order = np.asarray(ranking.order)
    head = rows[np.argsort(-p_wrong[rows], kind="stable")].astype(order.dtype)
    return replace(
        ranking,
        suspicion=suspicion,
        p_wrong=p_wrong,
        suggested_labels=labels[:, 0].copy(),
        top_labels=labels,
        top_probs=probs,
        order=np.concatenate([head, order[others[order]]]),
    )


def _suggested(
    ranking: Ranking, rows: IntArray, other: IntArray, chance: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Return the ranking's best other classes, with the chance of `other` in some rows."""
    labels, probs = np.array(ranking.top_labels), np.array(ranking.top_probs)
    width = labels.shape[1]
    for row, label, share in zip(rows, other, chance, strict=True):
        was = {int(a): float(p) for a, p in zip(labels[row], probs[row], strict=True) if a >= 0}
        own = max(was.pop(int(label), 0.0), float(share))
        left = sum(was.values())
        scale = min(1.0, (1 - own) / left) if left > 0 else 0.0
        every = [(int(label), own), *((a, p * scale) for a, p in was.items())]
        kept = sorted(every, key=lambda each: -each[1])[:width]
        labels[row, : len(kept)] = [a for a, _ in kept]
        probs[row, : len(kept)] = [p for _, p in kept]
    return labels, probs
