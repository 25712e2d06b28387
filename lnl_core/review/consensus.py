"""One ranking out of many methods, before anybody has reviewed anything.

Methods that give probabilities are multiplied (a logarithmic pool) and corrected by how often one
class is given as another; methods that give a score only enter by its rank. How much a method
counts is read off what the methods say of each other (`trust`), so a broken one is left out. The
share of wrong labels in the pooled confident joint sets the scale of the probability.

`p_wrong` is a model guess until people have looked at a random sample.

References: SUMMA (Ahsen, Vogel, Stolovitzky, "Unsupervised Evaluation and Weighted Aggregation of
Ranked Classification Predictions", JMLR 2019), section 3; confident learning (Northcutt, Jiang,
Chuang, JAIR 2021); Genest and Zidek 1986 on pools.

These are this project's own, each better on real labels than the plain form (average precision, AP;
`benchmarks/detection.py` on 8,000 small photographs with human labels, `benchmarks/real.py` on
clothing photographs whose largest class is forty times the smallest, and on long-tailed cuts):

* A label is judged by evidence, not by how common its class is. Each opinion is levelled
  (`pool.level`), and what a label is worth before its image is seen is estimated class by class
  (`transition.odds_of_wrong`): rare classes that are labelled well are not called wrong for being
  rare, and a rare class full of wrong labels is found. Clothing, three methods, .31 -> .45; cuts at
  100 : 1 by the given label .61 -> .70, balanced .763 -> .772 (9 % wrong). It costs where wrong
  labels come from large classes in proportion, as in cuts by the true label: .88 -> .83 at 100 : 1,
  suggestions right .75 -> .54. Plain probabilities know that already.
* SUMMA's v is read as "can this method be trusted", not as a vote's weight: from half of the best
  v on, methods count alike (.656 / .808 -> .663 / .813 at 9 and 18 % wrong). It is measured within
  classes: a bias that methods share is no evidence.
* Rankings that repeat each other count as one (`trust.redundancy_weights`): three methods, two
  of them heads on the same features, .757 / .875 / .942 -> .766 / .878 / .942 at 9, 18 and 41 %.
* The product counts 2m / (1 + m) opinions, m how many differ (`trust.effective_number`): that
  is what m opinions are worth that agree half by one another (design effect with correlation 1/2).
  A method that comes twice adds nothing. Counting all makes eleven methods surer than they
  are (.733 / .865 -> .740 / .869); counting 1, a mean, loses where labels are very wrong.
* What wrong labels of a class truly are counts `PRIOR` of an opinion: the methods have learned much
  of it from the given labels already.
* A method far surer than the others bear out is turned down (`trust.overconfidence_weights`): one
  over-confident network in five took the pool from .683 to .589 (9 % wrong), softened to .647,
  turned down as well to .674. Without one nothing is lost.
* What the given class is held against is the sum over the other classes, not the best of them
  (.653 / .807 -> .656 / .808).
* The share of wrong labels is read off the methods that disagree with the labels most
  (`trust.calibration_weights`): those that have memorised them know of none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnl_core.review import pool, transition, trust
from lnl_core.review.pool import Opinion
from lnl_core.types import BoolArray, FloatArray, IntArray, Ranking, Signals

SLOPE = 2.5
"""How fast p_wrong rises with the consensus score, measured on seven data sets (2.07 to 4.86)."""

PRIOR = 0.5
"""How much of an opinion it is what wrong labels of a class usually are."""

LEAST, MOST = 0.001, 0.999
"""p_wrong stays inside: nothing is certain before a person has looked."""

UNKNOWN_RATE = 0.1
"""The share of wrong labels assumed where no method can say anything about it."""

_TOP = 3


def rank(
    signals: Sequence[Signals],
    given_labels: IntArray,
    class_count: int,
    trusted: BoolArray | None = None,
) -> Ranking:
    """Combine methods into one ranking; the order of the methods does not matter.

    Args:
        signals: one per method; at least one, each method once. A score that is not finite counts
            as no opinion, a probability row that is not finite likewise.
        given_labels: (n,) labels in 0..k-1, corrected by people where they have.
        class_count: k.
        trusted: (n,) True where a person confirmed the label: the least p_wrong, last in order.

    Returns:
        A `Ranking`. Without any probabilities every other class is suggested as often as it is
        given.

    Raises:
        ValueError: no signals, a method twice, or lengths that differ.
    """
    given = np.asarray(given_labels, dtype=np.int64)
    n = len(given)
    _check(signals, n)
    unsure = np.ones(n, dtype=bool) if trusted is None else ~np.asarray(trusted, dtype=bool)
    ordered = sorted(signals, key=lambda each: each.method)

    scores = np.full((len(ordered), n), np.nan)
    for row, each in zip(scores, ordered, strict=True):
        row[unsure] = np.asarray(each.suspicion, dtype=np.float64)[unsure]
    with_probs = [i for i, each in enumerate(ordered) if each.pred_probs is not None]
    every = [ordered[i].pred_probs for i in with_probs]
    opinions = [pool.soften(probs, given) for probs in every if probs is not None]
    within_class = trust.within_classes(scores, given)
    alike = trust.likeness(within_class)
    weights: FloatArray = trust.agreement(within_class, alike) * trust.redundancy_weights(alike)
    if opinions:
        weights[with_probs] *= trust.overconfidence_weights(
            [each.probs for each in opinions], weights[with_probs]
        )
    weights = trust.shares(weights)
    score = np.zeros(n)
    for i, weight in enumerate(weights):
        if i not in with_probs:
            score += weight * trust.normal_scores(scores[i])
    if opinions:
        share = float(weights[with_probs].sum())
        within = (
            weights[with_probs] / share if share > 0 else np.full(len(with_probs), 1 / len(every))
        )
        calibrating = trust.shares(
            within * trust.calibration_weights([each.probs for each in opinions], given)
        )
        matrix, rate = _noise(opinions, calibrating, given, class_count)
        rate = _steadied(rate, given)
        level = [pool.level(each.probs, given, class_count) for each in opinions]
        effective = trust.effective_number(within, alike[np.ix_(with_probs, with_probs)])
        against, labels, probs = _pool(level, within, effective, given, class_count)
        against[~unsure] = np.nan
        score += (share if share > 0 else 1.0) * trust.normal_scores(against)
    else:
        rate = _rate_of_scores(scores[:, unsure])
        matrix = np.full((class_count, class_count), rate / max(class_count - 1, 1), np.float32)
        np.fill_diagonal(matrix, 1 - rate if class_count > 1 else 1)
        labels, probs = _frequent_others(given, class_count)

    suspicion, p_wrong = _probabilities(score, unsure, rate)
    return Ranking(
        methods=tuple(each.method for each in signals),
        weights={e.method: float(w) for e, w in zip(ordered, weights, strict=True)},
        suspicion=suspicion,
        p_wrong=p_wrong,
        suggested_labels=labels[:, 0].copy(),
        top_labels=labels,
        top_probs=probs,
        order=np.argsort(-suspicion, kind="stable").astype(np.int32 if n < 2**31 else np.int64),
        noise_rate=float(np.clip(rate, 0, 1) * (unsure.mean() if n else 1)),
        transition_matrix=matrix,
    )


def _check(signals: Sequence[Signals], n: int) -> None:
    if not signals:
        raise ValueError("rank needs the signals of at least one method, got none")
    keys = [each.method for each in signals]
    if len(set(keys)) != len(keys):
        raise ValueError(f"each method may come once, got {', '.join(keys)}")
    for each in signals:
        if len(each.suspicion) != n:
            raise ValueError(f"{each.method}: {len(each.suspicion)} scores for {n} given labels")


def _noise(
    opinions: Sequence[Opinion], weights: FloatArray, given: IntArray, k: int
) -> tuple[FloatArray, float]:
    """Return the transition matrix (k, k) and the share of wrong labels, from the linear pool."""
    joint = transition.confident_joint(
        lambda rows: pool.linear(opinions, weights, rows), given, class_count=k
    )
    return transition.transition_matrix(joint), transition.noise_rate(joint)


def _steadied(rate: float, given: IntArray) -> float:
    """Pull an estimated share of wrong labels to `UNKNOWN_RATE` by `STEADY` images of each class.

    Methods that saw a handful of images of a class cannot predict it, and count their own mistakes.
    """
    unknown = transition.STEADY * len(np.unique(given))
    return (len(given) * rate + unknown * UNKNOWN_RATE) / max(len(given) + unknown, 1)


def _pool(
    opinions: Sequence[Opinion], weights: FloatArray, effective: float, given: IntArray, k: int
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Hold the given class against the others: pool of opinions x odds of the class.

    Args:
        opinions: as `pool.level` made them, so that no class is favoured for being common.
        weights: (m,) their votes, summing to 1.
        effective: how many different opinions they are, from 1 to m.
        given: (n,) labels.
        k: number of classes.

    Returns:
        (n,) log odds against the given class, (n, 3) best other classes, -1 where there are none,
        and (n, 3) their probabilities among the other classes.
    """
    n = len(given)
    against = np.zeros(n)
    labels = np.full((n, _TOP), -1, dtype=np.int32)
    probs = np.zeros((n, _TOP), dtype=np.float32)
    if k < 2 or not n:
        return against, labels, probs
    opinions_counted = 2 * effective / (1 + effective)
    joint = transition.confident_joint(
        lambda rows: pool.linear(opinions, weights, rows), given, class_count=k
    )
    odds, others = transition.odds_of_wrong(joint)
    prior = PRIOR * others
    absent = np.bincount(given, minlength=k) == 0
    if absent.any() and not absent.all():
        # A class that was never given has no row of its own: it must not win where nobody sees it.
        prior[:, absent] = prior.min(axis=1, keepdims=True)
    odds = odds - np.log(k - 1)
    for rows in pool.blocks(n, k):
        line = np.arange(len(given[rows]))
        logs = opinions_counted * pool.logarithmic(opinions, weights, rows) + prior[given[rows]]
        of_given = logs[line, given[rows]]
        logs[line, given[rows]] = -np.inf
        best = logs.max(axis=1)
        against[rows] = best + np.log(np.exp(logs - best[:, None]).sum(axis=1)) - of_given
        against[rows] += odds[given[rows]]
        logs -= best[:, None]
        total = np.exp(logs).sum(axis=1)
        for place in range(min(_TOP, k - 1)):
            label = logs.argmax(axis=1)
            labels[rows, place] = label
            probs[rows, place] = np.exp(logs[line, label]) / total
            logs[line, label] = -np.inf
    return against, labels, probs


def _frequent_others(given: IntArray, k: int) -> tuple[IntArray, FloatArray]:
    """Suggest, for want of any opinion, the classes given most often, (n, 3) and their shares."""
    counts = np.bincount(given, minlength=k).astype(np.float64)
    labels = np.full((k, _TOP), -1, dtype=np.int32)
    probs = np.zeros((k, _TOP), dtype=np.float32)
    frequent = np.argsort(-counts, kind="stable")[: _TOP + 1]
    for label in range(k):
        others = frequent[frequent != label][:_TOP]
        rest = counts.sum() - counts[label]
        labels[label, : len(others)] = others
        probs[label, : len(others)] = counts[others] / rest if rest else 1 / max(k - 1, 1)
    return labels[given], probs[given]


def _rate_of_scores(scores: FloatArray) -> float:
    """Guess the share of wrong labels from scores alone: how many lie above one half.

    A score with more than 40 % above is a rank or a scale of its own, and says nothing.
    """
    shares = [
        float((row[np.isfinite(row)] > 0.5).mean()) for row in scores if np.isfinite(row).any()
    ]
    telling = [share for share in shares if share <= 0.4]
    return float(np.median(telling)) if telling else UNKNOWN_RATE


def _probabilities(
    score: FloatArray, unsure: BoolArray, rate: float
) -> tuple[FloatArray, FloatArray]:
    """Scale the consensus score so that the mean probability is the noise rate.

    Returns:
        (n,) suspicion, strictly monotone in the score, and (n,) float32 p_wrong, which is clipped.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    suspicion = np.zeros(len(score))
    open_score = score[unsure]
    if len(open_score):
        spread = open_score.std()
        centred = open_score - open_score.mean()
        scaled = SLOPE * (centred / spread if spread > 1e-9 else np.zeros_like(centred))
        target = float(np.clip(rate, LEAST, MOST))
        shift = brentq(lambda b: float(expit(scaled + b).mean()) - target, -60, 60, xtol=1e-10)
        suspicion[unsure] = expit(scaled + shift)
    suspicion[~unsure] = 0.5 * min(LEAST, suspicion[unsure].min(initial=1))
    return suspicion, np.clip(suspicion, LEAST, MOST).astype(np.float32)
