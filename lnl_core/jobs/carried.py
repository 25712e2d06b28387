"""Chances of a ranking whose runs were told answers: as sure as before the review, corrected once.

A run that was told what people answered holds the rest for right too often: among photographs of
which .79 of the next suspects were wrong it said .32. So its ranking gives the order alone. How
sure one is comes from the ranking of before the review, as the answers correct it, and every page
and file reads that from here on. Answers that come later correct it on
(`services.review.expecting`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from lnl_core.jobs import inputs, splits
from lnl_core.review import labelled, recalibration
from lnl_core.store import arrays, audits, datasets, decisions, found
from lnl_core.types import Action, BoolArray, DatasetInfo, IntArray, LnlError, Ranking

_RIGHT, _WRONG, _UNCLEAR = 1, 2, 3


def as_sure_as_before(
    info: DatasetInfo, ranking: Ranking, runs: Iterable[int], judged: BoolArray
) -> Ranking:
    """Return a ranking with the corrected chances of the one from before the review.

    The same ranking where no run was told anything, or that earlier one was not kept.

    Args:
        info: the data set.
        ranking: of all rows of the set.
        runs: those behind it.
        judged: (n,) True where one of them judges the label; the rest keeps what it has.
    """
    told = np.zeros(info.n, dtype=bool)
    for run in runs:
        told |= inputs.told_rows(info, run)
    told &= judged
    first = _before_review(info) if told.any() else None
    if first is None:
        return ranking
    earlier, scored = first
    given, said = np.asarray(datasets.load(info).given_labels), _said(info)
    labelled_ = ~np.isin(given, info.no_classes)
    clear = scored & labelled_ & ((said == _RIGHT) | (said == _WRONG))
    rows = np.flatnonzero(clear)
    known = recalibration.before(
        np.asarray(earlier.p_wrong)[scored], given[scored], earlier.suggested_labels[scored]
    )
    wanted = np.zeros(info.n)
    wanted[scored] = recalibration.corrected(
        known,
        np.cumsum(scored)[rows] - 1,
        said[rows] == _WRONG,
        np.isin(rows, [each.row for each in audits.draws(info)]),
    )
    p = np.asarray(ranking.p_wrong, np.float64)
    open_ = judged & labelled_ & ~told
    moved = recalibration.as_sure_as(p, wanted, scored & open_ & (said == 0))
    return replace(ranking, p_wrong=np.where(open_, moved, p))


def _before_review(info: DatasetInfo) -> tuple[Ranking, BoolArray] | None:
    """Return the ranking that was kept from before the review, and the rows that it scored."""
    folder = info.directory / "ranking"
    version = arrays.version_before_review(folder)
    try:
        stored = None if version is None else arrays.read_ranking(folder / version)
    except LnlError:  # its files are gone or damaged
        stored = None
    if version is None or stored is None:
        return None
    seen = arrays.ranking_seen(folder, version)
    scored = np.arange(info.n) < (len(stored[0].p_wrong) if seen is None else seen)
    judged = splits.judged_by_any(info.directory / "runs", list(stored[1].values()), info.n)
    ranking = labelled.padded_ranking(stored[0], info.n, info.class_count)
    return ranking, scored if judged is None else scored & judged


def _said(info: DatasetInfo) -> IntArray:
    """Return (n,) what people say of the given labels: 0 for nothing."""
    by_row: dict[int, list[tuple[Action, bool]]] = {}
    for row, action, route, _ in decisions.latest(info):
        if action is not Action.SKIP:
            by_row.setdefault(row, []).append((action, route == decisions.SETTLED))
    said = np.zeros(info.n, np.int8)
    for row, several in by_row.items():
        actions = set(found.counting(several))
        if len(actions) > 1:  # as everywhere: what one is unsure of, another may have settled
            actions.discard(Action.UNSURE)
        if found.found_wrong(actions):
            said[row] = _WRONG
        else:
            said[row] = _RIGHT if actions == {Action.KEEP} else _UNCLEAR
    return said
