"""When the warm-up ends: after a number of epochs, or as soon as held-out labels say so.

A tenth of the rows is kept from learning during the warm-up; from then on they are chosen like any
other. How often the network predicts their labels tells what it knows, not what it remembers, and
costs nothing: it is seen in the training pass. Once it names most of them, what it agrees with is
enough to learn from. An end before that is worse than none: what the network does not agree with is
not learned from, so that most right labels would be lost (docs/methods/jump.md, 3).
"""

from __future__ import annotations

import torch
from torch import Tensor

from lnl_core.learning.holding_out import SHARE, beats_chance, held_out
from lnl_core.learning.training import Session
from lnl_core.types import BoolArray, IntArray

MAJORITY = 2 / 3
"""Share of the held-out labels that the network must predict; half was too soon, as measured in
docs/methods/jump.md."""

FEWEST = 20
"""Fewest held-out rows that may decide."""


class WarmUp:
    """Which rows learn during the warm-up, and the epoch from which the selection counts.

    Args:
        session: has the tensor `started` (1,), -1 until the warm-up is over.
        most: epochs that it takes at most; `least` at least.
        by_rule: whether held-out rows may end it earlier.
        seed: of the choice of these rows.
        trusted: (n,) rows that a person confirmed, never held out; or None.
        groups: (n,) first row of each row's copies, held out together; or None.
    """

    def __init__(
        self,
        session: Session,
        most: int,
        *,
        least: int = 1,
        by_rule: bool = False,
        seed: int = 0,
        trusted: BoolArray | None = None,
        groups: IntArray | None = None,
    ) -> None:
        self._session, self._most, self._least = session, most, least
        held = held_out(session.n, SHARE if by_rule else 0.0, seed, trusted, groups)
        if int(held.sum()) < FEWEST:
            held = torch.zeros_like(held)
        self._held = held.to(session.device)
        self._decides = bool(held.any())
        self._right = torch.zeros((), device=session.device)

    @property
    def started(self) -> int:
        """Epoch from which on the selection counts, -1 while that is open."""
        return int(self._session.tensors["started"].item())

    def lasts(self, epoch: int) -> bool:
        """Say whether an epoch belongs to the warm-up."""
        return not 0 <= self.started <= epoch

    def learns(self, rows: Tensor) -> Tensor:
        """Return which rows (b,) are learned from during the warm-up, (b,) bool."""
        return ~self._held[rows]

    def saw(self, rows: Tensor, agree: Tensor) -> None:
        """Count which rows (b,) were predicted as given, (b,) bool, in the training pass."""
        if self._decides:
            self._right += (agree & self._held[rows]).sum()

    def end(self, epoch: int) -> None:
        """Close an epoch of the warm-up, and decide whether it was the last."""
        session, over = self._session, epoch + 1 >= self._most
        if self._decides:
            labels = session.labels[self._held]
            known = self._right.item() / len(labels)
            session.note("held_out_agreement", known)
            able = known > MAJORITY and beats_chance(known, labels, session.k)
            over = over or (able and epoch + 1 >= self._least)
            self._right.zero_()
        if over:
            session.tensors["started"].fill_(epoch + 1)
