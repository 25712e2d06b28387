"""Every image's suspicion and suggestion as a table: what `lnl rank` writes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from lnl_core.data import export as files
from lnl_core.data import outputs
from lnl_core.data.layouts import lists
from lnl_core.services import places
from lnl_core.services.in_force import contents, loaded, scored, seen_by, signals
from lnl_core.types import DatasetInfo, LnlError


def rank_rows(info: DatasetInfo, method: str = "consensus") -> Iterator[dict[str, Any]]:
    """Yield one row per image, in the data set's order: what `lnl rank` writes.

    Every column says its direction: `suspicion` and `p_wrong` 1 = wrong, `label_quality` 1 = right.
    All three are blank where the given label is no class, and where no run has seen the image yet.

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
        suspicion, seen = run.suspicion, seen_by(info, ranked.run_ids[method])
        given = np.asarray(data.given_labels)
        ranking = labelled.rank([run], given, info.class_count, None, info.no_classes, [seen])
    names, digests = info.class_names, contents(info)
    for row in range(info.n):
        suggested = int(ranking.suggested_labels[row])
        if row >= seen or int(data.given_labels[row]) in info.no_classes:
            given_label = int(data.given_labels[row])
            unscored = _without_class(data.ids[row], names, given_label, suggested)
            yield unscored | {"content": digests[row]}
            continue
        yield {
            "id": data.ids[row],
            "given_label": names[int(data.given_labels[row])],
            "suggested_label": names[suggested] if suggested >= 0 else "",
            "suspicion": f"{float(suspicion[row]):.6f}",
            "p_wrong": f"{float(ranking.p_wrong[row]):.6f}",
            "label_quality": f"{1 - float(suspicion[row]):.6f}",
            "content": digests[row],
        }


def _without_class(id_: str, names: Sequence[str], given: int, suggested: int) -> dict[str, Any]:
    """Return the row of an image without a class: a suggestion, and no score."""
    return {
        "id": id_,
        "given_label": names[given],
        "suggested_label": names[suggested] if suggested >= 0 else "",
        "suspicion": "",
        "p_wrong": "",
        "label_quality": "",
    }


def write_scores(
    info: DatasetInfo, out: Path, method: str = "consensus", *, force: bool = False
) -> int:
    """Write `rank_rows` to a file, CSV or Parquet by its ending, or a stream; return how many rows.

    Raises:
        LnlError: nothing is scored yet, or a place that cannot or must not be written.
    """
    where = places.output(info.workspace, out, force=force)
    rows = files.Rows(files.COLUMNS["scores"], rank_rows(info, method))
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        if where.parquet:
            count = lists.write_parquet(stream, rows)
        else:
            count = files.write_csv(stream, rows)

    outputs.write(where, write)
    return count
