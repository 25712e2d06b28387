"""Every image's suspicion and suggestion as a table: what `lnl rank` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from lnl_core.data import chances, outputs
from lnl_core.data import export as files
from lnl_core.data.layouts import lists
from lnl_core.methods import taught
from lnl_core.said import command
from lnl_core.services import places
from lnl_core.services.in_force import (
    before_review,
    contents,
    judged_by,
    loaded,
    scored,
    seen_by,
    signals,
    told_of,
    told_words,
    without_class,
)
from lnl_core.types import DatasetInfo, FloatArray, LnlError, Ranking
from lnl_core.views import BEFORE, TOGETHER


def rank_rows(info: DatasetInfo, method: str = "consensus") -> Iterator[dict[str, Any]]:
    """Yield one row per image, in the data set's order: what `lnl rank` writes.

    Every column says its direction: `suspicion` and `p_wrong` 1 = wrong, `label_quality` 1 = right.
    All three are blank where the given label is no class, where no run has seen the image yet, and
    where a run was told the answer, which `told` names. A set with splits has `split` last.

    Args:
        info: the data set.
        method: `consensus`, `before` (as it stood before people gave their first answer), or the
            key of a method.

    Raises:
        LnlError: nothing is scored yet, no ranking from before was kept, or the method has no
            finished run.
    """
    data, (ranking, suspicion, seen, runs) = loaded(info), _order(info, method)
    names, digests = info.class_names, contents(info)
    knew = told_words(info, runs)
    blank = told_of(info, map(str, runs)) | without_class(info)
    blank[seen:] = True
    for row in range(info.n):
        suggested = int(ranking.suggested_labels[row])
        own = float(suspicion[row])
        scores = (own, float(ranking.p_wrong[row]), 1 - own)
        cells = ["" if blank[row] else chances.cell(score) for score in scores]
        yield {
            "id": data.ids[row],
            "given_label": names[int(data.given_labels[row])],
            "suggested_label": names[suggested] if suggested >= 0 else "",
            **dict(zip(("suspicion", "p_wrong", "label_quality"), cells, strict=True)),
            "told": knew.get(row, ""),
            "content": digests[row],
            **({} if data.splits is None else {"split": data.splits[row]}),
        }


def _order(info: DatasetInfo, method: str) -> tuple[Ranking, FloatArray, int, list[int]]:
    """Return a ranking, (n,) the suspicion to write, how many rows are seen, and the runs."""
    ranked = scored(info)
    if ranked is None:
        raise LnlError(
            f"Nothing of “{info.name}” is scored yet. Start a run: {command('run', info.name)}"
        )
    if method == BEFORE:
        ranked = before_review(info)
        if ranked is None:
            raise LnlError(
                f"No ranking of “{info.name}” from before the first answer was kept: people had "
                "answered before its first run was done."
            )
    if method in TOGETHER:
        every = list(ranked.run_ids.values())
        return ranked.ranking, ranked.ranking.suspicion, ranked.seen, every
    if method not in ranked.run_ids:
        raise LnlError(
            f"“{method}” has no finished run on “{info.name}”. Done: {', '.join(ranked.run_ids)}."
        )
    number = ranked.run_ids[method]
    return *_alone(info, number), seen_by(info, number), [number]


def _alone(info: DatasetInfo, number: int) -> tuple[Ranking, FloatArray]:
    """Return the ranking by one run alone, and its own suspicion."""
    from lnl_core.review import labelled

    run = signals(info, number)
    if run is None:
        raise LnlError(f"The files of run {number} are gone. Run it again.")
    ranking = labelled.rank(
        [run],
        np.asarray(loaded(info).given_labels),
        info.class_count,
        None,
        info.no_classes,
        [judged_by(info, number)],
        taught([run.method]),
    )
    return ranking, run.suspicion


def write_scores(
    info: DatasetInfo, out: Path, method: str = "consensus", *, force: bool = False
) -> int:
    """Write `rank_rows` to a file, CSV or Parquet by its ending, or a stream; return how many rows.

    Raises:
        LnlError: nothing is scored yet, or a place that cannot or must not be written.
    """
    where = places.output(info.workspace, out, force=force)
    columns = (*files.COLUMNS["scores"], *files.split_column(loaded(info).splits))
    rows = files.Rows(columns, rank_rows(info, method))
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        if where.parquet:
            count = lists.write_parquet(stream, rows)
        else:
            count = files.write_csv(stream, rows)

    outputs.write(where, write)
    return count
