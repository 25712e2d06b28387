"""Which class is given as which: the confident joint and the transition matrix made of it.

The confident joint is that of Northcutt, Jiang and Chuang, "Confident Learning", JAIR 2021,
section 3.1, computed on a pool of several methods' probabilities.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lnl_core.review.pool import blocks
from lnl_core.types import FloatArray, IntArray

_ROUNDING = 1e-6
_LEAST = 1e-12

_RAREST = 1e-3

STEADY = 20.0
"""Examples given as a class that count as much as what is known of all classes."""


def confident_joint(
    probs_of: Callable[[slice], FloatArray], given_labels: IntArray, class_count: int
) -> FloatArray:
    """Count which class each example confidently belongs to, against the one it was given.

    A class is confident where its probability reaches the mean probability of that class among
    the examples given as it, each counted by the square root of that probability: what was given
    the class wrongly has less say in how sure the class can be (ours; counted alike, wrong labels
    lower the threshold that they are held against), and at least 1 / k: nobody is sure of a class
    that no method can predict. The likeliest confident class counts. Each row is then scaled to the
    number of examples given as that class; a row without any confident example goes to its
    diagonal.

    Args:
        probs_of: gives (b, k) probabilities of a slice of rows; called twice for each.
        given_labels: (n,) labels in 0..k-1.
        class_count: k.

    Returns:
        (k, k) float32; entry [i, j] is about how many examples given as i are j.
    """
    given = np.asarray(given_labels, dtype=np.int64)
    n, k = len(given), class_count
    sums, says, counts = np.zeros(k), np.zeros(k), np.bincount(given, minlength=k)
    for rows in blocks(n, k):
        labels = given[rows]
        of_given = probs_of(rows)[np.arange(len(labels)), labels]
        say = np.sqrt(of_given, dtype=np.float64)
        says += np.bincount(labels, weights=say, minlength=k)
        sums += np.bincount(labels, weights=say * of_given, minlength=k)
    thresholds = np.maximum(sums / np.maximum(says, _LEAST), 1 / max(k, 1))
    thresholds[counts == 0] = np.inf
    joint = np.zeros((k, k), dtype=np.float32)
    for rows in blocks(n, k):
        probs = probs_of(rows)
        probs = np.where(probs >= (thresholds - _ROUNDING).astype(probs.dtype), probs, -1)
        best = probs.argmax(axis=1)
        sure = probs[np.arange(len(best)), best] >= 0
        np.add.at(joint, (given[rows][sure], best[sure]), 1)
    confident = joint.sum(axis=1, dtype=np.float64)
    joint *= (counts / np.maximum(confident, 1)).astype(np.float32)[:, None]
    empty = np.flatnonzero(confident == 0)
    joint[empty, empty] = counts[empty]
    return joint


def noise_rate(joint: FloatArray) -> float:
    """Return the share of examples off the diagonal of a joint, 0 where it is empty."""
    total = float(joint.sum(dtype=np.float64))
    return 1 - float(np.trace(joint, dtype=np.float64)) / total if total > 0 else 0.0


def transition_matrix(joint: FloatArray, extra: float = 1.0) -> FloatArray:
    """Return (k, k) float32, rows sum to 1: entry [i, j] is P(given as j | truly i).

    Args:
        joint: (k, k) as `confident_joint` returns it, [given, true].
        extra: added to every cell, so that no chance is zero.
    """
    counts = joint.T.astype(np.float32) + np.float32(extra)
    counts /= counts.sum(axis=1, keepdims=True, dtype=np.float64)
    return counts


def odds_of_wrong(joint: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what is known of a label before its image is looked at, from a joint.

    How often a class is given wrongly differs between classes and is estimated for each, pulled to
    the rate of all by `STEADY` examples; so is what a wrong one truly is, pulled to how often each
    class is the true one behind any wrong label. Neither depends on how common a class is: a rare
    class counts as doubtful only where its own labels are doubted.

    Args:
        joint: (k, k) as `confident_joint` returns it, [given, true].

    Returns:
        (k,) log odds that a label of the class is wrong, and (k, k) log shares of the true classes
        [given, true] behind its wrong labels, times k - 1, so that 0 is an even share; the
        diagonal is 0.
    """
    joint = joint.astype(np.float64)
    k = len(joint)
    right, counts = np.diag(joint), joint.sum(axis=1)
    usual = float(np.clip(noise_rate(joint), _RAREST, 1 - _RAREST))
    wrong = (counts - right + STEADY * usual) / (counts + STEADY)
    wrong = np.clip(wrong, _RAREST, 1 - _RAREST)
    moved = joint * (1 - np.eye(k))
    behind = moved.sum(axis=0) + STEADY / k
    behind /= behind.sum()
    shares = (moved + STEADY * behind) / (moved.sum(axis=1, keepdims=True) + STEADY)
    others = np.log(shares * max(k - 1, 1))
    np.fill_diagonal(others, 0)
    return np.log(wrong / (1 - wrong)), others
