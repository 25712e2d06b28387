"""A simulated review watched to its end: was a limit ever false, and how much was to spare?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from lnl_core.review import auditing


class Reviewed(Protocol):
    """A review that goes on step by step."""

    draws: Sequence[Any]

    @property
    def open(self) -> np.ndarray:
        """(n,) True where nobody has answered."""

    def step(self) -> None:
        """Answer some images."""

    def limits(self) -> tuple[int, int, int]:
        """Return the truth, the plain limit and the corrected one."""


def watched(one: Reviewed, look: int) -> tuple[bool, bool, int, int]:
    """Return whether the plain and the corrected limit were ever false, and what is to spare.

    The latter at three quarters of the set, and in the end.

    Args:
        one: the review.
        look: draws between two looks.
    """
    plain = corrected = False
    later, last = None, 0
    while one.open.any():
        one.step()
        audits = len(one.draws)
        if one.open.any() and (audits < auditing.ENOUGH or audits % look):
            continue
        truth, simple, careful = one.limits()
        plain |= simple < truth
        corrected |= careful < truth
        if later is None and one.open.mean() <= 0.25:
            later = careful - truth
        last = careful - truth
    return plain, corrected, last if later is None else later, last
