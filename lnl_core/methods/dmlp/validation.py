"""Rows to trust before a person has confirmed any: where simple classifiers agree with the label.

Ours, not from a paper. Three classifiers that do not see the row's own label: ridge regression
fitted without the row's fold, the vote of the nearest rows, and the nearest class mean. All work on
the label-free features. What they agree on is mostly right, but it is the easy part of each class:
confirmed images are better.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lnl_core.methods.dmlp.closed_form import Ridge, Rows, label_cross, relative_ridge
from lnl_core.types import BoolArray, FloatArray, IntArray

CANDIDATES = 20_000
"""Rows looked at, evenly over the classes; more would add time and no certainty."""


def candidates(labels: IntArray, seed: int, limit: int = CANDIDATES) -> IntArray:
    """Return at most about `limit` row numbers, the same number of each class where there are."""
    if len(labels) <= limit:
        return np.arange(len(labels))
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    place = rank_in_class(labels[shuffled])
    # the largest number per class that stays within the limit
    per_class = np.sort(np.bincount(labels))[::-1]
    most = int(np.searchsorted(np.cumsum(np.bincount(place)), limit, side="right"))
    return np.sort(shuffled[place < max(min(most, per_class[0]), 1)])


def rank_in_class(labels: IntArray) -> IntArray:
    """Return the running number of each row within its class, (n,) from 0, in the given order."""
    order = np.argsort(labels, kind="stable")
    ranked = np.empty(len(labels), dtype=np.int64)
    _, first, count = np.unique(labels[order], return_index=True, return_counts=True)
    ranked[order] = np.arange(len(labels)) - np.repeat(first, count)
    return ranked


def classifications(
    rows: Rows,
    which: IntArray,
    labels: IntArray,
    k: int,
    *,
    ridge: float,
    seed: int,
) -> tuple[FloatArray, FloatArray]:
    """Predict each row's given label by three classifiers on label-free features.

    Args:
        rows: prepared features.
        which: (m,) row numbers to ask for.
        labels: (m,) their given labels.
        k: number of classes.
        ridge: as a share of the mean diagonal of X'X.
        seed: of the folds.

    Returns:
        p_given: (3, m) in [0, 1], what each classifier gives to the given label.
        first: (3, m) bool, where it is its first choice.
    """
    target = torch.from_numpy(labels.astype(np.int64)).to(rows.device)
    given = np.empty((3, len(which)))
    first = np.empty((3, len(which)), dtype=bool)
    at = torch.arange(len(which), device=rows.device)
    for i in range(3):
        if i == 0:
            probs = _ridge(rows, which, target, k, ridge, seed)
        elif i == 1:
            probs = _neighbours(rows, which, target, k)
        else:
            probs = _centres(rows, which, target, k)
        given[i] = probs[at, target].cpu().numpy()
        first[i] = (probs.argmax(1) == target).cpu().numpy()
    return given, first


def agreed(
    rows: Rows,
    which: IntArray,
    labels: IntArray,
    k: int,
    per_class: int,
    *,
    ridge: float = 1e-3,
    seed: int = 0,
) -> IntArray:
    """Choose rows on whose given label three classifiers agree most, evenly over the classes.

    Args:
        rows: prepared features.
        which: (m,) row numbers to choose from.
        labels: (m,) their given labels.
        k: number of classes.
        per_class: rows wanted of each class; a class gives a fifth of its rows at most, and one
            at least, where it has two.
        ridge, seed: as in `classifications`.

    Returns:
        row numbers, sorted. Classes with fewer than two rows give none.
    """
    part = candidates(labels, seed)
    which, labels = which[part], labels[part]
    given, first = classifications(rows, which, labels, k, ridge=ridge, seed=seed)
    ranks = given.argsort(axis=1, kind="stable").argsort(axis=1, kind="stable") / len(which)
    score = first.sum(axis=0) + ranks.min(axis=0)  # all three first, then the least sure of them
    chosen = []
    for label in np.unique(labels):
        here = np.flatnonzero(labels == label)
        if len(here) < 2:
            continue
        take = max(1, min(per_class, len(here) // 5))
        chosen.append(here[np.argsort(-score[here], kind="stable")[:take]])
    return np.sort(which[np.concatenate(chosen)]) if chosen else np.empty(0, dtype=np.int64)


def _ridge(
    rows: Rows,
    which: IntArray,
    labels: Tensor,
    k: int,
    ridge: float,
    seed: int,
    folds: int = 4,
) -> Tensor:
    """Softmax-free shares from ridge regression without the row's fold, (m, k)."""
    shuffled = np.random.default_rng(seed).permutation(len(which))
    fold = np.empty(len(which), dtype=np.int64)
    fold[shuffled] = rank_in_class(labels.cpu().numpy()[shuffled]) % folds
    grams, crosses = [], []
    for j in range(folds):
        part = np.flatnonzero(fold == j)
        total = torch.zeros(rows.d, rows.d, dtype=torch.float64, device=rows.device)
        for _, x in rows.chunks(which[part]):
            total += (x.T @ x).double()
        grams.append(total)
        crosses.append(label_cross(rows, which[part], labels[torch.from_numpy(part)], k))
    whole, cross = sum(grams[1:], grams[0]), sum(crosses[1:], crosses[0])
    scores = torch.zeros(len(which), k, device=rows.device)
    for j in range(folds):
        part = np.flatnonzero(fold == j)
        others = whole - grams[j]
        # the constant serves a fold of zeros, whose relative ridge is 0
        solved = Ridge(others, relative_ridge(whole, ridge) + 1e-9).solve(cross - crosses[j])
        weights = solved.float()
        for at, x in rows.chunks(which[part], k):
            scores[torch.from_numpy(part[at])] = x @ weights
    return scores.clamp(0, 1)


def _neighbours(rows: Rows, which: IntArray, labels: Tensor, k: int, near: int = 20) -> Tensor:
    """Return the vote of the most alike rows but the row itself, (m, k)."""
    near = max(1, min(near, len(which) - 1))
    all_rows = rows[which]
    votes = torch.zeros(len(which), k)  # on the processor: a GPU adds in an order of its own
    step = max(64, 20_000_000 // max(len(which), 1))
    for start in range(0, len(which), step):
        x = all_rows[start : start + step]
        alike = x @ all_rows.T
        alike[torch.arange(len(x)), torch.arange(start, start + len(x))] = -torch.inf
        best, index = alike.topk(near, dim=1)
        weight = torch.softmax(best * 10, dim=1)  # cosines lie close together: temperature 0.1
        votes[start : start + step].scatter_add_(1, labels[index].cpu(), weight.cpu())
    return votes.to(rows.device)


def _centres(rows: Rows, which: IntArray, labels: Tensor, k: int) -> Tensor:
    """Return how near each class's mean is, the row itself left out of its own, (m, k)."""
    x = rows[which]
    cross = label_cross(rows, which, labels, k).T.float()  # (k, d) sums
    size = torch.bincount(labels, minlength=k).float().to(x.device)
    scores = torch.empty(len(which), k, device=x.device)
    means = F.normalize(cross, dim=1)
    for start in range(0, len(which), 8192):
        part = slice(start, start + 8192)
        scores[part] = x[part] @ means.T
        own = F.normalize(cross[labels[part]] - x[part], dim=1)
        at = torch.arange(len(own), device=x.device)
        scores[part][at, labels[part]] = (own * x[part]).sum(1)
    scores[:, size == 0] = -1
    return torch.softmax(scores * 10, dim=1)


@dataclass(frozen=True, slots=True)
class Validation:
    """The rows that labels are judged by.

    Attributes:
        rows: (n_v,) row numbers, sorted.
        confirmed: (n_v,) bool; False where only classifiers agree.
    """

    rows: IntArray
    confirmed: BoolArray

    @property
    def bootstrap(self) -> bool:
        """True where some rows are not confirmed."""
        return not bool(self.confirmed.all())


def choose(
    rows: Rows,
    labels: IntArray,
    trusted: BoolArray | None,
    k: int,
    per_class: int,
    *,
    enough: int = 2,
    most: int = 10_000,
    ridge: float = 1e-3,
    seed: int = 0,
    stands: IntArray | None = None,
) -> Validation:
    """Return the confirmed rows, and agreed ones of classes that have fewer than `enough`.

    A picture is chosen once, however many copies of it there are.

    Args:
        rows: prepared features of n rows.
        labels: (n,) labels, corrected where people corrected them.
        trusted: (n,) bool, or None.
        k: number of classes.
        per_class: unconfirmed rows wanted per class.
        enough: confirmed rows from which a class needs no others.
        most: largest number of validation rows; drawn evenly over the classes above it.
        ridge, seed: as in `classifications`.
        stands: (n,) the row that counts for each row's picture, None where there are no copies.
    """
    counts = np.ones(len(labels), dtype=bool)
    if stands is not None:
        counts = stands == np.arange(len(labels))
    sure = np.zeros(len(labels), dtype=bool) if trusted is None else np.asarray(trusted, dtype=bool)
    confirmed: IntArray = np.flatnonzero(sure & counts)
    confirmed = confirmed[candidates(labels[confirmed], seed, most)]
    lacking = np.bincount(labels[confirmed], minlength=k) < enough
    lacking &= np.bincount(labels[~sure & counts], minlength=k) > 0
    substitutes: IntArray = np.empty(0, dtype=np.int64)
    if lacking.any():
        open_rows = np.flatnonzero(~sure & counts)
        share = max(1, min(per_class, most // k))
        agreeing = agreed(
            rows,
            open_rows,
            labels[open_rows],
            k,
            share,
            ridge=ridge,
            seed=seed,
        )
        substitutes = agreeing[lacking[labels[agreeing]]]
    both = np.concatenate([confirmed, substitutes])
    order = np.argsort(both, kind="stable")
    known = np.arange(len(both)) < len(confirmed)
    return Validation(both[order], known[order])


def hold_out(labels: IntArray, seed: int) -> BoolArray:
    """Return (n_v,) bool: a random third of each class, rounded down."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    held = np.zeros(len(labels), dtype=bool)
    held[shuffled] = rank_in_class(labels[shuffled]) % 3 == 2
    return held
