"""Plain training as a person would write it, the measure for what the shared engine costs.

The network, batches, precision, momentum, weight decay, clipping and views (mirrored, shifted by up
to an eighth) of `ce`; no records, no checkpoints, no mean of weights, no progress.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from lnl_core.learning import hardware, models, threads
from lnl_core.types import Context, LabeledDataset, Signals


@dataclass(frozen=True, slots=True)
class Config:
    """The knobs of the recipe."""

    backbone: str = "resnet8"
    epochs: int = 30
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    clip: float = 5.0


def fit(dataset: LabeledDataset, config: Config, context: Context) -> Signals:
    """Train; the context's `save` is called at the end of every epoch, as the clock's bell."""
    device = torch.device(context.device)
    torch.set_num_threads(threads.thread_count() if device.type == "cpu" else 1)
    n, height, width, channels = dataset.images.shape
    pixels = torch.from_numpy(np.array(dataset.images)).permute(0, 3, 1, 2).to(device)
    labels = torch.from_numpy(np.asarray(dataset.given_labels, np.int64)).to(device)
    model = models.build(config.backbone, len(dataset.class_names), channels, max(height, width))
    model = model.to(device).train()
    descent = torch.optim.SGD(
        model.parameters(), config.lr, config.momentum, weight_decay=config.weight_decay
    )
    at_most = n // config.batch_size * config.epochs
    rate = torch.optim.lr_scheduler.OneCycleLR(descent, config.lr, total_steps=at_most + 1)
    for epoch in range(1, config.epochs + 1):
        for rows in torch.randperm(n).split(config.batch_size):
            if len(rows) < config.batch_size:
                continue
            images = views(pixels[rows].float() / 255)
            with hardware.autocast(device, hardware.precision(device)):
                logits = model(images)
            loss = F.cross_entropy(logits.float(), labels[rows])
            descent.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), config.clip)
            descent.step()
            rate.step()
        context.save({}, {"epoch": epoch})
    return Signals("bare", np.zeros(n))


def views(images: torch.Tensor) -> torch.Tensor:
    """Mirror half of the images and shift each by up to an eighth."""
    b, _, height, width = images.shape
    mirrored = torch.rand(b, 1, 1, 1, device=images.device) < 0.5
    images = torch.where(mirrored, images.flip(3), images)
    most = max(height, width) // 8
    padded = F.pad(images, (most, most, most, most), mode="reflect")
    down, right = torch.randint(0, 2 * most + 1, (2, b), device=images.device)
    y = down[:, None, None] + torch.arange(height, device=images.device)[None, :, None]
    x = right[:, None, None] + torch.arange(width, device=images.device)[None, None, :]
    each = torch.arange(b, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[each, y, x]
    return (moved.permute(0, 3, 1, 2) - 0.5) / 0.25
