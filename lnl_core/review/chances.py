"""From an order to chances: p_wrong, whose mean is the share of labels held to be wrong.

How fast p rises along the order is told by two things, and both are heard alike. One is what was
usual on labels of people (`SLOPE`). The other is what the model of the given labels says itself
(`noise`): where it tells right labels from wrong ones at a glance p should be near 0 or 1, where
methods know little, between. So the second slope is the one at which p is as unsure, in mean of
p (1 - p), as the model's own chances are.

Ours. Measured in docs/measurements.md ("How sure p is").
"""

from __future__ import annotations

import numpy as np

from lnl_core.types import BoolArray, FloatArray

SLOPE, STEEPER = 2.4, 3.0
"""How fast p_wrong rises with the consensus score: the first, and the other times the share of
wrong labels. Best on sets with 6, 9, 18 and 41 % wrong: 2.3, 3, 3.3, 3.7."""

HEARD = 0.5
"""How much the model's own slope counts beside the usual one, in logarithms. Planted digits would
have more of it, photographs less; .4 to .6 are alike (seed 0)."""

FLATTEST, STEEPEST = 0.3, 10.0
"""Between these a slope that a model tells is looked for."""

LEAST, MOST = 0.001, 0.999
"""p_wrong stays inside: nothing is certain before a person has looked."""

_FAR = 60.0


def chances(
    score: FloatArray, unsure: BoolArray, rate: float, odds: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Scale a consensus score so that the mean probability is the share of wrong labels.

    Args:
        score: (n,), higher is more suspicious.
        unsure: (n,) False where a person confirmed the label.
        rate: share of wrong labels among the unsure.
        odds: (n,) log odds by a model of the given labels that a label is wrong, up to a constant;
            only those of unsure labels are read. None where there is no such model.

    Returns:
        (n,) suspicion, strictly monotone in the score, and (n,) float32 p_wrong, which is clipped.
    """
    suspicion = np.zeros(len(score))
    open_score = score[unsure]
    if len(open_score):
        spread = open_score.std()
        centred = open_score - open_score.mean()
        steps = centred / spread if spread > 1e-9 else np.zeros_like(centred)
        target = float(np.clip(rate, LEAST, MOST))
        slope = SLOPE + STEEPER * target
        if odds is not None and spread > 1e-9:
            told = _as_unsure_as(_shifted(odds[unsure], target), steps, target)
            slope = slope ** (1 - HEARD) * told**HEARD
        suspicion[unsure] = _shifted(slope * steps, target)
    suspicion[~unsure] = 0.5 * min(LEAST, suspicion[unsure].min(initial=1))
    return suspicion, np.clip(suspicion, LEAST, MOST).astype(np.float32)


def _as_unsure_as(p: FloatArray, steps: FloatArray, target: float) -> float:
    """Return the slope at which chances along steps have the mean p (1 - p) of given ones."""
    from scipy.optimize import brentq

    unsure = _unsure(p)

    def apart(slope: float) -> float:
        return _unsure(_shifted(slope * steps, target)) - unsure

    if apart(FLATTEST) <= 0:
        return FLATTEST
    if apart(STEEPEST) >= 0:
        return STEEPEST
    return float(brentq(apart, FLATTEST, STEEPEST, xtol=1e-3))


def _unsure(p: FloatArray) -> float:
    return float((p * (1 - p)).mean())


def _shifted(logits: FloatArray, target: float) -> FloatArray:
    """Return the chances of some log odds, moved so that their mean is `target`."""
    from scipy.optimize import brentq
    from scipy.special import expit

    logits = np.clip(logits - np.median(logits), -_FAR, _FAR)
    far = 2 * _FAR
    shift = brentq(lambda b: float(expit(logits + b).mean()) - target, -far, far, xtol=1e-10)
    p: FloatArray = expit(logits + shift)
    return p
