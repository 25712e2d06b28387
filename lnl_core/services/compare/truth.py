"""What is known of a set's true labels: all of them, some of them, or what people answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnl_core.review import comparison
from lnl_core.review.comparison import Sample
from lnl_core.said import many
from lnl_core.services.in_force import Standing, loaded, standing, without_class
from lnl_core.services.moment import moment
from lnl_core.store import audits, datasets, decisions
from lnl_core.types import Action, BoolArray, DatasetInfo, IntArray
from lnl_core.views import Truth

AUDITS_NEEDED = 50
WRONG_NEEDED = 5
KNOWN, JUDGED, AUDIT = "known", "judged", "audit"


def truths(info: DatasetInfo) -> list[Truth]:
    """Return what can be taken for the truth, the better first; what cannot says why."""
    choices = []
    if info.has_truth:
        data = loaded(info)
        differ = np.asarray(data.true_labels) != np.asarray(data.given_labels)
        wrong = int((differ & ~without_class(info)).sum())
        choices.append(Truth(KNOWN, f"known labels, {wrong:,} wrong", "" if wrong else _NO_ERROR))
    judged = datasets.judged_labels(info)
    if judged is not None:
        choices.append(_judged(info, judged))
    audits, wrong, answers = judging(info).counts
    words = f"{audits:,} settled random check{'' if audits == 1 else 's'}"
    if answers:
        words = f"{answers:,} answer{'' if answers == 1 else 's'} + {words}"
    reason = ""
    if audits < AUDITS_NEEDED:
        reason = (
            f"Precision needs answers: review {AUDITS_NEEDED} images drawn at random "
            f"({audits:,} settled so far; Review mixes them in, one image at a time), or run the "
            "noise lab. Answers from the queue alone cannot say it: they are the most "
            "suspicious ones."
        )
    elif wrong < WRONG_NEEDED:
        reason = (
            f"{audits:,} settled random checks found {many(wrong, 'wrong label')}; a curve needs "
            f"{WRONG_NEEDED}. Review more in random order, or run the noise lab."
        )
    choices.append(Truth(AUDIT, words, reason))
    return choices


def _judged(info: DatasetInfo, judged: IntArray) -> Truth:
    """Describe labels that were judged before the import, some of the set's."""
    inside = covered_by(info, JUDGED)
    size = int(inside.sum())
    wrong = int((inside & (judged != np.asarray(loaded(info).given_labels))).sum())
    reason = ""
    if wrong < WRONG_NEEDED:
        reason = (
            f"{many(size, 'label was', 'labels were')} judged before the import, {wrong:,} of "
            f"them wrong; a curve "
            f"needs {WRONG_NEEDED}. Review in random order, or run the noise lab."
        )
    caution = (
        f"These figures are about the {size:,} images of {info.n:,} that were judged before the "
        "import, and speak for no others: the set does not say how they were chosen."
    )
    return Truth(JUDGED, f"{size:,} judged, {wrong:,} wrong", reason, caution)


def judged_right(info: DatasetInfo) -> tuple[BoolArray, BoolArray] | None:
    """Return (n,) the images that were judged before the import and whose label was right, wrong.

    None for a set that brought no such labels.
    """
    judged = datasets.judged_labels(info)
    if judged is None:
        return None
    inside, right = covered_by(info, JUDGED), judged == np.asarray(loaded(info).given_labels)
    return inside & right, inside & ~right


def covered_by(info: DatasetInfo, kind: str) -> BoolArray:
    """Return (n,) True for the images that figures on such a truth are about."""
    inside = ~without_class(info)
    judged = datasets.judged_labels(info) if kind == JUDGED else None
    return inside if judged is None else inside & (judged >= 0)


_NO_ERROR = "No label of this set is known to be wrong. Run the noise lab to make some."


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answered rows in the order of their first answer, and what people say of each."""

    order: tuple[tuple[int, bool], ...]
    labels: Mapping[int, int]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return audits, wrong labels among them, and other answers."""
        drawn = [row for row, random in self.order if random]
        wrong = sum(self.labels[row] != KEPT for row in drawn)
        return len(drawn), wrong, len(self.order) - len(drawn)


KEPT, NO_CLASS = -2, -1
"""In place of a class: the given label was confirmed; it is wrong and no one class is known."""

_NO_ANSWER = (Action.REOPEN, Action.SKIP, Action.AUTO)


def judging(info: DatasetInfo) -> Answers:
    """Return the settled rows as of the last moment: those that judge runs, and are counted.

    Numbers of random checks that moved with every answer would tell which images chance drew.
    """
    return _answered(info, moment(info), decisions.last_id(info))


def answered(info: DatasetInfo) -> Answers:
    """Return the settled rows as of the last answer."""
    return _answered(info, standing(info), decisions.last_id(info))


@lru_cache(maxsize=16)
def _answered(info: DatasetInfo, now: Standing, _last_id: int) -> Answers:
    """Collect settled rows in the order in which they stopped being unknown.

    A row that was drawn at random stands where it was drawn: what had no answer at that moment is
    what it speaks for. Any other row stands at its first answer, by anybody. Rows that came without
    a class are no part of it: there was no label to be right or wrong.
    """
    labels: dict[int, int] = {}
    no_class = without_class(info)
    for row, several in decisions.in_force(info).items():
        verdict = decisions.verdict(several)
        if verdict.decision is None or no_class[row] or not now.settled[row]:
            continue
        action, label = verdict.decision.action, verdict.decision.label
        if now.found_wrong[row]:
            labels[row] = NO_CLASS if label is None or not verdict.agreed else label
        elif action is Action.KEEP and verdict.agreed:
            labels[row] = KEPT
    draws = {each.row: each for each in audits.draws(info)} if labels else {}
    place: dict[int, tuple[int, int]] = {}
    random: dict[int, bool] = {}
    for each in decisions.history(info) if labels else ():
        row, draw = each.row, draws.get(each.row)
        if row not in labels or row in place or each.action in _NO_ANSWER:
            continue
        place[row] = (each.id, 0) if draw is None else (draw.last_decision, 1 + draw.number)
        random[row] = draw is not None or each.route == AUDIT
    return Answers(
        tuple((row, random[row]) for row in sorted(place, key=place.__getitem__)), labels
    )


def sample_of(info: DatasetInfo, kind: str, told: BoolArray) -> Sample | None:
    """Return what judges the runs; None where too little is left without the told images."""
    data = loaded(info)
    given = np.asarray(data.given_labels)
    population = ~told & covered_by(info, kind)
    if kind in (KNOWN, JUDGED):
        true = data.true_labels if kind == KNOWN else datasets.judged_labels(info)
        return None if true is None else comparison.known(given, np.asarray(true), population)
    answers = judging(info)
    order = [(row, drawn) for row, drawn in answers.order if population[row]]
    weights, draws = comparison.audit_weights(order, int(population.sum()))
    if draws < AUDITS_NEEDED:
        return None
    rows = np.array([row for row, _ in order], np.int64)
    labels = np.array([answers.labels[int(row)] for row in rows], np.int64)
    return Sample(
        rows=rows,
        wrong=labels != KEPT,
        true_labels=np.where(labels == KEPT, given[rows], labels),
        weight=np.array([weights[int(row)] for row in rows]),
        drawn=np.array([drawn for _, drawn in order], bool),
        population=population,
    )
