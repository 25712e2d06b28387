"""Wrong labels that one method sees and the others have learned, or take for doubt of their own.

Mistakes that follow how an image looks can be learned: to a method that predicts given labels they
are as good as others, and what is left of its doubt tells nothing of them. A method that resists
wrong labels is sure of other classes there. It is believed where it is a good witness:

* its doubt is not larger than the given labels bear out (temperature), so that it is no weakness;
* it is sure of most images' classes: where features are weak, all methods are doubtful together;
* of what it calls wrong each other method prefers the same other class on more than half.

Measured: Jump-teaching on digits with mistakes at ambiguous images is backed on .57 to .94 by every
other method; neighbours' votes on photographs of 12 pixels or of rare classes, and on right labels,
which doubt three times too many, on .04 to .45 by the least of two others. Ours; the idea that
methods of different kinds must agree on an error is that of consensus filters (Brodley and Friedl,
JAIR 1999).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnl_core.review import noise
from lnl_core.types import FloatArray

SURE = 0.8
"""How sure of the classes a witness is at least, from 0 (all alike) to 1. Jump-teaching and SR on
digits with mistakes .84 to .97; neighbours' votes on weak features .43 to .73."""

BACKED = 0.5
"""Share of what it calls wrong that each other method must call the same class."""

DOUBTFUL = 0.9
"""Below this temperature a method doubts more than the given labels bear out."""


def believed(
    rows: Sequence[noise.Rows], temperatures: FloatArray, start: float
) -> tuple[float, FloatArray] | None:
    """Return what the best witness counts, where that is more than what all together do.

    Args:
        rows: the same rows, as each of m methods sees them alone.
        temperatures: (m,) at which each explains the given labels best.
        start: share of wrong labels that all together count.

    Returns:
        The share of wrong labels and their joint (k, k) [given, true] in rows; None where nobody
        counts more and is a good witness.
    """
    best: tuple[float, FloatArray] | None = None
    for i, own in enumerate(rows):
        others = [each.logs for j, each in enumerate(rows) if j != i]
        if temperatures[i] < DOUBTFUL or not others:
            continue
        found = noise.fit(own)
        if noise.sureness(own, found) < SURE or backing(own, found, others) <= BACKED:
            continue
        share, joint = noise.share_wrong(own, found)
        if share > (start if best is None else best[0]):
            best = share, joint
    return best


def backing(rows: noise.Rows, found: noise.Noise, others: Sequence[FloatArray]) -> float:
    """Return the share of what a method calls wrong that the others call so too; the least of them.

    Args:
        rows: as the method sees them.
        found: what was fitted to them.
        others: of each other method (b, k) log-probabilities of the same rows; at least one.

    Returns:
        0 to 1: how often, weighed by the chance that the label is wrong, the method's other class
        is likelier to another method than the given one. 0 where nothing is called wrong.
    """
    line = np.arange(len(rows.labels))
    truly = noise.posterior(found, rows.logs, rows.labels)
    wrong = (1 - truly[line, rows.labels]) * rows.stands_for
    truly[line, rows.labels] = -1
    other = truly.argmax(axis=1)
    total = max(float(wrong.sum()), 1e-12)
    return min(
        float(wrong[logs[line, other] > logs[line, rows.labels]].sum()) / total for logs in others
    )
