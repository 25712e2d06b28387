"""What leaves the desk, and what comes back: corrections, decisions, scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from lnl_core.data import export as files
from lnl_core.services._open import loaded, scored, signals
from lnl_core.store import datasets, decisions
from lnl_core.store.arrays import write_atomic
from lnl_core.store.db import Workspace
from lnl_core.types import Action, Decision, LnlError

FORMATS = ("corrections", "decisions")


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written: `rows` lines, `left_out` images that reviewers have not settled."""

    path: Path | None
    rows: int
    left_out: int


def _accepted(ws: Workspace, name: str, only_agreed: bool) -> tuple[list[Decision], int]:
    """Return the verdicts that change a label, by row, and how many wait for a second reviewer."""
    info = datasets.dataset(ws, name)
    chosen, left_out = [], 0
    for _row, several in sorted(decisions.in_force(ws, info).items()):
        verdict = decisions.verdict(several)
        if verdict.waiting or (only_agreed and not verdict.agreed):
            left_out += 1
        elif verdict.decision is not None and verdict.decision.action is not Action.KEEP:
            chosen.append(verdict.decision)
    return chosen, left_out


def correction_rows(
    ws: Workspace, name: str, *, only_agreed: bool = True, scores: bool = False
) -> tuple[Iterator[dict[str, Any]], int, int]:
    """Return (rows of the corrections CSV as dicts, how many rows, how many are left out)."""
    info = datasets.dataset(ws, name)
    chosen, left_out = _accepted(ws, name, only_agreed)
    data = loaded(info)
    ranked = scored(info)
    runs = {}
    if scores and ranked is not None:
        runs = {
            key: found.suspicion
            for key, run_id in ranked.run_ids.items()
            if (found := signals(info, run_id)) is not None
        }
    rows = files.correction_rows(
        chosen,
        ids=data.ids,
        paths=data.paths,
        given_labels=data.given_labels,
        class_names=info.class_names,
        p_wrong=None if ranked is None else ranked.ranking.p_wrong,
        suspicion=None if ranked is None else ranked.ranking.suspicion,
        suggested_labels=None if ranked is None else ranked.ranking.suggested_labels,
        method_suspicions=runs,
    )
    return rows, len(chosen), left_out


def decision_rows(ws: Workspace, name: str) -> Iterator[dict[str, Any]]:
    """Return every answer ever given, oldest first, as rows of the decisions CSV."""
    info = datasets.dataset(ws, name)
    data = loaded(info)
    return files.decision_rows(
        decisions.history(ws, info),
        ids=data.ids,
        paths=data.paths,
        given_labels=data.given_labels,
        class_names=info.class_names,
    )


def export(
    ws: Workspace,
    name: str,
    format: str,
    out: Path | IO[bytes],
    *,
    only_agreed: bool = True,
    safe: bool = True,
    scores: bool = True,
) -> ExportResult:
    """Write one format to a file (atomically) or a binary stream.

    Args:
        ws: the workspace.
        name: the data set.
        format: `corrections` or `decisions`.
        out: file or stream.
        only_agreed: leave out images on which reviewers contradict each other.
        safe: keep spreadsheets from running cells as formulas.
        scores: add one suspicion column per method.

    Raises:
        LnlError: an unknown format.
    """
    if format not in FORMATS:
        raise LnlError(f"There is no format “{format}”. Known: {', '.join(FORMATS)}.")
    left_out = 0
    if format == "corrections":
        rows, _, left_out = correction_rows(ws, name, only_agreed=only_agreed, scores=scores)
    else:
        rows = decision_rows(ws, name)
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        count = files.write_csv(stream, rows, format=format, safe=safe)

    if isinstance(out, Path):
        write_atomic(out, write)
        return ExportResult(out, count, left_out)
    write(out)
    return ExportResult(None, count, left_out)


def import_decisions(
    ws: Workspace, name: str, file: Path | IO[bytes], reviewer: str
) -> tuple[int, list[str]]:
    """Store decisions made elsewhere; return (how many were stored, problems row by row).

    The file needs the columns id and action, and label where the action has one.
    """
    info = datasets.dataset(ws, name)
    entries, problems = files.read_decisions(
        file,
        class_names=info.class_names,
        positions=loaded(info).ids.positions,  # type: ignore[attr-defined]
    )
    ranked = scored(info)
    given = loaded(info).given_labels
    made = [
        Decision(
            row=entry.row,
            action=entry.action,
            reviewer=entry.reviewer or reviewer,
            label=entry.label,
            labels=entry.labels,
            given_label=int(given[entry.row]),
            suggested_label=None
            if ranked is None
            else int(ranked.ranking.suggested_labels[entry.row]),
            p_wrong=None if ranked is None else float(ranked.ranking.p_wrong[entry.row]),
            decided_at=entry.decided_at,
            mode="import",
            route="import",
        )
        for entry in entries
    ]
    decisions.append(ws, info, made)
    return len(made), problems


def rank_rows(ws: Workspace, name: str, method: str = "consensus") -> Iterator[dict[str, Any]]:
    """Yield one row per image, in the data set's order: what `lnl rank` writes.

    Every column says its direction: `suspicion` and `p_wrong` 1 = wrong, `label_quality` 1 = right.

    Raises:
        LnlError: nothing is scored yet, or the method has no finished run.
    """
    from lnl_core.review import consensus

    info = datasets.dataset(ws, name)
    ranked = scored(info)
    if ranked is None:
        raise LnlError(f"Nothing of “{name}” is scored yet. Start a run: lnl run …")
    data = loaded(info)
    ranking = ranked.ranking
    suspicion = ranking.suspicion
    if method != "consensus":
        if method not in ranked.run_ids:
            raise LnlError(
                f"“{method}” has no finished run on “{name}”. Done: {', '.join(ranked.run_ids)}."
            )
        found = signals(info, ranked.run_ids[method])
        if found is None:
            raise LnlError(f"The files of run {ranked.run_ids[method]} are gone. Run it again.")
        suspicion = found.suspicion
        ranking = consensus.rank([found], np.asarray(data.given_labels), info.class_count)
    names = info.class_names
    for row in range(info.n):
        suggested = int(ranking.suggested_labels[row])
        yield {
            "id": data.ids[row],
            "given_label": names[int(data.given_labels[row])],
            "suggested_label": names[suggested] if suggested >= 0 else "",
            "suspicion": f"{float(suspicion[row]):.6f}",
            "p_wrong": f"{float(ranking.p_wrong[row]):.6f}",
            "label_quality": f"{1 - float(suspicion[row]):.6f}",
        }


def write_scores(ws: Workspace, name: str, out: Path, method: str = "consensus") -> int:
    """Write `rank_rows` to a CSV file, atomically; return how many rows."""
    rows = rank_rows(ws, name, method)
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        count = files.write_csv(stream, rows, format="scores", safe=True)

    write_atomic(out, write)
    return count
