"""What the queue can be narrowed to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lnl_core.services.datasets import copied
from lnl_core.services.explore.selections import selection_rows
from lnl_core.services.in_force import Scored, Standing, closed_to, loaded, signals
from lnl_core.services.team import parts
from lnl_core.store import datasets
from lnl_core.types import BoolArray, DatasetInfo


@dataclass(frozen=True, slots=True)
class Filters:
    """What the queue is narrowed to; empty means everything that is open.

    Attributes:
        given: only this given class.
        suggested: only this suggested class.
        method: only rows that this method, alone, calls wrong.
        include_reviewed: also what has an answer already.
        rows: only these rows (a selection made elsewhere).
        selection: only the rows of the stored selection of this name; nothing where it is gone.
        to_label: only images whose given label is no class; other queues hold none of them, unless
            rows, a selection or such a label are asked for.
        split: only images that came in this split, blank for those in none.
        copies: only images whose picture comes more than once, of a kind (`copied.KINDS`).
    """

    given: int | None = None
    suggested: int | None = None
    method: str | None = None
    include_reviewed: bool = False
    rows: tuple[int, ...] = ()
    selection: str | None = None
    to_label: bool = False
    copies: str | None = None
    split: str | None = None


def excluded(
    info: DatasetInfo, ranked: Scored, reviewer: str, filters: Filters, now: Standing
) -> BoolArray:
    """Return (n,) True where a row is not to be shown, by the decisions of `now`."""
    n = info.n
    out = np.zeros(n, dtype=bool) if filters.include_reviewed else closed_to(now, reviewer)
    no_class = now.no_class
    chosen = bool(filters.rows) or filters.selection is not None  # by hand: whoever's part it is
    if not chosen and (foreign := parts.outside(info, reviewer)) is not None:
        out |= foreign
    if filters.to_label:
        out |= ~no_class
    elif not filters.rows and filters.selection is None and filters.given not in info.no_classes:
        out |= no_class
    if filters.rows:
        wanted = np.zeros(n, dtype=bool)
        wanted[[row for row in filters.rows if 0 <= row < n]] = True
        out |= ~wanted
    if filters.selection is not None:
        outside = np.ones(n, dtype=bool)
        outside[selection_rows(info, filters.selection)] = False
        out |= outside
    if filters.split is not None and (divided := datasets.splits(info)) is not None:
        names, codes = divided
        there = {name: code for code, name in enumerate(names)} | {"": -1}
        out |= codes != there.get(filters.split, len(names))
    if filters.copies is not None:
        once = np.ones(n, dtype=bool)
        once[copied.rows_of(info, filters.copies)] = False
        out |= once
    if filters.given is not None:
        out |= np.asarray(loaded(info).given_labels) != filters.given
    if filters.suggested is not None:
        out |= np.asarray(ranked.ranking.suggested_labels) != filters.suggested
    if filters.method is not None:
        run = signals(info, ranked.run_ids.get(filters.method, -1))
        if run is not None:
            out |= np.asarray(run.suspicion) <= 0.5
    return out
