"""How many threads work, and how they wait for each other; told before a library starts them."""

from __future__ import annotations

import os

_WAITING = {"OMP_WAIT_POLICY": "passive", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Threads that wait sleep: spinning takes the cores of those that they wait for."""


def thread_count() -> int:
    """Give the number of threads for training: all cores but one, at most 8.

    The core left over keeps the desk quick while a run is under way, and small networks on two
    shared cores lose more by threads waiting for each other than they gain. `OMP_NUM_THREADS`
    wins where it is set.
    """
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdigit() and int(wanted) > 0:
        return int(wanted)
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else (os.cpu_count() or 1)
    return max(1, min(8, cores - 1))


def settle() -> None:
    """Say how threads wait and how many make numpy's products; what the environment says wins.

    It has no effect on libraries that are loaded already.
    """
    for name, value in (_WAITING | {"OPENBLAS_NUM_THREADS": str(thread_count())}).items():
        os.environ.setdefault(name, value)
