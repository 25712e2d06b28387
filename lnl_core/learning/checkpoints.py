"""A training session as arrays and JSON, and back; never a pickle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from lnl_core.learning.optimizer import Sgd
from lnl_core.learning.recorder import ProbabilityRecorder
from lnl_core.types import Array


class Resumable(Protocol):
    """What a session has that the rest of its run depends on."""

    model: nn.Module
    averaged: nn.Module
    optimizer: Sgd
    recorder: ProbabilityRecorder
    tensors: dict[str, Tensor]
    history: dict[str, list[float]]
    device: torch.device

    def state(self) -> dict[str, Any]:
        """Return what is not an array: random state, history, counters."""
        ...


def pack_module(module: nn.Module, prefix: str) -> dict[str, Array]:
    """Return a module's weights and buffers as `prefix.name` -> array."""
    return {f"{prefix}.{name}": _array(value) for name, value in module.state_dict().items()}


def unpack_module(module: nn.Module, prefix: str, arrays: Mapping[str, Any]) -> None:
    """Put weights and buffers back in place."""
    state = {name: _tensor(arrays[f"{prefix}.{name}"]) for name in module.state_dict()}
    module.load_state_dict(state)


def pack_optimizer(optimizer: Sgd) -> dict[str, Array]:
    """Return the momentum of each weight as `momentum.index` -> array."""
    return {f"momentum.{i}": _array(value) for i, value in enumerate(optimizer.momenta)}


def unpack_optimizer(optimizer: Sgd, arrays: Mapping[str, Any]) -> None:
    """Put the momentum back, in the memory layout of the weights; the loop sets the rate."""
    for i, value in enumerate(optimizer.momenta):
        value.copy_(_tensor(arrays[f"momentum.{i}"]))


def pack(session: Resumable, epoch: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return everything that the rest of the run depends on, after epoch `epoch` (from 0)."""
    arrays = pack_module(session.model, "model")
    if session.averaged is not session.model:
        arrays |= pack_module(session.averaged, "averaged")
    arrays |= pack_optimizer(session.optimizer)
    arrays |= session.recorder.pack()
    arrays |= {f"tensor.{name}": _array(value) for name, value in session.tensors.items()}
    return arrays, {"epoch": epoch, **session.state()}


def unpack(session: Resumable, arrays: Mapping[str, Any], state: Mapping[str, Any]) -> None:
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
