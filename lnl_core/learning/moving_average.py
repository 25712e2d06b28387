"""The exponential moving average (EMA) of a network's weights."""

from __future__ import annotations

import torch
from torch import nn


class Ema:
    """Moves a copy's weights and running statistics a step towards the model's."""

    def __init__(self, target: nn.Module, model: nn.Module) -> None:
        pairs = list(zip(target.state_dict().values(), model.state_dict().values(), strict=True))
        moving = [pair for pair in pairs if pair[0].dtype.is_floating_point]
        self._means, self._values = [a for a, _ in moving], [b for _, b in moving]
        self._counters = [pair for pair in pairs if not pair[0].dtype.is_floating_point]

    @torch.no_grad()
    def step(self, decay: float) -> None:
        """Move by 1 - decay of the way; counters are copied."""
        torch._foreach_lerp_(self._means, self._values, 1 - decay)
        for mean, value in self._counters:
            mean.copy_(value)
