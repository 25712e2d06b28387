"""Whether a run can be trusted: numpy only, so that pages and services can ask.

Under very strong noise, or with knobs that do not suit the images, a network can stop following
them, in the worst case by giving one class to all. It is told here, with what the method's card
says to change, and with what the method itself has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lnl_core.said import percent
from lnl_core.types import Array, FloatArray, IntArray, Method, Signals, TopProbs

LEAST_CONFIRMED = 10
"""Below this many confirmed images nothing is said about agreement."""

LEAST_FALL = 0.1
"""Smallest fall of agreement, as a share, that is worth a warning."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason for doubt, in words for the person at the screen.

    Attributes:
        kind: `collapse`, `falling` or `own`, which only its method can see.
        text: what was seen.
        advice: what to change.
    """

    kind: str
    text: str
    advice: str


def effective_classes(labels: IntArray, k: int) -> float:
    """Return exp(entropy) of the class counts: k when even, 1 when all labels are the same."""
    share = np.bincount(np.asarray(labels, np.int64), minlength=k) / max(len(labels), 1)
    share = share[share > 0]
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else 0.0


def collapsed(predicted: IntArray, given_labels: IntArray, k: int) -> bool:
    """Say whether predictions fall on less than half as many classes as the given labels.

    Both are counted as effective numbers, so a rare class that is never predicted is no collapse.

    Args:
        predicted: (n,) most probable classes.
        given_labels: (n,) labels that the data came with.
        k: number of classes.
    """
    expected = effective_classes(given_labels, k)
    return expected > 1.5 and effective_classes(predicted, k) < max(expected / 2, 1.2)


def agreement_by_epoch(probs: FloatArray, rows: IntArray, labels: IntArray) -> FloatArray:
    """Return the share of confirmed images predicted as confirmed, (epochs,).

    Args:
        probs: (epochs, n, k) probabilities of each epoch, may be memory-mapped.
        rows: (m,) row numbers that a person confirmed.
        labels: (m,) the labels they confirmed.
    """
    best = np.stack([np.asarray(epoch[rows]).argmax(axis=1) for epoch in probs])  # (epochs, m)
    share: FloatArray = (best == np.asarray(labels)[None, :]).mean(axis=1)
    return share


def falling(agreement: FloatArray, confirmed: int, advice: str = "") -> Doubt | None:
    """Warn where agreement with confirmed labels ends clearly below its best.

    Args:
        agreement: (t,) shares in [0, 1] over epochs, or over runs, oldest first.
        confirmed: number of confirmed images behind each share.
        advice: what to change.

    Returns:
        A warning where the last share lies `LEAST_FALL` and two standard errors of the difference
        below the best earlier one (epochs: means of three), else None.
    """
    shares = np.asarray(agreement, np.float64)
    if len(shares) < 2 or confirmed < LEAST_CONFIRMED:
        return None
    if len(shares) >= 6:
        shares = np.convolve(shares, np.ones(3) / 3, mode="valid")
    best, last = float(shares[:-1].max()), float(shares[-1])
    middle = (best + last) / 2
    error = float(np.sqrt(2 * middle * (1 - middle) / confirmed))
    if best - last < max(LEAST_FALL, 2 * error):
        return None
    return Doubt(
        "falling",
        f"Its suggestions agreed with {percent(best)} of the {confirmed} images you confirmed, "
        f"now with {percent(last)}.",
        advice,
    )


def check(
    signals: Signals,
    given_labels: IntArray,
    method: Method,
    confirmed: Mapping[int, int] | None = None,
) -> list[Doubt]:
    """Return what speaks against one finished run, worst first; an empty list is good news.

    Args:
        signals: of the run; arrays may be memory-mapped.
        given_labels: (n,) labels that it was trained on.
        method: what ran; its card has the advice.
        confirmed: row -> label that a person confirmed.
    """
    against: list[Doubt] = []
    predicted = _predicted(signals)
    if predicted is not None:
        k = _class_count(signals)
        if collapsed(predicted, given_labels, k):
            used = effective_classes(predicted, k)
            against.append(
                Doubt(
                    "collapse",
                    f"It predicts about {used:.0f} of {k} classes: the network gave up on the "
                    "images, so its ranking is worth nothing.",
                    method.advice,
                )
            )
    if method.doubts is not None:
        against += [Doubt("own", text, method.advice) for text in method.doubts(signals)]
    if confirmed and "probs" in signals.curves:
        rows = np.fromiter(confirmed.keys(), np.int64)
        labels = np.fromiter(confirmed.values(), np.int64)
        shares = agreement_by_epoch(signals.curves["probs"], rows, labels)
        fall = falling(shares, len(rows), method.advice)
        if fall is not None:
            against.append(fall)
    return against


def _predicted(signals: Signals) -> Array | None:
    probs = signals.pred_probs
    if probs is None:
        return None
    if isinstance(probs, TopProbs):
        return np.asarray(probs.classes[:, 0])
    best: Array = np.asarray(probs).argmax(axis=1)
    return best


def _class_count(signals: Signals) -> int:
    probs = signals.pred_probs
    if isinstance(probs, TopProbs):
        return probs.class_count
    return int(np.asarray(probs).shape[1])
