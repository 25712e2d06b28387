"""What people have said of a picture by answering other copies of it.

A ranking is older than the answers: where a copy was relabelled since, the copies that it spoke
against may be right now, and those that agreed with it wrong. What the desk shows goes by the
answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lnl_core.services.in_force import Scored, loaded, score_shown, standing
from lnl_core.services.review import groups
from lnl_core.services.review.opinions import runs_of
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

    None where nobody has, where anybody has said something else of a copy, that no class fits or
    that several do among it, and where two contradict each other.
    """
    given = loaded(info).given_labels
    if int(given[row]) in info.no_classes:
        return None
    said = {
        None if each is None else groups.said_of_picture(each, int(given[other]))
        for other, each in _said(info, row).items()
    }
    only = said.pop() if len(said) == 1 else None
    known = None if only is None or only[0] is not Action.RELABEL else only[1]
    return None if known in info.no_classes else known


def _said(info: DatasetInfo, row: int) -> dict[int, Decision | None]:
    """Return row -> what people say, of the other copies with an answer; None where they differ."""
    stored = groups.others(info, row)
    if not len(stored):
        return {}
    settled = stored[standing(info).settled[stored]][:MOST].tolist()
    said = decisions.in_force(info, rows=settled) if settled else {}
    joined = {other: decisions.verdict(several) for other, several in said.items()}
    return {other: each.decision if each.agreed else None for other, each in joined.items()}


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


def score_and_class(info: DatasetInfo, ranked: Scored, row: int) -> tuple[float | None, int | None]:
    """Return p_wrong and the class that people are shown of an image, for the record of an answer.

    Args:
        info: the data set.
        ranked: its ranking.
        row: the image.
    """
    known, given = shown(info, row), int(loaded(info).given_labels[row])
    score = p_wrong(info, row, known, score_shown(info, row))
    suggested: int | None = int(ranked.ranking.suggested_labels[row])
    if known == given:
        top = _of_methods(runs_of(info, ranked, row).values(), row, given)
        suggested = top[0][0] if top else None
    return score, suggested if known in (None, given) else known


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
    said = {
        other: int(given[other]) if each.action is Action.KEEP else int(each.label or 0)
        for other, each in _said(info, row).items()
        if each and each.action in (Action.KEEP, Action.RELABEL)
    }
    corrected = sum(label != now[other] for other, label in said.items())
    told, counts = np.unique([int(given[row]), *(now | said).values()], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [{"label": int(told[i]), "count": int(counts[i])} for i in order], corrected
