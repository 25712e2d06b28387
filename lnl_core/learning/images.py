"""The images of a data set where a network can have them at once: on the device where they fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.nn import functional as F

from lnl_core.types import Array, LabeledDataset

_CHUNK, _NUMBERS = 4096, 2**23
"""Most images, and most numbers, that are read and made smaller at once."""

Report = Callable[[float], None]


class ImageSource:
    """Batches of uint8 images by row number.

    The whole set lies on the device as uint8 when it fits (a third of the free memory there), else
    each batch is read from the memory-mapped array, resized where asked, and sent over.

    Attributes:
        n: number of images.
        channels: 1 or 3.
        height, width: of the images given out, after `resolution`.
        mean, std: (channels,) of the pixels in [0, 1], from at most 2,000 images.
    """

    def __init__(
        self,
        dataset: LabeledDataset,
        device: torch.device,
        *,
        resolution: int = 0,
        report: Report | None = None,
    ) -> None:
        images = dataset.images
        self.n, height, width, self.channels = images.shape
        self._images, self.device = images, device
        longest = max(height, width)
        self._scale = resolution / longest if 0 < resolution < longest else 1.0
        self.height = max(1, round(height * self._scale))
        self.width = max(1, round(width * self._scale))
        size = self.n * self.height * self.width * self.channels
        self._resident: Tensor | None = None
        if size <= free_bytes(device) // 3:
            self._resident = torch.empty(
                (self.n, self.height, self.width, self.channels), dtype=torch.uint8, device=device
            )
            step = max(1, min(_CHUNK, _NUMBERS // (height * width * self.channels)))
            for start in range(0, self.n, step):
                rows = torch.arange(start, min(start + step, self.n))
                self._resident[start : start + step] = self._read(rows)
                if report is not None:
                    report(min(1.0, (start + step) / self.n))
        step = max(1, -(-self.n // 2000))  # to the last image: sets come sorted by class
        sample = self.batch(torch.arange(0, self.n, step)).double() / 255
        self.mean = sample.mean(dim=(0, 1, 2)).float()
        # the floor keeps a channel that hardly varies from being blown up
        self.std = sample.std(dim=(0, 1, 2), correction=0).float().clamp_min(1e-2)

    def _read(self, rows: Tensor) -> Tensor:
        picked = torch.from_numpy(np.ascontiguousarray(self._images[rows.numpy()])).to(self.device)
        if self._scale == 1.0:
            return picked
        shrunk = F.interpolate(
            picked.permute(0, 3, 1, 2).float(),
            (self.height, self.width),
            mode="bilinear",
            antialias=True,
        )
        return shrunk.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()

    def batch(self, rows: Tensor) -> Tensor:
        """Return (b, h, w, c) uint8 on the device for row numbers (b,)."""
        if self._resident is None:
            return self._read(rows.cpu())
        return self._resident.index_select(0, rows.to(self.device, non_blocking=True))

    def normalise(self, images: Tensor) -> Tensor:
        """Turn (b, h, w, c) uint8 into (b, c, h, w) float32, standardised, channels last."""
        values = images.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.channels_last)
        shift = (self.mean * 255)[:, None, None]
        scale = (1 / (self.std * 255))[:, None, None]
        return values.sub_(shift).mul_(scale)


def free_bytes(device: torch.device) -> int:
    """Return the memory that is free on a device, in bytes."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)


def images_alone(dataset: LabeledDataset, rows: Array) -> LabeledDataset:
    """Return a data set of some images and nothing else: what looks at them reads no others.

    Args:
        dataset: the whole set.
        rows: (m,) row numbers; they become the ids, and every label is 0.
    """
    return replace(
        dataset,
        given_labels=np.zeros(len(rows), np.int64),
        ids=[str(row) for row in rows],
        images=np.asarray(dataset.images[rows]),
        paths=None,
        true_labels=None,
        trusted=None,
        groups=None,
        splits=None,
    )
