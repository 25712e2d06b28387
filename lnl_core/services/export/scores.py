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
from lnl_core.services import places
from lnl_core.services.in_force import (
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
from lnl_core.types import DatasetInfo, LnlError


def rank_rows(info: DatasetInfo, method: str = "consensus") -> Iterator[dict[str, Any]]:
    """Yield one row per image, in the data set's order: what `lnl rank` writes.

    Every column says its direction: `suspicion` and `p_wrong` 1 = wrong, `label_quality` 1 = right.
    All three are blank where the given label is no class, where no run has seen the image yet, and
    where a run was told the answer, which `told` names. A set with splits has `split` last.

    Raises:
        LnlError: nothing is scored yet, or the method has no finished run.
    """
    from lnl_core.review import labelled

    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{info.name}” is scored yet. Start a run: lnl run …")
    data = loaded(info)
    ranking = ranked.ranking
    suspicion, seen = ranking.suspicion, ranked.seen
    if method != "consensus":
        if method not in ranked.run_ids:
            raise LnlError(
                f"“{method}” has no finished run on “{info.name}”. "
                f"Done: {', '.join(ranked.run_ids)}."
            )
        run = signals(info, ranked.run_ids[method])
        if run is None:
            raise LnlError(f"The files of run {ranked.run_ids[method]} are gone. Run it again.")
        number = ranked.run_ids[method]
        suspicion, seen = run.suspicion, seen_by(info, number)
        given = np.asarray(data.given_labels)
        ranking = labelled.rank(
            [run],
            given,
            info.class_count,
            None,
            info.no_classes,
            [judged_by(info, number)],
            taught([run.method]),
        )
    names, digests = info.class_names, contents(info)
    runs = list(ranked.run_ids.values()) if method == "consensus" else [ranked.run_ids[method]]
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
