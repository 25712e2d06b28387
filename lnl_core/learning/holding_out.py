"""Rows held out of the given labels: they judge what a network knows before it may choose."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from lnl_core.types import Array, IntArray

SHARE = 0.1
"""Share of the rows that is held out where a rule reads the data."""


def held_out(
    n: int, share: float, seed: int, trusted: Array | None, groups: IntArray | None = None
) -> Tensor:
    """Return which rows are kept from learning and judge it, (n,) bool.

    Args:
        n: rows.
        share: part of the rows, in [0, 1).
        seed: of the choice.
        trusted: (n,) bool rows that a person confirmed, never held out; or None.
        groups: (n,) first row of each row's copies, held out together; or None.
    """
    if groups is not None and len(firsts := np.unique(groups)) < n:
        place = np.searchsorted(firsts, groups)
        kept = None
        if trusted is not None:
            kept = np.bincount(place, np.asarray(trusted, bool), len(firsts)) > 0
        return held_out(len(firsts), share, seed, kept)[torch.from_numpy(place)]
    order = np.random.default_rng([seed, 7]).permutation(n)
    if trusted is not None:
        order = order[~np.asarray(trusted, bool)[order]]
    held = torch.zeros(n, dtype=torch.bool)
    held[torch.from_numpy(order[: round(share * n)].copy())] = True
    return held


def beats_chance(right: float, labels: Tensor, k: int, errors: float = 4.0) -> bool:
    """Say whether an accuracy on held-out given labels is clearly above guessing.

    Args:
        right: share predicted as given, in [0, 1].
        labels: (m,) the held-out given labels.
        k: number of classes.
        errors: standard errors that it must lie above the share of the commonest class.
    """
    if not len(labels):
        return False
    chance = float(torch.bincount(labels.cpu(), minlength=k).max()) / len(labels)
    error = math.sqrt(chance * (1 - chance) / len(labels))
    return right > chance + errors * error
