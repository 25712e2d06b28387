"""What a run needs of this machine, checked before it is queued: a GPU, features by that name.

Nothing here imports torch: the pages' process never does.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from functools import lru_cache
from importlib import metadata

from lnl_core.jobs import bases
from lnl_core.types import NotFound, Unavailable

OURS = (None, "", "auto", "pixels", "pretrained", "simclr", "moco", "raw")
"""Representations that are there wherever the package is."""

_PATIENCE = 300.0
"""Seconds that loading a named network may take on a busy machine."""

_LOAD = r"""
import sys
from lnl_core.learning import encoders
from lnl_core.types import LnlError
try:
    encoders.network_of(sys.argv[1])
except LnlError as error:
    print(error.code, error, sep="\n")
    sys.exit(3)
"""


def check_device(device: str) -> None:
    """Check that this machine has the device that a run asks for.

    Raises:
        Unavailable: `cuda` without a GPU, or with a torch that cannot use one.
    """
    if device != "cuda":
        return
    if not gpus():
        raise Unavailable(
            "No NVIDIA GPU, or no driver for it, is on this machine. Choose the device auto or "
            "cpu, or run it where there is one (--executor slurm or ray)."
        )
    if metadata.version("torch").endswith("+cpu"):
        raise Unavailable(
            f"The torch installed here ({metadata.version('torch')}) is built for CPUs only. "
            "Install torch and torchvision with CUDA, or choose the device auto or cpu."
        )


@lru_cache(maxsize=1)
def gpus() -> int:
    """Return how many GPUs NVIDIA's driver lets this process see; 0 where there is no driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
        return count.value
    except (OSError, AttributeError):
        return 0


def check_representation(name: str | None) -> None:
    """Check that features by that name can be computed here, weights included.

    A name that is not the package's own is a network of timm; another process tries to load it,
    once per name.

    Raises:
        NotFound: there is no such network.
        Unavailable: its weights are not on this machine, or it cannot be loaded.
    """
    if name in OURS or bases.run_of(name) is not None:
        return
    code, why = _refused(str(name))
    if code:
        raise (NotFound if code == NotFound.code else Unavailable)(why)


@lru_cache(maxsize=64)
def _refused(name: str) -> tuple[str, str]:
    """Return the code and the words of why a named network cannot be used, "" where it can."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", _LOAD, name],
        capture_output=True,
        text=True,
        timeout=_PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0:
        return "", ""
    if done.returncode == 3:
        code, _, words = done.stdout.strip().partition("\n")
        return code, words
    last = (done.stderr.strip().splitlines() or ["its process died"])[-1]
    return Unavailable.code, f"The network {name} cannot be loaded here: {last}"
