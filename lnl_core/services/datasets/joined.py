"""The arrays and the table of a set with what is added to it, written beside the old ones."""

from __future__ import annotations

import os
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import content, copies, joining
from lnl_core.data.writing import disk_error
from lnl_core.services.in_force import contents, loaded
from lnl_core.store import arrays, datasets
from lnl_core.store.table import read_table
from lnl_core.types import (
    DatasetInfo,
    IntArray,
    LnlError,
)


@dataclass(slots=True)
class Batch:
    """The images of a source that are new to the set, with the names they get there.

    `conflicts` are (id there, id here, label there, label here) of images that both have. `number`
    turns a label of the source into one of the set, -1 where nobody uses it. `listed` are
    (row, label) of images that the set has and the source labels otherwise, both labels of each.
    """

    info: DatasetInfo
    folder: Path
    meta: dict[str, Any]
    rows: IntArray
    ids: list[str]
    paths: list[str | None]
    labels: IntArray
    names: list[str]
    number: IntArray
    known: list[tuple[str, str]]
    renamed: list[tuple[str, str]]
    notes: list[str]
    conflicts: list[tuple[str, str, str, str]]
    listed: list[tuple[int, int]]


def written(batch: Batch) -> Path:
    """Write the arrays of the larger set beside the old ones, in a folder that is this call's own.

    `adopt` puts them in their place, once nobody else's can be there.

    Raises:
        LnlError: the disk is full, or somebody else has added images meanwhile.
    """
    info = batch.info
    part = info.directory / f".grown-{uuid.uuid4().hex}.{os.getpid()}.part"
    part.mkdir()
    try:
        read = arrays.read_array(batch.folder / "images.npy")
        joining.write_images(part, loaded(info).images, read, batch.rows)
        _write_table(batch, part)
        given = np.asarray(loaded(info).given_labels)
        arrays.write_array(
            part / "given_labels.npy", np.concatenate([given, batch.labels]).astype(np.int32)
        )
        joining.write_truth(part, info.arrays, batch.folder, batch.rows, batch.number)
        old, new = contents(info), content.noted(batch.folder)
        content.write(
            part,
            np.asarray(old.pixels).tobytes() + np.asarray(new.pixels)[batch.rows].tobytes(),
            _file_digests(old, np.arange(info.n)) + _file_digests(new, batch.rows),
        )
        copies.noted(part, copies.outlined(info.arrays))
    except BaseException as error:
        shutil.rmtree(part, ignore_errors=True)
        if isinstance(error, FileNotFoundError):
            check_same(info, datasets.read_meta(info))
        if isinstance(error, OSError):
            raise disk_error(error) from error
        raise
    return part


def check_same(info: DatasetInfo, meta: dict[str, Any]) -> None:
    """Check that a set has not got more images or classes since.

    Raises:
        LnlError: it has.
    """
    same = len(meta.get("additions", ())) == len(info.additions)
    if not same or tuple(meta["class_names"]) != info.class_names:
        raise LnlError(f"“{info.name}” was changed meanwhile. Add the images again.")


def adopt(info: DatasetInfo, part: Path) -> None:
    """Put a larger set's arrays where `meta.json` is about to name them; call it in `change_meta`.

    What stands there then is of an addition that was cut off before it counted.
    """
    target = info.directory / f"grown-{len(info.additions) + 1}"
    shutil.rmtree(target, ignore_errors=True)
    os.replace(part, target)


def write_listed(batch: Batch, folder: Path) -> bool:
    """Write which images came with several labels, then and now; False where none is new.

    Call it in `change_meta`: others may have added labels since the source was read.
    """
    old, file = datasets.listed(batch.info), batch.folder / datasets.LISTED
    new = [np.array(batch.listed, np.int64).reshape(-1, 2)]
    if file.is_file():
        read = arrays.read_array(file)
        place = np.full(int(read[:, 0].max()) + 1, -1)
        inside = batch.rows[batch.rows < len(place)]
        place[inside] = batch.info.n + np.arange(len(inside))
        added = np.column_stack([place[read[:, 0]], batch.number[read[:, 1]]])
        new.append(added[(added >= 0).all(axis=1)])
    before = np.zeros((0, 2), np.int64) if old is None else np.asarray(old, np.int64)
    _, first = np.unique(both := np.concatenate([before, *new]), axis=0, return_index=True)
    if len(first):
        arrays.write_array(folder / datasets.LISTED, both[np.sort(first)].astype(np.int32))
    return len(first) > len(before)


def _file_digests(known: content.Contents, rows: IntArray) -> bytes:
    if known.files is None:
        return bytes(content.FILE_BYTES * len(rows))
    return np.asarray(known.files)[rows].tobytes()


def _write_table(batch: Batch, part: Path) -> None:
    """Write ids and paths, and what was skipped then and now."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = read_table(batch.info.arrays / "table.parquet")
    read = read_table(batch.folder / "table.parquet")
    new = pa.table(
        {
            "id": pa.array(batch.ids, pa.string()),
            "path": pa.array(batch.paths, pa.string()),
            "split": read.column("split").take(batch.rows).combine_chunks(),
        }
    )
    if "split" not in old.column_names:  # of a set from before splits were kept
        old = old.append_column("split", pa.nulls(len(old), pa.string()))
    old = old.select(new.column_names).cast(new.schema)
    pq.write_table(pa.concat_tables([old, new]), part / "table.parquet")
    skipped = [
        read_table(file)
        for folder in (batch.info.arrays, batch.folder)
        if (file := folder / "skipped.parquet").is_file()
    ]
    if skipped:
        pq.write_table(
            pa.concat_tables(skipped, promote_options="permissive"), part / "skipped.parquet"
        )
