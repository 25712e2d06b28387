"""What is still open where a queue ends: what was put off, and what people have to settle."""

from __future__ import annotations

from dataclasses import dataclass

from lnl_core.services.review.filtering import WAITS, Filters, matching
from lnl_core.services.team import settling
from lnl_core.types import DatasetInfo


@dataclass(frozen=True, slots=True)
class Waiting:
    """Counts of images.

    `put_off` were skipped or are unsure and open to this person again; `disagreements` are to be
    settled; of `unsure` somebody is unsure, and nobody has settled them.
    """

    put_off: int
    disagreements: int
    unsure: int


def waiting(info: DatasetInfo, reviewer: str) -> Waiting:
    """Return what is still open for this person and for all."""
    doubted = {row for rows in settling.unsure(info).values() for row in rows}
    return Waiting(
        put_off=matching(info, reviewer, Filters(verdict=WAITS)),
        disagreements=len(settling.contradictions(info)),
        unsure=len(doubted),
    )
