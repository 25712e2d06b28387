"""Randomness from a seed passed in; nothing global stays changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from lnl_core.learning.threads import thread_count


def derive_seed(*parts: int) -> int:
    """Mix integers (seed, epoch, purpose) into one 63-bit seed."""
    # SeedSequence takes no negative integers; 63 bits are what torch accepts as a seed
    state = np.random.SeedSequence([part & 0xFFFFFFFF for part in parts]).generate_state(2)
    return (int(state[0]) << 31) ^ int(state[1])


def generator_for(*parts: int) -> torch.Generator:
    """Return a CPU generator that depends on the integers only."""
    return torch.Generator().manual_seed(derive_seed(*parts))


def seed_everything(seed: int) -> None:
    """Seed python, numpy and torch, CPU and CUDA; inside `seeded` only."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - third-party code may draw from it
    torch.manual_seed(seed)


@contextmanager
def seeded(seed: int, threads: int | None = None) -> Iterator[None]:
    """Run the block reproducibly; generators, flags and thread count are put back afterwards."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch_state, torch_threads = torch.get_rng_state(), torch.get_num_threads()
    cuda_states = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    cudnn = torch.backends.cudnn
    flags = cudnn.deterministic, cudnn.benchmark
    try:
        cudnn.deterministic, cudnn.benchmark = True, False
        torch.set_num_threads(threads or thread_count())
        seed_everything(seed)
        yield
    finally:
        cudnn.deterministic, cudnn.benchmark = flags
        torch.set_num_threads(torch_threads)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        torch.set_rng_state(torch_state)
        if cuda_states:
            torch.cuda.set_rng_state_all(cuda_states)
