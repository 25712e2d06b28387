"""Exports that are a folder of files: written as a folder, or as one zip of it."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from lnl_core.data import outputs
from lnl_core.data.layouts import cleanlab, fiftyone, folder, label_studio, placing
from lnl_core.data.layouts.cleaned import Cleaned
from lnl_core.services import places
from lnl_core.services.export import facts, single_run
from lnl_core.store import datasets
from lnl_core.store.files import is_short
from lnl_core.types import DatasetInfo


def split_folders(info: DatasetInfo) -> list[str]:
    """Return the folders that a set's splits become; none where it has no splits."""
    divided = datasets.splits(info)
    if divided is None:
        return []
    names, codes = divided
    return [*names, *([folder.UNSPLIT] if (codes < 0).any() else [])]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written.

    Attributes:
        path: the file or folder; None for a stream.
        rows: lines, images or tasks.
        left_out: images that reviewers have not settled, or that have no one right class.
        problems: sentences about what else was left out.
        source: which run's probabilities it holds, in words, where it holds one run's.
        notes: sentences about what else to know of it.
    """

    path: Path | None
    rows: int
    left_out: int
    problems: tuple[str, ...] = ()
    source: str = ""
    notes: tuple[str, ...] = ()


def write(
    info: DatasetInfo,
    data: Cleaned,
    format: str,
    out: Path | IO[bytes],
    images: str,
    *,
    force: bool = False,
    report: placing.Report | None = None,
) -> ExportResult:
    """Write a format that is a folder: to a new folder, or as a zip to a file or stream.

    Args:
        info: the data set.
        data: the set with the decisions in force applied.
        format: a key of `FORMATS` whose folder is True.
        out: the folder to make, `NAME.zip`, `-`, a pipe, or a binary stream.
        images: `copy`, `link` or `none`.
        force: a zip that is there may be replaced; a folder never is.
        report: told (done, total) while a folder is written; may raise to stop.

    Raises:
        LnlError: no room, or a place that cannot or must not be written.
    """
    if not isinstance(out, Path):
        return _zipped(info, data, format, out, images)
    if not as_zip(out):
        place = places.folder(info, out)
        return replace(_written(info, data, format, place, images, report), path=out)
    where = places.output(info.workspace, out, (".zip",), force=force)
    made: list[ExportResult] = []

    def pack(stream: IO[bytes]) -> None:
        made.append(_zipped(info, data, format, stream, images))

    outputs.write(where, pack, binary=True)
    return replace(made[0], path=where.path)


def as_zip(out: Path) -> bool:
    """Say whether a folder goes out as one zip: to `-`, a pipe, or a file that ends so."""
    if str(out) == outputs.STDOUT or out.suffix.lower() == ".zip":
        return not out.is_dir()
    return out.is_fifo() or out.is_char_device()


def _written(
    info: DatasetInfo,
    data: Cleaned,
    format: str,
    out: Path,
    images: str,
    report: placing.Report | None = None,
) -> ExportResult:
    source = ""
    if format == "cleanlab":
        single = single_run.choose(info)
        made = cleanlab.write(data, out, single.probs, single.words, report=report)
        source = single.words
    else:
        write_layout = {
            "folder": folder.write,
            "fiftyone": fiftyone.write,
            "label-studio": label_studio.write,
        }[format]
        made = write_layout(data, out, images=images, report=report)
    facts.write(info, out, made.problems)
    complete = format in ("cleanlab", "label-studio")
    left_out = 0 if complete else data.left_out
    problems, notes = tuple(made.problems), tuple(made.notes)
    return ExportResult(out, made.rows, left_out, problems, source, notes)


def _zipped(
    info: DatasetInfo, data: Cleaned, format: str, stream: IO[bytes], images: str
) -> ExportResult:
    """Write a folder where there is room, zip it into the stream, and remove it."""
    home = info.workspace.home
    home.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".export-", dir=None if is_short(home) else home))
    try:
        made = _written(info, data, format, scratch / format, images)
        with zipfile.ZipFile(
            stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False
        ) as archive:  # files may be dated before 1980
            for path in sorted((scratch / format).rglob("*")):
                archive.write(path, path.relative_to(scratch))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return replace(made, path=None)
