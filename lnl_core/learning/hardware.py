"""The machine under a run: device, precision, threads, and what a run cost."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any

import psutil
import torch

from lnl_core.types import LnlError


def pick_device(name: str) -> torch.device:
    """Turn `auto`, `cpu`, `cuda`, `cuda:1` or `mps` into a device that is present.

    Raises:
        LnlError: the named device is not on this machine.
    """
    if name in ("", "auto"):
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind = name.split(":")[0]
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(kind, False):
        raise LnlError(f"Device {name!r} is not on this machine. Choose auto or cpu.")
    return torch.device(name)


@cache
def _fast_bf16_on_cpu() -> bool:
    """Tell whether this processor multiplies bfloat16 natively (AMX or AVX-512 BF16)."""
    checks = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
    return any(bool(getattr(torch.cpu, check, bool)()) for check in checks)


def precision(device: torch.device) -> torch.dtype:
    """Return the type that convolutions run in: bfloat16 where it is native, else float32."""
    if device.type == "cuda":
        native = torch.cuda.get_device_capability(device) >= (8, 0)
        return torch.bfloat16 if native else torch.float32
    if device.type == "cpu" and _fast_bf16_on_cpu():
        return torch.bfloat16
    return torch.float32


def autocast(device: torch.device, dtype: torch.dtype | None = None) -> AbstractContextManager[Any]:
    """Run the block's convolutions in `dtype`; nothing happens for float32.

    The cache of cast weights is off: it would outlive an optimiser step inside the block.
    """
    dtype = precision(device) if dtype is None else dtype
    if dtype == torch.float32:
        return nullcontext()
    context: AbstractContextManager[Any] = torch.autocast(device.type, dtype=dtype)
    return context


class CostMeter:
    """Seconds, processor seconds (all threads), peak memory and images of one run.

    Memory is what comes on top of what the process held when the meter began. `earlier` is the cost
    that a checkpoint carried over from before an interruption.
    """

    def __init__(self, device: torch.device, earlier: dict[str, float] | None = None) -> None:
        self._device = device
        self._earlier = earlier or {}
        self._start = time.perf_counter()
        self._cpu_start = time.process_time()
        self._process = psutil.Process()
        self._held = float(self._process.memory_info().rss)
        self._peak = 0.0
        self.images = 0
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        self.sample()

    def sample(self) -> None:
        """Look at the memory in use; called at every progress report."""
        self._peak = max(self._peak, float(self._process.memory_info().rss) - self._held)

    def seconds(self) -> float:
        """Return the wall-clock seconds since this meter began."""
        return time.perf_counter() - self._start

    def cost(self) -> dict[str, float]:
        """Return `seconds`, `cpu_seconds`, `peak_memory_bytes`, `images`, earlier parts included.

        On CUDA `peak_device_bytes` as well.
        """
        self.sample()
        past = self._earlier
        total = {
            "seconds": self.seconds() + past.get("seconds", 0.0),
            "cpu_seconds": time.process_time() - self._cpu_start + past.get("cpu_seconds", 0.0),
            "peak_memory_bytes": max(self._peak, past.get("peak_memory_bytes", 0.0)),
            "images": float(self.images) + past.get("images", 0.0),
        }
        if self._device.type == "cuda":
            peak = float(torch.cuda.max_memory_allocated(self._device))
            total["peak_device_bytes"] = max(peak, past.get("peak_device_bytes", 0.0))
        return total
