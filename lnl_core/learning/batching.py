"""How rows become batches, and how much each row of one counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from lnl_core.types import IntArray

_SMALLEST_BATCH = 8
"""Images that a last batch needs: the statistics of batch norm over fewer are noise."""


class Batch(NamedTuple):
    """One training batch on the device."""

    rows: Tensor  # (b,) int64 row numbers
    images: Tensor  # (b, c, h, w) float32, standardised, augmented, channels last; (b, d) features
    labels: Tensor  # (b,) int64 given labels
    at: Tensor  # (b,) the row numbers in the host's memory, where reading them waits for nothing
    changed: Tensor | None = None  # like images: a second view, where one was asked for


def cuts_of(n: int, batch_size: int) -> list[tuple[int, int]]:
    """Return the borders of batches of n rows; a last one below `_SMALLEST_BATCH` is joined."""
    starts = list(range(0, n, batch_size))
    if len(starts) > 1 and n - starts[-1] < min(_SMALLEST_BATCH, batch_size):
        starts.pop()
    return list(zip(starts, [*starts[1:], n], strict=True))


def shares_of(groups: IntArray | None, device: torch.device) -> Tensor | None:
    """Return 1 / copies of each row's picture, (n,) float32, None where nothing comes twice."""
    if groups is None or len(groups) < 2:
        return None
    times = np.bincount(groups)[groups]
    if times.max() < 2:
        return None
    return torch.from_numpy((1 / times).astype(np.float32)).to(device)
