"""Adam for the baselines whose authors train with it (Co-teaching, JoCoR), on the desk's engine."""

from __future__ import annotations

import torch

from lnl_core.learning.optimizer import Sgd


class Adam(Sgd):
    """Kingma and Ba 2015, algorithm 1, with the interface of the engine's own optimiser.

    Attributes:
        momenta: first moments, one buffer per weight.
        seconds: second moments.
    """

    def __init__(self, like: Sgd, beta1: float = 0.9, beta2: float = 0.999) -> None:
        super().__init__(like._weights, lr=1e-3, momentum=beta1, weight_decay=0.0)
        self.beta2, self.steps = beta2, 0
        self.seconds = [torch.zeros_like(weight, requires_grad=False) for weight in self._weights]

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        self.steps += 1
        moved = [row for row, weight in enumerate(self._weights) if weight.grad is not None]
        weights = [self._weights[row] for row in moved]
        # one pass over memory needs one layout: a gradient may come in another than its weight
        gradients = [
            torch.empty_like(weight).copy_(weight.grad)  # type: ignore[arg-type]
            if weight.grad.stride() != weight.stride()  # type: ignore[union-attr]
            else weight.grad
            for weight in weights
        ]
        torch._fused_adam_(
            weights,
            gradients,
            [self.momenta[row] for row in moved],
            [self.seconds[row] for row in moved],
            [],
            [torch.tensor(float(self.steps)) for _ in moved],
            lr=self.param_groups[0]["lr"],
            beta1=self.momentum,
            beta2=self.beta2,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )
