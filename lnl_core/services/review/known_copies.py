"""What people have said of a picture by answering other copies of it.

A ranking is older than the answers: where a copy was relabelled since, the copies that it spoke
against may be right now, and those that agreed with it wrong. What the desk shows goes by the
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lnl_core.services.in_force import loaded, score_shown, standing
from lnl_core.services.review import groups
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, Decision, FloatArray, Signals, TopProbs

RIGHT, WRONG = 0.001, 0.999
"""Chance that a label is wrong which people have said of the same picture, or contradicted."""

MOST = 1000
"""Answered copies of one picture that are looked at."""

_SUREST = 0.99
_TOP = 3


def shown(info: DatasetInfo, row: int) -> int | None:
    """Return the class that people have said of an image's picture by its other copies.

    None where nobody has, or where they contradict each other.
    """
    if int(loaded(info).given_labels[row]) in info.no_classes:
        return None
    known = {label for label in _said(info, row).values() if label is not None}
    return known.pop() if len(known) == 1 else None


def _said(info: DatasetInfo, row: int) -> dict[int, int | None]:
    """Return row -> the class that people agree on, of the other copies with an answer."""
    stored = groups.others(info, row)
    if not len(stored):
        return {}
    settled = stored[standing(info).settled[stored]][:MOST].tolist()
    said = decisions.in_force(info, rows=settled) if settled else {}
    given = loaded(info).given_labels
    return {other: _class_of(several, int(given[other])) for other, several in said.items()}


def _class_of(said: Sequence[Decision], given: int) -> int | None:
    """Return the one class that reviewers agree on for an image, None where they name none."""
    verdict = decisions.verdict(said)
    if verdict.decision is None or not verdict.agreed:
        return None
    if verdict.decision.action is Action.KEEP:
        return given
    return verdict.decision.label if verdict.decision.action is Action.RELABEL else None


def p_wrong(info: DatasetInfo, row: int, known: int | None, scored: float | None) -> float | None:
    """Return the chance that a label is wrong, as far as the picture's class is known.

    Args:
        info: the data set.
        row: the image.
        known: as `shown` has it.
        scored: the ranking's chance; None where it has none.
    """
    if known is None or scored is None:
        return scored
    return RIGHT if known == int(loaded(info).given_labels[row]) else WRONG


def score_and_class(info: DatasetInfo, row: int, suggested: int) -> tuple[float | None, int]:
    """Return p_wrong and the class that people are shown of an image, for the record of an answer.

    Args:
        info: the data set.
        row: the image.
        suggested: the ranking's class.
    """
    known = shown(info, row)
    score = p_wrong(info, row, known, score_shown(info, row))
    given = int(loaded(info).given_labels[row])
    return score, suggested if known in (None, given) else int(known or 0)


def likely(
    top: Sequence[tuple[int, float]], runs: Iterable[Signals], row: int, given: int, known: int
) -> list[tuple[int, float]]:
    """Return the classes that an image may be if its label is wrong, with their shares.

    Where people have confirmed the label on another copy, what the copies were labelled says
    nothing more: what methods think alone is left. Else what people said is the likeliest by far.

    Args:
        top: class and share of the ranking, the likeliest first.
        runs: that judge the image.
        row: the image.
        given: its label.
        known: the class that people have said of the picture.
    """
    if known == given:
        return _of_methods(runs, row, given)
    rest = [(label, p) for label, p in top if label != known][: _TOP - 1]
    left = sum(p for _, p in rest)
    scale = (1 - _SUREST) / left if left > 0 else 0.0
    return [(known, _SUREST), *((label, p * scale) for label, p in rest)]


def _of_methods(runs: Iterable[Signals], row: int, given: int) -> list[tuple[int, float]]:
    """Return the best other classes by the mean of the methods' probabilities, as shares."""
    every = [_probs(run, row) for run in runs if run.pred_probs is not None]
    if not every:
        return []
    mean = np.zeros(max(map(len, every)))
    for probs in every:
        mean[: len(probs)] += np.nan_to_num(probs)
    mean[given : given + 1] = 0
    best = np.argsort(-mean, kind="stable")[:_TOP]
    total = float(mean.sum())
    return [(int(label), float(mean[label]) / total) for label in best if mean[label] > 0]


def _probs(run: Signals, row: int) -> FloatArray:
    probs = run.pred_probs
    assert probs is not None
    own = probs.dense(np.array([row]))[0] if isinstance(probs, TopProbs) else probs[row]
    found: FloatArray = np.asarray(own, np.float64)
    return found


def labels(info: DatasetInfo, row: int) -> tuple[list[dict[str, int]], int]:
    """Return label and count of a picture's copies, the most frequent first.

    The image at hand counts with its given label, which is in question; the others as people have
    corrected them. How many were is the second value.
    """
    given = loaded(info).given_labels
    stored = groups.others(info, row)
    now = dict(zip(stored.tolist(), np.asarray(given)[stored].tolist(), strict=True))
    said = {other: label for other, label in _said(info, row).items() if label is not None}
    corrected = sum(label != now[other] for other, label in said.items())
    told, counts = np.unique([int(given[row]), *(now | said).values()], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [{"label": int(told[i]), "count": int(counts[i])} for i in order], corrected
