"""Stochastic gradient descent with momentum, as torch's own, without its five-second import.

The first `torch.optim` object of a process imports torch's compiler, which takes five processor
seconds: longer than a whole quick run on the demo set.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class Sgd:
    """Momentum, weight decay and Nesterov's form, with the update rule of `torch.optim.SGD`.

    Attributes:
        param_groups: one dict with `params`, `lr` and `weight_decay`, which may be changed.
        momenta: one buffer per weight, shaped and laid out like it.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        *,
        lr: float,
        momentum: float,
        weight_decay: float,
        nesterov: bool = False,
    ) -> None:
        self._weights = list(weights)
        self.param_groups: list[dict[str, Any]] = [
            {"params": self._weights, "lr": lr, "weight_decay": weight_decay}
        ]
        self.momentum, self.nesterov = momentum, nesterov
        self.momenta = [torch.zeros_like(weight, requires_grad=False) for weight in self._weights]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for weight in self._weights:
            weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Move every weight that has a gradient."""
        moved = [
            (weight, weight.grad, momentum)
            for weight, momentum in zip(self._weights, self.momenta, strict=True)
            if weight.grad is not None
        ]
        if not moved:
            return
        weights, gradients, momenta = (list(part) for part in zip(*moved, strict=True))
        lr, decay = self.param_groups[0]["lr"], self.param_groups[0]["weight_decay"]
        if _fits_one_kernel(weights, gradients, momenta):
            torch._fused_sgd_(
                weights,
                gradients,
                momenta if self.momentum else [],
                weight_decay=decay,
                momentum=self.momentum,
                lr=lr,
                dampening=0.0,
                nesterov=self.nesterov,
                maximize=False,
                is_first_step=False,  # buffers start at 0, so the first step is no special case
            )
            return
        # torch.optim.SGD's order: decay joins the gradient before the momentum
        step: Any = torch._foreach_add(gradients, weights, alpha=decay)
        torch._foreach_mul_(momenta, self.momentum)
        torch._foreach_add_(momenta, step)
        if self.nesterov:
            torch._foreach_add_(step, momenta, alpha=self.momentum)
        else:
            step = momenta
        torch._foreach_add_(weights, step, alpha=-lr)


def _fits_one_kernel(weights: list[Tensor], gradients: list[Tensor], momenta: list[Tensor]) -> bool:
    """Tell whether the fused kernel may run: it goes over memory, blind to differing layouts."""
    if weights[0].device.type not in ("cpu", "cuda"):
        return False
    return all(
        weight.stride() == gradient.stride() == momentum.stride()
        for weight, gradient, momentum in zip(weights, gradients, momenta, strict=True)
    )
