"""Two networks as one module, and the arithmetic of MixMatch on their answers (DivideMix, 3.2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from lnl_core.learning import models


class Pair(nn.Module):
    """Two networks of one make that start apart.

    Attributes:
        alone: 0 or 1 lets `forward` speak for that network only; None for both side by side.
    """

    def __init__(self, first: models.Network, second: models.Network) -> None:
        super().__init__()
        self.networks = nn.ModuleList([first, second])
        self.feature_size = first.feature_size + second.feature_size
        self.alone: int | None = None

    def features(self, images: Tensor) -> Tensor:
        """Return the pooled features of both side by side, (b, 2 d)."""
        both: list[Any] = list(self.networks)
        return torch.cat([network.features(images) for network in both], dim=1)

    def head(self, features: Tensor) -> Tensor:
        """Return the logits of both from their features, (b, 2 d) -> (b, 2 k)."""
        both: list[Any] = list(self.networks)
        halves = features.chunk(2, dim=1)
        return torch.cat([net.head(half) for net, half in zip(both, halves, strict=True)], dim=1)

    def forward(self, images: Tensor) -> Tensor:
        """Return (b, k) logits of the one that is `alone`, else (b, 2 k) of both."""
        if self.alone is not None:
            return self.networks[self.alone](images)  # type: ignore[no-any-return]
        return self.head(self.features(images))

    def turn(self, who: int) -> None:
        """Let one network train and the other one only answer."""
        self.alone = who
        self.networks[who].train()
        self.networks[1 - who].eval()


def build(backbone: str, k: int, channels: int, size: int) -> Pair:
    """Build two networks; `backbone` is a name of `models.NAMES`."""
    pair = Pair(*(models.build(backbone, k, channels, size) for _ in range(2)))
    return pair.to(memory_format=torch.channels_last)


def sharpen(probs: Tensor, temperature: float) -> Tensor:
    """Return probabilities to the power of 1 / T, summing to one again, (b, k); equation 4."""
    sharp = probs.clamp_min(1e-8) ** (1 / temperature)
    return sharp / sharp.sum(dim=1, keepdim=True)


def refined(labels: Tensor, clean: Tensor, probs: Tensor, temperature: float) -> Tensor:
    """Return co-refined targets of labelled images (b, k): equations 3 and 4.

    Args:
        labels: (b, k) one-hot given labels.
        clean: (b,) how likely the other network holds each label to be right.
        probs: (b, k) this network's mean answer over views.
        temperature: T of the sharpening.
    """
    weight = clean[:, None]
    return sharpen(weight * labels + (1 - weight) * probs, temperature)


def mixed(inputs: Tensor, targets: Tensor, share: float, order: Tensor) -> tuple[Tensor, Tensor]:
    """Mix each input and its target with another one's; `share`, at least 1/2, is its own part."""
    return inputs.lerp(inputs[order], 1 - share), targets.lerp(targets[order], 1 - share)


def labelled_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean cross-entropy with soft targets, (b, k) each; equation 9."""
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


def unlabelled_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of probabilities over images and classes; equation 10."""
    return (torch.softmax(logits, dim=1) - targets).square().mean()


def uneven(logits: Tensor, prior: Tensor) -> Tensor:
    """Return the divergence of the mean answer from a prior (k,): keeps classes apart; equation 11.

    0 where the mean of the answers is the prior.
    """
    mean = torch.softmax(logits, dim=1).mean(dim=0).clamp_min(1e-8)
    # a class that has no share adds nothing, and no gradient of 0 / 0 either
    return (prior * (prior.clamp_min(1e-8).log() - mean.log())).sum()


def ramp(epoch: float, first: int, length: int) -> float:
    """Return the part of the unlabelled loss that counts, rising in a line from 0 to 1."""
    return min(max((epoch - first) / length, 0.0), 1.0) if length else 1.0
