"""How far people agree: Cohen, Fleiss, Krippendorff, with intervals; and how good each one is.

Answers are nominal categories, 0..k-1, as (m people, n images) with -1 where a person gave none.

References: Cohen 1960; Fleiss 1971; Krippendorff, "Content Analysis", 2004; Dawid and Skene 1979.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lnl_core.types import FloatArray, IntArray

SHARED = 50
"""Images that two people must share before their agreement is a number (review science 7.1)."""

DRAWS = 1000
STRENGTH = 10.0
"""Answers that the pooled confusion counts for in a person's own."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """A coefficient and its 95 % interval, over `images`; None where it cannot be said."""

    value: float | None
    low: float | None
    high: float | None
    images: int


def cohen(answers: IntArray) -> float | None:
    """Return Cohen's kappa of two people, (2, n); None where both use one category only."""
    both = answers[:, (answers >= 0).all(axis=0)]
    if not both.shape[1]:
        return None
    k = int(both.max()) + 1
    table = np.zeros((k, k))
    np.add.at(table, (both[0], both[1]), 1 / both.shape[1])
    return _beyond(float(np.trace(table)), float(table.sum(axis=0) @ table.sum(axis=1)))


def fleiss(answers: IntArray) -> float | None:
    """Return Fleiss' kappa over the images that everybody has answered, (m, n)."""
    table = _counts(answers[:, (answers >= 0).all(axis=0)])
    people = len(answers)
    if people < 2 or not len(table):
        return None
    alike = ((table**2).sum(axis=1) - people) / (people * (people - 1))
    share = table.sum(axis=0) / table.sum()
    return _beyond(float(alike.mean()), float(share @ share))


def krippendorff(answers: IntArray) -> float | None:
    """Return Krippendorff's alpha, nominal, (m, n); answers may be missing."""
    table = _counts(answers)
    seen = table.sum(axis=1)
    table, seen = table[seen >= 2], seen[seen >= 2]
    total = seen.sum()
    if not len(table):
        return None
    differ = ((seen**2 - (table**2).sum(axis=1)) / (seen - 1)).sum() / total
    sums = table.sum(axis=0)
    by_chance = (total**2 - (sums**2).sum()) / (total * (total - 1))
    return float(1 - differ / by_chance) if by_chance > 0 else None


def _beyond(seen: float, by_chance: float) -> float | None:
    return (seen - by_chance) / (1 - by_chance) if by_chance < 1 else None


def _counts(answers: IntArray) -> FloatArray:
    """Return (n, k): how many people gave each category to each image."""
    n, k = answers.shape[1], int(answers.max(initial=0)) + 1
    table = np.zeros((n, k))
    for one in answers:
        there = np.flatnonzero(one >= 0)
        np.add.at(table, (there, one[there]), 1)
    return table


def with_interval(
    answers: IntArray,
    coefficient: Callable[[IntArray], float | None],
    *,
    everybody: bool = False,
    seed: int = 0,
    draws: int = DRAWS,
) -> Agreement:
    """Return a coefficient with the 95 % interval of a bootstrap over the shared images, (m, n).

    Below `SHARED` images that two people or more have answered nothing is said; of `everybody`,
    as for `fleiss`, images that all have answered.
    """
    shared = len(answers) if everybody else 2
    answers = answers[:, (answers >= 0).sum(axis=0) >= max(shared, 2)]
    n = answers.shape[1]
    value = coefficient(answers) if n >= SHARED else None
    if value is None:
        return Agreement(None, None, None, n)
    rng = np.random.default_rng(seed)
    again = (coefficient(answers[:, rng.integers(0, n, n)]) for _ in range(draws))
    found = [each for each in again if each is not None]
    low, high = np.quantile(found, [0.025, 0.975])
    return Agreement(value, float(low), float(high), n)


@dataclass(frozen=True, slots=True, eq=False)
class Quality:
    """What Dawid and Skene's model says.

    Attributes:
        accuracy: (m,) chance that a person's answer is the true category.
        truth: (n, k) chance of each category for each image.
    """

    accuracy: FloatArray
    truth: FloatArray


def dawid_skene(answers: IntArray, k: int, *, rounds: int = 50) -> Quality:
    """Estimate what is true and how often each person says so, without knowing either.

    A person's confusion is shrunk to that of all with the weight of `STRENGTH` answers.

    Args:
        answers: (m, n) categories, -1 where missing.
        k: number of categories.
        rounds: of expectation and maximisation at most.
    """
    m, n = answers.shape
    truth = np.full((n, k), 0.1 / k)
    votes = _counts(np.vstack([answers, np.full((1, n), -1)]))
    truth[:, : votes.shape[1]] += votes
    truth /= truth.sum(axis=1, keepdims=True)
    confusion = np.zeros((m, k, k))
    for _ in range(rounds):
        counts = np.zeros((m, k, k))  # person, true, said
        for person in range(m):
            there = np.flatnonzero(answers[person] >= 0)
            np.add.at(counts[person].T, answers[person, there], truth[there])
        pooled = counts.sum(axis=0) + np.eye(k) + 0.1
        pooled /= pooled.sum(axis=1, keepdims=True)
        confusion = counts + STRENGTH * pooled
        confusion /= confusion.sum(axis=2, keepdims=True)
        share = truth.mean(axis=0)
        log_truth = np.tile(np.log(share + 1e-12), (n, 1))
        for person in range(m):
            there = np.flatnonzero(answers[person] >= 0)
            log_truth[there] += np.log(confusion[person][:, answers[person, there]].T)
        new = np.exp(log_truth - log_truth.max(axis=1, keepdims=True))
        new /= new.sum(axis=1, keepdims=True)
        done = np.abs(new - truth).max() < 1e-6
        truth = new
        if done:
            break
    weights = np.stack([truth[one >= 0].sum(axis=0) for one in answers])
    right = np.einsum("mk,mkk->m", weights, confusion)
    accuracy = right / np.maximum(weights.sum(axis=1), 1e-12)
    return Quality(accuracy, truth)
