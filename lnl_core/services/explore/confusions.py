"""Which class is given as which, with intervals; what people have settled counts as they say."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from lnl_core.services.explore.embedding import frequent_classes
from lnl_core.services.in_force import Scored, labelled_count, loaded, scored, standing, told
from lnl_core.services.moment import moment
from lnl_core.services.review.auditing import noise_rate
from lnl_core.services.review.draws import WRONG, about_given, replay
from lnl_core.store import decisions
from lnl_core.types import Action, BoolArray, DatasetInfo, FloatArray, IntArray
from lnl_core.views import Matrix

KAPPA = 60
"""An estimate counts as so many audited images of a given class (review science 6.2)."""

SHOWN = 20
"""Classes that the matrix shows at most: those with most expected errors."""

AUDITS_NEEDED = 50
"""Random audits with a clear answer from which they say how many errors there are."""

LARGEST_JOINT = 1500
"""Above this many classes the joint is not solved for; the rows' suggestions are counted."""


def matrix(info: DatasetInfo) -> Matrix | None:
    """Return which class is given as which, None before the first run or with one class.

    The joint of the ranking, in which each image that people have settled counts as what they
    say, and the others for the share of their cell that is left; shares of the unreviewed part
    have Beta intervals of concentration 60.

    From 50 random audits on, the cells beside the diagonal are scaled so that their sum is what
    the audits say; the audited images of a given class then update its row, as counts beside a
    prior that is worth 60 images; and the sum is set once more, because the earlier audits were
    drawn before the queue had found what it found (review science 6.2, steps 2 to 5).
    """
    ranked = scored(info)
    if ranked is None or info.real_class_count < 2 or not info.n:
        return None
    return _matrix(info, ranked, decisions.last_id(info))


@lru_cache(maxsize=4)
def _matrix(info: DatasetInfo, ranked: Scored, _last_id: int) -> Matrix:
    k = info.class_count
    labels = np.sort(np.array(frequent_classes(info, ranked)[:SHOWN], dtype=np.int64))
    given = np.asarray(loaded(info).given_labels)
    audits, drawn = _audited(info)
    settled, exact, counts = _known(info, labels, drawn)
    n = counts.sum(axis=1, keepdims=True)
    size = np.bincount(given, minlength=k)[labels]
    reviewed = np.bincount(given[settled], minlength=k)[labels]
    remaining = (size - reviewed)[:, None].astype(np.float64)
    left = _fitting(_left(info, ranked, labels, settled), remaining)
    if audits:
        goal = _errors_left(info) * _part(info, ranked, labels, settled, left)
        left = _scaled(left, remaining, goal)
        row = np.maximum(remaining, 1)
        share = left / row
        share[_own(labels)] = 1 - share.sum(axis=1)
        share = (counts + KAPPA * share) / (n + KAPPA)
        share[_own(labels)] = 0
        left = _scaled(share * remaining, remaining, goal)
    left[_own(labels)] = remaining[:, 0] - left.sum(axis=1)
    left, exact = left[:, labels], exact[:, labels]
    low, high = _beta(left / np.maximum(remaining, 1), KAPPA + n)
    whole = np.maximum(size, 1)[:, None]
    return Matrix(
        labels=labels,
        count=exact + left,
        share=(exact + left) / whole,
        low=(exact + remaining * low) / whole,
        high=(exact + remaining * high) / whole,
        size=size,
        reviewed=reviewed,
        found=exact.round().astype(np.int64),
        audits=audits,
    )


def _own(labels: IntArray) -> tuple[IntArray, IntArray]:
    """Return the places of the shown classes' diagonal in an array of (s, k)."""
    return np.arange(len(labels)), labels


def _left(info: DatasetInfo, ranked: Scored, labels: IntArray, settled: BoolArray) -> FloatArray:
    """Return the errors that the methods expect among the open images, (s, k); diagonal 0."""
    whole_set = _soft(info, ranked, labels, np.zeros(info.n, dtype=bool))
    still_open = _soft(info, ranked, labels, settled) if settled.any() else whole_set
    ratio = np.divide(still_open, whole_set, out=np.zeros_like(whole_set), where=whole_set > 0)
    joint = _joint(info, ranked, labels) if info.class_count <= LARGEST_JOINT else whole_set
    left: FloatArray = joint * ratio
    left[_own(labels)] = 0
    left[:, list(info.no_classes)] = 0  # no image is truly without a class
    return left


def _fitting(left: FloatArray, remaining: FloatArray) -> FloatArray:
    """Return the errors with no row larger than its open images."""
    errors = left.sum(axis=1, keepdims=True)
    fitting: FloatArray = left * np.minimum(1, remaining / np.maximum(errors, 1e-12))
    return fitting


def _scaled(left: FloatArray, remaining: FloatArray, goal: float) -> FloatArray:
    """Return the errors scaled to a sum, as far as the open images allow."""
    for _ in range(8):  # a row that is full leaves its share to the others
        left = _fitting(left * goal / max(float(left.sum()), 1e-12), remaining)
    return left


def _part(
    info: DatasetInfo, ranked: Scored, labels: IntArray, settled: BoolArray, left: FloatArray
) -> float:
    """Return the share of all open errors that the shown classes' rows hold."""
    if len(labels) == info.real_class_count:
        return 1.0
    if info.class_count <= LARGEST_JOINT:
        real = np.setdiff1d(np.arange(info.class_count), info.no_classes)
        everything = _left(info, ranked, real, settled).sum()
    else:
        p, knew = np.asarray(ranked.ranking.p_wrong, dtype=np.float64), told(info)
        usual = float(p[~knew].mean()) if not knew.all() else 0.0
        everything = np.where(knew, usual, p)[~settled].sum()
    return min(1.0, float(left.sum()) / max(float(everything), 1e-12))


def _errors_left(info: DatasetInfo) -> float:
    """Return how many open images are wrong, from the audits' noise rate."""
    rate = noise_rate(info)
    wrong = int((about_given(standing(info)) == WRONG).sum())
    return 0.0 if rate is None else max(0.0, rate.share * labelled_count(info) - wrong)


def _audited(info: DatasetInfo) -> tuple[int, BoolArray]:
    """Return how many audits have a clear answer by the last moment, and which rows, (n,).

    Below 50 nothing.
    """
    drawn, past = np.zeros(info.n, dtype=bool), replay(info, moment(info))
    audits = len(past.counted)
    if audits < AUDITS_NEEDED:
        return 0, drawn
    drawn[past.rows[past.clear]] = True
    return audits, drawn


def _known(
    info: DatasetInfo, labels: IntArray, drawn: BoolArray
) -> tuple[BoolArray, FloatArray, FloatArray]:
    """Return which rows people have settled, (n,), and what they say, (s, k) images.

    The third counts the drawn rows alone. Images with several classes, or with none, are settled
    and count in no cell; images on which reviewers differ are open.
    """
    settled = np.zeros(info.n, dtype=bool)
    exact, counts = (np.zeros((len(labels), info.class_count)) for _ in range(2))
    given = np.asarray(loaded(info).given_labels)
    slot = {int(label): i for i, label in enumerate(labels)}
    for row, said in decisions.in_force(info).items():
        verdict = decisions.verdict(said)
        if verdict.decision is None or not verdict.agreed:
            continue
        settled[row] = True
        label, action = int(given[row]), verdict.decision.action
        if label not in slot or action in (Action.MULTIPLE, Action.NONE):
            continue
        true = label if action is Action.KEEP else verdict.decision.label
        if true is not None:
            exact[slot[label], true] += 1
            counts[slot[label], true] += drawn[row]
    return settled, exact, counts


def _soft(info: DatasetInfo, ranked: Scored, labels: IntArray, skip: BoolArray) -> FloatArray:
    """Return the errors that the ranking expects, (s, k), rows in `skip` left out; diagonal 0.

    An image of which a run was told the answer has no score: open again, it counts as the images of
    its given class do that no run was told of.
    """
    knew = told(info)
    soft = _summed(info, ranked, labels, ~(skip | knew))
    if not (knew & ~skip).any():
        return soft
    given, k = np.asarray(loaded(info).given_labels), info.class_count
    open_, others = (np.bincount(given[rows], minlength=k) for rows in (knew & ~skip, ~knew))
    times = (open_ / np.maximum(others, 1))[labels][:, None]
    again: FloatArray = soft + times * _summed(info, ranked, labels, ~knew)
    return again


def _summed(info: DatasetInfo, ranked: Scored, labels: IntArray, which: BoolArray) -> FloatArray:
    """Return the errors that the ranking expects among some rows, (s, k); diagonal 0."""
    k = info.class_count
    slot = np.full(k, -1)
    slot[labels] = np.arange(len(labels))
    given = slot[np.asarray(loaded(info).given_labels)]
    rows = np.flatnonzero((given >= 0) & which)
    expected = np.zeros(len(labels) * k)
    p = np.asarray(ranked.ranking.p_wrong, dtype=np.float64)[rows]
    top, probs = ranked.ranking.top_labels, ranked.ranking.top_probs
    for rank in range(top.shape[1]):
        true = np.asarray(top[rows, rank])
        weight = np.where(true >= 0, p * np.asarray(probs[rows, rank], dtype=np.float64), 0)
        expected += np.bincount(
            given[rows] * k + np.maximum(true, 0), weights=weight, minlength=len(expected)
        )
    soft: FloatArray = expected.reshape(len(labels), k)
    soft[np.arange(len(labels)), labels] = 0
    return soft


def _joint(info: DatasetInfo, ranked: Scored, labels: IntArray) -> FloatArray:
    """Return the rows of the ranking's joint, (s, k) images given as labels[i] and truly j.

    The ranking keeps P(given | true) with one image added to every cell. How many images are truly
    of each class follows from how many are given as each.
    """
    k = info.class_count
    chance = np.asarray(ranked.ranking.transition_matrix, dtype=np.float64)  # [true, given]
    given = np.bincount(np.asarray(loaded(info).given_labels), minlength=k) + float(k)
    true = np.linalg.lstsq(chance.T, given, rcond=None)[0]
    joint: FloatArray = np.maximum(chance * true[:, None] - 1, 0)[:, labels].T
    return joint


def _beta(share: FloatArray, worth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the ends of 95 % intervals of shares; each row counts as so many images, (s, 1)."""
    from scipy.special import betaincinv

    a, b = worth * share + 0.5, worth * (1 - share) + 0.5
    return (
        np.minimum(betaincinv(a, b, 0.025), share),
        np.maximum(betaincinv(a, b, 0.975), share),
    )
