"""Goals of a share of the errors, set again and again: is any promise of a whole review broken?

Draws and permutation are those of `lnl_core.review.recall`. Between two draws a hostile queue that
knows the truth answers wrong labels, those deepest in the order or those at its top: were they not
given their places in the sample, it would lie too high or too deep. As soon as a sample is whole,
the next goal is set, with an order of what is left and half of the risk.
"""

from __future__ import annotations

import numpy as np

from lnl_core.review import recall

GOALS, SHARE, BLIND, BETWEEN = 3, 0.8, 0.3, 4
"""Goals of a review; what they ask for; what the order is blind to; answers between draws."""


def shared(n: int, errors: int, rng: np.random.Generator, *, deep: bool) -> tuple[bool, int]:
    """Return whether the promise of any goal was broken, and how many draws there were.

    Args:
        n: labels.
        errors: wrong ones.
        rng: of the review.
        deep: the queue answers the deepest errors between the draws, else the first ones.
    """
    wrong = np.zeros(n, bool)
    wrong[rng.choice(n, errors, replace=False)] = True
    score = rng.normal(size=n) + 2 * (wrong & (rng.random(n) >= BLIND))
    answered, draws = np.zeros(n, bool), 0
    for number in range(GOALS):
        inside = ~answered
        order = np.flatnonzero(inside)[np.argsort(-score[inside])]
        noise = float(wrong[inside].mean()) if len(order) else 0.0
        alpha = recall.ALPHA / 2 ** (number + 1)
        r = recall.sample_size(SHARE, noise, n, alpha)
        if wrong[inside].sum() < r:
            break  # everything would have to be answered
        made, kept = _one(order, inside, wrong, answered, rng, r, alpha, deep)
        draws += made
        if not kept:
            return True, draws
    return False, draws


def _one(
    order: np.ndarray,
    inside: np.ndarray,
    wrong: np.ndarray,
    answered: np.ndarray,
    rng: np.random.Generator,
    r: int,
    alpha: float,
    deep: bool,
) -> tuple[int, bool]:
    """Draw until the sample of a goal is whole; return the draws, and whether its share is true."""
    told = recall.Permutation(inside, int(rng.integers(2**31)))
    place = np.full(len(wrong), -1)
    place[order] = np.arange(len(order))
    errors = order[wrong[order]]
    errors = errors[::-1] if deep else errors
    at = draws = 0
    while not answered.all():
        row = int(rng.choice(np.flatnonzero(~answered)))
        told.draw(draws, row, answered)
        answered[row] = True
        draws += 1
        rows = np.array(told.rows)
        if wrong[rows].sum() >= r:
            sample = recall.first_errors(rows, wrong, answered, r)
            j = recall.needed(r, SHARE, alpha)
            assert j is not None
            end = recall.depth(place[sample], j)
            return draws, bool(wrong[order[:end]].sum() >= SHARE * len(errors))
        taken = errors[at : at + BETWEEN]
        answered[taken] = True
        at += BETWEEN
    return draws, True
