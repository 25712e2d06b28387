"""The labelled part of a set, where some of its labels are no classes ("Not sure", "Skip").

Methods see that part alone, with its rows and classes numbered anew; what they say is put back to
all rows and classes. An image without a class is never suspected: its suspicion and p_wrong are 0,
which here means "does not apply", and it stands behind all others in the order. What it could be
is read off the labelled images that it looks like.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lnl_core.review import consensus, likeness, pool
from lnl_core.review.part import Part as Part
from lnl_core.review.part import padded as padded
from lnl_core.review.part import part as part
from lnl_core.review.pool import Opinion
from lnl_core.types import (
    BoolArray,
    FloatArray,
    IntArray,
    Ranking,
    Signals,
)

_TOP = 3


def padded_ranking(ranking: Ranking, n: int, class_count: int) -> Ranking:
    """Return a ranking as that of a set that has grown since; what it has not seen comes last."""
    rows, known = len(ranking.suspicion), len(ranking.transition_matrix)
    if rows >= n and known >= class_count:
        return ranking
    inner = Part(np.arange(rows), np.arange(known), n, class_count)
    unseen = len(inner.others)
    columns = np.asarray(ranking.top_labels).shape[1]
    return _put_back(
        inner, ranking, np.full((unseen, columns), -1, np.int32), np.zeros((unseen, columns))
    )


def rank(
    signals: Sequence[Signals],
    given_labels: IntArray,
    class_count: int,
    trusted: BoolArray | None = None,
    none: Sequence[int] = (),
    judged: Sequence[BoolArray] = (),
    taught: Collection[str] = (),
) -> Ranking:
    """Rank as `consensus.rank` does, images without a class left out and put back at the end.

    Their suggestions are the pool's most probable classes; behind the others they stand in the
    order of how sure the pool is of the first.

    Args:
        signals: about all rows.
        given_labels: (n,) in 0..k-1.
        class_count: k.
        trusted: (n,) True where a person confirmed the label.
        none: labels that are no classes; they are suggested nowhere.
        judged: (n,) per run, True for the rows that it judges: it may have seen the first ones
            alone, or be asked for some splits. Rows that only some runs judge are ranked by these,
            and stand among the others by p_wrong; what no run judges stands behind all others.
        taught: as for `consensus.rank`.
    """
    n = len(given_labels)
    judges = np.zeros((len(signals), n), bool)  # which runs judge a row
    judges[: len(judged)] = judged or judges[:0]
    if not judges.any():
        judges[:] = True
    alike = _judged_alike(judges)
    patterns = judges[:, [rows[0] for rows in alike]]
    ranking, labelled = None, part(given_labels, class_count, none).rows
    ranked = np.zeros(n, bool)
    for at in np.lexsort((*patterns, -patterns.sum(axis=0))):  # the most runs first
        wanted = patterns[:, at]
        if not wanted.any():
            continue
        able = [each for each, used in zip(signals, wanted, strict=True) if used]
        area: BoolArray = np.logical_and.reduce(judges[wanted])
        here = _rank_rows(able, given_labels, class_count, trusted, none, area, taught)
        own = np.zeros(n, bool)
        own[alike[at]] = True
        ranked |= own
        if ranking is not None:
            here = _continued(ranking, here, own, labelled[ranked[labelled]])
        ranking = here
    assert ranking is not None
    return ranking


def _judged_alike(judges: BoolArray) -> list[IntArray]:
    """Return the rows that the same runs judge, together; `judges` is (runs, n)."""
    numbers = np.zeros(judges.shape[1], np.int64)
    for one in {each.tobytes(): each for each in judges}.values():  # most runs judge the same
        numbers = np.unique(2 * numbers + one, return_inverse=True)[1]
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1)


def _continued(ranking: Ranking, more: Ranking, rows: BoolArray, labelled: IntArray) -> Ranking:
    """Put rows that fewer runs judge among those that more do, by p_wrong.

    Args:
        ranking: so far.
        more: of the rows that those fewer runs judge.
        rows: (n,) True for the ones that come in.
        labelled: rows that are ranked now, those that have a class.
    """

    def joined(name: str) -> Any:
        values = np.array(getattr(ranking, name))
        values[rows] = getattr(more, name)[rows]
        return values

    suspicion, p_wrong = joined("suspicion"), joined("p_wrong")
    by = np.lexsort((labelled, -suspicion[labelled], -p_wrong[labelled]))
    others = np.asarray(more.order)[~np.isin(more.order, labelled)]
    return replace(
        ranking,
        suspicion=suspicion,
        p_wrong=p_wrong,
        suggested_labels=joined("suggested_labels"),
        top_labels=joined("top_labels"),
        top_probs=joined("top_probs"),
        order=np.concatenate([labelled[by], others]).astype(np.asarray(more.order).dtype),
    )


def _rank_rows(
    signals: Sequence[Signals],
    given_labels: IntArray,
    class_count: int,
    trusted: BoolArray | None,
    none: Sequence[int],
    area: BoolArray,
    taught: Collection[str],
) -> Ranking:
    """Rank some rows, (n,) True for each."""
    inner = part(given_labels, class_count, none)
    if not area.all():
        inner = replace(inner, rows=inner.rows[area[inner.rows]])
    if inner.whole:
        return consensus.rank(signals, given_labels, class_count, trusted, taught)
    ranking = consensus.rank(
        [inner.inside(each) for each in signals],
        inner.renumbered(np.asarray(given_labels)[inner.rows]),
        len(inner.classes),
        None if trusted is None else np.asarray(trusted)[inner.rows],
        taught,
    )
    labels, probs = _pooled(inner, signals, ranking)
    unseen = ~area[inner.others]
    labels[unseen], probs[unseen] = -1, 0
    return _put_back(inner, ranking, labels, probs, unseen)


def _pooled(
    inner: Part, signals: Sequence[Signals], ranking: Ranking
) -> tuple[IntArray, FloatArray]:
    """Return the three most probable classes of the rows left out, (m, 3), and their shares."""
    others = inner.others
    every = [(each, inner.probs(each.pred_probs, others)) for each in signals]
    counted = [(probs, ranking.weights[each.method]) for each, probs in every if probs is not None]
    labels = np.full((len(others), _TOP), -1, np.int32)
    shares = np.zeros((len(others), _TOP), np.float32)
    if not counted:
        return labels, shares
    weights = np.array([weight for _, weight in counted])
    weights = (
        weights / weights.sum() if weights.sum() > 0 else np.full(len(counted), 1 / len(counted))
    )
    opinions = [Opinion(probs) for probs, _ in counted]
    t = min(_TOP, len(inner.classes))
    for some in pool.blocks(len(others), len(inner.classes)):
        logs = pool.logarithmic(opinions, weights, some)
        best, values = likeness.largest(
            likeness.shares(np.exp(logs - logs.max(axis=1, keepdims=True))), t
        )
        labels[some, :t], shares[some, :t] = inner.classes[best], values
    return labels, shares


def _put_back(
    inner: Part,
    ranking: Ranking,
    labels: IntArray,
    probs: FloatArray,
    unseen: BoolArray | None = None,
) -> Ranking:
    """Put a ranking of a part back to all rows; of the others, what was not seen comes last."""
    others = inner.others
    first = probs[:, 0] if unseen is None else np.where(unseen, -1, probs[:, 0])
    named = np.append(inner.classes, -1)  # -1, no suggestion, stays -1
    top = inner.rows_back(named[np.asarray(ranking.top_labels)].astype(np.int32), -1)
    shares = inner.rows_back(np.asarray(ranking.top_probs))
    top[others], shares[others] = labels, probs
    matrix = np.eye(inner.k, dtype=np.asarray(ranking.transition_matrix).dtype)
    matrix[np.ix_(inner.classes, inner.classes)] = ranking.transition_matrix
    surest = others[np.argsort(-first, kind="stable")]
    order = np.concatenate([inner.rows[np.asarray(ranking.order)], surest])
    return replace(
        ranking,
        suspicion=inner.rows_back(np.asarray(ranking.suspicion)),
        p_wrong=inner.rows_back(np.asarray(ranking.p_wrong)),
        suggested_labels=top[:, 0].copy(),
        top_labels=top,
        top_probs=shares,
        order=order.astype(np.asarray(ranking.order).dtype),
        transition_matrix=matrix,
    )
