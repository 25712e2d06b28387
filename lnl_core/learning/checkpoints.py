"""A training session as arrays and JSON, and back; never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.types import Array

if TYPE_CHECKING:
    from lnl_core.learning.training import Session


def pack_module(module: nn.Module, prefix: str) -> dict[str, Array]:
    """Return a module's weights and buffers as `prefix.name` -> array."""
    return {f"{prefix}.{name}": _array(value) for name, value in module.state_dict().items()}


def unpack_module(module: nn.Module, prefix: str, arrays: Mapping[str, Any]) -> None:
    """Put weights and buffers back in place."""
    state = {name: _tensor(arrays[f"{prefix}.{name}"]) for name in module.state_dict()}
    module.load_state_dict(state)


def pack_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Array]:
    """Return the optimiser's per-parameter tensors as `optimizer.index.name` -> array."""
    packed = {}
    for index, entry in optimizer.state_dict()["state"].items():
        for name, value in entry.items():
            if value is not None:
                packed[f"optimizer.{index}.{name}"] = _array(torch.as_tensor(value))
    return packed


def unpack_optimizer(optimizer: torch.optim.Optimizer, arrays: Mapping[str, Any]) -> None:
    """Put the optimiser's tensors back; learning rates are set by the loop.

    Each lies in memory as its weight does: a fused step goes over both side by side, and would
    mix up the numbers of a buffer that is not channels-last like its weight.
    """
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    state = optimizer.state_dict()
    entries: dict[int, dict[str, Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            found, weight = _tensor(value), weights[int(index)]
            if found.shape == weight.shape:
                found = torch.empty_like(weight, requires_grad=False).copy_(found)
            entries.setdefault(int(index), {})[name] = found
    state["state"] = entries
    optimizer.load_state_dict(state)


def pack(session: Session, epoch: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return everything that the rest of the run depends on, after epoch `epoch` (from 0)."""
    arrays = pack_module(session.model, "model")
    if session.averaged is not session.model:
        arrays |= pack_module(session.averaged, "averaged")
    arrays |= pack_optimizer(session.optimizer)
    arrays |= session.recorder.pack()
    arrays |= {f"tensor.{name}": _array(value) for name, value in session.tensors.items()}
    return arrays, {"epoch": epoch, **session.state()}


def unpack(session: Session, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    """Put a session back to where `pack` found it."""
    unpack_module(session.model, "model", arrays)
    if session.averaged is not session.model:
        unpack_module(session.averaged, "averaged", arrays)
    unpack_optimizer(session.optimizer, arrays)
    session.recorder.unpack(arrays)
    for name in session.tensors:
        session.tensors[name] = _tensor(arrays[f"tensor.{name}"]).to(session.device)
    session.history = {name: list(values) for name, values in state["history"].items()}


def _array(value: Tensor) -> Array:
    value = value.detach().cpu()
    if value.dtype == torch.bfloat16:
        value = value.float()
    array: Array = value.numpy().copy()
    return array


def _tensor(value: Any) -> Tensor:
    return value if isinstance(value, Tensor) else torch.from_numpy(np.array(value))
