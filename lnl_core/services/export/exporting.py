"""What leaves the desk: tables, and layouts that other tools read."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import IO

import numpy as np

from lnl_core.data import export as files
from lnl_core.data import outputs
from lnl_core.data.layouts import cleaned as cleaning
from lnl_core.data.layouts import cleanlab, label_studio, lists, placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.jobs import purified as purifying
from lnl_core.services import places
from lnl_core.services.export import folders
from lnl_core.services.export.folders import ExportResult as ExportResult
from lnl_core.services.export.folders import as_zip as as_zip
from lnl_core.services.export.formats import FORMATS, Format
from lnl_core.services.export.scores import rank_rows as rank_rows
from lnl_core.services.export.scores import write_scores as write_scores
from lnl_core.services.in_force import (
    contents,
    loaded,
    scored,
    signals,
    told,
    told_of,
    told_words,
    unjudged,
)
from lnl_core.store import datasets, decisions
from lnl_core.types import Action, DatasetInfo, Decision, FloatArray, LnlError, Workspace


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What an export of a folder would take.

    Attributes:
        rows: images or tasks that it will hold.
        left_out: images without one right class (`multiple`, `none`).
        unsettled: images that keep their given label because reviewers have not settled them.
        files: images to write; `size` bytes in all, about; `free` bytes are free there.
        originals: False where working copies are written, because the set came as arrays.
        missing: originals that are not where they were and will be left out.
        sampled: files, size and missing are estimated, from a part of the files.
        notes: sentences about what else to know before it is written.
    """

    rows: int
    left_out: int
    unsettled: int
    files: int
    size: int
    free: int
    originals: bool
    missing: int
    sampled: bool
    notes: tuple[str, ...] = ()


def _accepted(info: DatasetInfo, only_agreed: bool) -> tuple[list[Decision], int]:
    """Return the verdicts that change a label, by row, and how many wait for a second reviewer."""
    chosen, left_out = [], 0
    for _row, several in sorted(decisions.in_force(info, auto=True).items()):
        verdict = decisions.verdict(several)
        if verdict.waiting or (only_agreed and not verdict.agreed):
            left_out += 1
        elif verdict.decision is not None and verdict.decision.action is not Action.KEEP:
            chosen.append(verdict.decision)
    return chosen, left_out


def correction_counts(info: DatasetInfo, *, only_agreed: bool = True) -> Counter[str]:
    """Count the accepted corrections by action."""
    return Counter(str(each.action) for each in _accepted(info, only_agreed)[0])


def answer_counts(info: DatasetInfo) -> Counter[str]:
    """Count every answer ever given by action, those taken back too."""
    return Counter(str(each.action) for each in decisions.history(info))


def correction_rows(
    info: DatasetInfo, *, only_agreed: bool = True, scores: bool = False
) -> tuple[files.Rows, int, int]:
    """Return (rows of the corrections CSV as dicts, how many rows, how many are left out)."""
    chosen, left_out = _accepted(info, only_agreed)
    data = loaded(info)
    ranked = scored(info)
    runs = {}
    if scores and ranked is not None:
        runs = {
            key: np.where(told_of(info, [str(run_id)]), np.nan, run.suspicion)
            for key, run_id in ranked.run_ids.items()
            if (run := signals(info, run_id)) is not None
        }
    rows = files.correction_rows(
        chosen,
        ids=data.ids,
        paths=data.paths,
        given_labels=data.given_labels,
        class_names=info.class_names,
        p_wrong=None if ranked is None else _judged(info, ranked.ranking.p_wrong),
        suspicion=None if ranked is None else _judged(info, ranked.ranking.suspicion),
        suggested_labels=None if ranked is None else ranked.ranking.suggested_labels,
        method_suspicions=runs,
        told=told_words(info),
        content=contents(info),
        splits=data.splits,
    )
    return rows, len(chosen), left_out


def _judged(info: DatasetInfo, values: FloatArray) -> FloatArray:
    """Return scores of the ranking, NaN where it has none: see `unjudged`."""
    return np.where(unjudged(info), np.nan, values)


def decision_rows(info: DatasetInfo) -> files.Rows:
    """Return every answer ever given, oldest first, as rows of the decisions CSV."""
    data = loaded(info)
    return files.decision_rows(
        decisions.history(info),
        ids=data.ids,
        paths=data.paths,
        given_labels=data.given_labels,
        class_names=info.class_names,
        content=contents(info),
        splits=data.splits,
        told=told_words(info),
    )


def trail_rows(info: DatasetInfo, reviewer: str | None = None) -> files.Rows:
    """Return every stored decision, or one reviewer's, with all its fields: the audit trail."""
    data = loaded(info)
    return lists.trail_rows(
        decisions.history(info, reviewer=reviewer),
        ids=data.ids,
        paths=data.paths,
        given_labels=data.given_labels,
        class_names=info.class_names,
        content=contents(info),
        splits=data.splits,
        told=told_words(info),
    )


def write_trail(info: DatasetInfo, out: IO[bytes], reviewer: str | None = None) -> int:
    """Write the audit trail, or one reviewer's, as CSV; return how many decisions are in it."""
    return files.write_csv(out, trail_rows(info, reviewer), safe=True)


DECIDED = ("kept", "relabelled")
"""Verdicts by which people chose the one right class."""


def manifest_rows(
    info: DatasetInfo, *, only_agreed: bool = True, purified: bool = False
) -> tuple[files.Rows, int, int]:
    """Return (rows of the cleaned manifest, how many rows, how many have no one right class).

    With `purified`, images that nobody has decided on carry the label of the newest run of a
    purifier, and a column `label_by` says whose each label is.

    Raises:
        LnlError: labels are to be purified, and no run has done so.
    """
    data = cleaned(info, only_agreed=only_agreed)
    if not purified:
        return lists.manifest_rows(data), len(data.rows()), data.left_out
    number, labels = purifying.latest(info)
    open_ = data.verdicts == cleaning.VERDICTS.index("unreviewed")
    own = open_ & (labels >= 0)
    data = replace(data, labels=np.where(own, labels, data.labels).astype(np.int32))
    decided = np.isin(data.verdicts, [cleaning.VERDICTS.index(each) for each in DECIDED])
    auto = data.verdicts == cleaning.VERDICTS.index("auto")
    whose = np.where(decided, "people", np.where(auto, "auto-fix, not reviewed", "given"))
    whose = np.where(own, f"run {number}, not reviewed", whose)
    table = lists.with_column(lists.manifest_rows(data), "label_by", whose[data.rows()].tolist())
    return table, len(data.rows()), data.left_out


def cleaned(info: DatasetInfo, *, only_agreed: bool = True, safe: bool = True) -> Cleaned:
    """Return a data set with the decisions in force applied.

    Args:
        info: the data set.
        only_agreed: images on which reviewers contradict each other keep their given label;
            else the latest decision counts.
        safe: protect cells of CSV that a spreadsheet would run as formulas.
    """
    ranked = scored(info)
    version = "" if ranked is None else ranked.version
    result = _cleaned(info, only_agreed, decisions.last_id(info), version)
    return replace(result, safe=safe, runs_told=told_words(info))


@lru_cache(maxsize=4)
def _cleaned(info: DatasetInfo, only_agreed: bool, _last_id: int, _version: str) -> Cleaned:
    """Apply the decisions once; the key holds what changes the result."""
    in_force = decisions.in_force(info, auto=True)

    def judged() -> Iterator[tuple[int, Decision | None, bool, bool]]:
        for row, several in in_force.items():
            verdict = decisions.verdict(several)
            contradicted = only_agreed and not verdict.agreed
            yield row, verdict.decision, contradicted, verdict.waiting

    ranked = scored(info)
    return cleaning.apply(
        loaded(info),
        in_force,
        judged(),
        root=_root(info),
        ranking=None if ranked is None else ranked.ranking,
        no_classes=info.no_classes,
        content=contents(info),
        seen=None if ranked is None else ranked.seen,
        told=told(info),
        links=datasets.follows_links(info),
    )


def verdict_counts(info: DatasetInfo, *, only_agreed: bool = True) -> dict[str, int]:
    """Return how many images there are of each of `layouts.cleaned.VERDICTS`."""
    data = cleaned(info, only_agreed=only_agreed)
    counts = np.bincount(data.verdicts, minlength=len(cleaning.VERDICTS))
    return {word: int(count) for word, count in zip(cleaning.VERDICTS, counts, strict=True)}


def export_folder(info: DatasetInfo, format: str) -> Path:
    """Return a folder that does not exist yet, in the workspace, for an export to go to."""
    parent = info.workspace.home / "exports"
    slug = re.sub(r"[^a-z0-9]+", "-", info.name.lower()).strip("-")[:40] or "set"
    return next(
        path
        for number in itertools.count(1)
        if not (path := parent / f"{slug}-{format}{f'-{number}' if number > 1 else ''}").exists()
    )


def allowed_target(ws: Workspace, text: str) -> Path:
    """Return the folder that a person typed, where the browser may write.

    Where `LNL_DATA_ROOTS` limits what can be opened, it limits this too, beside the workspace's
    `exports`; links are followed first, so none leads out.

    Raises:
        LnlError: blank, not a whole path, or outside.
    """
    typed = Path(text.strip()).expanduser()
    if not text.strip() or "\0" in text or not typed.is_absolute():
        raise LnlError("Type the whole path of a new folder, on the computer that runs LNL Review.")
    try:
        path = typed.resolve()
    except (OSError, RuntimeError) as error:
        raise LnlError(f"{text.strip()} is no path that can be used. Type another one.") from error
    roots = [Path(r) for r in os.environ.get("LNL_DATA_ROOTS", "").split(os.pathsep) if r]
    if roots and not any(
        path.is_relative_to(root.expanduser().resolve()) for root in (*roots, ws.home / "exports")
    ):
        raise LnlError(
            f"{path} is outside the folders that may be written here. Choose one inside "
            f"{ws.home / 'exports'}, or add its folder to LNL_DATA_ROOTS."
        )
    return path


def _root(info: DatasetInfo) -> Path | None:
    """Return where the originals lie; an unpacked zip's lie beside its arrays."""
    return None if info.root is None else (info.directory / info.root).resolve()


def plan_export(
    info: DatasetInfo, format: str, out: Path, *, images: str = "", only_agreed: bool = True
) -> ExportPlan:
    """Say what an export to a folder would take, before anything is written.

    Raises:
        LnlError: an unknown format or way with images, a folder that cannot be used, or originals
            that Label Studio could only read if it served all of a disk or of somebody's home.
    """
    known = _format(format)
    images = _images(format, images)
    data = cleaned(info, only_agreed=only_agreed)
    out = places.folder(info, out)
    placing.check_target(out, data)
    notes = label_studio.foreseen(data, images) if format == "label-studio" else []
    complete = format in ("cleanlab", "label-studio")
    rows = np.arange(len(data.data)) if complete else data.rows()
    if format == "cleanlab":
        needed = cleanlab.need(data, out)
    else:
        needed = placing.need(data, rows, out, images if known.images else "none")
    words = [cleaning.VERDICTS.index(word) for word in ("waiting", "contradicted")]
    return ExportPlan(
        rows=len(rows),
        left_out=0 if complete else data.left_out,
        unsettled=int(np.isin(data.verdicts, words).sum()),
        files=needed.files,
        size=needed.size,
        free=needed.free,
        originals=needed.originals,
        missing=needed.missing,
        sampled=len(rows) > placing.SAMPLE,
        notes=tuple(notes),
    )


def _format(format: str) -> Format:
    if format not in FORMATS:
        raise LnlError(f"There is no format “{format}”. Known: {', '.join(FORMATS)}.")
    return FORMATS[format]


def _images(format: str, images: str) -> str:
    """Return what to do with the images: what was asked for, else the format's default."""
    choices = FORMATS[format].images
    if not images:
        return choices[0] if choices else "none"
    if images not in choices:
        known = ", ".join(choices) or "nothing to choose"
        raise LnlError(f"“{images}” is no way that {format} can treat images. Known: {known}.")
    return images


def write_export(
    info: DatasetInfo,
    format: str,
    out: Path | IO[bytes],
    *,
    only_agreed: bool = True,
    safe: bool = True,
    scores: bool = True,
    images: str = "",
    purified: bool = False,
    force: bool = False,
    report: placing.Report | None = None,
) -> ExportResult:
    """Write one format to a file (whole or not at all), a new folder, or a binary stream.

    Args:
        info: the data set.
        format: a key of `FORMATS`.
        out: a file, which becomes Parquet where it ends so, or the folder to make; a stream,
            a pipe, `-` for standard output and, of a folder, `NAME.zip` get CSV, or a zip of the
            folder.
        only_agreed: leave out (corrections) or leave as given (layouts) images on which reviewers
            contradict each other.
        safe: keep spreadsheets from running cells as formulas.
        scores: add one suspicion column per method (corrections).
        images: `copy`, `link` or `none`, where the format has them; its default when blank.
        purified: labels of a purifier where nobody has decided (manifest).
        force: a file that is there may be replaced; a folder never is.
        report: told (done, total) while a folder is written; may raise to stop.

    Raises:
        LnlError: an unknown format, no room, or a place that cannot or must not be written.
    """
    known = _format(format)
    images = _images(format, images)
    if known.folder:
        data = cleaned(info, only_agreed=only_agreed, safe=safe)
        return folders.write(info, data, format, out, images, force=force, report=report)
    where = places.output(info.workspace, out, force=force) if isinstance(out, Path) else None
    table, left_out = _table(info, format, only_agreed, scores, purified)
    count = 0

    def write(stream: IO[bytes]) -> None:
        nonlocal count
        if where is not None and where.parquet:
            count = lists.write_parquet(stream, table)
        else:
            count = files.write_csv(stream, table, safe=safe)

    if isinstance(out, Path):
        assert where is not None
        outputs.write(where, write)
        return ExportResult(where.path, count, left_out)
    write(out)
    return ExportResult(None, count, left_out)


def _table(
    info: DatasetInfo, format: str, only_agreed: bool, scores: bool, purified: bool
) -> tuple[files.Rows, int]:
    """Return the rows of a format that is one table, and how many images are left out."""
    if format == "corrections":
        table, _, left_out = correction_rows(info, only_agreed=only_agreed, scores=scores)
        return table, left_out
    if format == "manifest":
        table, _, left_out = manifest_rows(info, only_agreed=only_agreed, purified=purified)
        return table, left_out
    return (trail_rows(info) if format == "audit-trail" else decision_rows(info)), 0
