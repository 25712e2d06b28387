"""Images that came with several labels: one of them, at least, is certainly wrong."""

from __future__ import annotations

import numpy as np

from lnl_core.review import copies
from lnl_core.types import BoolArray, IntArray, Ranking


def put_first(
    ranking: Ranking,
    listed: IntArray,
    given_labels: IntArray,
    confirmed: BoolArray | None = None,
    *,
    bounds: tuple[float, float] = (0.001, 0.999),
) -> Ranking:
    """Put images that came with several labels at the head of a ranking.

    Of m labels one at most is right: before anything else is known the given one is wrong with
    (m - 1) / m, which is the least that p_wrong becomes. The suggestion is the likeliest of the
    other labels that came, the first of them where the methods have no opinion.

    Args:
        ranking: of the methods.
        listed: (m, 2) row and label, as the import wrote them; the given label may be among them.
        given_labels: (n,) labels.
        confirmed: (n,) True where a person has answered: such rows stay where they are.
        bounds: p_wrong stays inside.
    """
    given = np.asarray(given_labels)
    others = listed[listed[:, 1] != given[listed[:, 0]]]
    if confirmed is not None:
        others = others[~np.asarray(confirmed)[others[:, 0]]]
    if not len(others):
        return ranking
    # (m,) what the methods give each other label, 0 where it is not among their best
    top = np.where(ranking.top_labels[others[:, 0]] == others[:, 1:], 1, 0)
    chance = (top * ranking.top_probs[others[:, 0]]).sum(axis=1)
    order = np.lexsort((np.arange(len(others)), -chance, others[:, 0]))
    rows, first, count = np.unique(others[order, 0], return_index=True, return_counts=True)
    least = count / (count + 1)
    p_wrong = np.clip(np.maximum(np.asarray(ranking.p_wrong)[rows], least), *bounds)
    best = order[first]
    share = np.maximum(chance[best], 1 / count)
    return copies.to_front(ranking, rows, p_wrong, others[best, 1], share)
