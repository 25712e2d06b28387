"""Frozen features in the place of images: a method's head trains in seconds where pixels take long.

Ours: the methods were published on pixels, which stay the faithful mode. A `FeatureSource` has
the interface of an `ImageSource`, with rows (b, d) in place of images; a training view of a row is
the row under feature dropout.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from lnl_core.learning import images
from lnl_core.types import Array, FloatArray

_SAMPLE = 20_000
_CHUNK = 2048


class FeatureSource:
    """Rows of standardised features by number.

    Args:
        features: (n, d), finite, perhaps memory-mapped.
        device: where batches are wanted.

    Attributes:
        n: number of rows.
        channels: d.
        height, width: 1.
    """

    def __init__(self, features: FloatArray, device: torch.device) -> None:
        self.n, self.channels = features.shape
        self.height = self.width = 1
        self.device = device
        mean, spread = _moments(features, max(1, -(-self.n // _SAMPLE)))  # sets come sorted
        self.mean = mean.float()
        # one common floor, so that a feature which hardly moves is not blown up
        self.scale = (1 / spread.clamp_min(max(1e-3 * float(spread.mean()), 1e-8))).float()
        self._features = features
        self._resident: Tensor | None = None
        if self.n * self.channels * 4 <= images.free_bytes(device) // 3:
            self._resident = torch.empty(self.n, self.channels, device=device)
            for at in range(0, self.n, _CHUNK):
                self._resident[at : at + _CHUNK] = self._read(slice(at, at + _CHUNK))
            self._features = features[:0].copy()  # no view: the rows themselves may go

    def _read(self, rows: slice | Array) -> Tensor:
        values = torch.from_numpy(self._features[rows].astype("float32"))
        return values.sub_(self.mean).mul_(self.scale)

    def batch(self, rows: Tensor) -> Tensor:
        """Return (b, d) float32 on the device for row numbers (b,)."""
        if self._resident is None:
            return self._read(rows.cpu().numpy()).to(self.device)
        return self._resident.index_select(0, rows.to(self.device, non_blocking=True))

    def normalise(self, rows: Tensor) -> Tensor:
        """Return the rows as they are: `batch` has standardised them."""
        return rows


def _moments(features: FloatArray, every: int) -> tuple[Tensor, Tensor]:
    """Return mean and deviation of each column over every so many rows, (d,) float64, in chunks."""
    drawn, d = np.arange(0, len(features), every), features.shape[1]
    n = len(drawn)
    mean, square = torch.zeros(2, d, dtype=torch.float64)
    for total, power in ((mean, 1), (square, 2)):
        for at in range(0, n, _CHUNK):
            rows = torch.from_numpy(features[drawn[at : at + _CHUNK]].astype("float64"))
            total += (rows if power == 1 else (rows - mean).square()).sum(0)
        total /= n
    return mean, square.sqrt()


def blank(rows: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return a view of each row with a random share of its features at their mean.

    Args:
        rows: (b, d) standardised.
        share: chance of each feature to be blanked, in [0, 1); the rest is scaled up.
        generator: on the CPU; it advances by an amount that depends on b and d only.
    """
    kept = torch.rand(rows.shape, generator=generator) >= share
    return rows * kept.to(rows.device, non_blocking=True) / (1 - share)
