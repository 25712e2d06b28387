"""How many given labels are wrong, and which class is given as which, from predictions of them.

A method that is fitted to the given labels and asked out of fold predicts the *given* label. Where
labels are right, its doubt is its own: for a calibrated method another label is as often given as
it says. Where labels are wrong, even images that are as clear as can be have another label now and
then, and the doubt has a floor. So the given labels are explained by

    P(given g | image) = sum over y of P(true y | image) flips[y, g],
    P(true y | image)  = softmax(sharpness * log P_pool(y) + offsets[y]),

a noise adaptation layer (Sukhbaatar et al., ICLR workshop 2015; Goldberger and Ben-Reuven, ICLR
2017) put on finished predictions, fitted by expectation and maximisation (Dempster, Laird, Rubin
1977). What wrong labels explain is told from what weak features explain by the shape of the doubt;
a confident joint counts both (300 right labels: it counts 9 to 14 % wrong, this 0 to 4 %).

Ours: classes weigh alike in the fit (a well-fitting model is the same under any weights, and a rare
class's offset is known by its own images); flips are pulled to right labels and to each other; and
what such a model misses is added, see `share_wrong`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.types import FloatArray, IntArray

EVEN_ROWS = 20
"""A class of n rows weighs n / (n + this) in a fit, so that a class of one decides nothing."""

ALIKE, RIGHT = 2.0, 3.0
"""Rows that a class's flips are pulled by: to those of all classes, so many for each class that
there is; to no flips at all."""

STEADY = 40.0
"""Images given as a class that count as much as what is known of all classes in what its wrong
labels are, where an order is made of it. Classes weigh alike in a fit, so that a dozen images of a
rare one would be taken for hundreds; between 20 and 80 little changes (docs/measurements.md)."""

BEHIND = 0.05
"""Of all labels, this share is spread evenly over the classes behind wrong labels."""

SHARPER = 1.4
"""People mistake what methods mistake, and the fit takes a part of wrong labels for doubt: classes
are this much surer than it says. Measured on cuts of photographs with labels of real people at 6 to
46 % wrong: what the fit alone says times 1.4 to 2."""

LEAST_EVIDENCE = 8.0
"""Nats that the fit gains over one without wrong labels before any are believed in. Gains where all
labels are right: 1 to 13 in six sets of 300 to 3,000; with 9 % wrong 18 of 300, 36 of 1,000."""

UNKNOWN_RATE = 0.1
"""The share of wrong labels assumed where no method can say anything about it."""

STARTS = ((1.0, 0.1), (4.0, 0.2))
"""Sharpness and share of wrong labels that a fit begins with; the second where it ends better. Of
two or three classes a sure model with many wrong labels and an unsure one with few look much
alike: from the first start alone 20 % wrong of two classes were taken for doubt."""

_ROUNDS, _STEPS = 30, 6
_SHARPEST = 8.0
_RAREST = 1e-3
_TINY, _SMALL = 1e-12, 1e-9


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to fit by.

    Attributes:
        logs: (b, k) log-probabilities of a pool.
        labels: (b,) given labels.
        stands_for: (b,) how many rows of the set each stands for, on average 1.
    """

    logs: FloatArray
    labels: IntArray
    stands_for: FloatArray


@dataclass(frozen=True, slots=True)
class Noise:
    """What was fitted.

    Attributes:
        sharpness: what log-probabilities are multiplied by.
        offsets: (k,) what is added to them.
        flips: (k, k) [true, given], rows sum to 1, in a world where classes are given alike.
    """

    sharpness: float
    offsets: FloatArray
    flips: FloatArray

    def evidence(self, logs: FloatArray) -> FloatArray:
        """Return (b, k) what speaks for each class, in log, up to a constant for each row."""
        levelled: FloatArray = self.sharpness * logs + self.offsets
        return levelled


@dataclass(frozen=True, slots=True)
class Counted:
    """How many labels are wrong.

    Attributes:
        share: of all labels.
        joint: (k, k) [given, true], in rows; what is off its diagonal is `share` of it.
        believed: 0 to 1, how far what was counted is borne out; `share` holds it already.
    """

    share: float
    joint: FloatArray
    believed: float


def rows_of(logs: FloatArray, labels: IntArray, given: IntArray) -> Rows:
    """Return rows to fit by.

    Args:
        logs: (b, k) of rows drawn class by class.
        labels: (b,) their given labels.
        given: (n,) all labels.
    """
    k = logs.shape[1]
    drawn = np.bincount(labels, minlength=k)
    share = np.bincount(given, minlength=k) / np.maximum(drawn, 1)
    return Rows(logs, labels, (share * len(labels) / max(len(given), 1))[labels])


def fit(
    rows: Rows,
    *,
    start: Noise | None = None,
    flips: FloatArray | None = None,
    sharpness: float | None = None,
    steady: bool = False,
) -> Noise:
    """Explain the given labels.

    Args:
        rows: at least one.
        start: where to begin; else at each of `STARTS`.
        flips: (k, k) if they are known.
        sharpness: if it is known.
        steady: pull each class's flips by its images (`STEADY`), not by its weight.
    """
    weight = _weights(rows)
    if start is None:
        k = rows.logs.shape[1]
        starts = [Noise(sharp, np.zeros(k), _usual(k, wrong)) for sharp, wrong in STARTS]
        ends = [
            fit(rows, start=each, flips=flips, sharpness=sharpness, steady=steady)
            for each in starts
        ]
        usual, other = (float(weight @ _likelihood(each, rows)) for each in ends)
        return ends[other > usual + 1]  # by more than fits to the same place differ
    found = start
    explained = _steady_flips if steady else _flips
    if flips is not None:
        found = Noise(found.sharpness, found.offsets, flips)
    for turn in range(_ROUNDS):
        truly = posterior(found, rows.logs, rows.labels) * weight[:, None]
        before = found.sharpness
        now = found.flips if flips is not None else explained(truly, rows.labels)
        found = _classes(rows.logs, truly, found, now, sharpness)
        if turn > 5 and abs(found.sharpness / before - 1) < 2e-3 and sharpness is None:
            break
        if turn > 9 and sharpness is not None:
            break
    return found


def posterior(noise: Noise, logs: FloatArray, labels: IntArray) -> FloatArray:
    """Return P(true y | image, given label), (b, k)."""
    truly = _softmax(noise.evidence(logs)) * noise.flips[:, labels].T
    truly /= np.maximum(truly.sum(axis=1, keepdims=True), _TINY)
    return truly


def odds(flips: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what flips say of a label before its image is looked at, where classes are alike.

    Args:
        flips: (k, k) [true, given].

    Returns:
        (k,) log odds that a label of the class is wrong, and (k, k) log shares of the true classes
        [true, given] behind its wrong labels, times k - 1, so that 0 is an even share; the
        diagonal is 0.
    """
    behind = flips / np.maximum(flips.sum(axis=0), _TINY)
    wrong = np.clip(1 - np.diag(behind), _RAREST, 1 - _RAREST)
    others = np.log(np.maximum(behind * (len(flips) - 1) / wrong, _TINY))
    np.fill_diagonal(others, 0)
    return np.log(wrong / (1 - wrong)), others


def as_given(rows: Rows) -> Noise:
    """Explain the given labels as if none were wrong, each counted as often as it is given."""
    k = rows.logs.shape[1]
    truly = np.eye(k)[rows.labels] * rows.stands_for[:, None]
    found = Noise(1.0, np.zeros(k), np.eye(k))
    for _ in range(_ROUNDS):
        before = found.sharpness
        found = _classes(rows.logs, truly, found, found.flips, None)
        if abs(found.sharpness / before - 1) < 1e-3:
            break
    return found


def share_wrong(rows: Rows, found: Noise) -> Counted:
    """Count wrong labels.

    Wrong labels are counted with classes `SHARPER` than fitted. Many of them blur what the methods
    learn, so r becomes r (1 + r / 2). Then they are believed in as far as the fit without them is
    worse by more than `LEAST_EVIDENCE`. Truth and estimate, probe on cuts of 1,800 to 8,000
    photographs: .055 .068, .066 .070, .091 .084, .127 .134, .163 .167, .193 .188, .395 .396,
    .412 .389, .460 .425.
    """
    k = rows.logs.shape[1]
    nobody = fit(rows, flips=np.eye(k))
    gained = _likelihood(found, rows) - _likelihood(nobody, rows)
    evidence = float((rows.stands_for * gained).sum())
    surer = Noise(SHARPER * found.sharpness, SHARPER * found.offsets, found.flips)
    surer = fit(rows, start=surer, sharpness=surer.sharpness)
    joint = np.zeros((k, k))
    truly = posterior(surer, rows.logs, rows.labels) * rows.stands_for[:, None]
    np.add.at(joint, rows.labels, truly)
    total = float(joint.sum())
    wrong = 1 - float(np.trace(joint)) / max(total, _TINY)
    believed = max(evidence - LEAST_EVIDENCE, 0) / max(evidence, _TINY)
    wrong *= (1 + wrong / 2) * believed
    return Counted(wrong, with_share(joint, wrong), believed)


def untold(rows: Rows) -> float:
    """Return how many labels may well be wrong without being told from doubt, as a share of all.

    Were `UNKNOWN_RATE` of them wrong, a fit with wrong labels would be so many nats better than one
    without; the fewer these are, the less a fit says that gains nothing. Predictions that name one
    class for certain, or sure ones of two classes, show next to nothing. No more can be wrong than
    are contradicted.
    """
    k = rows.logs.shape[1]
    some = fit(rows, flips=_usual(k, UNKNOWN_RATE))
    given = _softmax(some.evidence(rows.logs)) @ some.flips
    whole = given * rows.stands_for[:, None]
    none = Noise(some.sharpness, some.offsets, np.eye(k))
    for _ in range(_STEPS):
        none = _classes(rows.logs, whole, none, none.flips, None)
    doubt = _softmax(none.evidence(rows.logs))
    gained = float((whole * np.log(np.maximum(given, _TINY) / np.maximum(doubt, _TINY))).sum())
    otherwise = none.evidence(rows.logs).argmax(axis=1) != rows.labels
    contradicted = float(np.average(otherwise, weights=rows.stands_for))
    return min(UNKNOWN_RATE, contradicted) * float(np.exp(-max(gained, 0.0) / LEAST_EVIDENCE))


def with_share(joint: FloatArray, share: float) -> FloatArray:
    """Return a joint (k, k) [given, true] whose off-diagonal is scaled to a share of it."""
    given, wrong = joint.sum(axis=1), joint.copy()
    np.fill_diagonal(wrong, 0)
    wrong *= share * float(given.sum()) / max(float(wrong.sum()), _TINY)
    np.fill_diagonal(wrong, np.maximum(given - wrong.sum(axis=1), 0))
    return wrong


def sureness(rows: Rows, found: Noise) -> float:
    """Return how sure of the true classes methods are, 0 (all alike) to 1, in mean over the set."""
    even = 1 / rows.logs.shape[1]
    top = _softmax(found.evidence(rows.logs)).max(axis=1)
    sure = np.clip((top - even) / max(1 - even, _TINY), 0, 1)
    return float(np.average(sure, weights=rows.stands_for))


def _weights(rows: Rows) -> FloatArray:
    """Return (b,) weights by which classes count alike, on average 1."""
    counts = np.bincount(rows.labels, weights=rows.stands_for, minlength=rows.logs.shape[1])
    weight: FloatArray = rows.stands_for / (counts + EVEN_ROWS)[rows.labels]
    return weight * (len(weight) / max(float(weight.sum()), _TINY))


def _usual(k: int, wrong: float) -> FloatArray:
    """Return flips to every other class alike."""
    flips = np.full((k, k), wrong / max(k - 1, 1))
    np.fill_diagonal(flips, 1 - wrong)
    return flips


def _flips(truly: FloatArray, labels: IntArray) -> FloatArray:
    """Return (k, k) flips that explain (b, k) weighted posteriors, pulled as `ALIKE` says."""
    k = truly.shape[1]
    given = np.zeros((k, k))
    np.add.at(given, labels, truly)
    counts = given.T
    wrong = 1 - np.trace(counts) / max(counts.sum(), _TINY)
    usual = np.tile(counts.sum(axis=0), (k, 1))
    np.fill_diagonal(usual, 0)
    usual *= wrong / np.maximum(usual.sum(axis=1, keepdims=True), _TINY)
    np.fill_diagonal(usual, 1 - wrong)
    pulled = counts + ALIKE * k * usual + RIGHT * np.eye(k) + _TINY
    flips: FloatArray = pulled / pulled.sum(axis=1, keepdims=True)
    return flips


def _steady_flips(truly: FloatArray, labels: IntArray) -> FloatArray:
    """Return (k, k) flips that explain (b, k) weighted posteriors, pulled as `STEADY` says.

    What is behind the labels of each given class is pulled to what is behind all of them.
    """
    k = truly.shape[1]
    given = np.zeros((k, k))
    np.add.at(given, labels, truly)
    seen = np.bincount(labels, minlength=k)[:, None]
    total = given.sum(axis=1, keepdims=True)
    behind = given.sum(axis=0) - np.diag(given) + BEHIND * given.sum() / k
    usual = np.tile(behind, (k, 1))
    np.fill_diagonal(usual, 0)
    wrong = 1 - np.trace(given) / max(given.sum(), _TINY)
    usual *= wrong / np.maximum(usual.sum(axis=1, keepdims=True), _TINY)
    np.fill_diagonal(usual, 1 - wrong)
    own = seen * given / np.maximum(total, _TINY) + RIGHT * np.eye(k)
    counts = (total * (own + STEADY * usual) / (seen + RIGHT + STEADY)).T + _SMALL
    flips: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return flips


def _classes(
    logs: FloatArray, truly: FloatArray, start: Noise, flips: FloatArray, sharpness: float | None
) -> Noise:
    """Return sharpness and offsets that explain (b, k) weighted posteriors, by a few steps."""
    from scipy.optimize import minimize

    weight, n = truly.sum(axis=1, keepdims=True), len(logs)

    def loss(values: FloatArray) -> tuple[float, FloatArray]:
        sharp, offsets = float(np.exp(values[0])), values[1:]
        scaled = sharp * logs + offsets
        scaled -= scaled.max(axis=1, keepdims=True)
        probs = np.exp(scaled)
        norm = probs.sum(axis=1, keepdims=True)
        lost = float((weight * np.log(norm)).sum() - np.vdot(truly, scaled))
        apart = probs * (weight / norm) - truly
        slopes = np.r_[sharp * np.vdot(apart, logs), apart.sum(axis=0) + offsets]
        return (lost + float(offsets @ offsets) / 2) / n, slopes / n

    low, high = (1 / _SHARPEST, _SHARPEST) if sharpness is None else (sharpness, sharpness)
    bounds = [(float(np.log(low)), float(np.log(high))), *[(None, None)] * logs.shape[1]]
    first = np.r_[np.log(np.clip(start.sharpness, low, high)), start.offsets]
    solution = minimize(
        loss, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": _STEPS}
    )
    return Noise(float(np.exp(solution.x[0])), solution.x[1:], flips)


def _likelihood(noise: Noise, rows: Rows) -> FloatArray:
    """Return the log-likelihood of each given label, (b,)."""
    chances = _softmax(noise.evidence(rows.logs)) * noise.flips[:, rows.labels].T
    likelihood: FloatArray = np.log(np.maximum(chances.sum(axis=1), _TINY))
    return likelihood


def _softmax(values: FloatArray) -> FloatArray:
    values = values - values.max(axis=1, keepdims=True)
    np.exp(values, out=values)
    values /= values.sum(axis=1, keepdims=True)
    return values
