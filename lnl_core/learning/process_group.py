"""Several processes train one network on one global batch, under torchrun.

Each process makes the whole batch, forwards its share of the rows, and gathers the logits of all.
Loss, selection, records and reports then see the global batch, as in one process, whatever the
method does with it; the gradient of a process is the part of its rows, and the parts are summed.
Batch norm takes its statistics over the global batch too (`GlobalNorm`), and dropout draws its
mask for it (`GlobalDropout`). So N processes equal one process up to the rounding of sums: a
method needs no code for it, if it forwards by `Session.forward` and learns by `Session.step`,
and draws from the session's generator. What else may differ in its last bits between processes
and decides how a run goes on is taken from the first one (`ProcessGroup.broadcast`).

Not shared: the making of a batch (uint8 images, which augment in a few hundredths of a step).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

TIMEOUT = timedelta(days=1)
"""How long a process waits for the others: the first may have features to compute and files to
write. Where one of them died torchrun does not wait."""


Network = TypeVar("Network", bound=nn.Module)


class ProcessGroup:
    """The processes of one run; alone, everything here does nothing.

    Attributes:
        rank: number of this process, from 0.
        size: how many there are.
        device: where what they send each other has to be.
        rows: of the global batch that a network is run on at the moment.
    """

    def __init__(self, rank: int = 0, size: int = 1, device: str = "cpu") -> None:
        self.rank, self.size, self.device = rank, size, device
        self.rows = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> ProcessGroup:
        return self

    def shard(self, count: int) -> slice:
        """Return which of `count` rows are this process's; the first ones get one more."""
        sizes = self._sizes(count)
        start = sum(sizes[: self.rank])
        return slice(start, start + sizes[self.rank])

    def _sizes(self, count: int) -> list[int]:
        least, more = divmod(count, self.size)
        return [least + (rank < more) for rank in range(self.size)]

    def wrap(self, network: Network) -> Network:
        """Let batch norm and dropout see the global batch, and take the first one's weights.

        Weights and buffers keep their names, so checkpoints fit any number of processes.
        """
        if self.size == 1:
            return network
        for parent in list(network.modules()):
            for name, child in parent.named_children():
                if isinstance(child, nn.modules.batchnorm._BatchNorm):
                    setattr(parent, name, GlobalNorm.of(child, self))
                elif isinstance(child, nn.Dropout):
                    setattr(parent, name, GlobalDropout(child.p, self).train(child.training))
        for value in [*network.parameters(), *network.buffers()]:
            dist.broadcast(value.data, 0)
        return network

    def broadcast(self, value: Tensor) -> Tensor:
        """Return what the first process holds, in place of the own; shape and type are alike."""
        if self.size == 1:
            return value
        sent = value.detach().to(self.device).contiguous()
        dist.broadcast(sent, 0)
        return sent.to(value.device)

    def broadcast_number(self, number: int) -> int:
        """Return the first process's number; the others wait for it."""
        return int(self.broadcast(torch.tensor([number])))

    def sharded_forward(self, network: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
        """Run a network on (b, ...) images, every process on its share; (b, k) for all."""
        if self.size == 1:
            return network(images)
        self.rows = len(images)
        return self.all_gather(network(images[self.shard(len(images))]).float(), len(images))

    def all_gather(self, part: Tensor, count: int) -> Tensor:
        """Join the shares of all processes, (count, ...); gradients flow to the own share."""
        if self.size == 1:
            return part
        plain = part.to(torch.uint8) if part.dtype == torch.bool else part
        joined: Tensor = _Gather.apply(plain, self._sizes(count), self.rank)
        return joined.to(part.dtype)

    def all_reduce(self, parts: Sequence[Tensor]) -> list[Tensor]:
        """Add up tensors over all processes, with gradients of any order through the sum."""
        if self.size == 1:
            return list(parts)
        flat: Tensor = _SumAcross.apply(torch.cat([part.reshape(-1) for part in parts]))
        sizes = [part.numel() for part in parts]
        return [
            each.view(part.shape)
            for each, part in zip(torch.split(flat, sizes), parts, strict=True)
        ]

    def all_reduce_gradients(self, network: nn.Module) -> None:
        """Add up the gradients of all processes; the loss was that of the global batch."""
        if self.size == 1:
            return
        weights = [weight for weight in network.parameters() if weight.requires_grad]
        if not weights:
            return
        parts = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        flat = torch.cat([part.reshape(-1).float() for part in parts])
        dist.all_reduce(flat)
        start = 0
        for weight, part in zip(weights, parts, strict=True):
            weight.grad = part
            part.copy_(flat[start : start + part.numel()].view_as(part))
            start += part.numel()


_group = ProcessGroup()


def current() -> ProcessGroup:
    """Return the processes that train together; this one alone where none were started."""
    return _group


def join(device: str) -> ProcessGroup:
    """Join the process group that torchrun started.

    Args:
        device: `cpu` (gloo) or `cuda` (NCCL; this process takes the GPU of its local rank).
    """
    global _group
    if device == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device == "cuda" else "gloo", timeout=TIMEOUT)
    _group = ProcessGroup(dist.get_rank(), dist.get_world_size(), device)
    return _group


def leave() -> None:
    """Leave the process group."""
    global _group
    _group = ProcessGroup()
    if dist.is_initialized():
        dist.destroy_process_group()


def wanted(device: str) -> int:
    """Return how many processes a run should have: one per GPU, or `LNL_PROCESSES`."""
    asked = os.environ.get("LNL_PROCESSES", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    if device == "cpu" or not os.path.exists("/proc/driver/nvidia/version"):
        return 1
    return max(1, torch.cuda.device_count())


class _Gather(torch.autograd.Function):
    """Rows of all processes; every process has the same loss, so the own rows' gradient is all."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, sizes: list[int], rank: int) -> Tensor:
        ctx.here = slice(sum(sizes[:rank]), sum(sizes[: rank + 1]))
        padded = part.new_zeros(max(sizes), *part.shape[1:])
        padded[: len(part)] = part
        parts = [torch.empty_like(padded) for _ in sizes]
        dist.all_gather(parts, padded)
        return torch.cat([each[:size] for each, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        return grads[0][ctx.here].contiguous(), None, None


class _SumAcross(torch.autograd.Function):
    """Sum over processes; what each does with the sum flows back to all of them.

    The way back is a sum again, of which a gradient can be taken in turn.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.contiguous().clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total: Tensor = _SumAcross.apply(grads[0])
        return total


class GlobalDropout(nn.Module):
    """Dropout whose mask is drawn for the rows of all processes, by each of them alike.

    Args:
        p: share that is left out.
        group: whose `rows` is the size of the global batch.
    """

    def __init__(self, p: float, group: ProcessGroup) -> None:
        super().__init__()
        self.p, self.group = p, group

    def forward(self, input: Tensor) -> Tensor:
        """Return (b, ...) of this process's rows, scaled where it is kept."""
        if not self.training or not self.p:
            return input
        mask = input.new_empty(self.group.rows, *input.shape[1:]).bernoulli_(1 - self.p)
        return input * mask[self.group.shard(self.group.rows)].div_(1 - self.p)


class GlobalNorm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the rows of all processes, on any device (torch's own is for CUDA only).

    Each process sends the count, mean and sum of squared deviations of its rows, so that no
    precision is lost where the mean is large (Chan, Golub, LeVeque 1983, eq. 2.1).
    """

    group: ProcessGroup

    @classmethod
    def of(cls, norm: nn.modules.batchnorm._BatchNorm, group: ProcessGroup) -> GlobalNorm:
        """Take over weights, buffers and settings of a batch norm."""
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        new._parameters, new._buffers = norm._parameters, norm._buffers
        new.training, new.group = norm.training, group
        return new

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm needs (b, c, ...), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:
        """Return (b, c, ...) with the mean and variance of each of c taken out."""
        if not self.training:
            return super().forward(input)
        self._check_input_dim(input)
        values, over = input.float(), [0, *range(2, input.dim())]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        count = values.numel() / values.shape[1]
        mean = values.sum(over) / max(count, 1)  # (c,)
        spread = (values - mean.view(shape)).square().sum(over)  # (c,)
        own = torch.stack([torch.full_like(mean, count), mean, spread])  # (3, c)
        table = own.new_zeros(self.group.size, *own.shape)
        at = torch.zeros(self.group.size, 1, 1, device=own.device, dtype=own.dtype)
        at[self.group.rank] = 1
        counts, means, spreads = _SumAcross.apply(table + at * own).unbind(1)  # (size, c) each
        total = counts.sum(0)
        mean = (counts * means).sum(0) / total
        spread = spreads.sum(0) + (counts * (means - mean).square()).sum(0)
        variance = spread / total
        # the running variance is the unbiased one, as in torch's own batch norm
        self._update_running(mean.detach(), (spread / (total - 1).clamp_min(1)).detach())
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -mean * scale if self.bias is None else self.bias - mean * scale
        out: Tensor = values * scale.view(shape) + shift.view(shape)
        return out.to(input.dtype)

    @torch.no_grad()
    def _update_running(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None:
            return
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        step = self.momentum
        if step is None:
            step = 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, step)
        self.running_var.lerp_(variance, step)
