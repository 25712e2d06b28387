"""Effort: how many images somebody looks at until the errors are found, by several orders.

Every order reads the same probabilities. `ours` is the product's consensus; `ours, answers` ranks
what is left anew by p_wrong as the answers correct it. cleanlab's orders are those that it
documents: `find_label_issues` on the mean of the probabilities, what it flags first and the rest by
self-confidence; self-confidence alone; and its ensemble score.

The simulated reviewer calls a wrong label wrong with `sensitivity` and a right one with `alarms`,
is `unsure` of some, and accepts a wrong suggestion with the chance `bias`. Seconds: `look` for each
image, `press` where the suggestion is taken, `choose` where another class has to be found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lnl_core.review import consensus, recalibration
from lnl_core.types import Signals

EVERY = 100
SHARES = (0.25, 0.5, 1.0, 2.0)
FOUND = (0.5, 0.8, 0.9)


@dataclass(frozen=True)
class Person:
    """Chances and seconds of a simulated reviewer."""

    sensitivity: float = 1.0
    alarms: float = 0.0
    unsure: float = 0.0
    bias: float = 0.0
    look: float = 2.0
    press: float = 0.5
    choose: float = 4.0


PERFECT = Person()
PEOPLE = {
    "never errs": PERFECT,
    "errs": Person(0.93, 0.02, 0.05, 0.0),
    "errs, trusts": Person(0.93, 0.02, 0.05, 0.3),
}
"""Review science 9: perfect and imperfect; the last one accepts three of ten wrong suggestions."""


@dataclass(frozen=True)
class Answers:
    """What a person would say of each row, (n,) each, whatever the order.

    `called` wrong, `fixed` with the true class, `spoilt` though the label was right, `seconds`.
    """

    called: np.ndarray
    fixed: np.ndarray
    spoilt: np.ndarray
    seconds: np.ndarray


def answers(person: Person, wrong: np.ndarray, helped: np.ndarray, seed: int) -> Answers:
    """Let a person answer every row once.

    Args:
        person: who.
        wrong: (n,) True where the given label is wrong.
        helped: (n,) True where the suggestion is the true class.
        seed: of the person's luck.
    """
    chance = np.random.default_rng(seed).random((3, len(wrong)))
    clear = chance[0] >= person.unsure
    called = clear & (chance[1] < np.where(wrong, person.sensitivity, person.alarms))
    led = wrong & ~helped & (chance[2] < person.bias)
    taken = helped | led | ~wrong  # who calls a right label wrong believes the suggestion
    seconds = person.look + called * np.where(taken, person.press, person.choose)
    return Answers(called, called & wrong & ~led, called & ~wrong, seconds)


def orders(
    heard: Sequence[Signals], given: np.ndarray, k: int, seed: int = 0
) -> tuple[dict[str, np.ndarray], Any]:
    """Return name -> (n,) rows in the order in which they are shown, and our ranking."""
    from cleanlab.filter import find_label_issues
    from cleanlab.rank import get_label_quality_ensemble_scores, get_label_quality_scores

    probs = [np.asarray(each.pred_probs, np.float64) for each in heard]
    probs = [each / each.sum(axis=1, keepdims=True) for each in probs]
    mean = np.mean(probs, axis=0)
    ranking = consensus.rank(list(heard), given, k)
    self_confidence = get_label_quality_scores(given, mean)
    flagged = find_label_issues(given, mean, return_indices_ranked_by="self_confidence", n_jobs=1)
    rest = np.argsort(self_confidence, kind="stable")
    ensemble = get_label_quality_ensemble_scores(given, probs, verbose=False)
    return {
        "ours": np.asarray(ranking.order),
        "cleanlab find_label_issues": np.concatenate([flagged, rest[~np.isin(rest, flagged)]]),
        "cleanlab self-confidence": rest,
        "cleanlab ensemble": np.argsort(ensemble, kind="stable"),
        "random": np.random.default_rng(seed).permutation(len(given)),
    }, ranking


def with_answers(ranking: Any, given: np.ndarray, called: np.ndarray) -> np.ndarray:
    """Return our order where what is left is ranked anew after every hundred answers."""
    p, suggested = np.asarray(ranking.p_wrong, np.float64), np.asarray(ranking.suggested_labels)
    order, left = [], np.asarray(ranking.order)
    while len(left):
        order.extend(left[:EVERY].tolist())
        seen, left = np.array(order), left[EVERY:]
        now = recalibration.recalibrated(p, given, suggested, seen, called[seen])
        left = left[np.argsort(-now[left], kind="stable")]
    return np.array(order)


def curve(order: np.ndarray, said: Answers, wrong: np.ndarray) -> dict[str, Any]:
    """Return what an order brings: found early, the area, reviews to half of the errors and more.

    `auc` is found(t) over min(t, E), both summed to twice the errors: 1 is the perfect order.
    """
    errors = int(wrong.sum())
    found = np.cumsum((said.called & wrong)[order])
    fixed, spoilt = np.cumsum(said.fixed[order]), np.cumsum(said.spoilt[order])
    minutes = np.cumsum(said.seconds[order]) / 60
    to = np.minimum(np.arange(1, len(wrong) + 1), errors)
    end = min(2 * errors, len(wrong))
    rows: dict[str, Any] = {"auc": round(float(found[:end].sum() / to[:end].sum()), 4)}
    for share in SHARES:
        at = min(max(1, round(share * errors)), len(wrong)) - 1
        rows[f"found_{share:g}E"] = round(float(found[at] / errors), 4)
    for share in FOUND:
        there = np.flatnonzero(found >= share * errors)
        rows[f"to_{100 * share:.0f}"] = int(there[0]) + 1 if len(there) else None
    rows["fixed_per_minute"] = round(float(fixed[errors - 1] / minutes[errors - 1]), 2)
    rows["spoilt"] = int(spoilt[errors - 1])
    return rows


def measure(
    heard: Sequence[Signals],
    given: np.ndarray,
    truth: np.ndarray,
    k: int,
    rows: np.ndarray | None = None,
    tell: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Return person -> order -> its measures, and print them.

    Args:
        heard: methods with probabilities.
        given: (n,) labels.
        truth: (n,) true labels, -1 where only that the given one is wrong is known.
        k: classes.
        rows: those whose truth is known; all when None.
        tell: gets the lines.
    """
    wrong = truth != given
    ways, ranking = orders(heard, given, k)
    helped = np.asarray(ranking.suggested_labels) == truth
    inside = np.ones(len(given), bool)
    if rows is not None:
        inside[:] = False
        inside[rows] = True
    measured: dict[str, Any] = {"images": int(inside.sum()), "errors": int(wrong[inside].sum())}
    for name, person in PEOPLE.items():
        said = answers(person, wrong, helped, seed=0)
        mine = {**ways, "ours, answers": with_answers(ranking, given, said.called)}
        lines: dict[str, Any] = {"person": asdict(person)}
        for way, order in mine.items():
            place = np.cumsum(inside) - 1
            shown = place[order[inside[order]]]
            part = Answers(*(getattr(said, each)[inside] for each in asdict(said)))
            lines[way] = curve(shown, part, wrong[inside])
            line = lines[way]
            tell(
                f"  {name:<13} {way:<27} area {line['auc']:.3f}, after E {line['found_1E']:.3f}, "
                f"to 50/80/90 % {line['to_50']}/{line['to_80']}/{line['to_90']}, "
                f"{line['fixed_per_minute']} fixed a minute, {line['spoilt']} spoilt"
            )
        measured[name] = lines
    return measured
