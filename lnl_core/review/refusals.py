"""Labels that a model was taught and does not repeat.

Networks learn what most images of a look have in common before they learn single labels by heart
(Arpit et al., "A Closer Look at Memorization in Deep Networks", ICML 2017), and losses, averages
over epochs and selection hold them there. What such a model refuses in the end, though it was
taught it, is about as much as is wrong, also where wrong labels follow how an image looks: then
they explain given labels as well as doubt does, and a model that has not seen a label cannot tell
(`noise`). So doubt is heard as far as it is borne out, and refusals where it is not: where classes
are vague, models refuse right labels too (on clothing .09 of them, where some .02 are wrong), so
they weigh by the square of what is left. A method whose predictions are out of fold may say what
its own models refuse that were taught the labels: that is heard where no other such model is.

Ours. Measured in docs/measurements.md ("How many are wrong before anybody has looked").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lnl_core.review import noise
from lnl_core.review.noise import Counted
from lnl_core.types import BoolArray, FloatArray

BY_HEART = 0.25
"""A model that refuses less than this share of what others count has learned labels by heart; it is
believed in proportion."""

CLEAR, UNCLEAR = 0.8, 0.6
"""How sure of classes (`noise.sureness`) models are from which on their doubt may count more than
what is refused, and up to which it may not: of weak features it is too large (neighbours' votes on
600 photographs of clothing counted .45 wrong for less than .10)."""

TELLING = 0.6
"""How sure of classes methods are, from 0 (all alike) to 1, from which on an image counts in full
in how many labels are wrong; below, by the square. Pictures of 12 pixels reach .24, all that
methods can tell from each other .5 to .95."""


def counted(
    rows_of: Callable[[FloatArray], noise.Rows],
    votes: FloatArray,
    doubt: FloatArray,
    taught: BoolArray,
    own: Sequence[FloatArray] = (),
) -> tuple[Counted, float]:
    """Count wrong labels by what m models say.

    Args:
        rows_of: gives the same rows as a pool of the models sees them, by (m,) weights.
        votes: (m,) how much each counts in the order; 0 is not heard here either.
        doubt: (m,) how much each counts in how many labels are wrong by the shape of doubt: of
            those that were not taught the labels, where there are any.
        taught: (m,) True for those that were.
        own: (k, k) [given, said] of those that were not but say what their own models refuse.

    Returns:
        What was counted, and how much an image tells of it, 0 to 1.
    """
    alone = np.eye(len(votes))
    schooled = np.flatnonzero(taught & (votes > 0))
    others = np.flatnonzero(~taught & (votes > 0))
    rows = rows_of(doubt)
    found = noise.fit(rows)
    by_doubt, sure = noise.share_wrong(rows, found), noise.sureness(rows, found)
    if not len(schooled):
        told = min(1.0, (sure / TELLING) ** 2)
        return (_beside(by_doubt, own) if own else _unknown(by_doubt, rows)), told
    refusals = [refused(rows_of(alone[i])) for i in schooled]
    if len(others):
        limit = min(_off(refused(rows_of(alone[i]))) for i in others)
        return from_below(together(by_doubt, sure, refusals, limit)), 1.0
    by_refusal = together(None, 0.0, refusals)
    return from_below(max(by_refusal, by_doubt, key=lambda each: each.share)), 1.0


def _beside(doubt: Counted, own: Sequence[FloatArray]) -> Counted:
    """Add to what doubt counts, as far as it is not borne out, what out-of-fold methods refuse."""
    total, rest = float(doubt.joint.sum()), (1 - doubt.believed) ** 2
    less = [from_below(Counted(_off(joint), joint, 1.0)) for joint in own]
    refused = np.zeros_like(doubt.joint)
    for each in less:
        refused += each.joint * (total / max(float(each.joint.sum()), 1e-12) / len(less))
    wrong = _wrong(doubt.joint) + rest * _wrong(refused)
    share = doubt.share + rest * sum(each.share for each in less) / len(less)
    given = doubt.joint.sum(axis=1)
    whole = wrong + np.diag(np.maximum(given - wrong.sum(axis=1), 0))
    return Counted(share, noise.with_share(whole, share), 1.0)


def _unknown(doubt: Counted, rows: noise.Rows) -> Counted:
    """Add to what doubt counts, as far as it is not borne out, what it could not show."""
    share = doubt.share + (1 - doubt.believed) * noise.untold(rows)
    return Counted(share, noise.with_share(doubt.joint, share), doubt.believed)


def from_below(found: Counted) -> Counted:
    """Return what was counted less its standard error.

    Few images show little of how many are wrong, and models refuse some right labels: the list of
    the errors of a small set without any has to be short.
    """
    n = float(found.joint.sum())
    share = max(0.0, found.share - float(np.sqrt(found.share * (1 - found.share) / max(n, 1.0))))
    return Counted(share, noise.with_share(found.joint, share), found.believed)


def refused(rows: noise.Rows) -> FloatArray:
    """Return (k, k) [given, said]: what one model says of labels, in rows.

    How common classes are to it and how sure it is are fitted first: a fit that is balanced by
    class calls many images of large classes rare ones.
    """
    k = rows.logs.shape[1]
    said = noise.as_given(rows).evidence(rows.logs).argmax(axis=1)
    joint = np.zeros((k, k))
    np.add.at(joint, (rows.labels, said), rows.stands_for)
    return joint


def share_refused(rows: noise.Rows) -> float:
    """Return the share of labels that a model says otherwise, see `refused`."""
    return _off(refused(rows))


def together(
    doubt: Counted | None, sure: float, taught: Sequence[FloatArray], limit: float = 1.0
) -> Counted:
    """Count wrong labels by refusals, and by the doubt of models that had not seen the labels.

    Args:
        doubt: of those models; None where there are none.
        sure: how sure of classes they are, 0 to 1.
        taught: at least one; (k, k) of each model that was taught the labels, as `refused` returns.
        limit: the share that a model says otherwise that was not taught the labels; one that was
            cannot rightly refuse more.
    """
    given = taught[0].sum(axis=1)
    doubt = doubt or Counted(0.0, np.diag(given), 0.0)
    clear = float(np.clip((sure - UNCLEAR) / (CLEAR - UNCLEAR), 0, 1))
    shares = np.array([min(_off(joint), limit) for joint in taught])
    usual = max(float(shares.max()), doubt.share, 1e-12)
    known = np.minimum(shares / (BY_HEART * usual), 1)
    most = float(known.max())
    clear = 1 - most * (1 - clear)  # where all was learned by heart, doubt is all there is
    own = float(known @ shares) / max(float(known.sum()), 1e-12)
    counted = doubt.share / doubt.believed if doubt.believed > 0 else 0.0
    counted = min(counted, own + clear * max(counted - own, 0.0))
    rest = (1 - doubt.believed) ** 2
    share = doubt.believed * counted + rest * most * own
    wrong = rest * sum(one * _wrong(joint) for one, joint in zip(known, taught, strict=True))
    wrong = wrong + _wrong(doubt.joint)
    joint = noise.with_share(wrong + np.diag(np.maximum(given - wrong.sum(axis=1), 0)), share)
    return Counted(share, joint, 1.0)


def _off(joint: FloatArray) -> float:
    return 1 - float(np.trace(joint)) / max(float(joint.sum()), 1e-12)


def _wrong(joint: FloatArray) -> FloatArray:
    return joint * (1 - np.eye(len(joint)))
