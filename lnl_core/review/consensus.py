"""One ranking out of many methods, before anybody has reviewed anything.

Methods that give probabilities are multiplied (a logarithmic pool), and a model of the given labels
says what is left of their doubt when their own weakness is taken off (`noise`): how many labels are
wrong, which class is given as which, how common a class is. Methods that give a score only enter by
its rank. How much a method counts is read off what the methods say of each other (`trust`), so a
broken one is left out.

`p_wrong` is a model guess until people have looked at a random sample.

References: SUMMA (Ahsen, Vogel, Stolovitzky, "Unsupervised Evaluation and Weighted Aggregation of
Ranked Classification Predictions", JMLR 2019), section 3; confident learning (Northcutt, Jiang,
Chuang, JAIR 2021), for many classes; Genest and Zidek 1986 on pools.

These are this project's own, each better on real labels than the plain form (average precision, AP;
`benchmarks/detection.py` on 8,000 small photographs with human labels, `benchmarks/real.py` on
clothing photographs whose largest class is forty times the smallest, and on long-tailed cuts):

* A label is judged by evidence, not by how common its class is; as far as large classes leak into a
  rare one, that is evidence too. Both are fitted. How often a class is given wrongly counts in
  full, steadied by the images that were seen of it. Half of it, from a fit in which classes weigh
  alike, and now: long-tailed cuts by the true label .847, .855, .855 -> .853, .869, .868 at 10, 50
  and 100 : 1, by the given label .773, .706, .694 -> .776, .709, .695, 600 photographs of clothing
  .258 -> .327, a set whose errors are all in one class .312 -> .402, clothing .520 -> .528, the
  balanced photographs the same (.771 -> .773), planted pair flips .864 -> .857.
* Tried and left: classes weighing in the fit as they are given (by the true label .88, but clothing
  .40); flips in full, not steadied (clothing .42) or a third of them (.466, but pairs .77); the
  mean of both rankings (between them everywhere).
* SUMMA's v is read as "can this method be trusted", not as a vote's weight: from half of the best
  v on, methods count alike (.656 / .808 -> .663 / .813 at 9 and 18 % wrong). It is measured within
  classes: a bias that methods share is no evidence.
* Rankings that repeat each other count as one (`trust.redundancy_weights`): three methods, two
  of them heads on the same features, .757 / .875 / .942 -> .766 / .878 / .942 at 9, 18 and 41 %.
* How sure the pool is, is fitted: neither the number of methods nor their loudness counts. Above
  200 classes the product counts 2m / (1 + m) opinions, m how many differ
  (`trust.effective_number`).
* Which class is behind a wrong label counts `PRIOR` of an opinion: the methods have learned much of
  it from the given labels already.
* Which class it is instead is read off the same evidence, as far as images of the class have told
  how it is given wrongly; of a class of few images the plain mean of the methods speaks (`SEEN`).
  On clothing, suggestions that no method made had .58 of the shares and were right in .10.
* A method far surer than the others bear out is turned down (`trust.overconfidence_weights`): one
  over-confident network in five took the pool from .683 to .589 (9 % wrong), softened to .647,
  turned down as well to .674. Without one nothing is lost.
* What the given class is held against is the sum over the other classes, not the best of them
  (.653 / .807 -> .656 / .808).
* The share of wrong labels is read off the methods whose doubt is that of the labels and that
  disagree with them most (`trust.calibration_weights`): those that have memorised them know none.
  Beside it, what models refuse to learn that were taught the labels counts (`refusals`): networks,
  and where none is heard the heads of an out-of-fold method that says so (`REFUSED`).
* How fast p_wrong rises along the order is half what the model of the labels says (`chances`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from lnl_core.review import noise, pool, refusals, transition, trust
from lnl_core.review.chances import chances
from lnl_core.review.noise import UNKNOWN_RATE
from lnl_core.review.pool import Opinion
from lnl_core.types import REFUSED, BoolArray, FloatArray, IntArray, Ranking, Signals

PRIOR = 0.5
"""How much of an opinion it is which class is behind the wrong labels of another."""

SEEN = 100.0
"""Images of a class that make the evidence for it count as much as the plain mean of the methods.

Share of a suggestion against how often it is right, on wrong labels, without and with: calibration
error .059, .020, .018 -> .036, .022, .021 on 8,000 photographs with 9, 18 and 41 % wrong, clothing
.375 -> .277, 600 of them .273 -> .084, eight long-tailed cuts .081 -> .044 on average. The
suggestion is right in .756, .826, .787 -> .758, .825, .788, clothing .394 -> .424, 600 of them
.455 -> .485, cuts .712 -> .724."""

NOISE_ROWS = 10.0
"""Images of each class that the fitted share of wrong labels is pulled to `UNKNOWN_RATE` by."""

_TOP = 3
_FITTED_VALUES = 200_000


def rank(
    signals: Sequence[Signals],
    given_labels: IntArray,
    class_count: int,
    trusted: BoolArray | None = None,
    taught: Collection[str] = (),
) -> Ranking:
    """Combine methods into one ranking; the order of the methods does not matter.

    Args:
        signals: one per method; at least one, each method once. A score that is not finite counts
            as no opinion, a probability row that is not finite likewise.
        given_labels: (n,) labels in 0..k-1, corrected by people where they have.
        class_count: k.
        trusted: (n,) True where a person confirmed the label: the least p_wrong, last in order.
        taught: methods whose probabilities of an image come from models that were taught its label;
            what they refuse counts in how many are wrong. The order is the same without.

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
    odds = None
    for i, weight in enumerate(weights):
        if i not in with_probs:
            score += weight * trust.normal_scores(scores[i])
    if opinions:
        share = float(weights[with_probs].sum())
        within = (
            weights[with_probs] / share if share > 0 else np.full(len(with_probs), 1 / len(every))
        )
        calibrating = _calibrating(opinions, within, given)
        schooled = np.array([ordered[i].method in taught for i in with_probs])
        judge = _by_noise if 1 < class_count <= pool.LEVELLED_CLASSES and n > 1 else _by_counts
        effective = trust.effective_number(within, alike[np.ix_(with_probs, with_probs)])
        untaught = within * ~schooled
        doubt = _calibrating(opinions, untaught, given) if untaught.any() else calibrating
        heard = [ordered[i] for i, vote in zip(with_probs, within, strict=True) if vote > 0]
        own = tuple(_refused(each, given, class_count) for each in heard if REFUSED in each.extras)
        votes = Votes(within, calibrating, effective, schooled, doubt, own)
        evidence, matrix, rate = judge(opinions, votes, given, class_count)
        plain = _plain(opinions, within, given, class_count) if judge is _by_noise else None
        against, labels, probs = _held_against(evidence, given, class_count, plain)
        odds = against if judge is _by_noise else None
        against[~unsure] = np.nan
        score += (share if share > 0 else 1.0) * trust.normal_scores(against)
    else:
        rate = _rate_of_scores(scores[:, unsure])
        matrix = np.full((class_count, class_count), rate / max(class_count - 1, 1), np.float32)
        np.fill_diagonal(matrix, 1 - rate if class_count > 1 else 1)
        labels, probs = _frequent_others(given, class_count)

    suspicion, p_wrong = chances(score, unsure, rate, odds)
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


def _calibrating(opinions: Sequence[Opinion], votes: FloatArray, given: IntArray) -> FloatArray:
    """Return (m,) what each opinion counts in how many labels are wrong, summing to 1."""
    heard = np.flatnonzero(votes > 0)
    counted = np.zeros(len(votes))
    counted[heard] = votes[heard] * trust.calibration_weights(
        [each for each, vote in zip(opinions, votes, strict=True) if vote > 0], given
    )
    return trust.shares(counted)


@dataclass(frozen=True, slots=True)
class Votes:
    """How much each opinion counts.

    Attributes:
        order: (m,) in the order of suspicion, summing to 1.
        noise: (m,) in which class is given as which, summing to 1.
        effective: how many different opinions they are, from 1 to m.
        taught: (m,) True for those of models that were taught the labels.
        refused: (k, k) [given, said] of each heard method that says what its models refuse.
        doubt: (m,) in how many labels are wrong, of the others where there are any, summing to 1.
    """

    order: FloatArray
    noise: FloatArray
    effective: float
    taught: BoolArray
    doubt: FloatArray
    refused: tuple[FloatArray, ...]


def _refused(said: Signals, given: IntArray, k: int) -> FloatArray:
    """Return (k, k) [given, said] rows: what a method's own models refuse, as its best other."""
    refused = np.asarray(said.extras[REFUSED], dtype=bool)
    joint = np.diag(np.bincount(given[~refused], minlength=k).astype(np.float64))
    if isinstance(said.pred_probs, np.ndarray) and refused.any():
        probs = np.nan_to_num(np.array(said.pred_probs[refused], dtype=np.float64))
        probs[np.arange(len(probs)), given[refused]] = -1
        np.add.at(joint, (given[refused], probs.argmax(axis=1)), 1)
    return joint


Evidence = Callable[[slice], FloatArray]
"""Gives, for a slice of rows, (b, k) what speaks for each class, in log, given label included."""


def _by_noise(
    opinions: Sequence[Opinion], votes: Votes, given: IntArray, k: int
) -> tuple[Evidence, FloatArray, float]:
    """Hold the given class against the others by a model of the given labels (`noise`).

    How labels are flipped is read off the opinions that have not learned them by heart, and then
    held fast for the pool of all: it belongs to the labels, not to the methods.

    Returns:
        What speaks for each class, the transition matrix (k, k) and the share of wrong labels.
    """
    counts = np.bincount(given, minlength=k)
    drawn = pool.by_class(given, counts, _FITTED_VALUES)

    def rows_of(weights: FloatArray) -> noise.Rows:
        return noise.rows_of(pool.logarithmic(opinions, weights, drawn), given[drawn], given)

    rows = rows_of(votes.noise)
    fitted = noise.fit(rows)
    counted, told = refusals.counted(rows_of, votes.order, votes.doubt, votes.taught, votes.refused)
    fitted = noise.fit(rows, start=fitted, steady=True)
    if not np.allclose(votes.order, votes.noise):
        fitted = noise.fit(rows_of(votes.order), start=fitted, flips=fitted.flips)
    odds, others = noise.odds(fitted.flips)
    prior = PRIOR * others
    np.fill_diagonal(prior, -odds)
    absent = counts == 0
    if absent.any():  # nobody saw it: nothing speaks for it
        prior[absent] = prior.min()
        fitted.offsets[absent] = fitted.offsets[~absent].min()

    def evidence(block: slice) -> FloatArray:
        logs = fitted.evidence(pool.logarithmic(opinions, votes.order, block))
        return logs + prior[:, given[block]].T

    joint = counted.joint * (len(given) / max(float(counted.joint.sum()), 1e-12))
    usual = UNKNOWN_RATE
    if not votes.taught.all():  # models that have not seen the labels contradict what is wrong
        usual = _contradicted(refusals.share_refused(rows_of(votes.doubt)), len(given))
    rate = _steadied(counted.share, given, NOISE_ROWS, told, usual)
    return evidence, transition.transition_matrix(joint), rate


def _by_counts(
    opinions: Sequence[Opinion], votes: Votes, given: IntArray, k: int
) -> tuple[Evidence, FloatArray, float]:
    """Hold the given class against the others by counts alone: of many classes few are known well.

    Returns:
        As `_by_noise`.
    """
    plain = _joint(opinions, votes.noise, given, k)
    usual = UNKNOWN_RATE
    if k > 1 and not votes.taught.all():
        contradicted = sum(
            int((pool.linear(opinions, votes.doubt, rows).argmax(axis=1) != given[rows]).sum())
            for rows in pool.blocks(len(given), k)
        )
        usual = _contradicted(contradicted / max(len(given), 1), len(given))
    rate = _steadied(transition.noise_rate(plain), given, transition.STEADY, usual=usual)
    level = [pool.level(each.probs, given, k) for each in opinions]
    counted = 2 * votes.effective / (1 + votes.effective)
    odds, others = transition.odds_of_wrong(_joint(level, votes.order, given, k))
    prior = PRIOR * others
    absent = np.bincount(given, minlength=k) == 0
    if absent.any() and not absent.all():
        # A class that was never given has no row of its own: it must not win where nobody sees it.
        prior[:, absent] = prior.min(axis=1, keepdims=True)
    np.fill_diagonal(prior, np.diag(prior) - odds + np.log(max(k - 1, 1)))

    def evidence(block: slice) -> FloatArray:
        logs: FloatArray = counted * pool.logarithmic(level, votes.order, block)
        return logs + prior[given[block]]

    return evidence, transition.transition_matrix(plain), rate


def _joint(opinions: Sequence[Opinion], weights: FloatArray, given: IntArray, k: int) -> FloatArray:
    return transition.confident_joint(
        lambda rows: pool.linear(opinions, weights, rows), given, class_count=k
    )


def _contradicted(share: float, n: int) -> float:
    """Return the share of wrong labels that is usual where so many of n are contradicted.

    Of few images nothing is known: `NOISE_ROWS` of them count as if nobody had looked.
    """
    return min(UNKNOWN_RATE, (share * n + UNKNOWN_RATE * NOISE_ROWS) / (n + NOISE_ROWS))


def _steadied(
    rate: float, given: IntArray, rows: float, told: float = 1.0, usual: float = UNKNOWN_RATE
) -> float:
    """Pull an estimated share of wrong labels to a usual one by some rows of each class.

    Methods that saw a handful of images of a class cannot predict it, and count their own mistakes.

    Args:
        rate: the estimate.
        given: (n,) labels.
        rows: of each class.
        told: how much an image counts, 0 to 1: where no method knows a class, none is known wrong.
        usual: what is pulled to.
    """
    known, unknown = told * len(given), rows * len(np.unique(given))
    return (known * rate + unknown * usual) / max(known + unknown, 1)


Plain = tuple[Callable[[slice], FloatArray], FloatArray]
"""Gives, for a slice of rows, (b, k) what methods say of each class; and (k,) how much it counts
beside the evidence, 0 to 1."""


def _plain(opinions: Sequence[Opinion], weights: FloatArray, given: IntArray, k: int) -> Plain:
    """Return the mean of the methods, which speaks for a class of which few images were seen."""
    counts: FloatArray = SEEN / (SEEN + np.bincount(given, minlength=k))
    return lambda rows: pool.linear(opinions, weights, rows), counts


def _held_against(
    evidence: Evidence, given: IntArray, k: int, plain: Plain | None = None
) -> tuple[FloatArray, IntArray, FloatArray]:
    """Hold the given class of each row against the others.

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
    for rows in pool.blocks(n, k):
        line = np.arange(len(given[rows]))
        logs = evidence(rows)
        of_given = logs[line, given[rows]]
        logs[line, given[rows]] = -np.inf
        best = logs.max(axis=1)
        against[rows] = best + np.log(np.exp(logs - best[:, None]).sum(axis=1)) - of_given
        shares = np.exp(logs - best[:, None])
        shares /= shares.sum(axis=1, keepdims=True)
        if plain is not None:
            shares = _steadied_shares(shares, plain, rows, given)
        for place in range(min(_TOP, k - 1)):
            label = shares.argmax(axis=1)
            labels[rows, place] = label
            probs[rows, place] = shares[line, label]
            shares[line, label] = -1
    return against, labels, probs


def _steadied_shares(shares: FloatArray, plain: Plain, rows: slice, given: IntArray) -> FloatArray:
    """Return (b, k) shares of the other classes: what rare ones have goes by what methods say."""
    mean, counts = plain
    line = np.arange(len(shares))
    said = np.asarray(mean(rows), np.float64)
    said[line, given[rows]] = 0
    told = said.sum(axis=1, keepdims=True)
    said = np.where(told > 0, said / np.maximum(told, 1e-30), shares)
    unknown = (counts * shares).sum(axis=1, keepdims=True)
    mixed: FloatArray = (1 - counts) * shares + unknown * said
    mixed[line, given[rows]] = -1  # no suggestion
    return mixed


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
