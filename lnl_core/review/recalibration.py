"""What people's answers say of p_wrong: a new slope and offset, and what classes and pairs add.

Before any answer p_wrong rests on the methods alone. Answers tell how far it is right: a logistic
regression of the verdict on its logit and on its rank, with shrunken effects of the given class and
of the pair of given and suggested class (review science 5.3).
Nearly all answers are of the most suspicious images, and most of what is left is elsewhere. Where a
head is all wrong, all chances may be higher or the order steeper. So the prior holds the line where
chances are average, and it is the slope that gives way; the rank lets a head stand out whose
chances hardly do. What is wrong elsewhere the images say that chance drew: they move all alike.
It is an estimate, for the order and for what is expected to be left; guarantees rest on random
draws alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.review.special import normal_quantiles
from lnl_core.types import BoolArray, FloatArray, IntArray

LEAST = 25
"""Answers before anything is changed."""

TAU2 = 0.5
"""Variance of the effects of classes and pairs, in squared logits."""

FEW, ALL_ALIKE, BY_DRAWS = 200, (16.0, 4.0), 4.0
"""Precisions of what all chances are moved by together, below so many answers and from then on, and
of what draws then move all by."""

STRAY = 0.2
"""Scale of the slope's change and of the effect of a normal score of the rank. Their prior is
Cauchy's: hardly anything or a lot, for most scores are about right and some are far off. These
numbers were chosen on planted digits and photographs with human labels, with a look at others
(docs/measurements.md, "How true p is as answers come")."""

ROUNDS, RANKS = 4, 4096
CLIP = 1e-3
NEAR = 1e-6
"""A step of the fit below this is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """P_wrong before any answer, and what a fit to answers reads of it; see `before`.

    Attributes:
        p: (n,) in [0.001, 0.999].
        features: (n, 3) log odds from the middle, ones, and normal scores of the rank.
        middle: log odds of the mean of p.
        groups: twice (n,): the given class, and the pair of given and suggested class.
    """

    p: FloatArray
    features: FloatArray
    middle: float
    groups: tuple[IntArray, IntArray]


def before(p: FloatArray, given: IntArray, suggested: IntArray) -> Before:
    """Work out once what no answer changes.

    Args:
        p: (n,) before any answer.
        given: (n,) given labels.
        suggested: (n,) suggested labels.
    """
    p = np.clip(np.asarray(p, np.float64), CLIP, 1 - CLIP)
    middle = float(np.log(p.mean() / (1 - p.mean()))) if len(p) else 0.0
    features = np.column_stack([np.log(p / (1 - p)) - middle, np.ones(len(p)), _normal_scores(p)])
    given = np.asarray(given)
    pairs = given * (int(np.max(suggested, initial=0)) + 1) + suggested
    return Before(p, features, middle, (given, pairs))


def recalibrated(
    p: FloatArray,
    given: IntArray,
    suggested: IntArray,
    rows: IntArray,
    wrong: BoolArray,
    drawn: BoolArray | None = None,
) -> FloatArray:
    """Return p_wrong as answers correct it: `corrected` of what is asked for once."""
    return corrected(before(p, given, suggested), rows, wrong, drawn)


def corrected(
    known: Before, rows: IntArray, wrong: BoolArray, drawn: BoolArray | None = None
) -> FloatArray:
    """Return p_wrong as answers correct it.

    Args:
        known: p_wrong before any answer.
        rows: (d,) rows with a clear answer.
        wrong: (d,) True where the given label is wrong.
        drawn: (d,) True where chance chose the row; nowhere when None.

    Returns:
        (n,) in [0.001, 0.999]; `known.p` itself below `LEAST` answers.
    """
    if len(rows) < LEAST:
        return known.p
    z = np.asarray(wrong, np.float64)
    alike = ALL_ALIKE[len(rows) >= FEW]
    prior = np.array([1.0, known.middle, 0.0])
    of_rows, effect = known.features[rows], np.zeros(len(rows))
    line = _line(of_rows, z, effect, alike, prior)
    met = [np.unique(group[rows], return_inverse=True) for group in known.groups]
    sums = [np.zeros(len(codes)) for codes, _ in met]
    for _ in range(ROUNDS):
        for (_, here), u in zip(met, sums, strict=True):
            now = _sigmoid(of_rows @ line + effect)
            pull = np.bincount(here, z - now, len(u)) - u / TAU2
            step = pull / (np.bincount(here, now * (1 - now), len(u)) + 1 / TAU2)
            u += step
            effect += step[here]
        line = _line(of_rows, z, effect, alike, prior, line)
    eta = known.features @ line
    for group, (codes, _), u in zip(known.groups, met, sums, strict=True):
        eta += _of_group(group, codes, u)
    if drawn is not None and np.any(drawn):
        ones, fixed = np.ones((int(np.sum(drawn)), 1)), eta[rows[drawn]]
        eta += _fit(ones, z[drawn], fixed, np.array([BY_DRAWS]), np.zeros(1))[0]
    return np.clip(_sigmoid(eta), CLIP, 1 - CLIP)


def suggestions(q: FloatArray, rows: IntArray, right: BoolArray) -> FloatArray:
    """Return how sure suggestions are, as answers to wrong labels correct it: slope and offset.

    Methods that are averaged are less sure of the best class together than they are right.

    Args:
        q: (n,) chance that the suggestion is right where the label is wrong.
        rows: (d,) rows whose label people have called wrong.
        right: (d,) True where what they say instead is the suggestion.

    Returns:
        (n,) in [0.001, 0.999]; `q` itself below `LEAST` answers.
    """
    if len(rows) < LEAST:
        return q
    known = np.clip(np.asarray(q, np.float64), CLIP, 1 - CLIP)
    features = np.column_stack([np.log(known / (1 - known)), np.ones(len(known))])
    prior = np.array([1.0, 0.0])
    z = np.asarray(right, np.float64)
    line = _fit(features[rows], z, np.zeros(len(rows)), np.array([4.0, 1.0]), prior)
    return np.clip(_sigmoid(features @ line), CLIP, 1 - CLIP)


def as_sure_as(p: FloatArray, wanted: FloatArray, rows: BoolArray) -> FloatArray:
    """Return chances in the order of `p` that are as sure as others: some rows have their values.

    Equal ones share what they get; rows beside those get what lies between.
    """
    if not rows.any():
        return p
    here, which = np.unique(p[rows], return_inverse=True)
    values = np.sort(wanted[rows])[np.argsort(np.argsort(p[rows], kind="stable"), kind="stable")]
    there = np.bincount(which, values) / np.bincount(which)
    moved: FloatArray = np.interp(p, here, there)
    return moved


def _normal_scores(p: FloatArray) -> FloatArray:
    """Return (n,) normal quantiles of the ranks; equal chances have one rank, their mean.

    Of many rows, ranks among some thousands of them.
    """
    if not len(p):
        return p
    rising = np.sort(p)[:: max(1, len(p) // RANKS)]
    ranks = (np.searchsorted(rising, p) + np.searchsorted(rising, p, side="right")) / 2
    least = 0.5 / len(rising)
    return normal_quantiles(np.clip(ranks / len(rising), least, 1 - least))


def _of_group(group: IntArray, codes: IntArray, effects: FloatArray) -> FloatArray:
    """Return (n,) the effect of each row's group, 0 for groups other than the `codes`."""
    size = int(group.max(initial=0)) + 1
    if size <= 4 * len(group):
        table = np.zeros(size)
        table[codes] = effects
        looked_up: FloatArray = table[group]
        return looked_up
    at = np.minimum(np.searchsorted(codes, group), len(codes) - 1)
    return np.where(codes[at] == group, effects[at], 0.0)


def _line(
    features: FloatArray,
    z: FloatArray,
    fixed: FloatArray,
    alike: float,
    prior: FloatArray,
    last: FloatArray | None = None,
) -> FloatArray:
    """Fit slope, offset and rank effect: what strays far is held no more than what does not.

    From the `last` line it goes on, where there is one: hardly anything has moved since.
    """
    precision = np.array([0.05, alike, 0.05])
    line = _fit(features, z, fixed, precision, prior) if last is None else last
    for _ in range(ROUNDS * 2):
        precision[[0, 2]] = 2 / (STRAY**2 + (line - prior)[[0, 2]] ** 2)
        was, line = line, _fit(features, z, fixed, precision, prior, line)
        if float(np.abs(line - was).max()) < NEAR:
            break
    return line


def _fit(
    features: FloatArray,
    z: FloatArray,
    fixed: FloatArray,
    precision: FloatArray,
    prior: FloatArray,
    start: FloatArray | None = None,
) -> FloatArray:
    """Fit z ~ sigmoid(features @ beta + fixed) by Newton's method, beta pulled to `prior`."""
    beta = (prior if start is None else start).copy()
    eta = features @ beta + fixed

    def loss(eta: FloatArray, b: FloatArray) -> float:
        # log(1 + e^eta) - z eta, a third of the time of numpy's logaddexp
        fit = float((np.log1p(np.exp(-np.abs(eta))) + np.maximum(eta, 0) - z * eta).sum())
        return fit + 0.5 * float((precision * (b - prior) ** 2).sum())

    here = loss(eta, beta)
    for _ in range(25):
        now = _sigmoid(eta)
        gradient = features.T @ (now - z) + precision * (beta - prior)
        hessian = (features.T * (now * (1 - now))) @ features + np.diag(precision)
        step = np.linalg.solve(hessian, gradient)
        if float(np.abs(step).max()) < NEAR:
            break
        for halved in range(11):
            at = beta - step * 0.5**halved
            eta = features @ at + fixed
            there = loss(eta, at)
            if there <= here:
                break
        beta, here = at, there
    return beta


def _sigmoid(x: FloatArray) -> FloatArray:
    value: FloatArray = 0.5 * (1 + np.tanh(0.5 * x))
    return value
