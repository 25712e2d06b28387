"""Whether a network is good enough that the places it looks at mean anything.

A network that names the class no better than a guess draws maps all the same. It is graded where
the answer is known: on images drawn at random that people have answered and it was not told; else
on images that it did not train on; else on the half of the labels that the ranking doubts least,
which it has seen, so that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.jobs import splits
from lnl_core.said import percent
from lnl_core.services.in_force import Scored, judged_by, loaded, scored, signals, told_of
from lnl_core.services.review.draws import replay
from lnl_core.store import decisions
from lnl_core.types import Action, DatasetInfo, IntArray, Signals, TopProbs

FEWEST = 20
"""Images with a known answer below which nothing is said by them."""

LATEST = 400
"""Random checks looked at, the latest."""


@dataclass(frozen=True, slots=True)
class Grade:
    """How often a run's network names the class that an image is known to have.

    Attributes:
        right: of `of` images.
        of: number of images.
        good: whether that is at least halfway from guessing to perfect.
        words: what the images are, the end of a sentence.
    """

    right: int
    of: int
    good: bool
    words: str

    def sentence(self) -> str:
        """Say it to a person."""
        return f"Its network names the class of {percent(self.right / self.of)} of {self.words}."


def grade(info: DatasetInfo, run: int) -> Grade | None:
    """Grade the network of a run; None where there is too little to grade it by."""
    opened, ranked = signals(info, run), scored(info)
    if opened is None or opened.pred_probs is None or ranked is None:
        return None
    rows, labels = _checked(info, run)
    if len(rows) >= FEWEST:
        return _graded(opened, rows, labels, f"the {len(rows):,} images checked at random")
    return _by_labels(info, ranked, run)


def _checked(info: DatasetInfo, run: int) -> tuple[IntArray, IntArray]:
    """Return rows drawn at random whose answers the run was not told, and their classes."""
    past = replay(info)
    drawn = past.rows[past.clear][-LATEST:]
    free = ~told_of(info, [str(run)]) & judged_by(info, run)
    said = decisions.in_force(info, rows=drawn.tolist()) if len(drawn) else {}
    known: dict[int, int] = {}
    for row in drawn[free[drawn]].tolist():
        verdict = decisions.verdict(said.get(row, []))
        if verdict.decision is None or not verdict.agreed:
            continue
        if verdict.decision.action is Action.KEEP:
            known[row] = int(loaded(info).given_labels[row])
        elif verdict.decision.action is Action.RELABEL and verdict.decision.label is not None:
            known[row] = verdict.decision.label
    return np.array(list(known), np.int64), np.array(list(known.values()), np.int64)


@lru_cache(maxsize=32)
def _by_labels(info: DatasetInfo, ranked: Scored, run: int) -> Grade | None:
    """Grade by given labels: by those held out from the run, else by those least in doubt."""
    opened = signals(info, run)
    if opened is None:
        return None
    given, judged = np.asarray(loaded(info).given_labels), judged_by(info, run)
    judged = judged & ~np.isin(given, info.no_classes)
    trained = splits.trained_rows(info.directory / "runs" / str(run))
    if trained is not None:
        held = judged.copy()
        held[: len(trained)] &= ~trained[: info.n]
        rows = np.flatnonzero(held)
        if len(rows) >= FEWEST:
            return _graded(opened, rows, given[rows], "the labels that it did not train on")
    order = np.asarray(ranked.ranking.order)
    certain: IntArray = order[judged[order]][-(int(judged.sum()) // 2) :]
    if len(certain) < FEWEST:
        return None
    return _graded(opened, certain, given[certain], "the labels least in doubt, which it has seen")


def _graded(opened: Signals, rows: IntArray, labels: IntArray, words: str) -> Grade:
    guess = float(np.bincount(labels).max()) / len(labels)
    right = int((_predicted(opened, rows) == labels).sum())
    return Grade(right, len(rows), right / len(rows) >= (1 + guess) / 2, words)


def _predicted(opened: Signals, rows: IntArray) -> IntArray:
    probs = opened.pred_probs
    if isinstance(probs, TopProbs):
        return np.asarray(probs.classes[rows, 0], np.int64)
    return np.asarray(np.argmax(np.asarray(probs)[rows], axis=1), np.int64)
